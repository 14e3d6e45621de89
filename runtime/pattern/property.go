package pattern

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// span is a range of characters, both ends included.
type span struct{ lo, hi rune }

// set is sorted and its spans neither overlap nor touch.
type set []span

const (
	firstSurrogate = 0xd800
	lastSurrogate  = 0xdfff
)

// of makes the union of tables, without what is in the tables of not.
func of(tables []*unicode.RangeTable, not ...*unicode.RangeTable) set {
	s := union(tables)
	if len(not) == 0 {
		return s
	}
	var out set
	without := union(not)
	for _, r := range s {
		for _, w := range without {
			if w.hi < r.lo || w.lo > r.hi {
				continue
			}
			if w.lo > r.lo {
				out = append(out, span{r.lo, w.lo - 1})
			}
			r.lo = w.hi + 1
		}
		if r.lo <= r.hi {
			out = append(out, r)
		}
	}
	return out
}

func union(tables []*unicode.RangeTable) set {
	var s set
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			s = append(s, span{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			s = append(s, span{r, r})
		}
	}
	for _, t := range tables {
		if t == nil {
			continue
		}
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	slices.SortFunc(s, func(a, b span) int { return int(a.lo - b.lo) })
	out := s[:0]
	for _, r := range s {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

// complement is all that isn't in the set; surrogates are left out, because half a character matches no class here.
func (s set) complement() set {
	var out set
	next := rune(0)
	add := func(lo, hi rune) {
		if lo < firstSurrogate && hi > lastSurrogate {
			out = append(out, span{lo, firstSurrogate - 1}, span{lastSurrogate + 1, hi})
		} else if lo <= hi && (hi < firstSurrogate || lo > lastSurrogate) {
			out = append(out, span{lo, hi})
		}
	}
	for _, r := range s {
		add(next, r.lo-1)
		next = r.hi + 1
	}
	add(next, unicode.MaxRune)
	return out
}

func lookup(text string) (set, error) {
	name, value, named := strings.Cut(text, "=")
	switch {
	case named && (name == "Script" || name == "sc"):
		if full, ok := scripts[value]; ok {
			value = full
		}
		if t, ok := unicode.Scripts[value]; ok {
			return of([]*unicode.RangeTable{t}), nil
		}
	case named && (name == "Script_Extensions" || name == "scx"):
		return nil, fmt.Errorf(`\p{%s} is not supported: name the script with Script=%s`, text, value)
	case named && (name == "General_Category" || name == "gc"):
		if s := category(value); s != nil {
			return s, nil
		}
	case !named:
		if s := binary(name); s != nil {
			return s, nil
		}
		if s := category(name); s != nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf(`Invalid property name: \p{%s}`, text)
}

func category(name string) set {
	if short, ok := unicode.CategoryAliases[name]; ok {
		name = short
	}
	list := func(names ...string) (tables []*unicode.RangeTable) {
		for _, n := range names {
			tables = append(tables, unicode.Categories[n])
		}
		return tables
	}
	// Go's tables of these differ with its version.
	switch name {
	case "LC", "Cased_Letter":
		return of(list("Lu", "Ll", "Lt"))
	case "Cn", "Unassigned":
		return of(list("L", "M", "N", "P", "S", "Z", "Cc", "Cf", "Co", "Cs")).complement()
	case "C", "Other":
		return of(list("L", "M", "N", "P", "S", "Z")).complement()
	}
	if t, ok := unicode.Categories[name]; ok {
		return of([]*unicode.RangeTable{t})
	}
	return nil
}

// binary gives a property that is either had or not, by its long or its short name; nil if there is none.
func binary(name string) set {
	u, p := unicode.Categories, unicode.Properties
	list := func(t ...*unicode.RangeTable) []*unicode.RangeTable { return t }
	switch name {
	case "Any":
		return set{{0, unicode.MaxRune}}
	case "ASCII":
		return set{{0, unicode.MaxASCII}}
	case "Alphabetic", "Alpha":
		return of(list(u["L"], u["Nl"], p["Other_Alphabetic"]))
	case "Uppercase", "Upper":
		return of(list(u["Lu"], p["Other_Uppercase"]))
	case "Lowercase", "Lower":
		return of(list(u["Ll"], p["Other_Lowercase"]))
	case "Cased":
		return of(list(u["Lu"], u["Ll"], u["Lt"], p["Other_Uppercase"], p["Other_Lowercase"]))
	case "Math":
		return of(list(u["Sm"], p["Other_Math"]))
	case "ID_Start", "IDS":
		return of(list(u["L"], u["Nl"], p["Other_ID_Start"]), p["Pattern_Syntax"], p["Pattern_White_Space"])
	case "ID_Continue", "IDC":
		return of(list(u["L"], u["Nl"], p["Other_ID_Start"], u["Mn"], u["Mc"], u["Nd"], u["Pc"], p["Other_ID_Continue"]),
			p["Pattern_Syntax"], p["Pattern_White_Space"])
	}
	if full, ok := properties[name]; ok {
		name = full
	}
	if t, ok := emoji[name]; ok {
		return of(list(t))
	}
	if t, ok := p[name]; ok && !strings.HasPrefix(name, "Other_") && name != "Hyphen" && name != "STerm" {
		return of(list(t))
	}
	return nil
}

var properties = map[string]string{
	"AHex": "ASCII_Hex_Digit", "Hex": "Hex_Digit", "space": "White_Space", "Dia": "Diacritic", "Ideo": "Ideographic",
	"EPres": "Emoji_Presentation", "EMod": "Emoji_Modifier", "EBase": "Emoji_Modifier_Base", "EComp": "Emoji_Component",
	"ExtPict": "Extended_Pictographic", "RI": "Regional_Indicator", "VS": "Variation_Selector", "QMark": "Quotation_Mark",
	"Term": "Terminal_Punctuation", "UIdeo": "Unified_Ideograph", "Pat_Syn": "Pattern_Syntax", "Pat_WS": "Pattern_White_Space",
}

// The short names of the scripts that people write; Go has the long ones alone.
var scripts = map[string]string{
	"Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Bopo": "Bopomofo", "Cyrl": "Cyrillic", "Deva": "Devanagari",
	"Ethi": "Ethiopic", "Geor": "Georgian", "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hang": "Hangul",
	"Hani": "Han", "Hebr": "Hebrew", "Hira": "Hiragana", "Kana": "Katakana", "Khmr": "Khmer", "Knda": "Kannada", "Laoo": "Lao",
	"Latn": "Latin", "Mlym": "Malayalam", "Mong": "Mongolian", "Mymr": "Myanmar", "Sinh": "Sinhala", "Taml": "Tamil",
	"Telu": "Telugu", "Tibt": "Tibetan", "Zinh": "Inherited", "Zyyy": "Common",
}
