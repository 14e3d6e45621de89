// Runs a random program: a tree of steps, each of which notes when it begins and how it ends. What matters is that a replay notes
// the same, in the same order.
type Step = { op: string; id: number; of?: Step[]; n?: number; ms?: number; kind?: string };

const options = { startToCloseTimeout: '5s', retry: { initialInterval: '10ms', maximumAttempts: 4 } };
const once = { startToCloseTimeout: '200ms', heartbeatTimeout: '1s', retry: { maximumAttempts: 1 } };
const remote = proxyActivities<any>(options);
const local = wf.proxyLocalActivities<any>(options);

export async function program(step: Step, depth = 0): Promise<string[]> {
  const notes: string[] = [];
  const note = (x: string) => { notes.push(x); };
  let counter = 0;
  const changed = new Trigger<number>();
  const shielded = <T>(f: () => Promise<T>) => CancellationScope.nonCancellable(f); // or a cancellation ends the workflow
  setHandler(defineSignal<[number]>('add'), (n) => shielded(async () => {
    note('signal ' + n);
    counter += n;
    if (n % 3 === 0) { await sleep(n); note('signal done ' + n); }
    if (counter > 5) changed.resolve(counter);
  }));
  setHandler(defineUpdate<number, [number]>('grow'), (n) => shielded(async () => {
    note('update ' + n);
    if (n % 2) note('update echo ' + (await remote.echo(n)));
    counter += n;
    return counter;
  }), { validator: (n) => { if (n === 4) throw new Error('not four'); } });
  setHandler(defineQuery('notes'), () => notes.length);

  const ops: Record<string, (s: Step) => Promise<unknown>> = {
    async echo(s) { return remote.echo({ n: s.n }); },
    async double(s) { return remote.double(s.n); },
    async fail() { return remote.fail(); },
    async flaky() { return remote.flaky(); },
    async hang(s) { return proxyActivities<any>({ ...once, cancellationType: s.kind as any })[s.n! % 2 ? 'hang' : 'hangWithHeartbeat'](); },
    async local(s) { return local[['echo', 'double', 'fail', 'flaky'][s.n! % 4]](s.n); },
    async sleep(s) { return sleep(s.ms!); },
    async timeout(s) {
      const late = CancellationScope.nonCancellable(() => sleep(s.ms! + 50)); // a cancelled timeout never calls back
      return Promise.race([late, new Promise((resolve) => setTimeout(() => { note('timeout ' + s.id); resolve(s.id); }, s.ms!))]);
    },
    async condition(s) { return condition(() => counter >= s.n!, s.ms!); },
    async trigger(s) { return Promise.race([changed, sleep(s.ms!)]); },
    async seq(s) { for (const x of s.of!) await run(x); },
    async all(s) { return Promise.all(s.of!.map(run)); },
    async race(s) { return Promise.race(s.of!.map(run)); },
    async any(s) { return Promise.any(s.of!.map(run)); },
    async scope(s) { return (s.kind === 'nonCancellable' ? CancellationScope.nonCancellable : CancellationScope.cancellable)(() => ops.seq(s)); },
    async within(s) { return CancellationScope.withTimeout(s.ms!, () => ops.seq(s)); },
    async cancelled(s) {
      const scope = new CancellationScope();
      const running = scope.run(() => ops.all(s));
      running.catch(() => {}); // a cancelled sleep leaves it to nobody
      if (s.n! % 2) await sleep(s.ms!);
      scope.cancel();
      return running;
    },
    async child(s) {
      if (depth > 0) return;
      const child = await executeChild(program, { args: [s.of![0], 1], cancellationType: s.kind as any });
      note('child of ' + child.length);
    },
    async signal(s) {
      await getExternalWorkflowHandle(workflowInfo().workflowId).signal('add', s.n!);
    },
    async patched(s) { return patched('p' + (s.n! % 3)); },
    async random() { return [Math.random(), uuid4().slice(0, 4)]; },
    async memo(s) { upsertMemo({ n: s.n }); return workflowInfo().memo; },
    async time() { return [Date.now() % 7, workflowInfo().historyLength % 7]; },
    async micro(s) { for (let i = 0; i < s.n!; i++) await null; return s.n; },
    async thrown(s) { throw new ApplicationFailure('thrown ' + s.n); },
  };
  async function run(s: Step): Promise<unknown> {
    note('> ' + s.op + s.id);
    try {
      const result = await ops[s.op](s);
      note('< ' + s.op + s.id + ' ' + JSON.stringify(result));
      return result;
    } catch (e: any) {
      note('! ' + s.op + s.id + ' ' + e.name + ' ' + (e.cause?.name ?? '') + ' ' + isCancellation(e));
      if (s.n! % 2) throw e;
    }
  }
  try { await run(step); } catch (e: any) { note('out ' + e.name); }
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished, '5s'));
  return notes;
}
