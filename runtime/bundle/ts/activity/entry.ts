// The activity half of the bundle: what Go calls around one activity execution. A runtime serves one execution at a
// time.
import { asyncLocalStorage, Context, type Info } from '@temporalio/activity';
import { isAbortError } from '@temporalio/common/lib/type-helpers';
import type { ActivityCancellationDetailsHolder } from '@temporalio/common/lib/activity-cancellation-details';
import {
  ActivityCancellationDetails,
  type ActivityCancellationDetailsOptions,
  ApplicationFailure,
  CancelledFailure,
  CompleteAsyncError,
  ensureApplicationFailure,
  type Logger,
  TemporalFailure,
} from './core';
import { host } from './host';
import { activity, lazyCommon, shared } from './modules';

/** What one execution has. Most activities look at little of it, so that each is made when it's first asked for. */
class Execution {
  readonly cancellation: ActivityCancellationDetailsHolder = {};
  cancelReason?: string;
  failure?: CancelledFailure; // of the cancellation
  controller?: AbortController;
  cancelled?: Promise<never>;
  rejectCancelled?: (reason: unknown) => void;
  info?: Info;
  client?: unknown;
  metricMeter?: unknown;
  context?: Context;
  common?: unknown;
}

let execution = new Execution();

/** Forgets the execution before: a runtime may serve several, one after the other. */
export function renew(): void {
  execution = new Execution();
}

const lazily = {
  info: () => (execution.info ??= host.info()),
  cancellationSignal() {
    const e = execution;
    if (!e.controller) {
      e.controller = new AbortController();
      if (e.failure) e.controller.abort(e.failure);
    }
    return e.controller.signal;
  },
  cancelled() {
    const e = execution;
    if (!e.cancelled) {
      e.cancelled = new Promise<never>((_, reject) => (e.rejectCancelled = reject));
      e.cancelled.catch(() => undefined); // nobody has to look
      if (e.failure) e.rejectCancelled!(e.failure);
    }
    return e.cancelled;
  },
  client: () => (execution.client ??= host.common().clientOf(host.client(), lazily.info().namespace)),
  metricMeter: () => (execution.metricMeter ??= host.common().meterOf(host.measure)),
};

const logger: Logger = Object.freeze({
  log: (level, message, meta) => host.log(level, message, meta),
  trace: (message, meta) => host.log('TRACE', message, meta),
  debug: (message, meta) => host.log('DEBUG', message, meta),
  info: (message, meta) => host.log('INFO', message, meta),
  warn: (message, meta) => host.log('WARN', message, meta),
  error: (message, meta) => host.log('ERROR', message, meta),
} satisfies Logger);

// Not by assignment, which a frozen prototype refuses.
const { getStore } = asyncLocalStorage;
Object.defineProperty(asyncLocalStorage, 'getStore', {
  value(this: typeof asyncLocalStorage) {
    return getStore.call(this) ?? execution.context;
  },
});

/** Makes the execution's context the current one, wherever its code continues. */
export function begin(): void {
  const later: any = undefined;
  const heartbeat = (details?: unknown) => host.heartbeat(details);
  const context = new Context(later, later, later, heartbeat, undefined, logger, later, execution.cancellation);
  for (const [name, get] of Object.entries(lazily)) Object.defineProperty(context, name, { get, enumerable: true });
  execution.context = context;
}

/** Tells the execution that it is to end, and why: the first time counts. The reason is one of the SDK's names. */
export function cancel(reason: string, details: ActivityCancellationDetailsOptions): void {
  const e = execution;
  if (e.cancelReason) return;
  e.cancelReason = reason;
  e.cancellation.details = new ActivityCancellationDetails(details);
  e.failure = new CancelledFailure(reason);
  e.controller?.abort(e.failure);
  e.rejectCancelled?.(e.failure);
}

/** What Temporal is told of an execution that threw. The failure has the shape of temporal.api.failure.v1.Failure. */
export interface Outcome {
  kind: 'failed' | 'cancelled' | 'async';
  failure?: unknown;
}

/** Decides as Temporal's own worker does. */
export function outcomeOf(thrown: unknown): Outcome {
  if (thrown instanceof CompleteAsyncError) return { kind: 'async' };
  if (execution.cancelReason === 'HEARTBEAT_DETAILS_CONVERSION_FAILED') {
    return failed(ApplicationFailure.retryable(execution.cancelReason, 'CancelledFailure'));
  }
  const { details } = execution.cancellation;
  if (details && thrown instanceof CancelledFailure) {
    if (details.reset) return failed(ApplicationFailure.retryable('Activity reset', 'ActivityReset'));
    if (details.paused) return failed(ApplicationFailure.retryable('Activity paused', 'ActivityPause'));
    // Otherwise it is only the server that can cancel; a worker that shuts down hands the attempt back as failed.
    if (details.cancelRequested) return { kind: 'cancelled', failure: host.common().failureOf(thrown) };
  } else if (details?.cancelRequested && isAbortError(thrown)) {
    return { kind: 'cancelled' };
  }
  return failed(ensureApplicationFailure(thrown));
}

function failed(failure: ApplicationFailure): Outcome {
  return { kind: 'failed', failure: simple(failure) ?? host.common().failureOf(failure) };
}

/**
 * What most activities throw, an error with nothing that needs a converter and causes of that kind, described as the package's
 * converter does. Evaluating that one takes four times as long as all else that a failing activity needs.
 */
function simple(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === 'HandlerError') return undefined;
  const { message, cause } = error as Error & { cause?: unknown };
  const inner = cause === undefined || cause === null ? undefined : simple(cause);
  if (cause && !inner) return undefined;
  const base = { source: 'TypeScriptSDK', message: String(message), stackTrace: error.stack, cause: inner };
  if (error instanceof ApplicationFailure) {
    const { failure, details, nextRetryDelay, category, type, nonRetryable } = error;
    if (failure || details?.length || nextRetryDelay !== undefined || category) return undefined;
    return { ...base, applicationFailureInfo: { type, nonRetryable } };
  }
  return error instanceof TemporalFailure ? undefined : base;
}

/** The require function of activity modules. */
export function resolve(name: string): unknown {
  const asked = String(name).replace(/\.js$/, '');
  if (asked === '@temporalio/activity') return activity;
  if (asked === '@temporalio/common') return (execution.common ??= lazyCommon());
  return host.common().resolve(asked);
}

export { shared };
