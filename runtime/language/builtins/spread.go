package builtins

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// spread looks at what is spread into the arguments of a call. goja will put its items on its stack
// one by one, in one step, and would copy all that lies there for each thousand: a million would
// hold a core for seconds. So there is a limit, and room for all before.
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

// shortItems is how many items goja may take one by one.
const shortItems = 1 << 14

// items looks at what is spread into an array. goja takes its items in one step, a microsecond
// each: of many, the iterator is one that sees an interrupt in between.
func items(h Host, value goja.Value) goja.Value {
	if !isLong(value) || linear.Plain(h.Runtime(), value) {
		return value
	}
	r := h.Runtime()
	watched := r.NewObject()
	iterate, err := language.NewFunction(h, "[Symbol.iterator]", 0, func(goja.FunctionCall) goja.Value {
		return watchedIterator(h, value)
	})
	if err == nil {
		err = watched.DefineDataPropertySymbol(goja.SymIterator, iterate, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return watched
}

// isLong tells whether a value has more items than goja may take one by one.
func isLong(value goja.Value) bool {
	if text, ok := value.(goja.String); ok {
		return text.Length() > shortItems
	}
	o, ok := value.(*goja.Object)
	if !ok {
		return false
	}
	size := "length"
	switch {
	case language.IsArray(o):
	case o.ClassName() == "Set" || o.ClassName() == "Map":
		size = "size"
	case !strings.HasSuffix(o.ClassName(), "Array"):
		return false
	}
	n := o.Get(size)
	return n != nil && n.ToInteger() > shortItems
}

func watchedIterator(h Host, value goja.Value) goja.Value {
	r := h.Runtime()
	iterate, ok := goja.AssertFunction(value.ToObject(r).GetSymbol(goja.SymIterator))
	if !ok {
		language.Throw(h, "TypeError", "Spread syntax requires ...iterable[Symbol.iterator] to be a function")
	}
	thrown := func(v goja.Value, err error) goja.Value {
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return v
	}
	iterator := thrown(iterate(value)).ToObject(r)
	next, ok := goja.AssertFunction(iterator.Get("next"))
	if !ok {
		language.Throw(h, "TypeError", "iterator.next is not a function")
	}
	taken := 0
	step, err := language.NewFunction(h, "next", 0, func(goja.FunctionCall) goja.Value {
		if taken++; taken%1024 == 0 {
			h.Stop()
		}
		return thrown(next(iterator))
	})
	watched := r.NewObject()
	if err == nil {
		err = watched.DefineDataProperty("next", step, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	return thrown(watched, err)
}

// joinTexts puts two texts together.
func joinTexts(h Host, call goja.FunctionCall) goja.Value {
	a, b := language.Text(h, call.Argument(0)), language.Text(h, call.Argument(1))
	language.CheckBytes(h, "a template", float64(a.Length())+float64(b.Length()))
	return a.Concat(b)
}
