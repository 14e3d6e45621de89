package sandbox

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

const (
	// maxArguments is how many arguments a call may get by spread ones. V8 takes half of that, and says that its stack is full.
	maxArguments = 250_000
	// maxStacked is how many values may lie on goja's stack when more are spread: 32 MB.
	maxStacked = 2 << 20
)

// spread looks at what is spread into the arguments of a call. goja will put its items on its stack one by one, in one step, and would copy
// all that lies there for each thousand: a million would hold a core for seconds. So there is a limit, and room for all before.
func (v *VM) spread(call goja.FunctionCall) goja.Value {
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
			array := v.native.Get("Array").ToObject(v.Runtime)
			x = language.Builtin(array, "from")(goja.FunctionCall{This: array, Arguments: []goja.Value{x}}).ToObject(v.Runtime)
			items = x
		}
		n = int(x.Get("length").ToInteger())
	}
	if n > v.limits.Arguments {
		language.Throw(v.host, "RangeError", fmt.Sprintf("a call with %d arguments: the limit is %d", n, v.limits.Arguments))
	}
	if n > 512 && !internals.room(v.Runtime, n) {
		language.Throw(v.host, "RangeError", fmt.Sprintf("Maximum call stack size exceeded: %d more arguments, in calls inside of others that have as many", n))
	}
	return items
}

// room makes room for more values on an interpreter's stack, which goja makes by a thousand at a time. It reports whether they may be put there.
func (in *gojaInternals) room(r *goja.Runtime, more int) bool {
	machine := *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(r), in.machine))
	stack, top := (*[]goja.Value)(unsafe.Add(machine, in.stack)), *(*int)(unsafe.Add(machine, in.top))
	if top+more > maxStacked {
		return false
	}
	// The function that is called may put them there once more.
	if need := top + 2*more + 2048; need > cap(*stack) {
		*stack = slices.Grow(*stack, need-len(*stack))
	}
	return true
}

// joinTexts puts two texts together.
func (v *VM) joinTexts(call goja.FunctionCall) goja.Value {
	a, b := language.Text(v.host, call.Argument(0)), language.Text(v.host, call.Argument(1))
	language.CheckBytes(v.host, "a template", float64(a.Length())+float64(b.Length()))
	return a.Concat(b)
}
