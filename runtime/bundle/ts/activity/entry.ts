// The activity half of the bundle: what Go calls around one activity execution. A runtime serves one execution, so what is
// kept here is that execution's.
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
import { resolve } from './modules';

const cancellation: ActivityCancellationDetailsHolder = {};
let cancelReason: string | undefined;
let failure: CancelledFailure | undefined; // of the cancellation

// Most activities look at few of these, so that each is made when it's first asked for.
let info: Info | undefined;
let client: unknown;
let metricMeter: unknown;
let controller: AbortController | undefined;
let cancelled: Promise<never> | undefined;
let rejectCancelled: (reason: unknown) => void;
const lazily = {
  info: () => (info ??= host.info()),
  cancellationSignal() {
    if (!controller) {
      controller = new AbortController();
      if (failure) controller.abort(failure);
    }
    return controller.signal;
  },
  cancelled() {
    if (!cancelled) {
      cancelled = new Promise<never>((_, reject) => (rejectCancelled = reject));
      cancelled.catch(() => undefined); // nobody has to look
      if (failure) rejectCancelled(failure);
    }
    return cancelled;
  },
  client: () => (client ??= host.common().clientOf(host.client(), lazily.info().namespace)),
  metricMeter: () => (metricMeter ??= host.common().meterOf(host.measure)),
};

const logger: Logger = {
  log: (level, message, meta) => host.log(level, message, meta),
  trace: (message, meta) => host.log('TRACE', message, meta),
  debug: (message, meta) => host.log('DEBUG', message, meta),
  info: (message, meta) => host.log('INFO', message, meta),
  warn: (message, meta) => host.log('WARN', message, meta),
  error: (message, meta) => host.log('ERROR', message, meta),
};

/** Makes the execution's context the current one, wherever its code continues. */
export function begin(): void {
  const later: any = undefined;
  const heartbeat = (details?: unknown) => host.heartbeat(details);
  const context = new Context(later, later, later, heartbeat, undefined, logger, later, cancellation);
  for (const [name, get] of Object.entries(lazily)) Object.defineProperty(context, name, { get, enumerable: true });
  const getStore = asyncLocalStorage.getStore;
  asyncLocalStorage.getStore = function (this: typeof asyncLocalStorage) {
    return getStore.call(this) ?? context;
  };
}

/** Tells the execution that it is to end, and why: the first time counts. The reason is one of the SDK's names. */
export function cancel(reason: string, details: ActivityCancellationDetailsOptions): void {
  if (cancelReason) return;
  cancelReason = reason;
  cancellation.details = new ActivityCancellationDetails(details);
  failure = new CancelledFailure(reason);
  controller?.abort(failure);
  if (cancelled) rejectCancelled(failure);
}

/** What Temporal is told of an execution that threw. The failure has the shape of temporal.api.failure.v1.Failure. */
export interface Outcome {
  kind: 'failed' | 'cancelled' | 'async';
  failure?: unknown;
}

/** Decides as Temporal's own worker does. */
export function outcomeOf(thrown: unknown): Outcome {
  if (thrown instanceof CompleteAsyncError) return { kind: 'async' };
  if (cancelReason === 'HEARTBEAT_DETAILS_CONVERSION_FAILED') {
    return failed(ApplicationFailure.retryable(cancelReason, 'CancelledFailure'));
  }
  const details = cancellation.details;
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

export { resolve };
