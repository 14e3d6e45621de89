package intl

import (
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"workflow-worker/runtime/language/intl/cldr"
)

var tagForm = regexp.MustCompile(`^(?:[A-Za-z]{2,3}|[A-Za-z]{5,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z0-9]{5,8}|\d[A-Za-z0-9]{3}))*` +
	`(?:-[A-WY-Za-wy-z0-9](?:-[A-Za-z0-9]{2,8})+)*(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?$`)

// newCodes are languages whose codes changed.
var newCodes = map[string]string{"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "tl": "fil", "sh": "sr-Latn"}

// maxLocales is how many bytes of locales are looked at: nothing here asks whether its time is over.
const maxLocales = 256 << 10

// Canonical gives locales in the form of the standard, each once.
func Canonical(asked []string) ([]string, error) {
	bytes := 0
	for _, l := range asked {
		bytes += len(l)
	}
	if bytes > maxLocales {
		return nil, rangeError("locales of %d bytes: the limit is %d", bytes, maxLocales)
	}
	out, seen := []string{}, map[string]bool{}
	for _, l := range asked {
		one, err := canonical(l)
		if err != nil {
			return nil, err
		}
		if !seen[one] {
			seen[one] = true
			out = append(out, one)
		}
	}
	return out, nil
}

func canonical(l string) (string, error) {
	if !tagForm.MatchString(l) || doubled(l) {
		return "", rangeError("Incorrect locale information provided")
	}
	parts := strings.Split(strings.ToLower(l), "-")
	end := len(parts) // of language, script, region and variants
	for i, p := range parts {
		if len(p) == 1 {
			end = i
			break
		}
		switch {
		case i == 0:
			if code, ok := newCodes[p]; ok {
				parts[0] = code
			}
		case len(p) == 4 && p[0] >= 'a' && i == 1:
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		case len(p) == 2:
			parts[i] = strings.ToUpper(p)
			if parts[i] == "UK" {
				parts[i] = "GB"
			}
		}
	}
	out := strings.Join(parts[:end], "-")
	for _, e := range extensions(parts[end:]) {
		out += "-" + e
	}
	return out, nil
}

// doubled reports an extension, or a variant, that is there twice.
func doubled(l string) bool {
	seen := map[string]bool{}
	for i, p := range strings.Split(strings.ToLower(l), "-") {
		switch {
		case p == "x" && i > 0:
			return false
		case len(p) == 1:
			if seen[p] {
				return true
			}
			seen[p] = true
		}
	}
	return false
}

// extensions joins each singleton with what is its own; the keys of -u- are sorted, and "true" is
// left out.
func extensions(parts []string) []string {
	var out []string
	for i := 0; i < len(parts); {
		next := i + 1
		for next < len(parts) && (parts[i] == "x" || len(parts[next]) > 1) {
			next++
		}
		e := strings.Join(parts[i:next], "-")
		if parts[i] == "u" {
			e = keywords(parts[i+1 : next])
		}
		out = append(out, e)
		i = next
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i][0] != 'x' && (out[j][0] == 'x' || out[i][0] < out[j][0]) })
	return out
}

func keywords(parts []string) string {
	var attributes []string
	values := map[string]string{}
	key := ""
	for i := 0; i < len(parts); i++ {
		switch p := parts[i]; {
		case len(p) == 2:
			if _, twice := values[p]; twice {
				key = "twice"
			} else {
				key, values[p] = p, ""
			}
		case key == "":
			attributes = append(attributes, p)
		case key != "twice":
			values[key] += "-" + p
		}
	}
	delete(values, "twice")
	out := append([]string{"u"}, attributes...)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		v := values[k]
		if v == "-true" || v == "-yes" {
			v = ""
		}
		out = append(out, k+v)
	}
	return strings.Join(out, "-")
}

// cutExtension parts a canonical tag from its extensions.
func cutExtension(tag string) (bare, rest string) {
	at := 0
	for i := range len(tag) {
		if tag[i] == '-' {
			at = i
		}
		if i == at+2 && tag[i] == '-' || i == at+1 && i+1 < len(tag) && tag[i+1] == '-' && at > 0 {
			return tag[:at], tag[at:]
		}
	}
	return tag, ""
}

// extensionOf gives the value of a key in -u-.
func extensionOf(tag, key string) (string, bool) {
	_, rest := cutExtension(tag)
	_, rest, ok := strings.Cut(rest+"-", "-u-")
	if !ok {
		return "", false
	}
	var out []string
	found := false
	for _, p := range strings.Split(strings.TrimSuffix(rest, "-"), "-") {
		switch {
		case len(p) == 1:
			return strings.Join(out, "-"), found
		case len(p) == 2 && found:
			return strings.Join(out, "-"), true
		case found:
			out = append(out, p)
		case p == key:
			found = true
		}
	}
	return strings.Join(out, "-"), found
}

// withoutKey takes a key out of -u-.
func withoutKey(tag, key string) string {
	bare, _ := cutExtension(tag)
	u := ""
	for _, k := range []string{"ca", "co", "hc", "kf", "kn", "nu"} {
		if v, ok := extensionOf(tag, k); ok && k != key {
			u += "-" + k
			if v != "" {
				u += "-" + v
			}
		}
	}
	if u != "" {
		u = "-u" + u
	}
	return bare + u
}

// keep leaves in a tag's extensions only what a service looks at.
func keep(tag string, keys ...string) string {
	for _, k := range []string{"ca", "co", "hc", "kf", "kn", "nu"} {
		if !slices.Contains(keys, k) {
			tag = withoutKey(tag, k)
		}
	}
	return tag
}

// Locale gives the locale to use for a list of those asked for, best first, with its extensions:
// the first that CLDR has, less regions and scripts that it hasn't; en-US if it has none of them.
// One that CLDR has, and we haven't, is refused: the text would be another than Node's.
func Locale(asked []string) (string, error) {
	all, err := Canonical(asked)
	if err != nil {
		return "", err
	}
	for _, tag := range all {
		bare, rest := cutExtension(tag)
		for at := bare; at != ""; at = at[:max(strings.LastIndexByte(at, '-'), 0)] {
			if !available(at) {
				continue
			}
			if !cldr.Has(languageOf(at)) {
				return "", rangeError("the locale %q is not supported here: %s are", tag, strings.Join(Languages(), ", "))
			}
			return at + rest, nil
		}
	}
	return "en-US", nil
}

// Supported reports whether texts can be written for a canonical tag, as it is or as one that it is
// a variant of.
func Supported(tag string) bool {
	bare, _ := cutExtension(tag)
	return cldr.Has(languageOf(bare)) && available(languageOf(bare))
}

// Languages are those that texts can be written in.
func Languages() []string {
	var out []string
	for tag := range supplemental().Under("locale/") {
		if !strings.Contains(tag, "-") && cldr.Has(tag) {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}

// available reports whether CLDR has a locale, by its name or by that of its language and region
// alone.
func available(tag string) bool {
	return hasRule("locale/"+tag) || withoutScript()[tag]
}

// withoutScript are the locales of languages with more than one script, as they are called without
// it: zh-TW.
var withoutScript = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for tag := range supplemental().Under("locale/") {
		if parts := strings.Split(tag, "-"); len(parts) == 3 && len(parts[1]) == 4 {
			all[parts[0]+"-"+parts[2]] = true
		}
	}
	return all
})

// Values is what Intl.supportedValuesOf gives.
func Values(key string) ([]string, error) {
	switch key {
	case "calendar":
		return []string{"gregory"}, nil
	case "collation":
		return []string{"default"}, nil
	case "currency":
		return currencyCodes(), nil
	case "numberingSystem":
		return []string{"latn"}, nil
	case "timeZone":
		return placeZones(), nil
	case "unit":
		return simpleUnits, nil
	}
	return nil, rangeError("Invalid key : %s", key)
}

// Collation is Intl.Collator with its options resolved; who has a collator orders by it.
type Collation struct {
	locale, usage string
	Sensitivity   string
	Numeric       bool
}

// orderedRegions are the regions that ICU's collation names.
var orderedRegions = strings.Fields("de-AT en-US fr-CA id-ID nb-NO zh-CN zh-HK zh-MO zh-SG zh-TW")

// unordered are languages that put their own script before the Latin one, or have other rules that
// golang.org/x/text hasn't.
var unordered = strings.Fields("bg el ko lv ru uk zh")

// Language is the tag whose order it is.
func (c *Collation) Language() string {
	bare, _ := cutExtension(c.locale)
	if l := languageOf(bare); l == "nb" || l == "no" {
		return "nn" // which golang.org/x/text knows alone of the three
	}
	return bare
}

// UpperFirst tells whether capitals go before small letters.
func (c *Collation) UpperFirst() bool { return languageOf(c.Language()) == "da" }

// EnglishAndUTC refuses other locales and zones than those that the first versions of this service
// had.
func EnglishAndUTC(asked []string, o Options) error {
	if len(asked) > 0 {
		if _, err := Canonical(asked); err != nil {
			return err
		}
		if l := strings.ToLower(asked[0]); l != "en" && l != "en-us" {
			return rangeError("the locale %q is not supported here: en and en-US are", asked[0])
		}
	}
	if z, ok := o["timeZone"]; ok && !slices.Contains([]string{"UTC", "GMT", "ETC/UTC", "ETC/GMT"}, strings.ToUpper(toString(z))) {
		return rangeError("the time zone %q is not supported here: UTC is", toString(z))
	}
	return nil
}

// NewCollation resolves options.
func NewCollation(locale string, o Options) (*Collation, error) {
	r := &reader{service: "Collator", o: o}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	tag := keep(locale, "kn")
	if bare, _ := cutExtension(tag); !slices.Contains(orderedRegions, bare) {
		tag = languageOf(bare) + strings.TrimPrefix(tag, bare)
	}
	if kn, ok := extensionOf(tag, "kn"); ok && !r.has("numeric") {
		o = maps.Clone(o)
		o["numeric"] = kn != "false"
		r.o = o
	}
	c := &Collation{locale: tag, usage: r.text("usage", "sort", "sort", "search")}
	r.only("collation", "default")
	if slices.Contains(unordered, languageOf(tag)) {
		r.fail(rangeError("the order of texts for the locale %q is not supported here", locale))
	}
	c.Numeric = r.has("numeric") && truthy(o["numeric"])
	r.text("caseFirst", "false", "upper", "lower", "false")
	r.only("caseFirst", "false")
	if n, ok := extensionOf(tag, "kn"); ok && (n != "false") != c.Numeric {
		c.locale = withoutKey(tag, "kn")
	}
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
		{"collation", "default"}, {"numeric", c.Numeric}, {"caseFirst", map[bool]string{true: "upper", false: "false"}[c.UpperFirst()]},
	}
}
