import { ApplicationFailure, CompleteAsyncError, activityInfo, heartbeat, sleep } from '@temporalio/activity';

// Activities that workflow cases call.

export async function helpers(): Promise<string> {
  return 'helpers';
}

export async function echo(x: unknown): Promise<unknown> {
  return x;
}

export async function echoAll(...args: unknown[]): Promise<unknown[]> {
  return args;
}

export async function fail(message: string, type = 'Wanted', nonRetryable = true, details: unknown[] = []): Promise<never> {
  throw ApplicationFailure.create({ message, type, nonRetryable, details });
}

export async function throwPlain(message: string): Promise<never> {
  throw new TypeError(message);
}

/** Fails as often as it is told, then gives the attempt. */
export async function flaky(failures: number): Promise<number> {
  const { attempt } = activityInfo();
  if (attempt <= failures) throw new Error(`attempt ${attempt}`);
  return attempt;
}

/** Runs until it is cancelled, and says so when it can. */
export async function hang(): Promise<never> {
  for (;;) {
    heartbeat('hanging');
    await sleep(50);
  }
}

/** Finishes though it is cancelled. */
export async function stubborn(): Promise<string> {
  try {
    return await hang();
  } catch {
    return 'finished all the same';
  }
}

export async function late(ms: number, value: unknown): Promise<unknown> {
  await sleep(ms);
  return value;
}

export async function never(): Promise<never> {
  throw new CompleteAsyncError();
}

export async function about(): Promise<unknown> {
  const { activityId, activityType, attempt, taskQueue, startToCloseTimeoutMs, scheduleToCloseTimeoutMs, heartbeatTimeoutMs } = activityInfo();
  return { activityId, activityType, attempt, taskQueue, startToCloseTimeoutMs, scheduleToCloseTimeoutMs, heartbeatTimeoutMs };
}

/** All that activityInfo() has, with what differs from run to run replaced by its type. */
export async function everyInfo(failures = 0): Promise<unknown> {
  const info: any = activityInfo();
  if (info.attempt <= failures) throw new Error(`attempt ${info.attempt}`);
  const out: any = {};
  for (const key of Object.keys(info).sort()) {
    const value = info[key];
    if (key === 'taskToken') out[key] = `${value?.constructor?.name} ${value.length > 0}`;
    else if (key.endsWith('TimestampMs') || key === 'base64TaskToken') out[key] = typeof value;
    else out[key] = value === undefined ? 'undefined' : value;
  }
  return out;
}
