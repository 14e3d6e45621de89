package workflow

import (
	"errors"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

func TestLogsGoToSlogOnceWithTheirIds(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  setHandler(defineQuery('q'), () => { console.log('asked'); return 1; });
  log.info('first step', { order: 7, deep: { a: [1] } });
  console.log('to the console %s', 'formatted', { a: 1 });
  await sleep(1);
  log.warn('second step');
  wf.proxySinks<any>().nobody.hears('this');
  wf.proxySinks<any>().nobody.hears('that');
}`)
	run := p.start("run")
	p.result(run)
	if err := p.replay(run, p.history(run)); err != nil {
		t.Error(err)
	}
	p.query(run, "q")
	lines := strings.Join(p.seen.logged(), "")
	for _, want := range []string{
		`level=INFO msg="first step" project_id=p1 workflow=run workflow_id=` + run.GetID() + ` run_id=` + run.GetRunID() + ` code=`,
		` origin=workflow data="{\"order\":7,\"deep\":\"{ a: [ 1 ] }\"}"`, `level=INFO msg="to the console formatted { a: 1 }"`, `level=WARN msg="second step"`, `msg=asked`,
		`level=WARN msg="calls of the sink nobody go nowhere: this service has no sinks; use log, or an activity" project_id=p1 workflow=run`,
	} {
		if n := strings.Count(lines, want); n != 1 {
			t.Errorf("%d times %s in\n%s", n, want, lines)
		}
	}
}

func TestHandlersThatAreUnfinishedAtTheEndAreWarnedOf(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
import { HandlerUnfinishedPolicy } from '@temporalio/common';
export async function run() {
  let begun = 0;
  const hangs = async () => { begun++; await condition(() => false); };
  setHandler(defineSignal('waits'), hangs);
  setHandler(defineSignal('mayWait'), hangs, { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON });
  setHandler(defineUpdate('updates'), hangs);
  await condition(() => begun === 3);
}
export async function fails() {
  setHandler(defineSignal('waits'), async () => { await condition(() => false); });
  await sleep(10);
  throw new ApplicationFailure('on purpose');
}`)
	run := p.start("run")
	p.signal(run, "waits", nil)
	p.signal(run, "mayWait", nil)
	if _, err := p.c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: "updates", WaitForStage: client.WorkflowUpdateStageAccepted,
	}); err != nil {
		t.Fatal(err)
	}
	p.result(run)
	failing := p.start("fails")
	p.signal(failing, "waits", nil)
	if _, err := p.outcome(failing); err == nil {
		t.Error("it didn't fail")
	}
	lines := strings.Join(p.seen.logged(), "")
	for text, want := range map[string]int{
		`[TMPRL1102] Workflow finished while an update handler was still running`: 1, `[TMPRL1102] Workflow finished while a signal handler was still running`: 1,
		"mayWait": 0, "[TMPRL1102]": 2, // none of the workflow that failed
	} {
		if n := strings.Count(lines, text); n != want {
			t.Errorf("%d times %s, want %d, in\n%s", n, text, want, lines)
		}
	}
}

func TestFailureExceptionTypesWidenWhatFailsAWorkflow(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
class Rule extends Error {}
class Narrow extends Rule {}
export async function run() {
  setHandler(defineUpdate('u'), async () => { throw new Narrow('of the update'); });
  await condition(() => false, '10s');
}
wf.setWorkflowOptions({ failureExceptionTypes: [Rule] } as any, run);
export async function later() { throw new TypeError('from a getter'); }
wf.setWorkflowOptions(() => ({ failureExceptionTypes: [Error] }) as any, later);
export async function plain() { throw new Rule('of none'); }`)
	run := p.start("run")
	if _, err := p.update(run, "u"); err == nil { // as in Temporal's own worker it takes the workflow along
		t.Error("the update didn't fail")
	}
	for run, want := range map[client.WorkflowRun]string{run: "of the update", p.start("later"): "from a getter"} {
		_, err := p.outcome(run)
		var failure *temporal.ApplicationError
		if !errors.As(err, &failure) || failure.Message() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	plain, _ := p.waitTaskFailure("plain")
	p.end(plain)
}
