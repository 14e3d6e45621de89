package intl

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// fieldNames are the parts' types by their letters in templates.
var fieldNames = map[byte]string{
	'G': "era", 'E': "weekday", 'y': "year", 'M': "month", 'd': "day", 'h': "hour", 'm': "minute", 's': "second",
	'S': "fractionalSecond", 'a': "dayPeriod", 'z': "timeZoneName",
}

// Text formats a time. As in V8, the narrow space before AM and PM is a common one here, and stays what it is in the parts.
func (f *DateTimeFormat) Text(t time.Time) string {
	return strings.ReplaceAll(Text(f.Parts(t)), "\u202f", " ")
}

// Parts formats a time, piece by piece.
func (f *DateTimeFormat) Parts(t time.Time) []Part {
	t = t.UTC()
	var out []Part
	rest := f.template
	for rest != "" {
		at := strings.IndexByte(rest, '{')
		if at < 0 {
			at = len(rest)
		}
		if at > 0 {
			out = append(out, Part{"literal", rest[:at]})
			rest = rest[at:]
			continue
		}
		letter := rest[1]
		rest = rest[len("{x}"):]
		out = append(out, Part{fieldNames[letter], f.field(letter, t)})
	}
	return out
}

func (f *DateTimeFormat) field(letter byte, t time.Time) string {
	switch letter {
	case 'G':
		return f.era(t)
	case 'E':
		return cut(t.Weekday().String(), f.fields["weekday"])
	case 'y':
		y := t.Year()
		if y <= 0 {
			y = 1 - y
		}
		if f.fields["year"] == "2-digit" {
			return fmt.Sprintf("%02d", y%100)
		}
		return strconv.Itoa(y)
	case 'M':
		if w := f.fields["month"]; w != "numeric" && w != "2-digit" {
			return cut(t.Month().String(), w)
		}
		return f.digits("month", int(t.Month()), false)
	case 'd':
		return f.digits("day", t.Day(), false)
	case 'h':
		return f.hour(t.Hour())
	case 'm':
		return f.digits("", t.Minute(), f.padded("m"))
	case 's':
		return f.digits("", t.Second(), f.padded("s"))
	case 'S':
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6)[:f.fraction]
	case 'a':
		return f.period(t)
	default:
		return f.zoneName()
	}
}

func (f *DateTimeFormat) digits(name string, n int, padded bool) string {
	if padded || f.fields[name] == "2-digit" {
		return fmt.Sprintf("%02d", n)
	}
	return strconv.Itoa(n)
}

// cut shortens a name of a day or a month.
func cut(name, width string) string {
	switch width {
	case "short":
		return name[:3]
	case "narrow":
		return name[:1]
	}
	return name
}

func (f *DateTimeFormat) era(t time.Time) string {
	names := map[string][2]string{"short": {"AD", "BC"}, "long": {"Anno Domini", "Before Christ"}, "narrow": {"A", "B"}}[f.fields["era"]]
	if t.Year() > 0 {
		return names[0]
	}
	return names[1]
}

func (f *DateTimeFormat) hour(h int) string {
	switch f.cycle {
	case "h11":
		return f.digits("hour", h%12, false)
	case "h12":
		return f.digits("hour", (h+11)%12+1, false)
	case "h24":
		return f.digits("hour", (h+23)%24+1, true)
	}
	return f.digits("hour", h, true)
}

// period is AM or PM, or the part of the day that was asked for.
func (f *DateTimeFormat) period(t time.Time) string {
	width := f.fields["dayPeriod"]
	if width == "" {
		if t.Hour() < 12 {
			return "AM"
		}
		return "PM"
	}
	names := data().periods[width]
	sharp := (t.Minute() == 0 || !strings.Contains(f.template, "{m}")) && (t.Second() == 0 || !strings.Contains(f.template, "{s}"))
	if t.Hour() == 12 && !sharp {
		return names[13]
	}
	return names[t.Hour()]
}

func (f *DateTimeFormat) zoneName() string {
	switch f.fields["timeZoneName"] {
	case "short":
		return "UTC"
	case "long":
		return "Coordinated Universal Time"
	case "shortOffset", "shortGeneric":
		return "GMT+0"
	}
	return "GMT+00:00"
}
