package intl

import (
	"slices"
	"strings"
)

// DateTimeFormat is Intl.DateTimeFormat with its options resolved, in UTC.
type DateTimeFormat struct {
	locale string
	// fields has the width of each field that is shown.
	fields map[string]string
	// fraction is the number of digits behind the second.
	fraction             int
	cycle                string // h11, h12, h23, h24; "" without an hour
	dateStyle, timeStyle string
	// template is what is written, with letters for the fields; see testdata/data.mjs.
	template string
}

var (
	textWidths   = []string{"narrow", "short", "long"}
	numberWidths = []string{"2-digit", "numeric"}
	zoneNames    = []string{"short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"}
	dateFields   = []string{"weekday", "year", "month", "day"}
	timeFields   = []string{"dayPeriod", "hour", "minute", "second"}
	allFields    = []string{"weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second"}
)

// NewDateTimeFormat resolves options. required says which fields must be among them ("date", "time", "any"), defaults which
// are shown if none is ("date", "time", "all").
func NewDateTimeFormat(locale string, o Options, required, defaults string) (*DateTimeFormat, error) {
	r := &reader{service: "DateTimeFormat", o: o}
	f := &DateTimeFormat{locale: locale, fields: map[string]string{}}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	r.only("calendar", "gregory")
	r.only("numberingSystem", "latn")
	r.zone()
	cycle := r.text("hourCycle", "h12", "h11", "h12", "h23", "h24")
	if v, ok := o["hour12"]; ok {
		cycle = "h24" // as V8 has it: midnight is 24:00
		if truthy(v) {
			cycle = "h12"
		}
	}
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
	if f.shows("hour") {
		f.cycle = cycle
	}
	f.template = f.compose()
	if f.odd() {
		return nil, rangeError("these fields together have no format in English: %s", strings.Join(f.shown(), ", "))
	}
	return f, nil
}

func (r *reader) zone() {
	v, ok := r.o["timeZone"]
	if !ok {
		return
	}
	switch zone := toString(v); strings.ToUpper(zone) {
	case "UTC", "GMT", "ETC/UTC", "ETC/GMT":
	default:
		r.fail(rangeError("the time zone %q is not supported here: UTC is", zone))
	}
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

// odd reports fields that nobody writes together, and that CLDR has no format for: Node strings them together in one way or
// another, as in "Anno Domini (day: 5)".
func (f *DateTimeFormat) odd() bool {
	year, month, day := f.shows("year"), f.shows("month"), f.shows("day")
	switch {
	case strings.ContainsAny(f.template, "(├"), f.shows("era") && !year, year && day && !month:
		return true
	case f.shows("weekday") && !day && (year || month):
		return true
	}
	clock := f.timeKey()
	switch {
	case f.shows("hour"):
	case strings.HasSuffix(f.fields["timeZoneName"], "Generic"):
		return clock != "z"
	case !f.shows("minute") && len(clock) > 1:
		return clock != "sS" || f.fields["second"] == "2-digit"
	}
	return false
}

// shown names the fields.
func (f *DateTimeFormat) shown() []string {
	var out []string
	for _, name := range append(slices.Clone(allFields), "timeZoneName") {
		if f.shows(name) {
			out = append(out, name)
		}
	}
	if f.fraction > 0 {
		out = append(out, "fractionalSecondDigits")
	}
	return out
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
	add := func(fields ...string) {
		for i := 0; i < len(fields); i += 2 {
			f.fields[fields[i]] = fields[i+1]
		}
	}
	switch f.dateStyle {
	case "full":
		add("weekday", "long", "year", "numeric", "month", "long", "day", "numeric")
	case "long":
		add("year", "numeric", "month", "long", "day", "numeric")
	case "medium":
		add("year", "numeric", "month", "short", "day", "numeric")
	case "short":
		add("year", "2-digit", "month", "numeric", "day", "numeric")
	}
	switch f.timeStyle {
	case "full":
		add("hour", "numeric", "minute", "numeric", "second", "numeric", "timeZoneName", "long")
	case "long":
		add("hour", "numeric", "minute", "numeric", "second", "numeric", "timeZoneName", "short")
	case "medium":
		add("hour", "numeric", "minute", "numeric", "second", "numeric")
	case "short":
		add("hour", "numeric", "minute", "numeric")
	}
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

// compose finds the template of the fields.
func (f *DateTimeFormat) compose() string {
	date, clock := f.dateKey(), f.timeKey()
	e := data()
	switch {
	case clock == "":
		return e.dates[date]
	case date == "":
		return e.times[clock]
	case date == "E" && f.shows("hour") && f.fraction == 0 && !f.shows("timeZoneName") && !slices.Contains([]string{"h24", "hB24", "hs24", "hsB24"}, clock):
		return "{E} " + e.times[clock]
	}
	return strings.Replace(e.dated[date], "{t}", e.times[clock], 1)
}

func (f *DateTimeFormat) dateKey() string {
	key, month := "", ""
	if f.shows("era") {
		key += "G"
	}
	if f.shows("weekday") {
		key += "E"
	}
	if f.shows("year") {
		key += "y"
	}
	switch f.fields["month"] {
	case "":
	case "long":
		month = "l"
	case "short", "narrow":
		month = "s"
	default:
		month = "n"
	}
	key += month
	if f.shows("day") {
		key += "d"
	}
	return key
}

func (f *DateTimeFormat) timeKey() string {
	key := ""
	for _, x := range []struct{ name, letter string }{{"hour", "h"}, {"minute", "m"}, {"second", "s"}} {
		if f.shows(x.name) {
			key += x.letter
		}
	}
	if f.fraction > 0 {
		key += "S"
	}
	if f.shows("dayPeriod") {
		key += "B"
	}
	if f.shows("timeZoneName") {
		key += "z"
	}
	switch f.cycle {
	case "":
		return key
	case "h11", "h12":
		return key + "12"
	}
	return key + "24"
}

// Resolved is what resolvedOptions gives.
func (f *DateTimeFormat) Resolved() []Entry {
	out := []Entry{{"locale", f.locale}, {"calendar", "gregory"}, {"numberingSystem", "latn"}, {"timeZone", "UTC"}}
	if f.cycle != "" {
		out = append(out, Entry{"hourCycle", f.cycle}, Entry{"hour12", f.cycle == "h11" || f.cycle == "h12"})
	}
	if f.dateStyle == "" && f.timeStyle == "" {
		for _, name := range allFields {
			switch w := f.fields[name]; {
			case w == "":
			case name == "hour" && (f.cycle == "h23" || f.cycle == "h24"), name == "minute" && f.padded("m"), name == "second" && f.padded("s"):
				out = append(out, Entry{name, "2-digit"})
			case name == "minute", name == "second":
				out = append(out, Entry{name, "numeric"})
			default:
				out = append(out, Entry{name, w})
			}
		}
		if f.fraction > 0 {
			out = append(out, Entry{"fractionalSecondDigits", f.fraction})
		}
		if z := f.fields["timeZoneName"]; z != "" {
			out = append(out, Entry{"timeZoneName", z})
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

// padded reports whether a field always has two digits: where it stands beside another of the clock's.
func (f *DateTimeFormat) padded(letter string) bool {
	return strings.Contains(f.template, ":{"+letter+"}") || strings.Contains(f.template, "{"+letter+"}:")
}
