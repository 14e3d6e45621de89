// Package globals makes what code finds as its globals of goja's builtins, their changes (package
// builtins), the library, and the bindings of what has rooms of its own.
//
// It promises: nothing leads to a builtin that isn't changed; a global that nobody asks for costs
// nothing, except in a runtime that executions share.
package globals
