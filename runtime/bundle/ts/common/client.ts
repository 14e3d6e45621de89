// The client that getClient() gives an activity: the part of @temporalio/client's that deals with workflows. Go talks to the
// server, and lets it reach the workflows of the activity's own project alone.
import { decodeRetryState, type RetryState } from '@temporalio/common/lib/failure';
import { type Payload, TerminatedFailure, TimeoutFailure, CancelledFailure } from '@temporalio/common';
import * as common from '@temporalio/common';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors';
import { msOptionalToNumber } from '@temporalio/common/lib/time';
import { SymbolBasedInstanceOfError } from '@temporalio/common/lib/type-helpers';
import { encodeUnifiedSearchAttributes, decodeSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes';

@SymbolBasedInstanceOfError('ServiceError')
export class ServiceError extends Error {
  readonly code?: string;
  constructor(message: string, options?: { code?: string; cause?: Error }) {
    super(message);
    if (options?.code) this.code = options.code;
    if (options?.cause) this.cause = options.cause;
  }
}
@SymbolBasedInstanceOfError('WorkflowFailedError')
export class WorkflowFailedError extends Error {
  constructor(message: string, readonly cause: Error | undefined, readonly retryState: RetryState | undefined) {
    super(message);
  }
}
@SymbolBasedInstanceOfError('WorkflowUpdateFailedError')
export class WorkflowUpdateFailedError extends Error {
  constructor(message: string, readonly cause: Error | undefined) {
    super(message);
  }
}
@SymbolBasedInstanceOfError('WorkflowExecutionContinuedAsNewError')
export class WorkflowContinuedAsNewError extends Error {
  constructor(message: string, readonly newExecutionRunId: string) {
    super(message);
  }
}
@SymbolBasedInstanceOfError('QueryNotRegisteredError')
export class QueryNotRegisteredError extends Error {}
@SymbolBasedInstanceOfError('QueryRejectedError')
export class QueryRejectedError extends Error {}

export interface ClientHost {
  /** Does one call. args become payloads; what comes back is a payload's value, or JSON as text. */
  call(method: string, request: string, args: unknown[], resolve: (value: any) => void, reject: (problem: Problem) => void): void;
  taskQueue: string;
}
interface Problem {
  kind: string;
  message: string;
  failure?: string; // JSON of temporal.api.failure.v1.Failure
  code?: string;
  retryState?: number;
  runId?: string;
}

const bytesOf = (text: string | undefined) => (text === undefined ? undefined : new Uint8Array(Buffer.from(text, 'base64')));
const textOf = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString('base64') : undefined);

/** Makes bytes of what JSON has as base64, wherever payloads are. */
function revive(value: any): any {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  if ('metadata' in value) {
    const metadata: Record<string, unknown> = {};
    for (const [k, v] of Object.entries(value.metadata)) metadata[k] = bytesOf(v as string);
    return { metadata, data: bytesOf(value.data ?? '') };
  }
  const out: Record<string, unknown> = {};
  for (const [k, v] of Object.entries(value)) out[k] = revive(v);
  return out;
}
function pack(payloads: Record<string, Payload>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, p] of Object.entries(payloads)) {
    const metadata: Record<string, unknown> = {};
    for (const [k, v] of Object.entries(p.metadata ?? {})) metadata[k] = textOf(v as Uint8Array);
    out[name] = { metadata, data: textOf(p.data) };
  }
  return out;
}

function errorOf(problem: Problem, about: { workflowId: string; runId?: string; workflowType?: string }): Error {
  const { kind, message } = problem;
  const failure = () =>
    problem.failure ? common.defaultFailureConverter.failureToError(revive(JSON.parse(problem.failure)), common.defaultPayloadConverter) : undefined;
  const state = problem.retryState ? decodeRetryState(problem.retryState) : undefined;
  switch (kind) {
    case 'notFound':
      return new WorkflowNotFoundError(message, about.workflowId, about.runId);
    case 'alreadyStarted':
      return new common.WorkflowExecutionAlreadyStartedError('Workflow execution already started', about.workflowId, about.workflowType ?? '');
    case 'failed':
      return new WorkflowFailedError('Workflow execution failed', failure(), state);
    case 'cancelled':
      return new WorkflowFailedError('Workflow execution cancelled', new CancelledFailure('Workflow canceled'), undefined);
    case 'terminated':
      return new WorkflowFailedError(message || 'Workflow execution terminated', new TerminatedFailure(message || 'Workflow execution terminated'), undefined);
    case 'timedOut':
      return new WorkflowFailedError('Workflow execution timed out', new TimeoutFailure('Workflow execution timed out', undefined, 'START_TO_CLOSE'), state);
    case 'continuedAsNew':
      return new WorkflowContinuedAsNewError('Workflow execution continued as new', problem.runId ?? '');
    case 'updateFailed':
      return new WorkflowUpdateFailedError('Workflow Update failed', failure());
    case 'queryFailed':
      return new QueryNotRegisteredError(message);
    case 'queryRejected':
      return new QueryRejectedError(message);
    default:
      return new ServiceError(message, { code: problem.code });
  }
}

const nameOf = (definition: any): string => (typeof definition === 'string' ? definition : definition.name);

/** What isn't here says so. */
const absent = (what: string): any =>
  new Proxy(
    {},
    {
      get(_, key) {
        if (typeof key === 'symbol' || key === 'then' || key === 'toJSON') return undefined;
        throw new TypeError(`An activity's client has no ${what}: it deals with workflows of its own project alone`);
      },
    }
  );

export function clientOf(host: ClientHost, namespace: string): unknown {
  const call = (method: string, request: any, args: unknown[] = []): Promise<any> =>
    new Promise((resolve, reject) =>
      host.call(method, JSON.stringify(request), args, resolve, (problem) => reject(errorOf(problem, request)))
    );

  function handleOf(workflowId: string, runId?: string, more: { firstExecutionRunId?: string; followRuns?: boolean } = {}) {
    const about = { workflowId, runId };
    const update = (def: unknown, options: any, accepted: boolean) => ({
      ...about,
      name: nameOf(def),
      updateId: options?.updateId,
      stage: accepted ? 'ACCEPTED' : 'COMPLETED',
    });
    const updateHandleOf = (updateId: string, of: string | undefined) => ({
      updateId,
      workflowId,
      workflowRunId: of,
      result: () => call('updateResult', { workflowId, runId: of, updateId }),
    });
    return {
      workflowId,
      runId,
      client,
      signal: async (def: unknown, ...args: unknown[]) => void (await call('signal', { ...about, name: nameOf(def) }, args)),
      query: (def: unknown, ...args: unknown[]) => call('query', { ...about, name: nameOf(def) }, args),
      executeUpdate: (def: unknown, options?: any) => call('update', update(def, options, false), options?.args ?? []),
      async startUpdate(def: unknown, options?: any) {
        if (options?.waitForStage !== 'ACCEPTED') throw new TypeError("startUpdate needs waitForStage: 'ACCEPTED'");
        const started = JSON.parse(await call('update', update(def, options, true), options.args ?? []));
        return updateHandleOf(started.updateId, started.runId);
      },
      getUpdateHandle: (updateId: string, options?: { workflowRunId?: string }) => updateHandleOf(updateId, options?.workflowRunId ?? runId),
      result: () => call('result', { ...about, followRuns: more.followRuns ?? true }),
      cancel: async () => void (await call('cancel', about)),
      terminate: async (reason?: string) => void (await call('terminate', { ...about, reason })),
      async describe() {
        const d = JSON.parse(await call('describe', about));
        const at = (ms: number) => (ms ? new Date(ms) : undefined);
        const memo: Record<string, unknown> = {};
        for (const [k, p] of Object.entries(revive(d.memo ?? {}))) memo[k] = common.defaultPayloadConverter.fromPayload(p as Payload);
        return {
          type: d.type, workflowId: d.workflowId, runId: d.runId, taskQueue: d.taskQueue, status: { code: d.statusCode, name: d.status },
          historyLength: d.historyLength, historySize: d.historySize, startTime: at(d.startTime), executionTime: at(d.executionTime),
          closeTime: at(d.closeTime), memo, searchAttributes: decodeSearchAttributes(revive(d.searchAttributes ?? {})),
          parentExecution: d.parent, rootExecution: d.root,
        };
      },
      fetchHistory: () => Promise.reject(new TypeError("An activity's client has no histories")),
      ...(more.firstExecutionRunId ? { firstExecutionRunId: more.firstExecutionRunId } : {}),
    };
  }

  function startRequest(typeOrFunction: any, options: any) {
    const workflowType = typeof typeOrFunction === 'string' ? typeOrFunction : common.extractWorkflowType(typeOrFunction);
    if (!options?.workflowId) throw new TypeError('Missing WorkflowOptions.workflowId');
    const known = ['workflowId', 'taskQueue', 'args', 'workflowIdReusePolicy', 'workflowIdConflictPolicy', 'workflowExecutionTimeout', 'workflowRunTimeout',
      'workflowTaskTimeout', 'startDelay', 'cronSchedule', 'retry', 'memo', 'searchAttributes', 'typedSearchAttributes', 'followRuns', 'signal',
      'signalArgs', 'staticSummary', 'staticDetails'];
    const unknown = Object.keys(options).filter((k) => options[k] !== undefined && !known.includes(k));
    if (unknown.length > 0) throw new TypeError(`An activity's client can't start a workflow with: ${unknown.join(', ')}`);
    const memo: Record<string, Payload> = {};
    for (const [k, v] of Object.entries(options.memo ?? {})) memo[k] = common.defaultPayloadConverter.toPayload(v) as Payload;
    const { retry } = options;
    return {
      workflowType,
      workflowId: options.workflowId,
      taskQueue: options.taskQueue ?? host.taskQueue,
      reusePolicy: options.workflowIdReusePolicy,
      conflictPolicy: options.workflowIdConflictPolicy,
      executionTimeout: msOptionalToNumber(options.workflowExecutionTimeout),
      runTimeout: msOptionalToNumber(options.workflowRunTimeout),
      taskTimeout: msOptionalToNumber(options.workflowTaskTimeout),
      startDelay: msOptionalToNumber(options.startDelay),
      cronSchedule: options.cronSchedule,
      retry: retry && {
        initialInterval: msOptionalToNumber(retry.initialInterval),
        maximumInterval: msOptionalToNumber(retry.maximumInterval),
        backoffCoefficient: retry.backoffCoefficient,
        maximumAttempts: Number.isFinite(retry.maximumAttempts) ? retry.maximumAttempts : undefined,
        nonRetryableErrorTypes: retry.nonRetryableErrorTypes,
      },
      memo: pack(memo),
      searchAttributes: pack(encodeUnifiedSearchAttributes(options.searchAttributes, options.typedSearchAttributes) as Record<string, Payload>),
    };
  }

  const workflow = {
    async start(type: unknown, options: any) {
      const request = startRequest(type, options);
      const { runId } = JSON.parse(await call('start', request, options.args ?? []));
      return handleOf(request.workflowId, undefined, { firstExecutionRunId: runId, followRuns: options.followRuns });
    },
    async execute(type: unknown, options: any) {
      const request = startRequest(type, options);
      const { runId } = JSON.parse(await call('start', request, options.args ?? []));
      return call('result', { workflowId: request.workflowId, runId, followRuns: options.followRuns ?? true });
    },
    async signalWithStart(type: unknown, options: any) {
      const request: any = startRequest(type, options);
      const name = nameOf(options.signal);
      // Not one call: the server would signal whatever execution has the id, another project's too.
      for (let tries = 0; ; tries++) {
        try {
          const { runId } = JSON.parse(await call('start', { ...request, conflictPolicy: 'FAIL' }, options.args ?? []));
          await call('signal', { workflowId: request.workflowId, runId, name }, options.signalArgs ?? []);
          return { ...handleOf(request.workflowId), signaledRunId: runId };
        } catch (e) {
          if (!(e instanceof common.WorkflowExecutionAlreadyStartedError)) throw e;
        }
        try {
          const runId = JSON.parse(await call('signal', { workflowId: request.workflowId, name }, options.signalArgs ?? []))?.runId;
          return { ...handleOf(request.workflowId), signaledRunId: runId };
        } catch (e) {
          if (!(e instanceof WorkflowNotFoundError) || tries > 3) throw e;
        }
      }
    },
    getHandle: (workflowId: string, runId?: string, options?: any) => handleOf(workflowId, runId, options),
    result: (workflowId: string, runId?: string, options?: any) => call('result', { workflowId, runId, followRuns: options?.followRuns ?? true }),
    list: () => absent('list of workflows').list,
    count: () => absent('count of workflows').count,
  };
  const client = {
    workflow,
    options: { namespace, identity: '', dataConverter: {} },
    activity: absent('completion of activities'),
    schedule: absent('schedules'),
    taskQueue: absent('task queues'),
    connection: absent('connection'),
    workflowService: absent('connection'),
  };
  return client;
}
