package builtins

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// Host is the VM, and its library.
type Host interface {
	language.Host
	// Late calls a function of the library's.
	Late(part, name string) language.Function
	// IteratorPrototype is what all iterators inherit from.
	IteratorPrototype() *goja.Object
}

// Before are what is put before builtins that goja makes of templates, by where they are: code
// reaches them without a global's name.
var Before = map[string]func(r *goja.Runtime, call goja.FunctionCall, original language.Function) goja.Value{
	"Number.prototype.toString":        inBase,
	"globalThis.parseFloat":            parseFloat,
	"Number.parseFloat":                parseFloat,
	"Object.keys":                      linear.Keys,
	"Object.getOwnPropertyNames":       linear.Keys,
	"Object.values":                    linear.Values,
	"Object.entries":                   linear.Entries,
	"Object.assign":                    linear.Assign,
	"Object.getOwnPropertyDescriptors": linear.Descriptors,
	"Object.setPrototypeOf": func(r *goja.Runtime, call goja.FunctionCall, set language.Function) goja.Value {
		checkChain(r, call.Argument(0), call.Argument(1))
		return set(call)
	},
}

// BeforeSetter is the same for accessors' setters.
var BeforeSetter = map[string]func(r *goja.Runtime, call goja.FunctionCall, original language.Function) goja.Value{
	"Object.prototype.__proto__": func(r *goja.Runtime, call goja.FunctionCall, set language.Function) goja.Value {
		checkChain(r, call.This, call.Argument(0))
		return set(call)
	},
}

// ChangeReflect bounds what Reflect's functions go through.
func ChangeReflect(h Host, o *goja.Object) error {
	return errors.Join(CapApply(h, o, "apply", 2), CapApply(h, o, "construct", 1),
		language.Wrap(h, o, "ownKeys", func(call goja.FunctionCall, original language.Function) goja.Value {
			return linear.Keys(h.Runtime(), call, original)
		}),
		language.Wrap(h, o, "setPrototypeOf", func(call goja.FunctionCall, original language.Function) goja.Value {
			checkChain(h.Runtime(), call.Argument(0), call.Argument(1))
			return original(call)
		}))
}

// ChangeMath gives powers their last digits.
func ChangeMath(h Host, o *goja.Object) error {
	return language.Wrap(h, o, "pow", func(call goja.FunctionCall, _ language.Function) goja.Value {
		return h.Runtime().ToValue(power(call.Argument(0).ToNumber().ToFloat(), call.Argument(1).ToNumber().ToFloat()))
	})
}
