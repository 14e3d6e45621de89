package intl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// symbols are the signs among digits.
type symbols struct {
	decimal, group, plus, minus, percent, exponential, infinity, nan string
	// money has other points, in some countries.
	moneyDecimal, moneyGroup string
	minGrouping              int
}

func (l *locale) loadSymbols() symbols {
	get := func(name string) string { return l.get("symbols/" + name) }
	s := symbols{
		decimal: get("decimal"), group: get("group"), plus: get("plusSign"), minus: get("minusSign"), percent: get("percentSign"),
		exponential: get("exponential"), infinity: get("infinity"), nan: get("nan"),
		moneyDecimal: get("currencyDecimal"), moneyGroup: get("currencyGroup"), minGrouping: 1,
	}
	if s.moneyDecimal == "" {
		s.moneyDecimal = s.decimal
	}
	if s.moneyGroup == "" {
		s.moneyGroup = s.group
	}
	if n := l.get("minimumGroupingDigits"); n == "2" {
		s.minGrouping = 2
	}
	return s
}

// pattern is one of CLDR's for numbers: what stands before and behind the digits, and how these are
// grouped.
type pattern struct {
	prefix, suffix   []affix
	negative         bool // has a form of its own for what is below zero
	negPrefix        []affix
	negSuffix        []affix
	group, moreGroup int // digits in the last group and in those before; 0 is all
	zeros            int // of the integer
	hasDigits        bool
}

// affix is a piece of what stands around the digits: one of the signs - + % ¤, or text.
type affix struct {
	sign rune
	text string
}

// pattern reads one, once.
func (l *locale) pattern(text string) pattern {
	if p, ok := l.parsed.Load(text); ok {
		return p.(pattern) //nolint:forcetypeassert // nothing else is stored
	}
	p := parsePattern(text)
	l.parsed.Store(text, p)
	return p
}

func parsePattern(text string) pattern {
	var p pattern
	positive, negative, both := cutUnquoted(text, ';')
	var digits string
	p.prefix, digits, p.suffix = splitPattern(positive)
	p.hasDigits = digits != ""
	if both {
		p.negative = true
		p.negPrefix, _, p.negSuffix = splitPattern(negative)
	}
	whole, _, _ := strings.Cut(digits, ".")
	whole, _, _ = strings.Cut(whole, "E")
	p.zeros = strings.Count(whole, "0")
	if groups := strings.Split(whole, ","); len(groups) > 1 {
		p.group = len(groups[len(groups)-1])
		p.moreGroup = p.group
		if len(groups) > 2 {
			p.moreGroup = len(groups[len(groups)-2])
		}
	}
	return p
}

func cutUnquoted(text string, at byte) (before, after string, found bool) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == at && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// splitPattern parts "'x' ¤ #,##0.00 z".
func splitPattern(text string) (prefix []affix, digits string, suffix []affix) {
	quoted, begun := false, false
	to := &prefix
	for i, r := range text {
		switch {
		case r == '\'':
			if strings.HasPrefix(text[i:], "''") && !quoted {
				addText(to, '\'')
			}
			quoted = !quoted
		case !quoted && strings.ContainsRune("#0,.E", r) && (r != '.' && r != ',' && r != 'E' || begun && to == &prefix):
			digits += string(r)
			begun = true
		default:
			if begun {
				to = &suffix
			}
			if !quoted && strings.ContainsRune("-+%¤", r) {
				*to = append(*to, affix{sign: r})
			} else {
				addText(to, r)
			}
		}
	}
	return prefix, digits, suffix
}

func addText(to *[]affix, r rune) {
	if n := len(*to); n > 0 && (*to)[n-1].sign == 0 {
		(*to)[n-1].text += string(r)
		return
	}
	*to = append(*to, affix{text: string(r)})
}

// trimmed gives a text as a part of a type, and the spaces around it as literals of their own.
func trimmed(text, name string) []Part {
	inner := strings.TrimFunc(text, blank)
	if inner == "" {
		if text == "" {
			return nil
		}
		return []Part{{"literal", text}}
	}
	at := strings.Index(text, inner)
	var out []Part
	if at > 0 {
		out = append(out, Part{"literal", text[:at]})
	}
	out = append(out, Part{name, inner})
	if rest := text[at+len(inner):]; rest != "" {
		out = append(out, Part{"literal", rest})
	}
	return out
}

func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u200e' || r == '\u200f' || r == '\u200b' }

// spaced tells whether a currency's sign keeps apart from digits: letters do.
func spaced(symbol string, first bool) bool {
	r, _ := utf8.DecodeLastRuneInString(symbol)
	if first {
		r, _ = utf8.DecodeRuneInString(symbol)
	}
	return symbol != "" && !unicode.IsSymbol(r) && !unicode.In(r, unicode.Z)
}
