package intl

import (
	"slices"
	"strings"
)

// PluralRules is Intl.PluralRules with its options resolved.
type PluralRules struct {
	locale  string
	ordinal bool
	digits  digitOptions
}

// NewPluralRules resolves options.
func NewPluralRules(locale string, o Options) (*PluralRules, error) {
	r := &reader{service: "PluralRules", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	p := &PluralRules{locale: locale, ordinal: r.text("type", "cardinal", "cardinal", "ordinal") == "ordinal"}
	p.digits = r.digits(0, 3, false)
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

// Select gives a number's category.
func (p *PluralRules) Select(x Decimal) string {
	if x.kind != finite {
		return "other"
	}
	d := p.digits.round(x)
	if !p.ordinal {
		if strings.TrimLeft(d.whole, "0") == "1" && d.fraction == "" {
			return "one"
		}
		return "other"
	}
	if strings.Trim(d.fraction, "0") != "" {
		return "other"
	}
	teen := len(d.whole) > 1 && d.whole[len(d.whole)-2] == '1'
	switch last := d.whole[len(d.whole)-1]; {
	case teen:
		return "other"
	case last == '1':
		return "one"
	case last == '2':
		return "two"
	case last == '3':
		return "few"
	}
	return "other"
}

// Resolved is what resolvedOptions gives.
func (p *PluralRules) Resolved() []Entry {
	kind, categories := "cardinal", []string{"one", "other"}
	if p.ordinal {
		kind, categories = "ordinal", []string{"few", "one", "two", "other"}
	}
	out := append([]Entry{{"locale", p.locale}, {"type", kind}}, p.digits.entries()...)
	out = append(out, Entry{"pluralCategories", categories})
	return append(out, p.digits.roundingEntries()...)
}

// ListFormat is Intl.ListFormat with its options resolved.
type ListFormat struct{ locale, kind, style string }

// NewListFormat resolves options.
func NewListFormat(locale string, o Options) (*ListFormat, error) {
	r := &reader{service: "ListFormat", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	f := &ListFormat{locale, r.text("type", "conjunction", "conjunction", "disjunction", "unit"), r.text("style", "long", "long", "short", "narrow")}
	return f, r.err
}

// Parts formats a list.
func (f *ListFormat) Parts(items []string) []Part {
	between := data().lists[f.kind+" "+f.style]
	var out []Part
	for i, item := range items {
		switch {
		case i == 0:
		case len(items) == 2:
			out = append(out, Part{"literal", between[0]})
		case i == 1 && len(items) > 2:
			out = append(out, Part{"literal", between[1]})
		case i == len(items)-1:
			out = append(out, Part{"literal", between[3]})
		default:
			out = append(out, Part{"literal", between[2]})
		}
		out = append(out, Part{"element", item})
	}
	return out
}

// Resolved is what resolvedOptions gives.
func (f *ListFormat) Resolved() []Entry {
	return []Entry{{"locale", f.locale}, {"type", f.kind}, {"style", f.style}}
}

// RelativeTimeFormat is Intl.RelativeTimeFormat with its options resolved.
type RelativeTimeFormat struct {
	locale, style string
	named         bool
	numbers       *NumberFormat
}

// NewRelativeTimeFormat resolves options.
func NewRelativeTimeFormat(locale string, o Options) (*RelativeTimeFormat, error) {
	r := &reader{service: "RelativeTimeFormat", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	r.only("numberingSystem", "latn")
	f := &RelativeTimeFormat{locale: locale, style: r.text("style", "long", "long", "short", "narrow")}
	f.named = r.text("numeric", "always", "always", "auto") == "auto"
	if r.err != nil {
		return nil, r.err
	}
	var err error
	f.numbers, err = NewNumberFormat(locale, Options{})
	return f, err
}

// RelativePart is a part; those of the number name their unit, too.
type RelativePart struct{ Type, Value, Unit string }

var spans = []string{"second", "minute", "hour", "day", "week", "month", "quarter", "year"}

// Parts formats a number of units from now.
func (f *RelativeTimeFormat) Parts(x Decimal, unit string) ([]RelativePart, error) {
	span := strings.TrimSuffix(unit, "s")
	if !slices.Contains(spans, span) {
		return nil, rangeError("Invalid unit argument for format() '%s'", unit)
	}
	if x.kind != finite {
		return nil, rangeError("Invalid number value: %s", Text(f.numbers.Parts(x)))
	}
	if f.named {
		number := Text(f.numbers.Parts(x))
		if text, ok := data().named[span+" "+f.style+" "+number]; ok {
			return []RelativePart{{"literal", text, ""}}, nil
		}
	}
	patterns := data().relative[span+" "+f.style]
	if x.neg {
		patterns = patterns[2:]
	}
	x.neg = false
	number, _, one := f.numbers.number(x)
	pattern := patterns[1]
	if one {
		pattern = patterns[0]
	}
	before, after, _ := strings.Cut(pattern, "{0}")
	var out []RelativePart
	if before != "" {
		out = append(out, RelativePart{"literal", before, ""})
	}
	for _, p := range number {
		out = append(out, RelativePart{p.Type, p.Value, span})
	}
	if after != "" {
		out = append(out, RelativePart{"literal", after, ""})
	}
	return out, nil
}

// Resolved is what resolvedOptions gives.
func (f *RelativeTimeFormat) Resolved() []Entry {
	numeric := "always"
	if f.named {
		numeric = "auto"
	}
	return []Entry{{"locale", f.locale}, {"style", f.style}, {"numeric", numeric}, {"numberingSystem", "latn"}}
}
