// Package build turns the texts of one row into a [Module], which can be run.
//
// # What it promises
//
//   - A module is compiled, evaluated once to see what it exports and that its top level doesn't throw, and looked over for
//     names that nobody has. What is wrong is an error, or a note, with its place in the author's text.
//   - Stored text is built as it was when it was stored: with the compiler's settings and the npm packages of then, under the
//     hash that executions are pinned to, and whatever would be refused today.
//   - [IsTextsFault] tells what the author must mend from what may work the next time.
//
// # What it must never do
//
// It knows one row at a time: neither a project's other rows, nor what is live, nor any execution.
// It may import runtime/compile, and workflow and activity to evaluate modules and to give programs
// the form in which they run; never runtime or runtime/replay.
package build
