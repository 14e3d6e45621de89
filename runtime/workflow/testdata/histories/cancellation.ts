export async function run() {
  try {
    await sleep('1 hour');
  } catch (e) {
    await CancellationScope.nonCancellable(() => proxyActivities<any>({ startToCloseTimeout: '5s' }).echo('cleaned up'));
    throw e;
  }
}
