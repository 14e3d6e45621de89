package pattern

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// propertiesText has the properties that Go has no tables of; testdata/properties.js makes it.
//
//go:embed properties.txt
var propertiesText string

// tables are the lines of propertiesText by what they begin with.
type tables struct {
	binary, extensions map[string]string // spans
	scripts            map[string]string // the long names
}

var loadTables = sync.OnceValue(func() tables {
	t := tables{map[string]string{}, map[string]string{}, map[string]string{}}
	for line := range strings.Lines(propertiesText) {
		first, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, " ")
		switch first {
		case "sc":
			t.scripts[name] = value
		case "scx":
			t.extensions[name] = value
		default:
			t.binary[first] = rest
		}
	}
	return t
})

// decode reads spans: gaps and lengths in base 36.
func decode(text string) set {
	var s set
	next := int64(0)
	for field := range strings.FieldsSeq(text) {
		gap, length, _ := strings.Cut(field, ".")
		g, _ := strconv.ParseInt(gap, 36, 32) // our own file
		n, _ := strconv.ParseInt("0"+length, 36, 32)
		next += g
		s = append(s, span{rune(next), rune(next + n)})
		next += n + 1
	}
	return s
}

// known are the properties that were looked up.
var known sync.Map // by what is in the braces: set

// lookup gives the set of a property by what is in its braces, or the reason why there is none.
func lookup(text string) (s set, reason string) {
	if s, ok := known.Load(text); ok {
		found, _ := s.(set)
		return found, ""
	}
	if s = find(text); s == nil {
		return nil, invalidPropertyName
	}
	known.Store(text, s) // there are as many as Unicode has
	return s, ""
}

func find(text string) set {
	name, value, named := strings.Cut(text, "=")
	switch {
	case !named:
		if s := binary(name); s != nil {
			return s
		}
		return category(name)
	case name == "General_Category" || name == "gc":
		return category(value)
	case name == "Script" || name == "sc":
		return script(value)
	case name == "Script_Extensions" || name == "scx":
		s := script(value)
		if s == nil {
			return nil
		}
		t := loadTables()
		if long := t.scripts[value]; long != "" {
			value = long
		}
		difference := decode(t.extensions[value])
		return join(s.intersect(difference.complement()), difference.intersect(s.complement()))
	}
	return nil
}

func script(name string) set {
	if long := loadTables().scripts[name]; long != "" {
		name = long
	}
	if t := unicode.Scripts[name]; t != nil {
		return of(t)
	}
	if name == "Unknown" || name == "Zzzz" { // of none
		var all []*unicode.RangeTable
		for _, t := range unicode.Scripts {
			all = append(all, t)
		}
		return of(all...).complement()
	}
	return nil
}

// of makes the union of tables.
func of(tables ...*unicode.RangeTable) set {
	var b setBuilder
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			b.add(lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			b.add(r, r)
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
	return b.set()
}

func join(a, b set) set {
	var out setBuilder
	out.addSet(a)
	out.addSet(b)
	return out.set()
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
	case "LC":
		return of(list("Lu", "Ll", "Lt")...)
	case "Cn":
		return of(list("L", "M", "N", "P", "S", "Z", "Cc", "Cf", "Co", "Cs")...).complement()
	case "C":
		return of(list("L", "M", "N", "P", "S", "Z")...).complement()
	}
	if t, ok := unicode.Categories[name]; ok {
		return of(t)
	}
	return nil
}

// binary gives a property that is either had or not, by its long or its short name; nil if there is
// none.
func binary(name string) set {
	if long, ok := binaryNames[name]; ok {
		name = long
	}
	u, p := unicode.Categories, unicode.Properties
	switch name {
	case "Any":
		return everything
	case "ASCII":
		return set{{0, unicode.MaxASCII}}
	case "Assigned":
		return category("Cn").complement()
	case "Alphabetic":
		return of(u["L"], u["Nl"], p["Other_Alphabetic"])
	case "Uppercase":
		return of(u["Lu"], p["Other_Uppercase"])
	case "Lowercase":
		return of(u["Ll"], p["Other_Lowercase"])
	case "Cased":
		return of(u["Lu"], u["Ll"], u["Lt"], p["Other_Uppercase"], p["Other_Lowercase"])
	case "Math":
		return of(u["Sm"], p["Other_Math"])
	case "ID_Start":
		return idStart()
	case "ID_Continue":
		return idContinue()
	}
	if t, ok := emoji[name]; ok {
		return of(t)
	}
	if text, ok := loadTables().binary[name]; ok {
		return decode(text)
	}
	if _, ok := binaryLong[name]; ok {
		return of(p[name])
	}
	return nil
}

// The characters of identifiers.
var (
	notInNames = sync.OnceValue(func() set {
		return of(unicode.Properties["Pattern_Syntax"], unicode.Properties["Pattern_White_Space"]).complement()
	})
	idStart = sync.OnceValue(func() set {
		u, p := unicode.Categories, unicode.Properties
		return of(u["L"], u["Nl"], p["Other_ID_Start"]).intersect(notInNames())
	})
	idContinue = sync.OnceValue(func() set {
		u, p := unicode.Categories, unicode.Properties
		return of(u["L"], u["Nl"], p["Other_ID_Start"], u["Mn"], u["Mc"], u["Nd"], u["Pc"], p["Other_ID_Continue"]).intersect(notInNames())
	})
)

// binaryNames are the short names of binary properties.
var binaryNames = map[string]string{
	"AHex": "ASCII_Hex_Digit", "Alpha": "Alphabetic", "Bidi_C": "Bidi_Control", "Bidi_M": "Bidi_Mirrored", "CI": "Case_Ignorable",
	"CWCF": "Changes_When_Casefolded", "CWCM": "Changes_When_Casemapped", "CWKCF": "Changes_When_NFKC_Casefolded",
	"CWL": "Changes_When_Lowercased", "CWT": "Changes_When_Titlecased", "CWU": "Changes_When_Uppercased",
	"DI": "Default_Ignorable_Code_Point", "Dep": "Deprecated", "Dia": "Diacritic", "EBase": "Emoji_Modifier_Base",
	"EComp": "Emoji_Component", "EMod": "Emoji_Modifier", "EPres": "Emoji_Presentation", "Ext": "Extender",
	"ExtPict": "Extended_Pictographic", "Gr_Base": "Grapheme_Base", "Gr_Ext": "Grapheme_Extend", "Hex": "Hex_Digit", "IDC": "ID_Continue",
	"IDS": "ID_Start", "IDSB": "IDS_Binary_Operator", "IDST": "IDS_Trinary_Operator", "Ideo": "Ideographic", "Join_C": "Join_Control",
	"LOE": "Logical_Order_Exception", "Lower": "Lowercase", "NChar": "Noncharacter_Code_Point", "Pat_Syn": "Pattern_Syntax",
	"Pat_WS": "Pattern_White_Space", "QMark": "Quotation_Mark", "RI": "Regional_Indicator", "SD": "Soft_Dotted", "STerm": "Sentence_Terminal",
	"Term": "Terminal_Punctuation", "UIdeo": "Unified_Ideograph", "Upper": "Uppercase", "VS": "Variation_Selector", "XIDC": "XID_Continue",
	"XIDS": "XID_Start", "space": "White_Space",
}

// binaryLong are the long names of those that Go has tables of.
var binaryLong = map[string]struct{}{
	"ASCII_Hex_Digit": {}, "Bidi_Control": {}, "Dash": {}, "Deprecated": {}, "Diacritic": {}, "Extender": {}, "Hex_Digit": {},
	"IDS_Binary_Operator": {}, "IDS_Trinary_Operator": {}, "Ideographic": {}, "Join_Control": {}, "Logical_Order_Exception": {},
	"Noncharacter_Code_Point": {}, "Pattern_Syntax": {}, "Pattern_White_Space": {}, "Quotation_Mark": {}, "Radical": {},
	"Regional_Indicator": {}, "Sentence_Terminal": {}, "Soft_Dotted": {}, "Terminal_Punctuation": {}, "Unified_Ideograph": {},
	"Variation_Selector": {}, "White_Space": {},
}
