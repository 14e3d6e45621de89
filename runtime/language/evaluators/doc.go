// Package evaluators bounds what makes programs of texts while code runs, eval and the constructors
// of functions, and what generators those make.
//
// It promises: goja's parser, which nothing interrupts, sees no text that could hold it up; what
// the compiler would have rewritten in the author's text is rewritten in these, too.
package evaluators
