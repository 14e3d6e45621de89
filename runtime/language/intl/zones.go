package intl

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"workflow-worker/runtime/language/intl/cldr"
)

// zone is a time zone: its name as resolvedOptions gives it, and its rules.
type zone struct {
	name     string
	location *time.Location
	offset   bool // "+05:30", which has no name
}

var utc = &zone{name: "UTC", location: time.UTC}

// zoneNamesByLower has the names of all zones, aliases too, by their small letters.
var zoneNamesByLower = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for name := range supplemental().Under("zone/") {
		all[strings.ToLower(name)] = name
	}
	return all
})

var offsetForm = regexp.MustCompile(`^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$`)

// zoneOf finds a zone by a name in any case, or by an offset. The name of an alias is that of
// CLDR's, as in Node: Asia/Calcutta for Asia/Kolkata.
func zoneOf(name string) (*zone, error) {
	if m := offsetForm.FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3]) // "" is 0
		seconds := (hours*60 + minutes) * 60
		sign := m[1]
		if sign == "-" {
			seconds = -seconds
		}
		if seconds == 0 {
			sign = "+"
		}
		return &zone{fmt.Sprintf("%s%02d:%02d", sign, hours, minutes), time.FixedZone("", seconds), true}, nil
	}
	known, ok := zoneNamesByLower()[strings.ToLower(name)]
	if !ok {
		return nil, rangeError("Invalid time zone specified: %s", name)
	}
	canonical := rule("zone/" + known)
	if canonical == "Etc/UTC" || canonical == "Etc/GMT" {
		return utc, nil
	}
	for _, n := range []string{known, canonical} {
		location, err := cldr.Zone(n)
		if err != nil {
			return nil, err
		}
		if location != nil {
			return &zone{name: canonical, location: location}, nil
		}
	}
	return nil, rangeError("Invalid time zone specified: %s", name)
}

// placeZones are those of supportedValuesOf: places, each by one name.
func placeZones() []string {
	var out []string
	for name := range supplemental().Under("zoneRegion/") {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// daylight tells whether a zone is on summer time. Some countries' law says that their winter time
// is the changed one, and so do the rules; names follow the clock.
func daylight(t time.Time) bool {
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	for _, edge := range []time.Time{start.Add(-time.Second), end} {
		if start.IsZero() && edge.Before(t) || end.IsZero() && !edge.Before(t) {
			continue
		}
		other := edge.In(t.Location())
		if _, o := other.Zone(); other.IsDST() != t.IsDST() && (t.IsDST() && o > offset || !t.IsDST() && o < offset) {
			return !t.IsDST()
		}
	}
	return t.IsDST()
}

// nearDaylight tells whether a zone has summer time within half a year.
func nearDaylight(t time.Time) bool {
	const near = 184 * 24 * time.Hour
	if daylight(t) {
		return true
	}
	start, end := t.ZoneBounds()
	return !start.IsZero() && t.Sub(start) < near && daylight(start.Add(-time.Second).In(t.Location())) ||
		!end.IsZero() && end.Sub(t) < near && daylight(end.In(t.Location()))
}

// metazoneOf names the metazone that a zone uses at a time: those of one have their names in
// common. Where CLDR names no begin or end, ICU's begin with 1970 and end with 9999.
func metazoneOf(name string, t time.Time) string {
	if t.Unix() < 0 || t.UTC().Year() > 9999 {
		return ""
	}
	for _, use := range strings.Split(rule("metazone/"+name), ";") {
		parts := strings.Split(use, ",")
		if len(parts) != 3 {
			return ""
		}
		from, to := metazoneTime(parts[1]), metazoneTime(parts[2])
		if (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to)) {
			return parts[0]
		}
	}
	return ""
}

func metazoneTime(text string) time.Time {
	t, _ := time.Parse("2006-01-02 15:04", text) // "" is zero
	return t
}

// zoneText writes a zone's name in one of the styles of timeZoneName.
func (f *DateTimeFormat) zoneText(style string, t time.Time) string {
	name := ""
	kind, width := "standard", "short"
	if strings.HasPrefix(style, "long") {
		width = "long"
	}
	switch {
	case f.zone.offset || strings.HasSuffix(style, "Offset"):
	case strings.HasSuffix(style, "Generic"):
		name = f.l.genericName(f.zoneKey(), width, t)
	default:
		if daylight(t) {
			kind = "daylight"
		}
		name = f.l.zoneName(f.zoneKey(), width, kind, t)
	}
	if name != "" {
		return name
	}
	return f.l.offsetText(t, width == "long")
}

func (f *DateTimeFormat) zoneKey() string {
	if f.zone == utc {
		return "Etc/UTC"
	}
	return f.zone.name
}

// zoneName is a zone's own name, or that of its metazone.
func (l *locale) zoneName(name, width, kind string, t time.Time) string {
	key := "/" + width + "/" + kind
	if own := l.get("zones/zone/" + name + key); own != "" {
		return own
	}
	if meta := metazoneOf(name, t); meta != "" {
		return noName(l.get("zones/metazone/" + meta + key))
	}
	return ""
}

// noName is what CLDR writes where a language has no name that its parent has.
func noName(text string) string {
	if text == "∅∅∅" {
		return ""
	}
	return text
}

// genericName is a zone's name all the year round: its own, its metazone's, or that of its country
// or city.
func (l *locale) genericName(name, width string, t time.Time) string {
	if own := l.get("zones/zone/" + name + "/" + width + "/generic"); own != "" {
		return own
	}
	meta := metazoneOf(name, t)
	if meta == "" {
		return l.placeName(name)
	}
	generic := noName(l.get("zones/metazone/" + meta + "/" + width + "/generic"))
	if !nearDaylight(t) {
		standard := l.zoneName(name, width, "standard", t)
		if standard != "" && !strings.EqualFold(standard, generic) {
			return standard
		}
	}
	if generic == "" {
		return l.placeName(name)
	}
	golden := rule("golden/" + meta + "/" + l.region)
	if golden == "" {
		golden = rule("golden/" + meta + "/001")
	}
	if golden == "" || golden == name || sameClock(golden, t) {
		return generic
	}
	return strings.NewReplacer("{0}", l.partialPlace(name, meta), "{1}", generic).Replace(l.get("zones/fallbackFormat"))
}

// sameClock tells whether another zone shows the same time, and calls it the same.
func sameClock(other string, t time.Time) bool {
	location, err := cldr.Zone(other)
	if err != nil || location == nil {
		return true
	}
	there := t.In(location)
	_, a := t.Zone()
	_, b := there.Zone()
	// ICU goes by the clock: of an hour that comes twice it takes the second.
	if _, end := there.ZoneBounds(); !end.IsZero() {
		_, after := end.In(location).Zone()
		if back := b - after; back > 0 && end.Sub(t) <= time.Duration(back)*time.Second {
			return a == after
		}
	}
	return a == b && daylight(t) == daylight(there)
}

// placeName is "Germany Time", or "Busingen Time" where the country has more than one.
func (l *locale) placeName(name string) string {
	region := rule("zoneRegion/" + name)
	if region == "" {
		return ""
	}
	place := l.city(name)
	if isPrimary(name, region) {
		place = l.country(region)
	}
	return strings.Replace(l.get("zones/regionFormat"), "{0}", place, 1)
}

func (l *locale) partialPlace(name, meta string) string {
	region := rule("zoneRegion/" + name)
	if region != "" && rule("golden/"+meta+"/"+region) == name {
		return l.country(region)
	}
	return l.city(name)
}

func (l *locale) country(region string) string {
	if text := l.get("region/" + region); text != "" {
		return text
	}
	return region
}

func (l *locale) city(name string) string {
	if text := l.get("zones/zone/" + name + "/exemplarCity"); text != "" {
		return text
	}
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

// regionZones counts the zones of each country.
var regionZones = sync.OnceValue(func() map[string]int {
	all := map[string]int{}
	for _, region := range supplemental().Under("zoneRegion/") {
		all[region]++
	}
	return all
})

func isPrimary(name, region string) bool {
	return rule("primaryZone/"+region) == name || regionZones()[region] == 1
}

// offsetText is "GMT+5:30", or "GMT+05:30" in full.
func (l *locale) offsetText(t time.Time, full bool) string {
	_, offset := t.Zone()
	forms := strings.Split(l.get("zones/hourFormat"), ";")
	form := forms[0]
	if offset < 0 {
		form, offset = forms[len(forms)-1], -offset
	}
	h, m, s := offset/3600, offset/60%60, offset%60
	hour, minute := strconv.Itoa(h), fmt.Sprintf("%02d", m)
	if full {
		hour = fmt.Sprintf("%02d", h)
	}
	sign, rest, _ := strings.Cut(form, "H")
	between := strings.TrimSuffix(strings.TrimPrefix(rest, "H"), "mm")
	text := sign + hour
	if full || m != 0 || s != 0 {
		text += between + minute
	}
	if s != 0 {
		text += between + fmt.Sprintf("%02d", s)
	}
	return strings.Replace(l.get("zones/gmtFormat"), "{0}", text, 1)
}
