package reconcile

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/runtime"
)

func TestABrokenRowIsReportedWithItsPositionAndTheLastGoodStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	other := h.Workflow(p, "other")
	h.Code(other, "1", "other v1")
	r := h.work()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN', version = '2' WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'other v2' WHERE workflow_id = $1`, other)
	r.LookAt(p, time.Now())
	r.isServing(p, other, "other v2")
	if got := r.runner.serves(p, w); got != "v1" {
		t.Errorf("the broken workflow serves %q, want its last good v1", got)
	}
	var row rowOf
	eventually(t, func() error {
		row = h.row("replica-a", p)
		return expect(row.meta.Error != "", true)
	})
	if row.status != rows.StatusRunning || !strings.Contains(row.meta.Error, "order-intake.ts:3:7: unexpected BROKEN") {
		t.Errorf("status %s, error %q", row.status, row.meta.Error)
	}
	for _, s := range row.meta.Workflows {
		switch s.ID {
		case w:
			if s.Version != "1" || s.Hash == "" || s.Error == nil || s.Error.Version != "2" || s.Error.Line != 3 || s.Error.Column != 7 {
				t.Errorf("the broken workflow: %+v, error %+v", s, s.Error)
			}
		case other:
			if s.Error != nil || len(s.Types) != 1 || s.Since == nil {
				t.Errorf("the other workflow: %+v", s)
			}
		}
	}
	eventually(t, func() error { return expect(r.seen.get().broken, 1) }) // told after the row is written
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2")
	eventually(t, func() error { return expect(h.row("replica-a", p).meta.Error, "") })
	eventually(t, func() error { return expect(r.seen.get().broken, 0) })
}

func TestTheLastGoodTextIsHandedOverAtAStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	c := h.Component(p, "score", "score v1")
	first := h.work()
	first.isStatus(p, rows.StatusRunning)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN' WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE components SET implementation_code = 'BROKEN' WHERE id = $1`, c)
	second := h.work()
	second.isServing(p, w, "v1")
	second.isServing(p, c, "score v1")
	if row := second.isStatus(p, rows.StatusRunning); row.meta.Workflows[0].Error == nil || row.meta.Workflows[0].Version != "1" {
		t.Errorf("row: %+v", row.meta.Workflows)
	}
}

func TestAProjectWithoutAnyWorkingCodeFailsOnceAndIsTriedOnChange(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("BROKEN")
	r := h.work()
	row := r.isStatus(p, rows.StatusFailed)
	if !strings.Contains(row.meta.Error, "order-intake.ts:3:7") || len(row.meta.Workflows) != 1 || row.meta.Workflows[0].Error == nil {
		t.Errorf("row: %+v", row.meta)
	}
	r.quietDown()
	for range 3 {
		r.LookAt(p, time.Now())
		r.quietDown()
		r.surveyed()
	}
	if got := r.runner.count("start", p); got != 1 {
		t.Errorf("%d starts of what can't work, want 1", got)
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'mended' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "mended")
	if row := r.isStatus(p, rows.StatusRunning); row.meta.Error != "" || row.stoppedAt != nil {
		t.Errorf("row after the repair: %+v", row)
	}
}

func TestTemporalAwayIsRetriedAndSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	var lines logLines
	r := h.replica(func(c *Config) { c.Logger = lines.logger() })
	var back atomic.Bool
	r.runner.onStart = func(context.Context, runtime.Project) error {
		if back.Load() {
			return nil
		}
		return errors.New("namespace default not found")
	}
	r.start()
	row := r.isStatus(p, rows.StatusFailed)
	if !strings.Contains(row.meta.Error, "namespace default not found") {
		t.Errorf("error is %q", row.meta.Error)
	}
	eventually(t, func() error { return expect(r.runner.count("start", p) >= 5, true) })
	if got := lines.count("can't start"); got == 0 || got > 2 {
		t.Errorf("%d lines about one failure, want one every 10 s", got)
	}
	if got := r.seen.get().failed; got < 4 {
		t.Errorf("%d passes counted as failed", got)
	}
	back.Store(true)
	r.isServing(p, w, "v1")
	r.isStatus(p, rows.StatusRunning)
}

func TestAReloadThatFailsLeavesTheOldCodeAndIsRetried(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var back atomic.Bool
	r.runner.onReload = func(context.Context, runtime.Project) error {
		if back.Load() {
			return nil
		}
		return errors.New("no room")
	}
	r.start()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(strings.Contains(h.row("replica-a", p).meta.Error, "no room"), true) })
	if row := h.row("replica-a", p); row.status != rows.StatusRunning || r.runner.serves(p, w) != "v1" {
		t.Errorf("status %s, serves %s; want running on v1", row.status, r.runner.serves(p, w))
	}
	back.Store(true)
	r.isServing(p, w, "v2")
	eventually(t, func() error { return expect(h.row("replica-a", p).meta.Error, "") })
}

func TestAPoisonedProjectBlocksNoOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	poison, _ := h.Shop("poison")
	var lines logLines
	r := h.replica(func(c *Config) { c.Workers = 2; c.Logger = lines.logger() })
	r.runner.onStart = func(_ context.Context, p runtime.Project) error {
		if p.ID == poison {
			panic("poison")
		}
		return nil
	}
	r.start()
	eventually(t, func() error { return expect(r.runner.count("start", poison) >= 3, true) })
	for range 5 {
		p, w := h.Shop("fine")
		r.LookAt(p, time.Now())
		r.isServing(p, w, "fine")
	}
	if row := r.isStatus(poison, rows.StatusFailed); !strings.Contains(row.meta.Error, "panic: poison") {
		t.Errorf("the poisoned project's error is %q", row.meta.Error)
	}
	if lines.count("a panic in the work on a project") == 0 || lines.count("failure_test.go") == 0 {
		t.Error("a panic isn't logged with its stack")
	}
}

func TestAPanicOfOurOwnIsAFailedAttemptToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	r.store = nil // any access panics
	r.cfg.RemovalGrace = time.Minute
	r.start()
	r.isServing(p, w, "v1")
	r.quietDown()
	gone := h.Workflow(p, "gone")
	h.Code(gone, "1", "gone")
	r.LookAt(p, time.Now())
	r.isServing(p, gone, "gone")
	r.quietDown()
	failed := r.seen.get().failed
	h.Exec(`DELETE FROM workflows WHERE id = $1`, gone)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now()) // keeping "gone" needs the store
	eventually(t, func() error { return expect(r.seen.get().failed >= failed+2, true) })
	other, ow := h.Shop("other")
	r.LookAt(other, time.Now())
	r.isServing(other, ow, "other")
}

func TestAPanicWhileStoppingIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var once atomic.Bool
	r.runner.onStop = func(context.Context, string) error {
		if once.CompareAndSwap(false, true) {
			panic("ouch")
		}
		return nil
	}
	r.start()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	r.isStatus(p, rows.StatusStopped)
}

func TestAStartThatFailsHalfwayLeavesNoWorker(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var once atomic.Bool
	r.runner.onStart = func(ctx context.Context, p runtime.Project) error {
		if once.CompareAndSwap(false, true) {
			if _, err := r.runner.load(ctx, p); err != nil {
				return err
			}
			return context.DeadlineExceeded
		}
		return nil
	}
	r.start()
	r.isServing(p, w, "v1")
	r.isStatus(p, rows.StatusRunning)
	if got := r.runner.trace(p); got != "start stop start" {
		t.Errorf("calls: %s, want the half-started worker stopped first", got)
	}
}

// A policy that somebody dropped hides rows as if they had been deleted, and is no reason to stop.
func TestRowsThatAreHiddenAreNotGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	c := h.Component(p, "score", "score v1")
	role, as := h.AsService()
	pool := rowstest.OpenDatabase(t, as.String())
	var lines logLines
	r := h.work(func(c *Config) { c.Pool, c.Logger = pool, lines.logger() })
	r.isServing(p, w, "v1")
	r.isServing(p, c, "score v1")
	r.quietDown()
	for _, table := range []string{"projects", "workflows", "workflow_compiled_code", "components"} {
		h.Exec(`ALTER TABLE ` + table + ` ENABLE ROW LEVEL SECURITY`)
		h.Exec(`DROP POLICY ` + role + ` ON ` + table)
		// Failures enough for the grace, after which what is gone is removed, to be over.
		failed := r.seen.get().failed
		r.LookAt(p, time.Now())
		eventually(t, func() error { return expect(r.seen.get().failed >= failed+6, true) })
		if got := r.runner.trace(p); got != "start" || r.runner.serves(p, w) != "v1" || r.runner.serves(p, c) != "score v1" {
			t.Errorf("without the policy on %s: %s", table, got)
		}
		h.Exec(`CREATE POLICY ` + role + ` ON ` + table + ` FOR SELECT TO ` + role + ` USING (true)`)
		seen := r.seen.get()
		r.LookAt(p, time.Now())
		eventually(t, func() error {
			now := r.seen.get()
			return expect(now.passes-now.failed > seen.passes-seen.failed, true)
		})
	}
	if lines.count("row level security lets role "+role+" not SELECT public.projects") == 0 {
		t.Error("nobody says why")
	}

	// Nor is it a reason to answer that there is no such project.
	stop := h.Request(p, rows.ActionStop)
	r.LookAt(p, time.Now())
	if got := h.isAnswered(stop); got.status != rows.RequestCompleted {
		t.Errorf("%+v", got)
	}
	h.Exec(`DROP POLICY ` + role + ` ON projects`)
	failed := r.seen.get().failed
	start := h.Request(p, rows.ActionStart)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.seen.get().failed >= failed+2, true) })
	if got := h.answer(start); got.status != rows.RequestPending {
		t.Errorf("while the project is hidden: %+v", got)
	}
	h.Exec(`CREATE POLICY ` + role + ` ON projects FOR SELECT TO ` + role + ` USING (true)`)
	r.LookAt(p, time.Now())
	if got := h.isAnswered(start); got.status != rows.RequestCompleted {
		t.Errorf("%+v", got)
	}
	h.Exec(`DELETE FROM projects WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.runner.trace(p), "start stop start stop") })
}

func TestTheDatabaseMayGoAwayAndComeBack(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	h := houseOn(t, server)
	var lines logLines
	p, w := h.Shop("v1")
	r := h.work(func(c *Config) { c.Logger = lines.logger(); c.HeartbeatInterval = 50 * time.Millisecond })
	r.isServing(p, w, "v1")
	r.isStatus(p, rows.StatusRunning)

	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		r.LookAt(p, time.Now())
		r.LookAtAll("polling")
	}
	eventually(t, func() error { return expect(r.seen.get().failed >= 3, true) })
	if r.runner.serves(p, w) != "v1" {
		t.Error("the worker stopped because the database is away")
	}
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return h.Pool.Ping(t.Context()) })
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAtAll("connected")
	r.isServing(p, w, "v2")
	if n := lines.count("level=WARN"); n == 0 || n > 12 {
		t.Errorf("%d warnings about the outage: none, or too many", n)
	}
	if n := lines.count("answers again"); n == 0 || n > 2 {
		t.Errorf("%d lines about its end", n)
	}
	r.isStatus(p, rows.StatusRunning)
}

func TestItWaitsForADatabaseThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	h := houseOn(t, server)
	p, w := h.Shop("v1")
	h.Pool.Reset()
	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lines logLines
	r := h.work(func(c *Config) { c.Logger = lines.logger() })
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(lines.count("doesn't answer"), 1) })
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.isServing(p, w, "v1")
}
