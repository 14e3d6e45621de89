export async function run() {
  const i = workflowInfo();
  upsertMemo({ a: 1, b: null });
  upsertSearchAttributes({ WfKeyword: ['x'], WfInt: [7] });
  await sleep(1);
  upsertSearchAttributes([{ key: { name: 'WfInt', type: 'INT' } as any, value: null }]);
  const random = wf.getRandomStream('mine');
  log.info('step');
  wf.setCurrentDetails('details');
  const storage = new wf.AsyncLocalStorage<number>();
  return [uuid4(), Math.random(), random.random(), Math.random(), Date.now(), i.startTime, i.memo, workflowInfo().memo, workflowInfo().searchAttributes,
    await storage.run(7, async () => { await sleep(1); return storage.getStore(); }), i.executionExpirationTime, i.taskQueue];
}
