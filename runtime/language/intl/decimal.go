package intl

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is a number by its digits, as exact as it was given.
type Decimal struct {
	kind kind
	neg  bool
	// digits begin and end with another digit than 0; none is zero. The value is 0.digits × 10^point.
	digits string
	point  int
}

type kind int

const (
	finite kind = iota
	infinite
	notNumber
)

// mostExponent bounds the digits that a short text can ask for; a double has no more.
const mostExponent = 400

// FromFloat takes the shortest digits that stand for a double, as JavaScript shows it.
func FromFloat(f float64) Decimal {
	switch {
	case math.IsNaN(f):
		return Decimal{kind: notNumber}
	case math.IsInf(f, 0):
		return Decimal{kind: infinite, neg: f < 0}
	}
	d, _ := FromText(strconv.FormatFloat(math.Abs(f), 'e', -1, 64))
	d.neg = math.Signbit(f)
	return d
}

// FromText reads a decimal number exactly, with or without an exponent. It reports whether the text is one.
func FromText(s string) (Decimal, bool) {
	var d Decimal
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		d.neg, s = true, rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	if s == "Infinity" {
		d.kind = infinite
		return d, true
	}
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(s), "e")
	shift := 0
	if scaled {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil || shift > mostExponent || shift < -mostExponent {
			return Decimal{kind: notNumber}, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	if all == "" || strings.Trim(all, "0123456789") != "" {
		return Decimal{kind: notNumber}, false
	}
	d.digits, d.point = all, len(whole)+shift
	d.trim()
	return d, true
}

func (d *Decimal) trim() {
	trimmed := strings.TrimLeft(d.digits, "0")
	d.point -= len(d.digits) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		d.point = 1 // as many digits before the point as a zero has
	}
}

func (d Decimal) zero() bool { return d.kind == finite && d.digits == "" }

// magnitude is the power of ten of the first digit.
func (d Decimal) magnitude() int { return d.point - 1 }

// scale multiplies by a power of ten.
func (d Decimal) scale(power int) Decimal {
	if d.digits != "" {
		d.point += power
	}
	return d
}

// rounded is a multiple of 10^-places: its digits are those before the point, then places of them behind it.
type rounded struct {
	whole, fraction string
	// magnitude is the power of ten that was rounded to.
	magnitude int
}

func (r rounded) zero() bool { return strings.Trim(r.whole+r.fraction, "0") == "" }

// round rounds to a multiple of increment × 10^-places.
func (d Decimal) round(places, increment int, mode string) rounded {
	n, ok := new(big.Int).SetString("0"+d.digits, 10)
	if !ok {
		n = new(big.Int)
	}
	shift := d.point - len(d.digits) + places // n × 10^shift is to become whole
	if d.digits == "" {
		shift = 0
	}
	unit := big.NewInt(int64(increment))
	if shift >= 0 {
		n.Mul(n, power(shift))
	} else {
		unit.Mul(unit, power(-shift))
	}
	q, rest := new(big.Int).QuoRem(n, unit, new(big.Int))
	if rest.Sign() != 0 && d.up(mode, rest.Lsh(rest, 1).Cmp(unit), q.Bit(0) == 1) {
		q.Add(q, big.NewInt(1))
	}
	text := q.Mul(q, big.NewInt(int64(increment))).String()
	r := rounded{magnitude: -places}
	if places <= 0 {
		r.whole = text
		if text != "0" {
			r.whole += strings.Repeat("0", -places)
		}
		return r
	}
	if len(text) <= places {
		text = strings.Repeat("0", places+1-len(text)) + text
	}
	r.whole, r.fraction = text[:len(text)-places], text[len(text)-places:]
	return r
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// up decides whether what lies between two multiples goes to the one further from zero: half is -1, 0 or 1 for less than,
// just, or more than half way there.
func (d Decimal) up(mode string, half int, odd bool) bool {
	switch mode {
	case "ceil":
		return !d.neg
	case "floor":
		return d.neg
	case "expand":
		return true
	case "trunc":
		return false
	}
	if half != 0 {
		return half > 0
	}
	switch mode {
	case "halfCeil":
		return !d.neg
	case "halfFloor":
		return d.neg
	case "halfTrunc":
		return false
	case "halfEven":
		return odd
	}
	return true // halfExpand
}

// precise rounds to significant digits.
func (d Decimal) precise(digits int, mode string) rounded {
	r := d.round(digits-d.point, 1, mode)
	if d.digits == "" {
		return r
	}
	// 9.96 to two digits is 10, not 10.0.
	if n := len(strings.TrimLeft(r.whole+r.fraction, "0")); r.fraction != "" && n > digits {
		r.fraction = r.fraction[:len(r.fraction)-1]
		r.magnitude++
	}
	return r
}

// pad strips zeros behind the point that needn't be shown.
func (r rounded) strip(least int) rounded {
	for len(r.fraction) > max(least, 0) && strings.HasSuffix(r.fraction, "0") {
		r.fraction = r.fraction[:len(r.fraction)-1]
	}
	if n := least - len(r.fraction); n > 0 {
		r.fraction += strings.Repeat("0", n)
	}
	return r
}
