// Package library is what of the standard library is written in JavaScript, because goja lacks it
// or has it wrong: each part a file in js, evaluated when something of it is first used, and the
// table of what hangs where.
//
// It promises: a part finds the builtins that its runtime began with, whatever an execution has
// made of its own; no stack shows a part's frames; what Go gives a part is what it needs and no
// more.
package library
