package language

import (
	"errors"
	"math/big"
	"reflect"

	"github.com/dop251/goja"
)

// The kinds of values, as goja tells them.
var (
	ProxyType = reflect.TypeFor[goja.Proxy]()
	bigType   = reflect.TypeFor[*big.Int]()
	intType   = reflect.TypeFor[int64]()
	floatType = reflect.TypeFor[float64]()
)

// ErrNotConvertible is a value that has no JSON, and so no payload: a BigInt, a function, a symbol,
// a cycle.
var ErrNotConvertible = errors.New("can't be converted to a payload")

// Exported is a value as Go knows it. Value.Export would make a copy of all that an array or an
// object leads to, on Go's stack.
func Exported[T any](value goja.Value) (out T, ok bool) {
	if value == nil || value.ExportType() != reflect.TypeFor[T]() {
		return out, false
	}
	out, ok = value.Export().(T)
	return out, ok
}

// IsNumber tells a number, which is no BigInt.
func IsNumber(value goja.Value) bool {
	t := value.ExportType()
	return t == intType || t == floatType
}

// IsBigInt tells a BigInt.
func IsBigInt(value goja.Value) bool { return value.ExportType() == bigType }

// IsArray tells an array, whose length is what it says, from everything else.
func IsArray(o *goja.Object) bool { return o.ClassName() == "Array" && o.ExportType() != ProxyType }

// Text is the language's conversion to a string.
func Text(h Host, value goja.Value) goja.String {
	if o, ok := value.(*goja.Object); ok {
		value = o.ToString()
	}
	switch x := value.(type) {
	case goja.String:
		return x
	case *goja.Symbol:
		Throw(h, "TypeError", "Cannot convert a Symbol value to a string")
	}
	if value.ExportType() == bigType { // may take a third of a second
		h.Stop()
	}
	text, _ := h.Runtime().ToValue(value.String()).(goja.String)
	return text
}

// Receiver is the text that a method of strings is called on.
func Receiver(h Host, this goja.Value) goja.String {
	if goja.IsUndefined(this) || goja.IsNull(this) {
		Throw(h, "TypeError", "a method of strings was called on "+this.String())
	}
	return Text(h, this)
}

// WellFormed replaces halves of surrogate pairs: goja does it for every string that goes to Go.
func WellFormed(h Host, text goja.String) goja.Value { return h.Runtime().ToValue(text.String()) }

// Shown is a value for a message, without calling anything of it.
func Shown(value goja.Value) string {
	if o, ok := value.(*goja.Object); ok {
		return "[object " + o.ClassName() + "]"
	}
	return value.String()
}

// TypeOf is what the language calls a value that is no object.
func TypeOf(value goja.Value) string {
	if _, ok := value.(*goja.Symbol); ok { // exports a text
		return "symbol"
	}
	switch value.Export().(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	if IsBigInt(value) {
		return "bigint"
	}
	return "number"
}

// Property reads one by a key as code writes it.
func Property(h Host, o *goja.Object, key goja.Value) goja.Value {
	var out goja.Value
	if symbol, ok := key.(*goja.Symbol); ok {
		out = o.GetSymbol(symbol)
	} else {
		out = o.Get(Text(h, key).String())
	}
	if out == nil {
		return goja.Undefined()
	}
	return out
}
