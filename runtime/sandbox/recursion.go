package sandbox

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// maxNative is how many builtins may be under way at once. JavaScript that calls itself through
// builtins is stopped before by Options.CallDepth. An error takes time that grows with the square
// of how deep it is thrown: here, half a second.
const maxNative = 4000

// counted is a builtin that throws where too many are under way. goja counts the calls of
// JavaScript alone: builtins that call each other without any in between recurse on Go's stack, and
// one that overflows ends the process. "" + {toString: "".trim} does it, a getter that is a
// builtin, a bound function that calls itself, and so on without end.
func counted(r *goja.Runtime, f func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
	c := &countedFunction{r, f}
	return c.call
}

type countedFunction struct {
	r *goja.Runtime
	f func(goja.FunctionCall) goja.Value
}

func (c *countedFunction) call(call goja.FunctionCall) goja.Value {
	context := internals.context(c.r)
	if context == nil { // a runtime that isn't ours
		return c.f(call)
	}
	if context.over.Load() { // goja doesn't look before it is back in JavaScript
		context.stop()
	}
	context.depth++
	defer func() { context.depth-- }()
	if context.depth > context.most {
		context.depth /= 2 // room for the making of the error
		defer func() { context.depth = context.most + 1 }()
		panic(language.RangeError(c.r, fmt.Sprintf("Maximum call stack size exceeded: %d builtins called each other", context.most)))
	}
	return c.f(call)
}
