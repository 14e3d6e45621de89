// Package regexp binds runtime/language/pattern to JavaScript: RegExp, its prototype, and what else
// makes or uses regular expressions.
//
// It promises: no expression is matched by goja's engines; objects are goja's own, so that they are
// what the language says; an interrupt ends a match as it ends a loop; what one execution has
// matched is never told to another.
package regexp
