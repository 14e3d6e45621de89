package sandbox

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
	return goja.Compile(Internal+"comparisons>", `[(a, b) => a < b, (a, b) => a > b, (a, b) => a <= b, (a, b) => a >= b, (a, b) => a == b, (a, b) => a != b]`, true)
})

// comparison is goja's operator, behind a look at the operands.
func (v *VM) comparison(i int) (*goja.Object, error) {
	p, err := compiledComparisons()
	if err != nil {
		return nil, fmt.Errorf("compile the comparisons: %w", err)
	}
	list, err := v.Runtime.RunProgram(p)
	if err != nil {
		return nil, fmt.Errorf("find the comparisons: %w", err)
	}
	compare, ok := goja.AssertFunction(list.ToObject(v.Runtime).Get(fmt.Sprint(i)))
	if !ok {
		return nil, fmt.Errorf("%s is no function", comparisons[i])
	}
	name := comparisons[i]
	equality := name == operators.Equal || name == operators.NotEqual
	return language.NewFunction(v.host, name, 2, func(call goja.FunctionCall) goja.Value {
		a, b := call.Argument(0), call.Argument(1)
		if language.IsNumber(a) && language.IsNumber(b) {
			return v.Runtime.ToValue(ofNumbers(name, a.ToFloat(), b.ToFloat()))
		}
		if !equality || v.mayMeet(a, b) || v.mayMeet(b, a) {
			a, b = v.primitive(a), v.primitive(b)
		}
		if language.IsBigInt(a) {
			v.checkDigits(b)
		} else if language.IsBigInt(b) {
			v.checkDigits(a)
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

// mayMeet tells an object that is a long text where a BigInt is, or the other way round, when it is converted.
func (v *VM) mayMeet(object, other goja.Value) bool {
	if _, ok := object.(*goja.Object); !ok {
		return false
	}
	text, ok := other.(goja.String)
	return language.IsBigInt(other) || ok && text.Length() > v.limits.Digits
}

// primitive is the language's conversion of an object with the hint "number"; anything else stays.
func (v *VM) primitive(value goja.Value) goja.Value {
	if o, ok := value.(*goja.Object); ok {
		return v.library.Late("operators", "primitive")(goja.FunctionCall{Arguments: []goja.Value{o}})
	}
	return value
}

// checkDigits throws a RangeError for a text of which a BigInt would be made, and that is too long for it.
func (v *VM) checkDigits(value goja.Value) {
	if text, ok := value.(goja.String); ok && text.Length() > v.limits.Digits {
		language.Throw(v.host, "RangeError", fmt.Sprintf("Maximum BigInt size exceeded: a text of %d characters; the limit is %d", text.Length(), v.limits.Digits))
	}
}

// forBigInt is what a builtin gets that makes a BigInt of it: the value, converted and looked at.
func (v *VM) forBigInt(value goja.Value) goja.Value {
	value = v.primitive(value)
	v.checkDigits(value)
	return value
}

// forBigInts is an array-like with elements of that kind. What isn't an array is made one.
func (v *VM) forBigInts(items goja.Value) goja.Value {
	o, ok := items.(*goja.Object)
	if !ok || o.ClassName() == "ArrayBuffer" || isBytes(o) {
		return items
	}
	if !language.IsArray(o) {
		array := v.native.Get("Array").ToObject(v.Runtime)
		o = language.Builtin(array, "from")(goja.FunctionCall{This: array, Arguments: []goja.Value{o}}).ToObject(v.Runtime)
	}
	n := int(o.Get("length").ToInteger())
	language.CheckBytes(v.host, "a typed array", language.ItemSize*float64(n))
	list := make([]any, n)
	for i := range list {
		if i%language.Looked == language.Looked-1 {
			v.stop()
		}
		item := o.Get(fmt.Sprint(i))
		if item == nil {
			item = goja.Undefined()
		}
		list[i] = v.forBigInt(item)
	}
	return v.Runtime.NewArray(list...)
}

// isBytes tells a typed array and a DataView, whose elements are no texts.
func isBytes(o *goja.Object) bool {
	buffer, ok := o.Get("buffer").(*goja.Object)
	return ok && buffer.ClassName() == "ArrayBuffer"
}

// element is what is put into an array that may be one of BigInts.
func (v *VM) element(value goja.Value) goja.Value {
	if text, ok := value.(goja.String); ok && text.Length() > v.limits.Digits && isDigits(text.String()) {
		v.checkDigits(value)
	}
	return value
}

func isDigits(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// guardBigArrays looks at what the methods of typed arrays make BigInts of.
func (v *VM) guardBigArrays() error {
	if v.bigArrays {
		return nil
	}
	v.bigArrays = true
	class := v.native.Get("BigInt64Array").ToObject(v.Runtime).Prototype() // %TypedArray%
	prototype := class.Get("prototype").ToObject(v.Runtime)
	argument := func(on *goja.Object, name string, look func(int, goja.Value) goja.Value) error {
		return language.Wrap(v.host, on, name, func(call goja.FunctionCall, original language.Function) goja.Value {
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
			return v.forBigInt(a)
		}
		return a
	}
	items := func(i int, a goja.Value) goja.Value {
		if i == 0 {
			return v.forBigInts(a)
		}
		return v.mapping(a)
	}
	return errors.Join(
		argument(prototype, "fill", first),
		argument(prototype, "with", func(i int, a goja.Value) goja.Value {
			if i == 1 {
				return v.forBigInt(a)
			}
			return a
		}),
		argument(prototype, "set", items),
		argument(prototype, "map", func(_ int, a goja.Value) goja.Value { return v.mapping(a) }),
		argument(class, "of", func(_ int, a goja.Value) goja.Value { return v.element(a) }),
		language.Wrap(v.host, class, "from", func(call goja.FunctionCall, original language.Function) goja.Value {
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
func (v *VM) mapping(value goja.Value) goja.Value {
	f, ok := goja.AssertFunction(value)
	if !ok {
		return value
	}
	return v.Runtime.ToValue(func(call goja.FunctionCall) goja.Value {
		out, err := f(call.This, call.Arguments...)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return v.element(out)
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

// guardDataView does the same for the methods of DataView.
func (v *VM) guardDataView(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	var errs []error
	for _, name := range []string{"setBigInt64", "setBigUint64"} {
		errs = append(errs, language.Wrap(v.host, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			if len(call.Arguments) > 1 {
				call.Arguments = slices.Clone(call.Arguments)
				call.Arguments[1] = v.forBigInt(call.Arguments[1])
			}
			return original(call)
		}))
	}
	return errors.Join(errs...)
}
