// Made from the service's types and tables: `make schema` writes it anew.
// Fields that are not listed may come.

/**
 * WorkflowWorkersMetadata is the JSON in workflow_workers.metadata: what the Workflow Builder
 * shows of a project's worker.
 */
export interface WorkflowWorkersMetadata {
  /** Schema is the version of this format: 1. */
  schema: number;
  /** Replica is the name of the process that wrote the row. */
  replica: string;
  /**
   * Error says in one line what is wrong: with status failed, why the worker doesn't run; else
   * the first thing that isn't as the rows want it. Absent if all is well.
   */
  error?: string;
  /** Workflows and Components have one entry for each that the project has. */
  workflows: SourceState[];
  components: SourceState[];
  /**
   * Polls says since when the worker can't ask Temporal for tasks, and why. Absent if it can.
   */
  polls?: PollFailure;
  /**
   * Failing are executions that get no further and are of no workflow above: of a type that
   * none serves, or of one that is gone.
   */
  failing?: Failing;
  /**
   * Quarantined is who isn't tried for a while, because its code ended processes: executions,
   * or all of the project; at most 20.
   */
  quarantined?: Quarantined[];
  /** LastReload is when code last went live here, and why. */
  lastReload?: ReloadState;
  /**
   * RestartRequest is the newest restart request that was there when the worker started: it,
   * and every older one, is satisfied.
   */
  restartRequest?: string;
  /**
   * LastMove is how far the worker knows the executions that were told to move:
   * workflow_execution_moves.seq.
   */
  lastMove?: number;
  /**
   * HeartbeatSeconds is the interval of this replica's heartbeat: silent for three of them, it
   * is dead.
   */
  heartbeatSeconds?: number;
}

/**
 * SourceState is one workflow or component. Version, Hash, Since and Types are of what is live,
 * or of what a stopped worker ran last, and absent if nothing is; Error is of the newest text,
 * and present only if that is not what is live.
 */
export interface SourceState {
  /** workflows.id or components.id */
  id: string;
  /** kebab name, or the component's name */
  name: string;
  version?: string;
  /** of the text, as executions are pinned to it */
  hash?: string;
  /** row of workflow_compiled_code that it came from */
  codeId?: string;
  since?: string;
  /** workflow types, or activity types, that it serves */
  types?: string[];
  shared?: boolean;
  /**
   * VersioningBehavior is what new code means for a workflow's running executions: pinned or
   * auto_upgrade, as the row says, else the live code.
   */
  versioningBehavior?: string;
  /** Superseded are older texts that open executions are on; see Superseded. */
  superseded?: Superseded[];
  /** KeptCode are texts that executions were to go on with and don't; see KeptCode. */
  stayed?: KeptCode[];
  /** Failing are its executions that get no further; see Failing. */
  failing?: Failing;
  error?: SourceError;
  /**
   * Warning is likely to be wrong with the newest text, or with the names that it is served
   * under, and keeps nothing from going live.
   */
  warning?: SourceWarning;
}

/**
 * Superseded is older code of a workflow that open executions are on. Executions counts those
 * that began while it was live, without those that were moved away since, and with those that
 * were moved to it.
 */
export interface Superseded {
  version?: string;
  hash: string;
  /** absent if it was never live */
  supersededAt?: string;
  executions: number;
}

/**
 * KeptCode is code that open executions were to go on with, and keep theirs, because their
 * history doesn't fit it.
 */
export interface KeptCode {
  version?: string;
  hash: string;
  /** Executions are those that were found, at most 1,000. */
  executions: number;
  since: string;
  /** the first of them */
  example: BrokenExecution;
}

/** BrokenExecution is an open execution whose history other code doesn't fit. */
export interface BrokenExecution {
  workflowId: string;
  runId: string;
  /** in its history; absent if unknown */
  event?: number;
  reason: string;
}

/**
 * Failing are executions that are open and get no further, because their workflow tasks fail.
 */
export interface Failing {
  /** Executions are those that were found, at most 1,000. */
  executions: number;
  since: string;
  /** that has failed for longest */
  example: FailingExecution;
}

/**
 * FailingExecution is one of them. Version and Hash are of the code that it runs, absent if it
 * got none; File, Line and Column of the author's line.
 */
export interface FailingExecution {
  workflowId: string;
  runId: string;
  type: string;
  version?: string;
  hash?: string;
  reason: string;
  message: string;
  file?: string;
  line?: number;
  column?: number;
}

/**
 * SourceError says why the newest text isn't live. Line and Column count from 1 in the author's
 * own text and are absent if unknown.
 */
export interface SourceError {
  version?: string;
  message: string;
  file?: string;
  line?: number;
  column?: number;
  more?: Remark[];
  checked?: number;
  broken?: BrokenExecution[];
}

/** Remark is one error or warning beside the first. */
export interface Remark {
  message: string;
  file?: string;
  line?: number;
  column?: number;
}

/**
 * SourceWarning is the first warning about a source, with a place as in SourceError; More are
 * the others, at most 20.
 */
export interface SourceWarning {
  message: string;
  file?: string;
  line?: number;
  column?: number;
  more?: Remark[];
}

/** PollFailure is that a project's worker can't ask Temporal for tasks. */
export interface PollFailure {
  since: string;
  error: string;
}

/**
 * Quarantined is an execution, or a project, that isn't tried because of how its code ended
 * processes.
 */
export interface Quarantined {
  /** Project says that all of the project waits; the rest is of the last death then. */
  project?: boolean;
  /** WorkflowID and RunID are of the execution; absent if there was none. */
  workflowId?: string;
  runId?: string;
  /** File, Version and Hash are of the code that was under way; absent if they aren't known. */
  file?: string;
  version?: string;
  hash?: string;
  /** Deaths are the processes that ended meanwhile; Until is when it is tried again. */
  deaths: number;
  until: string;
  /** Cause is how the last ended, Words are its last lines. */
  cause: string;
  words?: string;
}

/** ReloadState is one start or reload. */
export interface ReloadState {
  at: string;
  /** start or reload */
  action: string;
  cause: string;
  /**
   * Milliseconds is from the commit until the code was live, failed attempts included; from
   * when the change was noticed, where the stream didn't tell of the commit.
   */
  milliseconds: number;
}

/** WorkerRequestResult is the JSON in worker_requests.result of a check or migrate request. */
export interface WorkerRequestResult {
  /** Target is the code that was checked against. */
  target: CodeRef;
  /**
   * Checked is how many executions were tried; Fits, how many of them could go on with the
   * target. Those that run it already are not tried.
   */
  checked: number;
  fits: number;
  /** Moved is how many were told to; only of a migrate request. */
  moved?: number;
  /** Executions are those that fit, at most 100 of them. */
  executions?: Execution[];
  /** Breaks is how many could not go on; Broken are at most 100 of them. */
  breaks: number;
  broken?: BrokenExecution[];
  /** Truncated says that there are more open executions than were tried. */
  truncated?: boolean;
}

/** CodeRef names a text. */
export interface CodeRef {
  version?: string;
  hash: string;
}

export interface Execution {
  workflowId: string;
  runId: string;
}

/** WorkflowExecutionError is workflow_executions.error. */
export interface WorkflowExecutionError {
  type: string;
  message?: string;
  stack?: string;
  /** the author's */
  file?: string;
  line?: number;
  column?: number;
  details?: unknown;
  /** Activity is the type of the activity that failed, Workflow that of the child. */
  activity?: string;
  workflow?: string;
  /** who ended it */
  identity?: string;
  /** Lost is rows.LostKey. */
  lost?: boolean;
  cause?: WorkflowExecutionError;
}

/**
 * WorkflowExecutionOptions is workflow_executions.options: what the TypeScript client's start
 * takes.
 */
export interface WorkflowExecutionOptions {
  type?: string;
  args?: unknown[];
  /** rows.ClaimStarts reads it */
  workflowId?: string;
  workflowIdReusePolicy?: string;
  workflowIdConflictPolicy?: string;
  workflowExecutionTimeout?: number | string;
  workflowRunTimeout?: number | string;
  workflowTaskTimeout?: number | string;
  startDelay?: number | string;
  cronSchedule?: string;
  retry?: {
    initialInterval?: number | string;
    maximumInterval?: number | string;
    backoffCoefficient?: number;
    maximumAttempts?: number;
    nonRetryableErrorTypes?: string[];
  };
  memo?: { [name: string]: unknown };
  searchAttributes?: { [name: string]: unknown };
  priority?: {
    priorityKey?: number;
    fairnessKey?: string;
    fairnessWeight?: number;
  };
}

/** LiveDetails are the details of started and reloaded. */
export interface LiveDetails {
  cause: string;
  milliseconds: number;
  changes: Change[];
  /** More is how many changes are not named. */
  more?: number;
}

/**
 * Change is one source whose live code changed. From is nil if it had none, To if it has none
 * any more.
 */
export interface Change {
  kind: string;
  id: string;
  name: string;
  from?: CodeRef;
  to?: CodeRef;
}

/** BrokenDetails are the details of compile_failed and refused_by_gate. */
export interface BrokenDetails {
  kind: string;
  id: string;
  name: string;
  version?: string;
  message: string;
  file?: string;
  line?: number;
  column?: number;
  more?: Remark[];
  checked?: number;
  broken?: BrokenExecution[];
}

/** MigratedDetails are the details of migrated. */
export interface MigratedDetails {
  request: string;
  /** workflows.id */
  workflow: string;
  target: CodeRef;
  moved: number;
  broken: number;
}

/** RequestDetails are the details of request_done. */
export interface RequestDetails {
  request: string;
  action: string;
  status: string;
}

/** KeptCodeDetails are the details of stayed. */
export interface KeptCodeDetails {
  /** workflows.id */
  workflow: string;
  target: CodeRef;
  executions: number;
  example: BrokenExecution;
}

/** FailingDetails are the details of failing. */
export interface FailingDetails {
  /** workflows.id */
  workflow?: string;
  /** Executions are those that were found, at most 1,000. */
  executions: number;
  since: string;
  /** that has failed for longest */
  example: FailingExecution;
}

/** CodeRemovedDetails are the details of code_removed. */
export interface CodeRemovedDetails {
  kind: string;
  name: string;
  version?: string;
  hash: string;
}

/** What workflow_execution_requests.result is for a reset: the new run. */
export interface WorkflowExecutionResetResult {
  runId: string;
}

/**
 * What workflow_execution_requests.result is: what the handler of an update or query returned,
 * or WorkflowExecutionResetResult.
 */
export type WorkflowExecutionRequestResult = unknown;

/** A project: one task queue, one worker. Written by the Workflow Builder. */
export interface ProjectsRow {
  /** Key. */
  id: string;
  /** Name that people see. */
  name: string;
  /** Free text. */
  description: string | null;
  /** Owner. On Supabase a user of auth.users, or of a users table that points there. */
  created_by: string | null;
  /**
   * Temporal task queue of the project's worker and of whoever starts its workflows. Changing
   * it restarts the worker.
   */
  task_queue_name: string;
  /** false: no worker runs for this project. */
  is_active: boolean;
  /**
   * Executions that ran and ended. The service counts them: whoever else adds one changes
   * nothing.
   */
  total_workflow_executions: number;
  /** Executions of activities that ended, each attempt one. */
  total_activity_executions: number;
  /** Mean duration of its executions in milliseconds. */
  avg_execution_duration_ms: number;
  /** When an execution last ended. */
  last_execution_at: string | null;
  /** When the row was made. */
  created_at: string;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /**
   * project: its workflow code runs on JavaScript runtimes of its own, for some more memory.
   * NULL: as WORKFLOW_ISOLATION says, usually on runtimes that projects share. Counts for
   * executions that start, or are replayed, from then on.
   */
  isolation: string | null;
  /**
   * all: executions that somebody else started get rows too, children included. rows: only
   * those that have one are followed. NULL: as RECORD_EXECUTIONS says.
   */
  record_executions: 'rows' | 'all' | null;
  /**
   * How long after their end rows of workflow_executions are kept. NULL: as EXECUTION_RETENTION
   * says.
   */
  execution_retention: string | null;
  /**
   * What gets rows in component_executions: none, activities, or all (timers and children,
   * too). NULL: as RECORD_STEPS says.
   */
  record_steps: 'none' | 'activities' | 'all' | null;
  /**
   * false: component_executions has sizes instead of inputs and outputs. NULL: as
   * RECORD_PAYLOADS says.
   */
  record_payloads: boolean | null;
  /** Sum of the durations, for the mean. */
  total_execution_duration_ms: number | null;
}

/**
 * A workflow of a project. Its code is in workflow_compiled_code. Written by the Workflow
 * Builder.
 */
export interface WorkflowsRow {
  /** Key. */
  id: string;
  /** Project whose worker serves it. May be changed: both projects' workers follow. */
  project_id: string;
  /**
   * Workflow type that executions are started by, beside the names of the code's exported
   * functions.
   */
  kebab_name: string;
  /** Name that people see. */
  display_name: string;
  /** Free text. */
  description: string | null;
  /**
   * Version of the definition. The version that runs is that of the active row of
   * workflow_compiled_code.
   */
  version: string;
  /**
   * The Workflow Builder's graph. Nodes (under nodes or graph.nodes) may carry
   * data.componentId: the components that this workflow uses.
   */
  definition: unknown;
  /** false: not served. */
  is_active: boolean;
  /** Author. */
  created_by: string | null;
  /** When the row was made. */
  created_at: string;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /**
   * What new code means for running executions. pinned: they keep the code that they began
   * with. auto_upgrade: they take it at their next workflow task, if it fits their histories.
   * NULL: the code says, by setWorkflowOptions; else pinned.
   */
  versioning_behavior: 'pinned' | 'auto_upgrade' | null;
}

/**
 * Versions of a workflow's TypeScript. The active one is what new executions run. Written by
 * the Workflow Builder.
 */
export interface WorkflowCompiledCodeRow {
  /** Key. */
  id: string;
  /** Workflow that this is the code of. */
  workflow_id: string;
  /**
   * Version, unique within the workflow. Shown with the worker; what counts is the text itself.
   */
  version: string;
  /**
   * TypeScript of the workflow. May be changed in place: new executions run the new text,
   * running ones keep theirs.
   */
  workflow_code: string;
  /**
   * TypeScript of activities; used for names that no component and no built-in activity has.
   */
  activities_code: string;
  /** Written by the Workflow Builder's compiler; not used by the service. */
  worker_code: string;
  /** Written by the Workflow Builder's compiler; not used by the service. */
  package_json: string;
  /** Written by the Workflow Builder's compiler; not used by the service. */
  tsconfig_json: string;
  /**
   * true: this version is the workflow's current code. Of several active ones the newest
   * compiled_at counts.
   */
  is_active: boolean;
  /** When the Workflow Builder compiled it. */
  compiled_at: string;
  /** Who had it compiled. */
  compiled_by: string | null;
  /**
   * Executions that ended on this version; of those whose version isn't known, what was active
   * when they were counted. The service counts them: whoever else adds one changes nothing.
   */
  execution_count: number;
  /**
   * Failed executions on this version, if the Workflow Builder counts them. The service only
   * reads this table: which executions are stuck is in workflow_workers.metadata
   * (workflows[].failing).
   */
  error_count: number;
  /** Mean duration of those executions in milliseconds. */
  avg_execution_duration_ms: number;
  /** When one last ended. */
  last_executed_at: string | null;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /** Sum of the durations, for the mean. */
  total_execution_duration_ms: number | null;
}

/** Custom activities in TypeScript. Written by the Workflow Builder. */
export interface ComponentsRow {
  /** Key. Definitions name components by it. */
  id: string;
  /**
   * Project that it belongs to. NULL: shared, used by each project whose definitions name its
   * id.
   */
  project_id: string | null;
  /** Name of the activity, as workflow code calls it. */
  name: string;
  /** Name that people see. */
  display_name: string;
  /** Free text. */
  description: string | null;
  /** Version. Shown with the worker. */
  version: string;
  /** Language of implementation_code: typescript or javascript. */
  implementation_language: string | null;
  /** The activity's code. NULL: nothing to run, as for the built-in ones. */
  implementation_code: string | null;
  /** false: not served. */
  is_active: boolean;
  /** Author. */
  created_by: string | null;
  /** When the row was made. */
  created_at: string;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /**
   * The Workflow Builder's. The service reads redact: names of properties that never land in
   * component_executions.
   */
  config_schema: unknown;
}

/**
 * Start, stop and restart of a project's worker: insert a row, read its status. Finished by
 * workflow-worker.
 */
export interface WorkerRequestsRow {
  /** Key. */
  id: string;
  /**
   * Project that it is about. No foreign key: a request outlives its project, so that it is
   * answered.
   */
  project_id: string;
  /**
   * start, stop or restart; the newest of these also says whether the project should run: after
   * stop it stays stopped until start or restart. check: would running executions go on with
   * other code? migrate: those that would, shall.
   */
  action: 'start' | 'stop' | 'restart' | 'migrate' | 'check';
  /** pending, then processing, then completed or failed. */
  status: 'pending' | 'processing' | 'completed' | 'failed';
  /** Why it failed; of a migrate request, also what it could not move. */
  error: string | null;
  /** Who asked, as projects name their owner. */
  requested_by: string | null;
  /** When it was asked. Orders the requests of a project. */
  requested_at: string;
  /** When the service took it up. */
  started_at: string | null;
  /** When it was completed or failed. */
  completed_at: string | null;
  /** For migrate and check: the workflow whose executions are meant. */
  workflow_id: string | null;
  /**
   * For migrate and check: Temporal's workflow id of the one execution that is meant. NULL: all
   * open ones.
   */
  execution_workflow_id: string | null;
  /** Temporal's run id beside execution_workflow_id. NULL: the newest run. */
  execution_run_id: string | null;
  /**
   * For migrate and check: version, or hash, of the code to go on with; it needn't be active.
   * NULL: the code that is live.
   */
  target_version: string | null;
  /**
   * For migrate and check, once it was checked: target, checked, fits or moved, broken
   * (workflowId, runId, event, reason), truncated.
   */
  result: WorkerRequestResult | null;
}

/** What runs: one row per project and replica of the service. Written by workflow-worker. */
export interface WorkflowWorkersRow {
  /** Key. */
  id: string;
  /** Names the worker: project and replica. */
  worker_id: string;
  /** Project that it serves. */
  project_id: string;
  /** Task queue that it polls. */
  task_queue_name: string;
  /**
   * starting, running, stopping, stopped, or failed (also: its replica stopped sending
   * heartbeats).
   */
  status: 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';
  /** Host of the replica. */
  host: string | null;
  /** Port of the replica's health and metrics pages. */
  port: number | null;
  /** Process id of the replica on its host. */
  process_id: string | null;
  /** When it began to run. */
  started_at: string | null;
  /** When it stopped or failed. NULL while it runs. */
  stopped_at: string | null;
  /** When its replica last said that it is alive. */
  last_heartbeat: string | null;
  /** Activity tasks that this replica did for the project. */
  total_tasks_completed: number;
  /** Activity tasks that failed there. */
  total_tasks_failed: number;
  /** Mean duration of an activity task in milliseconds. */
  avg_task_duration_ms: number;
  /** Reserved: workers of a replica share one process, so there is no figure of one. */
  cpu_usage_percent: number | null;
  /** Reserved: workers of a replica share one process, so there is no figure of one. */
  memory_usage_mb: number | null;
  /**
   * Per workflow and component: version and hash that are live, types served, error with
   * position; and the last reload. The README shows an example.
   */
  metadata: WorkflowWorkersMetadata;
  /** When the row was made. */
  created_at: string;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /** Sum of the durations, for the mean. */
  total_task_duration_ms: number | null;
}

/**
 * Executions. A row that is, or becomes, pending starts one; the service writes what becomes of
 * it.
 */
export interface WorkflowExecutionsRow {
  /** Key. */
  id: string;
  /** The workflow that is executed. */
  workflow_id: string;
  /**
   * Temporal's workflow id. NULL in a pending row: options.workflowId, else <kebab name>-<id>.
   */
  temporal_workflow_id: string | null;
  /** Temporal's run id: the newest run, through continue-as-new, retries and resets. */
  temporal_run_id: string | null;
  /**
   * pending: to be started. building: left alone. running, paused, completed, failed or
   * cancelled: as Temporal says.
   */
  status: 'pending' | 'building' | 'running' | 'completed' | 'failed' | 'cancelled' | 'paused';
  /** When it was started. */
  started_at: string | null;
  /** When it ended. */
  completed_at: string | null;
  /** The one argument that it is started with. NULL: {}. */
  input: unknown;
  /** What it returned; a note of its size if that is above the service's limit. */
  output: unknown;
  /** Why it failed: what a person should read first. */
  error_message: string | null;
  /** From its start to its end, at most 2147483647. */
  duration_ms: number | null;
  /** How many activities its last run scheduled. */
  activities_executed: number | null;
  /** Who asked for it. */
  created_by: string | null;
  /** When the row was made. */
  created_at: string;
  /** When the row was last written. */
  updated_at: string;
  /** The Workflow Builder's. The service has no use for it. */
  temporal_history_json: unknown;
  /** The Workflow Builder's. The service has no use for it. */
  history_synced_at: string | null;
  /** The Workflow Builder's. The service has no use for it. */
  history_sync_status: string | null;
  /**
   * How it is to be started: type and args (several arguments), and what the TypeScript clients
   * start takes: workflowId, workflowIdReusePolicy, workflowIdConflictPolicy,
   * workflowExecutionTimeout, workflowRunTimeout, workflowTaskTimeout, retry, cronSchedule,
   * startDelay, memo, searchAttributes, priority.
   */
  options: WorkflowExecutionOptions | null;
  /**
   * Why it failed: type, message, stack, file, line, column, details, cause (shaped alike),
   * activity. Of one that was ended from outside the type is Terminated or TimedOut.
   */
  error: WorkflowExecutionError | null;
  /** Version of the code that it runs. */
  code_version: string | null;
  /** Hash of the code that it runs. */
  code_hash: string | null;
  /** Which attempt its newest run is, by its retry policy. From 1. */
  attempt: number | null;
  /** Row of the execution whose child it is, where there is one. */
  parent_id: string | null;
  /**
   * Internal: when the service first set about starting it. What was claimed is never started
   * twice.
   */
  claimed_at: string | null;
  /** Internal: until when nobody else goes on with its start. */
  leased_until: string | null;
  /**
   * Internal: Temporal's run id of the first run. It tells this execution from a later one of
   * the same id.
   */
  first_run_id: string | null;
  /**
   * Internal: first run of the execution whose child it is. It finds parent_id, whichever row
   * is there first.
   */
  parent_run_id: string | null;
}

/**
 * Steps of executions, one row each: activities, and where all are recorded, timers and
 * children. The service writes them.
 */
export interface ComponentExecutionsRow {
  /** Key. */
  id: string;
  /** The execution whose step it is. */
  workflow_execution_id: string;
  /**
   * Node of workflows.definition whose component or label names the activity; of several, by
   * order of scheduling. NULL: none does.
   */
  node_id: string | null;
  /** The component that the node, or the activity's name, names. */
  component_id: string | null;
  /** The activity; of a child its workflow type. */
  component_name: string | null;
  /**
   * pending, running, retrying (it failed and is tried again), completed, failed or cancelled.
   */
  status: 'pending' | 'running' | 'retrying' | 'completed' | 'failed' | 'cancelled';
  /** When its newest attempt began. */
  started_at: string | null;
  /** When it ended. */
  completed_at: string | null;
  /** Of its last attempt, at most 2147483647. */
  duration_ms: number | null;
  /**
   * Its argument, or an array of several; a note of the size if that is above the service's
   * limit, or if payloads aren't recorded.
   */
  input_data: unknown;
  /** What it returned, likewise. */
  output_data: unknown;
  /** Why it, or its last attempt, failed. */
  error_message: string | null;
  /**
   * The failure's own type, else activity_failure; timeout, cancelled, or execution_ended if
   * the execution didn't wait for it.
   */
  error_type: string | null;
  /** How many attempts there were before the newest. */
  retry_count: number | null;
  /**
   * It was tried again, as its node's retry policy has it, or else a limit of attempts in the
   * code.
   */
  is_expected_retry: boolean | null;
  /** Temporal's activity id; of a timer its id, of a child its workflow id. */
  temporal_activity_id: string | null;
  /** The newest attempt, from 1. */
  temporal_attempt: number | null;
  /** When the row was made. */
  created_at: string;
  /** activity, local_activity, timer or child. */
  kind: string | null;
  /** When the code asked for it. */
  scheduled_at: string | null;
  /** Of one that is retrying: when it is tried again. */
  next_attempt_at: string | null;
  /** Temporal's id of the run whose step it is. */
  run_id: string | null;
  /** When the service last wrote it. */
  updated_at: string;
  /** Internal: how far the row has got; what is older doesn't overwrite it. */
  progress: number | null;
}

/** What is asked of an execution: insert a row, the service answers in it. */
export interface WorkflowExecutionRequestsRow {
  /** Key. A signal or update is delivered once by it. */
  id: string;
  /** Row of workflow_executions. */
  execution_id: string;
  /**
   * cancel, terminate, signal, update, query, reset, pause or unpause. Those of one execution
   * are done in the order of requested_at.
   */
  action: 'cancel' | 'terminate' | 'signal' | 'update' | 'query' | 'reset' | 'pause' | 'unpause';
  /**
   * Of the signal, update or query. For reset: first, or last (the default), completed workflow
   * task.
   */
  name: string | null;
  /**
   * For signal, update and query: the arguments, an array; anything else is the only argument.
   * For reset: eventId, instead of a name.
   */
  args: unknown;
  /** Why, for Temporal's history. */
  reason: string | null;
  /** pending, processing (somebody works on it), completed or failed. */
  status: 'pending' | 'processing' | 'completed' | 'failed';
  /** What an update or query returned; of a reset, runId. */
  result: unknown;
  /** Why it failed. */
  error: string | null;
  /** Who asked. */
  requested_by: string | null;
  /** When it was asked; orders the requests of an execution. */
  requested_at: string;
  /** When it was first taken up. */
  started_at: string | null;
  /** When it was completed or failed. */
  completed_at: string | null;
  /** Internal: until when nobody else takes it up. */
  leased_until: string | null;
  /** Internal: the run that it went to, written before it goes. */
  run_id: string | null;
  /** Internal: when an update was accepted. What follows it needn't wait for its result. */
  delivered_at: string | null;
}

/**
 * What happened to the code of a project, newest last: the latest 200 events of each project.
 * Written by workflow-worker.
 */
export interface WorkerEventsRow {
  /** Key. Orders the events of one replica. */
  id: number;
  /** Project. */
  project_id: string;
  /** When the event was written down, moments after it happened. */
  occurred_at: string;
  /** Replica of the service that it happened on: one reload is an event on each. */
  replica: string;
  /**
   * started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed
   * (running executions keep their code, which the new one doesn't fit), failing (running
   * executions get no further: their workflow tasks fail), failed (a start or reload that
   * didn't work), stopped, request_done, migrated, code_removed or cell_died (the process that
   * its code ran in ended).
   */
  kind: 'started' | 'reloaded' | 'compile_failed' | 'refused_by_gate' | 'stayed' | 'failing' | 'failed' | 'stopped' | 'request_done' | 'migrated' | 'code_removed' | 'cell_died';
  /** One line for people. */
  message: string;
  /**
   * reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with
   * version and hash). compile_failed: kind, id, name, version, file, line, column.
   * refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). stayed:
   * workflow, target, executions, example (workflowId, runId, event, reason). failing:
   * workflow, executions, since, example (workflowId, runId, type, version, hash, reason,
   * message, file, line, column). request_done: request, action, status. migrated: request,
   * workflow, target, moved, broken. code_removed: kind, name, version, hash.
   */
  details: LiveDetails | BrokenDetails | MigratedDetails | RequestDetails | KeptCodeDetails | FailingDetails | CodeRemovedDetails | { [name: string]: unknown };
}

/**
 * Counts and durations per project and activity, over all replicas; written every heartbeat
 * interval.
 */
export interface ActivityStatisticsRow {
  /** Key. */
  id: string;
  /** Project. */
  project_id: string;
  /** Activity type. */
  activity_name: string;
  /** Executions that ended. */
  execution_count: number;
  /** Of those: completed. */
  success_count: number;
  /** Of those: failed. */
  failure_count: number;
  /** Mean duration in milliseconds. */
  avg_duration_ms: number;
  /** 95th percentile of the last thousand durations in milliseconds. */
  p95_duration_ms: number | null;
  /** 99th percentile of the last thousand durations in milliseconds. */
  p99_duration_ms: number | null;
  /** When an execution last ended. */
  last_executed_at: string | null;
  /** When the row was made. */
  created_at: string;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
}

/**
 * What executions of each workflow add up to: those that have, or had, a row in
 * workflow_executions. The service writes it.
 */
export interface WorkflowStatisticsRow {
  /** Key. */
  id: string;
  /** Workflow. */
  workflow_id: string;
  /** Executions that ran and ended: completed, failed and cancelled. */
  total_runs: number | null;
  /** Of those: completed. */
  successful_runs: number | null;
  /** Of those: failed, terminated and timed out ones included. */
  failed_runs: number | null;
  /** Mean duration in milliseconds, of all that ended. */
  avg_duration_ms: number | null;
  /** Shortest duration in milliseconds. */
  min_duration_ms: number | null;
  /** Longest duration in milliseconds. */
  max_duration_ms: number | null;
  /** Component that most of its steps were of. Where steps are recorded. */
  most_used_component_id: string | null;
  /** How many. */
  most_used_component_count: number | null;
  /** The same as failed_runs. */
  total_errors: number | null;
  /** When one last failed. */
  last_error_at: string | null;
  /** When one last ended. */
  last_run_at: string | null;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
  /** Sum of the durations, for the mean. */
  total_duration_ms: number | null;
}

/** The same of each project's workflows. */
export interface ProjectStatisticsRow {
  /** Key. */
  id: string;
  /** Project. */
  project_id: string;
  /** Workflow of most of its executions. */
  most_used_workflow_id: string | null;
  /** How many. */
  most_used_workflow_count: number | null;
  /** Component that most steps were of. Where steps are recorded. */
  most_used_component_id: string | null;
  /** How many. */
  most_used_component_count: number | null;
  /**
   * Task queue, of the Workflow Builder's task_queues, of the workflows of most of its
   * executions. NULL where there are none.
   */
  most_used_task_queue_id: string | null;
  /** How many. */
  most_used_task_queue_count: number | null;
  /** Executions that ran and ended. */
  total_executions: number | null;
  /** Longest duration in milliseconds. */
  longest_run_duration_ms: number | null;
  /** Workflow of that execution. */
  longest_run_workflow_id: string | null;
  /** Executions that failed. */
  total_failures: number | null;
  /** When one last failed. */
  last_failure_at: string | null;
  /** When one last ended. */
  last_execution_at: string | null;
  /** When the row last changed. Set by a trigger. */
  updated_at: string;
}

/**
 * Activities that ran more than 1,000 times, take more than 5 s on average, or fail more than 5
 * % of the time: candidates for a worker of their own, or for mending. It shows what you may
 * see of activity_statistics. Made by workflow-worker.
 */
export interface ActivitiesNeedingAttentionRow {
  /** Project. */
  project_id: string | null;
  /** Activity type. */
  activity_name: string | null;
  /** Why it is here: often, slow, failing. */
  reasons: string[] | null;
  /** Executions that ended, each attempt one. */
  execution_count: number | null;
  /** Of those: failed. */
  failure_count: number | null;
  /** Their share, from 0 to 1. */
  failure_rate: number | null;
  /** Mean duration in milliseconds. */
  avg_duration_ms: number | null;
  /** 95th percentile of the last thousand durations in milliseconds. */
  p95_duration_ms: number | null;
  /** 99th percentile of the last thousand durations in milliseconds. */
  p99_duration_ms: number | null;
  /** When an execution last ended. */
  last_executed_at: string | null;
}

/**
 * How each project is: one row per project, whatever became of earlier replicas. Read it as any
 * table; it shows the projects that you may see. Made by workflow-worker.
 */
export interface ProjectStatusRow {
  /** Project. */
  project_id: string | null;
  /** Its name. */
  name: string | null;
  /** Temporal task queue that its worker polls. */
  task_queue_name: string | null;
  /**
   * Whether the rows say that it should run: switched on, code there, and no stop request as
   * the newest.
   */
  should_run: boolean | null;
  /**
   * running, failed, starting, stopping, stopped, or down: it should run and no living replica
   * knows of it.
   */
  status: string | null;
  /** Living replicas that run it. */
  replicas_running: number | null;
  /** Living replicas that know of it, running or not. */
  replicas_alive: number | null;
  /** The first thing that isn't as the rows want it. NULL: all is well. */
  error: string | null;
  /** Workflows and components whose newest text isn't what is live. */
  errors: number | null;
  /** Workflows and components with warnings. */
  warnings: number | null;
  /** Open executions that get no further because their workflow tasks fail. */
  failing_executions: number | null;
  /** What is live: workflow, version, since. */
  live: unknown;
  /** When code last went live. */
  last_reload_at: string | null;
  /** Why. */
  last_reload_cause: string | null;
  /** The newest of any replica. */
  last_heartbeat: string | null;
}
