package intl

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// RangePart is a part of a range; Source says of which of its ends.
type RangePart struct{ Type, Value, Source string }

// RangeText formats a range of time. As in V8, it leaves narrow spaces as they are, unless both
// ends show the same.
func (f *DateTimeFormat) RangeText(from, to time.Time) string {
	var b strings.Builder
	same := true
	for _, p := range f.RangeParts(from, to) {
		b.WriteString(p.Value)
		same = same && p.Source == "shared"
	}
	if same {
		return f.Text(from)
	}
	return b.String()
}

// RangeParts formats a range of time, piece by piece, as ICU's DateIntervalFormat does: by the
// largest field in which its ends differ.
func (f *DateTimeFormat) RangeParts(from, to time.Time) []RangePart {
	f.ranges.once.Do(func() { f.ranges.init(f) })
	a, b := from.In(f.zone.location), to.In(f.zone.location)
	unit := difference(a, b)
	r := &f.ranges
	p, ok := r.patterns[unit]
	switch {
	case unit == "" || !ok && ignored(f.tokens, unit):
		return shared(f.write(f.tokens, a))
	case !ok && r.date != nil && r.clock != nil && strings.Contains("ahmsS", unit):
		// The date once, and the range of the time.
		var out []Part
		second := -1
		for _, s := range slots(r.glue) {
			switch s {
			case "{0}":
				out, second = f.joined(out, r.clock, r.clock, a, b)
			case "{1}":
				out = append(out, f.write(r.date, a)...)
			default:
				out = append(out, Part{"literal", s})
			}
		}
		return sources(out, second)
	case !ok:
		out, second := f.joined(nil, r.usual, r.usual, a, b)
		return sources(out, second)
	case p.whole:
		out, second := f.joined(nil, p.first, p.first, a, b)
		return sources(out, second)
	}
	out := f.write(p.first, a)
	second := len(out)
	return sources(append(out, f.write(p.second, b)...), second)
}

// joined writes both ends, with what stands between them; it tells where the second begins.
func (f *DateTimeFormat) joined(out []Part, first, second []token, a, b time.Time) ([]Part, int) {
	at := 0
	for _, s := range slots(f.l.get("dateTimeFormats/intervalFormats/intervalFormatFallback")) {
		switch s {
		case "{0}":
			out = append(out, f.write(first, a)...)
		case "{1}":
			at = len(out)
			out = append(out, f.write(second, b)...)
		default:
			out = append(out, Part{"literal", s})
		}
	}
	return out, at
}

func shared(parts []Part) []RangePart {
	out := make([]RangePart, 0, len(parts))
	for _, p := range parts {
		out = append(out, RangePart{p.Type, p.Value, "shared"})
	}
	return out
}

// sources says what belongs to which end: all from the first field that both ends have to the last.
func sources(parts []Part, second int) []RangePart {
	type span struct{ from, to int }
	start, end := span{len(parts), -1}, span{len(parts), -1}
	for i, p := range parts[:second] {
		if p.Type == "literal" {
			continue
		}
		for j := second; j < len(parts); j++ {
			if parts[j].Type == p.Type {
				start = span{min(start.from, i), max(start.to, i)}
				end = span{min(end.from, j), max(end.to, j)}
				break
			}
		}
	}
	var out []RangePart
	for i, p := range parts {
		source := "shared"
		switch {
		case start.from <= i && i <= start.to:
			source = "startRange"
		case end.from <= i && i <= end.to:
			source = "endRange"
		}
		if n := len(out); n > 0 && p.Type == "literal" && out[n-1].Type == "literal" && out[n-1].Source == source {
			out[n-1].Value += p.Value
			continue
		}
		out = append(out, RangePart{p.Type, p.Value, source})
	}
	return out
}

// difference is the letter of the largest field in which two times differ, "" if they are the same.
func difference(a, b time.Time) string {
	half := func(t time.Time) int { return t.Hour() / 12 }
	for _, f := range []struct {
		letter string
		of     func(time.Time) int
	}{
		{"G", func(t time.Time) int { return min(max(t.Year(), 0), 1) }}, {"y", time.Time.Year},
		{"M", func(t time.Time) int { return int(t.Month()) }}, {"d", time.Time.Day}, {"a", half},
		{"h", func(t time.Time) int { return t.Hour() % 12 }}, {"m", time.Time.Minute}, {"s", time.Time.Second},
		{"S", func(t time.Time) int { return t.Nanosecond() / 1e6 }},
	} {
		if f.of(a) != f.of(b) {
			return f.letter
		}
	}
	return ""
}

// levels order fields by their size.
const levels = "G yY MLQ dEceD aB hHkK m s S"

func level(letter byte) int {
	return strings.Count(levels[:max(strings.IndexByte(levels, letter), 0)], " ")
}

// ignored tells whether a pattern shows nothing as small as a field.
func ignored(list []token, unit string) bool {
	return !slices.ContainsFunc(list, func(t token) bool { return t.letter != 0 && level(t.letter) >= level(unit[0]) })
}

// ranges are the patterns of a format's ranges, found when the first is formatted.
type ranges struct {
	once sync.Once
	// date and clock are set if there are both, with what puts a date and a range of time together.
	date, clock []token
	glue        string
	usual       []token                 // of one end
	near        bool                    // CLDR has patterns for some fields
	patterns    map[string]rangePattern // by the largest field that differs
}

// rangePattern has a pattern for each end; or one for both, whole.
type rangePattern struct {
	first, second []token
	whole         bool
}

// init finds the patterns for a format's fields.
func (r *ranges) init(f *DateTimeFormat) {
	r.patterns = map[string]rangePattern{}
	g := f.l.patterns()
	date, clock, plainDate, plainClock := splitSkeleton(f.tokens)
	withHours := func(skeleton string) []token { return tokens(withCycle(g.usual(skeleton), f.cycleOr())) }
	skeleton := wholeSkeleton(f.tokens)
	r.usual = withHours(skeleton)
	if date != "" && clock != "" {
		r.glue = f.l.get("dateTimeFormats/medium")
	}
	found := r.search(f.l, plainDate, plainClock)
	if found || r.near {
		if plainDate != "" {
			r.date = withHours(plainDate)
		}
		if plainClock != "" {
			r.clock = withHours(plainClock)
		}
	}
	fallback := func(unit, skeleton string) { r.patterns[unit] = rangePattern{first: withHours(skeleton), whole: true} }
	switch {
	case clock == "":
	case date == "":
		for _, unit := range []string{"d", "M", "y"} {
			fallback(unit, "yMd"+clock)
		}
		fallback("G", "GyMd"+clock)
	case found:
		for _, unit := range []string{"d", "M", "y", "G"} {
			if !strings.ContainsAny(date, unit+map[string]string{"M": "L"}[unit]) {
				skeleton = unit + skeleton
				fallback(unit, skeleton)
			}
		}
		whole := g.usual(date)
		for _, unit := range []string{"a", "h", "m"} {
			if p, ok := r.patterns[unit]; ok {
				times := patternOf(p.first) + patternOf(p.second)
				r.set(unit, strings.NewReplacer("{0}", times, "{1}", whole).Replace(r.glue))
			}
		}
	}
	for unit, p := range r.patterns {
		if !p.whole {
			p.first, p.second = f.recounted(p.first), f.recounted(p.second)
			r.patterns[unit] = p
		}
	}
}

// set splits a pattern of both ends where the first field comes again.
func (r *ranges) set(unit, pattern string) {
	list := tokens(pattern)
	seen := map[byte]bool{}
	for i, t := range list {
		if t.letter == 0 {
			continue
		}
		if seen[t.letter] {
			r.patterns[unit] = rangePattern{first: list[:i:i], second: list[i:]}
			return
		}
		seen[t.letter] = true
	}
	r.patterns[unit] = rangePattern{first: list}
}

// wholeSkeleton gives all fields of a pattern, in their order.
func wholeSkeleton(list []token) string {
	s := skeletonOf(patternOf(list))
	out := ""
	for f, letter := range s.letters {
		if letter != 0 {
			out += strings.Repeat(string(letter), s.lengths[f])
		}
	}
	return out
}

// splitSkeleton parts the fields of a pattern in those of the date and of the time: as they are,
// and each once.
func splitSkeleton(list []token) (date, clock, plainDate, plainClock string) {
	count := map[byte]int{}
	order := ""
	for _, t := range tokens(wholeSkeleton(list)) {
		order += string(t.letter)
		count[t.letter] = t.length
	}
	for _, letter := range []byte(order) {
		text := strings.Repeat(string(letter), count[letter])
		k, _ := kindOf(letter, 1)
		if k.field >= periodField {
			if letter != 'O' { // which ICU passes over
				clock += text
			}
			switch letter {
			case 'a', 'O':
			case 'h', 'H', 'k', 'K', 'm', 'z', 'v':
				plainClock += string(letter)
			default:
				plainClock += text
			}
			continue
		}
		date += text
		switch {
		case letter == 'd', letter == 'M' && count['M'] < 3, letter == 'L' && count['L'] < 3, letter == 'E' && count['E'] <= 3:
			text = string(letter)
		}
		plainDate += strings.NewReplacer("L", "M", "c", "E").Replace(text)
	}
	return date, clock, plainDate, plainClock
}

const intervalKey = "dateTimeFormats/intervalFormats/"

// search sets the patterns that CLDR has for the fields; found is false if it has none for just
// these.
func (r *ranges) search(l *locale, date, clock string) bool {
	skeleton := clock
	units := []string{"m", "h", "a"}
	if clock == "" {
		skeleton, units = date, []string{"d", "M", "y", "G"}
	}
	best, info := l.nearestInterval(skeleton)
	r.near = best != ""
	if info < 0 {
		return false
	}
	for _, unit := range units {
		pattern := l.interval(best, unit)
		switch {
		case pattern != "":
		case ignored(tokens(best), unit):
			continue
		case unit == "a":
			pattern = l.interval(best, "h")
		case clock == "":
			longer, longerBest := unit+skeleton, unit+best
			if pattern = l.interval(longerBest, unit); pattern == "" && info == 0 {
				if other, i := l.nearestInterval(longerBest); other != "" && i >= 0 {
					if pattern = l.interval(other, unit); pattern != "" {
						r.set(unit, widened(pattern, skeleton, other, i))
						if unit == "M" {
							skeleton, best = longer, longerBest
						}
						continue
					}
				}
			}
			if pattern != "" && unit == "M" {
				r.set(unit, widened(pattern, skeleton, best, info))
				skeleton, best = longer, longerBest
				continue
			}
		}
		if pattern != "" {
			r.set(unit, widened(pattern, skeleton, best, info))
		}
	}
	return true
}

// interval gives the pattern of a skeleton for the largest field that differs.
func (l *locale) interval(skeleton, unit string) string {
	units := []string{unit}
	switch unit {
	case "h":
		units = []string{"h", "H"}
	case "a":
		units = []string{"a", "B"}
	}
	for _, u := range units {
		if text := l.get(intervalKey + skeleton + "/" + u); text != "" {
			return text
		}
	}
	return ""
}

// nearestInterval finds the skeleton that differs least: by 0 not at all, by 1 in widths alone, by
// 2 in the kind of zone or hour, by -1 in fields.
func (l *locale) nearestInterval(skeleton string) (best string, info int) {
	asked := strings.NewReplacer("z", "v", "k", "H", "K", "h", "a", "", "b", "").Replace(skeleton)
	want := letterCounts(asked)
	names := map[string]bool{}
	for key := range l.texts.Under(intervalKey) {
		if name, _, ok := strings.Cut(key, "/"); ok {
			names[name] = true
		}
	}
	least := 1 << 30
	for _, name := range slices.Sorted(maps.Keys(names)) {
		has := letterCounts(name)
		distance, kind := 0, 1
		for letter := byte('A'); letter <= 'z'; letter++ {
			a, b := want[letter], has[letter]
			switch {
			case a == b:
			case a == 0 || b == 0:
				distance += missingField
				kind = -1
			case letter == 'M' && (a <= 2) != (b <= 2):
				distance += 0x100
			default:
				distance += max(a-b, b-a)
			}
		}
		if distance < least {
			best, least, info = name, distance, kind
		}
		if distance == 0 {
			info = 0
			break
		}
	}
	if asked != skeleton && info != -1 {
		info = 2
	}
	return best, info
}

func letterCounts(skeleton string) map[byte]int {
	out := map[byte]int{}
	for i := range len(skeleton) {
		out[skeleton[i]]++
	}
	return out
}

// widened makes the fields of a range's pattern as wide as they were asked for.
func widened(pattern, skeleton, best string, info int) string {
	if info == 0 {
		return pattern
	}
	want, has := letterCounts(skeleton), letterCounts(best)
	list := tokens(pattern)
	for i, t := range list {
		if t.letter == 0 {
			continue
		}
		if info == 2 {
			switch {
			case t.letter == 'v' && want['z'] > 0:
				list[i].letter = 'z'
			case t.letter == 'h' && want['K'] > 0:
				list[i].letter = 'K'
			case t.letter == 'H' && want['k'] > 0:
				list[i].letter = 'k'
			}
		}
		letter := t.letter
		if letter == 'L' {
			letter = 'M'
		}
		if has[letter] == t.length && want[letter] > t.length {
			list[i].length = want[letter]
		}
	}
	return patternOf(list)
}

// recounted counts hours as the format does.
func (f *DateTimeFormat) recounted(list []token) []token {
	return tokens(withCycle(patternOf(list), f.cycleOr()))
}

func (f *DateTimeFormat) cycleOr() string {
	if f.cycle == "" {
		return "h23"
	}
	return f.cycle
}
