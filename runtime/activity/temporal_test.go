package activity

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// passPayloads is what runtime's data converter does for *commonpb.Payloads: the test environment
// has no way to give payloads to an activity otherwise.
type passPayloads struct{ converter.DataConverter }

func (p passPayloads) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	if len(values) == 1 {
		if raw, ok := values[0].(*commonpb.Payloads); ok {
			return raw, nil
		}
	}
	return p.DataConverter.ToPayloads(values...)
}

func (p passPayloads) FromPayloads(payloads *commonpb.Payloads, targets ...any) error {
	if len(targets) == 1 {
		if raw, ok := targets[0].(**commonpb.Payloads); ok {
			*raw = payloads
			return nil
		}
	}
	return p.DataConverter.FromPayloads(payloads, targets...)
}

// inTemporal runs "main" of a module in Temporal's test environment and gives its result as JSON.
func inTemporal(t *testing.T, c *Code, set func(*testsuite.TestActivityEnvironment)) (string, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetDataConverter(passPayloads{converter.GetDefaultDataConverter()})
	if set != nil {
		set(env)
	}
	env.RegisterActivityWithOptions(func(ctx context.Context, args *commonpb.Payloads) (*commonpb.Payloads, error) {
		return c.Execute(ctx, "main", args)
	}, activity.RegisterOptions{Name: "chargeCard"})
	value, err := env.ExecuteActivity("chargeCard", jsonArgs(`{"amount":5}`))
	if err != nil {
		return "", err
	}
	var out *commonpb.Payloads
	if err := value.Get(&out); err != nil {
		t.Fatal(err)
	}
	return string(out.GetPayloads()[0].GetData()), nil
}

func TestActivityInfoTellsWhatTemporalTold(t *testing.T) {
	t.Parallel()
	got, err := inTemporal(t, code(t, `
import { activityInfo, Context } from '@temporalio/activity';
export async function main(input: any) {
  await Promise.resolve();
  const i = activityInfo();
  await new Promise((r) => setTimeout(r, 1));
  return { input, same: Context.current().info === i, type: i.activityType, attempt: i.attempt, queue: i.taskQueue, local: i.isLocal, ns: i.namespace,
    wf: i.workflowType, id: typeof i.workflowExecution!.workflowId, token: i.taskToken instanceof Uint8Array, b64: typeof i.base64TaskToken,
    scheduled: Math.abs(Date.now() - i.scheduledTimestampMs) < 60000, details: i.heartbeatDetails, inWorkflow: i.inWorkflow };
}`, CodeOptions{}), func(env *testsuite.TestActivityEnvironment) { env.SetHeartbeatDetails(map[string]any{"page": 7}) })
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"input":{"amount":5},"same":true,"type":"chargeCard","attempt":1,"queue":"default-test-taskqueue","local":false,"ns":"default-test-namespace",` +
		`"wf":"0","id":"string","token":true,"b64":"string","scheduled":true,"details":{"page":7},"inWorkflow":true}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSDKLogGoesToTheLogWithTheWorkflow(t *testing.T) {
	t.Parallel()
	var r recorder
	_, err := inTemporal(t, code(t, `
import { log } from '@temporalio/activity';
export const main = () => { log.info('paid', { amount: 5 }); log.trace('t'); log.debug('d'); log.warn('w'); log.error('e'); console.log('c') }
`, CodeOptions{Logger: r.logger()}), nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := r.lines(t)
	if len(lines) != 6 {
		t.Fatalf("got %v", lines)
	}
	for i, level := range []string{"INFO", "DEBUG-4", "DEBUG", "WARN", "ERROR", "INFO"} {
		if l := lines[i]; l["level"] != level || l["activity"] != "chargeCard" || l["workflow"] == nil || l["workflow_id"] == nil || l["attempt"] != 1.0 {
			t.Errorf("line %d: %v", i, l)
		}
	}
	if meta, _ := lines[0]["data"].(map[string]any); meta["amount"] != 5.0 {
		t.Errorf("the metadata is missing: %v", lines[0])
	}
}

func TestHeartbeatsCarryTheirDetailsAndNeverWait(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	release := make(chan struct{})
	_, err := inTemporal(t, code(t, `
import { heartbeat, Context } from '@temporalio/activity';
export async function main() {
  for (let i = 0; i < 1000; i++) heartbeat({ i });
  Context.current().heartbeat('last');
  throw new Error('for the next attempt');
}`, CodeOptions{}), func(env *testsuite.TestActivityEnvironment) {
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			var v any
			_ = details.Get(&v)
			b, _ := json.Marshal(v)
			mu.Lock()
			got = append(got, string(b))
			mu.Unlock()
			select {
			case <-release: // the first call holds up the others, as a slow server would
			case <-time.After(50 * time.Millisecond):
			}
		})
	})
	close(release)
	wantApplication(t, err, "Error", false)
	mu.Lock()
	defer mu.Unlock()
	if len(got) < 1 || len(got) > 100 || got[len(got)-1] != `"last"` {
		t.Errorf("got %d heartbeats, the last %v", len(got), got[len(got)-1])
	}
}

func TestHeartbeatDetailsWithoutAPayloadEndTheActivityAsUpstream(t *testing.T) {
	t.Parallel()
	_, err := inTemporal(t, code(t, `
import { heartbeat, sleep } from '@temporalio/activity';
export async function main() { heartbeat(10n); await sleep('1h') }`, CodeOptions{}), nil)
	app := wantApplication(t, err, "CancelledFailure", false)
	if app.Message() != "HEARTBEAT_DETAILS_CONVERSION_FAILED" {
		t.Errorf("got %s", app.Message())
	}
}

// ended runs code whose context ends for the cause at its first heartbeat.
func ended(t *testing.T, cause error, o CodeOptions, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	return inTemporal(t, code(t, text, o), func(env *testsuite.TestActivityEnvironment) {
		env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { cancel(cause) })
	})
}

func TestCancellationReachesSleepSignalAndPromise(t *testing.T) {
	t.Parallel()
	const head = `import { heartbeat, sleep, cancelled, cancellationSignal, cancellationDetails, CancelledFailure, Context } from '@temporalio/activity';
export async function main() { heartbeat(); `
	for name, c := range map[string]struct{ body, want string }{
		"sleep":          {`try { await sleep('1h') } catch (e: any) { return [e instanceof CancelledFailure, e.message, cancellationDetails()!.cancelRequested] }`, `[true,"CANCELLED",true]`},
		"context sleep":  {`try { await Context.current().sleep(3600000) } catch (e: any) { return e.message }`, `"CANCELLED"`},
		"promise":        {`try { await cancelled() } catch (e: any) { return e.message }`, `"CANCELLED"`},
		"signal":         {`await new Promise((r) => cancellationSignal().addEventListener('abort', r)); return cancellationSignal().reason.name`, `"CancelledFailure"`},
		"may be ignored": {`await new Promise((r) => setTimeout(r, 100)); return 'finished'`, `"finished"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ended(t, temporal.NewCanceledError(), CodeOptions{}, head+c.body+"}")
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestEndOfAnAttemptIsToldAsWhatItIs(t *testing.T) {
	t.Parallel()
	const text = `import { heartbeat, sleep } from '@temporalio/activity';
export async function main() { heartbeat(); await sleep('1h') }`
	for name, c := range map[string]struct {
		cause error
		check func(t *testing.T, err error)
	}{
		"cancelled": {temporal.NewCanceledError(), func(t *testing.T, err error) {
			if !temporal.IsCanceledError(err) {
				t.Errorf("got %v (%T)", err, err)
			}
		}},
		"worker shutdown": {worker.ErrWorkerShutdown, func(t *testing.T, err error) {
			if app := wantApplication(t, err, "CancelledFailure", false); app.Message() != "WORKER_SHUTDOWN" {
				t.Errorf("got %s", app.Message())
			}
		}},
		"timed out": {context.DeadlineExceeded, func(t *testing.T, err error) {
			if app := wantApplication(t, err, "CancelledFailure", false); app.Message() != "TIMED_OUT" {
				t.Errorf("got %s", app.Message())
			}
		}},
		"paused": {activity.ErrActivityPaused, func(t *testing.T, err error) { wantApplication(t, err, "ActivityPause", false) }},
		"reset":  {activity.ErrActivityReset, func(t *testing.T, err error) { wantApplication(t, err, "ActivityReset", false) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ended(t, c.cause, CodeOptions{}, text)
			c.check(t, err)
		})
	}
}

func TestAbortedFetchOfACancelledActivityIsACancellation(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", waitForClient)
	_, err := ended(t, temporal.NewCanceledError(), loopback(t), `import { heartbeat, cancellationSignal } from '@temporalio/activity';
export async function main() { heartbeat(); await fetch("`+url+`", { signal: cancellationSignal() }) }`)
	if !temporal.IsCanceledError(err) {
		t.Errorf("got %v (%T)", err, err)
	}
}

func TestCodeThatOutlivesItsGraceIsCutOff(t *testing.T) {
	t.Parallel()
	const head = `import { heartbeat } from '@temporalio/activity';
export async function main() { heartbeat(); `
	for name, body := range map[string]string{
		"waiting":      `await new Promise(() => {})`,
		"with timers":  `setInterval(() => {}, 1); await new Promise(() => {})`,
		"in a loop":    `for (;;) await null`,
		"in a catch":   `for (;;) try { await null } catch {}`,
		"in a timer":   `await new Promise((r) => setTimeout(r, 1)); for (;;);`,
		"in a finally": `try { for (;;) await null } finally { for (;;); }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ended(t, temporal.NewCanceledError(), CodeOptions{Grace: 20 * time.Millisecond, SliceBudget: time.Minute}, head+body+"}")
			if !temporal.IsCanceledError(err) {
				t.Errorf("cancelled: got %v (%T)", err, err)
			}
			_, err = ended(t, worker.ErrWorkerShutdown, CodeOptions{Grace: 20 * time.Millisecond, SliceBudget: time.Minute}, head+body+"}")
			if app := wantApplication(t, err, EndedType, false); !strings.Contains(app.Message(), "WORKER_SHUTDOWN") {
				t.Errorf("shut down: got %s", app.Message())
			}
		})
	}
}
