package builtins

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/operators"
)

const (
	// maxBigInt is how many bits a BigInt may have: goja computes with it in Go, where nothing
	// interrupts. A product of two takes 15 ms, its digits 250 ms.
	maxBigInt = 1 << 22
)

var OperatorNames = append([]string{
	operators.Power, operators.Left, operators.Right, operators.Multiply, operators.Assign, operators.Spread, operators.Items, operators.Join, operators.Element,
}, comparisons...)

// Operator is the function that operators.Rewrite has code call.
func Operator(h Host, name string) (*goja.Object, error) {
	switch name {
	case operators.Spread:
		return language.NewFunction(h, name, 1, func(call goja.FunctionCall) goja.Value { return spread(h, call) })
	case operators.Items:
		return language.NewFunction(h, name, 1, func(call goja.FunctionCall) goja.Value { return items(h, call.Argument(0)) })
	case operators.Join:
		return language.NewFunction(h, name, 2, func(call goja.FunctionCall) goja.Value { return joinTexts(h, call) })
	case operators.Element: // an object keeps its time: most of them become an element of an ordinary array
		return language.NewFunction(h, name, 1, func(call goja.FunctionCall) goja.Value { return element(h, call.Argument(0)) })
	}
	if i := slices.Index(comparisons, name); i >= 0 {
		return comparison(h, i)
	}
	if name != operators.Assign {
		return language.NewFunction(h, name, 2, func(call goja.FunctionCall) goja.Value { return operate(h, name, call.Argument(0), call.Argument(1)) })
	}
	return language.NewFunction(h, name, 4, func(call goja.FunctionCall) goja.Value {
		object, key := call.Argument(1).ToObject(h.Runtime()), call.Argument(2)
		out := operate(h, call.Argument(0).String(), language.Property(h, object, key), call.Argument(3))
		setProperty(h, object, key, out)
		return out
	})
}

func setProperty(h Host, o *goja.Object, key, value goja.Value) {
	var err error
	if symbol, ok := key.(*goja.Symbol); ok {
		err = o.SetSymbol(symbol, value)
	} else {
		err = o.Set(language.Text(h, key).String(), value)
	}
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// operate is an operator of two values.
func operate(h Host, name string, a, b goja.Value) goja.Value {
	if !language.IsNumber(a) {
		a = numeric(h, a)
	}
	if !language.IsNumber(b) {
		b = numeric(h, b)
	}
	x, isBig := language.Exported[*big.Int](a)
	y, both := language.Exported[*big.Int](b)
	if isBig != both {
		language.Throw(h, "TypeError", "Cannot mix BigInt and other types, use explicit conversions")
	}
	if isBig {
		return operateBig(h, name, x, y)
	}
	switch name {
	case operators.Power:
		return h.Runtime().ToValue(power(a.ToFloat(), b.ToFloat()))
	case operators.Multiply:
		return h.Runtime().ToValue(a.ToFloat() * b.ToFloat())
	}
	n, by := toInt32(a), toInt32(b)&31
	if name == operators.Right {
		return h.Runtime().ToValue(n >> by)
	}
	return h.Runtime().ToValue(n << by)
}

// numeric is the language's conversion of what isn't a number to one, or to a BigInt.
func numeric(h Host, value goja.Value) goja.Value {
	if _, ok := value.(*goja.Object); ok {
		return h.Late("operators", "numeric")(goja.FunctionCall{Arguments: []goja.Value{value}})
	}
	if language.IsBigInt(value) {
		return value
	}
	return value.ToNumber()
}

func toInt32(value goja.Value) int32 {
	f := value.ToFloat()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	if math.Abs(f) < 1<<53 {
		return int32(int64(f)) //nolint:gosec // wraps as the language does
	}
	return int32(uint32(math.Mod(math.Trunc(f), 1<<32))) //nolint:gosec // wraps as the language does
}

func operateBig(h Host, name string, x, y *big.Int) goja.Value {
	out := new(big.Int)
	switch name {
	case operators.Multiply:
		BoundProduct(h, x.BitLen(), y.BitLen())
		out.Mul(x, y)
	case operators.Power:
		if y.Sign() < 0 {
			language.Throw(h, "RangeError", "Exponent must be non-negative")
		}
		if x.BitLen() > 1 { // neither 0 nor 1 nor -1
			exponent, _ := new(big.Float).SetInt(y).Float64()
			checkBits(h, "a power", float64(x.BitLen()-1)*exponent)
			out.Exp(x, y, nil)
		} else if out.Set(x); y.Bit(0) == 0 {
			out.Mul(x, x)
		}
		if y.Sign() == 0 {
			out.SetInt64(1)
		}
	case operators.Left, operators.Right:
		left := (y.Sign() < 0) == (name == operators.Right)
		by, _ := new(big.Float).SetInt(new(big.Int).Abs(y)).Float64()
		switch {
		case x.Sign() == 0:
		case left:
			checkBits(h, "a shifted BigInt", float64(x.BitLen())+by)
			out.Lsh(x, uint(by))
		case by > float64(x.BitLen()):
			out.SetInt64(int64(min(x.Sign(), 0)))
		default:
			out.Rsh(x, uint(by))
		}
	}
	return h.Runtime().ToValue(out)
}

// BoundProduct throws a RangeError if two BigInts of so many bits had too large a product.
func BoundProduct(h language.Host, x, y int) { checkBits(h, "a product", float64(x)+float64(y)-1) }

// checkBits throws a RangeError if a BigInt would be too large.
func checkBits(h language.Host, what string, bits float64) {
	if bits > maxBigInt {
		language.Throw(h, "RangeError", fmt.Sprintf("Maximum BigInt size exceeded: %s would have %.0f bits; the limit is %d", what, bits, maxBigInt))
	}
}

// CapBigInt bounds the numbers whose size is given.
func CapBigInt(h Host, class *goja.Object) error {
	with := func(f func(Host, goja.FunctionCall, language.Function) goja.Value) func(goja.FunctionCall, language.Function) goja.Value {
		return func(call goja.FunctionCall, original language.Function) goja.Value { return f(h, call, original) }
	}
	errs := []error{language.Wrap(h, class, "asIntN", with(cut)), language.Wrap(h, class, "asUintN", with(cutUnsigned))}
	if !h.Wrap(class, func(call goja.FunctionCall, original language.Function) goja.Value {
		value := forBigInt(h, call.Argument(0))
		if len(call.Arguments) > 0 {
			call.Arguments = []goja.Value{value}
		}
		return original(call)
	}) {
		errs = append(errs, errors.New("BigInt is no builtin"))
	}
	return errors.Join(errs...)
}

func cut(h Host, call goja.FunctionCall, original language.Function) goja.Value {
	bits := call.Argument(0).ToNumber()
	call.Arguments = []goja.Value{bits, forBigInt(h, call.Argument(1))}
	if value, ok := language.Exported[*big.Int](call.Argument(1)); ok && bits.ToFloat() > float64(value.BitLen()) && bits.ToFloat() <= 1<<53-1 {
		return call.Argument(1)
	}
	checkBits(h, "asIntN", bits.ToFloat())
	return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{bits, call.Argument(1)}})
}

func cutUnsigned(h Host, call goja.FunctionCall, original language.Function) goja.Value {
	bits := call.Argument(0).ToNumber()
	call.Arguments = []goja.Value{bits, forBigInt(h, call.Argument(1))}
	value, ok := language.Exported[*big.Int](call.Argument(1))
	if ok && value.Sign() >= 0 && bits.ToFloat() >= float64(value.BitLen()) && bits.ToFloat() <= 1<<53-1 {
		return call.Argument(1)
	}
	checkBits(h, "asUintN", bits.ToFloat())
	return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{bits, call.Argument(1)}})
}
