package intl

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// generator finds the pattern for a set of fields, as ICU's DateTimePatternGenerator does: the
// nearest of those that CLDR has, its fields made as wide as they were asked for, and what it lacks
// appended.
type generator struct {
	l         *locale
	formats   []*format
	appending [fieldCount]string // "{0} ({2}: {1})"
	names     [fieldCount]string
	glue      map[string]string // of a date and a time, by style
	found     sync.Map          // patterns by what was asked for
	kept      atomic.Int32      // how many they are
}

// mostKept bounds the patterns that are kept: people use few, but code could ask for all that there
// are.
const mostKept = 500

type format struct {
	base, pattern string
	skeleton      skeleton
	specified     bool // has a skeleton of its own in CLDR
}

var appendNames = [fieldCount]string{
	eraField: "Era", yearField: "Year", quarterField: "Quarter", monthField: "Month", weekField: "Week", weekdayField: "Day-Of-Week",
	dayField: "Day", hourField: "Hour", minuteField: "Minute", secondField: "Second", zoneField: "Timezone",
}

var displayNames = [fieldCount]string{
	eraField: "era", yearField: "year", quarterField: "quarter", monthField: "month", weekField: "week", weekdayField: "weekday",
	dayField: "day", periodField: "dayperiod", hourField: "hour", minuteField: "minute", secondField: "second", zoneField: "zone",
}

const (
	dateMask           = 1<<periodField - 1
	timeMask           = 1<<fieldCount - 1 - dateMask
	secondAndFraction  = 1<<secondField | 1<<fractionField
	extraField         = 0x10000
	missingField       = 0x1000
	dateStyles         = "full long medium short"
	fractionOfSecond   = 1 << fractionField
	availableFormatKey = "dateTimeFormats/availableFormats/"
)

func newGenerator(l *locale) *generator {
	g := &generator{l: l, glue: map[string]string{}}
	for _, letter := range "GyQMwWEdDFaHmsSv" {
		g.add(string(letter), "", false)
	}
	for _, style := range strings.Fields(dateStyles) {
		g.add(l.get("dateFormats/"+style), "", false)
		g.add(l.get("timeFormats/"+style), "", false)
		g.glue[style] = l.dateTime(style)
	}
	type entry struct{ key, pattern string }
	var all []entry
	for key, pattern := range l.texts.Under(availableFormatKey) {
		all = append(all, entry{key, pattern})
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range all {
		g.add(e.pattern, e.key, true)
	}
	for f := range fieldCount {
		g.appending[f] = "{0} ├{2}: {1}┤"
		if text := l.get("dateTimeFormats/appendItems/" + appendNames[f]); text != "" && appendNames[f] != "" {
			g.appending[f] = text
		}
		g.names[f] = "F" + strconv.Itoa(int(f))
		if name := l.get("field/" + displayNames[f] + "/displayName"); name != "" {
			g.names[f] = name
		}
	}
	slices.SortStableFunc(g.formats, func(a, b *format) int { return int(a.base[0]) - int(b.base[0]) })
	return g
}

// dateTime is how a date of a style and a time are put together.
func (l *locale) dateTime(style string) string {
	if at := l.get("atTime/" + style); at != "" {
		return at
	}
	return l.get("dateTimeFormats/" + style)
}

// add knows a pattern, by the skeleton that CLDR gives it, or else by its own.
func (g *generator) add(pattern, key string, override bool) {
	f := &format{pattern: pattern, specified: key != ""}
	if key == "" {
		key = pattern
	}
	f.skeleton = skeletonOf(key)
	f.base = f.skeleton.baseText()
	same := func(o *format) bool { return o.base == f.base }
	if i := slices.IndexFunc(g.formats, same); i >= 0 && (!g.formats[i].specified || f.specified && !override) && !override {
		return
	}
	equal := func(o *format) bool { return o.skeleton.kinds == f.skeleton.kinds }
	if i := slices.IndexFunc(g.formats, equal); i >= 0 {
		if !override || f.specified && g.formats[i].specified {
			return
		}
		g.formats[i].pattern, g.formats[i].specified = pattern, f.specified
		g.formats[i].skeleton = f.skeleton
		return
	}
	g.formats = append(g.formats, f)
}

// best is the pattern for a skeleton, with hours of as many digits as were asked for.
func (g *generator) best(text string) string { return g.find(text, true) }

// usual is the pattern for a skeleton, with hours of as many digits as is usual.
func (g *generator) usual(text string) string { return g.find(text, false) }

func (g *generator) find(text string, exactHours bool) string {
	type question struct {
		text       string
		exactHours bool
	}
	q := question{text, exactHours}
	if pattern, ok := g.found.Load(q); ok {
		return pattern.(string) //nolint:forcetypeassert // nothing else is stored
	}
	pattern := g.search(text, exactHours)
	if g.kept.Load() < mostKept {
		g.kept.Add(1)
		g.found.Store(q, pattern)
	}
	return pattern
}

func (g *generator) search(text string, exactHours bool) string {
	want := skeletonOf(text)
	want.exactHours = exactHours
	found, missing, extra := g.nearest(&want, -1)
	if missing == 0 && extra == 0 {
		return g.adjust(&want, found, false)
	}
	date := g.appended(&want, want.fields()&dateMask)
	clock := g.appended(&want, want.fields()&timeMask)
	switch {
	case date == "":
		return clock
	case clock == "":
		return date
	}
	style := "short"
	switch want.base[monthField].length {
	case 4:
		style = "long"
		if want.kinds[weekdayField] != 0 {
			style = "full"
		}
	case 3:
		style = "medium"
	}
	return strings.NewReplacer("{0}", clock, "{1}", date).Replace(g.glue[style])
}

// nearest finds the format that differs least, as far as mask looks: with which fields it lacks,
// and has too many.
func (g *generator) nearest(want *skeleton, mask int) (found *format, missing, extra int) {
	best, bestMissing := math.MaxInt, -1
	for _, f := range g.formats {
		distance, lacks, spare := 0, 0, 0
		for i, has := range f.skeleton.kinds {
			asked := want.kinds[i]
			if mask&(1<<i) == 0 {
				asked = 0
			}
			switch {
			case asked == has:
			case asked == 0:
				distance += extraField
				spare |= 1 << i
			case has == 0:
				distance += missingField
				lacks |= 1 << i
			default:
				distance += max(asked-has, has-asked)
			}
		}
		if distance < best || distance == best && bestMissing < lacks {
			best, bestMissing = distance, lacks
			found, missing, extra = f, lacks, spare
		}
	}
	return found, missing, extra
}

// appended puts together as many formats as it takes to have all fields.
func (g *generator) appended(want *skeleton, fields int) string {
	if fields == 0 {
		return ""
	}
	found, missing, _ := g.nearest(want, fields)
	out := g.adjust(want, found, false)
	for last := 0; missing != 0 && missing != last; { // so ICU appends once, and drops what is missing then
		if missing&secondAndFraction == fractionOfSecond && fields&secondAndFraction == secondAndFraction {
			out = g.adjust(want, &format{pattern: out, skeleton: found.skeleton, specified: found.specified}, true)
			missing &^= fractionOfSecond
			continue
		}
		before := missing
		found, missing, _ = g.nearest(want, before)
		last = missing
		more := g.adjust(want, found, false)
		top := topField(before &^ missing)
		out = strings.NewReplacer("{0}", out, "{1}", more, "{2}", "'"+g.names[top]+"'").Replace(g.appending[top])
	}
	return out
}

func topField(mask int) field {
	top := field(0)
	for f := range fieldCount {
		if mask&(1<<f) != 0 {
			top = f
		}
	}
	return top
}

// adjust makes a format's fields as wide as they were asked for.
func (g *generator) adjust(want *skeleton, f *format, fraction bool) string {
	list := tokens(f.pattern)
	for i, t := range list {
		k, ok := kindOf(t.letter, t.length)
		if !ok || t.letter == 0 {
			continue
		}
		if fraction && k.field == secondField {
			list[i] = token{literal: "", letter: 's', length: t.length}
			rest := append([]token{{literal: g.l.symbols.decimal}, {letter: 'S', length: want.lengths[fractionField]}}, list[i+1:]...)
			return patternOf(append(list[:i+1:i+1], rest...))
		}
		if want.kinds[k.field] == 0 {
			continue
		}
		letter, length := want.letters[k.field], want.lengths[k.field]
		if letter == 'E' && length < 3 {
			length = 3
		}
		wanted := length
		if k.field == minuteField || k.field == secondField || k.field == hourField && !want.exactHours {
			length = t.length
		} else if f.specified && letter != 'c' && letter != 'e' {
			has := f.skeleton.lengths[k.field]
			if has == wanted || (k.kind > 0) != (f.skeleton.kinds[k.field] > 0) {
				length = t.length
			}
		}
		switch k.field {
		case hourField, monthField, weekdayField:
			letter = t.letter
		case yearField:
			if letter != 'Y' {
				letter = t.letter
			}
		}
		if letter == 'E' && length < 3 {
			letter = 'e'
		}
		if k.field == hourField {
			letter = g.hour(want.letters[hourField], letter)
		}
		list[i] = token{letter: letter, length: length}
	}
	return patternOf(list)
}

// hour replaces an hour's letter by the one of the locale's own cycle.
func (g *generator) hour(asked, letter byte) byte {
	own := g.l.hourLetter()
	switch {
	case asked == own:
		return own
	case asked == 'h' && own == 'K', asked == 'H' && own == 'k', asked == 'k' && own == 'H', asked == 'K' && own == 'h':
		return own
	}
	return letter
}

// hourLetter is how the locale's region counts hours.
func (l *locale) hourLetter() byte {
	for _, key := range []string{l.language + "-" + l.region, l.region, "001"} {
		if v := rule("hours/" + key + "/_preferred"); v != "" {
			return v[0]
		}
	}
	return 'H'
}
