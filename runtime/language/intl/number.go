package intl

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const noBreakSpace = "\u00a0"

var compactNames = map[int][2]string{3: {"K", "thousand"}, 6: {"M", "million"}, 9: {"B", "billion"}, 12: {"T", "trillion"}}

// Parts formats a number.
func (f *NumberFormat) Parts(x Decimal) []Part {
	if f.style == "percent" {
		x = x.scale(2)
	}
	number, zero, one := f.number(x)
	sign := f.signOf(x, zero)
	switch f.style {
	case "currency":
		return f.money(number, sign, one)
	case "percent":
		name := "percentSign"
		if f.notation == "compact" {
			name = "unit" // as V8 has it
		}
		number = append(number, Part{name, "%"})
	case "unit":
		number = f.withUnit(number, one)
	}
	return append(sign, number...)
}

// number gives the digits and all that stands among and behind them, whether they show zero, and whether English takes them
// for a single thing.
func (f *NumberFormat) number(x Decimal) (parts []Part, zero, one bool) {
	switch x.kind {
	case infinite:
		return []Part{{"infinity", "∞"}}, false, false
	case notNumber:
		return []Part{{"nan", "NaN"}}, true, false
	}
	exponent := f.exponent(x)
	r := f.digits.round(x.scale(-exponent))
	if !r.zero() && f.notation != "standard" {
		// Rounding may have made it a thousand.
		up, _ := FromText(r.whole)
		if again := f.exponent(Decimal{digits: "1", point: up.point + exponent}); up.digits != "" && again != exponent {
			exponent = again
			r = f.digits.round(x.scale(-exponent))
		}
	}
	parts = f.grouped(r.whole)
	if r.fraction != "" {
		parts = append(parts, Part{"decimal", "."}, Part{"fraction", r.fraction})
	}
	switch {
	case f.notation == "compact" && exponent > 0 && f.long && (f.style != "currency" || f.currencyDisplay == "name"):
		parts = append(parts, Part{"literal", " "}, Part{"compact", compactNames[exponent][1]})
	case f.notation == "compact" && exponent > 0:
		parts = append(parts, Part{"compact", compactNames[exponent][0]})
	case f.notation == "scientific" || f.notation == "engineering":
		parts = append(parts, Part{"exponentSeparator", "E"})
		if exponent < 0 {
			parts = append(parts, Part{"exponentMinusSign", "-"})
		}
		parts = append(parts, Part{"exponentInteger", strconv.Itoa(max(exponent, -exponent))})
	}
	return parts, r.zero(), strings.TrimLeft(r.whole, "0") == "1" && r.fraction == "" && exponent == 0
}

// exponent is the power of ten that the notation takes out of a number.
func (f *NumberFormat) exponent(x Decimal) int {
	if x.zero() {
		return 0
	}
	m := x.magnitude()
	threes := m - ((m%3)+3)%3
	switch f.notation {
	case "scientific":
		return m
	case "engineering":
		return threes
	case "compact":
		return min(max(threes, 0), 12)
	}
	return 0
}

func (f *NumberFormat) grouped(whole string) []Part {
	least := 4
	if f.grouping == "min2" {
		least = 5
	}
	if f.grouping == "" || len(whole) < least {
		return []Part{{"integer", whole}}
	}
	var out []Part
	for at := (len(whole)-1)%3 + 1; ; at += 3 {
		out = append(out, Part{"integer", whole[max(0, at-3):at]})
		if at == len(whole) {
			return out
		}
		out = append(out, Part{"group", ","})
	}
}

func (f *NumberFormat) signOf(x Decimal, zero bool) []Part {
	minus, plus := []Part{{"minusSign", "-"}}, []Part{{"plusSign", "+"}}
	neg := x.neg && x.kind != notNumber
	switch f.sign {
	case "never":
		return nil
	case "always":
		if !neg {
			return plus
		}
		return minus
	case "exceptZero":
		switch {
		case zero:
			return nil
		case !neg:
			return plus
		}
		return minus
	case "negative":
		neg = neg && !zero
	}
	if neg {
		return minus
	}
	return nil
}

func (f *NumberFormat) money(number, sign []Part, one bool) []Part {
	c, known := data().currencies[f.currency]
	if !known {
		c = currency{symbol: f.currency, narrow: f.currency, one: f.currency, many: f.currency}
	}
	symbol := c.symbol
	switch f.currencyDisplay {
	case "narrowSymbol":
		symbol = c.narrow
	case "code":
		symbol = f.currency
	case "name":
		name := c.many
		if one {
			name = c.one
		}
		return slices.Concat(sign, number, []Part{{"literal", " "}, {"currency", name}})
	}
	money := []Part{{"currency", symbol}}
	// A letter is kept apart from digits.
	last, _ := utf8.DecodeLastRuneInString(symbol)
	if number[0].Type == "integer" && !unicode.IsSymbol(last) && !unicode.IsSpace(last) {
		money = append(money, Part{"literal", noBreakSpace})
	}
	compacted := slices.ContainsFunc(number, func(p Part) bool { return p.Type == "compact" }) // which has no accounting format
	if f.accounting && !compacted && len(sign) > 0 && sign[0].Type == "minusSign" {
		return slices.Concat([]Part{{"literal", "("}}, money, number, []Part{{"literal", ")"}})
	}
	return slices.Concat(sign, money, number)
}

func (f *NumberFormat) withUnit(number []Part, one bool) []Part {
	pattern := f.unit[2*slices.Index(unitDisplays, f.unitDisplay)+1]
	if one {
		pattern = f.unit[2*slices.Index(unitDisplays, f.unitDisplay)]
	}
	text := strings.TrimPrefix(pattern, "{0}")
	if rest, ok := strings.CutPrefix(text, " "); ok {
		return append(number, Part{"literal", " "}, Part{"unit", rest})
	}
	return append(number, Part{"unit", text})
}
