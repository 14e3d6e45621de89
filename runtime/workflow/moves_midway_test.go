package workflow

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// Each waits for something else when the code changes.
func TestExecutionsMoveWhateverTheyWaitFor(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	text := func(version string) string {
		return fmt.Sprintf(`
const { echo, hang } = proxyActivities<any>({ startToCloseTimeout: '30s' });
const { echo: local } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '30s' });
let go = false;
const goes = () => setHandler(defineSignal('go'), () => { go = true; });
export async function timers() { goes(); await Promise.race([sleep('1h'), condition(() => go)]); await sleep(1); return %[1]q; }
export async function child() { goes(); const c = await startChild(kid, { workflowId: workflowInfo().workflowId + '-kid' }); await condition(() => go); await c.signal('go'); return await c.result() + %[1]q; }
export async function kid() { goes(); await condition(() => go); return %[1]q; }
export async function locals() { goes(); const a = await local('a'); await condition(() => go); return a + await local('b') + %[1]q; }
export async function activity() { goes(); const a = await echo('a'); await condition(() => go); return a + await echo('b') + %[1]q; }
export async function pending() {
  goes();
  const scope = new CancellationScope();
  const hanging = scope.run(() => hang());
  await condition(() => go);
  scope.cancel();
  return hanging.catch((e: any) => e.cause.name + %[1]q);
}
for (const f of [pending, timers, child, kid, locals, activity]) wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, f);`, version)
	}
	one := p.deploy(text("one"))
	p.startWorker()
	want := map[string]string{"pending": `"CancelledFailuretwo"`, "timers": `"two"`, "child": `"twotwo"`, "locals": `"abtwo"`, "activity": `"abtwo"`}
	runs := map[string]client.WorkflowRun{}
	for workflow := range want {
		runs[workflow] = p.start(workflow)
	}
	for workflow, run := range runs {
		p.on(run, one)
		p.until(workflow+" waits for its signal", func() bool {
			events := p.events(run)
			return workflow == "timers" && strings.Contains(events, "TimerStarted") || strings.Contains(events, "ChildWorkflowExecutionStarted") ||
				strings.Count(events, "MarkerRecorded") == 2 || strings.Contains(events, "ActivityTaskCompleted") || workflow == "pending" && strings.Contains(events, "ActivityTaskScheduled")
		})
	}
	p.deploy(text("two"))
	for workflow, run := range runs {
		p.signal(run, "go", nil)
		if got := p.result(run); got != want[workflow] {
			t.Errorf("%s: %s, want %s", workflow, got, want[workflow])
		}
		p.noFailedTasks(run)
	}
}

// The task that an update makes is in no history when it is given out.
func TestAnExecutionMovesByAnUpdate(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(moving("one", `await sleep(1);`, `await sleep(1);`, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(moving("two", `await sleep(1);`, `await sleep(1);`, ``))
	update := func() string {
		t.Helper()
		h, err := p.c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: "turned", WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		var got string
		if err == nil {
			err = h.Get(t.Context(), &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := update(); got != "two" {
		t.Errorf("the update is answered by %s", got)
	}
	p.on(run, two)
	three := p.deploy(moving("three", `await sleep(1);`, `await sleep(1);`, ``))
	p.restartWorker()
	if got := update(); got != "three" {
		t.Errorf("the update is answered by %s", got)
	}
	p.on(run, three)
	p.turn(run)
	if got := p.result(run); got != `"three three three"` {
		t.Errorf("result %s", got)
	}
	p.noFailedTasks(run)
}

// A task's time is over while a local activity runs: it is completed, and the next one follows in
// the same place. A replay would run the activity again.
func TestAnExecutionMovesAfterItsLocalActivities(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	calls, release := atomic.Int64{}, make(chan struct{})
	p.opts.LocalActivity = func(ctx context.Context, _ LocalActivity, _ *commonpb.Payloads) (*commonpb.Payloads, error) {
		calls.Add(1)
		select {
		case <-release:
		case <-ctx.Done():
		}
		return converter.GetDefaultDataConverter().ToPayloads("done")
	}
	text := func(version string) string {
		return fmt.Sprintf(`
const { hold } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '1m' });
export async function run() {
  let turns = 0;
  setHandler(defineSignal('turn'), () => { turns++; });
  const held = await hold();
  await condition(() => turns > 1);
  return held + ' ' + %q;
}
wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, run);`, version)
	}
	one := p.deploy(text("one"))
	p.startWorker()
	run := p.startWith(client.StartWorkflowOptions{WorkflowTaskTimeout: 3 * time.Second}, "run")
	p.on(run, one)
	two := p.deploy(text("two"))
	p.turn(run)
	before := len(p.identities(run))
	p.until("more tasks have passed", func() bool { return len(p.identities(run)) >= before+2 })
	p.on(run, one)
	close(release)
	p.turn(run)
	if got := p.result(run); got != `"done two"` {
		t.Errorf("result %s", got)
	}
	p.on(run, two)
	p.noFailedTasks(run)
	if n := calls.Load(); n != 1 {
		t.Errorf("the local activity ran %d times", n)
	}
}

// The server hands out long histories page by page: what ran last is on another page than the
// beginning.
func TestExecutionsWithLongHistoriesMoveAndStayMoved(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	const noise = 300 // a page has 256 transactions
	one := p.deploy(moving("one", `await sleep(1);`, ``, ``, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	p.turn(run)
	for range noise {
		p.signal(run, "nobody handles it", nil)
	}
	two := p.deploy(moving("two", `await sleep(1);`, ``, ``, ``))
	p.turn(run)
	p.until("the execution runs on the second code", func() bool {
		if p.isOn(run, two) {
			return true
		}
		p.signal(run, "nobody handles it", nil) // where its history took too long to read, it moves at its next task
		return false
	})
	p.mu.Lock()
	p.current["run"] = target{one, "run"} // nobody but the history knows
	p.mu.Unlock()
	p.restartWorker()
	p.until("a query is answered", func() bool {
		got, err := p.tryQuery(run, "version")
		if err == nil && got != `"two"` {
			t.Errorf("a query is answered by %s", got)
		}
		return err == nil
	})
	p.turn(run)
	p.turn(run)
	if got := p.result(run); got != `"two two two two"` {
		t.Errorf("result %s", got)
	}
	p.on(run, two)
	p.noFailedTasks(run)
}

// An update's handler waits while the code changes: the new code's handler goes on with it.
func TestAnUpdateUnderWayGoesOnInTheNewCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	text := func(version string) string {
		return fmt.Sprintf(`
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  setHandler(defineUpdate('work'), async (n: number) => { await condition(() => go); await sleep(1); return n + %q; });
  await condition(() => go && allHandlersFinished());
  return %q;
}
wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, run);`, version, version)
	}
	p.deploy(text("one"))
	p.startWorker()
	run := p.start("run")
	h, err := p.c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: "work", Args: []any{7}, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		t.Fatal(err)
	}
	two := p.deploy(text("two"))
	p.signal(run, "go", nil)
	var got string
	if err := h.Get(t.Context(), &got); err != nil || got != "7two" {
		t.Errorf("the update came to %q, %v", got, err)
	}
	if got := p.result(run); got != `"two"` {
		t.Errorf("result %s", got)
	}
	p.on(run, two)
	p.noFailedTasks(run)
}
