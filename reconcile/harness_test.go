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

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

func TestMain(m *testing.M) { stacktest.MainOfWaiting(m) }

type answer struct {
	status, reason         string
	startedAt, completedAt *time.Time
}

func (h *house) answer(request string) (a answer) {
	h.T.Helper()
	err := h.Pool.QueryRow(h.T.Context(), `SELECT status, coalesce(error, ''), started_at, completed_at FROM worker_requests WHERE id = $1`, request).
		Scan(&a.status, &a.reason, &a.startedAt, &a.completedAt)
	if err != nil {
		h.T.Fatal(err)
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
	h.T.Helper()
	var meta []byte
	err := h.Pool.QueryRow(h.T.Context(), `SELECT status, task_queue_name, started_at, stopped_at, last_heartbeat, metadata
		FROM workflow_workers WHERE worker_id = $1`, rows.WorkerID(replica, project)).
		Scan(&w.status, &w.queue, &w.startedAt, &w.stoppedAt, &w.heartbeat, &meta)
	if errors.Is(err, pgx.ErrNoRows) {
		return w
	}
	if err != nil {
		h.T.Fatal(err)
	}
	if err := json.Unmarshal(meta, &w.meta); err != nil {
		h.T.Fatal(err)
	}
	return w
}

// house is a database with helpers that look at what the service writes.
type house struct{ *rowstest.House }

func newHouse(t testing.TB) *house { return &house{rowstest.New(t)} }

// houseOn is a house on a server of the test's own.
func houseOn(t testing.TB, server *stack.Postgres) *house { return &house{rowstest.On(t, server)} }

func one[T any](h *house, sql string, args ...any) T {
	h.T.Helper()
	return rowstest.One[T](h.House, sql, args...)
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
	h.T.Helper()
	runner := newRecorder(h.T, rows.NewCodeStore(h.DB))
	seen := &watcher{}
	cfg := Config{
		Pool: h.DB, Runner: runner, Replica: "replica-a", Host: "host-a", Observer: seen,
		RemovalGrace: 300 * time.Millisecond, BackoffBase: 20 * time.Millisecond, BackoffLimit: 200 * time.Millisecond,
		Logger: stacktest.Logger(h.T),
	}
	for _, c := range configure {
		c(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		h.T.Fatal(err)
	}
	return &replica{Reconciler: r, h: h, runner: runner, seen: seen}
}

// start puts a replica to work.
func (r *replica) start() *replica {
	r.h.T.Helper()
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
	r.h.T.Cleanup(func() { _ = r.stop() })
	return r
}

func (h *house) work(configure ...func(*Config)) *replica {
	h.T.Helper()
	return h.replica(configure...).start()
}

// serving is a house with a replica at work that serves a project's one workflow, whose text is v1.
func serving(t testing.TB) (h *house, r *replica, project, workflow string) {
	t.Helper()
	h = newHouse(t)
	project, workflow = h.Shop("v1")
	r = h.work()
	r.isServing(project, workflow, "v1")
	return h, r, project, workflow
}

// quiet returns once no pass is under way or waiting without delay.
func (r *replica) quietDown() {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		if !r.queue.idle() {
			return fmt.Errorf("%d waiting, others under way", r.queue.len())
		}
		return nil
	})
}

// surveyed looks at all projects and waits for what comes of it.
func (r *replica) surveyed() {
	r.h.T.Helper()
	if err := r.lookAround(r.h.T.Context(), "test"); err != nil {
		r.h.T.Fatal(err)
	}
	r.quietDown()
}

// isStatus waits until the replica's row of a project has a status.
func (r *replica) isStatus(project, status string) (w rowOf) {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		if w = r.h.row(r.cfg.Replica, project); w.status != status {
			return fmt.Errorf("status of %s on %s is %q (%s), want %q", project, r.cfg.Replica, w.status, w.meta.Error, status)
		}
		return nil
	})
	return w
}

// isAnswered waits until a request is finished.
func (h *house) isAnswered(request string) (a answer) {
	h.T.Helper()
	eventually(h.T, func() error {
		if a = h.answer(request); a.status != rows.RequestCompleted && a.status != rows.RequestFailed {
			return fmt.Errorf("request is %s", a.status)
		}
		return nil
	})
	return a
}

// isServing waits until a project serves a text for a source.
func (r *replica) isServing(project, source, text string) {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		if got := r.runner.serves(project, source); got != text {
			return fmt.Errorf("serves %q, want %q (%s)", got, text, r.runner.trace(project))
		}
		return nil
	})
}

func eventually(t testing.TB, condition func() error) {
	t.Helper()
	stacktest.Eventually(t, "what the rows ask for", condition)
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
	placed   [2]int // wanted, replicas
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

func (w *watcher) Placed(wanted, replicas int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.placed = [2]int{wanted, replicas}
}

func (w *watcher) get() watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	return watcher{passes: w.passes, failed: w.failed, reloads: w.reloads, slowest: w.slowest, statuses: w.statuses, broken: w.broken, refused: maps.Clone(w.refused),
		versions: w.versions, texts: w.texts, stayed: w.stayed, failing: w.failing, placed: w.placed, troubles: maps.Clone(w.troubles)}
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
