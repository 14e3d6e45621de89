// Package steps makes rows of component_executions: one for each step of an execution that has a
// row.
//
// It promises:
//
//   - What passes by on the wire makes rows fast; histories, at an execution's end and where a row
//     hasn't changed for long, make them right. A row never goes back: see rows.Step.Progress.
//   - What is to be kept secret never lands in a row, nor in what is told of a failure.
//   - It holds back no task: what the wire tells is folded in memory, within a bound, and written
//     beside it, many steps in one statement.
//
// It imports rows for all that it says to the database, and what it has in common with executions:
// bell, shown and temporal. It knows nothing of how executions are started and followed.
package steps
