package intl

import (
	"slices"
	"strings"
)

// DateTimeFormat is Intl.DateTimeFormat with its options resolved.
type DateTimeFormat struct {
	locale string
	l      *locale
	zone   *zone
	iso    bool // the calendar is iso8601: dates of numbers are year-month-day
	// fields has the width of each field that is asked for.
	fields map[string]string
	// fraction is the number of digits behind the second.
	fraction             int
	cycle                string // h11, h12, h23, h24; "" without an hour
	dateStyle, timeStyle string
	// tokens are what is written.
	tokens []token
	ranges ranges
}

var (
	textWidths   = []string{"narrow", "short", "long"}
	numberWidths = []string{"2-digit", "numeric"}
	zoneNames    = []string{"short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"}
	dateFields   = []string{"weekday", "year", "month", "day"}
	timeFields   = []string{"dayPeriod", "hour", "minute", "second"}
	allFields    = []string{"weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second"}
)

// NewDateTimeFormat resolves options. required says which fields must be among them ("date",
// "time", "any"), defaults which are shown if none is ("date", "time", "all").
func NewDateTimeFormat(locale string, o Options, required, defaults string) (*DateTimeFormat, error) {
	l, err := localeOf(locale)
	if err != nil {
		return nil, err
	}
	r := &reader{service: "DateTimeFormat", o: o}
	f := &DateTimeFormat{locale: keep(locale, "ca", "hc", "nu"), l: l, fields: map[string]string{}}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	f.iso = r.calendar(&f.locale) == isoCalendar
	r.numbering(&f.locale)
	cycle := r.cycle(f)
	f.zone = r.zone()
	for _, name := range allFields {
		widths := numberWidths
		switch name {
		case "weekday", "era", "dayPeriod":
			widths = textWidths
		case "month":
			widths = append(slices.Clone(numberWidths), textWidths...)
		}
		if w := r.text(name, "", widths...); w != "" {
			f.fields[name] = w
		}
	}
	if n := r.number("fractionalSecondDigits", 1, 3); n != -1 {
		f.fraction = n
	}
	if z := r.text("timeZoneName", "", zoneNames...); z != "" {
		f.fields["timeZoneName"] = z
	}
	r.text("formatMatcher", "best fit", "basic", "best fit")
	f.dateStyle = r.text("dateStyle", "", "full", "long", "medium", "short")
	f.timeStyle = r.text("timeStyle", "", "full", "long", "medium", "short")
	if f.dateStyle != "" || f.timeStyle != "" {
		f.styles(r, required)
	} else {
		f.defaults(required, defaults)
	}
	if r.err != nil {
		return nil, r.err
	}
	f.compose(cycle)
	return f, nil
}

// The calendars: the Gregorian one, and its dates in ISO 8601's order, by which polyfills of Temporal
// format.
const (
	gregorianCalendar = "gregory"
	isoCalendar       = "iso8601"
)

// calendar reads the calendar.
func (r *reader) calendar(tag *string) string {
	r.only("calendar", gregorianCalendar, "gregorian", isoCalendar)
	if ca, ok := extensionOf(*tag, "ca"); ok && slices.Contains(otherCalendars, ca) {
		r.fail(rangeError("the calendar %q is not supported here: gregory, iso8601 is", ca))
	}
	option := ""
	if v, ok := r.o["calendar"]; ok {
		if option = toString(v); option != isoCalendar {
			option = gregorianCalendar
		}
	}
	return r.extended(tag, "ca", gregorianCalendar, option, func(s string) bool { return s == gregorianCalendar || s == isoCalendar })
}

// otherCalendars are those that Node has. What is none is passed over, as in Node.
var otherCalendars = strings.Fields("buddhist chinese coptic dangi ethioaa ethiopic hebrew indian islamic islamic-civil islamic-rgsa islamic-tbla " +
	"islamic-umalqura japanese persian roc")

var cycles = map[string]byte{"h11": 'K', "h12": 'h', "h23": 'H', "h24": 'k'}

// cycle reads how hours are counted.
func (r *reader) cycle(f *DateTimeFormat) string {
	option := r.text("hourCycle", "", "h11", "h12", "h23", "h24")
	own := map[byte]string{'K': "h11", 'h': "h12", 'H': "h23", 'k': "h24"}[f.l.hourLetter()]
	if v, ok := r.o["hour12"]; ok {
		f.locale = withoutKey(f.locale, "hc")
		// As V8 of Node 20 has it: who counts to 12 from 12 counts to 24 from 24, and who counts to
		// 23 counts to 11.
		fromZero := own == "h11" || own == "h23"
		switch {
		case truthy(v) && fromZero:
			return "h11"
		case truthy(v):
			return "h12"
		case fromZero:
			return "h23"
		}
		return "h24"
	}
	return r.extended(&f.locale, "hc", own, option, func(s string) bool { return cycles[s] != 0 })
}

// zone reads the time zone, UTC without one.
func (r *reader) zone() *zone {
	v, ok := r.o["timeZone"]
	if !ok {
		return utc
	}
	z, err := zoneOf(toString(v))
	if err != nil {
		r.fail(err)
	}
	return z
}

func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0 && v == v
	}
	return true
}

func (f *DateTimeFormat) shows(name string) bool { return f.fields[name] != "" }

func (f *DateTimeFormat) anyOf(names []string) bool { return slices.ContainsFunc(names, f.shows) }

// styles makes fields of dateStyle and timeStyle.
func (f *DateTimeFormat) styles(r *reader, required string) {
	for _, name := range append(slices.Clone(allFields), "fractionalSecondDigits", "timeZoneName") {
		if r.has(name) {
			style := "dateStyle"
			if f.dateStyle == "" {
				style = "timeStyle"
			}
			r.fail(typeError("Can't set option %s when %s is used", name, style))
		}
	}
	if required == "date" && f.timeStyle != "" {
		r.fail(typeError("Invalid option : timeStyle"))
	}
	if required == "time" && f.dateStyle != "" {
		r.fail(typeError("Invalid option : dateStyle"))
	}
	f.fields = map[string]string{}
}

// defaults adds fields where none was asked for.
func (f *DateTimeFormat) defaults(required, defaults string) {
	if (required == "date" || required == "any") && f.anyOf(dateFields) {
		return
	}
	if (required == "time" || required == "any") && (f.anyOf(timeFields) || f.fraction > 0) {
		return
	}
	if defaults == "date" || defaults == "all" {
		f.fields["year"], f.fields["month"], f.fields["day"] = "numeric", "numeric", "numeric"
	}
	if defaults == "time" || defaults == "all" {
		f.fields["hour"], f.fields["minute"], f.fields["second"] = "numeric", "numeric", "numeric"
	}
}

// compose finds the pattern of the fields.
func (f *DateTimeFormat) compose(cycle string) {
	g := f.l.patterns()
	var pattern string
	if f.dateStyle != "" || f.timeStyle != "" {
		pattern = f.styled(g, cycle)
	} else {
		pattern = withCycle(g.best(f.skeleton(cycle)), cycle)
	}
	f.tokens = tokens(pattern)
	if f.iso {
		f.tokens = f.inISOOrder(f.tokens)
	}
	if slices.ContainsFunc(f.tokens, func(t token) bool { return strings.IndexByte("hHkK", t.letter) >= 0 && t.letter != 0 }) {
		f.cycle = cycle
	}
}

// styled is the pattern of dateStyle and timeStyle.
func (f *DateTimeFormat) styled(g *generator, cycle string) string {
	date, clock := f.l.get("dateFormats/"+f.dateStyle), f.l.get("timeFormats/"+f.timeStyle)
	pattern := date + clock
	if f.dateStyle != "" && f.timeStyle != "" {
		pattern = strings.NewReplacer("{0}", clock, "{1}", date).Replace(g.glue[f.dateStyle])
	}
	skeleton := ""
	for _, t := range tokens(pattern) {
		switch {
		case t.letter == 0 || t.letter == 'a' || t.letter == 'b' || t.letter == 'B':
		case strings.IndexByte("hHkK", t.letter) >= 0:
			if t.letter == cycles[cycle] {
				return pattern
			}
			skeleton += strings.Repeat(string(cycles[cycle]), t.length)
		default:
			skeleton += strings.Repeat(string(t.letter), t.length)
		}
	}
	if clock == "" {
		return pattern
	}
	return withCycle(g.best(skeleton), cycle)
}

// withCycle counts the hours of a pattern in another way.
func withCycle(pattern, cycle string) string {
	letter := cycles[cycle]
	var out []token
	for _, t := range tokens(pattern) {
		if t.letter != 0 && strings.IndexByte("hHkK", t.letter) >= 0 {
			if n := len(out); n > 0 && out[n-1].letter == 'd' && t.letter != letter {
				out = append(out, token{literal: " "})
			}
			t.letter = letter
		}
		out = append(out, t)
	}
	return patternOf(out)
}

// letters of the fields, by their widths.
var fieldLetters = map[string]map[string]string{
	"weekday": {"narrow": "EEEEE", "long": "EEEE", "short": "EEE"}, "era": {"narrow": "GGGGG", "long": "GGGG", "short": "GGG"},
	"year": {"2-digit": "yy", "numeric": "y"}, "day": {"2-digit": "dd", "numeric": "d"},
	"month":     {"narrow": "MMMMM", "long": "MMMM", "short": "MMM", "2-digit": "MM", "numeric": "M"},
	"dayPeriod": {"narrow": "BBBBB", "long": "BBBB", "short": "B"}, "minute": {"2-digit": "mm", "numeric": "m"},
	"second":       {"2-digit": "ss", "numeric": "s"},
	"timeZoneName": {"long": "zzzz", "short": "z", "longOffset": "OOOO", "shortOffset": "O", "longGeneric": "vvvv", "shortGeneric": "v"},
}

// skeleton are the fields as CLDR's letters.
func (f *DateTimeFormat) skeleton(cycle string) string {
	out := ""
	for _, name := range allFields {
		w := f.fields[name]
		switch {
		case w == "":
		case name == "hour":
			out += strings.Repeat(string(cycles[cycle]), 1+strings.Count(w, "2"))
		default:
			out += fieldLetters[name][w]
		}
	}
	return out + fieldLetters["timeZoneName"][f.fields["timeZoneName"]] + strings.Repeat("S", f.fraction)
}

// Resolved is what resolvedOptions gives.
func (f *DateTimeFormat) Resolved() []Entry {
	calendar := gregorianCalendar
	if f.iso {
		calendar = isoCalendar
	}
	out := []Entry{{"locale", f.locale}, {"calendar", calendar}, {"numberingSystem", "latn"}, {"timeZone", f.zone.name}}
	if f.cycle != "" {
		out = append(out, Entry{"hourCycle", f.cycle}, Entry{"hour12", f.cycle == "h11" || f.cycle == "h12"})
	}
	if f.dateStyle == "" && f.timeStyle == "" {
		// As they came out, which may be wider than they were asked for.
		widths := f.widths()
		for _, name := range append(slices.Clone(allFields), "fractionalSecondDigits", "timeZoneName") {
			if w, ok := widths[name]; ok {
				out = append(out, Entry{name, w})
			}
		}
	}
	if f.dateStyle != "" {
		out = append(out, Entry{"dateStyle", f.dateStyle})
	}
	if f.timeStyle != "" {
		out = append(out, Entry{"timeStyle", f.timeStyle})
	}
	return out
}

// widths reads the fields of the pattern that was found.
func (f *DateTimeFormat) widths() map[string]any {
	out := map[string]any{}
	for _, t := range f.tokens {
		name := fieldNames[t.letter]
		switch {
		case t.letter == 0 || t.letter == 'a' || name == "":
			continue
		case t.letter == 'S':
			out["fractionalSecondDigits"] = min(t.length, 3)
			continue
		}
		text := strings.Repeat(string(t.letter), t.length)
		text = strings.NewReplacer("L", "M", "c", "E").Replace(text)
		switch name {
		case "hour":
			out[name] = map[bool]string{true: "2-digit", false: "numeric"}[t.length == 2]
		case "weekday", "era", "dayPeriod":
			out[name] = width(t.length, "short", "long", "narrow")
		default:
			for w, letters := range fieldLetters[name] {
				if letters == text {
					out[name] = w
				}
			}
		}
	}
	return out
}
