package builtins

import "math"

// power is x ** y. The language leaves the last digits open, and goja multiplies until the last
// three of 10 ** 308 are wrong. Here a whole exponent gives the number that is nearest to the
// power, as in V8 but for its rare last digit; for others Go's result may be the neighbour of that.
func power(x, y float64) float64 {
	switch {
	case y == 0:
		return 1
	case math.IsNaN(y), math.Abs(x) == 1 && math.IsInf(y, 0): // where C has 1
		return math.NaN()
	case x == 0, math.IsNaN(x), math.IsInf(x, 0), x < 0 && y != math.Trunc(y), math.Abs(y) > 1<<40, math.Abs(y) < 1:
		return math.Pow(x, y)
	}
	whole, rest := math.Modf(math.Abs(y))
	out, base := precise{hi: 1}, precise{hi: x}
	if rest != 0 {
		out.hi = math.Pow(x, rest)
	}
	for n := int(whole); n > 0; n >>= 1 {
		if n&1 == 1 {
			out = out.times(base)
		}
		base = base.times(base)
	}
	if y < 0 {
		out = out.inverse()
	}
	return math.Ldexp(out.hi+out.lo, out.exponent)
}

// precise is (hi + lo) * 2**exponent: a number of twice the precision.
type precise struct {
	hi, lo   float64
	exponent int
}

func (a precise) times(b precise) precise {
	hi := a.hi * b.hi
	lo := math.FMA(a.hi, b.hi, -hi) + (a.hi*b.lo + a.lo*b.hi)
	return scaled(hi, lo, a.exponent+b.exponent)
}

func (a precise) inverse() precise {
	hi := 1 / a.hi
	return scaled(hi, hi*(math.FMA(-hi, a.hi, 1)-hi*a.lo), -a.exponent)
}

func scaled(hi, lo float64, exponent int) precise {
	sum := hi + lo
	lo -= sum - hi
	fraction, shift := math.Frexp(sum)
	return precise{fraction, math.Ldexp(lo, -shift), exponent + shift}
}
