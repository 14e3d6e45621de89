// Package called says in words what an expression was, where a program failed: `o.a` of `o.a()`,
// `f(...)` of `f(1)()`, as V8 words it.
//
// It promises: it reads the text only, runs nothing, and knows the places that goja's programs name
// for their instructions.
//
// It may import goja's parser and syntax tree, and imports nothing of ours.
package called
