package workflow

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

func TestActivityGetsItsArgumentsAndGivesItsResult(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { echo, double } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run(x: any) {
  const [a, b] = await Promise.all([echo(x), double(21)]);
  return { a, b, bytes: await echo('é😀\n') };
}`)
	got := p.run("run", map[string]any{"text": "grüße", "list": []int{1, 2}})
	if want := `{"a":{"list":[1,2],"text":"grüße"},"b":42,"bytes":"é😀\n"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestActivityOptionsReachTheServer(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const acts = proxyActivities<any>({
  startToCloseTimeout: '7s', scheduleToCloseTimeout: '1 minute', scheduleToStartTimeout: '30s', heartbeatTimeout: 5500,
  activityId: 'mine', priority: { priorityKey: 3 }, summary: 'what it does', allowEagerDispatch: false,
  retry: { maximumAttempts: 4, initialInterval: '10ms', backoffCoefficient: 1.5, maximumInterval: '1s', nonRetryableErrorTypes: ['A', 'B'] },
});
export async function run() { return await acts.info(); }`)
	run := p.start("run")
	got := p.result(run)
	if want := `"heartbeat":5500,"id":"mine","priority":3`; !strings.Contains(got, want) || !strings.Contains(got, `"startToClose":7000`) {
		t.Errorf("the activity saw %s", got)
	}
	for _, e := range p.history(run).Events {
		a := e.GetActivityTaskScheduledEventAttributes()
		if a == nil {
			continue
		}
		r := a.GetRetryPolicy()
		if r.GetMaximumAttempts() != 4 || r.GetInitialInterval().AsDuration() != 10*time.Millisecond || r.GetBackoffCoefficient() != 1.5 ||
			r.GetMaximumInterval().AsDuration() != time.Second || strings.Join(r.GetNonRetryableErrorTypes(), " ") != "A B" {
			t.Errorf("retry policy %v", r)
		}
		if a.GetScheduleToStartTimeout().AsDuration() != 30*time.Second {
			t.Errorf("schedule to start %v", a.GetScheduleToStartTimeout())
		}
		if got := string(e.GetUserMetadata().GetSummary().GetData()); got != `"what it does"` {
			t.Errorf("summary %s", got)
		}
	}
}

func TestActivityIsRetriedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { flaky } = proxyActivities<any>({ startToCloseTimeout: '10s', retry: { initialInterval: 1, backoffCoefficient: 1 } });
export async function run() { return await flaky(); }`)
	if got := p.run("run"); got != "3" {
		t.Errorf("succeeded at attempt %s", got)
	}
}

func TestActivityFailureReachesTheWorkflowWithItsCauses(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { fail, nobody } = proxyActivities<any>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
const { hang } = proxyActivities<any>({ startToCloseTimeout: '300ms', retry: { maximumAttempts: 1 } });
export async function run() {
  const out: any = {};
  try { await fail(); } catch (e: any) {
    out.fail = [e instanceof ActivityFailure, e.message, e.activityType, e.activityId, e.retryState, e.cause instanceof ApplicationFailure,
      e.cause.message, e.cause.type, e.cause.nonRetryable, e.cause.details, e.cause.cause.message];
  }
  try { await hang(); } catch (e: any) {
    out.hang = [e.message, e.retryState, e.cause instanceof TimeoutFailure, e.cause.timeoutType];
  }
  return out;
}
export async function pass() { await fail(); }`)
	got := p.run("run")
	want := `{"fail":[true,"Activity task failed","fail","1","NON_RETRYABLE_FAILURE",true,"no luck","BadLuck",true,[{"code":7}],"the root"],` +
		`"hang":["Activity task timed out","MAXIMUM_ATTEMPTS_REACHED",true,"START_TO_CLOSE"]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	// What passes through unchanged goes back as it came.
	run := p.start("pass")
	if _, err := p.outcome(run); err == nil {
		t.Fatal("it did not fail")
	}
	h := p.history(run).Events
	f := h[len(h)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure()
	if f.GetActivityFailureInfo() == nil || f.GetCause().GetApplicationFailureInfo().GetType() != "BadLuck" || f.GetCause().GetSource() != "GoSDK" ||
		f.GetCause().GetCause().GetMessage() != "the root" {
		t.Errorf("failure %v", f)
	}
}

func TestActivityScheduledByCodeSaysWhichCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	code := p.deploy(`
const { echo } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run() { return await echo(1); }`)
	p.startWorker()
	run := p.start("run")
	p.result(run)
	if got := codeHeaderOf(p.history(run)); got != `"`+code.Hash()+`"` {
		t.Errorf("header %s, want the hash %s", got, code.Hash())
	}
}

// Cancelling an activity: what the workflow sees, and what the server is told.
func TestActivityCancellationTypes(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run(type: string, before: number) {
  const { hangWithHeartbeat } = proxyActivities<any>({ startToCloseTimeout: '20s', heartbeatTimeout: '2s', cancellationType: type as any, retry: { maximumAttempts: 1 } });
  const scope = new CancellationScope();
  const done = scope.run(() => hangWithHeartbeat());
  if (before > 0) await sleep(before);
  scope.cancel();
  try { await done; } catch (e: any) {
    return [isCancellation(e), e instanceof ActivityFailure, e.message, e.cause instanceof CancelledFailure, e.cause.message, e.cause.details ?? []];
  }
}`)
	for _, c := range []struct{ kind, result, events string }{
		{"TRY_CANCEL", `[true,true,"Activity cancelled",true,"",[]]`, "ActivityTaskCancelRequested"},
		{"WAIT_CANCELLATION_COMPLETED", `[true,true,"Activity cancelled",true,"",["cleaned up"]]`, "ActivityTaskCancelRequested"},
		{"ABANDON", `[true,true,"Activity cancelled",true,"",[]]`, "TimerFired Completed"},
	} {
		run := p.start("run", c.kind, 300)
		if got := p.result(run); got != c.result {
			t.Errorf("%s: got %s, want %s", c.kind, got, c.result)
		}
		if got := p.events(run); !strings.Contains(got, c.events) {
			t.Errorf("%s: events %s", c.kind, got)
		}
	}

	// Cancelled in the task that scheduled it, it is never scheduled.
	run := p.start("run", "TRY_CANCEL", 0)
	if got := p.result(run); got != `[true,true,"Activity cancelled",true,"",[]]` {
		t.Errorf("before it was sent: %s", got)
	}
	if got := p.events(run); got != "Started MarkerRecorded Completed" {
		t.Errorf("before it was sent: events %s", got)
	}
}

func TestActivityOfAnotherTaskQueue(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run(queue: string) {
  return await proxyActivities<any>({ startToCloseTimeout: '10s', taskQueue: queue }).info();
}`)
	run := p.startWith(client.StartWorkflowOptions{}, "run", p.queue)
	if got := p.result(run); !strings.Contains(got, `"queue":"`+p.queue) {
		t.Errorf("got %s", got)
	}
}
