// Package wire stands between the Go SDK and Temporal's server: it reads and writes their messages
// on the connection, for what the SDK has no place for.
//
// # What it promises
//
//   - Each completed task's identity says which code ran ([LastCode]), and each execution and activity that failed says it in its failure
//     (failure_label.go).
//   - A run in the SDK's cache that is to go on with other code gets its task with the history from the beginning: the SDK sees that its state
//     isn't what follows on, and makes another (moving.go). No task fails by it.
//   - What the SDK by itself finds wrong with a task says what ran and what to do, as failures of ours do (explain.go), of executions that
//     another worker began too (foreign.go); who cares hears of every end of a task (task_ends.go).
//   - The history that the SDK reads for a task has the events that the task brought; an execution's first event is kept for whom it begins.
//   - Patches are found in visibility by both their names, and those for which the SDK's list has no room are recorded all the same
//     (change_versions.go).
//   - It says which task queues' polls fail, and since when.
//   - It never blocks a message for longer than a read of a history takes, and one that it doesn't understand passes unchanged.
//
// # What it must never do
//
// It knows neither JavaScript nor how a workflow runs: it imports no other room of this project but
// the leaf runtime/logkey.
// What it needs of a run in the SDK's cache it asks through [Kept], which runtime/workflow
// implements; who hears of a project is a [Project].
package wire
