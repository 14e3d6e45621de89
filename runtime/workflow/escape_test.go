package workflow

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow/wire"
)

// walk visits all that code can reach without calling anything: what it hands out are the objects.
const walk = `
function walk(visit: (o: any, path: string) => void) {
  const seen = new Set<any>();
  const called = new Set<any>(); // getters: some give something new each time
  const queue: [any, string][] = [];
  const add = (o: any, path: string) => {
    if ((typeof o === 'object' && o !== null || typeof o === 'function') && !seen.has(o)) { seen.add(o); queue.push([o, path]); }
  };
  add(globalThis, 'global'); add(wf, 'wf'); add(console, 'console');
  add((globalThis as any).__TEMPORAL_ACTIVATOR__, 'activator');
  for (const n of ['@temporalio/common', 'nexus-rpc', '@temporalio/common/lib/encoding', '@temporalio/common/lib/errors', '@temporalio/common/lib/failure',
    '@temporalio/common/lib/time', '@temporalio/common/lib/search-attributes', '@temporalio/common/lib/converter/payload-converter', 'assert', 'url', 'util'])
    add(required(n), n);
  for (const [o, n] of [[function* () {}, 'generator'], [async () => {}, 'async'], [async function* () {}, 'async generator'], [[].values(), 'array iterator'],
    [new Map().entries(), 'map iterator'], [new Set().values(), 'set iterator'], ['a'.matchAll(/a/g), 'matches'], [''[Symbol.iterator](), 'string iterator'],
    [[].values().map((x) => x), 'iterator helper'], [new Error('x'), 'error'], [1n, 'bigint'], [Symbol.iterator, 'symbol'], [wf.workflowInfo(), 'info'], [/x/g, 'expression'],
    [Promise.resolve(), 'promise'], [(globalThis as any).AsyncLocalStorage, 'storage'], [required, 'require'], [((s: any) => s)` + "`x`" + `, 'template']] as any[]) { add(o, n); add(Object.getPrototypeOf(Object(o)), n + "'s prototype"); }
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [o, path] = next;
    if (seen.size > 30000) throw new Error('no end: ' + path.slice(0, 500));
    try { visit(o, path); } catch {}
    let keys: any[] = [];
    try { keys = Reflect.ownKeys(o); add(Object.getPrototypeOf(o), path + '.__proto__'); } catch {}
    for (const k of keys) {
      let d: any;
      try { d = Reflect.getOwnPropertyDescriptor(o, k); } catch { continue; }
      if (!d) continue;
      const at = path + '.' + String(k);
      add(d.value, at); add(d.get, at + ' get'); add(d.set, at + ' set');
      if (d.get && !called.has(d.get)) { called.add(d.get); try { add(o[k], at); } catch {} }
    }
    try { if (o instanceof Map) o.forEach((v: any, k: any) => { add(k, path + ' key'); add(v, path + '[' + String(k) + ']'); }); } catch {}
    try { if (o instanceof Set) o.forEach((v: any) => add(v, path + ' element')); } catch {}
  }
}
`

// Each pair is what the execution of one project leaves, and how that of another, of the same text
// and on the same runtime, would find it. Nothing is the only good answer.
func TestProjectsOfARuntimeDontSeeEachOther(t *testing.T) {
	t.Parallel()
	for name, tried := range map[string]struct{ leave, look string }{
		"the module's state": {`kept = 'left'; list.push('left');`, `return kept + list.join()`},
		"globals":            {`g.left = 1; Object.defineProperty(g, 'left2', { value: 1 });`, `return ['left', 'left2'].filter((n) => n in g).join()`},
		"symbols' globals":   {`g[Symbol.for('left')] = 1; g[Symbol.iterator] = 1; g[Symbol.toStringTag] = 'left';`, `return [Symbol.for('left'), Symbol.iterator].filter((s) => s in g).map(String).join() + (g[Symbol.toStringTag] === 'left' ? 'left' : '')`},
		"variables of eval":  {`(0, eval)('var leftVar = 1; function leftFunction() {}; let leftLet = 1; const leftConst = 1; class LeftClass {}'); new Function('leftSloppy = 1')();`, `return ['leftVar', 'leftFunction', 'leftLet', 'leftConst', 'LeftClass', 'leftSloppy'].filter((n) => (0, eval)('typeof ' + n) !== 'undefined').join()`},
		"declarations of eval": {`(0, eval)('var a1 = 1'); try { (0, eval)('let a2 = 1') } catch {}`,
			`return ['let a1 = 2; a1', 'var a2 = 2; a2', 'const a1 = 2; a1'].filter((s) => { try { return (0, eval)(s) !== 2 } catch { return true } }).join()`},
		"reassigned globals": {`g.parseInt = () => 7; g.Math = {}; g.Set = 1; g.URL = 1; g.console = 1; g.undefined2 = 1; try { (0, eval)('parseFloat = () => 7') } catch {}`,
			`return [parseInt('1') !== 1, typeof Math.max !== 'function', typeof Promise !== 'function', typeof URL !== 'function', typeof console.log !== 'function', parseFloat('1') !== 1].map((b, i) => b ? i : '').join('')`},
		"deleted globals": {`for (const n of ['parseInt', 'Math', 'URL', 'console', 'globalThis', '__TEMPORAL_ACTIVATOR__']) for (let o = g; o; o = Object.getPrototypeOf(o)) try { if (o !== g || n !== '__TEMPORAL_ACTIVATOR__' && n !== 'globalThis') delete o[n] } catch {}`,
			`return [typeof parseInt, typeof Math, typeof URL, typeof console, typeof globalThis, typeof g.__TEMPORAL_ACTIVATOR__].filter((s) => s === 'undefined').join()`},
		"setters of globals": {`for (const n of ['URL', 'TextEncoder', 'structuredClone', 'atob']) for (let o = g; o; o = Object.getPrototypeOf(o)) { const d = Object.getOwnPropertyDescriptor(o, n); for (const self of [undefined, null, 1, o, Object.getPrototypeOf(g)]) try { d!.set!.call(self, 'left') } catch {} }`,
			`return ['URL', 'TextEncoder', 'structuredClone', 'atob'].filter((n) => g[n] === 'left').join()`},
		"the global's prototypes":  {`for (let o = Object.getPrototypeOf(g); o; o = Object.getPrototypeOf(o)) try { o.left = 1; Object.defineProperty(o, 'left', { value: 1 }) } catch {} try { Object.setPrototypeOf(Object.getPrototypeOf(g), { left: 1 }) } catch {}`, `return 'left' in g ? 'left' : ''`},
		"prototypes of prototypes": {`for (const f of [Object, Array, Function, Promise, Map, Error, RegExp, wf.ApplicationFailure, wf.CancellationScope, wf.Trigger] as any[]) for (const o of [f, f.prototype]) try { Object.setPrototypeOf(o, { left: 1 }) } catch {}`, `return ['left' in Object, 'left' in [], 'left' in wf.Trigger, 'left' in Promise.prototype].includes(true) ? 'left' : ''`},
		"stacks": {`try { (Error as any).prepareStackTrace = () => 'left' } catch {} (Error as any).stackTraceLimit = 1;`,
			`return ((Error as any).prepareStackTrace ? 'left' : '') + (Error.stackTraceLimit === 10 ? '' : 'limit') + (new Error('x').stack === 'left' ? 'left' : '')`},
		"what expressions matched": {`/(le)(ft)/.exec('left'); 'left'.replace(/ef/, '');`, `const r = RegExp as any; return ['$1', '$2', '$_', '$&', 'lastMatch', 'input', 'lastParen', 'leftContext'].filter((n) => r[n] !== undefined && r[n] !== '').join()`},
		"lastIndex":                {`expression.exec('aaa'); literal().exec('aaa');`, `return expression.lastIndex + literal().lastIndex === 0 ? '' : 'left'`},
		"lists that builtins give": {`for (const f of lists) try { f().push('left') } catch {} for (const f of lists) try { f()[0] = 'left' } catch {}`, `return lists.map((f) => { try { return f().includes('left') ? 'left' : '' } catch { return '' } }).join('')`},
		"stored along promises":    {`for (const s of storages()) try { s.enterWith('left') } catch {}`, `return storages().map((s) => { try { return s.getStore() === 'left' ? 'left' : '' } catch { return '' } }).join('')`},
		"what runs later":          {`void Promise.resolve().then(() => { g.left = 1 }).then(() => { kept = 'left' }); queueMicrotask(() => { g.left = 2 }); setTimeout(() => { g.left = 3 }, 1); void wf.condition(() => g.left === 9).then(() => { g.left = 4 });`, `return 'left' in g ? 'left' : kept`},
		"memory that tells":        {`for (let i = 0; i < 100; i++) Symbol.for('left' + i);`, `return ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer'].filter((n) => { try { new g[n](n === 'WeakRef' ? {} : () => 1); return true } catch { return false } }).join()`},
		"bytes that the package keeps": {`const c = wf.defaultPayloadConverter; for (const v of [new Uint8Array(1), undefined, 1]) for (const b of Object.values((c as any).toPayload(v).metadata)) (b as any).fill(47); for (const b of Object.values((g.__TEMPORAL_ACTIVATOR__.payloadConverter.toPayload(undefined)).metadata)) (b as any).fill(47)`,
			`const found: any[] = []; for (const c of [wf.defaultPayloadConverter, g.__TEMPORAL_ACTIVATOR__.payloadConverter] as any[]) for (const v of [new Uint8Array(1), undefined, 1]) found.push(...Object.values(c.toPayload(v).metadata).map((b: any) => b[0])); return found.includes(47) ? 'left' : ''`},
		"what the package keeps": {`const a = g.__TEMPORAL_ACTIVATOR__; for (const m of [a.knownPresentPatches, a.sinkCalls, a.interceptors, a.knownFlags, a.registeredActivityNames]) { try { m.left = 1; m.has = () => 'left'; m.push = () => 'left' } catch {} try { m.add(4711) } catch {} }`, `const a = g.__TEMPORAL_ACTIVATOR__; return [a.knownPresentPatches, a.sinkCalls, a.interceptors, a.knownFlags, a.registeredActivityNames].map((m, i) => m.left || (m.has && m.has('4711') === 'left') || i === 3 && m.has(4711) ? i : '').join('')`},
		"whatever can be reached": {`const mark = Object.freeze({ left: 1 });
			walk((o) => {
				if (o === g || o === g.__TEMPORAL_ACTIVATOR__) return;
				for (const f of [() => { o.left = 1 }, () => { o[Symbol.for('left')] = 1 }, () => Object.defineProperty(o, 'left', { value: 1 }), () => Object.setPrototypeOf(o, mark),
					() => Map.prototype.set.call(o, 'left', 1), () => Set.prototype.add.call(o, 'left'), () => Date.prototype.setTime.call(o, 4711), () => { if (o instanceof RegExp) o.lastIndex = 4711 },
					() => { if (ArrayBuffer.isView(o)) (o as any).fill(47) }, () => { if (Array.isArray(o)) o.push('left') }, () => { if (o instanceof ArrayBuffer) new Uint8Array(o).fill(47) }])
					try { f() } catch {}
			});`,
			`const found: string[] = []; walk((o, path) => {
				const has = (f: () => any) => { try { return f() } catch { return false } };
				if (o === g) return;
				if (Object.hasOwn(o, 'left') || Object.hasOwn(o, Symbol.for('left')) || has(() => Map.prototype.has.call(o, 'left')) || has(() => Set.prototype.has.call(o, 'left')) ||
					has(() => Date.prototype.getTime.call(o) === 4711) || o instanceof RegExp && o.lastIndex === 4711 || Array.isArray(o) && o.includes('left') ||
					ArrayBuffer.isView(o) && (o as any)[0] === 47) found.push(path);
			}); return found.slice(0, 20).join()`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := `import * as wf from '@temporalio/workflow';
declare const require: any;
const required = (n: string) => { try { return require(n) } catch { return undefined } };
const g: any = globalThis;
let kept = ''; const list: string[] = []; const expression = /a/g; const literal = () => /a/g;
const lists: (() => any[])[] = [() => (Intl as any).supportedValuesOf('currency'), () => (Intl as any).getCanonicalLocales('en'), () => Object.keys(wf), () => Reflect.ownKeys(Math), () => new Intl.DateTimeFormat('en').formatToParts(0)];
const storages = (): any[] => [g.AsyncLocalStorage && new g.AsyncLocalStorage(), wf.CancellationScope.current, ...Object.values(wf).filter((v: any) => v && typeof v.getStore === 'function')].filter((s) => s && typeof s.getStore === 'function');
` + walk + `
export async function leaves() { try { ` + tried.leave + ` } catch (e: any) { problem = String(e) } wf.setHandler(wf.defineQuery('look'), () => problem); await wf.condition(() => false); }
let problem = '';
export async function looks() { const got = ((): any => { ` + tried.look + ` })(); wf.setHandler(wf.defineQuery('look'), () => got); await wf.condition(() => false); }`
			s := NewRuntimes(RuntimesOptions{Shared: 1})
			defer s.Close()
			first, second := onRuntimes(t, s, text), onRuntimes(t, s, text)
			one := begun(first, "leaves")
			defer one.Close()
			broke := func() (broke any) { // what it does may be too much for itself
				defer func() { broke = recover() }()
				one.OnWorkflowTaskStarted(0)
				return nil
			}()
			if broke == nil {
				if got := asked(t, one); got != `""` && !strings.Contains(got, "TypeError: Cannot") {
					t.Fatalf("the attempt itself failed: %s", got)
				}
			} else if _, failed := broke.(*wire.TaskFailure); !failed {
				t.Fatal(broke)
			}
			other := second.waits("looks")
			defer other.Close()
			if one.in.machine != other.in.machine || one.in.code == other.in.code {
				t.Fatal("they don't share a runtime")
			}
			if got := asked(t, other); got != `""` {
				t.Errorf("found %s", got)
			}
		})
	}
}

// onRuntimes is a project without a worker, whose executions are definitions alone.
func onRuntimes(t testing.TB, s *Runtimes, text string) *project {
	t.Helper()
	comp := compile.New(compile.Config{})
	t.Cleanup(comp.Close)
	program, err := comp.Compile(t.Context(), compile.Source{Name: "escape.ts", Kind: compile.Workflow, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, current: map[string]target{}, known: map[string]*Code{}, seen: &observations{}}
	p.opts = Options{ProjectID: "p1", Resolver: p, TaskTimeout: 20 * time.Second} // some walk through all there is
	code := NewCode(program, CodeOptions{Runtimes: s})
	p.known[code.Hash()] = code
	functions, _ := program.Functions()
	for _, n := range functions {
		p.current[n] = target{code, n}
	}
	return p
}

func (p *project) waits(workflowType string) *definition {
	p.t.Helper()
	return waitingFor(p.t, p, workflowType)
}

// asked gives the answer to the query "look".
func asked(t testing.TB, d *definition) string {
	t.Helper()
	answer, err := d.query("look", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return answerText(answer)
}

func answerText(p *commonpb.Payloads) string {
	raw := string(p.GetPayloads()[0].GetData())
	var s string
	if json.Unmarshal([]byte(raw), &s) == nil {
		return `"` + strings.TrimSpace(s) + `"`
	}
	return raw
}
