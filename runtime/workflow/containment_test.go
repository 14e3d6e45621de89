package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/runtime/sandbox"
)

// One execution runs for ever; it shares its runtime with one that waits, one that is queried and
// one that starts later.
func TestEndlessCodeFailsItsTaskAndHarmsNobody(t *testing.T) {
	t.Parallel()
	for name, spin := range map[string]string{
		"loop":       `while (true) {}`,
		"later":      `await sleep(1); while (true) {}`,
		"microtasks": `for (;;) await null;`,
		"recursion":  `const f = async (n: number): Promise<number> => await f(n + 1) + 1; await sleep(1); await f(0);`,
		"expression": `/((a+)+)+$/.test('a'.repeat(28) + 'b');`,
		"finally":    `try { while (true) {} } finally { while (true) {} }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unstarted(t)
			p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
			p.opts.TaskTimeout = 300 * time.Millisecond
			p.deploy(waiting("one", `await sleep(1);`) + `export async function spins() { ` + spin + ` }`)
			p.startWorker()
			waits, asked := p.start("run"), p.start("run")
			for _, r := range []string{p.query(waits, "version"), p.query(asked, "version")} {
				if r != `"one"` {
					t.Errorf("query %s", r)
				}
			}
			before := time.Now()
			spins := p.start("spins")
			p.until("the task failed", func() bool { return len(p.taskFailures(spins)) > 0 })
			if took := time.Since(before); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			// The query of one that was cached beside it fails once, and the next finds it
			// replayed.
			p.until("the query is answered", func() bool { got, err := p.tryQuery(asked, "version"); return err == nil && got == `"one"` })
			later := p.start("run")
			p.signal(waits, "go", nil)
			p.signal(asked, "go", nil)
			p.signal(later, "go", nil)
			if got := p.result(waits) + p.result(asked) + p.result(later); got != `"one""one""one"` {
				t.Errorf("results %s", got)
			}
			// It tries again, on a runtime of its own: the one that came later noticed nothing.
			p.until("it tried again", func() bool { return len(p.seen.failures()) > 1 })
			if n := len(p.taskFailures(later)); n != 0 {
				t.Errorf("%d tasks of the later one failed", n)
			}
			p.end(spins)
		})
	}
}

func TestCancellingWithoutEndFailsTheTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.opts.TaskTimeout = 50 * time.Millisecond
	p.deploy(`
export async function run() {
  const { echo } = proxyActivities<any>({ startToCloseTimeout: '1s' });
  for (;;) {
    const scope = new CancellationScope();
    const done = scope.run(() => echo(1));
    scope.cancel();
    await done.catch(() => {});
  }
}`)
	p.startWorker()
	run, f := p.waitTaskFailure("run")
	if !strings.Contains(f.GetMessage(), "came to no end within 500ms") && !strings.Contains(f.GetMessage(), "was interrupted") {
		t.Errorf("message %q", f.GetMessage())
	}
	p.end(run)
}

func TestEndlessModuleFailsTheCheckAndTheTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.CheckTimeout = 200 * time.Millisecond
	program := p.compiled(`export async function run() {}; while (true) {}`)
	_, err := NewCode(program, p.codes).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "ran for longer than 200ms") {
		t.Errorf("check: %v", err)
	}
}

func TestCheckNamesTheFunctionsOrWhatTheModuleThrew(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	found, err := NewCode(p.compiled(`
const acts = proxyActivities<any>({ startToCloseTimeout: '1s' });
export const made = ((f: any) => f)(async () => 1);
export const go = defineSignal('go');
const born = Date.now() + Math.random();
export default async function run() { return born; }`), CodeOptions{}).Check(t.Context())
	names := found.Functions
	slices.Sort(names)
	if err != nil || fmt.Sprint(names) != "[default made]" {
		t.Errorf("names %v, %v", names, err)
	}
	_, err = NewCode(p.compiled("\n\nexport async function run() {}\nconst x: any = undefined;\nx.y;\n"), CodeOptions{}).Check(t.Context())
	var thrown *sandbox.Thrown
	if !errors.As(err, &thrown) || thrown.File != "test.ts" || thrown.Line != 10 || !strings.Contains(thrown.Message, "TypeError") {
		t.Errorf("error %#v", err)
	}
}

// Executions of one runtime share its builtins and nothing else.
func TestExecutionsDontSeeEachOthersGlobals(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Runtimes = NewRuntimes(RuntimesOptions{Shared: 1})
	p.deploy(`
let moduleState = 0;
const attempt = (f: () => void) => { 'use strict'; try { f(); return 'done'; } catch (e: any) { return e.name; } };
export async function run(mine: string) {
  'use strict';
  const g: any = globalThis;
  const found = [g.left, g[Symbol.for('left')], moduleState++, ([] as any).left, ({} as any).left, (wf as any).left, (ApplicationFailure as any).left, Object.keys(g).join()];
  g.left = mine;
  g[Symbol.for('left')] = mine;
  const tampered = [
    attempt(() => { (Array.prototype as any).left = mine; }),
    attempt(() => { (Object.prototype as any).left = mine; }),
    attempt(() => { Object.defineProperty(Array.prototype, 'map', { value: () => mine }); }),
    attempt(() => { (Math as any).max = () => mine; }),
    attempt(() => { (ApplicationFailure as any).left = mine; }),
    attempt(() => { Object.getPrototypeOf(g).left = mine; }),
    attempt(() => { (JSON as any).parse = () => mine; }),
    ...[Array.prototype.map, Array.prototype.sort, [][Symbol.iterator], ''.repeat, Math.max, parseInt, RegExp.prototype.exec, Number.isInteger,
      Object.getOwnPropertyDescriptor(Map.prototype, 'size')!.get!, [].values().next, Reflect.ownKeys, Date.now, /a/.constructor,
      (async () => {}).constructor, Object.getPrototypeOf(Uint8Array).prototype.set, Promise.resolve, Symbol.for, BigInt.asIntN, ''.at, setTimeout]
      .map((f: any) => attempt(() => { f.left = mine; })),
  ];
  g.console = { log: () => {} };
  await sleep(20);
  return { found, mine: g.left, tampered: [...new Set(tampered)], console: Object.keys(g.console).length };
}
export async function allowed() {
  'use strict';
  class Mine extends Error { constructor() { super('m'); this.name = 'Mine'; } }
  const plain: any = {};
  plain.toString = () => 'own';
  plain.constructor = 1;
  const list: any = [];
  list.map = 2;
  const e = new Mine();
  e.message = 'changed';
  const viaPrototype: any = Object.create({ a: 1 });
  viaPrototype.hasOwnProperty = 3;
  return [e.name, e.message, String(plain), Object.keys(plain), list.map, viaPrototype.hasOwnProperty, e.toString(), Object.prototype.toString.call([]), [1].map(String)];
}`)
	p.startWorker()
	first, second := p.start("run", "a"), p.start("run", "b")
	for run, mine := range map[string]string{p.result(first): "a", p.result(second): "b"} {
		want := `{"found":[null,null,0,null,null,null,null,""],"mine":"` + mine + `","tampered":["TypeError"],"console":1}`
		if run != want {
			t.Errorf("got  %s\nwant %s", run, want)
		}
	}
	if got := p.run("allowed"); got != `["Mine","changed","own",["toString","constructor"],2,3,"Mine: changed","[object Array]",["1"]]` {
		t.Errorf("ordinary assignments: %s", got)
	}
}

// A stopped project's executions stay in the SDK's cache; what they hold of the runtimes must not.
func TestDiscardLetsGoOfTheRuntimesAndTheirExecutionsReplay(t *testing.T) {
	t.Parallel()
	for name, isolated := range map[string]bool{"shared": false, "own": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unstarted(t)
			p.codes = CodeOptions{Runtimes: NewRuntimes(RuntimesOptions{}), Isolated: isolated}
			code := p.deploy(waiting("one", `await sleep(1);`))
			p.startWorker()
			run := p.start("run")
			p.until("it runs", func() bool { return strings.Contains(p.events(run), "MarkerRecorded") })
			pool := code.own
			if !isolated {
				pool = p.codes.Runtimes.pool
			}
			pool.mu.Lock()
			v := pool.machines[0]
			pool.mu.Unlock()
			code.Discard()
			v.keptMu.Lock()
			if len(v.globals) > 0 || len(v.modules) > 0 || isolated && v.vm != nil {
				t.Error("the runtime is still held")
			}
			v.keptMu.Unlock()
			p.signal(run, "go", nil)
			if got := p.result(run); got != `"one"` {
				t.Errorf("got %s", got)
			}
		})
	}
}
