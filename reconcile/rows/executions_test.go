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
	h.Exec(`UPDATE workflow_executions SET leased_until = now() - interval '1 second', claimed_at = '2001-01-01' WHERE workflow_id = $1`, one)
	for want := 1; want >= 0; want-- {
		found, err := rows.ClaimAbandonedStarts(t.Context(), db, lease, 100, 10)
		if err != nil || len(found) != want || want == 1 && (!found[0].Again || found[0].ClaimedAt.Year() != 2001) {
			t.Errorf("abandoned %+v, %v; want %d", found, err, want)
		}
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
