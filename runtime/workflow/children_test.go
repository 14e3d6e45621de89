package workflow

import (
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

func TestChildWorkflows(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const result = await executeChild('kid', { args: [21] });
  const handle = await startChild(kid, { args: [4], workflowId: workflowInfo().workflowId + '-named' });
  return [result, handle.workflowId.endsWith('-named'), handle.firstExecutionRunId.length, await handle.result()];
}
export async function kid(x: number) { await sleep(5); return x * 2; }
export async function both() { return await Promise.all([1, 2, 3].map((n) => executeChild(kid, { args: [n] }))); }
`)
	if got := p.run("run"); got != `[42,true,36,8]` {
		t.Errorf("got %s", got)
	}
	if got := p.run("both"); got != `[2,4,6]` {
		t.Errorf("in parallel: %s", got)
	}
}

func TestChildOptionsReachTheServer(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  return await executeChild('kid', {
    workflowId: workflowInfo().workflowId + '-kid', workflowExecutionTimeout: '40s', workflowRunTimeout: '30s', workflowTaskTimeout: '7s',
    retry: { maximumAttempts: 2, initialInterval: '1s' }, parentClosePolicy: ParentClosePolicy.ABANDON, workflowIdReusePolicy: 'REJECT_DUPLICATE' as any,
    memo: { note: { deep: [1] } }, searchAttributes: { WfKeyword: ['blue'] }, staticSummary: 'sum', staticDetails: 'det',
    priority: { priorityKey: 2 }, cancellationType: 'ABANDON' as any,
  });
}
export async function kid() {
  const i = workflowInfo();
  return { memo: i.memo, sa: i.searchAttributes, parent: i.parent!.workflowId + '-kid' === i.workflowId, root: !!i.root, run: i.runTimeoutMs,
    execution: i.executionTimeoutMs, task: i.taskTimeoutMs, retry: i.retryPolicy, priority: i.priority!.priorityKey, attempt: i.attempt };
}`)
	p.searchAttributes()
	run := p.start("run")
	want := `{"memo":{"note":{"deep":[1]}},"sa":{"WfKeyword":["blue"]},"parent":true,"root":true,"run":30000,"execution":40000,"task":7000,` +
		`"retry":{"backoffCoefficient":2,"maximumAttempts":2,"maximumInterval":100000,"initialInterval":1000,"nonRetryableErrorTypes":[]},"priority":2,"attempt":1}`
	if got := p.result(run); !jsonEqual(t, got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, e := range p.history(run).Events {
		a := e.GetStartChildWorkflowExecutionInitiatedEventAttributes()
		if a == nil {
			continue
		}
		if a.GetParentClosePolicy() != enumspb.PARENT_CLOSE_POLICY_ABANDON || a.GetWorkflowIdReusePolicy() != enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE ||
			a.GetWorkflowTaskTimeout().AsDuration() != 7*time.Second {
			t.Errorf("attributes %v", a)
		}
		if got := string(e.GetUserMetadata().GetSummary().GetData()); got != `"sum"` {
			t.Errorf("summary %s", got)
		}
	}
}

func TestChildFailures(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const out: any[] = [];
  const id = workflowInfo().workflowId + '-kid';
  try { await executeChild('bad', { workflowId: id }); } catch (e: any) {
    out.push(e instanceof ChildWorkflowFailure, e.message, e.workflowType, e.execution.workflowId === id, e.retryState, e.cause.type, e.cause.details, e.cause.cause?.message);
  }
  try { await executeChild('slow', { workflowRunTimeout: '1s' }); } catch (e: any) { out.push(e.message, e.cause instanceof TimeoutFailure); }
  const first = await startChild('slow', { workflowId: id + '2' });
  try { await startChild('slow', { workflowId: id + '2' }); } catch (e: any) { out.push(e.name, e.workflowId === id + '2'); }
  return out;
}
export async function bad() { throw ApplicationFailure.create({ message: 'm', type: 'T', details: ['d'], cause: new Error('root') }); }
export async function slow() { await sleep('20s'); }`)
	want := `[true,"Child Workflow execution failed","bad",true,"RETRY_POLICY_NOT_SET","T",["d"],"root",` +
		`"Child Workflow execution failed",true,"WorkflowExecutionAlreadyStartedError",true]`
	if got := p.run("run"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChildCancellationTypes(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run(type: string, before: number) {
  const scope = new CancellationScope();
  const done = scope.run(() => executeChild('kid', { cancellationType: type as any, workflowId: workflowInfo().workflowId + '-kid', parentClosePolicy: ParentClosePolicy.ABANDON }));
  done.catch(() => {});
  if (before > 0) await sleep(before);
  scope.cancel();
  try { return await done; } catch (e: any) {
    return [isCancellation(e), e instanceof ChildWorkflowFailure, e.message, e.cause instanceof CancelledFailure];
  }
}
export async function kid() {
  try { await sleep('20s'); } catch (e) { await CancellationScope.nonCancellable(() => sleep(300)); throw e; }
}`)
	const cancelled = `[true,true,"Child Workflow execution failed",true]`
	for _, c := range []struct{ kind, last string }{
		{"ABANDON", "TimerFired Completed"},
		{"TRY_CANCEL", "RequestCancelExternalWorkflowExecutionInitiated Completed"},
		{"WAIT_CANCELLATION_COMPLETED", "ExternalWorkflowExecutionCancelRequested ChildWorkflowExecutionCanceled Completed"},
		{"WAIT_CANCELLATION_REQUESTED", "ExternalWorkflowExecutionCancelRequested ChildWorkflowExecutionCanceled Completed"},
	} {
		run := p.start("run", c.kind, 300)
		if got := p.result(run); got != cancelled {
			t.Errorf("%s: %s", c.kind, got)
		}
		if got := p.events(run); !strings.HasSuffix(got, c.last) {
			t.Errorf("%s: events %s", c.kind, got)
		}
	}
	run := p.start("run", "WAIT_CANCELLATION_COMPLETED", 0)
	if got := p.result(run); got != cancelled {
		t.Errorf("before it was sent: %s", got)
	}
	if got := p.events(run); got != "Started MarkerRecorded Completed" {
		t.Errorf("before it was sent: events %s", got)
	}
}

func TestSignalsAndCancellationsOfOtherWorkflows(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const hello = defineSignal<[string]>('hello');
export async function run(other: string) {
  const out: any[] = [];
  const child = await startChild('listener', { workflowId: workflowInfo().workflowId + '-kid' });
  await child.signal(hello, 'child');
  out.push(await child.result());
  const handle = getExternalWorkflowHandle(other);
  await handle.signal(hello, 'stranger');
  await handle.cancel();
  for (const f of [() => getExternalWorkflowHandle('nobody-' + other).signal(hello, 'x'), () => getExternalWorkflowHandle('nobody-' + other).cancel()]) {
    try { await f(); } catch (e: any) { out.push(e.message); }
  }
  const scope = new CancellationScope();
  const sent = scope.run(() => getExternalWorkflowHandle(other).signal(hello, 'never')).catch((e: any) => e.message);
  scope.cancel();
  out.push(await sent);
  return out;
}
export async function listener() {
  let got = '';
  setHandler(hello, (x) => { got = x; });
  await condition(() => got !== '');
  return 'heard ' + got;
}
export async function stranger() {
  let got = '';
  setHandler(hello, (x) => { got = x; });
  try { await condition(() => false); } catch (e) { return got + ' ' + isCancellation(e); }
}`)
	other := p.start("stranger")
	want := `["heard child","Unable to signal external workflow because it was not found","Unable to cancel external workflow because not found",` +
		`"Signal was cancelled before being sent"]`
	if got := p.run("run", other.GetID()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := p.result(other); got != `"stranger true"` {
		t.Errorf("the other one: %s", got)
	}
}
