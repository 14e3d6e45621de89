package workflow

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/runtime/workflow/wire"

	enumspb "go.temporal.io/api/enums/v1"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/client"

	sdklog "go.temporal.io/sdk/log"
)

// quickTasks makes a failed task's next attempt come soon: the SDK tells the server of the first
// failure only, and the server waits for the others until they time out.
var quickTasks = client.StartWorkflowOptions{WorkflowTaskTimeout: 3 * time.Second}

// taskFailures gives the failures of the run's workflow tasks.
func (p *project) taskFailures(run client.WorkflowRun) []*failurepb.Failure {
	p.t.Helper()
	var out []*failurepb.Failure
	for _, e := range p.history(run).Events {
		if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil && a.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE {
			out = append(out, a.GetFailure())
		}
	}
	return out
}

// waitTaskFailure starts a workflow whose first task fails.
func (p *project) waitTaskFailure(workflowType string, args ...any) (client.WorkflowRun, *failurepb.Failure) {
	p.t.Helper()
	run := p.startWith(quickTasks, workflowType, args...)
	var failures []*failurepb.Failure
	p.until("the task of "+workflowType+" failed", func() bool {
		failures = p.taskFailures(run)
		return len(failures) > 0
	})
	if got := p.status(run); got != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		p.t.Errorf("%s is %v", workflowType, got)
	}
	return run, failures[0]
}

func TestWhatIsNoTemporalFailureFailsTheTaskAlone(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
class Special extends Error {}
export async function plain() { const e: any = new Error('plain', { cause: new TypeError('deeper') }); throw e; }
export async function typed() { (undefined as any).foo(); }
export async function later() { await sleep(1); throw new Special('later'); }
export async function text() { throw 'just text'; }
export async function nothing() { throw undefined; }
export async function rejected() { Promise.reject(new RangeError('nobody waits')); await sleep(1000); }
export async function handled() {
  const p = Promise.reject(new Error('soon handled'));
  await Promise.resolve();
  await p.catch(() => {});
  return 'fine';
}
export async function predicate() { await condition(() => { throw new Error('in the predicate'); }); }
export async function inHandler() { setHandler(defineSignal('s'), () => { throw new Error('in the handler'); }); await sleep('1 minute'); }
export async function deep() { const f = (): number => f() + 1; return f(); }
export async function bigResult() { return 10n; }
export async function deepResult() { let o = {}; for (let i = 0; i < 5100; i++) o = { o }; return o; }
`)
	for name, want := range map[string]struct{ message, stack, reason string }{
		"plain":      {"Error: plain", "at plain (test.ts:8:", wire.ReasonException},
		"typed":      {"TypeError: Cannot read properties of undefined (reading 'foo')", "at typed (test.ts:9:", wire.ReasonException},
		"later":      {"later", "at later (test.ts:10:", wire.ReasonException},
		"text":       {"just text", "", wire.ReasonException},
		"nothing":    {"A workflow threw undefined, which is not an error", "", wire.ReasonException},
		"rejected":   {"Unhandled Promise rejection: RangeError: nobody waits", "at rejected (test.ts:13:", wire.ReasonUnhandled},
		"predicate":  {"Error: in the predicate", "(test.ts:20:", wire.ReasonException},
		"deep":       {"Maximum call stack size exceeded", "at f (test.ts:22:", wire.ReasonCallDepth},
		"bigResult":  {"Unable to convert 10 to payload", "", wire.ReasonUnhandled},
		"deepResult": {"Unable to convert [object Object] to payload: JSON.stringify of what nests deeper than 5000", "", wire.ReasonUnhandled},
	} {
		run, f := p.waitTaskFailure(name)
		if !strings.Contains(f.GetMessage(), want.message) || !strings.Contains(f.GetMessage(), "in workflow type "+name+", code test.ts (") {
			t.Errorf("%s: message %q", name, f.GetMessage())
		}
		if !strings.Contains(f.GetStackTrace(), want.stack) || strings.Contains(f.GetStackTrace(), ".go:") || strings.Contains(f.GetStackTrace(), "<") {
			t.Errorf("%s: stack\n%s", name, f.GetStackTrace())
		}
		if !slices.Contains(p.seen.failures(), want.reason) {
			t.Errorf("%s: reasons %v, want %s", name, p.seen.failures(), want.reason)
		}
		if f.GetSource() != "TypeScriptSDK" {
			t.Errorf("%s: source %s", name, f.GetSource())
		}
		p.end(run)
	}
	if got := p.run("handled"); got != `"fine"` {
		t.Errorf("handled within its task: %s", got)
	}
	run := p.startWith(quickTasks, "inHandler")
	p.signal(run, "s", nil)
	p.until("the handler failed the task", func() bool { return len(p.taskFailures(run)) > 0 })
	p.end(run)
}

// end terminates a run that would go on failing, and takes it from those that are replayed.
func (p *project) end(run client.WorkflowRun) {
	p.t.Helper()
	if err := p.c.TerminateWorkflow(p.t.Context(), run.GetID(), run.GetRunID(), "the test is over"); err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = slices.DeleteFunc(p.runs, func(r client.WorkflowRun) bool { return r == run })
}

func TestExecutionRecoversWithTheNextCodeIfItsFirstTaskNeverCompleted(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function run() { (undefined as any).foo(); }`)
	run, _ := p.waitTaskFailure("run")
	p.deploy(`export async function run() { return 'mended'; }`)
	if got := p.result(run); got != `"mended"` {
		t.Errorf("got %s", got)
	}
}

// The other half of the rule: once a task completed, the execution keeps its code, broken or not.
func TestExecutionWithARecordedPinStaysOnItsBrokenCode(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  await condition(() => go);
  (undefined as any).foo();
}`)
	run := p.startWith(quickTasks, "run")
	p.until("its first task completed", func() bool { return strings.Contains(p.events(run), "MarkerRecorded") })
	p.deploy(`export async function run() { return 'mended'; }`)
	p.signal(run, "go", nil)
	p.until("the task failed", func() bool { return len(p.taskFailures(run)) > 0 })
	if got := p.taskFailures(run)[0].GetMessage(); !strings.Contains(got, "stays on this code") {
		t.Errorf("message %q", got)
	}
	p.until("it was tried again", func() bool { return len(p.seen.failures()) > 1 })
	if got := p.status(run); got != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("it is %v", got)
	}
	p.end(run)
}

func TestUnknownTypeWaitsForItsCode(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function known() {}`)
	run, f := p.waitTaskFailure("coming")
	if !strings.Contains(f.GetMessage(), `unknown workflow type "coming"`) {
		t.Errorf("message %q", f.GetMessage())
	}
	p.deploy(`export async function coming() { return 'here'; }`)
	if got := p.result(run); got != `"here"` {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNotThereFailsWithItsName(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.opts.LocalActivity = nil
	p.deploy(`export async function run() { await wf.scheduleLocalActivity('echo', [1], { startToCloseTimeout: '5s' }); }`)
	p.startWorker()
	run, f := p.waitTaskFailure("run")
	if !strings.Contains(f.GetMessage(), "local activities") || !strings.Contains(f.GetMessage(), "are not supported by this worker") {
		t.Errorf("%q", f.GetMessage())
	}
	p.end(run)
}

// What the SDK finds by itself says the same things as what we find, in Temporal, in the log and in
// the counter.
func TestNondeterminismSaysWhatRanAndWhatToDo(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function run() { await condition(() => false, '200ms'); await sleep('1 minute'); }`)
	run := p.startWith(quickTasks, "run")
	p.until("its first task completed", func() bool { return len(p.history(run).Events) > 5 })
	p.stopWorker()
	other := NewCode(p.compiled(`export async function run() { await proxyActivities<any>({ startToCloseTimeout: '1s' }).echo(); }`), p.codes)
	other.SetVersion("2.0.1")
	p.mu.Lock()
	for hash := range p.known {
		p.known[hash] = other
	}
	p.mu.Unlock()
	p.startWorker()
	var failure *failurepb.Failure
	p.until("its task failed", func() bool {
		for _, e := range p.history(run).Events {
			if a := e.GetWorkflowTaskFailedEventAttributes(); a.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR {
				failure = a.GetFailure()
			}
		}
		return failure != nil
	})
	want := "in workflow type run, code test.ts 2.0.1 (" + other.Hash()[:12] + ")\n" + wire.HintNondeterminism
	if got := failure.GetMessage(); !strings.HasPrefix(got, "[TMPRL1100] During replay, a matching Timer command was expected") || !strings.HasSuffix(got, want) {
		t.Errorf("message %q", got)
	}
	if failure.GetStackTrace() != "" || failure.GetSource() != wire.SourceTypeScript {
		t.Errorf("source %s, stack %s", failure.GetSource(), failure.GetStackTrace())
	}
	if !slices.Contains(p.seen.failures(), wire.ReasonNondeterminism) {
		t.Errorf("reasons %v", p.seen.failures())
	}
	p.until("the log says it", func() bool {
		return slices.ContainsFunc(p.seen.logged(), func(line string) bool {
			return strings.Contains(line, "reason=nondeterminism") && strings.Contains(line, "test.ts 2.0.1") && strings.Contains(line, "workflow_id="+run.GetID())
		})
	})
	p.end(run)
}

func TestAFailedTaskIsLoggedOnceWithoutGosStack(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function run() { throw new TypeError('on purpose'); }`)
	run, _ := p.waitTaskFailure("run")
	lines := strings.Join(p.seen.logged(), "")
	if !strings.Contains(lines, `level=WARN msg="a workflow task failed" project_id=p1 workflow=run workflow_id=`+run.GetID()) ||
		!strings.Contains(lines, `reason=exception error="TypeError: on purpose\n    at run (test.ts:6:37)\nin workflow type run, code test.ts (`) {
		t.Error(lines)
	}
	p.end(run)

	var sdk observations
	l := sdklog.With(wire.Logger(slog.New(slog.NewTextHandler(&sdk, nil))), "a", 1)
	l.Error("Workflow panic", "Error", &wire.TaskFailure{Message: "ours", WorkflowType: "run"}, "StackTrace", "of Go")
	l.Warn("Failed to process workflow task.", "Error", fmt.Errorf("wrapped: %w", &wire.TaskFailure{Message: "ours"}))
	l.Error("Workflow panic", "Error", errors.New("somebody else's"))
	if got := strings.Join(sdk.logged(), ""); strings.Count(got, "\n") != 1 || !strings.Contains(got, "somebody else's") || !strings.Contains(got, "a=1") {
		t.Error(got)
	}
}
