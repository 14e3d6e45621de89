package builtins

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// spread looks at what is spread into the arguments of a call. goja will put its items on its stack one by one, in one step, and would copy
// all that lies there for each thousand: a million would hold a core for seconds. So there is a limit, and room for all before.
func spread(h Host, call goja.FunctionCall) goja.Value {
	items := call.Argument(0)
	n := 0
	switch x := items.(type) {
	case goja.String:
		n = x.Length()
	case *goja.Object:
		if !language.IsArray(x) {
			iterator := x.GetSymbol(goja.SymIterator)
			if iterator == nil || goja.IsUndefined(iterator) || goja.IsNull(iterator) {
				return x // goja says that it can't be iterated
			}
			array := language.NativeObject(h, "Array")
			x = language.Builtin(array, "from")(goja.FunctionCall{This: array, Arguments: []goja.Value{x}}).ToObject(h.Runtime())
			items = x
		}
		n = int(x.Get("length").ToInteger())
	}
	if n > h.Limits().Arguments {
		language.Throw(h, "RangeError", fmt.Sprintf("a call with %d arguments: the limit is %d", n, h.Limits().Arguments))
	}
	if n > 512 && !h.Room(n) {
		language.Throw(h, "RangeError", fmt.Sprintf("Maximum call stack size exceeded: %d more arguments, in calls inside of others that have as many", n))
	}
	return items
}

// joinTexts puts two texts together.
func joinTexts(h Host, call goja.FunctionCall) goja.Value {
	a, b := language.Text(h, call.Argument(0)), language.Text(h, call.Argument(1))
	language.CheckBytes(h, "a template", float64(a.Length())+float64(b.Length()))
	return a.Concat(b)
}
