// Package pattern rewrites regular expressions in the places where goja would silently match something else.
//
// It promises: what comes out matches as the specification says, or there is an error that says what can't be had. It is pure
// and imports nothing of ours: runtime/compile uses it for literals, runtime/sandbox for expressions made while code runs.
package pattern
