import { service, operation } from 'nexus-rpc';
const svc = service('svc', { echo: operation<any, any>(), slow: operation<number, string>(), fail: operation<string, string>() });
export async function run(endpoint: string) {
  const c = wf.createNexusServiceClient({ endpoint, service: svc }), out: any[] = [await c.executeOperation('echo', { a: 1 }), await c.executeOperation('slow', 1e6)];
  try { await c.executeOperation('fail', 'x'); } catch (e: any) { out.push([e.message, e.cause.message]); }
  const scope = new CancellationScope();
  const handle = await scope.run(() => c.startOperation('slow', 60e9));
  scope.cancel();
  try { await handle.result(); } catch (e: any) { out.push([e.message, isCancellation(e)]); }
  return out;
}
