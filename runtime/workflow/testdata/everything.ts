const { echo, fail } = proxyActivities<any>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
export async function everything(name: string) {
  const out: any[] = [];
  let n = 0;
  setHandler(defineSignal<[number]>('add'), (x) => { n += x; });
  setHandler(defineUpdate<number, [number]>('grow'), async (x) => { await sleep(1); n += x; return n; }, { validator: (x) => { if (x < 0) throw new Error('negative'); } });
  out.push(patched('first'), await echo(name));
  try { await fail(); } catch (e: any) { out.push(e.cause.type); }
  out.push(await executeChild('child', { args: [21], workflowId: workflowInfo().workflowId + '-child' }));
  try { await CancellationScope.withTimeout(10, () => sleep('1 hour')); } catch (e) { out.push(isCancellation(e)); }
  out.push(await Promise.race([sleep(5).then(() => 'timer'), condition(() => n > 1000).then(() => 'never')]));
  await proxyActivities<any>({ startToCloseTimeout: '10s', activityId: 'random-' + uuid4() }).echo(Math.random());
  setTimeout(() => { n++; }, 1);
  await condition(() => n >= 8, '30s');
  await condition(allHandlersFinished);
  upsertMemo({ done: true });
  return [...out, n];
}
export async function child(x: number) { await sleep(1); return x * 2; }
