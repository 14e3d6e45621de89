// Package pattern is a regular expression engine: ECMAScript 2025's, with what browsers have beside
// it (Annex B).
//
// It promises: an expression means what the specification says, in all three modes (legacy, u, v),
// with all flags, named groups that different alternatives may share, lookbehind, modifiers and
// operations on classes; what is wrong with one is said in V8's words, with a place. What can't be
// had is an error, not another meaning: of the properties of strings there is but one, because the
// others take tables of thousands of strings. Properties of characters are those of Go's Unicode
// tables, of emoji.go and of properties.txt.
//
// A Program is immutable and shared: any number of goroutines may run it, each with a Machine of
// its own. A machine goes back and forth as V8's does, so that captures come out the same, and so
// some expressions take time that grows exponentially with the text. Three things bound what that
// costs: the machine asks every some thousand steps whether to go on (Machine.Poll); it remembers
// its places on a stack of its own, whose size ends a match with ErrStack before it is anybody's
// memory; and a search that takes suspiciously long starts over with Go's engine, whose time is
// linear, if the expression is one of those of which that gives the same answer: no looking around
// or back, no group inside a loop, no empty rounds. Compiling takes time and memory that grow with
// the expression, which is bounded. Nothing depends on time or chance: the same expression on the
// same text gives the same match or the same error, always.
//
// Texts are ASCII in bytes or UTF-16, as JavaScript engines keep them, so that nothing is converted
// to be matched.
//
// It is pure and imports nothing of ours: runtime/compile checks literals with it,
// runtime/language/regexp binds it to goja.
package pattern
