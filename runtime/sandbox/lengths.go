package sandbox

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

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
		errs = append(errs, language.Wrap(v.host, prototype, m.name, func(call goja.FunctionCall, original language.Function) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && !m.changes && !language.IsArray(o) {
				call.This = v.fixedLength(m.name, o)
			} else {
				language.CheckLength(v.host, m.name, call.This)
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
	errs = append(errs, language.Wrap(v.host, prototype, "join", v.join))
	errs = append(errs, language.Wrap(v.host, prototype, "concat", func(call goja.FunctionCall, original language.Function) goja.Value {
		total := 0.0
		for _, items := range append([]goja.Value{call.This}, call.Arguments...) {
			if o, ok := items.(*goja.Object); ok && (o.ClassName() == "Array" || o.GetSymbol(goja.SymIsConcatSpreadable) != nil) {
				language.CheckLength(v.host, "concat", o)
				if length := o.Get("length"); length != nil {
					total += length.ToFloat()
				}
			}
		}
		language.CheckBytes(v.host, "concat", language.ItemSize*total)
		return original(call)
	}))
	// What spreads an array, or makes a collection of it, asks for its iterator.
	values, ok := prototype.GetSymbol(goja.SymIterator).Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		return fmt.Errorf("arrays have no iterator")
	}
	iterate, err := language.NewFunction(v.host, "values", 0, func(call goja.FunctionCall) goja.Value {
		language.CheckLength(v.host, "values", call.This)
		return values(call)
	})
	// Arguments have goja's own.
	internals.wrap(prototype.GetSymbol(goja.SymIterator).ToObject(v.Runtime), func(call goja.FunctionCall, original function) goja.Value {
		language.CheckLength(v.host, "values", call.This)
		return original(call)
	})
	return errors.Join(append(errs, err,
		prototype.DefineDataProperty("values", iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		prototype.DefineDataPropertySymbol(goja.SymIterator, iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		language.Wrap(v.host, class, "from", func(call goja.FunctionCall, original language.Function) goja.Value {
			switch items := call.Argument(0).(type) {
			case *goja.Object:
				call.Arguments = append([]goja.Value{v.sizedItems("from", language.ItemSize, items)}, call.Arguments[1:]...)
			case goja.String:
				language.CheckBytes(v.host, "from", language.ItemSize*float64(items.Length()))
			}
			return original(call)
		}))...)
}

// checkSlow bounds what takes a microsecond for each element, and calls no function of the author's that could be interrupted.
func (v *VM) checkSlow(name string, call goja.FunctionCall) {
	if o, ok := call.This.(*goja.Object); ok {
		if length := o.Get("length"); length != nil {
			language.CheckBytes(v.host, name, 4*language.ItemSize*length.ToFloat())
		}
	}
}

// sortedAsTexts gives a sort of BigInts a comparison that can be interrupted: goja makes texts of them for each.
func (v *VM) sortedAsTexts(call goja.FunctionCall) goja.FunctionCall {
	o, ok := call.This.(*goja.Object)
	if !ok || !language.IsArray(o) {
		return call
	}
	for i := range int(o.Get("length").ToInteger()) {
		if item := o.Get(strconv.Itoa(i)); item != nil && language.IsBigInt(item) {
			texts := map[goja.Value]goja.String{}
			text := func(value goja.Value) goja.String {
				if !language.IsBigInt(value) {
					return language.Text(v.host, value)
				}
				if texts[value] == nil {
					texts[value] = language.Text(v.host, value)
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
	return language.Wrap(v.host, on, name, func(call goja.FunctionCall, original language.Function) goja.Value {
		if items, ok := call.Argument(list).(*goja.Object); ok && !language.IsArray(items) {
			call.Arguments[list] = v.fixedLength(name, items)
		} else {
			language.CheckLength(v.host, name, call.Argument(list))
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
	language.CheckBytes(v.host, name, language.ItemSize*n.ToFloat())
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
