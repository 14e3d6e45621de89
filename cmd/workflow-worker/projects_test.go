package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

// stops waits until the service has stopped the project's worker for the n-th time. The log tells
// also when the rows are gone.
func (p *project) stops(s *service, n int) {
	p.t.Helper()
	eventually(p.t, "the project's worker stops", func() error {
		got := 0
		for line := range strings.Lines(s.output()) {
			if strings.Contains(line, "stopped a project's worker") && strings.Contains(line, p.id) {
				got++
			}
		}
		if got < n {
			return fmt.Errorf("it stopped %d times", got)
		}
		return nil
	})
}

// works waits until an attempt of an activity of the execution is under way.
func (p *project) works(run client.WorkflowRun) {
	p.t.Helper()
	eventually(p.t, "an activity is under way", func() error {
		d, err := p.temporal.DescribeWorkflowExecution(p.t.Context(), run.GetID(), "")
		if err == nil && (len(d.GetPendingActivities()) == 0 || d.GetPendingActivities()[0].GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED) {
			err = errors.New("not yet")
		}
		return err
	})
}

// reaches waits until an event is in the execution's history.
func (p *project) reaches(run client.WorkflowRun, want enumspb.EventType) {
	p.t.Helper()
	eventually(p.t, want.String(), func() error {
		for _, e := range p.history(run) {
			if e.GetEventType() == want {
				return nil
			}
		}
		return errors.New(p.describe(run))
	})
}

// undisturbed checks that nothing of the execution failed, timed out or had to be tried again.
func (p *project) undisturbed(run client.WorkflowRun) {
	p.t.Helper()
	p.noFailedTasks(run)
	p.unfailed(run)
	for _, e := range p.history(run) {
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil && a.GetAttempt() != 1 {
			p.t.Errorf("an activity of %s needed attempt %d: %v", run.GetID(), a.GetAttempt(), a.GetLastFailure())
		}
	}
}

// unfailed checks that nothing of the execution failed. A task may have timed out: Temporal loses
// those that it is giving to a worker that stops at that moment.
func (p *project) unfailed(run client.WorkflowRun) {
	p.t.Helper()
	for _, e := range p.history(run) {
		again := e.GetActivityTaskStartedEventAttributes().GetLastFailure()
		if e.GetWorkflowTaskFailedEventAttributes() != nil || e.GetActivityTaskFailedEventAttributes() != nil ||
			again != nil && again.GetTimeoutFailureInfo() == nil {
			p.t.Errorf("%s failed: %v\n%s", run.GetID(), e, p.describe(run))
		}
	}
}

// Whatever takes a project's worker away, its executions wait, lose nothing, and go on where they
// were on their own code.
func TestExecutionsWaitWhileTheirProjectDoesNotRun(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "REMOVAL_GRACE=100ms")
	b := newBuilder(t, db)
	v2 := flow("flow", "v2", `return 'v2';`)
	again := func(w *workflow) {
		w.exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'again', $2)`, w.project.id, w.taskQueue)
		w.project.workflow("flow", v2)
	}
	for _, c := range []struct {
		name    string
		off, on func(*workflow)
	}{
		{
			"the project is switched off and on",
			func(w *workflow) {
				w.exec(`UPDATE projects SET is_active = false WHERE id = $1`, w.project.id)
				w.project.stops(s, 1)
				w.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, v2)
			},
			func(w *workflow) { w.exec(`UPDATE projects SET is_active = true WHERE id = $1`, w.project.id) },
		},
		{
			"a stop is requested, and a start",
			func(w *workflow) {
				w.request("stop")
				w.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, v2)
			},
			func(w *workflow) { w.request("start") },
		},
		{
			"a restart is requested",
			func(w *workflow) {
				w.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, v2)
				w.request("restart")
			},
			func(*workflow) {},
		},
		{
			"the project is deleted and comes back under its id",
			func(w *workflow) {
				w.exec(`DELETE FROM projects WHERE id = $1`, w.project.id)
				w.project.stops(s, 1)
			},
			again,
		},
		{
			"its only workflow is deleted and another comes",
			func(w *workflow) {
				w.exec(`DELETE FROM workflows WHERE id = $1`, w.id)
				w.project.stops(s, 1)
			},
			func(w *workflow) { w.project.workflow("flow", v2) },
		},
		{
			"its only workflow moves to another project and back",
			func(w *workflow) {
				w.exec(`UPDATE workflows SET project_id = $2 WHERE id = $1`, w.id, w.builder.project().id)
				w.project.stops(s, 1)
				w.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, v2)
			},
			func(w *workflow) {
				w.exec(`UPDATE workflows SET project_id = $2 WHERE id = $1`, w.id, w.project.id)
			},
		},
		{
			"the task queue is renamed and renamed back",
			func(w *workflow) {
				w.exec(`UPDATE projects SET task_queue_name = task_queue_name || '-new' WHERE id = $1`, w.project.id)
				w.project.stops(s, 1)
				w.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, v2)
				w.running(liveVersion("flow", "2"))
				renamed := *w.project
				renamed.taskQueue += "-new"
				r := renamed.start("flow")
				renamed.goOn(r.GetID())
				if got := result[string](&renamed, r); got != "v2" {
					w.t.Errorf("on the new queue: %q", got)
				}
			},
			func(w *workflow) {
				w.exec(`UPDATE projects SET task_queue_name = $2 WHERE id = $1`, w.project.id, w.taskQueue)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := (&builder{t, b.db}).project()
			w := p.workflow("flow", `
				import { proxyActivities } from '@temporalio/workflow';
				const { waitFor, sampleActivity } = proxyActivities<any>({ startToCloseTimeout: '10s' });
				export async function working() {
				  const { waited } = await waitFor({ milliseconds: 700 });
				  return waited + ' ' + await sampleActivity({ message: 'v1' });
				}
				export async function sleeping() { await sleep(1500); return 'v1'; }
				`+flow("flow", "v1", `await sleep(1); return 'v1';`))
			p.running(nil)
			waiting, working, sleeping := p.start("flow"), p.start("working"), p.start("sleeping")
			p.version(waiting.GetID(), "", "v1")
			p.works(working)
			p.reaches(sleeping, enumspb.EVENT_TYPE_TIMER_STARTED)
			c.off(w)
			p.goOn(waiting.GetID()) // nobody is there to hear it
			p.reaches(sleeping, enumspb.EVENT_TYPE_TIMER_FIRED)
			c.on(w)
			for run, want := range map[client.WorkflowRun]string{waiting: "v1", working: "700 Processed: v1", sleeping: "v1"} {
				if got := result[string](p, run); got != want {
					t.Errorf("%s ended with %q, want %q", run.GetID(), got, want)
				}
				p.unfailed(run)
			}
			fresh := p.start("flow")
			p.goOn(fresh.GetID())
			if got := result[string](p, fresh); got != "v2" {
				t.Errorf("a new execution runs %q", got)
			}
		})
	}
}

// An execution belongs to a task queue; its code to the project that ran it. A project that takes
// over a queue gets the executions, but not the other's texts: the tasks of those whose text it
// doesn't have say so, until it has.
func TestAnotherProjectOnTheTaskQueueNeedsTheText(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	code := flow("flow", "v1", `await sleep(1); return 'v1';`)
	p.workflow("flow", code)
	p.running(nil)
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	p.exec(`DELETE FROM projects WHERE id = $1`, p.id)
	p.stops(s, 1)
	next := *p
	next.id = "00000000-0000-4000-8000-00000000000f"
	next.exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'next', $2)`, next.id, next.taskQueue)
	w := next.workflow("flow", flow("flow", "v2", `return 'v2';`))
	next.running(nil)
	next.goOn(run.GetID())
	eventually(t, "the task says what is missing", func() error {
		for _, e := range next.history(run) {
			if f := e.GetWorkflowTaskFailedEventAttributes(); f != nil && strings.Contains(f.GetFailure().GetMessage(), "code not found") {
				return nil
			}
		}
		return errors.New(next.describe(run))
	})
	next.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, code)
	if got := result[string](&next, run); got != "v1" {
		t.Errorf("the execution ended with %q", got)
	}
}

// A workflow that moves leaves its executions behind: they belong to the task queue that they began
// on.
func TestAWorkflowThatMovesLeavesItsExecutionsBehind(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db, "REMOVAL_GRACE=100ms")
	b := newBuilder(t, db)
	from, to := b.project(), b.project()
	from.workflow("stays", flow("stays", "stays", `return 'stays';`))
	to.workflow("was-here", flow("wasHere", "was here", `return 'was here';`))
	w := from.workflow("flow", flow("flow", "v1", `await sleep(1); return 'v1';`))
	from.running(liveVersion("flow", "1"))
	began := from.running(nil).StartedAt
	open, other := from.start("flow"), from.start("stays")
	from.version(open.GetID(), "", "v1")
	from.version(other.GetID(), "", "stays")

	from.exec(`UPDATE workflows SET project_id = $2 WHERE id = $1`, w.id, to.id)
	to.running(liveVersion("flow", "1"))
	from.running(gone("flow"))
	from.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, flow("flow", "v2", `return 'v2';`))
	to.running(liveVersion("flow", "2"))

	from.goOn(open.GetID())
	if got := result[string](from, open); got != "v1" {
		t.Errorf("the open execution ended with %q", got)
	}
	moved := to.start("flow")
	to.goOn(moved.GetID())
	if got := result[string](to, moved); got != "v2" {
		t.Errorf("in the new project it is %q", got)
	}
	from.goOn(other.GetID())
	if got := result[string](from, other); got != "stays" {
		t.Errorf("the other workflow ended with %q", got)
	}
	for _, r := range []client.WorkflowRun{open, other, moved} {
		from.undisturbed(r)
	}
	if after := from.running(nil).StartedAt; !after.Equal(*began) {
		t.Error("the worker was restarted")
	}
}
