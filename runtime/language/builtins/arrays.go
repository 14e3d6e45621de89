package builtins

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// walkers are the methods of arrays that go through all indices below the length in Go, where
// nothing interrupts them: an array without a single element can be four thousand million long, and
// an object that only says so, far longer.
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

// CapArray bounds the lengths that builtins go through.
func CapArray(h Host, class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(h.Runtime())
	var errs []error
	for _, m := range walkers {
		errs = append(errs, language.Wrap(h, prototype, m.name, func(call goja.FunctionCall, original language.Function) goja.Value {
			if out, done := atFront(h, m.name, call); done {
				return out
			}
			if o, ok := call.This.(*goja.Object); ok && !m.changes && !language.IsArray(o) {
				call.This = fixedLength(h, m.name, o)
			} else {
				language.CheckLength(h, m.name, call.This)
			}
			if out := linear.Purely(h.Runtime(), m.name, call); out != nil {
				return out
			}
			switch m.name {
			case "fill":
				checkSlow(h, m.name, call)
			case "sort", "toSorted":
				if goja.IsUndefined(call.Argument(0)) {
					checkSlow(h, m.name, call)
				}
				if out, done := sorted(h, m.name, call); done {
					return out
				}
				if goja.IsUndefined(call.Argument(0)) {
					call = sortedAsTexts(h, call)
				}
			}
			return original(call)
		}))
	}
	var joining []*goja.Object // whose elements are being converted
	errs = append(errs, language.Wrap(h, prototype, "join", func(call goja.FunctionCall, original language.Function) goja.Value {
		return join(h, &joining, call, original)
	}))
	errs = append(errs, language.Wrap(h, prototype, "concat", func(call goja.FunctionCall, original language.Function) goja.Value {
		total := 0.0
		for _, items := range append([]goja.Value{call.This}, call.Arguments...) {
			if o, ok := items.(*goja.Object); ok && (o.ClassName() == "Array" || o.GetSymbol(goja.SymIsConcatSpreadable) != nil) {
				language.CheckLength(h, "concat", o)
				if length := o.Get("length"); length != nil {
					total += length.ToFloat()
				}
			}
		}
		language.CheckBytes(h, "concat", language.ItemSize*total)
		return original(call)
	}))
	// What spreads an array, or makes a collection of it, asks for its iterator.
	values, ok := prototype.GetSymbol(goja.SymIterator).Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		return fmt.Errorf("arrays have no iterator")
	}
	iterate, err := language.NewFunction(h, "values", 0, func(call goja.FunctionCall) goja.Value {
		language.CheckLength(h, "values", call.This)
		return values(call)
	})
	// Arguments have goja's own.
	h.Wrap(prototype.GetSymbol(goja.SymIterator).ToObject(h.Runtime()), func(call goja.FunctionCall, original language.Function) goja.Value {
		language.CheckLength(h, "values", call.This)
		return original(call)
	})
	return errors.Join(append(errs, err,
		prototype.DefineDataProperty("values", iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		prototype.DefineDataPropertySymbol(goja.SymIterator, iterate, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		language.Wrap(h, class, "from", func(call goja.FunctionCall, original language.Function) goja.Value {
			if out := linear.MadeOf(h.Runtime(), call); out != nil {
				return out
			}
			switch items := call.Argument(0).(type) {
			case *goja.Object:
				call.Arguments = append([]goja.Value{sizedItems(h, "from", language.ItemSize, items)}, call.Arguments[1:]...)
			case goja.String:
				language.CheckBytes(h, "from", language.ItemSize*float64(items.Length()))
			}
			return original(call)
		}))...)
}

// atFront does what takes items off an array's front, or puts them there, without moving the others.
func atFront(h Host, name string, call goja.FunctionCall) (goja.Value, bool) {
	switch name {
	case "shift":
		return linear.Shift(h.Runtime(), call.This)
	case "unshift":
		return linear.Unshift(h.Runtime(), call.This, call.Arguments)
	case "splice":
		return linear.Splice(h.Runtime(), call.This, call.Arguments)
	}
	return nil, false
}

// checkSlow bounds what takes a microsecond for each element, and calls no function of the author's
// that could be interrupted.
func checkSlow(h Host, name string, call goja.FunctionCall) {
	if o, ok := call.This.(*goja.Object); ok {
		if length := o.Get("length"); length != nil {
			language.CheckBytes(h, name, 4*language.ItemSize*length.ToFloat())
		}
	}
}

// sortedAsTexts gives a sort of BigInts a comparison that can be interrupted: goja makes texts of
// them for each.
func sortedAsTexts(h Host, call goja.FunctionCall) goja.FunctionCall {
	o, ok := call.This.(*goja.Object)
	if !ok || !language.IsArray(o) {
		return call
	}
	for i := range int(o.Get("length").ToInteger()) {
		if item := o.Get(strconv.Itoa(i)); item != nil && language.IsBigInt(item) {
			texts := map[goja.Value]goja.String{}
			text := func(value goja.Value) goja.String {
				if !language.IsBigInt(value) {
					return language.Text(h, value)
				}
				if texts[value] == nil {
					texts[value] = language.Text(h, value)
				}
				return texts[value]
			}
			call.Arguments = []goja.Value{h.Runtime().ToValue(func(call goja.FunctionCall) goja.Value {
				return h.Runtime().ToValue(text(call.Argument(0)).CompareTo(text(call.Argument(1))))
			})}
			return call
		}
	}
	return call
}

// CapApply bounds the lists of arguments that are made of an object's length: the one of f.apply
// and of Reflect's functions.
func CapApply(h Host, on *goja.Object, name string, list int) error {
	return language.Wrap(h, on, name, func(call goja.FunctionCall, original language.Function) goja.Value {
		if items, ok := call.Argument(list).(*goja.Object); ok && !language.IsArray(items) {
			call.Arguments[list] = fixedLength(h, name, items)
		} else {
			language.CheckLength(h, name, call.Argument(list))
		}
		return original(call)
	})
}

// fixedLength is an array-like whose length is read once and for all, after it was checked.
func fixedLength(h Host, name string, items *goja.Object) goja.Value {
	length := items.Get("length")
	if length == nil {
		return items
	}
	n := length.ToNumber()
	language.CheckBytes(h, name, language.ItemSize*n.ToFloat())
	return withLength(h, items, n)
}

// withLength is an array-like that says this length, and is the other in all else.
func withLength(h Host, items *goja.Object, n goja.Value) *goja.Object {
	fixed := h.Runtime().CreateObject(items)
	if err := fixed.DefineDataProperty("length", n, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return fixed
}

// ArrayHost is what Go gives the library's methods of arrays.
func ArrayHost(h Host) map[string]any {
	return map[string]any{
		"former":  func(goja.FunctionCall) goja.Value { return h.Runtime().ToValue(h.Former().Texts) },
		"isArray": language.Builtin(language.NativeObject(h, "Array"), "isArray"),
		"checkLength": func(call goja.FunctionCall) goja.Value {
			language.CheckLength(h, "an array's method", call.Argument(0))
			return goja.Undefined()
		},
	}
}
