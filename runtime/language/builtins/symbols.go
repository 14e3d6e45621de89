package builtins

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// AddSymbols adds those that goja lacks.
func AddSymbols(h Host, o *goja.Object) error {
	for _, name := range []string{"asyncIterator", "dispose", "asyncDispose"} {
		if o.Get(name) != nil {
			continue
		}
		if err := o.DefineDataProperty(name, goja.NewSymbol("Symbol."+name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	// What can be named from now on.
	dispose, ok := o.Get("dispose").(*goja.Symbol)
	if !ok {
		return errors.New("there is no Symbol.dispose")
	}
	f, err := language.NewFunction(h, "[Symbol.dispose]", 0, func(call goja.FunctionCall) goja.Value {
		if close, ok := goja.AssertFunction(call.This.ToObject(h.Runtime()).Get("return")); ok {
			if _, err := close(call.This); err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
		}
		return goja.Undefined()
	})
	return errors.Join(err, h.IteratorPrototype().DefineDataPropertySymbol(dispose, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
}
