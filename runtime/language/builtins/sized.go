package builtins

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// ElementSize names the constructors that allocate by a number that they are given, with the bytes
// of an element.
var ElementSize = map[string]int64{
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

// TypedArrays are the typed arrays of one runtime, and ArrayBuffer.
type TypedArrays struct{ from, bigs bool }

// Cap makes a constructor that checks the size first, in the place of the original, which nothing
// leads to any more.
func (t *TypedArrays) Cap(h Host, name string, original *goja.Object) (*goja.Object, error) {
	construct, ok := goja.AssertConstructor(original)
	if !ok {
		return nil, fmt.Errorf("%s is no constructor", name)
	}
	var capped *goja.Object
	capped = h.Runtime().ToValue(func(call goja.ConstructorCall) *goja.Object {
		args := call.Arguments
		if name == "ArrayBuffer" {
			refuseResizable(h, call.Argument(1))
		}
		if len(args) > 0 {
			args = append([]goja.Value{sized(h, name, ElementSize[name], args[0])}, args[1:]...)
			if strings.HasPrefix(name, "Big") {
				args[0] = forBigInts(h, args[0])
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
	}).ToObject(h.Runtime())
	prototype := original.Get("prototype").ToObject(h.Runtime())
	errs := []error{
		capped.SetPrototype(original.Prototype()),
		capped.DefineDataProperty("name", h.Runtime().ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		capped.DefineDataProperty("length", original.Get("length"), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
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
		species, err := language.NewFunction(h, "get [Symbol.species]", 0, func(call goja.FunctionCall) goja.Value { return call.This })
		errs = append(errs, err,
			capped.DefineDataProperty("isView", isView, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
			capped.DefineAccessorPropertySymbol(goja.SymSpecies, species, nil, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	if class := original.Prototype(); name != "ArrayBuffer" && !t.from {
		t.from = true
		errs = append(errs, fromTexts(h, class))
	}
	if strings.HasPrefix(name, "Big") && !t.bigs {
		t.bigs = true
		errs = append(errs, guardBigArrays(h))
	}
	return capped, errors.Join(errs...)
}

// fromTexts lets typed arrays be made of texts by from, as of all that can be iterated: goja takes
// objects alone.
func fromTexts(h Host, class *goja.Object) error {
	return language.Wrap(h, class, "from", func(call goja.FunctionCall, original language.Function) goja.Value {
		items := call.Argument(0)
		if text, ok := items.(goja.String); ok {
			language.CheckBytes(h, "from", language.ItemSize*float64(text.Length()))
		}
		if _, isObject := items.(*goja.Object); !isObject && !goja.IsUndefined(items) && !goja.IsNull(items) {
			call.Arguments = append([]goja.Value{items.ToObject(h.Runtime())}, call.Arguments[1:]...)
		}
		return original(call)
	})
}

// sized checks a length, or an array-like's, and gives what the builtin gets instead: asked again,
// an object could answer something else.
func sized(h Host, name string, size int64, arg goja.Value) goja.Value {
	o, isObject := arg.(*goja.Object)
	if !isObject || name == "ArrayBuffer" {
		n := arg.ToNumber()
		language.CheckBytes(h, name, n.ToFloat()*float64(size))
		return n
	}
	if o.ClassName() == "ArrayBuffer" { // is not copied
		return o
	}
	return sizedItems(h, name, size, o)
}

// sizedItems checks what an array-like's elements will take. The length of one that isn't an array,
// or iterable, is read once and for all.
func sizedItems(h Host, name string, size int64, items *goja.Object) goja.Value {
	length := items.Get("length")
	if length == nil {
		return items
	}
	n := length.ToNumber()
	language.CheckBytes(h, name, n.ToFloat()*float64(size))
	if iterator := items.GetSymbol(goja.SymIterator); iterator != nil && !goja.IsUndefined(iterator) && !goja.IsNull(iterator) {
		return items
	}
	fixed := withLength(h, items, n)
	if err := fixed.DefineDataPropertySymbol(goja.SymIterator, goja.Undefined(), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return fixed
}
