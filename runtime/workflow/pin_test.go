package workflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"workflow-worker/runtime/workflow/wire"
)

// waiting is code that waits for a signal and then tells its version and takes its own steps.
func waiting(version string, steps string) string {
	return fmt.Sprintf(`
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  setHandler(defineQuery('version'), () => %q);
  await condition(() => go);
  %s
  return %q;
}`, version, steps, version)
}

func TestReloadKeepsRunningExecutionsOnTheirCode(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	one := p.deploy(waiting("one", `await sleep(1);`))
	p.startWorker()
	first := p.start("run")
	p.until("the first runs", func() bool { return strings.Contains(p.events(first), "MarkerRecorded") })
	two := p.deploy(waiting("two", `await executeChild('kid'); await sleep(2);`) + `export async function kid() { return 1; }`)
	second := p.start("run")
	p.until("the second runs", func() bool { return strings.Contains(p.events(second), "MarkerRecorded") })
	if got := p.query(first, "version") + p.query(second, "version"); got != `"one""two"` {
		t.Errorf("versions %s", got)
	}
	p.signal(first, "go", nil)
	p.signal(second, "go", nil)
	if got := p.result(first) + p.result(second); got != `"one""two"` {
		t.Errorf("results %s", got)
	}
	if one.Hash() == two.Hash() {
		t.Error("the hashes are the same")
	}
	if len(p.seen.failures()) > 0 {
		t.Errorf("tasks failed: %v", p.seen.failures())
	}
	// The history says what it ran on.
	var recorded wire.Pin
	for _, e := range p.history(second).Events {
		if a := e.GetMarkerRecordedEventAttributes(); a != nil {
			if err := json.Unmarshal(a.GetDetails()["data"].GetPayloads()[0].GetData(), &recorded); err != nil {
				t.Fatal(err)
			}
		}
	}
	if recorded.Hash != two.Hash() || recorded.Export != "run" || !strings.HasPrefix(recorded.SDK, "@temporalio/workflow 1.") || len(recorded.Flags) == 0 {
		t.Errorf("pin %+v", recorded)
	}
}

// The worker that takes an execution over has no cache of it: replay asks for the pinned code.
func TestReplayFindsThePinnedCode(t *testing.T) {
	t.Parallel()
	p := newProject(t, waiting("one", `await sleep(1);`))
	run := p.start("run")
	p.until("it runs", func() bool { return strings.Contains(p.events(run), "MarkerRecorded") })
	h := p.history(run)
	p.deploy(waiting("two", `await executeChild('nobody');`))
	if err := p.replay(run, h); err != nil {
		t.Error(err)
	}
	p.signal(run, "go", nil)
	if got := p.result(run); got != `"one"` {
		t.Errorf("got %s", got)
	}
}

func TestMissingCodeFailsTheTaskNotTheExecution(t *testing.T) {
	t.Parallel()
	p := newProject(t, waiting("one", `await sleep(1);`))
	run := p.start("run")
	p.until("it runs", func() bool { return strings.Contains(p.events(run), "MarkerRecorded") })
	p.mu.Lock()
	p.missing = true
	p.mu.Unlock()
	err := p.replay(run, p.history(run))
	if err == nil || !strings.Contains(err.Error(), "the code that this execution is pinned to can't be had") {
		t.Errorf("replay: %v", err)
	}
	p.mu.Lock()
	p.missing = false
	p.mu.Unlock()
	p.signal(run, "go", nil)
	if got := p.result(run); got != `"one"` {
		t.Errorf("got %s", got)
	}
}

func TestContinueAsNewTakesTheNewestCode(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  await condition(() => go);
  await continueAsNew();
}`)
	run := p.start("run")
	p.until("it runs", func() bool { return strings.Contains(p.events(run), "MarkerRecorded") })
	p.deploy(`export async function run() { return 'newest'; }`)
	p.signal(run, "go", nil)
	if got := p.result(run); got != `"newest"` {
		t.Errorf("got %s", got)
	}
}

func TestPatches(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const a = patched('p1'), again = patched('p1');
  deprecatePatch('p2');
  await sleep(5);
  return [a, again, patched('p1'), patched('p3')];
}`)
	run := p.start("run")
	if got := p.result(run); got != `[true,true,true,true]` {
		t.Errorf("got %s", got)
	}
	if got := p.events(run); strings.Count(got, "MarkerRecorded UpsertWorkflowSearchAttributes") != 3 {
		t.Errorf("events %s", got)
	}
}

// A history of code without the patch, replayed by code with it: false for what is history, true
// for what comes after. The SDK's GetVersion would make the first answer final.
func TestPatchMissingInHistoryMayBeRecordedLater(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let turns = 0; const seen: boolean[] = [];
  setHandler(defineSignal('turn'), () => { turns++; });
  await condition(() => turns === 1);
  await sleep(1);
  await condition(() => turns === 2);
  return seen;
}`)
	old := p.start("run")
	p.signal(old, "turn", nil)
	p.until("it turned once", func() bool { return strings.Contains(p.events(old), "TimerFired") })
	// The new code stands under the old one's hash: as if the pin had been moved.
	p.mu.Lock()
	before := p.current["run"].code
	p.mu.Unlock()
	after := p.deploy(`
export async function run() {
  let turns = 0; const seen: boolean[] = [];
  setHandler(defineSignal('turn'), () => { turns++; });
  await condition(() => turns === 1);
  seen.push(patched('p'));
  await sleep(1);
  await condition(() => turns === 2);
  seen.push(patched('p'));
  return seen;
}`)
	p.mu.Lock()
	p.known[before.Hash()] = after
	p.mu.Unlock()
	p.restartWorker()
	p.signal(old, "turn", nil)
	if got := p.result(old); got != `[false,true]` {
		t.Errorf("patched said %s", got)
	}
}
