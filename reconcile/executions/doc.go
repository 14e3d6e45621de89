// Package executions makes rows of workflow_executions into Temporal's executions, and
// Temporal's executions into rows.
//
// It promises:
//
//   - A row that is pending is started once, whatever crashes, doubles or is tried again: what it
//     is to be called is in the row before anything is asked of Temporal, and each execution
//     carries its row's id ([Starter]).
//   - A row ends as Temporal says. What this process's workers see makes that fast ([Reports],
//     [Follower]); visibility and Describe, at every start and on a timer, make it right
//     ([Sweeper]).
//   - A row stays with its execution through continue-as-new, retries and resets: both name the
//     first run. An execution of another task queue is never followed, signalled or replaced.
//   - Where all are to be recorded, executions that nobody made a row for get one ([Recorder]).
//   - A request ends completed or failed; those of one execution are done in their order, signals
//     and updates once ([Requests]).
//   - Each step of an execution that has a row has one, too: see steps.
//   - What is over is removed in small steps ([Retention]).
//
// Each is a type with a Run that works until its context ends. It imports rows for all that it
// says to the database, runtime for what it is told, and asks Temporal by interfaces of its own.
// Below it: steps, and what that room and this one have in common, bell, shown and temporal.
package executions
