package intl

import (
	"strings"
	"sync"

	"workflow-worker/runtime/language/intl/cldr"
)

// locale is what a language, or one of its regions, says; it is loaded once per process.
type locale struct {
	texts    *cldr.Texts
	language string
	// region is the one asked for, or the language's likely one.
	region            string
	cardinal, ordinal *rules

	decimal, percent pattern
	symbols          symbols
	patterns         func() *generator
	parsed           sync.Map // of texts, the patterns of numbers
}

var loaded sync.Map // of tags without extensions, *locale

// localeOf gives the data for a tag that Locale gave.
func localeOf(tag string) (*locale, error) {
	tag, _ = cutExtension(tag)
	if l, ok := loaded.Load(tag); ok {
		return l.(*locale), nil //nolint:forcetypeassert // nothing else is stored
	}
	l, err := loadLocale(tag)
	if err != nil {
		return nil, err
	}
	kept, _ := loaded.LoadOrStore(tag, l)
	return kept.(*locale), nil //nolint:forcetypeassert // nothing else is stored
}

func loadLocale(tag string) (*locale, error) {
	name := dataOf(tag)
	texts, err := cldr.Locale(name)
	if err != nil {
		return nil, err
	}
	l := &locale{texts: texts, language: languageOf(tag), region: regionOf(tag)}
	for _, r := range []struct {
		of   **rules
		kind string
	}{{&l.cardinal, "cardinal"}, {&l.ordinal, "ordinal"}} {
		if *r.of, err = loadRules(r.kind, name, l.language); err != nil {
			return nil, err
		}
	}
	l.decimal, l.percent = l.pattern(l.get("decimal/standard")), l.pattern(l.get("percent/standard"))
	l.symbols = l.loadSymbols()
	l.patterns = sync.OnceValue(func() *generator { return newGenerator(l) })
	return l, nil
}

// get gives a text, or "".
func (l *locale) get(key string) string {
	v, _ := l.texts.Get(key)
	return v
}

// plural gives the text of a category, or the one of all others. Keys are those of CLDR: prefix +
// "-count-" + category.
func (l *locale) plural(prefix, category string) string {
	if v, ok := l.texts.Get(prefix + "-count-" + category); ok {
		return v
	}
	return l.get(prefix + "-count-other")
}

// supplemental has what is no locale's own. Without the built data it is empty, and loading any
// locale says so.
var supplemental = sync.OnceValue(func() *cldr.Texts {
	t, err := cldr.Locale("supplemental")
	if err != nil {
		return &cldr.Texts{}
	}
	return t
})

func rule(key string) string {
	v, _ := supplemental().Get(key)
	return v
}

// dataOf names the data for a tag: its own, or that of what it is short for, or that of what it is
// a variant of.
func dataOf(tag string) string {
	for _, full := range []string{tag, rule("likely/" + tag)} {
		// zh-Hant-TW is called zh-Hant.
		for at := full; strings.Contains(at, "-"); at = at[:strings.LastIndexByte(at, '-')] {
			if cldr.Has(at) {
				return at
			}
		}
	}
	return languageOf(tag)
}

func languageOf(tag string) string {
	language, _, _ := strings.Cut(tag, "-")
	return language
}

func regionOf(tag string) string {
	parts := strings.Split(tag, "-")
	for _, p := range parts[1:] {
		if len(p) == 2 || len(p) == 3 {
			return p
		}
	}
	full := strings.Split(rule("likely/"+tag), "-")
	if region := full[len(full)-1]; len(full) > 1 {
		return region
	}
	full = strings.Split(rule("likely/"+parts[0]), "-")
	return full[len(full)-1]
}
