package sandbox

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/dop251/goja"
)

// itemSize is what an element of an array takes, in bytes.
const itemSize = 16

// walkers are the methods of arrays that go through all indices below the length in Go, where nothing interrupts them: an
// array without a single element can be four thousand million long, and an object that only says so, far longer.
var walkers = []struct {
	name    string
	length  int  // of the function: how many parameters it shows
	changes bool // what it is called on
}{
	{"copyWithin", 2, true}, {"every", 1, false}, {"fill", 1, true}, {"filter", 1, false}, {"find", 1, false}, {"findIndex", 1, false},
	{"findLast", 1, false}, {"findLastIndex", 1, false}, {"flat", 0, false}, {"flatMap", 1, false}, {"forEach", 1, false},
	{"includes", 1, false}, {"indexOf", 1, false}, {"join", 1, false}, {"lastIndexOf", 1, false}, {"map", 1, false}, {"reduce", 1, false},
	{"reduceRight", 1, false}, {"reverse", 0, true}, {"shift", 0, true}, {"slice", 2, false}, {"some", 1, false}, {"sort", 1, true},
	{"splice", 2, true}, {"toLocaleString", 0, false}, {"toReversed", 0, false}, {"toSorted", 1, false}, {"toSpliced", 2, false},
	{"unshift", 1, true}, {"with", 2, false},
}

// capArray bounds the lengths that builtins go through.
func (v *VM) capArray(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	var errs []error
	for _, m := range walkers {
		errs = append(errs, v.wrapped(prototype, m.name, m.length, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && !m.changes && !isArray(o) {
				call.This = v.fixedLength(m.name, o)
			} else {
				v.checkLength(m.name, call.This)
			}
			return original(call)
		}))
	}
	errs = append(errs, v.wrapped(prototype, "concat", 1, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
		for _, items := range append([]goja.Value{call.This}, call.Arguments...) {
			if o, ok := items.(*goja.Object); ok && (o.ClassName() == "Array" || o.GetSymbol(goja.SymIsConcatSpreadable) != nil) {
				v.checkLength("concat", o)
			}
		}
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
	return errors.Join(append(errs, err,
		prototype.DefineDataProperty("values", iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		prototype.DefineDataPropertySymbol(goja.SymIterator, iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		v.wrapped(class, "from", 1, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
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

// capApply bounds the lists of arguments that are made of an object's length: the one of f.apply and of Reflect's functions.
func (v *VM) capApply(on *goja.Object, name string, length, list int) error {
	return v.wrapped(on, name, length, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
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
