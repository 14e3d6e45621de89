package sandbox

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
	// maxBigInt is how many bits a BigInt may have: goja computes with it in Go, where nothing interrupts. A product of two takes
	// 15 ms, its digits 250 ms.
	maxBigInt = 1 << 22
	// maxDigits is how long a text may be of which a BigInt is made; it takes time that grows with the length's square.
	maxDigits = 300_000
)

var operatorNames = append([]string{
	operators.Power, operators.Left, operators.Right, operators.Multiply, operators.Assign, operators.Spread, operators.Join, operators.Element,
}, comparisons...)

// operator is the function that operators.Rewrite has code call.
func (v *VM) operator(name string) (*goja.Object, error) {
	switch name {
	case operators.Spread:
		return language.NewFunction(v.host, name, 1, v.spread)
	case operators.Join:
		return language.NewFunction(v.host, name, 2, v.joinTexts)
	case operators.Element: // an object keeps its time: most of them become an element of an ordinary array
		return language.NewFunction(v.host, name, 1, func(call goja.FunctionCall) goja.Value { return v.element(call.Argument(0)) })
	}
	if i := slices.Index(comparisons, name); i >= 0 {
		return v.comparison(i)
	}
	if name != operators.Assign {
		return language.NewFunction(v.host, name, 2, func(call goja.FunctionCall) goja.Value { return v.operate(name, call.Argument(0), call.Argument(1)) })
	}
	return language.NewFunction(v.host, name, 4, func(call goja.FunctionCall) goja.Value {
		object, key := call.Argument(1).ToObject(v.Runtime), call.Argument(2)
		out := v.operate(call.Argument(0).String(), language.Property(v.host, object, key), call.Argument(3))
		v.setProperty(object, key, out)
		return out
	})
}

func (v *VM) setProperty(o *goja.Object, key, value goja.Value) {
	var err error
	if symbol, ok := key.(*goja.Symbol); ok {
		err = o.SetSymbol(symbol, value)
	} else {
		err = o.Set(language.Text(v.host, key).String(), value)
	}
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// operate is an operator of two values.
func (v *VM) operate(name string, a, b goja.Value) goja.Value {
	if !language.IsNumber(a) {
		a = v.numeric(a)
	}
	if !language.IsNumber(b) {
		b = v.numeric(b)
	}
	x, isBig := language.Exported[*big.Int](a)
	y, both := language.Exported[*big.Int](b)
	if isBig != both {
		language.Throw(v.host, "TypeError", "Cannot mix BigInt and other types, use explicit conversions")
	}
	if isBig {
		return v.operateBig(name, x, y)
	}
	switch name {
	case operators.Power:
		return v.Runtime.ToValue(power(a.ToFloat(), b.ToFloat()))
	case operators.Multiply:
		return v.Runtime.ToValue(a.ToFloat() * b.ToFloat())
	}
	n, by := toInt32(a), toInt32(b)&31
	if name == operators.Right {
		return v.Runtime.ToValue(n >> by)
	}
	return v.Runtime.ToValue(n << by)
}

// numeric is the language's conversion of what isn't a number to one, or to a BigInt.
func (v *VM) numeric(value goja.Value) goja.Value {
	if _, ok := value.(*goja.Object); ok {
		return v.library.Late("operators", "numeric")(goja.FunctionCall{Arguments: []goja.Value{value}})
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

func (v *VM) operateBig(name string, x, y *big.Int) goja.Value {
	out := new(big.Int)
	switch name {
	case operators.Multiply:
		v.checkBits("a product", float64(x.BitLen())+float64(y.BitLen())-1)
		out.Mul(x, y)
	case operators.Power:
		if y.Sign() < 0 {
			language.Throw(v.host, "RangeError", "Exponent must be non-negative")
		}
		if x.BitLen() > 1 { // neither 0 nor 1 nor -1
			exponent, _ := new(big.Float).SetInt(y).Float64()
			v.checkBits("a power", float64(x.BitLen()-1)*exponent)
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
			v.checkBits("a shifted BigInt", float64(x.BitLen())+by)
			out.Lsh(x, uint(by))
		case by > float64(x.BitLen()):
			out.SetInt64(int64(min(x.Sign(), 0)))
		default:
			out.Rsh(x, uint(by))
		}
	}
	return v.Runtime.ToValue(out)
}

// checkBits throws a RangeError if a BigInt would be too large.
func (v *VM) checkBits(what string, bits float64) {
	if bits > maxBigInt {
		language.Throw(v.host, "RangeError", fmt.Sprintf("Maximum BigInt size exceeded: %s would have %.0f bits; the limit is %d", what, bits, maxBigInt))
	}
}

// capBigInt bounds the numbers whose size is given.
func (v *VM) capBigInt(class *goja.Object) error {
	errs := []error{language.Wrap(v.host, class, "asIntN", v.cut), language.Wrap(v.host, class, "asUintN", v.cutUnsigned)}
	if !internals.wrap(class, func(call goja.FunctionCall, original function) goja.Value {
		value := v.forBigInt(call.Argument(0))
		if len(call.Arguments) > 0 {
			call.Arguments = []goja.Value{value}
		}
		return original(call)
	}) {
		errs = append(errs, errors.New("BigInt is no builtin"))
	}
	return errors.Join(errs...)
}

func (v *VM) cut(call goja.FunctionCall, original language.Function) goja.Value {
	bits := call.Argument(0).ToNumber()
	call.Arguments = []goja.Value{bits, v.forBigInt(call.Argument(1))}
	if value, ok := language.Exported[*big.Int](call.Argument(1)); ok && bits.ToFloat() > float64(value.BitLen()) && bits.ToFloat() <= 1<<53-1 {
		return call.Argument(1)
	}
	v.checkBits("asIntN", bits.ToFloat())
	return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{bits, call.Argument(1)}})
}

func (v *VM) cutUnsigned(call goja.FunctionCall, original language.Function) goja.Value {
	bits := call.Argument(0).ToNumber()
	call.Arguments = []goja.Value{bits, v.forBigInt(call.Argument(1))}
	value, ok := language.Exported[*big.Int](call.Argument(1))
	if ok && value.Sign() >= 0 && bits.ToFloat() >= float64(value.BitLen()) && bits.ToFloat() <= 1<<53-1 {
		return call.Argument(1)
	}
	v.checkBits("asUintN", bits.ToFloat())
	return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{bits, call.Argument(1)}})
}
