package wording

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// goja puts into the message what it can't call, by the object's own toString: code of the author's
// that nobody called, and that may do anything. Before it does so it asks for the object's
// Symbol.toPrimitive, by a symbol that no code sees (see language.ToPrimitive). So Object.prototype
// has one that isn't there for anything else, and isn't listed: it throws where an object is called, and
// else leads to what the object has.

// guardCallees installs it.
func guardCallees(h Host) error {
	prototype := language.NativePrototype(h, "Object")
	getter, err := language.NewFunction(h, "get [Symbol.toPrimitive]", 0, func(call goja.FunctionCall) goja.Value {
		o, ok := call.This.(*goja.Object)
		if !ok {
			return goja.Undefined()
		}
		unasked(h, o)
		convert := o.GetSymbol(language.ToPrimitive)
		if convert == nil {
			return goja.Undefined()
		}
		language.CheckConversion(h.Runtime(), convert)
		return convert
	})
	if err != nil {
		return err
	}
	if err := prototype.DefineDataPropertySymbol(goja.SymToPrimitive, goja.Undefined(), goja.FLAG_TRUE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		return err
	}
	if !h.Hide(prototype, goja.SymToPrimitive, getter) {
		return errors.New("Object.prototype has no symbols")
	}
	return nil
}

// unasked throws if an object is being called, or is given to a builtin as a function, and is none.
func unasked(h Host, o *goja.Object) {
	if _, callable := goja.AssertFunction(o); callable {
		return
	}
	f := failingIn(h)
	callee, arguments := f.arguments()
	switch {
	case f.calls() && callee == goja.Value(o):
		panic(h.Runtime().NewTypeError("%s", f.call("Not a function: ")))
	case f.name == "op_instanceof" && f.top(0) == goja.Value(o):
		panic(h.Runtime().NewTypeError("Right-hand side of 'instanceof' is not callable"))
	case f.makes():
		if class, ok := callee.(*goja.Object); ok && len(arguments) > 0 && arguments[0] == goja.Value(o) && h.IsBuiltin(class) {
			if text := f.construct("Value is not callable: "); text != "" {
				panic(h.Runtime().NewTypeError("%s", text))
			}
		}
	case f.name == "":
		class, ok := callee.(*goja.Object)
		if !ok {
			return
		}
		name, ok := h.Plain(class, "name").(goja.String)
		if !ok {
			return
		}
		if at, takes := takeFunctions[name.String()]; takes && at < len(arguments) && arguments[at] == goja.Value(o) {
			if text := f.builtin("Value is not callable: "); text != "" {
				panic(h.Runtime().NewTypeError("%s", text))
			}
		}
	}
}
