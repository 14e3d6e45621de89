package workflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/wire"
)

// budget is what an execution may keep in these tests.
const budget = 32 << 20

// slack is what the process may take beyond twice the budget that is not the code's: its runtimes,
// the worker, and a text that is being made longer.
const slack = 48 << 20

// counted has the executions of some projects be charged with what they keep.
func counted(process int64, projects ...*project) *sandbox.Memory {
	m := sandbox.NewMemory(sandbox.MemoryOptions{Process: process, Relieve: projects[0].codes.Runtimes.LetGo})
	for _, p := range projects {
		p.codes.Memory, p.codes.Budget = m, sandbox.Budget{Bytes: budget, Setting: MaxMemorySetting}
	}
	return m
}

// hoards are the ways to fill memory without end, in the body of a function.
var hoards = map[string]string{
	"text by +":          `let s = 'x'; for (;;) s += s;`,
	"text in templates":  "let s = 'x'; for (;;) s = `${s}${s}`;",
	"texts":              `const a = []; for (let i = 0; ; i++) a.push('n'.repeat(1000) + i);`,
	"array":              `const a = []; for (;;) a.push([a.length]);`,
	"spread":             `let a = [1]; for (;;) a = [...a, ...a];`,
	"objects":            `const a = []; for (let i = 0; ; i++) a.push({ i, name: 'n' + i });`,
	"closures":           `const a = []; for (let i = 0; ; i++) a.push(() => i);`,
	"map":                `const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]);`,
	"promises":           `const f = (): void => { Promise.resolve().then(f); Promise.resolve().then(f); }; f(); await sleep(1);`,
	"promises that wait": `const a = []; for (;;) a.push(new Promise(() => {}));`,
	"buffers":            `const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));`,
	"commands":           `const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m' }); for (;;) echo('x'.repeat(1 << 20));`,
	"BigInts":            `const a = []; for (let i = 1n; ; i <<= 1n) a.push(i);`,
	"generators":         `const g = function* (): any { yield* g(); }; const a = []; for (;;) { const x = g(); a.push(x, [...[1]].values()); }`,
	"JSON":               `const a = []; const t = JSON.stringify(new Array(1000).fill({ a: 1 })); for (;;) a.push(JSON.parse(t));`,
	"caught":             `const a: any[] = []; for (;;) try { for (;;) a.push([1]); } catch {} finally { a.push(1); }`,
	"matches":            `const a = []; for (;;) a.push([...'x'.repeat(1000).matchAll(/x/g)]);`,
	"proxies":            `const a = []; for (;;) a.push(new Proxy({}, { get: () => a }));`,
	"conversions":        `const a: any[] = []; const o = { get toString() { a.push(new Array(100).fill(a)); return () => ''; } }; for (;;) String(o);`,
}

// Not parallel: it measures the heap of the process.
func TestWhoeverHoardsInAWorkflowFailsItsTaskAndNeighboursNoticeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the blame is divided by the time that it takes
	bad, good := neighbours(t)
	counted(0, bad, good)
	bad.opts.TaskTimeout = 8 * time.Second // of memory, not of time
	good.deploy(waiting("one", `await sleep(1);`) + `
export async function steps(n: number) { const kept = []; for (let i = 0; i < n; i++) { kept.push({ i }); await sleep(1); } return kept.length; }`)
	var text strings.Builder
	names := map[string]string{}
	for name, body := range hoards {
		names[name] = "hoards" + strconv.Itoa(len(names))
		fmt.Fprintf(&text, "export async function %s() { %s }\n", names[name], body)
	}
	bad.deploy(text.String())
	bad.startWorker()
	good.startWorker()
	waits := good.startWith(client.StartWorkflowOptions{WorkflowExecutionTimeout: 10 * time.Minute}, "run")
	if got := good.query(waits, "version"); got != `"one"` {
		t.Errorf("query %s", got)
	}
	for name, function := range names {
		t.Run(name, func(t *testing.T) {
			debug.FreeOSMemory()
			before := rss(t)
			peak, stop := peakOf(t)
			steps := good.start("steps", 1)
			began := time.Now()
			run, f := bad.waitTaskFailure(function)
			took := time.Since(began)
			if got := good.result(steps); got != "1" {
				t.Errorf("the neighbour's result %s", got)
			}
			bad.end(run)
			stop()
			t.Logf("took %v, %d MB more: %s", took.Round(time.Millisecond), (peak.Load()-before)>>20, firstLine(f.GetMessage()))
			for _, part := range []string{strconv.Itoa(budget), MaxMemorySetting, hintMemory, "(test.ts:"} {
				if said := f.GetMessage() + "\n" + f.GetStackTrace(); !strings.Contains(said, part) {
					t.Errorf("the failure doesn't say %q: %s", part, said)
				}
			}
			if most := before + 2*budget + slack; peak.Load() > most {
				t.Errorf("the process took %d MB more", (peak.Load()-before)>>20)
			}
			if n := len(good.taskFailures(steps)); n > 0 {
				t.Errorf("%d tasks of the neighbour's failed", n)
			}
		})
	}
	good.signal(waits, "go", nil)
	if got := good.result(waits); got != `"one"` {
		t.Errorf("result %s", got)
	}
	if got := good.seen.failures(); len(got) > 0 {
		t.Errorf("failed tasks of the neighbour: %v", got)
	}
}

// rss is what the process has of the machine's memory.
func rss(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// peakOf looks how large the process becomes.
func peakOf(t testing.TB) (peak *atomic.Int64, stop func()) {
	t.Helper()
	peak = &atomic.Int64{}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for {
			peak.Store(max(peak.Load(), rss(t)))
			select {
			case <-over:
				return
			case <-ticks.C:
			}
		}
	}()
	return peak, func() { close(over); <-done }
}

// An execution that was cut off for its memory is tried again later than the server would have it,
// and at once on other code; what it says meanwhile is what it was cut off for.
func TestWhatWasCutOffForItsMemoryIsTriedAgainLater(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{})
	suspects := &p.codes.Runtimes.suspects
	suspects.retry = 5 * time.Second
	counted(0, p)
	p.opts.TaskTimeout = 8 * time.Second
	code := p.deploy(`export async function run() { let s = 'x'; for (;;) s += s; }`)
	p.startWorker()
	run, _ := p.waitTaskFailure("run")
	p.until("it was given out again", func() bool { return len(p.seen.failures()) > 1 })
	p.seen.mu.Lock()
	interrupted, failed := len(p.seen.interrupted), p.seen.failed
	p.seen.mu.Unlock()
	if interrupted != 1 || failed[1] != wire.ReasonMemory {
		t.Errorf("it ran %d times, and failed for %v", interrupted, failed)
	}
	_, err := suspects.takeTurn(run.GetRunID(), code.Hash())
	var waits *wire.TaskFailure
	if !errors.As(err, &waits) || !strings.Contains(waits.Hint, "It is tried again at") || !strings.Contains(waits.Message, MaxMemorySetting) {
		t.Errorf("got %v", err)
	}
	p.until("it ran again", func() bool {
		p.seen.mu.Lock()
		defer p.seen.mu.Unlock()
		return len(p.seen.interrupted) > 1
	})
	suspects.mu.Lock()
	if x := suspects.byRun[run.GetRunID()]; x.times < 2 || time.Until(x.until) < suspects.retry {
		t.Errorf("the second time it isn't tried again before %v", x.until)
	}
	suspects.mu.Unlock()
	p.deploy(`export async function run() { return 'mended'; }`)
	if got := p.result(run); got != `"mended"` {
		t.Errorf("got %s", got)
	}
}

// Those that were cut off for their memory run one at a time.
func TestWhatWasCutOffForItsMemoryRunsAlone(t *testing.T) {
	t.Parallel()
	s := &suspects{retry: time.Nanosecond}
	for _, run := range []string{"a", "b"} {
		s.hoarded(run, "code", wire.TaskFailure{Reason: wire.ReasonMemory, Message: run})
	}
	s.add("c")
	time.Sleep(time.Microsecond) // until they may be tried again
	done, err := s.takeTurn("a", "code")
	if err != nil {
		t.Fatal(err)
	}
	var waits *wire.TaskFailure
	if _, err := s.takeTurn("b", "code"); !errors.As(err, &waits) || waits.Message != "b" {
		t.Errorf("another got its turn beside it: %v", err)
	}
	free, err := s.takeTurn("c", "code")
	if err != nil {
		t.Errorf("one that ran for too long waits: %v", err)
	}
	free()
	done()
	s.passed("a")
	if has, strictly := s.has("a"); !has || strictly {
		t.Errorf("what got on is %v, %v", has, strictly)
	}
	done, err = s.takeTurn("b", "code")
	if err != nil {
		t.Fatal(err)
	}
	if free, err = s.takeTurn("a", "code"); err != nil {
		t.Errorf("what got on waits: %v", err)
	}
	free()
	done()
	for i := range behavesAfter - 1 {
		if has, _ := s.has("a"); has != (i < behavesAfter-1) {
			t.Fatalf("after %d tasks it has no runtime of its own", i+1)
		}
		if s.passed("a") != (i == behavesAfter-2) {
			t.Errorf("task %d decides", i+2)
		}
	}
	if has, _ := s.has("a"); has {
		t.Error("it has a runtime of its own for good")
	}
}

// Queries and validators have the budget, too.
func TestQueriesAndValidatorsThatHoardFail(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{})
	counted(0, p)
	p.opts.TaskTimeout = 8 * time.Second
	p.deploy(`
export async function run() {
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  setHandler(defineQuery('hoards'), () => { let s = 'x'; for (;;) s += s; });
  setHandler(defineQuery('version'), () => 'one');
  setHandler(defineUpdate<void, []>('update'), () => {}, { validator: () => { let s = 'x'; for (;;) s += s; } });
  await condition(() => go);
  return 'done';
}`)
	p.startWorker()
	run := p.startWith(quickTasks, "run")
	if _, err := p.tryQuery(run, "hoards"); err == nil || !strings.Contains(err.Error(), MaxMemorySetting) {
		t.Errorf("the query: %v", err)
	}
	p.until("it answers others", func() bool { got, err := p.tryQuery(run, "version"); return err == nil && got == `"one"` })
	go func() { // it is never accepted
		_, _ = p.c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: "update", WaitForStage: client.WorkflowUpdateStageAccepted,
		})
	}()
	p.until("the validator is cut off", func() bool { return slices.Contains(p.seen.failures(), wire.ReasonMemory) })
	p.end(run)
}

// What an execution keeps of many tasks is found out by a replay, which is strict.
func TestWhatIsKeptOfManyTasksCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the blame is divided by the time that it takes
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{})
	counted(0, p)
	p.opts.TaskTimeout = 8 * time.Second
	p.deploy(`
export async function run() {
  const kept: any[] = [];
  setHandler(defineSignal('more'), () => { for (let i = 0; i < 40000; i++) kept.push({ i }); });
  setHandler(defineQuery('kept'), () => kept.length);
  await condition(() => false);
}`)
	p.startWorker()
	run := p.startWith(quickTasks, "run")
	last := p.query(run, "kept")
	p.signal(run, "more", nil)
	p.until("it was cut off", func() bool {
		if slices.Contains(p.seen.failures(), wire.ReasonMemory) {
			return true
		}
		if now, err := p.tryQuery(run, "kept"); err == nil && now != last { // one task after the other
			last = now
			p.signal(run, "more", nil)
		}
		return false
	})
	p.end(run)
}

// A process that is short of memory lets go of what rests, and its executions go on by a replay.
func TestCachedExecutionsAreLetGoOf(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
	p.deploy(waiting("one", `await sleep(1);`) + `
export async function local() {
  const { waits } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s' });
  return waits();
}`)
	release := make(chan struct{})
	p.opts.LocalActivity = func(context.Context, LocalActivity, *commonpb.Payloads) (*commonpb.Payloads, error) {
		<-release
		return nil, nil
	}
	p.startWorker()
	s := p.codes.Runtimes
	var runs []client.WorkflowRun
	for range 3 {
		run := p.start("run")
		p.query(run, "version")
		runs = append(runs, run)
	}
	local := p.start("local")
	count := func() int {
		s.residents.mu.Lock()
		defer s.residents.mu.Unlock()
		return len(s.residents.all)
	}
	p.until("all are there", func() bool { return count() == 4 })
	if freed := s.LetGo(1); freed != restingBytes || count() != 3 {
		t.Errorf("%d bytes, %d are left", freed, count())
	}
	if freed := s.LetGo(1 << 40); freed == 0 || count() > 1 {
		t.Errorf("%d bytes, %d are left", freed, count())
	}
	close(release)
	for _, run := range runs {
		p.signal(run, "go", nil)
		if got := p.result(run); got != `"one"` {
			t.Errorf("got %s", got)
		}
		if n := len(p.taskFailures(run)); n > 0 {
			t.Errorf("%d tasks failed", n)
		}
	}
	if _, err := p.outcome(local); err != nil {
		t.Error(err)
	}
}

// What is in the midst of a task is not let go of: a local activity that it is about to start would
// be started again by the replay.
func TestWhatWorksIsNotLetGoOf(t *testing.T) {
	t.Parallel()
	m := newMachine()
	c := &Code{suspects: &suspects{}, residents: &residents{}}
	in := &instance{machine: m, code: c}
	m.pool, m.globals = &pool{}, map[*instance]*goja.Object{in: nil}
	c.residents.add(in)
	in.working.Store(true)
	if freed := in.letGo(); freed != 0 || len(m.globals) != 1 || len(c.residents.all) != 1 {
		t.Errorf("%d bytes; %d places, %d residents", freed, len(m.globals), len(c.residents.all))
	}
	in.working.Store(false)
	if freed := in.letGo(); freed == 0 || len(m.globals) != 0 || len(c.residents.all) != 0 {
		t.Errorf("afterwards: %d bytes; %d places, %d residents", freed, len(m.globals), len(c.residents.all))
	}
}

// What is big and rests for long goes first.
func TestWhoRestsLongestAndKeepsMostIsLetGoOfFirst(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var r residents
	in := func(rests time.Duration) *instance {
		x := &instance{}
		x.left.Store(now.Add(-rests).UnixNano())
		r.add(x)
		return x
	}
	short, long, runs, busy := in(time.Second), in(time.Minute), in(time.Hour), in(time.Hour)
	runs.inside.Store(true)
	busy.busy = &atomic.Bool{}
	busy.busy.Store(true)
	found := r.resting(now)
	if len(found) != 2 || found[0].in != long || found[1].in != short {
		t.Errorf("%d are let go of, in the wrong order", len(found))
	}
}

// deep goes deeper than code may, and no deeper than any engine could bear.
const deep = `let n = 0; const deep = (f: () => any): any => (++n > 3000 ? [] : f()); `

// hostile is what code may do to its neighbours beside hoarding, in the body of a function.
var hostile = map[string]string{
	"recursion by conversion":   deep + `const o: any = { toString: () => deep(() => '' + o) }; '' + o;`,
	"recursion by sorting":      deep + `const f = (): any => deep(() => [2, 1].sort(f)); f();`,
	"recursion by replacing":    deep + `const f = (): any => deep(() => 'a'.replace(/a/, f)); f();`,
	"recursion by getters":      deep + `const o: any = { get x() { return deep(() => this.x); } }; o.x;`,
	"recursion by proxies":      deep + `const p: any = new Proxy({}, { get: (_, k) => deep(() => p[k]) }); p.x;`,
	"recursion by JSON":         deep + `const o: any = { toJSON: () => deep(() => JSON.stringify(o)) }; JSON.stringify(o);`,
	"recursion by reviving":     deep + `const f = (): any => deep(() => JSON.parse('[1]', f)); f();`,
	"recursion by mapping":      deep + `const f = (): any => deep(() => [1].map(f)); f();`,
	"recursion by Array.from":   deep + `const f = (): any => deep(() => Array.from([1], f)); f();`,
	"recursion by Reflect":      deep + `const f = (): any => deep(() => Reflect.apply(f, null, [])); f();`,
	"recursion by binding":      `let f: any = () => 0; for (let i = 0; i < 5000; i++) f = f.bind(null); f();`,
	"recursion by iterating":    deep + `const o: any = { [Symbol.iterator]: () => deep(() => [...o][Symbol.iterator]()) }; [...o];`,
	"recursion by generators":   deep + `const g = function* (): any { yield* deep(g); }; [...g()];`,
	"recursion by destructured": deep + `const o: any = { get x() { return deep(() => { const { x } = o; return x; }); } }; const { x } = o;`,
	"recursion by awaiting":     deep + `const f = async (): Promise<void> => { await deep(f); }; await f();`,
	"thenables without end":     `const o: any = { then(r: any) { r(o); } }; await o;`,
	"catastrophic pattern":      `for (;;) /((a+)+)+$/.test('a'.repeat(28) + 'b');`,
	"pattern in a replacement":  `for (;;) 'a'.repeat(50).replace(/(a|aa)+$/g, (s) => s + 'b').match(/(b|bb)*c/);`,
	"endless generator":         `function* g() { for (;;) yield 1; } for (const _ of g());`,
	"endless iterator":          `const o: any = { [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }; Array.from(o);`,
	"proxy without end":         `const p: any = new Proxy([], { get: (_, k) => (k === 'length' ? 2 ** 40 : 1), has: () => true }); [].concat.call([], Array.prototype.slice.call(p, 0, 1e7)); for (;;) p.indexOf;`,
	"getter during conversion":  `const o = { get valueOf() { for (;;); } }; +o!;`,
	"huge BigInts":              `let x = 3n; for (;;) x *= x;`,
	"BigInt to text":            `const x = 1n << 4000000n; for (;;) x.toString();`,
	"loop":                      `for (;;);`,
	"microtasks":                `for (;;) await null;`,
	"commands":                  `const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m' }); for (;;) echo();`,
	"timers":                    `for (;;) sleep('1 day');`,
	"conditions":                `for (;;) condition(() => false);`,
	"metrics":                   `for (let i = 0; ; i++) wf.metricMeter.createCounter('c' + i).add(1, { tag: 'x'.repeat(1000) });`,
	"log":                       `for (;;) log.info('x'.repeat(1000), { more: 'y'.repeat(1000) });`,
	"console":                   `for (;;) console.log('x'.repeat(1000));`,
	"large message":             `throw new Error('x'.repeat(8 << 20));`,
	"large causes":              `let e: any; for (let i = 0; i < 10; i++) e = new Error('x'.repeat(4 << 20), { cause: e }); throw e;`,
	"large rejection":           `Promise.reject(new Error('x'.repeat(8 << 20))); await sleep(1);`,
	"large type":                `const e = new Error('x'); e.name = 'N'.repeat(8 << 20); throw e;`,
	"payloads":                  `const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m' }); for (let i = 0; i < 8; i++) echo('x'.repeat(1 << 20)); await sleep(1);`,
}

// Not parallel: it looks at the memory of the process.
func TestNothingAWorkflowDoesEndsOrStallsANeighbour(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // it is about load
	bad, good := neighbours(t)
	counted(0, bad, good)
	for _, p := range []*project{bad, good} {
		p.codes.Budget.Bytes = 128 << 20
	}
	good.deploy(`export async function steps(n: number) { for (let i = 0; i < n; i++) await sleep(1); return n; }`)
	var text strings.Builder
	names := map[string]string{}
	for name, body := range hostile {
		names[name] = "hostile" + strconv.Itoa(len(names))
		fmt.Fprintf(&text, "export async function %s() { %s }\n", names[name], body)
	}
	bad.deploy(text.String())
	bad.startWorker()
	good.startWorker()
	for name, function := range names {
		t.Run(name, func(t *testing.T) {
			before, lines := rss(t), len(bad.seen.logged())
			peak, stop := peakOf(t)
			steps, run := good.start("steps", 1), bad.start(function)
			var f *failurepb.Failure
			bad.until("its task failed", func() bool {
				for _, e := range bad.history(run).Events {
					if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil {
						f = a.GetFailure()
					}
				}
				return f != nil
			})
			if got := good.result(steps); got != "1" {
				t.Errorf("the neighbour's result %s", got)
			}
			if n := len(good.taskFailures(steps)); n > 0 {
				t.Errorf("%d tasks of the neighbour's failed", n)
			}
			bad.end(run)
			stop()
			written := 0
			for _, line := range bad.seen.logged()[lines:] {
				written += len(line)
			}
			t.Logf("%d MB more, %d KB logged: %.200s", (peak.Load()-before)>>20, written>>10, firstLine(f.GetMessage()))
			if size := proto.Size(f); size > 2<<20 {
				t.Errorf("the failure has %d bytes", size)
			}
			if written > 16<<20 { // a thousand lines of each attempt
				t.Errorf("%d MB were logged", written>>20)
			}
			if peak.Load() > before+512<<20 {
				t.Errorf("the process took %d MB more", (peak.Load()-before)>>20)
			}
		})
	}
	if got := good.seen.failures(); len(got) > 0 {
		t.Errorf("failed tasks of the neighbour: %v", got)
	}
}
