package workflow

import (
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/runtime/workflow/wire"
)

// neighbours gives two projects on one shared runtime.
func neighbours(t testing.TB) (*project, *project) {
	t.Helper()
	s := NewRuntimes(RuntimesOptions{Shared: 1})
	t.Cleanup(s.Close)
	a, b := unstarted(t), unstarted(t)
	a.codes.Runtimes, b.codes.Runtimes = s, s
	a.opts.ProjectID, b.opts.ProjectID = "a", "b"
	return a, b
}

// What one project's code is cut off for discards the runtime; the executions of the other go on
// elsewhere, and no task of theirs fails: one that waits, one that is queried, one whose task waits
// for the runtime at that moment, and one that is being replayed.
func TestCutOffCodeCostsNeighboursNoTask(t *testing.T) {
	t.Parallel()
	bad, good := neighbours(t)
	bad.opts.TaskTimeout = time.Second
	bad.deploy(`export async function spins() { while (true) {} }`)
	code := good.deploy(waiting("one", `await sleep(1);`) + `
export async function steps(n: number) { for (let i = 0; i < n; i++) await sleep(1); return n; }`)
	bad.startWorker()
	good.startWorker()
	waits, asked, steps := good.start("run"), good.start("run"), good.start("steps", 5)
	for _, run := range []string{good.query(waits, "version"), good.query(asked, "version")} {
		if run != `"one"` {
			t.Errorf("query %s", run)
		}
	}
	spins := bad.start("spins")
	v := bad.codes.Runtimes.pool.machines[0]
	good.until("the neighbour has the runtime", func() bool { return v.busy.Load() > 0 && bad.livesOn(v) })
	good.signal(waits, "go", nil) // its task waits now
	if got := good.query(asked, "version"); got != `"one"` {
		t.Errorf("a query that waited for the runtime: %s", got)
	}
	bad.until("the task failed", func() bool { return len(bad.taskFailures(spins)) > 0 })
	later := good.start("run")
	good.signal(asked, "go", nil)
	good.signal(later, "go", nil)
	if got := good.result(waits) + good.result(asked) + good.result(later) + good.result(steps); got != `"one""one""one"5` {
		t.Errorf("results %s", got)
	}
	for _, e := range append(good.history(waits).Events, good.history(steps).Events...) {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			if !wire.ServersOwn(e) {
				t.Errorf("a task of the neighbour's: %v", e)
			}
		}
	}
	if got := good.seen.failures(); len(got) > 0 {
		t.Errorf("failed tasks of the neighbour: %v", got)
	}
	if code.livesApart() {
		t.Error("the neighbour lives apart")
	}
	for _, x := range bad.known {
		if !x.livesApart() {
			t.Error("what was cut off comes back into a shared runtime")
		}
	}
	bad.end(spins)
}

// Who waits for a runtime that somebody holds for long goes elsewhere.
func TestWhoWaitsForLongGoesElsewhere(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
	p.deploy(waiting("one", `await sleep(1);`))
	p.startWorker()
	run := p.start("run")
	if got := p.query(run, "version"); got != `"one"` {
		t.Errorf("query %s", got)
	}
	v := p.codes.Runtimes.pool.machines[0]
	v.mu.Lock()
	defer v.mu.Unlock()
	later := p.start("run")
	for _, x := range []client.WorkflowRun{run, later} {
		p.signal(x, "go", nil)
		if got := p.result(x); got != `"one"` {
			t.Errorf("result %s", got)
		}
		if n := len(p.taskFailures(x)); n > 0 {
			t.Errorf("%d tasks failed", n)
		}
	}
}

// The runtime is lost in the middle of a replay, where the history has commands that the execution
// can't give any more.
func TestARuntimeThatIsLostDuringAReplayCostsNoTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
	p.deploy(waiting("one", `await Promise.all([sleep(1), proxyActivities<any>({ startToCloseTimeout: '10s' }).echo(1)]); await sleep(1);`))
	p.startWorker()
	run := p.start("run")
	p.signal(run, "go", nil)
	p.until("it has a history", func() bool { return strings.Contains(p.events(run), "TimerFired") })
	p.stopWorker()
	tasks := 0
	p.opts.giveUp = func() error { // between two tasks
		if tasks++; tasks == 2 {
			v := p.codes.Runtimes.pool.machines[0]
			v.mu.Lock()
			v.cut()
			v.mu.Unlock()
			v.pool.drop(v)
		}
		return nil
	}
	p.startWorker()
	if got := p.result(run); got != `"one"` {
		t.Errorf("result %s", got)
	}
	p.stopWorker()
	if tasks < 4 {
		t.Errorf("%d tasks: it didn't begin again", tasks)
	}
	if n := len(p.taskFailures(run)); n > 0 {
		t.Errorf("%d tasks failed", n)
	}
	p.opts.giveUp = nil
}

// livesOn tells whether one of the project's executions has something in a runtime.
func (p *project) livesOn(v *machine) bool {
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	for in := range v.globals {
		for _, c := range p.known {
			if in.code == c {
				return true
			}
		}
	}
	return false
}

// Code that holds the runtime for long gets one of its own, and so does the execution that did.
func TestCodeThatTakesLongMovesOut(t *testing.T) {
	t.Parallel()
	busy, good := neighbours(t)
	busy.patiently()
	code := busy.deploy(`
export async function run(n: number) {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < 1e7; j++) sum = (sum * 31 + j) % 1e9;
    await sleep(1);
  }
  return sum;
}`)
	good.deploy(waiting("one", `await sleep(1);`))
	busy.startWorker()
	good.startWorker()
	other := good.start("run")
	good.until("it lives on the shared runtime", func() bool { return strings.Contains(good.events(other), "MarkerRecorded") })
	v := good.codes.Runtimes.pool.machines[0]
	first, second := busy.start("run", 3), busy.start("run", 3)
	if a, b := busy.result(first), busy.result(second); a != b {
		t.Errorf("results %s and %s", a, b)
	}
	if !code.livesApart() || busy.livesOn(v) {
		t.Error("it still lives on the shared runtime")
	}
	if got := busy.seen.failures(); len(got) > 0 {
		t.Errorf("failed tasks: %v", got)
	}
	good.signal(other, "go", nil)
	if got := good.result(other); got != `"one"` {
		t.Errorf("the neighbour's result %s", got)
	}
}
