package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// house is a database with helpers that write what the UI writes.
type house struct {
	t    testing.TB
	url  string
	pool *pgxpool.Pool
	db   *database.Pool // the service's connections
}

func newHouse(t testing.TB) *house {
	t.Helper()
	url := stacktest.MigratedDatabase(t)
	return &house{t: t, url: url, pool: newPool(t, url), db: openDatabase(t, url)}
}

// houseOn is a house on a server of the test's own.
func houseOn(t testing.TB, server *stack.Postgres) *house {
	t.Helper()
	url := server.URL("postgres")
	if err := migrations.Run(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return &house{t: t, url: url, pool: newPool(t, url), db: openDatabase(t, url)}
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

// openDatabase opens the service's connections.
func openDatabase(t testing.TB, url string) *database.Pool {
	t.Helper()
	db, err := database.Open(context.Background(), url, database.Options{MaxConns: 8, Name: "workflow-worker", Logger: stacktest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), sql, args...); err != nil {
		h.t.Fatalf("%s: %v", strings.TrimSpace(sql), err)
	}
}

func one[T any](h *house, sql string, args ...any) T {
	h.t.Helper()
	rows, _ := h.pool.Query(h.t.Context(), sql, args...)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		h.t.Fatalf("%s: %v", strings.TrimSpace(sql), err)
	}
	return v
}

func (h *house) project() string {
	h.t.Helper()
	id := uuid.NewString()
	h.exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'shop', $2)`, id, "queue-"+id)
	return id
}

func (h *house) workflow(project, kebab string) string {
	h.t.Helper()
	return one[string](h, `INSERT INTO workflows (project_id, kebab_name, display_name) VALUES ($1, $2, $2) RETURNING id::text`, project, kebab)
}

func (h *house) code(workflow, version, text string) string {
	h.t.Helper()
	return one[string](h, `INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, activities_code)
		VALUES ($1, $2, $3, '') RETURNING id::text`, workflow, version, text)
}

// shop is a project with one workflow and its code.
func (h *house) shop(text string) (project, workflow string) {
	h.t.Helper()
	project = h.project()
	workflow = h.workflow(project, "order-intake")
	h.code(workflow, "1", text)
	return project, workflow
}

// component makes one of a project, or a shared one if project is "".
func (h *house) component(project, name, text string) string {
	h.t.Helper()
	return one[string](h, `INSERT INTO components (project_id, name, display_name, implementation_language, implementation_code)
		VALUES (nullif($1, '')::uuid, $2, $2, 'typescript', $3) RETURNING id::text`, project, name, text)
}

func (h *house) request(project, action string) string {
	h.t.Helper()
	return one[string](h, `INSERT INTO worker_requests (project_id, action) VALUES ($1, $2) RETURNING id::text`, project, action)
}

type answer struct {
	status, reason         string
	startedAt, completedAt *time.Time
}

func (h *house) answer(request string) (a answer) {
	h.t.Helper()
	err := h.pool.QueryRow(h.t.Context(), `SELECT status, coalesce(error, ''), started_at, completed_at FROM worker_requests WHERE id = $1`, request).
		Scan(&a.status, &a.reason, &a.startedAt, &a.completedAt)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// rowOf is a replica's workflow_workers row, as the UI reads it.
type rowOf struct {
	status, queue        string
	startedAt, stoppedAt *time.Time
	heartbeat            *time.Time
	meta                 rows.Metadata
}

// row reads a replica's row of a project; status is "" if there is none.
func (h *house) row(replica, project string) (w rowOf) {
	h.t.Helper()
	var meta []byte
	err := h.pool.QueryRow(h.t.Context(), `SELECT status, task_queue_name, started_at, stopped_at, last_heartbeat, metadata
		FROM workflow_workers WHERE worker_id = $1`, rows.WorkerID(replica, project)).
		Scan(&w.status, &w.queue, &w.startedAt, &w.stoppedAt, &w.heartbeat, &meta)
	if errors.Is(err, pgx.ErrNoRows) {
		return w
	}
	if err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal(meta, &w.meta); err != nil {
		h.t.Fatal(err)
	}
	return w
}

// replica is a Reconciler at work on a house.
type replica struct {
	*Reconciler
	h      *house
	runner *recorder
	seen   *watcher
	stop   func() error // ends Run and returns its error; also at the test's end
}

// replica makes one that isn't at work yet. configure may change the
// configuration: its times are those of a person in a hurry.
func (h *house) replica(configure ...func(*Config)) *replica {
	h.t.Helper()
	runner := newRecorder(h.t, rows.NewCodeStore(h.db))
	seen := &watcher{}
	cfg := Config{
		Pool: h.db, Runner: runner, Replica: "replica-a", Host: "host-a", Observer: seen,
		RemovalGrace: 300 * time.Millisecond, BackoffBase: 20 * time.Millisecond, BackoffLimit: 200 * time.Millisecond,
		Logger: stacktest.Logger(h.t),
	}
	for _, c := range configure {
		c(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return &replica{Reconciler: r, h: h, runner: runner, seen: seen}
}

// start puts a replica to work.
func (r *replica) start() *replica {
	r.h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(time.Minute):
			return fmt.Errorf("Run doesn't return")
		}
	})
	r.h.t.Cleanup(func() { _ = r.stop() })
	return r
}

func (h *house) work(configure ...func(*Config)) *replica {
	h.t.Helper()
	return h.replica(configure...).start()
}

// quiet returns once no pass is under way or waiting without delay.
func (r *replica) quietDown() {
	r.h.t.Helper()
	eventually(r.h.t, func() error {
		if !r.queue.idle() {
			return fmt.Errorf("%d waiting, others under way", r.queue.len())
		}
		return nil
	})
}

// surveyed looks at all projects and waits for what comes of it.
func (r *replica) surveyed() {
	r.h.t.Helper()
	if err := r.lookAround(r.h.t.Context(), "test"); err != nil {
		r.h.t.Fatal(err)
	}
	r.quietDown()
}

// isStatus waits until the replica's row of a project has a status.
func (r *replica) isStatus(project, status string) (w rowOf) {
	r.h.t.Helper()
	eventually(r.h.t, func() error {
		if w = r.h.row(r.cfg.Replica, project); w.status != status {
			return fmt.Errorf("status of %s on %s is %q (%s), want %q", project, r.cfg.Replica, w.status, w.meta.Error, status)
		}
		return nil
	})
	return w
}

// isAnswered waits until a request is finished.
func (h *house) isAnswered(request string) (a answer) {
	h.t.Helper()
	eventually(h.t, func() error {
		if a = h.answer(request); a.status != rows.RequestCompleted && a.status != rows.RequestFailed {
			return fmt.Errorf("request is %s", a.status)
		}
		return nil
	})
	return a
}

// isServing waits until a project serves a text for a source.
func (r *replica) isServing(project, source, text string) {
	r.h.t.Helper()
	eventually(r.h.t, func() error {
		if got := r.runner.serves(project, source); got != text {
			return fmt.Errorf("serves %q, want %q (%s)", got, text, r.runner.trace(project))
		}
		return nil
	})
}

// eventually waits for a condition and fails the test with its last word.
func eventually(t testing.TB, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// watcher is an Observer that remembers.
type watcher struct {
	mu       sync.Mutex
	passes   int
	failed   int
	reloads  map[string]int
	slowest  time.Duration
	statuses map[string]int
	broken   int
	refused  map[string]int
	versions map[int]int
	texts    int64
	stayed   int
	failing  int
	troubles map[string]bool
}

func (w *watcher) ExecutionsFailing(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = n
}

func (w *watcher) ExecutionsStayed(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stayed += n
}

func (w *watcher) Trouble(what string, _ bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.troubles == nil {
		w.troubles = map[string]bool{}
	}
	w.troubles[what] = err != nil
}

func (w *watcher) VersionsInUse(m map[int]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.versions = m
}

func (w *watcher) StoredCode(rows, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = rows
}

func (w *watcher) GateRefused(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused == nil {
		w.refused = map[string]int{}
	}
	w.refused[what]++
}

func (w *watcher) QueueDepth(int) {}

func (w *watcher) Reconciled(_ time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passes++
	if err != nil {
		w.failed++
	}
}

func (w *watcher) Reloaded(action string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reloads == nil {
		w.reloads = map[string]int{}
	}
	w.reloads[action]++
	w.slowest = max(w.slowest, d)
}

func (w *watcher) ProjectsByStatus(m map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses = m
}

func (w *watcher) CompileErrors(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = n
}

func (w *watcher) get() watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	return watcher{passes: w.passes, failed: w.failed, reloads: w.reloads, slowest: w.slowest, statuses: w.statuses, broken: w.broken, refused: maps.Clone(w.refused),
		versions: w.versions, texts: w.texts, stayed: w.stayed, failing: w.failing, troubles: maps.Clone(w.troubles)}
}

// logLines is a logger's output, to look at.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logLines) count(part string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
