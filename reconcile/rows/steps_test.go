package rows_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// stepped is an execution that is under way, as the service's own role sees it.
func stepped(t *testing.T) (h *rowstest.House, db rows.DB, workflow, execution string) {
	t.Helper()
	h = rowstest.New(t)
	_, pool := asRole(h, "cache_statement")
	db = rows.DB{Pool: pool, Timeout: time.Minute}
	_, workflow = h.Shop("")
	execution = text(h, `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, first_run_id)
		VALUES ($1, 'running', 'w', 'r', 'r') RETURNING id::text`, workflow)
	return h, db, workflow, execution
}

// text is the only value of a query, by the owner.
func text(h *rowstest.House, sql string, args ...any) (value string) {
	h.T.Helper()
	if err := h.Pool.QueryRow(h.T.Context(), sql, args...).Scan(&value); err != nil {
		h.T.Fatal(err)
	}
	return value
}

// Whatever order words about a step arrive in, the row says what the one says that is further on.
func TestAStepsRowKeepsTheLaterWord(t *testing.T) {
	t.Parallel()
	h, db, _, execution := stepped(t)
	at := time.Unix(1_000, 0)
	in, out := `{"a": 1}`, `"\u0000x"`
	words := []rows.Step{
		{Status: rows.StepPending, Progress: 1, Node: "n", Component: "a", ScheduledAt: at, Input: &in},
		{Status: rows.StepRunning, Progress: 9, Attempt: 1, StartedAt: at.Add(time.Second)},
		{Status: rows.StepRetrying, Progress: 10, Attempt: 1, StartedAt: at.Add(time.Second), NextAt: at.Add(time.Minute), Message: "x", ErrorType: "X"},
		{Status: rows.StepRunning, Progress: 17, Attempt: 2, Expected: true, StartedAt: at.Add(2 * time.Second)},
		{Status: rows.StepCompleted, Progress: 1 << 30, Attempt: 2, Expected: true, StartedAt: at.Add(2 * time.Second), EndedAt: at.Add(5 * time.Second), Output: &out},
	}
	const says = `SELECT concat_ws('|', status, node_id, component_name, temporal_attempt, retry_count, is_expected_retry, duration_ms, input_data::text, output_data::text, error_message, next_attempt_at,
		extract(epoch FROM started_at)::int, extract(epoch FROM scheduled_at)::int) FROM component_executions WHERE temporal_activity_id = $1`
	for i, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {1, 0, 4, 2, 3}, {3, 3, 0, 4, 4}} {
		key := fmt.Sprint(i)
		for _, n := range order {
			s := words[n]
			s.ExecutionID, s.RunID, s.Kind, s.Key = execution, "r", rows.StepActivity, key
			if err := rows.WriteSteps(t.Context(), db, []rows.Step{s}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := text(h, says, key), `completed|n|a|2|1|t|3000|{"a": 1}|"`+"\ufffd"+`x"|1002|1000`; got != want {
			t.Errorf("%v: %s\nwant %s", order, got, want)
		}
	}
	// What is gone has no steps.
	if err := rows.WriteSteps(t.Context(), db, []rows.Step{{ExecutionID: "00000000-0000-4000-8000-000000000000", RunID: "r", Kind: rows.StepActivity, Key: "k", Status: rows.StepRunning, Progress: 9}}); err != nil {
		t.Error(err)
	}
}

func TestStepsFindTheirRows(t *testing.T) {
	t.Parallel()
	h, db, workflow, execution := stepped(t)
	// One that only says that it is the execution's: the service hasn't seen that it is.
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', 'v', 'q')`, workflow)
	want := []rows.StepTarget{{RunID: "r", ExecutionID: execution, WorkflowID: workflow}}
	for _, ask := range [][]rows.StepRun{
		{{RunID: "r", WorkflowID: "w"}, {RunID: "q", WorkflowID: "v"}}, {{RunID: "r", WorkflowID: "w", FirstRunID: "r"}, {RunID: "s", WorkflowID: "w"}},
	} {
		if got, err := rows.ReadStepTargets(t.Context(), db, ask); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: %+v, %v", ask, got, err)
		}
	}
	h.Exec(`UPDATE workflows SET definition = '{"nodes": [1, "x", {"id": 7, "data": {"label": "seven", "redact": ["a"], "retryPolicy": {"strategy": "fail-after-x", "maxAttempts": "many"}}}], "graph": {"nodes": [{"id": "g", "data": {"componentName": "c"}}]}}' WHERE id = $1`, workflow)
	h.Exec(`UPDATE projects SET record_steps = 'all', record_payloads = false`)
	found, err := rows.ReadStepDefinitions(t.Context(), db, []string{workflow})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	d := found[0]
	if len(d.Nodes) != 2 || d.Nodes[0].ID != "7" || d.Nodes[0].Label != "seven" || string(d.Nodes[0].Redact) != `["a"]` || d.Nodes[0].RetryPolicy.Strategy != "fail-after-x" ||
		d.Nodes[0].RetryPolicy.MaxAttempts != 0 || d.Nodes[1].ComponentName != "c" || *d.Steps != rows.StepsAll || *d.Payloads {
		t.Errorf("%+v", d)
	}
	if some, all, err := rows.StepModes(t.Context(), db); err != nil || !some || !all {
		t.Error(some, all, err)
	}
	for _, odd := range []string{`[]`, `"x"`, `null`, `{"nodes": {"id": 1}}`, `{"nodes": [{"id": [1], "data": "x"}, {"data": {"retryPolicy": "no", "redact": 7}}]}`} {
		h.Exec(`UPDATE workflows SET definition = $2::jsonb WHERE id = $1`, workflow, odd)
		if _, err := rows.ReadStepDefinitions(t.Context(), db, []string{workflow}); err != nil {
			t.Errorf("%s: %v", odd, err)
		}
	}
}

func TestDueStepsAreClaimedUntilTheyAreDone(t *testing.T) {
	t.Parallel()
	h, db, _, execution := stepped(t)
	claim := func() []rows.DueSteps {
		t.Helper()
		found, err := rows.ClaimDueSteps(t.Context(), db, 0, time.Minute, 10)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	h.Exec(`UPDATE workflow_executions SET status = 'completed', temporal_run_id = 'r2' WHERE id = $1`, execution)
	if got := claim(); len(got) != 2 || got[0].TemporalID != "w" {
		t.Fatalf("%+v", got)
	}
	if got := claim(); len(got) != 0 {
		t.Errorf("claimed twice: %+v", got)
	}
	if got, err := rows.SettleSteps(t.Context(), db, []string{"r2", "x"}); err != nil || !slices.Equal(got, []string{"r2"}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := rows.DropDueSteps(t.Context(), db, []rows.DueSteps{{ExecutionID: execution, RunID: "r", NextRunID: "r2"}}); err != nil {
		t.Error(err)
	}
	if n := text(h, `SELECT count(*)::text FROM workflow_worker.steps_due`); n != "0" {
		t.Errorf("%s are left", n)
	}
}

func TestStepsThatHaventChangedAreFoundAndClosed(t *testing.T) {
	t.Parallel()
	h, db, _, execution := stepped(t)
	for key, status := range map[string]string{"1": rows.StepRunning, "2": rows.StepCompleted} {
		if err := rows.WriteSteps(t.Context(), db, []rows.Step{{ExecutionID: execution, RunID: "r", Kind: rows.StepActivity, Key: key, Status: status, Progress: 9, Attempt: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	stale := func(unchanged time.Duration) []rows.StaleSteps {
		t.Helper()
		found, err := rows.ReadStaleSteps(t.Context(), db, "00000000-0000-0000-0000-000000000000", unchanged, 10)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if got := stale(time.Hour); len(got) != 0 {
		t.Errorf("just written: %+v", got)
	}
	if got := stale(0); len(got) != 1 || !slices.Equal(got[0].Open, []string{"1"}) || got[0].RunID != "r" {
		t.Errorf("%+v", got)
	}
	if err := rows.CloseStepsOf(t.Context(), db, execution, "r", "gone"); err != nil {
		t.Fatal(err)
	}
	if got := text(h, `SELECT string_agg(status || coalesce(error_message, ''), ' ' ORDER BY temporal_activity_id) FROM component_executions`); got != "cancelledgone completed" {
		t.Error(got)
	}
	if err := rows.RemoveStepsOf(t.Context(), db, []string{execution}, []string{"r"}); err != nil {
		t.Fatal(err)
	}
	if n := text(h, `SELECT count(*)::text FROM component_executions`); n != "0" {
		t.Errorf("%s steps are left", n)
	}
}
