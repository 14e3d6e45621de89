package builtins

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// ChangeNumber puts a constructor in the place of goja's. All that hangs on that is put on it if
// the builtins will be frozen.
func ChangeNumber(h Host, o *goja.Object, frozen bool) error {
	original := language.NativeObject(h, "Number")
	prototype := original.Get("prototype").ToObject(h.Runtime())
	errs := []error{
		o.SetPrototype(original.Prototype()),
		o.DefineDataProperty("length", h.Runtime().ToValue(1), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		o.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", o, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
	}
	if !frozen {
		// Copying what hangs on it would make it all, in each runtime.
		return errors.Join(append(errs, o.SetPrototype(original))...)
	}
	for _, name := range original.GetOwnPropertyNames() {
		switch value := original.Get(name); name {
		case "length", "name", "prototype":
		case "isFinite", "isInteger", "isNaN", "isSafeInteger", "parseFloat", "parseInt":
			errs = append(errs, o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		default: // constants
			errs = append(errs, o.DefineDataProperty(name, value, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE))
		}
	}
	return errors.Join(errs...)
}

// NumberHost is what Go gives the library's Number.
func NumberHost(h Host) map[string]any {
	original := h.Native().Get("Number")
	return map[string]any{"Native": original, "construct": reflectConstruct(h, original)}
}

// reflectConstruct is Reflect.construct for one constructor with two arguments: (first, second,
// newTarget).
func reflectConstruct(h Host, class goja.Value) language.Function {
	construct, ok := goja.AssertConstructor(class)
	return func(call goja.FunctionCall) goja.Value {
		if !ok {
			panic(h.Runtime().NewTypeError("not a constructor"))
		}
		made, err := construct(call.Argument(2).ToObject(h.Runtime()), call.Argument(0), call.Argument(1))
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return made
	}
}
