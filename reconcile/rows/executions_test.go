package rows_test

import (
	"fmt"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

const lease = time.Minute

func house(t *testing.T) (*rowstest.House, rows.DB) {
	t.Helper()
	h := rowstest.New(t)
	return h, rows.DB{Pool: h.DB, Timeout: time.Minute}
}

func waiting(h *rowstest.House, workflow string, n int) {
	h.T.Helper()
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, input) SELECT $1, 'pending', '{"a": 1}' FROM generate_series(1, $2::int)`, workflow, n)
}

func TestStartsAreClaimedOnceAndInTurnsOfTheProjects(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	flooded, flood := h.Shop("")
	other := h.Workflow(flooded, "other")
	quiet, one := h.Shop("")
	waiting(h, flood, 50)
	waiting(h, other, 50)
	waiting(h, one, 1)
	seen := map[string]bool{}
	count := map[string]int{}
	claim := func(most, perProject int, busy ...string) (n int) {
		t.Helper()
		found, err := rows.ClaimStarts(t.Context(), db, lease, 100, most, perProject, busy)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range found {
			if seen[s.ID] {
				t.Errorf("%s was claimed twice", s.ID)
			}
			seen[s.ID] = true
			count[s.ProjectID]++
			if s.Again || s.Input == nil || s.TemporalID != s.KebabName+"-"+s.ID || s.ClaimedAt.IsZero() {
				t.Errorf("claimed %+v", s)
			}
		}
		return len(found)
	}
	if n := claim(10, 8); n != 9 || count[quiet] != 1 {
		t.Errorf("%d claimed, of them %v", n, count)
	}
	if n := claim(10, 8, flooded); n != 0 {
		t.Errorf("%d claimed of a project that has its share", n)
	}
	for claim(32, 16) > 0 {
	}
	if len(seen) != 101 {
		t.Errorf("%d of 101 were claimed", len(seen))
	}
	// A lease that is over is another's to go on with; the first claim's time stays.
	h.Exec(`UPDATE workflow_executions SET claimed_at = '2001-01-01' WHERE workflow_id = $1`, one)
	h.Exec(`UPDATE workflow_worker.executions_due SET leased_until = now() - interval '1 second' WHERE workflow_id = $1`, one)
	if found, err := rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 10, 10, nil); err != nil || len(found) > 0 {
		t.Errorf("abandoned %+v, %v, while the row says that somebody has it", found, err)
	}
	h.Exec(`UPDATE workflow_executions SET leased_until = now() - interval '1 second' WHERE workflow_id = $1`, one)
	for want := 1; want >= 0; want-- {
		found, err := rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 10, 10, nil)
		if err != nil || len(found) != want || want == 1 && (!found[0].Again || found[0].ClaimedAt.Year() != 2001) {
			t.Errorf("abandoned %+v, %v; want %d", found, err, want)
		}
	}
}

// What somebody left behind is claimed in turns, too: a project whose flood was under way then keeps
// nobody waiting.
func TestAbandonedStartsAreClaimedInTurnsOfTheProjects(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	flooded, flood := h.Shop("")
	quiet, one := h.Shop("")
	abandon := func(workflow, since string) {
		t.Helper()
		h.Exec(`UPDATE workflow_executions SET leased_until = now() - $2::text::interval WHERE workflow_id = $1`, workflow, since)
		h.Exec(`UPDATE workflow_worker.executions_due SET leased_until = now() - $2::text::interval WHERE workflow_id = $1`, workflow, since)
	}
	waiting(h, flood, 50)
	waiting(h, one, 1)
	if found, err := rows.ClaimStarts(t.Context(), db, lease, 100, 100, 100, nil); err != nil || len(found) != 51 {
		t.Fatalf("%d claimed, %v", len(found), err)
	}
	abandon(flood, "1 minute")
	abandon(one, "1 second")
	for want, busy := range [][]string{{flooded, quiet}, {flooded}} { // so many are claimed
		found, err := rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 8, 4, busy)
		if err != nil || len(found) != want {
			t.Errorf("busy %v: %+v, %v; want %d", busy, found, err, want)
		}
	}
	abandon(one, "1 second")
	count := map[string]int{}
	found, err := rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 8, 4, nil)
	for _, s := range found {
		count[s.ProjectID]++
	}
	if err != nil || count[flooded] != 4 || count[quiet] != 1 {
		t.Errorf("claimed %v, %v; want four of the flood and the other", count, err)
	}
}

// Releases before executions_due know of leases by the row alone: what is left behind theirs go on
// with, what isn't they leave alone.
func TestEarlierReleasesFindTheLeasesInTheRow(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	waiting(h, w, 1)
	mayTake := func(what string, want bool) {
		t.Helper()
		if got := rowstest.One[bool](h, `SELECT claimed_at IS NULL OR leased_until < now() FROM workflow_executions WHERE workflow_id = $1`, w); got != want {
			t.Errorf("%s: an earlier release may take it up: %t, want %t", what, got, want)
		}
	}
	over := func() {
		h.Exec(`UPDATE workflow_worker.executions_due SET leased_until = now() - interval '1 second' WHERE workflow_id = $1`, w)
		h.Exec(`UPDATE workflow_executions SET leased_until = leased_until - interval '1 hour' WHERE workflow_id = $1`, w)
	}
	found, err := rows.ClaimStarts(t.Context(), db, lease, 100, 10, 10, nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d claimed, %v", len(found), err)
	}
	mayTake("claimed", false)
	over()
	mayTake("left behind", true)
	if found, err = rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 10, 10, nil); err != nil || len(found) != 1 {
		t.Fatalf("%d claimed again, %v", len(found), err)
	}
	mayTake("claimed again", false)
	over()
	for _, after := range []time.Duration{time.Hour, -time.Second} {
		if err := rows.GiveBackStarts(t.Context(), db, []string{found[0].ID}, after, ""); err != nil {
			t.Fatal(err)
		}
		mayTake("given back for "+after.String(), after < 0)
	}
}

// What one row, or one project, says of times keeps no other's from being read and written.
func TestTimesThatNobodyCanCountWithAreOneRowsOwn(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, forever := h.Shop("")
	_, w := h.Shop("")
	for _, at := range []string{"infinity", "-infinity", "4000-01-01 BC", "250000-01-01"} {
		h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, first_run_id, started_at) VALUES ($1, 'running', 'x', $2, $2, $2::text::timestamptz)`, w, at)
	}
	open, err := rows.ReadOpenExecutions(t.Context(), db, rows.NoID, false, 100)
	if err != nil || len(open) != 4 {
		t.Fatalf("read %d, %v", len(open), err)
	}
	var ends []rows.ExecutionState
	for _, x := range open {
		if time.Since(x.StartedAt) < time.Hour {
			t.Errorf("it began at %s, so that nobody looks at it", x.StartedAt)
		}
		ends = append(ends, rows.ExecutionState{ID: x.ID, RunID: x.RunID, Status: rows.ExecutionCompleted, EndedAt: time.Now().Add(-time.Hour), Activities: -1})
	}
	if err := rows.WriteExecutions(t.Context(), db, ends); err != nil {
		t.Fatal(err)
	}
	if n := rowstest.One[int](h, `SELECT count(*) FROM workflow_executions WHERE status = 'completed' AND workflow_id = $1`, w); n != 4 {
		t.Errorf("%d of 4 are completed", n)
	}
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, completed_at) VALUES ($1, 'failed', now() - interval '1 hour')`, forever)
	for _, long := range []string{"10000 years", "170000000 years"} {
		h.Exec(`UPDATE projects SET execution_retention = $2::text::interval WHERE id = (SELECT project_id FROM workflows WHERE id = $1)`, forever, long)
		if _, err := rows.RemoveOldExecutions(t.Context(), db, time.Minute, 100); err != nil {
			t.Errorf("kept for %s: %v", long, err)
		}
	}
	if n := rowstest.One[int](h, `SELECT count(*) FROM workflow_executions WHERE workflow_id = $1`, forever); n != 1 {
		t.Error("what is kept for ever is removed")
	}
	if n := rowstest.One[int](h, `SELECT count(*) FROM workflow_executions WHERE workflow_id = $1`, w); n != 0 {
		t.Errorf("%d of another project are still there", n)
	}
}

func TestALongIDOrInputIsNoReasonToFailOthers(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, options) VALUES ($1, 'pending', jsonb_build_object('workflowId', repeat('x', 300)))`, w)
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, input) VALUES ($1, 'pending', to_jsonb(repeat('x', 300)))`, w)
	found, err := rows.ClaimStarts(t.Context(), db, lease, 100, 10, 10, nil)
	if err != nil || len(found) != 2 {
		t.Fatalf("%d claimed, %v", len(found), err)
	}
	for _, s := range found {
		if (s.TemporalID == "") == (s.Options == nil) || s.Input != nil || s.Options == nil && s.InputBytes != 302 {
			t.Errorf("claimed %+v", s)
		}
	}
}

// In the Workflow Builder's table every row has a start, from its beginning: one that never begins ends
// all the same.
func TestARowThatNeverBeginsEndsWhereEachHasAStart(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	h.Exec(`ALTER TABLE workflow_executions ALTER started_at SET DEFAULT now(), ALTER started_at SET NOT NULL`)
	waiting(h, w, 2)
	found, err := rows.ClaimStarts(t.Context(), db, lease, 100, 1, 1, nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d claimed, %v", len(found), err)
	}
	refused := rows.ExecutionState{ID: found[0].ID, Status: rows.ExecutionFailed, EndedAt: time.Now(), Message: "no", Activities: -1}
	if err := rows.WriteExecutions(t.Context(), db, []rows.ExecutionState{refused}); err != nil {
		t.Fatal(err)
	}
	waits := rowstest.One[string](h, `SELECT id::text FROM workflow_executions WHERE status = 'pending'`)
	if done, err := rows.CancelWaiting(t.Context(), db, waits, "not any more"); err != nil || !done {
		t.Errorf("cancelled %t, %v", done, err)
	}
	if got := rowstest.One[string](h, `SELECT string_agg(status || ' ' || error_message, ', ' ORDER BY status) FROM workflow_executions WHERE workflow_id = $1`, w); got != "cancelled not any more, failed no" {
		t.Errorf("the rows say %s", got)
	}
}

// A row tells of one execution, once over for good, unless another run of it begins.
func TestARowFollowsItsRuns(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	id := rowstest.One[string](h, `INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, 'pending') RETURNING id::text`, w)
	is := func(what, want string) {
		t.Helper()
		got := rowstest.One[string](h, `SELECT concat_ws(' ', status, temporal_run_id, output, error_message) FROM workflow_executions WHERE id = $1`, id)
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	chain := func(s rows.ExecutionState) int {
		t.Helper()
		s.TemporalID, s.FirstRunID = "x", "r1"
		without, err := rows.WriteChains(t.Context(), db, []rows.ExecutionState{s})
		if err != nil {
			t.Fatal(err)
		}
		return len(without)
	}
	if chain(rows.ExecutionState{RunID: "r1", Status: rows.ExecutionRunning}) != 1 {
		t.Error("a chain without a row was written")
	}
	begun := rows.ExecutionState{ID: id, TemporalID: "x", RunID: "r1", FirstRunID: "r1", Status: rows.ExecutionRunning, StartedAt: time.Now(), Activities: -1}
	if err := rows.WriteExecutions(t.Context(), db, []rows.ExecutionState{begun}); err != nil {
		t.Fatal(err)
	}
	is("begun", "running r1")
	chain(rows.ExecutionState{RunID: "r2", Status: rows.ExecutionRunning, Hash: "h"})
	is("continued", "running r2")
	chain(rows.ExecutionState{RunID: "r2", Status: rows.ExecutionCompleted, Output: new(`"\u0000"`), EndedAt: time.Now()})
	is("over", "completed r2 \"\ufffd\"")
	chain(rows.ExecutionState{RunID: "r2", Status: rows.ExecutionRunning, Hash: "other"})
	is("told of late", "completed r2 \"\ufffd\"")
	chain(rows.ExecutionState{RunID: "r3", Status: rows.ExecutionRunning})
	is("reset", "running r3")
	stale := rows.ExecutionState{ID: id, Was: "r2", TemporalID: "x", RunID: "r2", FirstRunID: "r1", Status: rows.ExecutionFailed, Message: "old", EndedAt: time.Now()}
	if err := rows.WriteExecutions(t.Context(), db, []rows.ExecutionState{stale}); err != nil {
		t.Fatal(err)
	}
	is("asked of before the reset", "running r3")
	lost := func(kind string) {
		t.Helper()
		h.Exec(`UPDATE workflow_executions SET status = 'failed', completed_at = now(), error = $2 WHERE id = $1`, id, kind)
	}
	lost(`{"type": "Unknown"}`) // as an author may call it
	chain(rows.ExecutionState{RunID: "r3", Status: rows.ExecutionRunning})
	is("failed by its author", "failed r3")
	for what, write := range map[string]func(s rows.ExecutionState){
		"by its run": func(s rows.ExecutionState) { chain(s) },
		"by its id": func(s rows.ExecutionState) {
			s.ID, s.Was = id, s.RunID
			if err := rows.WriteExecutions(t.Context(), db, []rows.ExecutionState{s}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		lost(`{"type": "Unknown", "lost": true}`)
		if found, err := rows.ReadLostExecutions(t.Context(), db, "00000000-0000-0000-0000-000000000000", 10); err != nil || len(found) != 1 || found[0].ID != id {
			t.Errorf("lost: %+v, %v", found, err)
		}
		write(rows.ExecutionState{RunID: "r3", Status: rows.ExecutionRunning})
		is("found again "+what, "running r3")
		lost(`{"type": "Unknown", "lost": true}`)
		write(rows.ExecutionState{RunID: "r3", Status: rows.ExecutionCompleted, Output: new("1"), EndedAt: time.Now()})
		is("found to be over "+what, "completed r3 1")
	}
}

// Whoever sees an execution finds the row that waits for its start by what it says of itself: only
// where the row says the same.
func TestAnExecutionNamesTheRowThatItWasStartedFor(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	project, w := h.Shop("")
	queue := rowstest.One[string](h, `SELECT task_queue_name::text FROM projects WHERE id = $1`, project)
	_, foreign := h.Shop("")
	id := rowstest.One[string](h, `INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, 'pending') RETURNING id::text`, w)
	told := rows.ExecutionState{
		TemporalID: "order-1", RunID: "r1", FirstRunID: "r1", Row: id, TaskQueue: queue, Status: rows.ExecutionCompleted,
		StartedAt: time.Now().Add(-2 * time.Second), EndedAt: time.Now(), Output: new("1"), Activities: 2,
	}
	write := func(s rows.ExecutionState) bool {
		t.Helper()
		without, err := rows.WriteChains(t.Context(), db, []rows.ExecutionState{s})
		if err != nil {
			t.Fatal(err)
		}
		steps, err := rows.ReadStepTargets(t.Context(), db, []rows.StepRun{{RunID: s.RunID, WorkflowID: s.TemporalID, FirstRunID: s.FirstRunID, Row: s.Row, TaskQueue: s.TaskQueue}})
		if err != nil || len(steps) > 0 != (len(without) == 0) {
			t.Errorf("steps of %+v: %+v, %v", s, steps, err)
		}
		return len(without) == 0
	}
	if write(told) {
		t.Error("a row that nobody has set about was written")
	}
	h.Exec(`UPDATE workflow_executions SET claimed_at = now(), temporal_workflow_id = 'order-1' WHERE id = $1`, id)
	elsewhere, other, third := told, told, told
	elsewhere.TaskQueue = rowstest.One[string](h, `SELECT p.task_queue_name::text FROM projects p JOIN workflows w ON w.project_id = p.id WHERE w.id = $1`, foreign)
	other.TemporalID = "order-2"
	third.Row = rows.NoID
	for what, s := range map[string]rows.ExecutionState{"of another queue": elsewhere, "of another id": other, "of another row": third} {
		if write(s) {
			t.Errorf("an execution %s took the row", what)
		}
	}
	if !write(told) {
		t.Error("the row wasn't found")
	}
	got := rowstest.One[string](h, `SELECT concat_ws(' ', status, temporal_run_id, first_run_id, duration_ms >= 2000, activities_executed,
		(SELECT count(*) FROM workflow_worker.executions_due), (SELECT count(*) FROM workflow_worker.execution_runs)) FROM workflow_executions WHERE id = $1`, id)
	if got != "completed r1 r1 t 2 0 1" {
		t.Errorf("the row says %s", got)
	}
	later := told
	later.FirstRunID, later.RunID = "r2", "r2"
	if write(later) {
		t.Error("a second execution took the row")
	}
}

// What is noted beside the rows is made again from them.
func TestTheWorkIsNotedAgainWhateverWroteTheRows(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	noted := func() string {
		t.Helper()
		return rowstest.One[string](h, `SELECT concat_ws(' | ', (SELECT string_agg(concat_ws(' ', e.temporal_workflow_id, d.reason, d.leased_until IS NOT NULL), ', ' ORDER BY e.temporal_workflow_id)
				FROM workflow_worker.executions_due d LEFT JOIN workflow_executions e ON e.id = d.execution_id),
			(SELECT string_agg(r.run_id, ', ' ORDER BY r.run_id) FROM workflow_worker.execution_runs r))`)
	}
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, first_run_id, claimed_at) VALUES
		($1, 'pending', 'waits', NULL, NULL, NULL), ($1, 'pending', 'begun', NULL, NULL, '2001-01-01'), ($1, 'pending', 'reopened', 'r2', 'r1', now()),
		($1, 'running', 'looked for', 'r3', NULL, NULL), ($1, 'running', 'runs', 'r5', 'r4', NULL), ($1, 'building', 'built', NULL, NULL, NULL)`, w)
	want := noted()
	if want != "begun start t, looked for look f, reopened look f, waits start f | r1, r2, r4, r5" {
		t.Errorf("noted: %s", want)
	}
	h.Exec(`TRUNCATE workflow_worker.executions_due, workflow_worker.execution_runs`)
	h.Exec(`INSERT INTO workflow_worker.executions_due (execution_id, reason, workflow_id, created_at) VALUES (gen_random_uuid(), 'start', $1, now())`, w)
	if err := rows.NoteWork(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := noted(); got != want {
		t.Errorf("noted again: %s, want %s", got, want)
	}
	h.Exec(`UPDATE workflow_executions SET status = 'cancelled', completed_at = now() WHERE workflow_id = $1 AND temporal_workflow_id IN ('waits', 'begun')`, w)
	h.Exec(`UPDATE workflow_executions SET first_run_id = 'r3' WHERE workflow_id = $1 AND temporal_workflow_id = 'looked for'`, w)
	h.Exec(`UPDATE workflow_executions SET temporal_run_id = 'r6' WHERE workflow_id = $1 AND temporal_workflow_id = 'runs'`, w)
	if got := noted(); got != "reopened look f | r1, r2, r3, r4, r6" {
		t.Errorf("noted: %s", got)
	}
	h.Exec(`UPDATE workflow_executions SET status = 'pending', completed_at = now() WHERE workflow_id = $1 AND temporal_workflow_id IN ('begun', 'built')`, w)
	if got := noted(); got != "begun start t, built start f, reopened look f | r1, r2, r3, r4, r6" {
		t.Errorf("noted: %s", got)
	}
	h.Exec(`DELETE FROM workflow_executions WHERE workflow_id = $1`, w)
	if got := noted(); got != "" {
		t.Errorf("noted of what is gone: %s", got)
	}
}

// Who is whose child is known whichever row is there first, and in one project alone.
func TestRecordedChildrenKnowTheirParents(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	project, w := h.Shop("")
	sibling := h.Workflow(project, "sibling")
	_, foreign := h.Shop("")
	state := func(workflow, first, parent string) rows.ExecutionState {
		return rows.ExecutionState{
			TemporalID: "id of " + first, RunID: first, FirstRunID: first, Status: rows.ExecutionRunning, CodeOf: workflow, ParentRunID: parent, Input: new(`{"a": 1}`),
		}
	}
	record := func(states ...rows.ExecutionState) {
		t.Helper()
		missing, changed, err := rows.Unrecorded(t.Context(), db, true, states)
		if err != nil || len(missing) != len(states) || len(changed) != 0 {
			t.Fatalf("missing %+v, changed %+v, %v", missing, changed, err)
		}
		if err := rows.RecordExecutions(t.Context(), db, true, missing); err != nil {
			t.Fatal(err)
		}
		var families []string
		for _, s := range states {
			families = append(families, s.FirstRunID, s.ParentRunID)
		}
		if err := rows.AdoptChildren(t.Context(), db, families); err != nil {
			t.Fatal(err)
		}
	}
	is := func(child, parent string) {
		t.Helper()
		got := rowstest.One[string](h, `SELECT coalesce((SELECT p.first_run_id FROM workflow_executions p WHERE p.id = c.parent_id), '') || coalesce(c.input->>'a', '')
			FROM workflow_executions c WHERE c.first_run_id = $1`, child)
		if got != parent+"1" {
			t.Errorf("the parent of %s is %q, want %q", child, got, parent)
		}
	}
	record(state(w, "before", "parent"))
	is("before", "")
	record(state(w, "parent", ""), state(sibling, "together", "parent"))
	is("before", "parent")
	is("together", "parent")
	record(state(w, "after", "parent"))
	is("after", "parent")
	record(state(foreign, "elsewhere", "parent"))
	is("elsewhere", "")
	// A parent whose row was there, and whose run is told only later.
	record(state(w, "early", "late"))
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, first_run_id, input) VALUES ($1, 'running', 'id of late', 'late', '{}')`, w)
	if err := rows.AdoptChildren(t.Context(), db, nil); err != nil {
		t.Fatal(err)
	}
	is("early", "late")
	is("elsewhere", "")

	// What has a row isn't recorded; what it says otherwise is told.
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id) VALUES ($1, 'pending', 'id of coming')`, w)
	ended := state(w, "parent", "")
	ended.Status = rows.ExecutionCompleted
	missing, changed, err := rows.Unrecorded(t.Context(), db, true, []rows.ExecutionState{state(w, "after", ""), ended, state(w, "coming", ""), state("", "nobody's", "")})
	if err != nil || len(missing) != 0 || len(changed) != 1 || changed[0].FirstRunID != "parent" {
		t.Errorf("missing %+v, changed %+v, %v", missing, changed, err)
	}
	if missing, _, err := rows.Unrecorded(t.Context(), db, false, []rows.ExecutionState{state(w, "new", "")}); err != nil || len(missing) != 0 {
		t.Errorf("missing %+v, %v", missing, err)
	}
}

func TestOldExecutionsAreRemovedAFewAtATime(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, kept := h.Shop("")
	project, short := h.Shop("")
	h.Exec(`UPDATE projects SET execution_retention = '1 hour' WHERE id = $1`, project)
	for _, w := range []string{kept, short} {
		h.Exec(`INSERT INTO workflow_executions (workflow_id, status, completed_at) SELECT $1, 'completed', now() - i * interval '40 minutes' FROM generate_series(1, 10) i`, w)
		h.Exec(`INSERT INTO workflow_executions (workflow_id, status, started_at) VALUES ($1, 'running', now() - interval '1 year')`, w)
	}
	left := func() string {
		return fmt.Sprint(rowstest.One[int](h, `SELECT count(*)::int FROM workflow_executions WHERE workflow_id = $1`, kept),
			rowstest.One[int](h, `SELECT count(*)::int FROM workflow_executions WHERE workflow_id = $1`, short))
	}
	remove := func(retention time.Duration, want int64) {
		t.Helper()
		if n, err := rows.RemoveOldExecutions(t.Context(), db, retention, 6); err != nil || n != want {
			t.Errorf("%d removed, %v; want %d", n, err, want)
		}
	}
	remove(0, 6)
	remove(0, 3)
	remove(0, 0)
	if got := left(); got != "11 2" {
		t.Errorf("left %s", got)
	}
	remove(4*time.Hour, 5)
	if got := left(); got != "6 2" {
		t.Errorf("left %s", got)
	}
}

func TestRequestsAreClaimedInTheirExecutionsOrder(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	_, w := h.Shop("")
	for range 3 {
		waiting(h, w, 1)
	}
	places := rows.RequestPlaces{Most: 10, Share: 10}
	h.Exec(`INSERT INTO workflow_execution_requests (execution_id, action, name) SELECT e.id, 'signal', i::text FROM generate_series(1, 3) i, workflow_executions e ORDER BY i`)
	for turn := 1; turn <= 3; turn++ {
		found, err := rows.ClaimExecutionRequests(t.Context(), db, lease, places)
		if err != nil || len(found) != 3 {
			t.Fatalf("turn %d: %+v, %v", turn, found, err)
		}
		if more, err := rows.ClaimExecutionRequests(t.Context(), db, lease, places); err != nil || len(more) > 0 {
			t.Errorf("turn %d: another replica has %+v, %v", turn, more, err)
		}
		for i, q := range found {
			if q.Name != fmt.Sprint(turn) || q.Again {
				t.Errorf("turn %d: %+v", turn, q)
			}
			if i == 0 { // an update that was accepted lets others pass
				if err := rows.NoteRequestAccepted(t.Context(), db, q.ID); err != nil {
					t.Fatal(err)
				}
			} else if err := rows.FinishExecutionRequest(t.Context(), db, q.ID, new(`{"a": 1}`), ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found, err := rows.ClaimAcceptedUpdates(t.Context(), db, lease, places); err != nil || len(found) != 3 || !found[0].Delivered {
		t.Errorf("accepted %+v, %v", found, err)
	}
}

// A project's flood takes its share, its queries and updates one of their own.
func TestRequestsAreClaimedInTurnsOfTheProjects(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	flooded, flood := h.Shop("")
	quiet, one := h.Shop("")
	waiting(h, flood, 60)
	waiting(h, one, 1)
	h.Exec(`INSERT INTO workflow_execution_requests (execution_id, action, name)
		SELECT id, CASE WHEN row_number() OVER () <= 30 THEN 'query' ELSE 'signal' END, 'x' FROM workflow_executions WHERE workflow_id = $1`, flood)
	h.Exec(`INSERT INTO workflow_execution_requests (execution_id, action, name) SELECT id, 'signal', 'x' FROM workflow_executions WHERE workflow_id = $1`, one)
	h.Exec(`INSERT INTO workflow_execution_requests (execution_id, action) VALUES (gen_random_uuid(), 'cancel')`) // of none
	claim := func(most int, busy ...string) map[string]int {
		t.Helper()
		found, err := rows.ClaimExecutionRequests(t.Context(), db, lease, rows.RequestPlaces{Most: most, Share: 8, Busy: busy})
		if err != nil {
			t.Fatal(err)
		}
		places := map[string]int{}
		for _, q := range found {
			places[q.Place]++
		}
		return places
	}
	if got := claim(100); got[flooded] != 8 || got[flooded+" answers"] != 8 || got[quiet] != 1 || got[""] != 1 || len(got) != 4 {
		t.Errorf("claimed %v", got)
	}
	if got := claim(100, flooded); got[flooded+" answers"] != 8 || len(got) != 1 {
		t.Errorf("claimed %v beside a busy share", got)
	}
	if got := claim(5, flooded+" answers"); got[flooded] != 5 || len(got) != 1 {
		t.Errorf("claimed %v of five", got)
	}
}
