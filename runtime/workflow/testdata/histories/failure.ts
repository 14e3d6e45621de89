export async function run() {
  try {
    await proxyActivities<any>({ startToCloseTimeout: '5s', retry: { maximumAttempts: 1 } }).fail();
  } catch (e) {
    throw ApplicationFailure.create({ message: 'on purpose', type: 'Purpose', details: [{ a: 1 }], nextRetryDelay: '1s', category: 'BENIGN' as any, cause: e as Error });
  }
}
