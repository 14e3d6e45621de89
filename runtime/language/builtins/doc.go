// Package builtins changes goja's builtins and adds to them: strings, arrays, buffers, numbers,
// BigInts and their operators, dates, proxies.
//
// It promises: a builtin answers as V8's does where goja's differs; what it may take by a number, a
// length or a text that it is given is bounded; what computes for long can be interrupted. A change
// is made when code first asks for the builtin, or before, where code reaches it without a name.
package builtins
