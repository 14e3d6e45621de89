package intl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fieldNames are the parts' types by their letters in patterns.
var fieldNames = map[byte]string{
	'G': "era", 'E': "weekday", 'c': "weekday", 'e': "weekday", 'y': "year", 'u': "year", 'M': "month", 'L': "month", 'd': "day",
	'h': "hour", 'H': "hour", 'K': "hour", 'k': "hour", 'm': "minute", 's': "second", 'S': "fractionalSecond",
	'a': "dayPeriod", 'b': "dayPeriod", 'B': "dayPeriod", 'z': "timeZoneName", 'v': "timeZoneName", 'O': "timeZoneName",
}

// Text formats a time. As in V8, a narrow space is a common one here, and stays what it is in the
// parts.
func (f *DateTimeFormat) Text(t time.Time) string {
	return strings.ReplaceAll(Text(f.Parts(t)), "\u202f", " ")
}

// Parts formats a time, piece by piece.
func (f *DateTimeFormat) Parts(t time.Time) []Part { return f.write(f.tokens, t) }

func (f *DateTimeFormat) write(list []token, t time.Time) []Part {
	t = t.In(f.zone.location)
	out := make([]Part, 0, len(list))
	for _, x := range list {
		if x.letter == 0 {
			out = append(out, Part{"literal", x.literal})
			continue
		}
		name, ok := fieldNames[x.letter]
		if !ok {
			continue
		}
		if text := f.field(x, t); text != "" {
			out = append(out, Part{name, text})
		}
	}
	return joinLiterals(out)
}

func (f *DateTimeFormat) field(x token, t time.Time) string {
	switch x.letter {
	case 'G':
		era := "1"
		if t.Year() <= 0 {
			era = "0"
		}
		return f.l.get("eras/" + width(x.length, "eraAbbr", "eraNames", "eraNarrow") + "/" + era)
	case 'y', 'u':
		y := t.Year()
		if y <= 0 {
			y = 1 - y
		}
		if x.length == 2 {
			return fmt.Sprintf("%02d", y%100)
		}
		return padded(y, x.length)
	case 'M', 'L':
		if x.length < 3 {
			return padded(int(t.Month()), x.length)
		}
		return f.l.named("months", x, 'L', strconv.Itoa(int(t.Month())))
	case 'E', 'c', 'e':
		return f.l.named("days", x, 'c', strings.ToLower(t.Weekday().String()[:3]))
	case 'd':
		return padded(t.Day(), x.length)
	case 'H':
		return padded(t.Hour(), x.length)
	case 'k':
		return padded((t.Hour()+23)%24+1, x.length)
	case 'K':
		return padded(t.Hour()%12, x.length)
	case 'h':
		return padded((t.Hour()+11)%12+1, x.length)
	case 'm':
		return padded(t.Minute(), x.length)
	case 's':
		return padded(t.Second(), x.length)
	case 'S':
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6)[:min(x.length, 3)]
	case 'a', 'b', 'B':
		return f.period(x, t)
	}
	return f.zoneText(zoneStyle(x), t)
}

func zoneStyle(x token) string {
	style := map[byte]string{'z': "", 'v': "Generic", 'O': "Offset"}[x.letter]
	if x.length >= 4 {
		return "long" + style
	}
	return "short" + style
}

func padded(n, length int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", max(length-len(text), 0)) + text
}

// width chooses by the length of a field: up to three letters, four, five.
func width(length int, short, long, narrow string) string {
	switch length {
	case 4:
		return long
	case 5:
		return narrow
	}
	return short
}

// named is the name of a month or a day, within a date or alone.
func (l *locale) named(of string, x token, alone byte, key string) string {
	context := "format"
	if x.letter == alone {
		context = "stand-alone"
	}
	w := width(x.length, "abbreviated", "wide", "narrow")
	if text := l.get(of + "/" + context + "/" + w + "/" + key); text != "" {
		return text
	}
	return l.get(of + "/format/" + w + "/" + key)
}

// period is AM or PM, or the part of the day that was asked for.
func (f *DateTimeFormat) period(x token, t time.Time) string {
	key := "dayPeriods/" + width(x.length, "abbreviated", "wide", "narrow") + "/"
	half := "am"
	if t.Hour() >= 12 {
		half = "pm"
	}
	if x.letter == 'a' {
		return f.l.get(key + half)
	}
	sharp := true // as far as it is shown
	for _, other := range f.tokens {
		if other.letter == 'm' && t.Minute() != 0 || other.letter == 's' && t.Second() != 0 {
			sharp = false
		}
	}
	name := f.l.partOfDay(t.Hour(), sharp && x.letter == 'B' || x.letter == 'b' && sharp)
	if text := f.l.get(key + name); text != "" {
		return text
	}
	return f.l.get(key + half)
}

// partOfDay finds a language's name for an hour: "noon" and its like are those of the hour itself.
func (l *locale) partOfDay(hour int, sharp bool) string {
	clock := func(text string) int {
		n, _ := strconv.Atoi(strings.SplitN(text, ":", 2)[0])
		return n
	}
	type span struct{ from, before, at int }
	spans := map[string]*span{}
	for key, text := range supplemental().Under("period/" + l.language + "/") {
		name, what, _ := strings.Cut(key, "/_")
		if spans[name] == nil {
			spans[name] = &span{-1, -1, -1}
		}
		switch what {
		case "from":
			spans[name].from = clock(text)
		case "before":
			spans[name].before = clock(text)
		case "at":
			spans[name].at = clock(text)
		}
	}
	found := ""
	names := make([]string, 0, len(spans))
	for name := range spans {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch s := spans[name]; {
		case s.at >= 0:
			if sharp && s.at%24 == hour && name != "midnight" {
				return name
			}
		case s.from <= s.before && s.from <= hour && hour < s.before, s.from > s.before && (hour >= s.from || hour < s.before):
			found = name
		}
	}
	return found
}
