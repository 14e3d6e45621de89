// Package language is what goja lacks of the language, in rooms of one subject each, and the
// contract between them and the VM that they complete: Host. Each room has functions that put its
// subject into a runtime; what they remember of a runtime is in a value of the room's own. Here is,
// beside the contract, what more than one of them needs: how values are converted, how builtins are
// made, replaced and bounded.
//
// It promises: what calls a builtin is told of no length that changes between the look and the use,
// and of no limit but by an error that names it; what computes for long in Go asks Host whether its
// time is over.
//
// It may import goja, and of this project nothing at all; its rooms may import it and each other,
// never runtime/sandbox.
package language
