package cdc_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(followEnv); url != "" {
		followUntilKilled(url) // see TestNoSlotOutlivesAKilledProcess
		return
	}
	stacktest.Main(m)
}

// patience bounds every wait for a condition. It is for a machine that is busy with
// other packages' tests, not a promise.
const patience = 90 * time.Second

// recorder is a handler and an observer that remembers.
type recorder struct {
	onLook func(projectID string) // called before LookAt is counted; may be nil
	onAll  func(reason string)    // the same for LookAtAll

	mu       sync.Mutex // guards what follows
	projects map[string]int
	all      []string
	messages []string
	states   []string // "mode" or "mode reason: text"
	received int
	last     time.Time
	hints    int
	lags     []time.Duration
	changed  chan struct{} // closed when something happens
}

func newRecorder() *recorder {
	return &recorder{projects: map[string]int{}, changed: make(chan struct{})}
}

func (r *recorder) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) LookAt(id string, _ cdc.Commit) {
	if r.onLook != nil {
		r.onLook(id)
	}
	r.note(func() { r.projects[id]++ })
}

func (r *recorder) LookAtAll(reason string) {
	if r.onAll != nil {
		r.onAll(reason)
	}
	r.note(func() { r.all = append(r.all, reason) })
}

func (r *recorder) Told(content string, _ time.Time) {
	r.note(func() { r.messages = append(r.messages, content) })
}

func (r *recorder) StreamState(mode, reason string) {
	r.note(func() { r.states = append(r.states, strings.TrimSpace(mode+" "+reason)) })
}

func (r *recorder) StreamReceived(at time.Time) { r.note(func() { r.received++; r.last = at }) }
func (r *recorder) HintDelivered(n int)         { r.note(func() { r.hints += n }) }

func (r *recorder) StreamLag(d time.Duration) {
	r.note(func() { r.lags = append(r.lags, d) })
}

// The conditions below are evaluated with r.mu held.

func (r *recorder) is(mode string) func() bool {
	return func() bool {
		return len(r.states) > 0 && strings.HasPrefix(r.states[len(r.states)-1]+" ", mode+" ")
	}
}

// says is a condition on what the latest state's reason says.
func (r *recorder) says(text string) func() bool {
	return func() bool { return len(r.states) > 0 && strings.Contains(r.states[len(r.states)-1], text) }
}

func (r *recorder) looked(ids ...string) func() bool {
	return func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return r.projects[id] == 0 })
	}
}

func (r *recorder) lookedAtAll(reason string) func() bool {
	return func() bool { return slices.Contains(r.all, reason) }
}

// changesOfAll are the looks at all but for those after connecting. They repeat as
// long as other sessions end transactions that were open then, and on a server that
// is shared with other tests there are some.
func (r *recorder) changesOfAll() (reasons []string) {
	for _, reason := range r.all {
		if reason != "connected" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// polled is how often all was looked at because nothing streams.
func (r *recorder) polled() (n int) {
	for _, reason := range r.all {
		if reason == "polling" {
			n++
		}
	}
	return n
}

func (r *recorder) await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		ok, changed := condition(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.Fatalf("still not: %s\n%s", what, r)
		}
	}
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("states: %q\nlooked at all: %q\nlooked at: %v\nreceived: %d messages", r.states, r.all, r.projects, r.received)
}

// forget starts a new chapter: what was seen so far doesn't count.
func (r *recorder) forget() {
	r.note(func() { r.projects, r.all, r.hints = map[string]int{}, nil, 0 })
}

// config follows a migrated database. Its timers are too long to help: what is seen
// came from the stream.
func config(t testing.TB, url string, r *recorder) cdc.Config {
	return cdc.Config{
		DatabaseURL:    url,
		Publications:   []string{migrations.Publication, migrations.RequestsPublication},
		ResyncInterval: time.Hour, PollInterval: time.Hour,
		RetryMin: 10 * time.Millisecond, RetryMax: 500 * time.Millisecond,
		Logger: stacktest.Logger(t), Handler: r, Observer: r,
	}
}

// run runs a Source until the test ends, or until the returned function is called.
func run(t testing.TB, c cdc.Config) (stop func()) {
	t.Helper()
	source, err := cdc.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- source.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run doesn't end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// follow runs a Source and waits until it streams and has looked at all.
func follow(t testing.TB, c cdc.Config, r *recorder) (stop func()) {
	t.Helper()
	stop = run(t, c)
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
	r.await(t, "a look at all after connecting", r.lookedAtAll("connected"))
	r.forget()
	return stop
}

// database is a connection with the statements that tests need.
type database struct {
	t    testing.TB
	conn *pgx.Conn
}

func open(t testing.TB, url string) database {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return database{t, conn}
}

func (d database) exec(sql string, args ...any) {
	d.t.Helper()
	if _, err := d.conn.Exec(d.t.Context(), sql, args...); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

func (d database) value(sql string, args ...any) (value string) {
	d.t.Helper()
	if err := d.conn.QueryRow(d.t.Context(), sql, args...).Scan(&value); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// holds says whether a query's one boolean is true.
func (d database) holds(sql string, args ...any) bool {
	d.t.Helper()
	return d.value("SELECT (("+sql+"))::text", args...) == "true"
}

// await waits until a query's one boolean is true.
func (d database) await(what, sql string, args ...any) {
	d.t.Helper()
	stacktest.Eventually(d.t, what, func() error {
		if !d.holds(sql, args...) {
			return errors.New("not yet")
		}
		return nil
	})
}

const insertProject = `INSERT INTO projects (name, task_queue_name) VALUES ('p', gen_random_uuid()::text) RETURNING id::text`

func (d database) project() string { d.t.Helper(); return d.value(insertProject) }

func (d database) workflow(project string) string {
	d.t.Helper()
	return d.value(`INSERT INTO workflows (project_id, kebab_name) VALUES ($1, 'flow-' || gen_random_uuid()) RETURNING id::text`, project)
}

func (d database) code(workflow string) string {
	d.t.Helper()
	return d.value(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code)
		VALUES ($1, gen_random_uuid()::text, repeat('x', 65536)) RETURNING id::text`, workflow)
}

// component inserts one; an empty project makes it shared.
func (d database) component(project string) string {
	d.t.Helper()
	return d.value(`INSERT INTO components (project_id, name) VALUES (nullif($1, '')::uuid, 'c') RETURNING id::text`, project)
}

// sender is the process at the other end of this database's stream.
func (d database) sender() int {
	d.t.Helper()
	const query = `SELECT active_pid FROM pg_replication_slots WHERE database = current_database() AND active`
	var pid int
	if err := d.conn.QueryRow(d.t.Context(), query).Scan(&pid); err != nil {
		d.t.Fatalf("find walsender: %v", err)
	}
	return pid
}

// noSlots is true when this database has no slot.
const noSlots = `SELECT count(*) = 0 FROM pg_replication_slots WHERE database = current_database()`

// server starts a server of the test's own, with a migrated database.
func server(t testing.TB, settings map[string]string) (*stack.Postgres, string) {
	t.Helper()
	p := stacktest.Postgres(t, stack.PostgresOptions{Settings: settings})
	url := p.URL("postgres")
	if err := migrations.Run(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return p, url
}
