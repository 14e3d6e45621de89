// Package workflow runs workflow executions: Temporal's own TypeScript workflow package inside
// goja, on the Go SDK's internal bindings. Nothing above it imports those; they promise no
// compatibility, so their version is pinned in go.mod and an upgrade is tried by these tests.
//
// # What it promises
//
//   - Code written for @temporalio/workflow gives the same results, failures and order, live and replayed, because it is that
//     package that runs; what the package asks of its worker is listed below.
//   - An execution keeps the code that its first completed workflow task ran on: the pin, in its history. Continue-as-new
//     takes the newest. A task that fails records nothing: an execution whose first task never completed recovers with the
//     next code, one whose pin is recorded doesn't, by design.
//   - It goes on with other code only if the [Resolver] wants it, at a task's beginning, and only after its whole history has been
//     replayed on that code ([CheckReplay]); else it stays. No task fails by it. Each completed task's identity says which code ran ([wire.LastCode]),
//     and that is what a replay anywhere, a query after the end and a reset find.
//   - What is no Temporal failure fails the workflow task, never the execution, and says type, code, place and a hint.
//   - Code that doesn't return ends its own task. Other executions, of whatever code, may have lived on the same runtime; they begin
//     their task again on another, by a replay, and the server notices nothing. Only where their history can't be had does a task of
//     theirs fail (reason "discarded").
//   - Every entry has a memory budget (CodeOptions.Budget): who keeps too much fails its task, and is tried again later and alone
//     (see suspects). A process that is short of memory lets go of what rests (see Runtimes.LetGo): that is replayed, too.
//   - Executions share a runtime's builtins and Temporal's package, which are frozen, and nothing else: modules, globals and randomness
//     are theirs. TestProjectsOfARuntimeDontSeeEachOther walks through all that code can reach.
//
// It must never import a room other than its own below, runtime/compile, runtime/sandbox,
// runtime/language, runtime/platform/web and runtime/bundle, nor read a database or a file.
//
// # How it works
//
// [Runtimes] are a few goja runtimes (machine), each with the bundle loaded and a mutex, that executions
// of all codes share. A [Code] is a module's version; it has a function of its module in each runtime where
// executions of it live, and drops it with the last. Runtimes of its own (pool) it has for what must
// not share: it was cut off, held a shared runtime for long, has limits of its own, or is to be
// isolated; an execution that was cut off is alone in one. Code that changes builtins needs none: they
// are frozen in every runtime. A definition is one run to the Go SDK. Its callbacks only queue jobs; at a task's start
// the jobs go to the package as one activation, in an entry of the sandbox with the run's own
// global object in place, and the commands that come out wait in an outbox until nothing moves any
// more. What is cancelled while still in the outbox is never sent. Then the SDK gets the rest.
// [protocol] has how jobs, commands, payloads and failures look in JavaScript; what they do is here.
//
// [wire.Tasks] stands between the SDK and the server, and has an execution of the SDK's cache move
// to other code. A local activity under way delays it, because a replay would run that again.
//
// # Activation jobs
//
//	job                                    from                                test
//	initializeWorkflow                     the first task                      TestWorkflowInfo, TestContinueAsNew
//	signalWorkflow                         RegisterSignalHandler               TestSignalsQueriesAndUpdates, TestSignalsBeforeTheirHandlerAreKept
//	doUpdate                               RegisterUpdateHandler               TestSignalsQueriesAndUpdates, TestUpdateWithStart
//	queryWorkflow                          RegisterQueryHandler, StackTrace    TestQueryFailuresFailOnlyTheQuery, TestBuiltInQueries
//	cancelWorkflow                         RegisterCancelHandler               TestCancellationOfTheWorkflow, TestCancelledBeforeItsFirstTask
//	fireTimer                              NewTimer's callback                 TestTimersFireInOrder, TestZeroTimersAreTimers
//	resolveActivity                        ExecuteActivity's callback          TestActivityFailureReachesTheWorkflowWithItsCauses
//	  …backoff                             ExecuteLocalActivity's callback     TestLocalActivities
//	resolveChildWorkflowExecutionStart     ExecuteChildWorkflow's callback     TestChildFailures
//	resolveChildWorkflowExecution          ExecuteChildWorkflow's callback     TestChildWorkflows, TestChildFailures
//	resolveSignalExternalWorkflow          SignalExternalWorkflow's callback   TestSignalsAndCancellationsOfOtherWorkflows
//	resolveRequestCancelExternalWorkflow   RequestCancelExternalWorkflow's     TestSignalsAndCancellationsOfOtherWorkflows
//	notifyHasPatch                         replaced: the package asks hasPatch TestPatches, TestPatchMissingInHistoryMayBeRecordedLater
//	updateRandomSeed                       replaced: the SDK reseeds its streams TestRandomnessDiffersAfterAReset
//	resolveNexusOperationStart             ExecuteNexusOperation's callbacks   TestNexusOperations
//	resolveNexusOperation                  ExecuteNexusOperation's callbacks   TestNexusOperations
//	removeFromCache                        Close                               TestAllAgainWithoutTheCache
//
// # Commands
//
//	command                                to                                  test
//	startTimer, cancelTimer                NewTimer, RequestCancelTimer        TestTimerCancelledLater, TestTimerCancelledInItsTaskIsNeverStarted
//	scheduleActivity                       ExecuteActivity                     TestActivityOptionsReachTheServer, TestActivityScheduledByCodeSaysWhichCode
//	requestCancelActivity                  RequestCancelActivity               TestActivityCancellationTypes
//	startChildWorkflowExecution            ExecuteChildWorkflow                TestChildOptionsReachTheServer
//	cancelChildWorkflowExecution           RequestCancelChildWorkflow          TestChildCancellationTypes
//	signalExternalWorkflowExecution        SignalExternalWorkflow              TestSignalsAndCancellationsOfOtherWorkflows
//	cancelSignalWorkflow                   taken back, if not sent yet         TestSignalsAndCancellationsOfOtherWorkflows
//	requestCancelExternalWorkflowExecution RequestCancelExternalWorkflow       TestSignalsAndCancellationsOfOtherWorkflows
//	completeWorkflowExecution              Complete                            TestPayloads
//	failWorkflowExecution                  Complete                            TestWorkflowFailureCarriesEverything
//	cancelWorkflowExecution                Complete                            TestCancellationOfTheWorkflow
//	continueAsNewWorkflowExecution         Complete                            TestContinueAsNew
//	setPatchMarker                         GetVersion                          TestPatches
//	updateResponse                         UpdateCallbacks                     TestSignalsQueriesAndUpdates, TestUpdateHandlerFailure
//	respondToQuery                         the query handler's result          TestQueryFailuresFailOnlyTheQuery
//	upsertWorkflowSearchAttributes         UpsertSearchAttributes              TestMemoAndSearchAttributes
//	modifyWorkflowProperties               UpsertMemo                          TestMemoAndSearchAttributes
//	scheduleLocalActivity                  ExecuteLocalActivity                TestLocalActivities
//	requestCancelLocalActivity             RequestCancelLocalActivity          TestLocalActivities
//	scheduleNexusOperation                 ExecuteNexusOperation               TestNexusOperations
//	requestCancelNexusOperation            RequestCancelNexusOperation         TestNexusOperations
//
// # Proof
//
// testdata/histories has what each family of features left in Temporal, with its source;
// TestRecordedFamiliesStillReplay comes to the same end from it, and says how to record a new one.
// TestRandomProgramsReplayAsTheyRan makes up its workflows, and prints the seed that makes them
// again; the Fuzz functions of this package and of runtime/compile say how to run them on.
// testdata/exports.txt has the place of each export of the packages.
//
// # What differs from Temporal's own worker
//
//   - The history begins with a side effect's marker, the pin. Timers have the SDK's ids, patches its version markers; in
//     TemporalChangeVersion each patch has two names, "id" and "id-1". Patches for which there is no more room there are recorded behind
//     the other commands of their task.
//   - Continue-as-new hands on the memo with what was upserted; an upsert of nothing is none; an empty activityId fails the task by name.
//   - What an activity that was cancelled in the activation that ended the run would have brought is never seen: there is no activation after
//     the last one.
//   - A query handler draws random numbers that aren't the execution's, and one that schedules something is refused.
//   - A thrown undefined fails the task, a query whose result has no payload is answered with an error.
//   - workflowInfo() has no currentDeploymentVersion: rows are not Temporal's worker deployments. What of it is in the execution's
//     first event alone is read on the wire (see wire.Tasks).
//   - Event groups of signals, patches, Nexus operations and continue-as-new, and versioning intents, are ignored. Calls of sinks other than the logger's and
//     metricMeter's go nowhere, which the log says once for each version of the code. Rows give no interceptors.
//   - The stack trace queries show where each awaited timer, activity, child, signal, condition or trigger came about,
//     not every promise.
//   - The text of the package's functions is minified; a scope has cancelRequested on its prototype. An error's stack is an accessor until
//     it is first read.
//   - An execution's global object owns what the execution defines; builtins are inherited, so that its own names don't list them.
//   - Prototypes of builtins are frozen too: code that extends them fails when its module is evaluated.
package workflow
