export async function run(n = 0): Promise<any> {
  await sleep(1);
  if (n === 0) await makeContinueAsNewFunc<typeof run>({ memo: { left: 1 }, workflowRunTimeout: '20s', backoffStartInterval: '1s' })(1);
  return workflowInfo().memo;
}
