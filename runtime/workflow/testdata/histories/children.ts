export async function run() {
  const id = workflowInfo().workflowId, out: any[] = [];
  out.push(await executeChild('child', { args: [21], memo: { m: 1 }, parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL }));
  try { await executeChild('child', { args: [-1], retry: { maximumAttempts: 1 } }); } catch (e: any) { out.push([e.message, e.cause.message]); }
  const handle = await startChild('waits', { workflowId: id + '-waits' });
  await handle.signal('go', 5);
  await getExternalWorkflowHandle(id + '-waits').signal('go', 6);
  out.push(await handle.result());
  for (const cancellationType of ['TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED', 'WAIT_CANCELLATION_REQUESTED', 'ABANDON'] as any[]) {
    const scope = new CancellationScope();
    const waiting = await scope.run(() => startChild('waits', { workflowId: id + '-' + cancellationType, cancellationType }));
    scope.cancel();
    try { await waiting.result(); } catch (e: any) { out.push([e.message, isCancellation(e)]); }
  }
  await getExternalWorkflowHandle(id + '-ABANDON').cancel();
  try { await getExternalWorkflowHandle(id + '-nobody').signal('x'); } catch (e: any) { out.push(e.message); }
  return out;
}
export async function child(x: number) { await sleep(1); if (x < 0) throw new ApplicationFailure('negative', 'Bad', true); return x * 2; }
export async function waits() {
  let sum = 0;
  setHandler(defineSignal<[number]>('go'), (n) => { sum += n; });
  await condition(() => sum > 10, '30s');
  return sum;
}
