package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

var _ runtime.FailureObserver = (*upkeep.FailureReports)(nil)

// aFailure is that of an execution of a workflow's code.
func aFailure(workflow, run, message string) runtime.Failing {
	return runtime.Failing{
		Execution: replay.Execution{WorkflowID: "x-" + run, RunID: run}, Type: "orderIntake", CodeOf: workflow, Version: "1",
		Hash: hashOf("v1\x00"), Reason: "exception", Message: message, File: "order-intake.ts", Line: 3, Column: 9,
	}
}

// failing waits until the row says so many executions get no further.
func (r *replica) failing(project string, want int64) (f rows.Failing, row rowOf) {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		row = r.h.row(r.cfg.Replica, project)
		f = rows.Failing{}
		for _, s := range row.meta.Workflows {
			if s.Failing != nil {
				f = *s.Failing
			}
		}
		if f.Executions != want {
			return fmt.Errorf("the row says %+v, want %d", f, want)
		}
		return nil
	})
	return f, row
}

func (h *house) failingEvents(project string) []string {
	h.T.Helper()
	return one[[]string](h, `SELECT coalesce(array_agg(message ORDER BY id), '{}') FROM worker_events WHERE project_id = $1 AND kind = 'failing'`, project)
}

func TestTheRowTellsWhichExecutionsGetNoFurther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{ended: map[string]time.Time{}, well: map[string]bool{}}
	r := h.tidying(d, func(c *Config) { c.CensusInterval = 200 * time.Millisecond }).start()
	r.isServing(p, w, "v1")

	f := r.cfg.Failures
	f.ExecutionFailing(p, aFailure(w, "a", "boom\x00"))
	found, row := r.failing(p, 1)
	x := found.Example
	if found.Since.IsZero() || x.WorkflowID != "x-a" || x.RunID != "a" || x.Type != "orderIntake" || x.Version != "1" || x.Hash != hashOf("v1\x00") ||
		x.Reason != "exception" || x.Message != "boom\ufffd" || x.File != "order-intake.ts" || x.Line != 3 || x.Column != 9 {
		t.Errorf("the row says %+v", found)
	}
	if row.status != rows.StatusRunning || !strings.Contains(row.meta.Error, "1 executions of workflow order-intake get no further") ||
		!strings.Contains(row.meta.Error, "x-a: order-intake.ts:3:9: boom") {
		t.Errorf("%s: %q", row.status, row.meta.Error)
	}

	t.Log("at each attempt nothing is written, a crowd is a few events")
	written := one[string](h, `SELECT xmin::text FROM workflow_execution_failures`)
	f.ExecutionFailing(p, aFailure(w, "a", "boom\x00"))
	for n := range 24 {
		f.ExecutionFailing(p, aFailure(w, fmt.Sprint("b", n), "boom"))
	}
	if again, _ := r.failing(p, 25); again.Example != x || !again.Since.Equal(found.Since) {
		t.Errorf("%+v, was %+v", again, found)
	}
	if n := one[string](h, `SELECT coalesce(max(xmin::text), '') FROM workflow_execution_failures WHERE run_id = 'a' AND checked_at IS NULL`); n != "" && n != written {
		t.Error("the same failure was written twice")
	}
	if events := h.failingEvents(p); len(events) < 1 || len(events) > 2 || !strings.Contains(events[0], "of workflow order-intake get no further") {
		t.Errorf("events %q", events)
	}

	t.Log("another line, after an edit")
	other := aFailure(w, "a", "bang")
	other.Line = 4
	f.ExecutionFailing(p, other)
	eventually(t, func() error {
		if again, _ := r.failing(p, 25); again.Example.Message != "bang" || again.Example.Line != 4 {
			return fmt.Errorf("%+v", again)
		}
		return nil
	})

	t.Log("a replica that comes up knows them, and hears of one that gets on")
	second := h.tidying(d, func(c *Config) { c.CensusInterval = 200 * time.Millisecond; c.Replica = "other" }).start()
	second.isServing(p, w, "v1")
	second.failing(p, 25)
	second.cfg.Failures.ExecutionGotOn("a")
	second.cfg.Failures.ExecutionGotOn("nobody")
	second.failing(p, 24)
	r.failing(p, 24)

	t.Log("what ended, or was got on with elsewhere, is forgotten; not while Temporal doesn't answer")
	d.set(errors.New("away"))
	d.mu.Lock()
	d.ended["b0"], d.well["b1"] = time.Now(), true
	d.mu.Unlock()
	r.failing(p, 24)
	d.set(nil)
	r.failing(p, 22)
	for n := range 24 {
		f.ExecutionGotOn(fmt.Sprint("b", n))
	}
	if _, row := r.failing(p, 0); row.meta.Error != "" {
		t.Errorf("the row says %q", row.meta.Error)
	}

	t.Log("the next time is an event again")
	before := len(h.failingEvents(p))
	f.ExecutionFailing(p, aFailure(w, "c", "boom"))
	r.failing(p, 1)
	eventually(t, func() error { return expect(len(h.failingEvents(p)), before+1) })
	eventually(t, func() error { return expect(r.seen.get().failing, 1) })
}

// Executions of a type that no row serves are nobody's.
func TestExecutionsOfNoWorkflowGetNoFurtherEither(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.tidying(&temporalDouble{}, func(c *Config) { c.CensusInterval = time.Hour }).start()
	r.isServing(p, w, "v1")
	r.cfg.Failures.ExecutionFailing(p, runtime.Failing{
		Execution: replay.Execution{WorkflowID: "x", RunID: "a"}, Type: "nobody", Reason: "unknown_type", Message: "no workflow of this project is named \"nobody\"",
	})
	gone := aFailure("6a2f41a3-c54c-4ce0-9bd7-3d4a8f0a1c55", "b", "of a workflow that was deleted")
	r.cfg.Failures.ExecutionFailing(p, gone)
	eventually(t, func() error {
		row := r.h.row(r.cfg.Replica, p)
		if f := row.meta.Failing; f == nil || f.Executions != 2 || f.Example.Type == "" || row.meta.Workflows[0].Failing != nil {
			return fmt.Errorf("%+v", row.meta)
		}
		return nil
	})
}

func TestExecutionsThatGetNoFurtherAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.tidying(&temporalDouble{}, func(c *Config) { c.CensusInterval = time.Hour }).start()
	r.isServing(p, w, "v1")
	for n := range upkeep.MaxFailing + 20 {
		r.cfg.Failures.ExecutionFailing(p, aFailure(w, fmt.Sprint(n), strings.Repeat("long ", 1000)))
	}
	f, _ := r.failing(p, upkeep.MaxFailing)
	if len(f.Example.Message) > rows.MaxText+len("…") {
		t.Errorf("a message of %d bytes", len(f.Example.Message))
	}
}
