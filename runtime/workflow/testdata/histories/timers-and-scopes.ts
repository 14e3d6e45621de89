export async function run() {
  const out: any[] = [];
  out.push(await Promise.race([sleep(30).then(() => 30), sleep('10ms').then(() => 10), new Promise((r) => setTimeout(r, 20, 20))]));
  try { await CancellationScope.withTimeout(10, () => Promise.all([sleep('1 hour'), condition(() => false)])); } catch (e) { out.push(isCancellation(e)); }
  const scope = new CancellationScope();
  const inner = scope.run(async () => {
    const shielded = CancellationScope.nonCancellable(() => sleep(20).then(() => 'shielded'));
    try { await sleep('1 hour'); } catch { out.push('cancelled'); }
    return shielded;
  });
  await sleep(1);
  scope.cancel();
  out.push(await inner, await condition(() => out.length > 100, 5), await condition(() => true, 5), await condition(() => false, 0));
  const handle = setTimeout(() => out.push('never'), 5);
  clearTimeout(handle);
  return out;
}
