// The workflow half of the bundle: what Go calls to run one workflow execution. Everything that is this execution's own
// hangs from the global object (Go gives each execution its own, see runtime/workflow) and from the activator on it; this
// module's state is shared by all executions of a goja runtime.
import * as api from '@temporalio/workflow/lib/worker-interface';
import { SdkFlags } from '@temporalio/workflow/lib/flags';
import { defaultPayloadConverter } from '@temporalio/common/lib/converter/payload-converter';
import { DefaultFailureConverter } from '@temporalio/common/lib/converter/failure-converter';
import { getActivator, maybeGetActivator } from '@temporalio/workflow/lib/global-attributes';
import { Activator } from '@temporalio/workflow/lib/internals';
import { log } from '@temporalio/workflow/lib/logs';
import { createUnsafeRandomSource } from '@temporalio/workflow/lib/random-helpers';
import { installGlobals } from './globals';
import { harden } from './harden';
import { host, type WorkflowModule } from './host';
import { fold } from './info';
import { modules, resolve } from './modules';
import { installWeb } from './web';
import { share, spare } from './spare';
import './start';
import { attachStacks } from './stacks';
import { alea } from './alea';
import Long from './long';
import { JsonPayload, nullPayload, payloadConverter } from './payloads';

installGlobals();
installWeb();

// The package turns a flag on by itself the first time that live code asks for it, and relies on the worker to record that
// with the task. Go's SDK has no place for it: the flags in force are recorded once, with the code, and never grow.
Activator.prototype.hasFlag = function (flag) {
  return (this as any).knownFlags.has(flag.id);
};

/** Freezes an object that executions share, and its methods: code can reach it by way of the activator. */
function fixed<T extends object>(shared: T): T {
  Object.values(shared).forEach((f) => typeof f === 'function' && Object.freeze(f));
  return Object.freeze(shared);
}

// Executions that began with the same flags have one list of them: a set could be added to though it is frozen.
const flagLists = new Map<string, any>();

function flagsOf(flags: number[]): any {
  const key = flags.join();
  let known = flagLists.get(key);
  if (!known) {
    const list = [...flags];
    known = fixed(Object.assign([...flags], { has: (id: number) => list.includes(id) }));
    flagLists.set(key, known);
  }
  return known;
}

// Random numbers come from the Go SDK's streams, which it reseeds itself when an execution is reset.
Activator.prototype.currentRandom = function () {
  return (this as any).currentRandomStorage?.getStore()?.random() ?? host.random('');
};
Activator.prototype.getNamedRandom = function (name) {
  return () => host.random(name);
};

// A loop that never awaits would pile up commands until its time is over: Go counts them.
const pushCommand = Activator.prototype.pushCommand;
Activator.prototype.pushCommand = function (command, complete) {
  host.started();
  pushCommand.call(this, command, complete);
};

// A thrown undefined would be lost, and the execution wait for ever.
const recordWorkflowTaskError = Activator.prototype.recordWorkflowTaskError;
Activator.prototype.recordWorkflowTaskError = function (error) {
  recordWorkflowTaskError.call(this, error || new Error(`A workflow threw ${String(error)}, which is not an error`));
};

// The logger gathers its attributes before anybody asks whether the line is wanted.
for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) {
  const write = log[level];
  log[level] = (message, attributes) => {
    if (maybeGetActivator() === undefined || host.logs(level)) write(message, attributes);
  };
}

const unsafeRandom = createUnsafeRandomSource(host.unsafeRandom);
Object.values(host).forEach((f) => Object.freeze(f));

const none: any[] = [];
// What every execution has alike and never changes. An execution waits with all that it holds: each of these would be a kilobyte.
const noInterceptors = { inbound: none, outbound: none, internals: none };
Object.freeze(none);
Object.freeze(noInterceptors);
// Asked for local activities alone, and not while replaying. So code that catches the error and goes on would take another path in a replay,
// where nobody can tell that there was none: the task fails all the same.
const activityNames: any = fixed({
  has(name: string) {
    const missing = host.missingActivity(name);
    if (!missing) return true;
    const error = new ReferenceError(`Local activity of type '${name}' not registered on worker: ${missing}`);
    getActivator().recordWorkflowTaskError(error);
    throw error;
  },
});
const noTime = Object.freeze(() => 0n);
const presentPatches = fixed({ has: (id: string) => host.hasPatch(id), add() {} });
// Calls of sinks take effect at once; only the logger's exist here.
const sinkCalls = fixed({
  push(call: any) {
    if (!call.workflowInfo.unsafe.isReplayingHistoryEvents) host.sink(call.ifaceName, call.fnName, call.args);
  },
});

share({
  signalHandlerExecutionSeq: 0,
  promiseStackStore: undefined, // the package's own way to know where an execution waits; see stacks.ts
  failureExceptionTypeNames: none,
  workflowDefinitionFailureExceptionTypes: undefined,
  rethrowSynchronously: false,
  interceptors: noInterceptors,
  completed: false,
  cancelled: false,
  payloadConverter: defaultPayloadConverter,
  failureConverter: new DefaultFailureConverter(),
  knownPresentPatches: presentPatches,
  knownFlags: none,
  sinkCalls,
  currentDetails: '',
  getTimeOfDay: noTime,
  registeredActivityNames: activityNames,
  stackTracesEnabled: true,
  showStackTraceSources: false,
  sourceMap: undefined,
  patchActivationCallback: undefined,
  random: alea(none),
});

// What importWorkflows evaluates, and for whom: set only during create.
let creating: { module: WorkflowModule; name: string; info: any; flags: number[] } | undefined;

(globalThis as any).__TEMPORAL__ = {
  importInterceptors: () => [],
  importWorkflows() {
    const activator: any = getActivator();
    const { module, name, info, flags } = creating!;
    activator.info = info;
    activator.knownFlags = flagsOf(flags);
    spare(activator);
    attachStacks(activator);
    const workflow = evaluate(module)[name];
    if (typeof workflow !== 'function') {
      const found = workflow === undefined ? 'there is no such export' : `it is a ${typeof workflow}`;
      throw new TypeError(`Export '${name}' is not a workflow function: ${found}`);
    }
    return { [info.workflowType]: workflow };
  },
};

function evaluate(module: WorkflowModule): any {
  const m = { exports: {} as any };
  module(resolve, m, m.exports);
  return m.exports;
}

const options = {
  randomnessSeed: none,
  showStackTraceSources: false,
  sourceMap: undefined as any,
  getTimeOfDay: noTime,
  registeredActivityNames: activityNames,
  stackTracesEnabled: true,
};

/** Makes an execution: its activator, and its own evaluation of the module. */
export function create(module: WorkflowModule, name: string, now: number, info: any, flags: number[]): void {
  info.startTime = new Date(info.startTime);
  info.runStartTime = new Date(info.runStartTime);
  if (info.executionExpirationTime !== undefined) info.executionExpirationTime = new Date(info.executionExpirationTime);
  info.unsafe = { isReplaying: true, isReplayingHistoryEvents: true, now: host.now, random: unsafeRandom };
  creating = { module, name, info, flags };
  try {
    // The package copies the info it is given piece by piece, for values from another realm: it gets its own at once after.
    api.initRuntime({ ...options, now, info: { workflowType: info.workflowType } as any });
  } finally {
    creating = undefined;
  }
}

/** Evaluates the module as an execution would, and names the functions it exports, and those of them that may ask for newer code. */
export function check(workflowModule: WorkflowModule, now: number): { functions: string[]; upgrading: string[] } {
  let found: [string, any][] = [];
  const probe: WorkflowModule = (require, m, exports) => {
    workflowModule(require, m, exports);
    found = Object.entries(m.exports).filter(([, f]) => typeof f === 'function');
    m.exports = { probe() {} };
  };
  create(probe, 'probe', now, { workflowType: 'check', workflowId: 'check', runId: 'check', startTime: now, runStartTime: now }, defaultFlags());
  api.dispose();
  // Options that are a function are each execution's own: any of them may ask.
  const upgrades = ({ workflowDefinitionOptions: o }: any) => typeof o === 'function' || o?.versioningBehavior === 'AUTO_UPGRADE';
  return { functions: found.map(([name]) => name), upgrading: found.filter(([, f]) => upgrades(f)).map(([name]) => name) };
}

/** The flags that this version of the package turns on for new executions. */
export function defaultFlags(): number[] {
  return Object.values(SdkFlags)
    .filter((flag) => flag.default)
    .map((flag) => flag.id);
}

/** Prepares for the jobs of a workflow task. */
export function begin(
  now: number,
  historyLength: number,
  historySize: number,
  continueAsNewSuggested: boolean,
  suggestedContinueAsNewReasons: string[] | undefined,
  targetWorkerDeploymentVersionChanged: boolean,
  currentBuildId: string,
  isReplaying: boolean
): void {
  getActivator().now = now;
  const info = freshInfo();
  info.historyLength = historyLength;
  info.historySize = historySize;
  info.continueAsNewSuggested = continueAsNewSuggested;
  info.suggestedContinueAsNewReasons = suggestedContinueAsNewReasons;
  info.targetWorkerDeploymentVersionChanged = targetWorkerDeploymentVersionChanged;
  info.currentBuildId = currentBuildId;
  info.unsafe.isReplaying = info.unsafe.isReplayingHistoryEvents = isReplaying;
}

/** The execution's info, to be changed. It is a snapshot to code that has asked for it: then the changes go to a copy. */
function freshInfo(): any {
  const activator: any = getActivator();
  if (activator.info === activator.shownInfo) {
    activator.info = { ...activator.info, unsafe: { ...activator.info.unsafe } };
    activator.shownInfo = undefined;
  }
  return activator.info;
}

/** Prepares for a query, which is live whatever state it looks at. */
export function beginQuery(): void {
  const { unsafe } = freshInfo();
  unsafe.isReplaying = true;
  unsafe.isReplayingHistoryEvents = false;
}

/** Whether the execution's function asked to go on with newer code. Known once it has begun: the options may be a function. */
export function autoUpgrades(): boolean {
  return (getActivator() as any).versioningBehavior === 'AUTO_UPGRADE';
}

export function initialize(job: any): void {
  api.initialize(job);
  const activator: any = getActivator();
  activator.info = fold(activator.info);
}

export function activate(jobs: any[]): void {
  api.activate({ jobs });
}

export function unblock(): number {
  return api.tryUnblockConditions();
}

export function conclude(): unknown[] {
  return api.concludeActivation().successful!.commands!;
}

/** The failure that Temporal's own worker sends for what was thrown. */
export function failureOf(thrown: unknown): unknown {
  return getActivator().errorToFailure(thrown);
}

/** The same for a promise that was rejected and that nobody waits for. */
export function failureOfRejection(reason: unknown): unknown {
  let told = 'what it was rejected with has no text';
  try {
    told = String(reason);
  } catch {
    // An object without a prototype, or whose toString throws.
  }
  const error: any = new Error(`Unhandled Promise rejection: ${told}`);
  error.name = 'UnhandledRejectionError';
  error.stack = '';
  error.cause = reason;
  return getActivator().errorToFailure(error);
}

export function dispose(): void {
  api.dispose();
}

export { JsonPayload, Long, nullPayload };

harden([...(Object.values(modules) as object[]), Activator.prototype, payloadConverter, JsonPayload, Long, nullPayload, unsafeRandom], host.freeze);

export { withPackages } from './packages';
