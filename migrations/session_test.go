package migrations_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// session is one transaction as somebody, such as Supabase's API opens: rolled back
// when the test ends.
type session struct {
	testing.TB
	tx pgx.Tx
}

// session begins one as role; user is who is signed in, "" nobody.
func (d *database) session(t testing.TB, role, user string) *session {
	t.Helper()
	tx, err := connect(t, d.url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	s := &session{t, tx}
	if user != "" {
		s.end(`SELECT set_config('request.jwt.claims', json_build_object('sub', $1::text, 'role', $2::text)::text, true)`, user, role)
	}
	s.end("SET LOCAL ROLE " + pgx.Identifier{role}.Sanitize())
	return s
}

// end runs a statement that ends what the session was before, or begins it.
func (s *session) end(statement string, args ...any) {
	s.Helper()
	if _, err := s.tx.Exec(s.Context(), statement, args...); err != nil {
		s.Fatalf("%s\n%v", statement, err)
	}
}

// must runs a statement that has to affect so many rows.
func (s *session) must(rows int64, statement string, args ...any) {
	s.Helper()
	tag, err := s.tx.Exec(s.Context(), statement, args...)
	if err != nil {
		s.Fatalf("%s\n%v", statement, err)
	}
	if tag.RowsAffected() != rows {
		s.Fatalf("%s\naffected %d rows, want %d", statement, tag.RowsAffected(), rows)
	}
}

// refused runs a statement that must fail for lack of rights, or find no row.
func (s *session) refused(statement string, args ...any) {
	s.Helper()
	err := s.try(func(tx pgx.Tx) error {
		tag, err := tx.Exec(s.Context(), statement, args...)
		if err == nil && tag.RowsAffected() > 0 {
			s.Errorf("allowed (%d rows): %s", tag.RowsAffected(), statement)
		}
		return err
	})
	var pg *pgconn.PgError
	if err != nil && (!errors.As(err, &pg) || pg.Code != "42501") {
		s.Errorf("%s\nfailed for another reason: %v", statement, err)
	}
}

// forbidden runs a statement that must fail for lack of rights.
func (s *session) forbidden(statement string, args ...any) {
	s.Helper()
	err := s.try(func(tx pgx.Tx) error {
		_, err := tx.Exec(s.Context(), statement, args...)
		return err
	})
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "42501" {
		s.Errorf("%s\n%v, want permission denied", statement, err)
	}
}

// try runs f so that its failure doesn't end the session.
func (s *session) try(f func(pgx.Tx) error) error {
	s.Helper()
	savepoint, err := s.tx.Begin(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	defer func() {
		if err := savepoint.Rollback(s.Context()); err != nil {
			s.Fatal(err)
		}
	}()
	return f(savepoint)
}

func (s *session) strings(query string, args ...any) []string {
	s.Helper()
	rows, err := s.tx.Query(s.Context(), query, args...)
	if err != nil {
		s.Fatalf("%s\n%v", query, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatalf("%s\n%v", query, err)
	}
	return found
}

func (s *session) string(query string, args ...any) string {
	s.Helper()
	found := s.strings(query, args...)
	if len(found) != 1 {
		s.Fatalf("%s\nfound %d rows, want 1", query, len(found))
	}
	return found[0]
}
