package workflow

import "testing"

// The current scope, the update's identity and what user code keeps in an AsyncLocalStorage follow
// await, whatever else runs in between.
func TestContextFollowsAwait(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { echo } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run() {
  const storage = new wf.AsyncLocalStorage<string>();
  const out: any[] = [];
  const branch = async (name: string, ms: number) => {
    await sleep(ms);
    await echo(name);
    await Promise.all([Promise.resolve(), sleep(1)]);
    out.push(name + '=' + storage.getStore());
  };
  await Promise.all([storage.run('one', () => branch('a', 20)), storage.run('two', () => branch('b', 10)), branch('c', 15)]);
  return [out.sort(), storage.getStore() ?? null];
}`)
	if got := p.run("run"); got != `[["a=one","b=two","c=undefined"],null]` {
		t.Errorf("got %s", got)
	}
}

func TestCancellationScopes(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const caught = async (f: () => Promise<any>) => { try { return await f(); } catch (e: any) { return (isCancellation(e) ? 'cancelled: ' : 'failed: ') + e.message; } };
export async function run() {
  const out: any[] = [];
  // Only what runs inside is cancelled, two levels down too.
  let inner: any;
  const outer = new CancellationScope();
  const done = outer.run(async () => {
    inner = CancellationScope.cancellable(async () => { await sleep(1); await sleep('1 hour'); });
    await inner;
  });
  const beside = sleep(40).then(() => 'beside went on');
  await sleep(10);
  outer.cancel();
  out.push(await caught(() => done), await beside, outer.consideredCancelled);
  // A shield, and a scope that is cancelled before anything runs in it.
  const shielded = new CancellationScope();
  const kept = shielded.run(() => CancellationScope.nonCancellable(async () => { await sleep(20); return 'kept'; }));
  shielded.cancel();
  out.push(await kept, await caught(() => shielded.run(() => sleep(1))));
  // Timeouts, in time and not.
  out.push(await caught(() => CancellationScope.withTimeout(5, () => sleep('1 hour'))), await CancellationScope.withTimeout('1 hour', async () => 'in time'));
  // A trigger is cancelled with its scope; cancelRequested tells.
  const scope = new CancellationScope();
  const trigger = scope.run(async () => new Trigger<void>());
  const told = scope.cancelRequested.catch((e: any) => e.message);
  const waiting = caught(() => trigger as any);
  scope.cancel();
  out.push(await waiting, await told, CancellationScope.current() === CancellationScope.current());
  return out;
}`)
	want := `["cancelled: Cancellation scope cancelled","beside went on",true,"kept","cancelled: Cancellation scope cancelled",` +
		`"cancelled: Cancellation scope cancelled","in time","cancelled: Cancellation scope cancelled","Cancellation scope cancelled",true]`
	if got := p.run("run"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const { echo } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run(...args: any[]) { return args; }
export async function kinds() {
  const bytes = new Uint8Array([0, 1, 254, 255]);
  const back = await executeChild('bytes', { args: [bytes, undefined, null, 'x'] });
  const raw = await executeChild('same', { args: [{ date: new Date(0), nan: NaN, und: undefined, nested: [undefined, -0] }] });
  const fails: string[] = [];
  const circle: any = {}; circle.self = circle;
  for (const bad of [10n, circle]) {
    try { await echo(bad); } catch (e: any) { fails.push(e.name + ': ' + e.message); }
  }
  return { back, raw, fails };
}
export async function bytes(...args: any[]) { return [args[0] instanceof Uint8Array, Array.from(args[0]), typeof args[1], args[2], args.length]; }
export async function same(x: any) { return x; }
export async function binary() { return new Uint8Array([7, 8]); }
export async function nothing() {}`)
	if got := p.run("run", "grüße 😀 \u2028", 1.5, nil, map[string]any{"a": []any{true}}); got != `["grüße 😀 `+"\u2028"+`",1.5,null,{"a":[true]}]` {
		t.Errorf("arguments %s", got)
	}
	want := `{"back":[true,[0,1,254,255],"undefined",null,4],"raw":{"date":"1970-01-01T00:00:00.000Z","nan":null,"nested":[null,0]},` +
		`"fails":["ValueError: Unable to convert 10 to payload","ValueError: Unable to convert [object Object] to payload"]}`
	if got := p.run("kinds"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := p.run("binary"); got != "\x07\x08" {
		t.Errorf("binary %q", got)
	}
	if got := p.run("nothing"); got != "" {
		t.Errorf("nothing %q", got)
	}
}
