package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/docker/stack/stacktest"
)

// flow is a workflow's text: it tells its version to a query, waits for the signal "go", and does
// then.
func flow(name, version, then string) string {
	return fmt.Sprintf(`
		import { ApplicationFailure, condition, continueAsNew, defineQuery, defineSignal, executeChild, setHandler, sleep } from '@temporalio/workflow';
		export async function %s(): Promise<any> {
		  let go = false;
		  setHandler(defineSignal('go'), () => { go = true; });
		  setHandler(defineQuery('version'), () => %q);
		  await condition(() => go);
		  %s
		}`, name, version, then)
}

// version waits until a query on the run answers with the version that is wanted; "" as the run's
// id is the newest run.
func (p *project) version(id, runID, want string) {
	p.t.Helper()
	eventually(p.t, "a query on the execution says "+want, func() error {
		var got string
		v, err := p.temporal.QueryWorkflow(p.t.Context(), id, runID, "version")
		if err == nil {
			err = v.Get(&got)
		}
		if err == nil && got != want {
			err = fmt.Errorf("it says %q", got)
		}
		return err
	})
}

func (p *project) goOn(id string) {
	p.t.Helper()
	if err := p.temporal.SignalWorkflow(p.t.Context(), id, "", "go", nil); err != nil {
		p.t.Fatal(err)
	}
}

// edit changes the text of a workflow in place and waits until it is live.
func (w *workflow) edit(version, code string) {
	w.t.Helper()
	w.exec(`UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, w.codeID, version, code)
	w.running(liveVersion(w.name, version))
}

// showsItsCode checks that Temporal's UI, which shows summaries, says what code an execution runs.
func (p *project) showsItsCode(run client.WorkflowRun, name, version string) {
	p.t.Helper()
	row, err := p.worker()
	if err != nil {
		p.t.Fatal(err)
	}
	live, err := source(row, name)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range p.history(run) {
		if e.GetEventType() != enumspb.EVENT_TYPE_MARKER_RECORDED {
			continue
		}
		var summary string
		if err := converter.GetDefaultDataConverter().FromPayload(e.GetUserMetadata().GetSummary(), &summary); err != nil {
			p.t.Error(err)
		}
		if want := fmt.Sprintf("code of this execution: %s.ts %s (%.12s)", name, version, live.Hash); summary != want {
			p.t.Errorf("the pin's summary is %q, want %q", summary, want)
		}
		return
	}
	p.t.Errorf("no marker in %s", p.describe(run))
}

// gone accepts rows on which the workflow isn't any more.
func gone(name string) func(workerRow) error {
	return func(w workerRow) error {
		if _, err := source(w, name); err == nil {
			return fmt.Errorf("%s is still there", name)
		}
		return nil
	}
}

func TestAnExecutionKeepsItsCodeThroughEditsDeathsReplicasAndDeletion(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	settings := []string{"WORKFLOW_CACHE_SIZE=1", "REMOVAL_GRACE=100ms"}
	s := startService(t, db, settings...)
	p := newBuilder(t, db).project()
	p.workflow("other", flow("other", "other", `return 'other'`))
	w := p.workflow("flow", flow("flow", "v1", `await sleep(1); return 'v1';`))
	p.running(liveVersion("flow", "1"))
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	p.showsItsCode(run, "flow", "1")

	t.Log("an edit in place, of code that doesn't fit the history")
	w.edit("2", flow("flow", "v2", `await executeChild('other'); return 'v2';`))
	p.version(run.GetID(), "", "v1")

	t.Log("a new row, and the UI's clean-up of the old one")
	w.active(w.codeID, false)
	fresh := w.insert("3", true, 0, flow("flow", "v3", `return 'v3';`))
	p.running(liveVersion("flow", "3"))
	p.exec(`DELETE FROM workflow_compiled_code WHERE workflow_id = $1 AND id <> $2`, w.id, fresh)
	p.version(run.GetID(), "", "v1")

	t.Log("death and restart of the process")
	s.stop(syscall.SIGKILL)
	s = startService(t, db, settings...)
	p.version(run.GetID(), "", "v1")

	t.Log("another replica takes over")
	startService(t, db, settings...)
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	p.version(run.GetID(), "", "v1")

	t.Log("the workflow is deleted, with all its code")
	p.exec(`DELETE FROM workflows WHERE id = $1`, w.id)
	p.running(gone("flow"))
	p.version(run.GetID(), "", "v1")
	p.goOn(run.GetID())
	if got := result[string](p, run); got != "v1" {
		t.Errorf("the execution ended with %q", got)
	}
	p.noFailedTasks(run)

	t.Log("a query on the closed execution")
	p.version(run.GetID(), run.GetRunID(), "v1")
}

// The last workflow's deletion stops the project's worker: its executions wait, and go on where
// they were as soon as the project has any code.
func TestExecutionsOfAProjectWithoutCodeWaitForIt(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db, "REMOVAL_GRACE=100ms")
	p := newBuilder(t, db).project()
	w := p.workflow("flow", flow("flow", "v1", `return 'v1';`))
	p.running(nil)
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	p.exec(`DELETE FROM workflows WHERE id = $1`, w.id)
	eventually(t, "the worker is stopped", func() error {
		row, err := p.worker()
		if err == nil && row.Status != "stopped" {
			err = errors.New(row.Status)
		}
		return err
	})
	p.goOn(run.GetID())
	p.workflow("other", flow("other", "other", `return 'other'`))
	p.running(nil)
	if got := result[string](p, run); got != "v1" {
		t.Errorf("the execution ended with %q", got)
	}
	p.noFailedTasks(run)
}

func TestWhatBeginsAnewTakesTheNewestCode(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	b := newBuilder(t, db)
	begin := func(t *testing.T, first string, o client.StartWorkflowOptions) (*workflow, client.WorkflowRun) {
		t.Helper()
		b := &builder{t, b.db}
		p := b.project()
		w := p.workflow("flow", flow("flow", "v1", first))
		p.running(nil)
		o.ID, o.TaskQueue = "flow-"+uuid.NewString(), p.taskQueue
		run, err := p.temporal.ExecuteWorkflow(t.Context(), o, "flow")
		if err != nil {
			t.Fatal(err)
		}
		p.version(run.GetID(), "", "v1")
		return w, run
	}
	newest := func(t *testing.T, w *workflow, run client.WorkflowRun) {
		t.Helper()
		w.edit("2", flow("flow", "v2", `return 'v2';`))
		w.version(run.GetID(), "", "v1")
		w.goOn(run.GetID())
		w.version(run.GetID(), "", "v2")
		w.goOn(run.GetID())
	}
	t.Run("continue as new", func(t *testing.T) {
		t.Parallel()
		w, run := begin(t, `await continueAsNew();`, client.StartWorkflowOptions{})
		newest(t, w, run)
		if got := result[string](w.project, run); got != "v2" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("retry of the workflow", func(t *testing.T) {
		t.Parallel()
		w, run := begin(t, `throw new ApplicationFailure('again');`, client.StartWorkflowOptions{RetryPolicy: &temporal.RetryPolicy{InitialInterval: 1, MaximumAttempts: 2}})
		newest(t, w, run)
		if got := result[string](w.project, run); got != "v2" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("next run of a cron workflow", func(t *testing.T) {
		t.Parallel()
		w, run := begin(t, `return 'v1';`, client.StartWorkflowOptions{CronSchedule: "@every 1s"})
		newest(t, w, run)
		if err := w.temporal.TerminateWorkflow(t.Context(), run.GetID(), "", "seen enough"); err != nil {
			t.Error(err)
		}
	})
	t.Run("child of an execution on old code", func(t *testing.T) {
		t.Parallel()
		w, run := begin(t, `return 'v1 with ' + await executeChild('kid');`, client.StartWorkflowOptions{})
		kid := w.workflow("kid", `export async function kid() { return 'kid 1' }`)
		w.running(liveVersion("kid", "1"))
		kid.edit("2", `export async function kid() { return 'kid 2' }`)
		w.edit("2", flow("flow", "v2", `return 'v2';`))
		w.goOn(run.GetID())
		if got := result[string](w.project, run); got != "v1 with kid 2" {
			t.Errorf("got %q", got)
		}
	})
}

// A reset keeps a part of the history: the pin is in it or not.
func TestAResetExecutionTakesTheCodeOfTheHistoryItKeeps(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	w := p.workflow("flow", flow("flow", "v1", `await sleep(1); return 'v1';`))
	p.running(nil)
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	p.goOn(run.GetID())
	if got := result[string](p, run); got != "v1" {
		t.Fatalf("got %q", got)
	}
	w.edit("2", flow("flow", "v2", `return 'v2';`))
	s.stop(syscall.SIGKILL) // so that nothing is in memory
	startService(t, db)

	var completed []int64
	for _, e := range p.history(run) {
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			completed = append(completed, e.GetEventId())
		}
	}
	for _, c := range []struct {
		at   int64
		want string
	}{{completed[1], "v1"}, {completed[0], "v2"}} {
		_, err := p.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
			Namespace:         "default",
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
			Reason:            t.Name(), WorkflowTaskFinishEventId: c.at, RequestId: uuid.NewString(),
		})
		if err != nil {
			t.Fatal(err)
		}
		p.version(run.GetID(), "", c.want)
		// The signal that came after the point of the reset was applied again.
		if got := result[string](p, p.temporal.GetWorkflow(t.Context(), run.GetID(), "")); !strings.HasPrefix(got, c.want) {
			t.Errorf("reset to event %d: %q, want %s", c.at, got, c.want)
		}
	}
}
