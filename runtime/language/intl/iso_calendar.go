package intl

import (
	"slices"
	"strings"
)

// inISOOrder writes a date as year-month-day, with the weekday behind it; with a month's name between
// spaces, as Node 26 does: Node 20 has nothing in its place.
func (f *DateTimeFormat) inISOOrder(list []token) []token {
	of := map[string]token{}
	first, last := -1, -1
	for i, t := range list {
		name := fieldNames[t.letter]
		if !slices.Contains(append([]string{"era"}, dateFields...), name) {
			continue
		}
		of[name] = t
		if last = i; first < 0 {
			first = i
		}
	}
	if first < 0 {
		return list
	}
	out := slices.Clone(list[:first])
	add := func(name, before string) {
		if t, ok := of[name]; ok {
			if len(out) > first {
				out = append(out, token{literal: before})
			}
			out = append(out, t)
		}
	}
	year, hasYear := of["year"]
	month, hasMonth := of["month"]
	day, hasDay := of["day"]
	if hasYear && f.dateStyle != "" {
		year.length = 1 // all digits
		of["year"] = year
	}
	between := "-"
	switch {
	case hasMonth && month.length > 2:
		between = " "
	case hasMonth && (hasYear || hasDay):
		month.length, day.length = 2, 2
		of["month"] = month
		if hasDay {
			of["day"] = day
		}
	}
	add("era", "")
	add("year", " ")
	add("month", between)
	add("day", between)
	add("weekday", ", ")
	rest := slices.Clone(list[last+1:])
	if len(rest) > 0 && rest[0].letter == 0 { // begins with what the language has behind the date's last number
		literal := rest[0].literal
		rest[0].literal = literal[min(len(literal), strings.IndexAny(literal+" ", " ,")):]
	}
	return append(out, rest...)
}
