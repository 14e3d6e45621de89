package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// stepsAgree compares an execution's rows with its newest run's history.
func (w *workflow) stepsAgree(id string) error {
	x, err := w.execution(id)
	if err != nil {
		return err
	}
	want := map[string]string{}
	names := map[int64]string{}
	events := w.temporal.GetWorkflowHistory(w.t.Context(), x.TemporalID, x.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return err
		}
		switch {
		case e.GetActivityTaskScheduledEventAttributes() != nil:
			names[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes().GetActivityId()
			want[names[e.GetEventId()]] = "open"
		case e.GetActivityTaskCompletedEventAttributes() != nil:
			want[names[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]] = "completed"
		case e.GetActivityTaskFailedEventAttributes() != nil:
			want[names[e.GetActivityTaskFailedEventAttributes().GetScheduledEventId()]] = "failed"
		case e.GetActivityTaskTimedOutEventAttributes() != nil:
			want[names[e.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId()]] = "failed"
		}
	}
	steps, err := w.steps(id)
	if err != nil {
		return err
	}
	over := x.Status == "completed" || x.Status == "failed" || x.Status == "cancelled"
	for _, s := range steps {
		is := s.Status
		switch {
		case over && is == "cancelled", !over && !s.Ended:
			is = "open"
		}
		if want[s.Activity] != is {
			return fmt.Errorf("step %s of %s is %s, the history says %q", s.Activity, id, s.Status, want[s.Activity])
		}
		delete(want, s.Activity)
	}
	if len(want) > 0 {
		return fmt.Errorf("execution %s, %s: the history has steps without a row: %v", id, x.Status, want)
	}
	return nil
}

// Whatever dies, steps end as the histories say.
func TestStepsAreRightWhateverDies(t *testing.T) {
	t.Parallel()
	s, w := steppedWorkflow(t)
	services := []*service{s, startService(t, w.db.Config().ConnString())}
	var ids []string
	for round := range 4 {
		for _, input := range []string{`{"do": "chain"}`, `{"do": "flaky", "key": "x"}`, `{"do": "fails"}`, `{"do": "abandons"}`, `{"do": "waits"}`, `{"do": "chain"}`} {
			ids = append(ids, w.starts(input, nil))
		}
		eventually(t, "steps are under way", func() error {
			if len(w.ids(`SELECT id::text FROM component_executions WHERE workflow_execution_id = ANY ($1::text[]::uuid[]) LIMIT 1`, ids[len(ids)-6:])) == 0 {
				return errors.New("none yet")
			}
			return nil
		})
		services[round%2].stop(syscall.SIGKILL)
		services[round%2] = startService(t, w.db.Config().ConnString())
	}
	for _, id := range ids {
		w.exec(`INSERT INTO workflow_execution_requests (execution_id, action, name) SELECT id, 'signal', 'go' FROM workflow_executions WHERE id = $1 AND input->>'do' = 'waits'`, id)
	}
	for _, id := range ids {
		eventually(t, "the execution is over", func() error {
			x, err := w.execution(id)
			if err == nil && !x.Ended {
				err = errors.New(x.Status)
			}
			return err
		})
		eventually(t, "its steps are what the history says", func() error { return w.stepsAgree(id) })
		w.settled(id)
	}
}

// While no service is there an execution is terminated: its steps don't stay as they were.
func TestStepsOfWhatEndsUnseenAreClosed(t *testing.T) {
	t.Parallel()
	s, w := steppedWorkflow(t)
	id, reset := w.starts(`{"do": "patient"}`, nil), w.starts(`{"do": "waits"}`, nil)
	w.stepStatuses(id, "retrying")
	w.stepStatuses(reset, "completed")
	x, y := w.becomes(id, "running"), w.becomes(reset, "running")
	s.stop(syscall.SIGKILL)
	if err := w.temporal.TerminateWorkflow(t.Context(), x.TemporalID, "", "from outside"); err != nil {
		t.Fatal(err)
	}
	// The reset runs the activity again: what it did before is no step of the execution any more.
	made, err := w.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: y.TemporalID, RunId: y.RunID},
		RequestId: reset, WorkflowTaskFinishEventId: 4, Reason: "from outside",
	})
	if err != nil {
		t.Fatal(err)
	}
	startService(t, w.db.Config().ConnString())
	if g := w.stepStatuses(id, "cancelled")[0]; g.ErrorType != "execution_ended" || g.Next || !g.Ended {
		t.Errorf("%+v", g)
	}
	w.settled(id)
	eventually(t, "the other goes on", func() error {
		if z, err := w.execution(reset); err != nil || z.RunID != made.GetRunId() {
			return fmt.Errorf("%+v, %w, before the reset %s, then %s: %w", z, err, y.RunID, made.GetRunId(), w.agrees(reset))
		}
		return w.stepsAgree(reset)
	})
	w.asksOf(reset, "signal", "go", nil)
	w.becomes(reset, "completed")
	w.stepStatuses(reset, "completed", "completed")
	w.settled(reset)
}

// An attempt whose worker died is nobody's until the server gives it out again: what the server
// says of it is in its row.
func TestAStepWhoseWorkerDiedIsTriedAgain(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
			_, _ = io.WriteString(w, "open")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(web.Close)
	s, w := steppedWorkflow(t)
	w.project.component("waits", `import { heartbeat } from '@temporalio/activity';
export async function waits(url: string) { const beats = setInterval(() => heartbeat(), 200); try { return await (await fetch(url)).text(); } finally { clearInterval(beats); } }`)
	w.running(nil)
	id := w.starts(fmt.Sprintf(`{"do": "slow", "url": %q}`, web.URL), nil)
	w.stepStatuses(id, "running")
	s.stop(syscall.SIGKILL)
	startService(t, w.db.Config().ConnString())
	w.untilSteps(id, "it is tried again", func(steps []stepRow) error {
		if len(steps) != 1 || steps[0].Attempt < 2 || steps[0].Status != "running" {
			return errors.New("not yet")
		}
		return nil
	})
	close(gate)
	w.becomes(id, "completed")
	if g := w.stepStatuses(id, "completed")[0]; g.Output != `"open"` || g.Retries < 1 {
		t.Errorf("%+v", g)
	}
}

// What projects say of their own: all steps, none, and no values.
func TestProjectsSayWhatIsRecordedOfSteps(t *testing.T) {
	t.Parallel()
	_, w := steppedWorkflow(t)
	w.exec(`UPDATE projects SET record_steps = 'all', record_payloads = false WHERE id = $1`, w.project.id)
	var id string
	eventually(t, "all steps are recorded", func() error {
		id = w.starts(fmt.Sprintf(`{"do": "all", "n": 21, "id": "child-%s-%d"}`, w.id, len(w.ids(`SELECT id::text FROM workflow_executions`))), nil)
		w.becomes(id, "completed")
		w.settled(id)
		steps, err := w.steps(id)
		if err == nil && len(steps) != 2 {
			err = fmt.Errorf("%+v", steps)
		}
		return err
	})
	steps := w.stepStatuses(id, "completed", "completed")
	if timer := steps[0]; timer.Kind != "timer" || !timer.Started || !timer.Ended || timer.Duration < 0 {
		t.Errorf("%+v", timer)
	}
	if child := steps[1]; child.Kind != "child" || child.Component != "child" || child.Input != `{"bytes": 2, "omitted": "not recorded"}` || child.Output != child.Input {
		t.Errorf("%+v", child)
	}
	w.exec(`UPDATE projects SET record_steps = 'none' WHERE id = $1`, w.project.id)
	eventually(t, "no steps are recorded", func() error {
		id := w.starts(`{"do": "chain"}`, nil)
		w.becomes(id, "completed")
		w.settled(id)
		steps, err := w.steps(id)
		if err == nil && len(steps) > 0 {
			err = fmt.Errorf("%+v", steps)
		}
		return err
	})
}

// Steps of an execution whose row somebody else's project names are never shown there.
func TestStepsOfSomebodyElsesAreNeverShown(t *testing.T) {
	t.Parallel()
	_, w := steppedWorkflow(t)
	theirs := w.starts(`{"do": "waits"}`, nil)
	x := w.becomes(theirs, "running")
	other := w.builder.project().workflow("order-intake", executedCode)
	var id string
	if err := w.db.QueryRow(t.Context(), `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', $2, $3) RETURNING id::text`,
		other.id, x.TemporalID, x.RunID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	w.asksOf(theirs, "signal", "go", nil)
	w.becomes(theirs, "completed")
	w.stepStatuses(theirs, "completed", "completed")
	w.becomes(id, "failed")
	w.settled(id)
	if steps, err := w.steps(id); err != nil || len(steps) > 0 {
		t.Errorf("%+v, %v", steps, err)
	}
}
