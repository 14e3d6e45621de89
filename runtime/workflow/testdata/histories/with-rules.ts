export async function run(child = '') {
  if (child) return child;
  const { echo } = proxyActivities<any>({ startToCloseTimeout: '5s' });
  const local = wf.proxyLocalActivities<any>({ startToCloseTimeout: '5s' });
  const out: any[] = [await executeChild('run', { args: ['child'] }), await echo(1), await local.echo(2)];
  let over = false;
  (async () => {
    await condition(() => over);
    for (let i = 0; i < 4; i++) await condition(() => true);
    upsertMemo({ late: true });
    patched('late');
    echo(3).catch(() => undefined);
    sleep('1 hour').catch(() => undefined);
  })();
  over = true;
  return out;
}
