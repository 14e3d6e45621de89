package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

func TestAProjectStartsReloadsAndStopsWithItsRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.work()
	p, w := h.Shop("v1")
	c := h.Component(p, "score", "score v1")
	r.LookAt(p, time.Now())

	row := r.isStatus(p, rows.StatusRunning)
	if row.queue != "queue-"+p || row.startedAt == nil || row.stoppedAt != nil || row.heartbeat == nil {
		t.Errorf("row of a running project: %+v", row)
	}
	if got := r.runner.last("start", p); got.TaskQueue != "queue-"+p || got.Name != "shop" || got.Components[0].Code != "score v1" {
		t.Errorf("started with %+v", got)
	}

	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v1, edited in place' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v1, edited in place")
	h.Exec(`UPDATE components SET implementation_code = 'score v2' WHERE id = $1`, c)
	r.LookAt(p, time.Now())
	r.isServing(p, c, "score v2")

	h.Exec(`DELETE FROM workflow_compiled_code WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	if row := r.isStatus(p, rows.StatusStopped); row.stoppedAt == nil || row.stoppedAt.Before(*row.startedAt) {
		t.Errorf("row of a stopped project: %+v", row)
	}
	if got := r.runner.trace(p); got != "start reload reload stop" {
		t.Errorf("calls: %s", got)
	}
}

func TestAProjectThatIsNotToRunHasNoRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.work()
	p := h.Project()
	h.Workflow(p, "without-code")
	r.LookAt(p, time.Now())
	r.quietDown()
	r.surveyed()
	if row := h.row("replica-a", p); row.status != "" || r.runner.trace(p) != "" {
		t.Errorf("row %q, calls %q; want none", row.status, r.runner.trace(p))
	}
}

func TestAHintThatNamesNoProjectIsHarmless(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.work()
	r.LookAt("", time.Now())
	r.LookAt("'; DROP TABLE projects; --", time.Now())
	r.LookAt("00000000-0000-4000-8000-000000000000", time.Now())
	p, w := h.Shop("v1")
	r.LookAt(strings.ToUpper(p), time.Now())
	r.isServing(p, w, "v1")
	r.quietDown()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) != 1 || len(r.cards) != 1 {
		t.Errorf("%d records, %d cards; want 1: what doesn't exist isn't remembered", len(r.records), len(r.cards))
	}
}

func TestEverythingIsStartedWithoutAHint(t *testing.T) {
	t.Parallel()
	h, r, p, w := serving(t)
	// And a change is found by a look at everything alone.
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAtAll("resync")
	r.isServing(p, w, "v2")
}

func TestReplacingCodeInTwoTransactionsNeverStopsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.work(func(c *Config) { c.RemovalGrace = 20 * time.Second })
	r.isServing(p, w, "v1")
	r.quietDown()

	h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.quietDown()
	r.surveyed()
	if got := r.runner.serves(p, w); got != "v1" {
		t.Fatalf("between the transactions it serves %q, want v1", got)
	}
	h.Code(w, "2", "v2")
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2")
	if got := r.runner.trace(p); got != "start reload" {
		t.Errorf("calls: %s, want one reload and no stop", got)
	}
	if row := h.row("replica-a", p); row.status != rows.StatusRunning {
		t.Errorf("status is %s", row.status)
	}
}

func TestAnotherChangeDuringTheGraceKeepsWhatVanished(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	gone := h.Workflow(p, "leaving")
	h.Code(gone, "7", "leaving text")
	score := h.Component(p, "score", "score text")
	r := h.work(func(c *Config) { c.RemovalGrace = 20 * time.Second })
	r.isServing(p, gone, "leaving text")
	r.quietDown()

	h.Exec(`DELETE FROM workflows WHERE id = $1`, gone)
	h.Exec(`DELETE FROM components WHERE id = $1`, score)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2")
	if r.runner.serves(p, gone) != "leaving text" || r.runner.serves(p, score) != "score text" {
		t.Error("what vanished was dropped before its grace was over")
	}
	last := r.runner.last("reload", p)
	kept := last.Workflows[len(last.Workflows)-1]
	if kept.ID != gone || kept.KebabName != "leaving" || kept.Version != "7" {
		t.Errorf("kept workflow %+v: not last, or not as it was", kept)
	}
}

func TestWhatVanishedIsRemovedAfterItsGrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	gone := h.Workflow(p, "leaving")
	h.Code(gone, "1", "leaving text")
	r := h.work()
	r.isServing(p, gone, "leaving text")
	r.quietDown()
	h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, gone)
	r.LookAt(p, time.Now())
	r.isServing(p, gone, "") // nobody hints again: the grace ends by itself
	eventually(t, func() error {
		return expect(one[int](h, `SELECT count(*)::int FROM workflow_live_code WHERE project_id = $1`, p), 1)
	})
	// And the last one takes the worker with it.
	h.Exec(`DELETE FROM workflow_compiled_code WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isStatus(p, rows.StatusStopped)
	if row := h.row("replica-a", p); row.meta.Error != "" {
		t.Errorf("a project without code has error %q", row.meta.Error)
	}
}

func TestDeletingAProjectStopsItWhileItRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.work(func(c *Config) { c.RemovalGrace = time.Hour })
	r.isServing(p, w, "v1")
	r.quietDown()
	h.Exec(`DELETE FROM projects WHERE id = $1`, p)
	r.LookAtAll("truncate") // no hint: what runs here is looked at too
	eventually(t, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.runner.runs(p) || len(r.records) > 0 {
			return fmt.Errorf("still runs, or is remembered: %s", r.runner.trace(p))
		}
		return nil
	})
	if got := r.seen.get().statuses; len(got) != 0 {
		t.Errorf("projects by status %v, want none", got)
	}
}

func TestARenamedTaskQueueRestartsTheWorker(t *testing.T) {
	t.Parallel()
	h, r, p, _ := serving(t)
	r.quietDown()
	h.Exec(`UPDATE projects SET task_queue_name = $2 WHERE id = $1`, p, "renamed-"+p)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.runner.trace(p), "start stop start") })
	if got := r.runner.last("start", p).TaskQueue; got != "renamed-"+p {
		t.Errorf("started on %s", got)
	}
	eventually(t, func() error { return expect(h.row("replica-a", p).queue, "renamed-"+p) })
	row := r.isStatus(p, rows.StatusRunning)
	if row.meta.LastReload == nil || !strings.Contains(row.meta.LastReload.Cause, "renamed") || row.meta.LastReload.Action != "start" {
		t.Errorf("last reload is %+v, want the renaming as its cause", row.meta.LastReload)
	}
}

func TestAWorkflowMovedToAnotherProject(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	from, w := h.Shop("v1")
	stays := h.Workflow(from, "stays")
	h.Code(stays, "1", "stays")
	to := h.Project()
	original := h.Workflow(to, "to-original")
	h.Code(original, "1", "to")
	r := h.work()
	r.isServing(from, w, "v1")
	r.isServing(to, original, "to")
	h.Exec(`UPDATE workflows SET project_id = $2 WHERE id = $1`, w, to)
	r.LookAt(from, time.Now())
	r.LookAt(to, time.Now())
	r.isServing(to, w, "v1")
	r.isServing(from, w, "")
	r.isServing(from, stays, "stays")
}

func TestAChangeDuringAStartIsNotLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	open := make(gate)
	var starting atomic.Bool
	r.runner.onStart = func(ctx context.Context, _ runtime.Project) error {
		starting.Store(true)
		return open.wait(ctx)
	}
	r.start()
	eventually(t, func() error { return expect(starting.Load(), true) })
	if row := h.row("replica-a", p); row.status != rows.StatusStarting {
		t.Errorf("status while it starts is %q", row.status)
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	close(open)
	r.isServing(p, w, "v2")
}

func TestALongDrainBlocksNobodyAndShowsInTheRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.replica(func(c *Config) { c.Workers = 1 })
	open := make(gate)
	r.runner.onStop = func(ctx context.Context, _ string) error { return open.wait(ctx) }
	p, w := h.Shop("v1")
	r.start()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	r.isStatus(p, rows.StatusStopping)

	other, ow := h.Shop("other")
	r.LookAt(other, time.Now())
	r.isServing(other, ow, "other")

	// It is wanted again while it drains: it starts when the drain is over.
	h.Exec(`UPDATE projects SET is_active = true WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	r.quietDown()
	if got := r.runner.trace(p); got != "start stop" {
		t.Errorf("calls while it drains: %s", got)
	}
	close(open)
	r.isStatus(p, rows.StatusRunning)
	if got := r.runner.trace(p); got != "start stop start" {
		t.Errorf("calls: %s", got)
	}
}

func TestAWorkerThatEndedByItselfIsStartedAgain(t *testing.T) {
	t.Parallel()
	_, r, p, w := serving(t)
	r.quietDown()
	r.runner.die(p)
	r.LookAtAll("resync")
	r.isServing(p, w, "v1")
}

func TestAStopThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var tries atomic.Int32
	r.runner.onStop = func(context.Context, string) error {
		if tries.Add(1) < 3 {
			return errors.New("it won't")
		}
		return nil
	}
	r.start()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	if row := r.isStatus(p, rows.StatusStopped); row.meta.Error != "" {
		t.Errorf("error of the stopped worker is %q", row.meta.Error)
	}
	if got := tries.Load(); got != 3 {
		t.Errorf("%d stops, want 3", got)
	}
}

func TestFiveHundredProjectsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.work()
	h.Exec(`WITH p AS (INSERT INTO projects (id, name, task_queue_name) SELECT gen_random_uuid(), 'p' || i, 'q' || i FROM generate_series(1, 500) i RETURNING id),
		w AS (INSERT INTO workflows (project_id, kebab_name, display_name) SELECT id, 'w', '' FROM p RETURNING id)
		INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, activities_code) SELECT id, '1', 'text of ' || id, '' FROM w`)
	began := time.Now()
	r.LookAtAll("insert")
	eventually(t, func() error { return expect(r.seen.get().statuses[rows.StatusRunning], 500) })
	t.Logf("500 projects started in %s", time.Since(began))
	eventually(t, func() error {
		return expect(one[int](h, `SELECT count(*)::int FROM workflow_workers WHERE status = 'running'`), 500)
	})
	if got := r.seen.get().reloads["start"]; got != 500 {
		t.Errorf("%d starts, want 500", got)
	}
	began = time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("and stopped in %s", time.Since(began))
	if got := one[int](h, `SELECT count(*)::int FROM workflow_workers WHERE status = 'stopped'`); got != 500 {
		t.Errorf("%d rows say stopped, want 500", got)
	}
}

func TestTheTimeFromTheHintToLiveIsReported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	const takes = 30 * time.Millisecond
	r.runner.onReload = func(context.Context, runtime.Project) error {
		time.Sleep(takes) // the time itself is what is measured
		return nil
	}
	r.start()
	r.isServing(p, w, "v1")
	r.quietDown()
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	var last *rows.ReloadState
	eventually(t, func() error {
		last = h.row("replica-a", p).meta.LastReload
		return expect(last != nil && last.Action == "reload", true)
	})
	if last.Milliseconds < 30 || last.Milliseconds > 20000 || last.Cause != "workflow order-intake changed" {
		t.Errorf("last reload: %+v", last)
	}
	if got := r.seen.get(); got.slowest < takes || got.reloads["reload"] != 1 || got.reloads["start"] != 1 {
		t.Errorf("observer saw %v, slowest %s", got.reloads, got.slowest)
	}
}
