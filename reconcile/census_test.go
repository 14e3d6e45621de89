package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/replay"
)

// counted is a replica whose censuses are the test's to take.
func (h *house) counted(d *temporalDouble) *replica {
	h.T.Helper()
	return h.tidying(d, func(c *Config) { c.CensusInterval = time.Hour }).start()
}

// countsAgain takes a census as if all were due, and waits for the rows.
func (r *replica) countsAgain() {
	r.h.T.Helper()
	r.h.Exec(`UPDATE workflow_live_periods SET counted_at = NULL`)
	if err := newCensus(r.Reconciler).Take(r.h.T.Context()); err != nil {
		r.h.T.Fatal(err)
	}
	r.quietDown()
}

func (r *replica) workflowState(project string) rows.SourceState {
	r.h.T.Helper()
	return r.isStatus(project, rows.StatusRunning).meta.Workflows[0]
}

func TestTheRowTellsHowManyExecutionsAreOnOlderCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	h.Shop("v1") // a workflow with one version
	d := &temporalDouble{begun: map[string]int64{"order-intake": 3}}
	r := h.counted(d)
	r.isServing(p, w, "v1")
	r.quietDown()
	r.countsAgain()
	if got := r.workflowState(p); len(got.Superseded) != 0 {
		t.Errorf("nothing is superseded, and the row says %+v", got.Superseded)
	}
	before := time.Now()
	h.Exec(`UPDATE workflow_compiled_code SET version = '2' WHERE workflow_id = $1`, w)
	r.reloaded(p, w, "v2")
	r.countsAgain()
	got := r.workflowState(p)
	if len(got.Superseded) != 1 {
		t.Fatalf("the row says %+v", got.Superseded)
	}
	s := got.Superseded[0]
	if s.Version != "1" || s.Hash != hashOf("v1\x00") || s.Executions != 3 || s.SupersededAt == nil || s.SupersededAt.Before(before.Add(-time.Minute)) {
		t.Errorf("superseded %+v", s)
	}
	if v := r.seen.get().versions; v[2] != 1 || v[1] != 1 {
		t.Errorf("versions in use %v", v)
	}

	// One moves to the live code, one to code that was never live.
	move := func(run, to string) {
		h.Exec(`INSERT INTO workflow_execution_moves (project_id, workflow_id, execution_id, run_id, from_hash, hash) VALUES ($1, $2, $3, $3, $4, $5)`,
			p, w, run, hashOf("v1\x00"), to)
	}
	h.Exec(`INSERT INTO workflow_code_store (project_id, hash, kind, version) VALUES ($1, 'other', 'workflow', '1b')`, p)
	move("a", hashOf("v2\x00"))
	move("b", "other")
	r.countsAgain()
	var words []string
	for _, s := range r.workflowState(p).Superseded {
		words = append(words, fmt.Sprintf("%s: %d", s.Version, s.Executions))
	}
	if got := strings.Join(words, ", "); got != "1: 1, 1b: 1" {
		t.Errorf("after the moves: %s", got)
	}

	// They end, and those that began on v1: the period is forgotten once nobody can turn up any
	// more.
	h.Exec(`UPDATE workflow_execution_moves SET closed_at = now()`)
	d.mu.Lock()
	d.begun = nil
	d.mu.Unlock()
	r.countsAgain()
	if got := r.workflowState(p); len(got.Superseded) != 0 {
		t.Errorf("all have ended, and the row says %+v", got.Superseded)
	}
	if n := one[int](h, `SELECT count(*)::int FROM workflow_live_periods WHERE ended_at IS NOT NULL`); n != 1 {
		t.Errorf("%d ended periods, want 1: visibility lags", n)
	}
	h.Exec(`UPDATE workflow_live_periods SET ended_at = ended_at - interval '1 hour' WHERE ended_at IS NOT NULL`)
	r.countsAgain()
	if n := one[int](h, `SELECT count(*)::int FROM workflow_live_periods WHERE ended_at IS NOT NULL`); n != 0 {
		t.Errorf("%d ended periods that nobody is in", n)
	}
}

// Periods follow each other without a gap, so that each start belongs to one.
func TestPeriodsOfLiveCodeFollowEachOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.counted(&temporalDouble{})
	r.isServing(p, w, "v1")
	for _, text := range []string{"v2", "v1", "BROKEN", "v3"} {
		h.Exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE workflow_id = $1`, w, text)
		r.LookAt(p, time.Now())
		if text != "BROKEN" {
			r.isServing(p, w, text)
		}
		r.quietDown()
	}
	got := one[[]string](h, `SELECT array_agg(s.workflow_code || CASE WHEN began_at = last THEN '' ELSE ' gap' END || CASE WHEN ended_at IS NULL THEN ' live' ELSE '' END ORDER BY p.began_at)
		FROM (SELECT *, coalesce(lag(ended_at) OVER (ORDER BY began_at), began_at) AS last FROM workflow_live_periods) p JOIN workflow_code_store s USING (hash)`)
	if strings.Join(got, ", ") != "v1, v2, v1, v3 live" {
		t.Errorf("periods %q", got)
	}
}

func TestNothingIsLiveInADeletedProject(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{begun: map[string]int64{"order-intake": 1}}
	r := h.counted(d)
	r.isServing(p, w, "v1")
	r.quietDown()
	r.mustCleanUp()
	const live = `SELECT (SELECT count(*) FROM workflow_live_code) || ' ' || (SELECT count(*) FROM workflow_live_periods WHERE ended_at IS NULL)`
	if got := one[string](h, live); got != "1 1" {
		t.Errorf("live code and periods: %s", got)
	}
	h.Exec(`DELETE FROM projects WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	r.mustCleanUp()
	if got := one[string](h, live); got != "0 0" {
		t.Errorf("live code and periods after the project's end: %s", got)
	}
}

func TestTheRowTellsSinceWhenAndFromWhichRowCodeIsLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Project()
	w := h.Workflow(p, "order-intake")
	first := h.Code(w, "1", "v1")
	r := h.work()
	r.isServing(p, w, "v1")
	r.quietDown()
	was := r.workflowState(p)
	if was.CodeID != first {
		t.Errorf("from row %q, want %q", was.CodeID, first)
	}
	// The newest text is broken: what is live is still the first row's, since then, also after a
	// restart.
	h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, first)
	h.Code(w, "2", "BROKEN")
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.workflowState(p).Error != nil, true) })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again := h.work()
	again.isServing(p, w, "v1")
	again.quietDown()
	now := again.workflowState(p)
	if now.CodeID != first || now.Since == nil || !now.Since.Truncate(time.Millisecond).Equal(was.Since.Truncate(time.Millisecond)) || now.Error == nil {
		t.Errorf("%+v, was %+v", now, was)
	}
	second := h.Code(w, "3", "v3")
	again.LookAt(p, time.Now())
	again.isServing(p, w, "v3")
	again.quietDown()
	if now := again.workflowState(p); now.CodeID != second || !now.Since.After(*was.Since) {
		t.Errorf("%+v, want row %s", now, second)
	}
}

func TestTheStoreIsMeasured(t *testing.T) {
	t.Parallel()
	_, r, _, _ := serving(t)
	r.quietDown()
	if err := newCensus(r.Reconciler).MeasureStore(t.Context()); err != nil || r.seen.get().texts != 1 {
		t.Errorf("%d texts, %v", r.seen.get().texts, err)
	}
}

func TestWhatTheGateRefusesIsNamedInTheRowAndInAnEvent(t *testing.T) {
	t.Parallel()
	h, r, p, w := serving(t)
	h.Exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = 'MISFIT' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.workflowState(p).Error != nil, true) })
	s := r.workflowState(p)
	if s.Version != "1" || s.Error.Version != "2" || s.Error.Checked != 40 || len(s.Error.Broken) != rows.MaxBrokenExecutions {
		t.Errorf("%+v", s)
	}
	if b := s.Error.Broken[0]; b != (rows.BrokenExecution{Execution: replay.Execution{WorkflowID: "order-0", RunID: "r"}, Event: 11, Reason: "it wants a timer"}) {
		t.Errorf("broken %+v", b)
	}
	r.quietDown()
	if got := h.eventsOf(p, rows.EventRefusedByGate); len(got) != 1 || !strings.Contains(got[0], "would break 30 running executions") || !strings.Contains(got[0], `"event": 11`) {
		t.Errorf("events %q", got)
	}
	if got := h.eventsOf(p, rows.EventCompileFailed); len(got) != 0 {
		t.Errorf("nothing failed to compile: %q", got)
	}
	if n := r.seen.get().refused[refusedEdit]; n != 1 {
		t.Errorf("%d refusals counted", n)
	}
	// It is tried again and again, which is no news.
	reloads := r.runner.count("reload", p)
	eventually(t, func() error { return expect(r.runner.count("reload", p) > reloads+3, true) })
	if got := r.runner.last("reload", p); got.AsOf.IsZero() {
		t.Error("the runner isn't told as of when the rows are")
	}
	for kind, want := range map[string]int{rows.EventRefusedByGate: 1, rows.EventReloaded: 0} {
		if got := h.eventsOf(p, kind); len(got) != want {
			t.Errorf("%d events %s, want %d: %q", len(got), kind, want, got)
		}
	}
	if n := r.seen.get().reloads["reload"]; n != 0 {
		t.Errorf("%d reloads counted", n)
	}
	// Until those executions are over: no row has changed.
	r.runner.fits.Store(true)
	eventually(t, func() error { return expect(r.workflowState(p).Error == nil, true) })
	if got := r.workflowState(p); got.Version != "2" || got.Hash != hashOf("MISFIT\x00") {
		t.Errorf("%+v", got)
	}
	r.quietDown()
	if got := h.eventsOf(p, rows.EventReloaded); len(got) != 1 || !strings.Contains(got[0], causeAgain) {
		t.Errorf("events %q", got)
	}
	r.runner.fits.Store(false)

	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'MISFIT too' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.workflowState(p).Error != nil, true) })
	r.reloaded(p, w, "v3 fits")
	if s := r.workflowState(p); s.Error != nil || s.Version != "2" {
		t.Errorf("%+v", s)
	}
}

// What a move names is kept, whoever began when; until the execution is over, and nobody may query
// it any more.
func TestCodeThatAnExecutionWasMovedToStaysUntilItIsOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{ended: map[string]time.Time{}}
	r := h.tidy(d)
	r.runner.onCheck = finds([]string{"a"})
	r.isServing(p, w, "v1")
	r.reloaded(p, w, "v2")
	// Back to what is superseded, though it began later.
	d.set(nil, time.Now().Add(time.Hour))
	id := h.asks(p, rows.ActionMigrate, w, "a", hashOf("v1\x00"))
	r.LookAt(p, time.Now())
	if a := h.isAnswered(id); a.status != rows.RequestCompleted {
		t.Fatalf("%+v", a)
	}
	move := func() { h.Exec(`UPDATE workflow_execution_moves SET checked_at = NULL`) }
	ends := func(at time.Time) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ended["run-of-a"] = at
	}
	r.mustCleanUp()
	h.stores("v1", "v2")

	d.set(fmt.Errorf("down"))
	move()
	if err := r.cleansUp(); err == nil || !strings.Contains(err.Error(), "down") {
		t.Errorf("error %v", err)
	}
	h.stores("v1", "v2")
	d.set(nil)

	r.cfg.CodeRetention = time.Hour
	ends(time.Now().Add(-time.Minute))
	move()
	r.mustCleanUp()
	h.stores("v1", "v2")
	if closed := one[bool](h, `SELECT closed_at < now() - interval '50 seconds' FROM workflow_execution_moves`); !closed {
		t.Error("that the execution closed isn't noted")
	}

	ends(time.Now().Add(-2 * time.Hour))
	move()
	r.mustCleanUp()
	h.stores("v2")
}

// Temporal has forgotten the execution: its retention is over, ours begins.
func TestAMoveOfAnExecutionThatTemporalHasForgottenGoesAfterTheRetention(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{ended: map[string]time.Time{"gone": {}}}
	r := h.tidying(d)
	h.Exec(`INSERT INTO workflow_execution_moves (project_id, workflow_id, execution_id, run_id, hash) VALUES ($1, $2, 'e', 'gone', 'h')`, p, w)
	r.cfg.CodeRetention = time.Hour
	for _, tt := range []struct {
		ago  string
		left int
	}{{"0", 1}, {"0", 1}, {"2 hours", 0}} {
		h.Exec(`UPDATE workflow_execution_moves SET checked_at = NULL, closed_at = closed_at - $1::interval`, tt.ago)
		if err := newCodeCleaner(r.Reconciler).ForgetMoves(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := one[int](h, `SELECT count(*)::int FROM workflow_execution_moves`); n != tt.left {
			t.Errorf("closed %s ago: %d moves", tt.ago, n)
		}
	}
}
