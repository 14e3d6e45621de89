package intl

import (
	"slices"
	"strings"
)

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
	tag := keep(locale, "nu")
	r.numbering(&tag)
	f := &RelativeTimeFormat{locale: tag, style: r.text("style", "long", "long", "short", "narrow")}
	f.named = r.text("numeric", "always", "always", "auto") == "auto"
	if r.err != nil {
		return nil, r.err
	}
	var err error
	f.numbers, err = NewNumberFormat(tag, Options{})
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
	l, key := f.numbers.l, "field/"+span
	if f.style != "long" {
		key += "-" + f.style
	}
	if text := f.name(key, x); text != "" {
		return []RelativePart{{"literal", text, ""}}, nil
	}
	direction := "/relativeTime-type-future/relativeTimePattern"
	if x.neg {
		direction = "/relativeTime-type-past/relativeTimePattern"
	}
	x.neg = false
	number := f.numbers.number(x)
	var out []RelativePart
	for _, p := range slots(l.plural(key+direction, number.plural)) {
		if p != "{0}" {
			out = append(out, RelativePart{"literal", p, ""})
			continue
		}
		for _, part := range number.parts {
			out = append(out, RelativePart{part.Type, part.Value, span})
		}
	}
	return out, nil
}

// name is "yesterday", if there is such a word and it may be used. Nothing is the time now,
// whatever its sign.
func (f *RelativeTimeFormat) name(key string, x Decimal) string {
	if !f.named {
		return ""
	}
	number := "0"
	if !x.zero() {
		if x.point != 1 || len(x.digits) != 1 {
			return ""
		}
		number = x.digits
		if x.neg {
			number = "-" + number
		}
	}
	return f.numbers.l.get(key + "/relative-type-" + number)
}

// Resolved is what resolvedOptions gives.
func (f *RelativeTimeFormat) Resolved() []Entry {
	numeric := "always"
	if f.named {
		numeric = "auto"
	}
	return []Entry{{"locale", f.locale}, {"style", f.style}, {"numeric", numeric}, {"numberingSystem", "latn"}}
}
