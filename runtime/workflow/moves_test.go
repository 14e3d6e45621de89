package workflow

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// moving is code whose executions go on with newer code at each task. It waits for turns, takes a
// step after each, and tells its version.
func moving(version string, steps ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
export async function run() {
  let turns = 0; const seen: string[] = [];
  setHandler(defineSignal('turn'), () => { turns++; });
  setHandler(defineQuery('version'), () => %q);
  setHandler(defineUpdate('turned'), async () => { turns++; await sleep(1); return %q; });
`, version, version)
	for i, step := range steps {
		fmt.Fprintf(&b, "  await condition(() => turns > %d); seen.push(%q);\n  %s\n", i, version, step)
	}
	b.WriteString("  return seen.join(' ');\n}\nwf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, run);\n")
	return b.String()
}

// on waits until the run's last completed task ran on the code.
func (p *project) on(run client.WorkflowRun, c *Code) {
	p.t.Helper()
	p.until("the execution runs on "+c.Hash(), func() bool { return p.isOn(run, c) })
}

func (p *project) isOn(run client.WorkflowRun, c *Code) bool {
	ids := p.identities(run)
	return len(ids) > 0 && wire.ReadLabel(ids[len(ids)-1]).Hash == c.Hash()
}

func (p *project) turn(run client.WorkflowRun) { p.signal(run, "turn", nil) }

func TestAnExecutionGoesOnWithNewCodeAtItsNextTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(moving("one", `await sleep(1);`, `await sleep(1);`, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(moving("two", `await sleep(1);`, `await sleep(1);`, ``))
	if got := p.query(run, "version"); got != `"one"` {
		t.Errorf("a query before the next task is answered by %s", got)
	}
	p.turn(run)
	p.on(run, two)
	three := p.deploy(moving("three", `await sleep(1);`, `await sleep(1);`, ``))
	p.restartWorker() // nothing is in a cache
	p.turn(run)
	p.on(run, three)
	p.turn(run)
	// What was done before is done again by the newest code, as if it had been there from the
	// beginning.
	if got := p.result(run); got != `"three three three"` {
		t.Errorf("result %s", got)
	}
	p.noFailedTasks(run)
	p.deploy(`export async function run() { throw new Error('not for closed executions'); }`)
	p.restartWorker()
	// The first one may be given to the worker that has stopped.
	p.until("a query after the end is answered", func() bool {
		got, err := p.tryQuery(run, "version")
		if err == nil && got != `"three"` {
			t.Errorf("a query after the end is answered by %s", got)
		}
		return err == nil
	})
}

func TestPatchedKeepsTheOldWayForWhatIsHistory(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(moving("one", `await sleep(1);`, ``, ``))
	p.startWorker()
	run := p.start("run")
	p.turn(run)
	p.until("the timer has fired", func() bool { return strings.Contains(p.events(run), "TimerFired") })
	two := p.deploy(moving("two",
		`if (patched('no more timers')) { seen.push('new way'); } else { await sleep(1); seen.push('old way'); }`, ``, ``))
	fresh := p.start("run")
	for range 3 {
		p.turn(fresh)
	}
	if got := p.result(fresh); got != `"two new way two two"` {
		t.Errorf("an execution that began on the new code: %s", got)
	}
	p.turn(run)
	p.on(run, two)
	p.turn(run)
	if got := p.result(run); got != `"two old way two two"` {
		t.Errorf("an execution that was moved: %s", got)
	}
	p.noFailedTasks(run)
	if one.Hash() == two.Hash() {
		t.Error("the same code")
	}
}

// Nothing looked at the execution before the code went live: it finds out by itself, and no task
// fails.
func TestAnExecutionKeepsItsCodeWhereTheNewOneDoesNotFit(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	var mu sync.Mutex // guards kept
	var kept []string
	p.opts.KeptCode = func(x wire.RunInfo, from wire.LastCode, to *Code, why Misfit) {
		mu.Lock()
		defer mu.Unlock()
		if from.Hash == to.Hash() || why.Reason == "" {
			t.Errorf("from %s to %s: %s", from.Hash, to.Hash(), why.Reason)
		}
		kept = append(kept, fmt.Sprintf("%s stays at event %d", x.ID, why.EventID))
	}
	one := p.deploy(moving("one", `await sleep(1);`, ``, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	p.turn(run)
	p.until("the timer's task is done", func() bool { return len(p.identities(run)) == 3 })
	p.deploy(moving("two", `await executeChild('nobody');`, ``, ``))
	p.turn(run)
	p.until("it took the turn", func() bool { return len(p.identities(run)) >= 4 })
	p.on(run, one)
	p.restartWorker()
	mu.Lock()
	if len(kept) != 1 || kept[0] != run.GetID()+" stays at event 10" {
		t.Errorf("kept of %v", kept)
	}
	mu.Unlock()
	three := p.deploy(moving("three", `await sleep(2);`, ``, ``))
	p.turn(run)
	if got := p.result(run); got != `"three three three"` {
		t.Errorf("result %s", got)
	}
	p.on(run, three)
	p.noFailedTasks(run)
	if !slices.ContainsFunc(p.seen.logged(), func(l string) bool {
		return strings.Contains(l, "keeps its code") && strings.Contains(l, "event 10: the history has a command of kind Timer, and the code doesn't give it")
	}) {
		t.Errorf("the log doesn't say why: %s", strings.Join(p.seen.logged(), ""))
	}
}

// What fails task after task goes on where it was.
func TestAMistakeIsMendedByNewCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(moving("one", `await sleep(1);`, `(seen as any).typo();`, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	p.turn(run)
	p.turn(run)
	p.until("a task has failed", func() bool { return len(p.taskFailures(run)) > 0 })
	if got := p.taskFailures(run)[0].GetMessage(); !strings.Contains(got, "correct the code, and it goes on") {
		t.Errorf("the failure says %s", got)
	}
	two := p.deploy(moving("two", `await sleep(1);`, ``, ``))
	p.turn(run)
	if got := p.result(run); got != `"two two two"` {
		t.Errorf("result %s", got)
	}
	p.on(run, two)
}

// A replica that doesn't know the newest code yet must not take an execution back.
func TestAReplicaThatLagsBehindRunsWhatRanLast(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(moving("one", `await sleep(1);`, `await sleep(1);`, ``))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(moving("two", `await sleep(1);`, `await sleep(1);`, ``))
	p.turn(run)
	p.on(run, two)
	p.mu.Lock()
	p.current["run"] = target{one, "run"} // as it was
	p.mu.Unlock()
	p.restartWorker()
	p.turn(run)
	p.turn(run)
	if got := p.result(run); got != `"two two two"` {
		t.Errorf("result %s", got)
	}
	p.noFailedTasks(run)
}

func TestRollingBackIsGoingOnWithTheOldCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	text := moving("one", `await sleep(1);`, `await sleep(1);`, ``)
	one := p.deploy(text)
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(moving("two", `await sleep(1);`, `await sleep(1);`, ``))
	p.turn(run)
	p.on(run, two)
	p.deploy(text)
	p.turn(run)
	p.on(run, one)
	p.turn(run)
	if got := p.result(run); got != `"one one one"` {
		t.Errorf("result %s", got)
	}
	p.noFailedTasks(run)
}

func TestAPinnedExecutionGoesOnWithWhatItWasToldTo(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	pinned := func(version string) string {
		return strings.Replace(moving(version, `await sleep(1);`, ``, ``), "AUTO_UPGRADE", "PINNED", 1)
	}
	one := p.deploy(pinned("one"))
	p.startWorker()
	run, stays := p.start("run"), p.start("run")
	p.on(run, one)
	p.on(stays, one)
	two := p.deploy(pinned("two"))
	p.move(run, two)
	p.turn(run)
	p.on(run, two)
	p.mu.Lock()
	delete(p.moves, run.GetRunID()) // the history says it now
	p.mu.Unlock()
	p.restartWorker()
	for range 3 {
		p.turn(run)
		p.turn(stays)
	}
	if got := p.result(run) + p.result(stays); got != `"two two two""one one one"` {
		t.Errorf("results %s", got)
	}
	p.noFailedTasks(run)
	p.noFailedTasks(stays)
}

func TestAResetExecutionRunsTheCodeOfTheHistoryThatIsKept(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	pinned := func(version string) string {
		return strings.Replace(moving(version, `await sleep(1);`, `await sleep(1);`, ``), "AUTO_UPGRADE", "PINNED", 1)
	}
	one := p.deploy(pinned("one"))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(pinned("two"))
	p.turn(run)
	p.until("the first timer has fired", func() bool { return strings.Contains(p.events(run), "TimerFired") })
	p.move(run, two)
	p.turn(run)
	p.on(run, two)
	p.until("the second timer has fired", func() bool { return strings.Count(p.events(run), "TimerFired") == 2 })
	p.turn(run)
	p.result(run)
	reset := func(toCodeOf *Code) client.WorkflowRun {
		var at int64
		for _, e := range p.history(run).GetEvents() {
			if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil && wire.ReadLabel(a.GetIdentity()).Hash == toCodeOf.Hash() {
				at = e.GetEventId() // the last one
			}
		}
		resp, err := p.c.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()}, WorkflowTaskFinishEventId: at, RequestId: fmt.Sprint(at),
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.c.GetWorkflow(t.Context(), run.GetID(), resp.GetRunId())
	}
	if got := p.result(reset(one)); got != `"one one one"` {
		t.Errorf("reset to where the first code ran: %s", got)
	}
	if got := p.result(reset(two)); got != `"two two two"` {
		t.Errorf("reset to where the second code ran: %s", got)
	}
}

func TestContinueAsNewOfAMovingExecutionTakesTheNewestCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	text := func(version, then string) string {
		return fmt.Sprintf(`
export async function run(turn = 1) {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  await condition(() => go || turn > 1);
  %s
}
wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, run);`, then)
	}
	one := p.deploy(text("one", `return 'one';`))
	p.startWorker()
	run := p.start("run")
	p.on(run, one)
	two := p.deploy(text("two", `if (turn === 1) await continueAsNew(2); return 'two';`))
	p.signal(run, "go", nil)
	if got := p.result(run); got != `"two"` {
		t.Errorf("result %s", got)
	}
	p.on(p.c.GetWorkflow(t.Context(), run.GetID(), ""), two)
	p.noFailedTasks(run)
}

func TestTheNextAttemptOfAWorkflowBeginsOnTheNewestCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	text := func(end string) string {
		return fmt.Sprintf(`
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  await condition(() => go);
  %s
}`, end)
	}
	one := p.deploy(text(`throw ApplicationFailure.retryable('again');`))
	p.startWorker()
	run := p.startWith(client.StartWorkflowOptions{RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Millisecond, MaximumAttempts: 2}}, "run")
	p.on(run, one)
	two := p.deploy(text(`return 'two';`))
	p.signal(run, "go", nil)
	p.until("the second attempt runs", func() bool {
		return len(p.identities(p.c.GetWorkflow(t.Context(), run.GetID(), ""))) > 0 && strings.Contains(p.events(run), "Failed")
	})
	next := p.c.GetWorkflow(t.Context(), run.GetID(), "")
	p.on(next, two)
	if err := p.c.SignalWorkflow(t.Context(), run.GetID(), "", "go", nil); err != nil {
		t.Fatal(err)
	}
	if got := p.result(run); got != `"two"` {
		t.Errorf("result %s", got)
	}
}
