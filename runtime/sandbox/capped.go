package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// elementSize names the constructors that allocate by a number that they are given, with the bytes of an element.
var elementSize = map[string]int64{
	"ArrayBuffer":       1,
	"Uint8Array":        1,
	"Int8Array":         1,
	"Uint8ClampedArray": 1,
	"Uint16Array":       2,
	"Int16Array":        2,
	"Uint32Array":       4,
	"Int32Array":        4,
	"Float32Array":      4,
	"Float64Array":      8,
	"BigInt64Array":     8,
	"BigUint64Array":    8,
}

// capConstructor makes a constructor that checks the size first, in the place of the original, which nothing leads to any more.
func (v *VM) capConstructor(name string, original *goja.Object) (*goja.Object, error) {
	construct, ok := goja.AssertConstructor(original)
	if !ok {
		return nil, fmt.Errorf("%s is no constructor", name)
	}
	var capped *goja.Object
	capped = v.Runtime.ToValue(func(call goja.ConstructorCall) *goja.Object {
		args := call.Arguments
		if name == "ArrayBuffer" {
			v.refuseResizable(call.Argument(1))
		}
		if len(args) > 0 {
			args = append([]goja.Value{v.sized(name, elementSize[name], args[0])}, args[1:]...)
			if strings.HasPrefix(name, "Big") {
				args[0] = v.forBigInts(args[0])
			}
		}
		newTarget := call.NewTarget
		if newTarget == nil || newTarget == capped {
			newTarget = original
		}
		made, err := construct(newTarget, args...)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return made
	}).ToObject(v.Runtime)
	prototype := original.Get("prototype").ToObject(v.Runtime)
	errs := []error{
		capped.SetPrototype(original.Prototype()),
		capped.DefineDataProperty("name", v.Runtime.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		capped.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", capped, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
	}
	for _, name := range []string{"fromBase64", "fromHex"} {
		if f := original.Get(name); f != nil {
			errs = append(errs, capped.DefineDataProperty(name, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		}
	}
	if size := original.Get("BYTES_PER_ELEMENT"); size != nil {
		errs = append(errs, capped.DefineDataProperty("BYTES_PER_ELEMENT", size, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE))
	}
	if isView := original.Get("isView"); isView != nil {
		species, err := language.NewFunction(v.host, "get [Symbol.species]", 0, func(call goja.FunctionCall) goja.Value { return call.This })
		errs = append(errs, err,
			capped.DefineDataProperty("isView", isView, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
			capped.DefineAccessorPropertySymbol(goja.SymSpecies, species, nil, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	if strings.HasPrefix(name, "Big") {
		errs = append(errs, v.guardBigArrays())
	}
	return capped, errors.Join(errs...)
}

// sized checks a length, or an array-like's, and gives what the builtin gets instead: asked again, an object could answer
// something else.
func (v *VM) sized(name string, size int64, arg goja.Value) goja.Value {
	o, isObject := arg.(*goja.Object)
	if !isObject || name == "ArrayBuffer" {
		n := arg.ToNumber()
		language.CheckBytes(v.host, name, n.ToFloat()*float64(size))
		return n
	}
	if o.ClassName() == "ArrayBuffer" { // is not copied
		return o
	}
	return v.sizedItems(name, size, o)
}

// sizedItems checks what an array-like's elements will take. The length of one that isn't an array, or iterable, is read
// once and for all.
func (v *VM) sizedItems(name string, size int64, items *goja.Object) goja.Value {
	length := items.Get("length")
	if length == nil {
		return items
	}
	n := length.ToNumber()
	language.CheckBytes(v.host, name, n.ToFloat()*float64(size))
	if iterator := items.GetSymbol(goja.SymIterator); iterator != nil && !goja.IsUndefined(iterator) && !goja.IsNull(iterator) {
		return items
	}
	fixed := v.withLength(items, n)
	if err := fixed.DefineDataPropertySymbol(goja.SymIterator, goja.Undefined(), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return fixed
}

func (v *VM) changeString(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	errs := []error{
		language.Wrap(v.host, prototype, "repeat", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(v.host, call.This)
			n := call.Argument(0).ToNumber()
			language.CheckBytes(v.host, "repeat", 2*float64(text.Length())*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n}})
		}),
	}
	for _, name := range []string{"padStart", "padEnd"} {
		// goja says 1
		errs = append(errs, prototype.Get(name).ToObject(v.Runtime).DefineDataProperty("length", v.Runtime.ToValue(2), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		errs = append(errs, language.Wrap(v.host, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(v.host, call.This)
			n := call.Argument(0).ToNumber()
			language.CheckBytes(v.host, name, 2*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n, call.Argument(1)}})
		}))
	}
	if prototype.Get("isWellFormed") == nil {
		errs = append(errs,
			language.DefineFunction(v.host, prototype, "isWellFormed", 0, func(call goja.FunctionCall) goja.Value {
				text := language.Receiver(v.host, call.This)
				return v.Runtime.ToValue(language.WellFormed(v.host, text).StrictEquals(text))
			}),
			language.DefineFunction(v.host, prototype, "toWellFormed", 0, func(call goja.FunctionCall) goja.Value {
				return language.WellFormed(v.host, language.Receiver(v.host, call.This))
			}))
	}
	errs = append(errs, v.capTexts(class, prototype))
	for _, m := range []struct {
		name, flags string
		symbol      *goja.Symbol
	}{{"match", "", goja.SymMatch}, {"matchAll", "g", goja.SymMatchAll}, {"search", "", goja.SymSearch}} {
		errs = append(errs, language.Wrap(v.host, prototype, m.name, func(call goja.FunctionCall, original language.Function) goja.Value {
			return v.regexps.OfText(call, m.symbol, m.flags, original)
		}))
	}
	withOptions := v.library.Late("intl", "localeCompare")
	errs = append(errs,
		language.Wrap(v.host, prototype, "localeCompare", func(call goja.FunctionCall, original language.Function) goja.Value {
			text, that := language.Receiver(v.host, call.This), language.Text(v.host, call.Argument(0))
			language.CheckText(v.host, "localeCompare", text, language.MaxCompared)
			language.CheckText(v.host, "localeCompare", that, language.MaxCompared)
			call.This, call.Arguments = text, append([]goja.Value{that}, call.Arguments[min(1, len(call.Arguments)):]...)
			if goja.IsUndefined(call.Argument(1)) && goja.IsUndefined(call.Argument(2)) {
				return original(call)
			}
			return withOptions(goja.FunctionCall{This: language.Receiver(v.host, call.This), Arguments: call.Arguments})
		}))
	for _, name := range []string{"toLocaleUpperCase", "toLocaleLowerCase"} {
		errs = append(errs, language.Wrap(v.host, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			v.checkCasing(name, call.Argument(0))
			return original(call)
		}))
	}
	return errors.Join(errs...)
}
