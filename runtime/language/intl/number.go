package intl

import (
	"slices"
	"strconv"
	"strings"
)

const noBreakSpace = "\u00a0"

// amount is the digits of a number and all that stands around them.
type amount struct {
	parts []Part
	zero  bool
	// plural is the category of the whole.
	plural string
	// compact is the pattern that the notation puts in the place of the style's.
	compact *pattern
}

// Parts formats a number.
func (f *NumberFormat) Parts(x Decimal) []Part {
	if f.style == "percent" {
		x = x.scale(2)
	}
	n := f.number(x)
	p := f.pattern
	switch {
	case n.compact != nil:
		p = *n.compact
	case f.style == "percent" && f.notation == "compact":
		p = f.l.decimal
	}
	out := f.around(p, n, f.signOf(x, n.zero))
	switch {
	case f.style == "currency" && f.currencyDisplay == "name":
		return f.withName(out, n.plural)
	case f.style == "percent" && f.notation == "compact":
		return f.withUnit(out, "percent", "short", n.plural) // as V8 has it
	case f.style == "unit" && !f.asPercent():
		return f.withUnit(out, f.unitName, f.unitDisplay, n.plural)
	}
	return out
}

// number gives the digits.
func (f *NumberFormat) number(x Decimal) amount {
	s := &f.l.symbols
	switch x.kind {
	case infinite:
		return f.compactOf(amount{parts: []Part{{"infinity", s.infinity}}, plural: "other"}, rounded{}, -1)
	case notNumber:
		return f.compactOf(amount{parts: []Part{{"nan", s.nan}}, zero: true, plural: "other"}, rounded{}, -1)
	}
	exponent, magnitude := f.exponent(x), x.magnitude()
	r := f.digits.round(x.scale(-exponent))
	if !r.zero() && f.notation != "standard" {
		// Rounding may have made it a thousand.
		up, _ := FromText(r.whole)
		if again := (Decimal{digits: "1", point: up.point + exponent}); up.digits != "" && again.magnitude() > magnitude {
			magnitude = again.magnitude()
			if e := f.exponent(again); e != exponent {
				exponent = e
				r = f.digits.round(x.scale(-exponent))
			}
		}
	}
	if x.zero() {
		magnitude = 0
	}
	n := amount{parts: f.grouped(r.whole), zero: r.zero()}
	decimal := s.decimal
	if f.style == "currency" {
		decimal = s.moneyDecimal
		if own, ok := f.l.texts.Get("money/" + f.currency + "/decimal"); ok {
			decimal = own
		}
	}
	if r.fraction != "" {
		n.parts = append(n.parts, Part{"decimal", decimal}, Part{"fraction", r.fraction})
	}
	switch f.notation {
	case "scientific", "engineering":
		n.parts = append(n.parts, Part{"exponentSeparator", s.exponential})
		if exponent < 0 {
			n.parts = append(n.parts, Part{"exponentMinusSign", s.minus})
		}
		n.parts = append(n.parts, Part{"exponentInteger", strconv.Itoa(max(exponent, -exponent))})
		n.plural = f.l.cardinal.of(r, exponent)
	case "compact":
		n.plural = f.l.cardinal.of(r, exponent)
		if r.zero() {
			magnitude = 0
		}
		n = f.compactOf(n, r, magnitude)
	default:
		n.plural = f.l.cardinal.of(r, 0)
	}
	return n
}

// compactOf finds what a compact notation writes around the digits, in the place of the style's own
// pattern.
func (f *NumberFormat) compactOf(n amount, r rounded, magnitude int) amount {
	if f.notation != "compact" || magnitude < 0 {
		return n
	}
	text, mantissa := "", "other" // of the number that stands before the word
	if r.whole != "" {
		mantissa = f.l.cardinal.of(r, 0)
	}
	if one := strings.TrimLeft(r.whole, "0"); r.fraction == "" && (one == "1" || one == "") {
		text = f.l.get(f.compactKey(magnitude) + "-count-" + r.whole)
	}
	if text == "" {
		text = f.l.plural(f.compactKey(magnitude), mantissa)
	}
	if text == "" || text == "0" {
		return n
	}
	p := f.l.pattern(text)
	if !p.hasDigits {
		n.parts = nil
	}
	n.compact = &p
	return n
}

// compactKey names the patterns of a magnitude; the largest serves all that is larger.
func (f *NumberFormat) compactKey(magnitude int) string {
	kind := "decimal/short/decimalFormat/1"
	switch {
	case f.style == "currency" && f.currencyDisplay != "name":
		kind = "currency/short/standard/1"
	case f.long:
		kind = "decimal/long/decimalFormat/1"
	}
	key := kind + strings.Repeat("0", min(magnitude, mostCompact))
	for ; magnitude > 0 && f.l.get(key+"-count-other") == ""; key = strings.TrimSuffix(key, "0") {
		magnitude--
	}
	return key
}

// mostCompact is the largest magnitude that a language has a word for.
const mostCompact = 20

// exponent is the power of ten that the notation takes out of a number.
func (f *NumberFormat) exponent(x Decimal) int {
	if x.zero() {
		return 0
	}
	m := x.magnitude()
	switch f.notation {
	case "scientific":
		return m
	case "engineering":
		return m - ((m%3)+3)%3
	case "compact":
		if m < 3 {
			return 0
		}
		key := f.compactKey(m)
		text := f.l.get(key + "-count-other")
		if text == "" || text == "0" {
			return 0
		}
		return strings.Count(key, "0") - max(f.l.pattern(text).zeros-1, 0)
	}
	return 0
}

func (f *NumberFormat) grouped(whole string) []Part {
	group, more := f.l.decimal.group, f.l.decimal.moreGroup
	if f.style == "currency" || f.style == "percent" {
		group, more = f.pattern.group, f.pattern.moreGroup
	}
	least := f.l.symbols.minGrouping
	switch f.grouping {
	case "always":
		least = 1
	case "min2":
		least = max(least, 2)
	}
	if f.grouping == "" || group == 0 || len(whole) < group+least {
		return []Part{{"integer", whole}}
	}
	sign := f.l.symbols.group
	if f.style == "currency" {
		sign = f.l.symbols.moneyGroup
		if own, ok := f.l.texts.Get("money/" + f.currency + "/group"); ok {
			sign = own
		}
	}
	out := []Part{{"integer", whole[len(whole)-group:]}}
	for rest := whole[:len(whole)-group]; rest != ""; {
		from := max(0, len(rest)-more)
		out = append(out, Part{"group", sign}, Part{"integer", rest[from:]})
		rest = rest[:from]
	}
	slices.Reverse(out)
	return out
}

// signOf gives '-', '+' or 0.
func (f *NumberFormat) signOf(x Decimal, zero bool) rune {
	neg := x.neg && x.kind != notNumber
	sign := func(other rune) rune {
		if neg {
			return '-'
		}
		return other
	}
	switch f.sign {
	case "never":
		return 0
	case "always":
		return sign('+')
	case "exceptZero":
		if zero {
			return 0
		}
		return sign('+')
	case "negative":
		neg = neg && !zero
	}
	return sign(0)
}

// around puts a pattern's prefix and suffix around digits, and the sign where the pattern wants it.
func (f *NumberFormat) around(p pattern, n amount, sign rune) []Part {
	prefix, suffix := p.prefix, p.suffix
	isMinus := func(a affix) bool { return a.sign == '-' }
	switch {
	case p.negative && (sign == '-' || sign == '+' && (slices.ContainsFunc(p.negPrefix, isMinus) || slices.ContainsFunc(p.negSuffix, isMinus))):
		prefix, suffix = p.negPrefix, p.negSuffix
	case sign != 0:
		prefix = append([]affix{{sign: '-'}}, prefix...)
	}
	before, after := f.affixes(prefix, sign, n.compact != nil), f.affixes(suffix, sign, n.compact != nil)
	digits := n.parts
	if len(digits) == 0 {
		return append(before, after...)
	}
	if last := len(before) - 1; last >= 0 && before[last].Type == "currency" && digits[0].Type == "integer" && spaced(before[last].Value, false) {
		before = append(before, Part{"literal", noBreakSpace})
	}
	end := digits[len(digits)-1].Type
	if len(after) > 0 && after[0].Type == "currency" && (end == "integer" || end == "fraction") && spaced(after[0].Value, true) {
		after = append([]Part{{"literal", noBreakSpace}}, after...)
	}
	return joinLiterals(slices.Concat(before, digits, after))
}

// affixes writes what stands on one side of the digits.
func (f *NumberFormat) affixes(list []affix, sign rune, compact bool) []Part {
	s := &f.l.symbols
	var out []Part
	for _, a := range list {
		switch {
		case (a.sign == '-' || a.sign == '+') && (sign == '+' || a.sign == '+'):
			out = append(out, Part{"plusSign", s.plus})
		case a.sign == '-':
			out = append(out, Part{"minusSign", s.minus})
		case a.sign == '%' && f.style == "unit":
			out = append(out, Part{"unit", s.percent})
		case a.sign == '%':
			out = append(out, Part{"percentSign", s.percent})
		case a.sign == '¤':
			out = append(out, Part{"currency", f.symbol()})
		case compact:
			out = append(out, trimmed(a.text, "compact")...)
		default:
			out = append(out, Part{"literal", a.text})
		}
	}
	return out
}

// symbol is what stands for the currency.
func (f *NumberFormat) symbol() string {
	key := "money/" + f.currency + "/symbol"
	switch f.currencyDisplay {
	case "code":
		return f.currency
	case "narrowSymbol":
		if v, ok := f.l.texts.Get(key + "-alt-narrow"); ok {
			return v
		}
	}
	if v, ok := f.l.texts.Get(key); ok {
		return v
	}
	return f.currency
}

// withName puts a currency's name behind an amount.
func (f *NumberFormat) withName(number []Part, plural string) []Part {
	name := f.l.plural("money/"+f.currency+"/displayName", plural)
	if name == "" {
		name = f.l.get("money/" + f.currency + "/displayName")
	}
	if name == "" {
		name = f.currency
	}
	var out []Part
	for _, p := range slots(f.l.plural("currency/unitPattern", plural)) {
		switch p {
		case "{0}":
			out = append(out, number...)
		case "{1}":
			out = append(out, Part{"currency", name})
		default:
			out = append(out, Part{"literal", p})
		}
	}
	return joinLiterals(out)
}

// withUnit puts a unit around a number.
func (f *NumberFormat) withUnit(number []Part, unit, display, plural string) []Part {
	var out []Part
	for _, p := range slots(f.l.unitPattern(unit, display, plural)) {
		if p == "{0}" {
			out = append(out, number...)
		} else {
			out = append(out, trimmed(p, "unit")...)
		}
	}
	return joinLiterals(out)
}

// unitPattern is what a unit writes of so many; that of two units may have a text of its own, and
// is composed if it hasn't.
func (l *locale) unitPattern(unit, display, plural string) string {
	prefix := "unit/" + display + "/"
	if text := l.plural(prefix+unit+"/unitPattern", plural); text != "" {
		return text
	}
	a, b, _ := strings.Cut(unit, "-per-")
	of := l.plural(prefix+a+"/unitPattern", plural)
	if per, ok := l.texts.Get(prefix + b + "/perUnitPattern"); ok {
		return strings.Replace(per, "{0}", of, 1)
	}
	second := strings.TrimFunc(strings.Replace(l.plural(prefix+b+"/unitPattern", "one"), "{0}", "", 1), blank)
	return strings.NewReplacer("{0}", of, "{1}", second).Replace(l.get(prefix + "per/compoundUnitPattern"))
}

// slots parts a text at its {0}, {1}, ….
func slots(text string) []string {
	var out []string
	for text != "" {
		at := strings.IndexByte(text, '{')
		if at < 0 || len(text) < at+3 {
			return append(out, text)
		}
		if at > 0 {
			out = append(out, text[:at])
		}
		out = append(out, text[at:at+3])
		text = text[at+3:]
	}
	return out
}

// joinLiterals makes one of literals that follow each other.
func joinLiterals(parts []Part) []Part {
	out := parts[:0:0]
	for _, p := range parts {
		if n := len(out); n > 0 && p.Type == "literal" && out[n-1].Type == "literal" {
			out[n-1].Value += p.Value
			continue
		}
		out = append(out, p)
	}
	return out
}
