package intl

import (
	"math"
	"strconv"
	"strings"
)

// Decimal is a number by its digits, as exact as it was given.
type Decimal struct {
	kind kind
	neg  bool
	// digits begin and end with another digit than 0; none is zero. The value is 0.digits ×
	// 10^point.
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

// FromText reads a decimal number exactly, with or without an exponent. It reports whether the text
// is one.
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

// rounded is a multiple of 10^-places: its digits are those before the point, then places of them
// behind it.
type rounded struct {
	whole, fraction string
	// magnitude is the power of ten that was rounded to.
	magnitude int
}

func (r rounded) zero() bool { return strings.Trim(r.whole+r.fraction, "0") == "" }

// round rounds to a multiple of increment × 10^-places, digit by digit: a number may have a million
// of them.
func (d Decimal) round(places, increment int, mode string) rounded {
	whole, rest := "", d.digits // in units of 10^-places
	if n := d.point + places; n > 0 && d.digits != "" {
		cut := min(n, len(d.digits))
		whole, rest = d.digits[:cut]+strings.Repeat("0", n-cut), d.digits[cut:]
	}
	if d.digits != "" && d.point+places < 0 {
		rest = "0" + rest // less than a tenth: only that it isn't half matters
	}
	quotient, over := divided(whole, increment)
	if over > 0 || rest != "" {
		odd := len(quotient) > 0 && (quotient[len(quotient)-1]-'0')%2 == 1
		if d.up(mode, half(over, rest, increment), odd) {
			quotient = increased(quotient)
		}
	}
	text := multiplied(quotient, increment)
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

// divided is a whole number, by its digits, divided by a small one, and what is left.
func divided(digits string, by int) ([]byte, int) {
	out, rest := make([]byte, len(digits)), 0
	for i := range len(digits) {
		rest = 10*rest + int(digits[i]-'0')
		out[i] = byte('0' + rest/by) //nolint:gosec // a digit
		rest %= by
	}
	return out, rest
}

// half compares twice what is left, over and the digits behind the point, with the divisor.
func half(over int, behind string, by int) int {
	switch missing := by - 2*over; {
	case missing > 1:
		return -1
	case missing == 1:
		// trim left no zeros at the end
		switch {
		case behind < "5":
			return -1
		case behind == "5":
			return 0
		}
		return 1
	case missing == 0 && behind == "":
		return 0
	}
	return 1
}

// increased adds one.
func increased(digits []byte) []byte {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return digits
		}
		digits[i] = '0'
	}
	return append([]byte{'1'}, digits...)
}

// multiplied is the product of a whole number and a small one.
func multiplied(digits []byte, by int) string {
	if by > 1 {
		carry := 0
		for i := len(digits) - 1; i >= 0; i-- {
			carry += by * int(digits[i]-'0')
			digits[i] = byte('0' + carry%10) //nolint:gosec // a digit
			carry /= 10
		}
		digits = append([]byte(strconv.Itoa(carry)), digits...)
	}
	if text := strings.TrimLeft(string(digits), "0"); text != "" {
		return text
	}
	return "0"
}

// up decides whether what lies between two multiples goes to the one further from zero: half is -1,
// 0 or 1 for less than, just, or more than half way there.
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
