package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"workflow-worker/migrations/database"
)

// The publications that the migrations make and cdc listens to.
const (
	// Publication has the keys of what should run: insert, update, delete, truncate.
	Publication = "workflow_worker"
	// RequestsPublication has the keys of new worker requests: insert only, because
	// the service itself updates them.
	RequestsPublication = "workflow_worker_requests"
)

// versionTable lives in a schema of ours, which Supabase's API doesn't serve.
const versionTable = "workflow_worker.schema_version"

// A file that could not get its table locks within its lock_timeout (4 s) is tried
// again this often: a minute and a half in all, in which other sessions' queries
// pass between the attempts.
const (
	busyAttempts = 15
	busyPause    = 2 * time.Second
)

//go:embed sql/*.sql
var files embed.FS

//go:embed role.sql
var roleSQL string

//go:embed realtime.sql
var realtimeSQL string

//go:embed realtime_changes.sql
var realtimeChangesSQL string

// SQL returns the migrations as files, for whoever wants to read them before they
// run. They can be run by hand, in order, each in one transaction, any number of
// times.
func SQL() fs.FS {
	sub, err := fs.Sub(files, "sql")
	if err != nil {
		return files // can't be: the folder is embedded
	}
	return sub
}

// RoleSQL returns the SQL that makes the service's role, workflow_worker_service,
// with the least rights that the service works with.
func RoleSQL() string { return roleSQL }

// RealtimeSQL returns the SQL by which Supabase Realtime tells of executions, by
// private Broadcast.
func RealtimeSQL() string { return realtimeSQL }

// RealtimeChangesSQL returns the SQL for the same by postgres_changes, which costs more.
func RealtimeChangesSQL() string { return realtimeChangesSQL }

// Migration is one file of SQL and whether it ran.
type Migration struct {
	Version   int64
	Name      string    // file name
	AppliedAt time.Time // zero: pending
}

// Applied says whether it ran.
func (m Migration) Applied() bool { return !m.AppliedAt.IsZero() }

// Run applies what is pending and logs what it did. It needs the right to change
// the tables, unless nothing is pending: the service's own role may call it then.
// A right that is missing is an error that names the table and what to grant,
// before anything was changed. Where nothing is pending, a table or a publication
// that was dropped since is put back.
//
// Of several calls at once, in any number of processes, one works and the others
// wait until it is done; ctx ends the wait. The one at work uses two connections.
func Run(ctx context.Context, databaseURL string, log *slog.Logger) error {
	d, err := open(databaseURL, log)
	if err != nil {
		return err
	}
	defer d.close()

	pending, err := d.pending(ctx)
	switch {
	case err != nil:
		return err
	case len(pending) == 0:
		return d.restore(ctx)
	}
	// The service's own role can't, and isn't to be made an owner for it.
	if owner, stranger, err := d.owner(ctx); err != nil {
		return err
	} else if stranger != "" {
		return &PendingError{Pending: pending, Role: stranger, Owner: owner}
	}
	return d.locked(ctx, d.migrate)
}

// Status lists all migrations in order. It changes nothing.
func Status(ctx context.Context, databaseURL string) ([]Migration, error) {
	d, err := open(databaseURL, nil)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.status(ctx)
}

// target is one connection pool to the database that is migrated.
type target struct {
	db  *sql.DB
	log *slog.Logger
}

func open(databaseURL string, log *slog.Logger) (*target, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	// Named prepared statements don't survive a pooler in transaction mode.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "workflow-worker migrate"
	}
	database.Prepare(&config.Config)
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { logNotice(log, n) }
	settle := stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := database.Settle(ctx, conn.PgConn())
		return err
	})
	return &target{db: stdlib.OpenDB(*config, settle), log: log}, nil
}

func (d *target) close() {
	if err := d.db.Close(); err != nil {
		d.log.Warn("migrations: close connections", "error", err)
	}
}

// logNotice passes on what the SQL says: RAISE NOTICE tells what was replaced or
// left alone, a warning what won't work (wal_level), the rest is "already exists".
func logNotice(log *slog.Logger, n *pgconn.Notice) {
	level := slog.LevelDebug
	switch {
	case n.SeverityUnlocalized == "WARNING":
		level = slog.LevelWarn
	case n.Routine == "exec_stmt_raise": // PL/pgSQL's RAISE
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "migrations: "+n.Message)
}

func (d *target) status(ctx context.Context) ([]Migration, error) {
	provider, err := d.provider()
	if err != nil {
		return nil, err
	}
	applied, err := d.applied(ctx)
	if err != nil {
		return nil, d.barred(ctx, err)
	}
	var all []Migration
	for _, s := range provider.ListSources() {
		all = append(all, Migration{Version: s.Version, Name: path.Base(s.Path), AppliedAt: applied[s.Version]})
	}
	return all, nil
}

func (d *target) pending(ctx context.Context) ([]Migration, error) {
	all, err := d.status(ctx)
	if err != nil {
		return nil, err
	}
	var pending []Migration
	for _, m := range all {
		if !m.Applied() {
			pending = append(pending, m)
		}
	}
	return pending, nil
}

// applied reads goose's table without goose, which would make it first: a reader
// may lack the right to.
func (d *target) applied(ctx context.Context) (map[int64]time.Time, error) {
	schema, table, _ := strings.Cut(versionTable, ".")
	var exists bool
	err := d.db.QueryRowContext(ctx,
		`SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2)`, schema, table).Scan(&exists)
	if err != nil {
		return nil, fmt.Errorf("migrations: look for %s: %w", versionTable, err)
	}
	at := map[int64]time.Time{}
	if !exists {
		return at, nil
	}
	rows, err := d.db.QueryContext(ctx, `SELECT version_id, max(tstamp) FROM `+versionTable+` WHERE is_applied GROUP BY version_id`)
	if err != nil {
		return nil, fmt.Errorf("migrations: read %s: %w", versionTable, err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		var when time.Time
		if err := rows.Scan(&version, &when); err != nil {
			return nil, fmt.Errorf("migrations: read %s: %w", versionTable, err)
		}
		at[version] = when
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("migrations: read %s: %w", versionTable, err)
	}
	return at, nil
}

func (d *target) provider() (*goose.Provider, error) {
	p, err := goose.NewProvider(goose.DialectPostgres, d.db, SQL(),
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()), // we log ourselves
	)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return p, nil
}

// migrate applies what is pending. The lock is held.
func (d *target) migrate(ctx context.Context) error {
	// Again, under the lock: somebody else may have done it all meanwhile.
	pending, err := d.pending(ctx)
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		d.log.Info("migrations: another process has applied them")
		return nil
	}
	if err := d.preflight(ctx); err != nil {
		return err
	}
	// goose makes its table before the first file runs, so the schema comes first.
	if _, err := d.db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS workflow_worker`); err != nil {
		return fmt.Errorf("migrations: create schema: %w", err)
	}
	provider, err := d.provider()
	if err != nil {
		return err
	}
	for range pending {
		if err := d.applyNext(ctx, provider); err != nil {
			return err
		}
	}
	return nil
}

// applyNext applies the next pending file, and waits a while for tables in use.
func (d *target) applyNext(ctx context.Context, provider *goose.Provider) error {
	for attempt := 1; ; attempt++ {
		result, err := provider.UpByOne(ctx)
		switch {
		case err == nil:
			d.log.Info("migrations: applied", "file", path.Base(result.Source.Path), "took_ms", result.Duration.Milliseconds())
			return nil
		case errors.Is(err, goose.ErrNoNextVersion):
			return nil
		}
		err = fmt.Errorf("migrations: %w", err)
		if !busy(err) || attempt == busyAttempts {
			if busy(err) {
				err = fmt.Errorf("%w; a table stayed in use: look for long transactions in pg_stat_activity", err)
			}
			return err
		}
		d.log.Warn("migrations: a table is in use, trying again", "attempt", attempt, "of", busyAttempts, "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(busyPause):
		}
	}
}

// busy says whether the database ended a statement because of others' locks.
func busy(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "55P03" || e.Code == "40P01" || e.Code == "40001") // lock_not_available, deadlock_detected, serialization_failure
}
