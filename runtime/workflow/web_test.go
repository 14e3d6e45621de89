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
  () => { Object.defineProperty(URL.prototype, 'href', { get: () => 'mine' }); },
];
export async function run() {
  const thrown = tamper.map((f) => { try { f(); return 'changed'; } catch (e: any) { return e.name; } });
  (globalThis as any).URL = class Mine {};
  return [thrown.filter((x) => x !== 'TypeError'), URL.name];
}
export async function after() {
  return [typeof new URL('http://a/').href, URL.name];
}
declare const assert: any;`)
	want(t, p.run("run"), `[[],"Mine"]`)
	want(t, p.run("after"), `["string","URL"]`)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if !jsonEqual(t, got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
