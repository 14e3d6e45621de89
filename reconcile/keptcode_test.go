package reconcile

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

var _ runtime.KeptCodeObserver = (*upkeep.KeptCodeReports)(nil)

// stay is an execution that keeps v1 where it was to go on with another text.
func stay(workflow, run, to string) runtime.KeptCode {
	return runtime.KeptCode{
		BrokenExecution: replay.BrokenExecution{Execution: replay.Execution{WorkflowID: "x-" + run, RunID: run}, EventID: 7, Reason: "a timer\x00"},
		CodeOf:          workflow, From: hashOf("v1\x00"), To: hashOf(to + "\x00"),
	}
}

// staying waits until the row says so many executions stay off the live code.
func (r *replica) staying(project string, want int64) (s rows.KeptCode) {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		state := r.workflowState(project)
		s = rows.KeptCode{}
		if len(state.KeptCode) > 0 {
			s = state.KeptCode[0]
		}
		if s.Executions != want {
			return fmt.Errorf("the row says %+v, want %d", state.KeptCode, want)
		}
		return nil
	})
	return s
}

func (h *house) stayEvents(project string) int {
	h.T.Helper()
	return one[int](h, `SELECT count(*)::int FROM worker_events WHERE project_id = $1 AND kind = 'stayed'`, project)
}

func TestTheRowTellsWhichExecutionsKeepTheirCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{ended: map[string]time.Time{}}
	r := h.tidying(d, func(c *Config) { c.CensusInterval = 200 * time.Millisecond }).start()
	r.isServing(p, w, "v1")
	h.Exec(`UPDATE workflow_compiled_code SET version = '2' WHERE workflow_id = $1`, w)
	r.reloaded(p, w, "v2")

	before := time.Now()
	r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, "a", "v2"))
	s := r.staying(p, 1)
	if s.Version != "2" || s.Hash != hashOf("v2\x00") || s.Since.Before(before.Add(-time.Minute)) ||
		s.Example.WorkflowID != "x-a" || s.Example.RunID != "a" || s.Example.Event != 7 || s.Example.Reason != "a timer" {
		t.Errorf("the row says %+v", s)
	}
	// Once more, as after a restart, and one that was to go on with something else.
	r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, "a", "v2"))
	r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, "b", "v0"))
	eventually(t, func() error {
		return expect(one[int](h, `SELECT count(*)::int FROM workflow_execution_stays`), 2)
	})
	if again := r.staying(p, 1); again != s {
		t.Errorf("the row says %+v, and said %+v", again, s)
	}
	if n := r.seen.get().stayed; n != 3 {
		t.Errorf("counted %d", n)
	}

	t.Log("a replica that comes up knows them")
	other := h.tidying(d, func(c *Config) { c.CensusInterval = time.Hour; c.Replica = "other" }).start()
	other.isServing(p, w, "v2")
	other.staying(p, 1)

	t.Log("pinned, nothing is wanted of them; moved, something is")
	h.Exec(`UPDATE workflows SET versioning_behavior = 'pinned' WHERE id = $1`, w)
	r.staying(p, 0)
	h.Exec(`INSERT INTO workflow_execution_moves (project_id, workflow_id, execution_id, run_id, from_hash, hash) VALUES ($1, $2, 'x-b', 'b', 'f', $3)`, p, w, hashOf("v0\x00"))
	if s := r.staying(p, 1); s.Example.RunID != "b" || s.Hash != hashOf("v0\x00") {
		t.Errorf("the row says %+v", s)
	}
	h.Exec(`DELETE FROM workflow_execution_moves`)
	h.Exec(`UPDATE workflows SET versioning_behavior = NULL WHERE id = $1`, w)
	r.staying(p, 1)

	t.Log("they end")
	d.set(errors.New("away"))
	d.mu.Lock()
	d.ended["a"], d.ended["b"] = time.Now(), time.Time{}
	d.mu.Unlock()
	r.staying(p, 1)
	d.set(nil)
	r.staying(p, 0) // as it also says for a moment between the two statements above
	eventually(t, func() error {
		return expect(one[int](h, `SELECT count(*)::int FROM workflow_execution_stays`), 0)
	})
}

// Newer code is what they are to go on with then.
func TestWithNewerCodeNobodyStaysOffTheOlder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.tidying(&temporalDouble{}, func(c *Config) { c.CensusInterval = time.Hour }).start()
	r.isServing(p, w, "v1")
	r.reloaded(p, w, "v2")
	r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, "a", "v2"))
	r.staying(p, 1)
	r.reloaded(p, w, "v3")
	r.staying(p, 0)
	r.reloaded(p, w, "v2")
	r.staying(p, 1)
}

func TestACrowdThatKeepsItsCodeIsAFewEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.tidying(&temporalDouble{}, func(c *Config) { c.CensusInterval = time.Hour }).start()
	r.isServing(p, w, "v1")
	r.reloaded(p, w, "v2")
	crowd := func(from, to int) {
		for i := from; i < to; i++ {
			r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, fmt.Sprint(i), "v2"))
		}
	}
	crowd(0, 1)
	r.staying(p, 1)
	for n := range 9 { // one by one
		crowd(n+1, n+2)
		r.staying(p, int64(n+2))
	}
	crowd(10, 500) // at once
	r.staying(p, 500)
	if n := h.stayEvents(p); n != 3 {
		t.Errorf("%d events, want one for 1, for 10 and for 500", n)
	}
	crowd(500, 3000) // more than are kept
	s := r.staying(p, upkeep.MaxKeptCode)
	eventually(t, func() error { return expect(r.seen.get().stayed, 3000) })
	if n := one[int](h, `SELECT count(*)::int FROM workflow_execution_stays`); n != upkeep.MaxKeptCode {
		t.Errorf("%d rows", n)
	}
	if n := h.stayEvents(p); n != 3 {
		t.Errorf("%d events", n)
	}
	if s.Example.RunID != "0" {
		t.Errorf("the example is %+v", s.Example)
	}
	message := one[string](h, `SELECT message FROM worker_events WHERE project_id = $1 AND kind = 'stayed' ORDER BY id LIMIT 1`, p)
	if want := fmt.Sprintf("1 executions of workflow order-intake keep their code: %s doesn't fit them; x-0: event 7: a timer",
		rows.CodeRef{Hash: hashOf("v2\x00"), Version: one[string](h, `SELECT version FROM workflow_code_store WHERE hash = $1`, hashOf("v2\x00"))}); message != want {
		t.Errorf("message %q, want %q", message, want)
	}
}

// What can't be written now is written later.
func TestStaysOutliveAnUnreachableDatabase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	var log logLines
	r := h.tidying(&temporalDouble{}, func(c *Config) { c.CensusInterval, c.Logger = 100*time.Millisecond, log.logger() }).start()
	r.isServing(p, w, "v1")
	r.reloaded(p, w, "v2")
	h.Exec(`ALTER TABLE workflow_execution_stays RENAME TO away`)
	r.cfg.KeptCode.ExecutionKeptCode(p, stay(w, "a", "v2"))
	eventually(t, func() error { return expect(log.count("can't be written down") > 0, true) })
	h.Exec(`ALTER TABLE away RENAME TO workflow_execution_stays`)
	r.staying(p, 1)
	if n := r.seen.get().stayed; n != 1 {
		t.Errorf("counted %d", n)
	}
}
