// Package compile turns the TypeScript text of one row into a program that goja can run.
//
// It promises: the same text under the same name gives the same hash and the same program; an error names the row's file,
// line and column; no text, however hostile, ends the calling process or holds it longer than the compiler's deadline.
//
// The last promise needs a second process. esbuild and goja's parser recurse with the text's nesting, a Go stack overflow
// cannot be recovered from, and a goroutine that computes cannot be stopped: so a child process that may die transforms and
// test-parses each text first, with a small stack, a memory limit, an empty environment and a deadline (see Child).
//
// It is pure: no database, no Temporal, no file system. It must never import another room of this project but runtime/pattern.
package compile
