package intl

import (
	"maps"
	"slices"
	"strings"
)

// Canonical gives locales in the form of the standard, each once.
func Canonical(asked []string) ([]string, error) {
	out := []string{}
	for _, l := range asked {
		if !tag.MatchString(l) {
			return nil, rangeError("Incorrect locale information provided: %q", l)
		}
		parts := strings.Split(strings.ToLower(l), "-")
		for i, p := range parts {
			extension := i > 1 && slices.ContainsFunc(parts[1:i], func(s string) bool { return len(s) == 1 })
			switch {
			case i == 0 || extension:
			case len(p) == 4 && p[0] >= 'a':
				parts[i] = strings.ToUpper(p[:1]) + p[1:]
			case len(p) == 2:
				parts[i] = strings.ToUpper(p)
			}
		}
		if l = strings.Join(parts, "-"); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out, nil
}

// Values is what Intl.supportedValuesOf gives.
func Values(key string) ([]string, error) {
	switch key {
	case "calendar":
		return []string{"gregory"}, nil
	case "collation":
		return []string{"default"}, nil
	case "currency":
		return slices.Sorted(maps.Keys(data().currencies)), nil
	case "numberingSystem":
		return []string{"latn"}, nil
	case "timeZone":
		return []string{"UTC"}, nil
	case "unit":
		return slices.Sorted(maps.Keys(data().per)), nil
	}
	return nil, rangeError("Invalid key : %s", key)
}

// Collation is Intl.Collator with its options resolved; who has a collator orders by it.
type Collation struct {
	locale, usage string
	Sensitivity   string
	Numeric       bool
}

// asRoot are the languages that order letters as English does, which is as the root of CLDR does.
var asRoot = []string{"de", "de-de", "en", "en-gb", "en-us", "fr", "fr-fr", "ga", "id", "it", "it-it", "lb", "ms", "nl", "nl-nl", "pt", "pt-br", "pt-pt", "sw", "xh", "zu"}

// CollationLocale is Locale for the order of texts, which more languages have in common.
func CollationLocale(asked []string) (string, error) {
	locale, err := Locale(asked)
	if err == nil || !slices.Contains(asRoot, strings.ToLower(asked[0])) {
		return locale, err
	}
	all, err := Canonical(asked)
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// NewCollation resolves options.
func NewCollation(locale string, o Options) (*Collation, error) {
	r := &reader{service: "Collator", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	c := &Collation{locale: locale, usage: r.text("usage", "sort", "sort", "search")}
	r.only("collation", "default")
	c.Numeric = r.has("numeric") && truthy(o["numeric"])
	r.text("caseFirst", "false", "upper", "lower", "false")
	r.only("caseFirst", "false")
	c.Sensitivity = r.text("sensitivity", "variant", "base", "accent", "case", "variant")
	if v, ok := o["ignorePunctuation"]; ok && truthy(v) {
		r.fail(rangeError("ignorePunctuation is not supported here"))
	}
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// Resolved is what resolvedOptions gives.
func (c *Collation) Resolved() []Entry {
	return []Entry{
		{"locale", c.locale}, {"usage", c.usage}, {"sensitivity", c.Sensitivity}, {"ignorePunctuation", false},
		{"collation", "default"}, {"numeric", c.Numeric}, {"caseFirst", "false"},
	}
}
