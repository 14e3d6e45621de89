package sandbox

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/dop251/goja"
)

// itemSize is what an element of an array takes, in bytes.
const itemSize = 16

// walkers are the methods of arrays that go through all indices below the length in Go, where nothing interrupts them: an
// array without a single element can be four thousand million long, and an object that only says so, far longer.
var walkers = []struct {
	name    string
	changes bool // what it is called on
}{
	{"copyWithin", true}, {"every", false}, {"fill", true}, {"filter", false}, {"find", false}, {"findIndex", false},
	{"findLast", false}, {"findLastIndex", false}, {"keys", false}, {"entries", false}, {"forEach", false},
	{"includes", false}, {"indexOf", false}, {"lastIndexOf", false}, {"map", false}, {"reduce", false},
	{"reduceRight", false}, {"reverse", true}, {"shift", true}, {"slice", false}, {"some", false}, {"sort", true},
	{"splice", true}, {"toReversed", false}, {"toSorted", false}, {"toSpliced", false},
	{"unshift", true}, {"with", false},
}

// capArray bounds the lengths that builtins go through.
func (v *VM) capArray(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	var errs []error
	for _, m := range walkers {
		errs = append(errs, v.wrapped(prototype, m.name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && !m.changes && !isArray(o) {
				call.This = v.fixedLength(m.name, o)
			} else {
				v.checkLength(m.name, call.This)
			}
			switch m.name {
			case "fill":
				v.checkSlow(m.name, call)
			case "sort", "toSorted":
				if goja.IsUndefined(call.Argument(0)) {
					v.checkSlow(m.name, call)
					call = v.sortedAsTexts(call)
				}
			}
			return original(call)
		}))
	}
	errs = append(errs, v.wrapped(prototype, "join", v.join))
	errs = append(errs, v.wrapped(prototype, "concat", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
		total := 0.0
		for _, items := range append([]goja.Value{call.This}, call.Arguments...) {
			if o, ok := items.(*goja.Object); ok && (o.ClassName() == "Array" || o.GetSymbol(goja.SymIsConcatSpreadable) != nil) {
				v.checkLength("concat", o)
				if length := o.Get("length"); length != nil {
					total += length.ToFloat()
				}
			}
		}
		v.checkBytes("concat", itemSize*total)
		return original(call)
	}))
	// What spreads an array, or makes a collection of it, asks for its iterator.
	values, ok := prototype.GetSymbol(goja.SymIterator).Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		return fmt.Errorf("arrays have no iterator")
	}
	iterate, err := v.function("values", 0, func(call goja.FunctionCall) goja.Value {
		v.checkLength("values", call.This)
		return values(call)
	})
	// Arguments have goja's own.
	internals.wrap(prototype.GetSymbol(goja.SymIterator).ToObject(v.Runtime), func(call goja.FunctionCall, original function) goja.Value {
		v.checkLength("values", call.This)
		return original(call)
	})
	return errors.Join(append(errs, err,
		prototype.DefineDataProperty("values", iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		prototype.DefineDataPropertySymbol(goja.SymIterator, iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		v.wrapped(class, "from", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			switch items := call.Argument(0).(type) {
			case *goja.Object:
				call.Arguments = append([]goja.Value{v.sizedItems("from", itemSize, items)}, call.Arguments[1:]...)
			case goja.String:
				v.checkBytes("from", itemSize*float64(items.Length()))
			}
			return original(call)
		}))...)
}

var proxyType = reflect.TypeFor[goja.Proxy]()

// isArray tells an array, whose length is what it says, from everything else.
func isArray(o *goja.Object) bool { return o.ClassName() == "Array" && o.ExportType() != proxyType }

// checkLength throws if an object's length is more than one call may go through.
func (v *VM) checkLength(name string, items goja.Value) {
	o, ok := items.(*goja.Object)
	if !ok {
		return
	}
	length := o.Get("length")
	if length == nil {
		return
	}
	if bytes := itemSize * length.ToFloat(); bytes > float64(v.opts.MaxBytes) {
		v.checkBytes(name, bytes)
	}
}

// checkSlow bounds what takes a microsecond for each element, and calls no function of the author's that could be interrupted.
func (v *VM) checkSlow(name string, call goja.FunctionCall) {
	if o, ok := call.This.(*goja.Object); ok {
		if length := o.Get("length"); length != nil {
			v.checkBytes(name, 4*itemSize*length.ToFloat())
		}
	}
}

// sortedAsTexts gives a sort of BigInts a comparison that can be interrupted: goja makes texts of them for each.
func (v *VM) sortedAsTexts(call goja.FunctionCall) goja.FunctionCall {
	o, ok := call.This.(*goja.Object)
	if !ok || !isArray(o) {
		return call
	}
	for i := range int(o.Get("length").ToInteger()) {
		if item := o.Get(strconv.Itoa(i)); item != nil && isBigInt(item) {
			texts := map[goja.Value]goja.String{}
			text := func(value goja.Value) goja.String {
				if !isBigInt(value) {
					return v.text(value)
				}
				if texts[value] == nil {
					texts[value] = v.text(value)
				}
				return texts[value]
			}
			call.Arguments = []goja.Value{v.Runtime.ToValue(func(call goja.FunctionCall) goja.Value {
				return v.Runtime.ToValue(text(call.Argument(0)).CompareTo(text(call.Argument(1))))
			})}
			return call
		}
	}
	return call
}

// capApply bounds the lists of arguments that are made of an object's length: the one of f.apply and of Reflect's functions.
func (v *VM) capApply(on *goja.Object, name string, list int) error {
	return v.wrapped(on, name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
		if items, ok := call.Argument(list).(*goja.Object); ok && !isArray(items) {
			call.Arguments[list] = v.fixedLength(name, items)
		} else {
			v.checkLength(name, call.Argument(list))
		}
		return original(call)
	})
}

// fixedLength is an array-like whose length is read once and for all, after it was checked.
func (v *VM) fixedLength(name string, items *goja.Object) goja.Value {
	length := items.Get("length")
	if length == nil {
		return items
	}
	n := length.ToNumber()
	v.checkBytes(name, itemSize*n.ToFloat())
	return v.withLength(items, n)
}

// withLength is an array-like that says this length, and is the other in all else.
func (v *VM) withLength(items *goja.Object, n goja.Value) *goja.Object {
	fixed := v.Runtime.CreateObject(items)
	if err := fixed.DefineDataProperty("length", n, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return fixed
}
