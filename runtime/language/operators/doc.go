// Package operators rewrites what goja computes without end or bounds: the operators of BigInts
// whose results can be larger than anything, and template literals of many texts, each of which it
// makes in one step that nothing can interrupt.
//
// And new.target, of which goja shows functions another's; and the conditions of what constants rule
// out, which it compiles wrongly.
//
// It promises: a program that is rewritten has the same results, but where what it calls throws
// because they would be too large; ordinary arithmetic is left alone. A rewritten operator is a
// call of a global function, which runtime/language/builtins has, under a name that no text can
// write or hide.
//
// It may import goja's syntax tree, and imports nothing of ours.
package operators
