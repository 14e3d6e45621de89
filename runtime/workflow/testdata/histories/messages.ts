export async function run() {
  const out: any[] = [];
  wf.setDefaultSignalHandler((name, ...args) => { out.push([name, args]); });
  setHandler(defineSignal<[number]>('add'), async (n) => { await sleep(1); out.push(n); });
  setHandler(defineUpdate<number, [number]>('grow'), async (n) => {
    out.push(currentUpdateInfo()!.name);
    await proxyActivities<any>({ startToCloseTimeout: '5s' }).echo(n);
    if (n === 2) throw new ApplicationFailure('not two');
    return n * 2;
  }, { validator: (n) => { if (n < 0) throw new Error('negative'); } });
  await condition(() => out.some((x) => x === 'last' || x[0] === 'last'));
  await condition(allHandlersFinished);
  return out;
}
