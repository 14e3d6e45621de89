package workflow

import (
	"fmt"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/workflow/protocol"
)

func TestEndsOfLocalActivitiesAreWordedByRule(t *testing.T) {
	t.Parallel()
	c := newScheduleLocalActivity(&protocol.ScheduleLocalActivity{
		ActivityType: "a", ActivityID: "1", StartToClose: time.Second, RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 1},
	})
	own := protocol.ToError(temporal.GetDefaultFailureConverter(), &failurepb.Failure{
		Message: "thrown by the code", Source: "TypeScriptSDK",
		FailureInfo: &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{TimeoutType: enumspb.TIMEOUT_TYPE_HEARTBEAT}},
	})
	for _, test := range []struct {
		name          string
		err           error
		former, ruled string
	}{
		{"timed out", temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil),
			"Activity task timed out MaximumAttemptsReached: Test timeout StartToClose", "Local Activity timed out CancelRequested: Activity timed out StartToClose"},
		{"cancelled", temporal.NewCanceledError(),
			"Activity cancelled CancelRequested:  Unspecified", "Local Activity cancelled CancelRequested: Activity cancelled Unspecified"},
		{"a timeout of the code's own", own,
			"Activity task timed out MaximumAttemptsReached: thrown by the code Heartbeat", "thrown by the code Unspecified:  Unspecified"},
	} {
		for want, rules := range map[string][]rule{test.former: nil, test.ruled: {ruleLocalEnds}} {
			d := &definition{env: &loneEnvironment{}, rules: rules}
			f := c.outcome(d, &bindings.LocalActivityResultWrapper{Err: test.err, Attempt: 1}, time.Unix(1e9, 0)).Failure
			got := fmt.Sprintf("%s %v: %s %v", f.GetMessage(), f.GetActivityFailureInfo().GetRetryState(),
				f.GetCause().GetMessage(), f.GetCause().GetTimeoutFailureInfo().GetTimeoutType())
			if got != want {
				t.Errorf("%s by the rules %v: %s, want %s", test.name, rules, got, want)
			}
		}
	}
}

// A replay reads from the marker what the code ended with, and comes to what its rules made of it.
func TestALocalActivitysOwnEndIsWhatCounts(t *testing.T) {
	t.Parallel()
	c := newScheduleLocalActivity(&protocol.ScheduleLocalActivity{
		ActivityType: "a", ActivityID: "1", StartToClose: time.Second, RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 1},
	})
	cancellation := &failurepb.Failure{
		Message: "in its words", Source: "TypeScriptSDK",
		FailureInfo: &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: &failurepb.CanceledFailureInfo{}},
	}
	blamed := &failurepb.Failure{
		Message: "it was cancelled", Source: "TypeScriptSDK", Cause: cancellation,
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "Mine"}},
	}
	for _, test := range []struct {
		name          string
		failure       *failurepb.Failure
		former, ruled string
	}{
		{"a cancellation of its own", cancellation, "Local Activity cancelled: Activity cancelled", "Local Activity cancelled: in its words"},
		{"a failure caused by one", blamed, "Local Activity cancelled: Activity cancelled", "it was cancelled: in its words"},
	} {
		for want, rules := range map[string][]rule{test.former: {ruleLocalEnds}, test.ruled: {ruleLocalEnds, ruleLocalWords}} {
			d := &definition{env: &loneEnvironment{}, rules: rules}
			err := temporal.GetDefaultFailureConverter().FailureToError(test.failure)
			f := c.outcome(d, &bindings.LocalActivityResultWrapper{Err: err, Attempt: 1}, time.Unix(1e9, 0)).Failure
			if got := f.GetMessage() + ": " + f.GetCause().GetMessage(); got != want {
				t.Errorf("%s by the rules %v: %s, want %s", test.name, rules, got, want)
			}
		}
	}
}

func TestLocalActivities(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { echo, info, hang } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s' });
const { flaky, fail } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s', retry: { initialInterval: '10ms' } });
const { flaky: rarely } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s', localRetryThreshold: '50ms', retry: { initialInterval: '200ms', maximumInterval: '200ms' } });
const { flaky: once } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
const { hang: short } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '50ms', retry: { maximumAttempts: 1 } });
const told = (e: any) => [e.name, e.message, e.type ?? e.activityType, e.retryState ?? null, e.cause?.timeoutType ?? e.details];
export async function results() { return [await echo({ a: 1 }), await wf.scheduleLocalActivity('double', [4], { scheduleToCloseTimeout: '5s' }), await echo(null)]; }
export async function retried() { return flaky(); }
export async function waits() { return rarely(); }
export async function failures() {
  const out = [];
  for (const f of [fail, once, short]) { try { await f(); } catch (e) { out.push(told(e)); } }
  return out;
}
export async function cancelled() {
  const scope = new CancellationScope();
  const p = scope.run(() => hang());
  await echo(1); // a timer would come with the task after next: while a local activity runs, tasks last 8 s
  scope.cancel();
  try { await p; } catch (e: any) { return [e.name, e.cause.name, isCancellation(e)]; }
}
export async function cancelledAtOnce() {
  const scope = new CancellationScope();
  const p = scope.run(() => hang());
  scope.cancel();
  try { await p; } catch (e: any) { return isCancellation(e); }
}
export async function mixed() {
  const remote = proxyActivities<any>({ startToCloseTimeout: '10s' });
  const [a, b] = await Promise.all([echo(1), remote.echo(2)]);
  await sleep(10);
  return [a, b, await echo(3), (await info()).attempt];
}`)
	for _, c := range []struct{ name, result, events string }{
		{"results", `[{"a":1},8,null]`, "Started MarkerRecorded MarkerRecorded MarkerRecorded MarkerRecorded Completed"},
		{"retried", `3`, "Started MarkerRecorded MarkerRecorded Completed"},
		{"waits", `3`, "Started MarkerRecorded MarkerRecorded TimerStarted TimerFired MarkerRecorded TimerStarted TimerFired MarkerRecorded Completed"},
		{"failures", `[["ApplicationFailure","no luck","BadLuck",null,[{"code":7}]],["ApplicationFailure","again","Flaky",null,[]],` +
			`["ActivityFailure","Local Activity timed out","hang","CANCEL_REQUESTED","START_TO_CLOSE"]]`, ""},
		{"cancelled", `["ActivityFailure","CancelledFailure",true]`, ""},
		{"cancelledAtOnce", `true`, "Started MarkerRecorded Completed"},
		{"mixed", `[1,2,3,1]`, ""},
	} {
		run := p.start(c.name)
		if got, err := p.outcome(run); err != nil || got != c.result {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
		if got := p.events(run); c.events != "" && got != c.events {
			t.Errorf("%s: events %s", c.name, got)
		}
		if got := replayedResult(t, p, run); got != c.result {
			t.Errorf("%s: replayed %s", c.name, got)
		}
	}
}
