package intl

import "strings"

// ListFormat is Intl.ListFormat with its options resolved.
type ListFormat struct {
	locale, kind, style string
	l                   *locale
}

// NewListFormat resolves options.
func NewListFormat(locale string, o Options) (*ListFormat, error) {
	l, err := localeOf(locale)
	if err != nil {
		return nil, err
	}
	r := &reader{service: "ListFormat", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	f := &ListFormat{locale: keep(locale), l: l}
	f.kind = r.text("type", "conjunction", "conjunction", "disjunction", "unit")
	f.style = r.text("style", "long", "long", "short", "narrow")
	return f, r.err
}

// Parts formats a list.
func (f *ListFormat) Parts(items []string) []Part {
	kind := map[string]string{"conjunction": "standard", "disjunction": "or", "unit": "unit"}[f.kind]
	if f.style != "long" {
		kind += "-" + f.style
	}
	join := func(position string, next string) []string {
		pattern := f.l.get("list/" + kind + "/" + position)
		if f.l.language == "es" {
			pattern = spanish(pattern, next)
		}
		return slots(pattern)
	}
	var out []Part
	for i, item := range items {
		position := "middle"
		switch {
		case i == 0:
			out = append(out, Part{"element", item})
			continue
		case len(items) == 2:
			position = "2"
		case i == 1:
			position = "start"
		case i == len(items)-1:
			position = "end"
		}
		pattern := join(position, item)
		var joined []Part
		if pattern[0] == "{0}" { // nothing goes before it: what is there stays in its place
			joined, pattern = out, pattern[1:]
		}
		for _, p := range pattern {
			switch p {
			case "{0}":
				joined = append(joined, out...)
			case "{1}":
				joined = append(joined, Part{"element", item})
			default:
				joined = append(joined, Part{"literal", p})
			}
		}
		out = joined
	}
	return joinLiterals(out)
}

// spanish writes "e" for "y" before the same sound, and "u" for "o".
func spanish(pattern, next string) string {
	next = strings.ToLower(next)
	switch {
	case strings.Contains(pattern, " y {1}"):
		if strings.HasPrefix(next, "i") || strings.HasPrefix(next, "hi") && !strings.HasPrefix(next, "hia") && !strings.HasPrefix(next, "hie") {
			return strings.Replace(pattern, " y {1}", " e {1}", 1)
		}
	case strings.Contains(pattern, " o {1}"):
		eleven := next == "11" || strings.HasPrefix(next, "11 ")
		if strings.HasPrefix(next, "o") || strings.HasPrefix(next, "ho") || strings.HasPrefix(next, "8") || eleven {
			return strings.Replace(pattern, " o {1}", " u {1}", 1)
		}
	}
	return pattern
}

// Resolved is what resolvedOptions gives.
func (f *ListFormat) Resolved() []Entry {
	return []Entry{{"locale", f.locale}, {"type", f.kind}, {"style", f.style}}
}
