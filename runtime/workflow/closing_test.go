package workflow

import (
	"errors"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

func (p *project) status(run client.WorkflowRun) enumspb.WorkflowExecutionStatus {
	p.t.Helper()
	d, err := p.c.DescribeWorkflowExecution(p.t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		p.t.Fatal(err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

func TestCancellationOfTheWorkflow(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function obeys() { await sleep('1 minute'); }
export async function cleansUp() {
  try { await sleep('1 minute'); } catch (e: any) {
    const inside = isCancellation(e) && e.message === 'Workflow cancelled';
    await CancellationScope.nonCancellable(() => sleep(5));
    if (inside) throw e;
  }
}
export async function ignores() { try { await sleep('1 minute'); } catch { return 'went on'; } }
export async function inActivity() {
  await proxyActivities<any>({ startToCloseTimeout: '20s', heartbeatTimeout: '2s' }).hangWithHeartbeat();
}
export async function fails() { try { await sleep('1 minute'); } catch { throw new ApplicationFailure('instead'); } }
export async function never() { throw new CancelledFailure('nobody asked'); }
export async function inCause() { throw ApplicationFailure.create({ message: 'm', cause: new CancelledFailure('inside') }); }
`)
	for name, want := range map[string]enumspb.WorkflowExecutionStatus{
		"obeys": enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, "cleansUp": enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED,
		"ignores": enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, "inActivity": enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED,
		"fails": enumspb.WORKFLOW_EXECUTION_STATUS_FAILED,
	} {
		run := p.start(name)
		p.until("it waits", func() bool { return strings.Contains(p.events(run), "MarkerRecorded ") })
		if err := p.c.CancelWorkflow(t.Context(), run.GetID(), run.GetRunID()); err != nil {
			t.Fatal(err)
		}
		_, _ = p.outcome(run)
		if got := p.status(run); got != want {
			t.Errorf("%s ended %v, want %v", name, got, want)
		}
	}
	// Canceled only when it was requested, whatever was thrown.
	for _, name := range []string{"never", "inCause"} {
		run := p.start(name)
		_, _ = p.outcome(run)
		if got := p.status(run); got != enumspb.WORKFLOW_EXECUTION_STATUS_FAILED {
			t.Errorf("%s ended %v", name, got)
		}
	}
}

func TestCancelledBeforeItsFirstTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.deploy(`export async function run() { await sleep(1000); }`)
	run := p.start("run")
	if err := p.c.CancelWorkflow(t.Context(), run.GetID(), run.GetRunID()); err != nil {
		t.Fatal(err)
	}
	p.startWorker()
	_, _ = p.outcome(run)
	if got := p.status(run); got != enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED {
		t.Errorf("it ended %v", got)
	}
}

func TestWorkflowFailureCarriesEverything(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
class Special extends Error { constructor(message: string) { super(message); this.name = 'Special'; } }
function inner() { throw new Special('the root'); }
export async function run() {
  try { inner(); } catch (cause: any) {
    throw ApplicationFailure.create({ message: 'outer', type: 'Outer', nonRetryable: true, details: [{ a: 1 }, 'b'], cause, nextRetryDelay: '3s', category: 'BENIGN' as any });
  }
}`)
	run := p.start("run")
	_, err := p.outcome(run)
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		t.Fatalf("error %v", err)
	}
	var first map[string]int
	var second string
	if app.Type() != "Outer" || app.Message() != "outer" || !app.NonRetryable() || app.Details(&first, &second) != nil || first["a"] != 1 || second != "b" ||
		app.NextRetryDelay() != 3*time.Second || app.Category() != temporal.ApplicationErrorCategoryBenign {
		t.Errorf("error %+v", app)
	}
	events := p.history(run).Events
	f := events[len(events)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure()
	if f.GetSource() != "TypeScriptSDK" || f.GetCause().GetMessage() != "the root" || f.GetCause().GetFailureInfo() != nil {
		t.Errorf("failure %v", f)
	}
	// The author's functions and lines, and nothing of ours.
	for _, stack := range []string{f.GetStackTrace(), f.GetCause().GetStackTrace()} {
		if !strings.Contains(stack, "at run (test.ts:") || strings.Contains(stack, "<") || strings.Contains(stack, "native") {
			t.Errorf("stack:\n%s", stack)
		}
	}
	if !strings.Contains(f.GetCause().GetStackTrace(), "at inner (test.ts:8:") {
		t.Errorf("stack of the cause:\n%s", f.GetCause().GetStackTrace())
	}
}

func TestContinueAsNew(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run(n: number, trail: string[]) {
  const i = workflowInfo();
  trail.push(i.workflowType + (i.continuedFromExecutionRunId ? '+' : '') + ' ' + i.runTimeoutMs + ' ' + JSON.stringify(i.memo));
  if (n === 0) return trail;
  if (n === 2) await makeContinueAsNewFunc({ memo: { turn: 2 }, workflowRunTimeout: '20s' })(1, trail);
  await continueAsNew(n - 1, trail);
}
export async function other(n: number) { await makeContinueAsNewFunc({ workflowType: 'run' })(0, ['from other ' + n]); }`)
	run := p.startWith(client.StartWorkflowOptions{WorkflowRunTimeout: 30 * time.Second, Memo: map[string]any{"turn": 1}}, "run", 2, []string{})
	want := `["run 30000 {\"turn\":1}","run+ 20000 {\"turn\":2}","run+ 20000 {\"turn\":2}"]`
	if got := p.result(run); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := p.run("other", 7); !strings.HasPrefix(got, `["from other 7","run+`) {
		t.Errorf("of another type: %s", got)
	}
}

func TestMemoAndSearchAttributes(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  upsertMemo({ gone: null, added: [1, 'two'] });
  upsertSearchAttributes({ WfKeyword: ['green'], WfInt: [7] });
  const now = { memo: workflowInfo().memo, sa: workflowInfo().searchAttributes };
  await sleep(5);
  return now;
}`)
	p.searchAttributes()
	run := p.startWith(client.StartWorkflowOptions{Memo: map[string]any{"gone": 1, "stays": "x"}}, "run")
	if got := p.result(run); !jsonEqual(t, got, `{"memo":{"stays":"x","added":[1,"two"]},"sa":{"WfKeyword":["green"],"WfInt":[7]}}`) {
		t.Errorf("got %s", got)
	}
	d, err := p.c.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		t.Fatal(err)
	}
	info := d.GetWorkflowExecutionInfo()
	if got := string(info.GetMemo().GetFields()["added"].GetData()); got != `[1,"two"]` || info.GetMemo().GetFields()["gone"] != nil {
		t.Errorf("memo %v", info.GetMemo())
	}
	if got := string(info.GetSearchAttributes().GetIndexedFields()["WfKeyword"].GetData()); got != `"green"` && got != `["green"]` {
		t.Errorf("search attributes %v", info.GetSearchAttributes())
	}
}
