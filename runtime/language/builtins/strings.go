package builtins

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/regexp"
)

// ChangeString bounds what the methods of strings make, and adds those that goja lacks.
func ChangeString(h Host, r *regexp.RegExps, class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(h.Runtime())
	errs := []error{
		language.Wrap(h, prototype, "repeat", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(h, call.This)
			n := call.Argument(0).ToNumber()
			language.CheckBytes(h, "repeat", 2*float64(text.Length())*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n}})
		}),
	}
	for _, name := range []string{"padStart", "padEnd"} {
		// goja says 1
		errs = append(errs, prototype.Get(name).ToObject(h.Runtime()).DefineDataProperty("length", h.Runtime().ToValue(2), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		errs = append(errs, language.Wrap(h, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(h, call.This)
			n := call.Argument(0).ToNumber()
			language.CheckBytes(h, name, 2*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n, call.Argument(1)}})
		}))
	}
	if prototype.Get("isWellFormed") == nil {
		errs = append(errs,
			language.DefineFunction(h, prototype, "isWellFormed", 0, func(call goja.FunctionCall) goja.Value {
				text := language.Receiver(h, call.This)
				return h.Runtime().ToValue(language.WellFormed(h, text).StrictEquals(text))
			}),
			language.DefineFunction(h, prototype, "toWellFormed", 0, func(call goja.FunctionCall) goja.Value {
				return language.WellFormed(h, language.Receiver(h, call.This))
			}))
	}
	errs = append(errs, capTexts(h, class, prototype))
	for _, m := range []struct {
		name, flags string
		symbol      *goja.Symbol
	}{{"match", "", goja.SymMatch}, {"matchAll", "g", goja.SymMatchAll}, {"search", "", goja.SymSearch}} {
		errs = append(errs, language.Wrap(h, prototype, m.name, func(call goja.FunctionCall, original language.Function) goja.Value {
			return r.OfText(call, m.symbol, m.flags, original)
		}))
	}
	withOptions := h.Late("intl", "localeCompare")
	errs = append(errs,
		language.Wrap(h, prototype, "localeCompare", func(call goja.FunctionCall, original language.Function) goja.Value {
			text, that := language.Receiver(h, call.This), language.Text(h, call.Argument(0))
			language.CheckText(h, "localeCompare", text, language.MaxCompared)
			language.CheckText(h, "localeCompare", that, language.MaxCompared)
			call.This, call.Arguments = text, append([]goja.Value{that}, call.Arguments[min(1, len(call.Arguments)):]...)
			if goja.IsUndefined(call.Argument(1)) && goja.IsUndefined(call.Argument(2)) {
				return original(call)
			}
			return withOptions(goja.FunctionCall{This: language.Receiver(h, call.This), Arguments: call.Arguments})
		}))
	for _, name := range []string{"toLocaleUpperCase", "toLocaleLowerCase"} {
		errs = append(errs, language.Wrap(h, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(h, call.This)
			call.This = text
			if cased, special := casedIn(h, name, text, call.Argument(0)); special {
				return cased
			}
			return original(call)
		}))
	}
	return errors.Join(errs...)
}
