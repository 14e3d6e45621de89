package workflow

import (
	"strings"
	"testing"
)

func TestTimersFireInOrder(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const order: string[] = [];
  const late = sleep(120).then(() => order.push('late'));
  const early = sleep('20ms', { summary: 'a nap' }).then(() => order.push('early'));
  await Promise.all([late, early]);
  await new Promise<void>((resolve) => setTimeout(resolve, 10));
  return order;
}`)
	run := p.start("run")
	if got := p.result(run); got != `["early","late"]` {
		t.Errorf("order %s", got)
	}
	for _, e := range p.history(run).Events {
		if a := e.GetTimerStartedEventAttributes(); a != nil && a.GetStartToFireTimeout().AsDuration().Milliseconds() == 20 {
			if got := string(e.GetUserMetadata().GetSummary().GetData()); got != `"a nap"` {
				t.Errorf("summary %s", got)
			}
		}
	}
}

// The SDK calls back at once for a timer of no duration and writes no event: the order would differ
// from upstream's.
func TestZeroTimersAreTimers(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  await sleep(0);
  await sleep(-5);
  return await condition(() => false, 0);
}`)
	run := p.start("run")
	if got := p.result(run); got != "false" {
		t.Errorf("got %s", got)
	}
	if n := strings.Count(p.events(run), "TimerFired"); n != 3 {
		t.Errorf("%d timers fired: %s", n, p.events(run))
	}
}

// Temporal's core never sends a timer that is cancelled in the task that starts it.
func TestTimerCancelledInItsTaskIsNeverStarted(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const won = await Promise.race([
    condition(() => true, '1 hour').then(() => 'condition'),
    CancellationScope.withTimeout('2 hours', async () => 'scope'),
  ]);
  const handle = setTimeout(() => { throw new Error('never'); }, 1000);
  clearTimeout(handle);
  await sleep(1);
  return won;
}`)
	run := p.start("run")
	if got := p.result(run); got != `"scope"` && got != `"condition"` {
		t.Errorf("got %s", got)
	}
	if got := p.events(run); got != "Started MarkerRecorded TimerStarted TimerFired Completed" {
		t.Errorf("events %s", got)
	}
}

func TestTimerCancelledLater(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const scope = new CancellationScope();
  const long = scope.run(() => sleep('1 hour')).catch((e: any) => [e instanceof CancelledFailure, e.message]);
  await sleep(5);
  scope.cancel();
  return await long;
}`)
	run := p.start("run")
	if got := p.result(run); got != `[true,"Cancellation scope cancelled"]` {
		t.Errorf("got %s", got)
	}
	if got := p.events(run); !strings.Contains(got, "TimerFired TimerCanceled Completed") {
		t.Errorf("events %s", got)
	}
}

func TestConditionWithTimeout(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let open = false;
  setHandler(defineSignal('open'), () => { open = true; });
  const first = await condition(() => open, '30ms');
  const second = await condition(() => open, '1 hour');
  return [first, second];
}`)
	run := p.start("run")
	p.until("the first timer fired", func() bool { return strings.Contains(p.events(run), "TimerFired") })
	p.signal(run, "open", nil)
	if got := p.result(run); got != "[false,true]" {
		t.Errorf("got %s", got)
	}
	if got := p.events(run); !strings.Contains(got, "TimerCanceled") {
		t.Errorf("events %s", got)
	}
}

// Two executions on one runtime have timers of the same numbers; upstream's map of timeouts would
// mix them up.
func TestTimeoutsOfExecutionsOnOneRuntimeDontMeet(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
	p.deploy(`
export async function run(mine: string) {
  let cleared = false, fired: string[] = [];
  setHandler(defineSignal('clear'), () => { clearTimeout(handle); cleared = true; });
  const handle = setTimeout(() => fired.push(mine), 700);
  await sleep(1000);
  return { cleared, fired };
}`)
	p.startWorker()
	a, b := p.start("run", "a"), p.start("run", "b")
	p.until("both wait", func() bool {
		return strings.Contains(p.events(a), "TimerStarted") && strings.Contains(p.events(b), "TimerStarted")
	})
	p.signal(a, "clear", nil)
	if got := p.result(a); got != `{"cleared":true,"fired":[]}` {
		t.Errorf("a: %s", got)
	}
	if got := p.result(b); got != `{"cleared":false,"fired":["b"]}` {
		t.Errorf("b: %s", got)
	}
}
