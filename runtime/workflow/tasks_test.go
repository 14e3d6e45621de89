package workflow

import (
	"regexp"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/runtime/workflow/wire"
)

// identities gives those of the run's completed workflow tasks.
func (p *project) identities(run client.WorkflowRun) []string {
	p.t.Helper()
	var out []string
	for _, e := range p.history(run).GetEvents() {
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
			out = append(out, a.GetIdentity())
		}
	}
	return out
}

func (p *project) noFailedTasks(run client.WorkflowRun) {
	p.t.Helper()
	for _, e := range p.history(run).GetEvents() {
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED && !wire.ServersOwn(e) { // one that is given to a worker as it stops times out
			p.t.Errorf("%s: %v", run.GetID(), e)
		}
	}
}

func TestEachCompletedTaskNamesTheCodeThatRan(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	code := p.deploy(waiting("one", `await sleep(1);`))
	code.SetVersion("1.0.4")
	code.SetLive(time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC))
	p.startWorker()
	run := p.start("run")
	p.signal(run, "go", nil)
	p.result(run)
	all := p.identities(run)
	if len(all) < 2 {
		t.Fatalf("%d completed tasks", len(all))
	}
	want := regexp.MustCompile(`^\S+ test\.ts 1\.0\.4 code=` + code.Hash() + ` since=2026-11-23T01:02:03\.456789Z$`)
	for _, id := range all {
		if !want.MatchString(id) {
			t.Errorf("identity %q, want %s", id, want)
		}
		if got := wire.ReadLabel(id); got != (wire.LastCode{Hash: code.Hash(), Since: code.liveSince()}) {
			t.Errorf("read %+v of %q", got, id)
		}
	}
}

// The options may be a function, which is asked when the execution begins.
func TestCompletedTasksSayThatTheCodeUpgrades(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, plain);
export async function plain() { return 'plain'; }
wf.setWorkflowOptions(() => ({ versioningBehavior: workflowInfo().attempt === 1 ? 'AUTO_UPGRADE' : 'PINNED' }), asked);
export async function asked() { return 'asked'; }
wf.setWorkflowOptions({ versioningBehavior: 'PINNED' }, stays);
export async function stays() { return 'stays'; }`)
	for workflow, want := range map[string]bool{"plain": true, "asked": true, "stays": false} {
		run := p.start(workflow)
		p.result(run)
		for _, id := range p.identities(run) {
			if got := wire.ReadLabel(id).AutoUpgrade; got != want {
				t.Errorf("%s: %q", workflow, id)
			}
		}
	}
}

// nothingKept waits until nothing is kept of executions that are closed.
func (p *project) nothingKept() {
	p.t.Helper()
	p.until("nothing of the executions is kept", p.opts.Tasks.Empty)
}

func TestNothingIsKeptOfClosedExecutions(t *testing.T) {
	t.Parallel()
	p := newProject(t, waiting("one", `await sleep(1);`))
	run := p.start("run")
	p.signal(run, "go", nil)
	p.result(run)
	p.nothingKept()
	p.query(run, "version")
	p.nothingKept()
}
