package intl

// PluralRules is Intl.PluralRules with its options resolved.
type PluralRules struct {
	locale string
	rules  *rules
	digits digitOptions
}

// NewPluralRules resolves options.
func NewPluralRules(locale string, o Options) (*PluralRules, error) {
	l, err := localeOf(locale)
	if err != nil {
		return nil, err
	}
	r := &reader{service: "PluralRules", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	p := &PluralRules{locale: l.language, rules: l.cardinal}
	if bare, _ := cutExtension(locale); bare == "pt-PT" { // the one region with rules of its own
		p.locale = bare
	}
	if r.text("type", "cardinal", "cardinal", "ordinal") == "ordinal" {
		p.rules = l.ordinal
	}
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
	return p.rules.of(p.digits.round(x), 0)
}

// Resolved is what resolvedOptions gives.
func (p *PluralRules) Resolved() []Entry {
	out := append([]Entry{{"locale", p.locale}, {"type", p.rules.kind}}, p.digits.entries()...)
	return append(out, Entry{"pluralCategories", p.rules.names()})
}
