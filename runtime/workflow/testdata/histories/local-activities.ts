const local = wf.proxyLocalActivities<any>({ startToCloseTimeout: '5s', retry: { initialInterval: '10ms' } });
const slowly = wf.proxyLocalActivities<any>({ startToCloseTimeout: '5s', localRetryThreshold: '10ms', retry: { initialInterval: '50ms', backoffCoefficient: 1 } });
export async function run() {
  const out: any[] = [await local.echo(1), await Promise.all([local.double(2), local.double(3)]), await local.flaky(), await slowly.flaky()];
  try { await local.fail(); } catch (e: any) { out.push([e.message, e.type]); }
  const scope = new CancellationScope();
  const hangs = scope.run(() => local.hang());
  await sleep(10);
  scope.cancel();
  try { await hangs; } catch (e) { out.push(isCancellation(e)); }
  return out;
}
