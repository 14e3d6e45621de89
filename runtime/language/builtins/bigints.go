package builtins

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/operators"
)

// comparisons are the operators that make a BigInt of a text when they find one on the other side.
var comparisons = []string{operators.Less, operators.Greater, operators.LessEqual, operators.GreaterEqual, operators.Equal, operators.NotEqual}

var compiledComparisons = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(language.Internal+"comparisons>", `[(a, b) => a < b, (a, b) => a > b, (a, b) => a <= b, (a, b) => a >= b, (a, b) => a == b, (a, b) => a != b]`, true)
})

// comparison is goja's operator, behind a look at the operands.
func comparison(h Host, i int) (*goja.Object, error) {
	p, err := compiledComparisons()
	if err != nil {
		return nil, fmt.Errorf("compile the comparisons: %w", err)
	}
	list, err := h.Runtime().RunProgram(p)
	if err != nil {
		return nil, fmt.Errorf("find the comparisons: %w", err)
	}
	compare, ok := goja.AssertFunction(list.ToObject(h.Runtime()).Get(fmt.Sprint(i)))
	if !ok {
		return nil, fmt.Errorf("%s is no function", comparisons[i])
	}
	name := comparisons[i]
	equality := name == operators.Equal || name == operators.NotEqual
	return language.NewFunction(h, name, 2, func(call goja.FunctionCall) goja.Value {
		a, b := call.Argument(0), call.Argument(1)
		if language.IsNumber(a) && language.IsNumber(b) {
			return h.Runtime().ToValue(ofNumbers(name, a.ToFloat(), b.ToFloat()))
		}
		if !equality || mayMeet(h, a, b) || mayMeet(h, b, a) {
			a, b = primitive(h, a), primitive(h, b)
		}
		if language.IsBigInt(a) {
			checkDigits(h, b)
		} else if language.IsBigInt(b) {
			checkDigits(h, a)
		}
		out, err := compare(goja.Undefined(), a, b)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return out
	})
}

func ofNumbers(name string, a, b float64) bool {
	switch name {
	case operators.Less:
		return a < b
	case operators.Greater:
		return a > b
	case operators.LessEqual:
		return a <= b
	case operators.GreaterEqual:
		return a >= b
	case operators.Equal:
		return a == b
	}
	return a != b
}

// mayMeet tells an object that is a long text where a BigInt is, or the other way round, when it is
// converted.
func mayMeet(h Host, object, other goja.Value) bool {
	if _, ok := object.(*goja.Object); !ok {
		return false
	}
	text, ok := other.(goja.String)
	return language.IsBigInt(other) || ok && text.Length() > h.Limits().Digits
}

// primitive is the language's conversion of an object with the hint "number"; anything else stays.
func primitive(h Host, value goja.Value) goja.Value {
	if o, ok := value.(*goja.Object); ok {
		return h.Late("operators", "primitive")(goja.FunctionCall{Arguments: []goja.Value{o}})
	}
	return value
}

// checkDigits throws a RangeError for a text of which a BigInt would be made, and that is too long
// for it.
func checkDigits(h Host, value goja.Value) {
	if text, ok := value.(goja.String); ok && text.Length() > h.Limits().Digits {
		language.Throw(h, "RangeError", fmt.Sprintf("Maximum BigInt size exceeded: a text of %d characters; the limit is %d", text.Length(), h.Limits().Digits))
	}
}

// forBigInt is what a builtin gets that makes a BigInt of it: the value, converted and looked at.
func forBigInt(h Host, value goja.Value) goja.Value {
	value = primitive(h, value)
	checkDigits(h, value)
	return value
}

// forBigInts is an array-like with elements of that kind. What isn't an array is made one.
func forBigInts(h Host, items goja.Value) goja.Value {
	o, ok := items.(*goja.Object)
	if !ok || o.ClassName() == "ArrayBuffer" || isBytes(o) {
		return items
	}
	if !language.IsArray(o) {
		array := language.NativeObject(h, "Array")
		o = language.Builtin(array, "from")(goja.FunctionCall{This: array, Arguments: []goja.Value{o}}).ToObject(h.Runtime())
	}
	n := int(o.Get("length").ToInteger())
	language.CheckBytes(h, "a typed array", language.ItemSize*float64(n))
	list := make([]any, n)
	for i := range list {
		if i%language.Looked == language.Looked-1 {
			h.Stop()
		}
		item := o.Get(fmt.Sprint(i))
		if item == nil {
			item = goja.Undefined()
		}
		list[i] = forBigInt(h, item)
	}
	return h.Runtime().NewArray(list...)
}

// isBytes tells a typed array and a DataView, whose elements are no texts.
func isBytes(o *goja.Object) bool {
	buffer, ok := o.Get("buffer").(*goja.Object)
	return ok && buffer.ClassName() == "ArrayBuffer"
}

// element is what is put into an array that may be one of BigInts.
func element(h Host, value goja.Value) goja.Value {
	if text, ok := value.(goja.String); ok && text.Length() > h.Limits().Digits && isDigits(text.String()) {
		checkDigits(h, value)
	}
	return value
}

func isDigits(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// guardBigArrays looks at what the methods of typed arrays make BigInts of.
func guardBigArrays(h Host) error {
	class := language.NativeObject(h, "BigInt64Array").Prototype() // %TypedArray%
	prototype := class.Get("prototype").ToObject(h.Runtime())
	argument := func(on *goja.Object, name string, look func(int, goja.Value) goja.Value) error {
		return language.Wrap(h, on, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && (on == class || isBigArray(o)) {
				arguments := slices.Clone(call.Arguments)
				for i, a := range arguments {
					arguments[i] = look(i, a)
				}
				call.Arguments = arguments
			}
			return original(call)
		})
	}
	first := func(i int, a goja.Value) goja.Value {
		if i == 0 {
			return forBigInt(h, a)
		}
		return a
	}
	items := func(i int, a goja.Value) goja.Value {
		if i == 0 {
			return forBigInts(h, a)
		}
		return mapping(h, a)
	}
	return errors.Join(
		argument(prototype, "fill", first),
		argument(prototype, "with", func(i int, a goja.Value) goja.Value {
			if i == 1 {
				return forBigInt(h, a)
			}
			return a
		}),
		argument(prototype, "set", items),
		argument(prototype, "map", func(_ int, a goja.Value) goja.Value { return mapping(h, a) }),
		argument(class, "of", func(_ int, a goja.Value) goja.Value { return element(h, a) }),
		language.Wrap(h, class, "from", func(call goja.FunctionCall, original language.Function) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && isBigArray(o.Get("prototype")) {
				arguments := slices.Clone(call.Arguments)
				for i, a := range arguments {
					arguments[i] = items(i, a)
				}
				call.Arguments = arguments
			}
			return original(call)
		}))
}

// mapping is a function of the author's whose results are looked at; anything else stays.
func mapping(h Host, value goja.Value) goja.Value {
	f, ok := goja.AssertFunction(value)
	if !ok {
		return value
	}
	return h.Runtime().ToValue(func(call goja.FunctionCall) goja.Value {
		out, err := f(call.This, call.Arguments...)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return element(h, out)
	})
}

// isBigArray tells one, and the prototypes of them.
func isBigArray(value goja.Value) bool {
	o, ok := value.(*goja.Object)
	if !ok {
		return false
	}
	t := o.ExportType()
	if t == reflect.TypeFor[[]int64]() || t == reflect.TypeFor[[]uint64]() {
		return true
	}
	size := o.Get("BYTES_PER_ELEMENT")
	class, isClass := o.Get("constructor").(*goja.Object)
	return size != nil && isClass && strings.HasPrefix(class.Get("name").String(), "Big")
}

// GuardDataView does the same for the methods of DataView.
func GuardDataView(h Host, class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(h.Runtime())
	var errs []error
	for _, name := range []string{"setBigInt64", "setBigUint64"} {
		errs = append(errs, language.Wrap(h, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			if len(call.Arguments) > 1 {
				call.Arguments = slices.Clone(call.Arguments)
				call.Arguments[1] = forBigInt(h, call.Arguments[1])
			}
			return original(call)
		}))
	}
	return errors.Join(errs...)
}
