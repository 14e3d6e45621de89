const echo = proxyActivities<any>({ startToCloseTimeout: '10s' });
const once = { startToCloseTimeout: '5s', heartbeatTimeout: '2s', retry: { maximumAttempts: 1 } };
export async function run() {
  const out: any[] = [await echo.echo({ a: [1] }), await echo.double.executeWithOptions({ startToCloseTimeout: '5s' }, [4])];
  out.push(await Promise.all([1, 2, 3].map((n) => echo.double(n))));
  out.push(await proxyActivities<any>({ startToCloseTimeout: '5s', retry: { initialInterval: '10ms' } }).flaky());
  try { await proxyActivities<any>(once).fail(); } catch (e: any) { out.push([e.message, e.cause.type, e.cause.details, e.retryState]); }
  try { await proxyActivities<any>({ ...once, startToCloseTimeout: '50ms' }).hang(); } catch (e: any) { out.push([e.message, e.cause.timeoutType]); }
  for (const cancellationType of ['TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED', 'ABANDON'] as any[]) {
    const scope = new CancellationScope();
    const hangs = scope.run(() => proxyActivities<any>({ ...once, cancellationType }).hangWithHeartbeat());
    await sleep(20);
    scope.cancel();
    try { await hangs; } catch (e: any) { out.push([cancellationType, e.message, isCancellation(e)]); }
  }
  return out;
}
