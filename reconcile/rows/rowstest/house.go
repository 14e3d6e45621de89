// Package rowstest gives tests of reconcile a database, and writes into it what the Workflow
// Builder writes. Only tests import it.
package rowstest

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
)

// House is a database with helpers that write what the UI writes.
type House struct {
	T    testing.TB
	URL  string
	Pool *pgxpool.Pool
	DB   *database.Pool // the service's connections
}

// New makes a database of the test's own.
func New(t testing.TB) *House {
	t.Helper()
	address := stacktest.MigratedDatabase(t)
	return &House{T: t, URL: address, Pool: newPool(t, address), DB: OpenDatabase(t, address)}
}

// AsService gives a role with the rights of migrations.RoleSQL, whose name is the test's own, for
// roles are the server's; and the database's URL as that role.
func (h *House) AsService() (role string, as *url.URL) {
	h.T.Helper()
	role = "service_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	sql := strings.ReplaceAll(migrations.RoleSQL(), "workflow_worker_service", role)
	h.Exec(strings.ReplaceAll(sql, "LOGIN REPLICATION", "LOGIN PASSWORD 'probe'"))
	as, err := url.Parse(h.URL)
	if err != nil {
		h.T.Fatal(err)
	}
	as.User = url.UserPassword(role, "probe")
	h.T.Cleanup(func() {
		_, _ = h.Pool.Exec(context.WithoutCancel(h.T.Context()), "DROP OWNED BY "+role+"; DROP ROLE "+role)
	})
	return role, as
}

// On is a house on a server of the test's own.
func On(t testing.TB, server *stack.Postgres) *House {
	t.Helper()
	url := server.URL("postgres")
	if err := migrations.Run(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return &House{T: t, URL: url, Pool: newPool(t, url), DB: OpenDatabase(t, url)}
}

func newPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 8
	// The test's own statements go by these, whatever it gives the database.
	for name, value := range map[string]string{
		"search_path": "public", "client_encoding": "UTF8", "standard_conforming_strings": "on", "default_transaction_isolation": "read committed",
		"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "row_security": "on", "DateStyle": "ISO",
	} {
		cfg.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// OpenDatabase opens the service's connections.
func OpenDatabase(t testing.TB, url string) *database.Pool {
	t.Helper()
	db, err := database.Open(context.Background(), url, database.Options{MaxConns: 8, Name: "workflow-worker", Logger: stacktest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Exec runs a statement.
func (h *House) Exec(sql string, args ...any) {
	h.T.Helper()
	if _, err := h.Pool.Exec(h.T.Context(), sql, args...); err != nil {
		h.T.Fatalf("%s: %v", strings.TrimSpace(sql), err)
	}
}

// One reads one value.
func One[T any](h *House, sql string, args ...any) T {
	h.T.Helper()
	rows, _ := h.Pool.Query(h.T.Context(), sql, args...)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		h.T.Fatalf("%s: %v", strings.TrimSpace(sql), err)
	}
	return v
}

// Project makes a project.
func (h *House) Project() string {
	h.T.Helper()
	id := uuid.NewString()
	h.Exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'shop', $2)`, id, "queue-"+id)
	return id
}

// Workflow makes a workflow.
func (h *House) Workflow(project, kebab string) string {
	h.T.Helper()
	return One[string](h, `INSERT INTO workflows (project_id, kebab_name, display_name) VALUES ($1, $2, $2) RETURNING id::text`, project, kebab)
}

// Code makes code of a workflow, active, and gives its id.
func (h *House) Code(workflow, version, text string) string {
	h.T.Helper()
	return One[string](h, `INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, activities_code)
		VALUES ($1, $2, $3, '') RETURNING id::text`, workflow, version, text)
}

// Shop is a project with one workflow and its code.
func (h *House) Shop(text string) (project, workflow string) {
	h.T.Helper()
	project = h.Project()
	workflow = h.Workflow(project, "order-intake")
	h.Code(workflow, "1", text)
	return project, workflow
}

// Component makes one of a project, or a shared one if project is "".
func (h *House) Component(project, name, text string) string {
	h.T.Helper()
	return One[string](h, `INSERT INTO components (project_id, name, display_name, implementation_language, implementation_code)
		VALUES (nullif($1, '')::uuid, $2, $2, 'typescript', $3) RETURNING id::text`, project, name, text)
}

// Request asks something of a project.
func (h *House) Request(project, action string) string {
	h.T.Helper()
	return One[string](h, `INSERT INTO worker_requests (project_id, action) VALUES ($1, $2) RETURNING id::text`, project, action)
}

// Read reads a project as a pass does.
func (h *House) Read(project string, lastGood bool, refs ...string) *rows.Snapshot {
	h.T.Helper()
	b := &pgx.Batch{}
	for _, sql := range rows.SnapshotBegin {
		b.Queue(sql)
	}
	glanced := rows.QueueGlance(b, rows.Identity, project, rows.SortedUnique(refs))
	answer := rows.QueueSnapshot(b, project, lastGood)
	b.Queue(`COMMIT`)
	if err := h.Pool.SendBatch(h.T.Context(), b).Close(); err != nil {
		h.T.Fatal(err)
	}
	s := answer(glanced())
	return s
}
