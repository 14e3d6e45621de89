package workflow

import "testing"

func TestTheWebsGlobalsAreThereForWorkflows(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
import assert, { AssertionError } from 'node:assert';
import { URL as U } from 'url';
import { TextEncoder as E } from 'util';
export async function run() {
  const seen: any[] = [];
  const signal = AbortSignal.any([AbortSignal.timeout(10), new AbortController().signal]);
  signal.addEventListener('abort', (e) => seen.push(e.type, e.timeStamp === Date.now()));
  const late = await new Promise<any>((resolve) => { signal.onabort = () => resolve(signal.reason.name); });
  queueMicrotask(() => seen.push('microtask'));
  await null;
  assert.deepStrictEqual({ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] });
  assert.throws(() => assert.deepEqual({ a: 1 }, { a: 2 }), AssertionError);
  await assert.rejects(async () => { throw new TypeError('x'); }, /TypeError: x/);
  return [seen, late, U === URL, E === TextEncoder, new URL('/b?q=1', 'https://x.org').href, structuredClone({ d: new Date(5) }).d.getTime(), atob(btoa('hi'))];
}`)
	want(t, p.run("run"), `[["abort",true,"microtask"],"TimeoutError",true,true,"https://x.org/b?q=1",5,"hi"]`)
	p.replayAll()
}

// What is made late hangs from the runtime, which executions share.
func TestGlobalsThatAreMadeLateCanNotBeTamperedWith(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const tamper: Array<() => void> = [
  () => { (URL.prototype as any).leak = 1; },
  () => { (URLSearchParams.prototype.append as any).leak = 1; },
  () => { (Object.getPrototypeOf(new URLSearchParams('a=1').entries()) as any).leak = 1; },
  () => { (AbortSignal as any).leak = 1; },
  () => { (assert as any).leak = 1; },
  () => { (assert.strict as any).equal = () => {}; },
  () => { (structuredClone as any).leak = 1; },
  () => { (Intl as any).leak = 1; },
  () => { (Intl.NumberFormat.prototype.formatToParts as any).leak = 1; },
  () => { (TextDecoder.prototype.decode as any).leak = 1; },
];
export async function run() {
  const define = Object.defineProperty;
  for (const name of ['Error', 'WeakMap']) define(globalThis, name, { value: class Evil {}, configurable: true });
  const thrown = tamper.map((f) => { try { f(); return 'changed'; } catch (e: any) { return e.name; } });
  define(globalThis, 'URL', { value: class Mine {} });
  return [thrown.filter((x) => x !== 'TypeError'), URL.name];
}
export async function after() {
  return [typeof new URL('http://a/').href, URL.name, new DOMException('x') instanceof Error, new Intl.NumberFormat().format(1)];
}
declare const assert: any;`)
	want(t, p.run("run"), `[[],"Mine"]`)
	want(t, p.run("after"), `["string","URL",true,"1"]`)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if !jsonEqual(t, got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
