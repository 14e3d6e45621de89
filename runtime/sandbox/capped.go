package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"
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
		species, err := v.function("get [Symbol.species]", 0, func(call goja.FunctionCall) goja.Value { return call.This })
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
		v.checkBytes(name, n.ToFloat()*float64(size))
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
	v.checkBytes(name, n.ToFloat()*float64(size))
	if iterator := items.GetSymbol(goja.SymIterator); iterator != nil && !goja.IsUndefined(iterator) && !goja.IsNull(iterator) {
		return items
	}
	fixed := v.withLength(items, n)
	if err := fixed.DefineDataPropertySymbol(goja.SymIterator, goja.Undefined(), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return fixed
}

// checkBytes throws a RangeError if one call would take too much. goja can't be interrupted inside a builtin and has no memory
// limit, so one call must not take it all.
func (v *VM) checkBytes(name string, bytes float64) {
	if bytes > float64(v.opts.MaxBytes) {
		v.throw("RangeError", fmt.Sprintf("%s would take %.0f bytes; the limit for one call is %d", name, bytes, v.opts.MaxBytes))
	}
	if bytes > 0 {
		v.Handed(int64(bytes))
	}
}

// throw throws an error into JavaScript.
func (v *VM) throw(class, message string) {
	e, err := v.Runtime.New(v.native.Get(class), v.Runtime.ToValue(message))
	if err != nil {
		panic(err)
	}
	panic(e)
}

// wrapped is a builtin with something done before it. What it checks it must hand on as it is: asked again, an object could
// answer something else.
func (v *VM) wrapped(on *goja.Object, name string, f func(goja.FunctionCall, func(goja.FunctionCall) goja.Value) goja.Value) error {
	original := native(on, name)
	if original == nil {
		return fmt.Errorf("there is no %s", name)
	}
	replacement := counted(v.Runtime, func(call goja.FunctionCall) goja.Value { return f(call, original) })
	if !internals.replace(on.Get(name).ToObject(v.Runtime), replacement) {
		return fmt.Errorf("%s is no builtin", name)
	}
	return nil
}

func (v *VM) changeString(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	errs := []error{
		v.wrapped(prototype, "repeat", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := v.receiver(call.This)
			n := call.Argument(0).ToNumber()
			v.checkBytes("repeat", 2*float64(text.Length())*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n}})
		}),
	}
	for _, name := range []string{"padStart", "padEnd"} {
		// goja says 1
		errs = append(errs, prototype.Get(name).ToObject(v.Runtime).DefineDataProperty("length", v.Runtime.ToValue(2), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		errs = append(errs, v.wrapped(prototype, name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := v.receiver(call.This)
			n := call.Argument(0).ToNumber()
			v.checkBytes(name, 2*n.ToFloat())
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{n, call.Argument(1)}})
		}))
	}
	if prototype.Get("isWellFormed") == nil {
		errs = append(errs,
			v.defineFunction(prototype, "isWellFormed", 0, func(call goja.FunctionCall) goja.Value {
				text := v.receiver(call.This)
				return v.Runtime.ToValue(v.wellFormed(text).StrictEquals(text))
			}),
			v.defineFunction(prototype, "toWellFormed", 0, func(call goja.FunctionCall) goja.Value { return v.wellFormed(v.receiver(call.This)) }))
	}
	errs = append(errs, v.capTexts(class, prototype))
	for _, m := range []struct {
		name, flags string
		symbol      *goja.Symbol
	}{{"match", "", goja.SymMatch}, {"matchAll", "g", goja.SymMatchAll}, {"search", "", goja.SymSearch}} {
		errs = append(errs, v.wrapped(prototype, m.name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			return v.regexps.ofText(call, m.symbol, m.flags, original)
		}))
	}
	withOptions := v.late("intl", "localeCompare")
	errs = append(errs,
		v.wrapped(prototype, "localeCompare", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text, that := v.receiver(call.This), v.text(call.Argument(0))
			v.checkText("localeCompare", text, maxCompared)
			v.checkText("localeCompare", that, maxCompared)
			call.This, call.Arguments = text, append([]goja.Value{that}, call.Arguments[min(1, len(call.Arguments)):]...)
			if goja.IsUndefined(call.Argument(1)) && goja.IsUndefined(call.Argument(2)) {
				return original(call)
			}
			return withOptions(goja.FunctionCall{This: v.receiver(call.This), Arguments: call.Arguments})
		}))
	for _, name := range []string{"toLocaleUpperCase", "toLocaleLowerCase"} {
		errs = append(errs, v.wrapped(prototype, name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			v.checkCasing(name, call.Argument(0))
			return original(call)
		}))
	}
	return errors.Join(errs...)
}

// wellFormed replaces halves of surrogate pairs: goja does it for every string that goes to Go.
func (v *VM) wellFormed(text goja.String) goja.Value { return v.Runtime.ToValue(text.String()) }

// receiver is the text that a method of strings is called on.
func (v *VM) receiver(this goja.Value) goja.String {
	if goja.IsUndefined(this) || goja.IsNull(this) {
		v.throw("TypeError", "a method of strings was called on "+this.String())
	}
	return v.text(this)
}

// text is the language's conversion to a string.
func (v *VM) text(value goja.Value) goja.String {
	if o, ok := value.(*goja.Object); ok {
		value = o.ToString()
	}
	switch x := value.(type) {
	case goja.String:
		return x
	case *goja.Symbol:
		v.throw("TypeError", "Cannot convert a Symbol value to a string")
	}
	if value.ExportType() == bigType { // may take a third of a second
		v.stop()
	}
	text, _ := v.Runtime.ToValue(value.String()).(goja.String)
	return text
}
