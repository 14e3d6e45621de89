export async function run(child = '') {
  if (child) {
    try { await condition(() => false); } catch (e) { await CancellationScope.nonCancellable(() => sleep(300)); throw e; }
  }
  const { echo } = proxyActivities<any>({ startToCloseTimeout: '5s' });
  const out: any[] = [];
  try { await echo(() => 1); } catch (e: any) { out.push(e.message); }
  const scope = new CancellationScope();
  const kid = scope.run(() => executeChild('run', { args: ['child'], cancellationType: 'WAIT_CANCELLATION_REQUESTED' }));
  await sleep(300);
  scope.cancel();
  try { await kid; } catch (e) { out.push(isCancellation(e)); }
  if (JSON.stringify({ a: 1, 1: 2 }, ['a', '1']).startsWith('{"1"')) out.push(await echo('order'));
  if (new Error('x').stack!.includes('\tat ')) await sleep(1);
  if (!Object.keys(new ApplicationFailure('x')).includes('failure')) out.push(await echo('key'));
  if (CancellationScope.name !== 'CancellationScope') await sleep(2);
  return out;
}
