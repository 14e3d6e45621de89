package migrations

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// State is a database's schema beside what this binary knows.
type State struct {
	All []Migration // that this binary has, in order
	// Unknown are versions that were applied and that this binary hasn't got: a newer one did it.
	Unknown []int64
}

// Look compares a database's schema with this binary's. It changes nothing.
func Look(ctx context.Context, databaseURL string) (State, error) {
	d, err := open(databaseURL, nil)
	if err != nil {
		return State{}, err
	}
	defer d.close()
	return d.look(ctx)
}

func (d *target) look(ctx context.Context) (s State, err error) {
	if s.All, err = d.status(ctx); err != nil {
		return s, err
	}
	applied, err := d.applied(ctx)
	if err != nil {
		return s, err
	}
	for version := range applied {
		known := slices.ContainsFunc(s.All, func(m Migration) bool { return m.Version == version })
		if !known && version > 0 { // goose's own first row is version 0
			s.Unknown = append(s.Unknown, version)
		}
	}
	slices.Sort(s.Unknown)
	return s, nil
}

// Never says that no migration was applied: the database isn't the service's yet.
func (s State) Never() bool {
	return !slices.ContainsFunc(s.All, Migration.Applied)
}

// Pending are those that aren't applied.
func (s State) Pending() (list []Migration) {
	for _, m := range s.All {
		if !m.Applied() {
			list = append(list, m)
		}
	}
	return list
}

// Newer says that a newer version of the service was here.
func (s State) Newer() bool { return len(s.Unknown) > 0 && s.Unknown[len(s.Unknown)-1] > Newest() }

// NewerText says what a binary can't do that is older than the schema; "" if it isn't.
func (s State) NewerText() string {
	if !s.Newer() {
		return ""
	}
	return fmt.Sprintf("the database's schema is at version %d and this binary knows those to %d: it goes on with what it knows, for migrations only add; it neither uses nor puts back what is newer",
		s.Unknown[len(s.Unknown)-1], Newest())
}

// PendingSQL is what Run would run, in order, as it could be given to psql.
func (s State) PendingSQL() (string, error) {
	var b strings.Builder
	for _, m := range s.Pending() {
		text, err := fs.ReadFile(SQL(), m.Name)
		if err != nil {
			return "", fmt.Errorf("migrations: %w", err)
		}
		fmt.Fprintf(&b, "-- %s\nBEGIN;\n%s\nCOMMIT;\n\n", m.Name, strings.TrimSpace(string(text)))
	}
	return b.String(), nil
}

// Newest is the version of the last migration that this binary has.
func Newest() int64 {
	names, err := fs.Glob(SQL(), "*.sql")
	if err != nil || len(names) == 0 {
		return 0 // can't be: the folder is embedded
	}
	number, _, _ := strings.Cut(path.Base(slices.Max(names)), "_")
	version, _ := strconv.ParseInt(number, 10, 64) // goose reads the same
	return version
}

// PendingError says that migrations are pending that this role, or this process, isn't to apply.
type PendingError struct {
	Pending []Migration
	Never   bool   // none was applied
	Role    string // that the service works as; "" if it wasn't asked to migrate
	Owner   string // of the tables; "" if there are none yet
}

func (e *PendingError) Error() string {
	lacks := "was never migrated"
	if !e.Never {
		names := make([]string, len(e.Pending))
		for i, m := range e.Pending {
			names[i] = m.Name
		}
		lacks = "lacks " + strings.Join(names, ", ")
	}
	owner := "the owner"
	if e.Owner != "" {
		owner = fmt.Sprintf("the owner (%s)", e.Owner)
	}
	text := fmt.Sprintf("migrations: the database %s: run `workflow-worker migrate` as %s, then the SQL of `workflow-worker role`", lacks, owner)
	if e.Role != "" {
		text += fmt.Sprintf("; role %s may not", e.Role)
	}
	return text
}

// Check is for a process that is not to migrate: a *PendingError if anything is pending.
func Check(ctx context.Context, databaseURL string) (State, error) {
	d, err := open(databaseURL, nil)
	if err != nil {
		return State{}, err
	}
	defer d.close()
	s, err := d.look(ctx)
	if err != nil {
		return s, err
	}
	if pending := s.Pending(); len(pending) > 0 {
		owner, _, err := d.owner(ctx)
		if err != nil {
			return s, err
		}
		return s, &PendingError{Pending: pending, Never: s.Never(), Owner: owner}
	}
	return s, nil
}

// owner gives who owns the tables, "" if there are none, and who we are if we may not act as them.
func (d *target) owner(ctx context.Context) (owner, stranger string, err error) {
	err = d.db.QueryRowContext(ctx, `
SELECT coalesce(max(pg_get_userbyid(c.relowner)), ''), coalesce(max(current_user::text) FILTER (WHERE NOT pg_has_role(c.relowner, 'USAGE')), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'workflow_worker' AND c.relname = 'schema_version'`).Scan(&owner, &stranger)
	if err != nil {
		return "", "", fmt.Errorf("migrations: look for the tables' owner: %w", err)
	}
	return owner, stranger, nil
}

// BarredError says that the role may not see what was applied: it isn't the one of
// [RoleSQL], nor the owner.
type BarredError struct {
	Role string
	why  string // PostgreSQL's words
	err  error
}

func (e *BarredError) Error() string {
	return fmt.Sprintf("migrations: role %s may not see what was applied: run the SQL of `workflow-worker role` as the owner of the tables, and connect as the role that it makes (%s)", e.Role, e.why)
}

func (e *BarredError) Unwrap() error { return e.err }

// barred tells rights that lack from other errors.
func (d *target) barred(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "42501" { // insufficient_privilege
		return err
	}
	role := "of DATABASE_URL"
	if asked := d.db.QueryRowContext(ctx, `SELECT pg_catalog.quote_ident(current_user)`).Scan(&role); asked != nil {
		return err
	}
	return &BarredError{role, refused.Message, err}
}
