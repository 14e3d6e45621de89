// Package replay knows the executions that Temporal has, and tells whether other code fits their
// histories.
//
// # What it promises
//
//   - [Executions] counts, lists and describes executions as Temporal's visibility knows them, which lags behind by seconds.
//   - [Executions.Check] replays the histories of open executions on other code, one after the other, and changes nothing. When
//     the time is over, what was found until then counts, and the result says that there are more.
//
// The replay of one history is runtime/workflow's (CheckReplay): a run that is to go on with other code
// asks for it within its task.
//
// # What it must never do
//
// It knows nothing of projects' rows, and neither builds code nor decides what becomes of an
// execution: it is told which code to try on which. It may import runtime/workflow and the rooms
// below that.
package replay
