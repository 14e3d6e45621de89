package intl

import (
	"slices"
	"testing"
	"time"

	"workflow-worker/runtime/language/intl/cldr"
)

func TestZonesAreTheProgramsOwn(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	for asked, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", "europe/berlin": "Europe/Berlin", "Asia/Kolkata": "Asia/Calcutta", "US/Eastern": "America/New_York",
		"UTC": "UTC", "gmt": "UTC", "Etc/Zulu": "UTC", "+05:30": "+05:30", "-0800": "-08:00", "+07": "+07:00", "-00:00": "+00:00",
		"Mars/Olympus": "", "": "", "UTC+1": "", "+24:00": "", "Etc/Unknown": "", "../etc/passwd": "", "Factory": "",
	} {
		z, err := zoneOf(asked)
		switch {
		case err != nil && want != "":
			t.Errorf("%q: %v", asked, err)
		case err == nil && z.name != want:
			t.Errorf("%q is %s, want %q", asked, z.name, want)
		}
	}
	if v, err := cldr.ZonesVersion(); err != nil || len(v) < 5 {
		t.Errorf("the release is %q, %v", v, err)
	}
}

func TestEveryNameOfAZoneHasRules(t *testing.T) {
	t.Parallel()
	names := zoneNamesByLower()
	if len(names) < 500 {
		t.Fatalf("%d names", len(names))
	}
	for name := range names {
		z, err := zoneOf(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if z.location == nil {
			t.Errorf("%s has no rules", name)
		}
	}
}

func TestExecutionsFromBeforeKeepEnglishAndUTC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		locales []string
		o       Options
		ok      bool
	}{
		{nil, nil, true}, {[]string{"en-US"}, Options{"timeZone": "etc/utc"}, true}, {[]string{"de"}, nil, false},
		{nil, Options{"timeZone": "Europe/Berlin"}, false}, {nil, Options{"timeZone": "+01:00"}, false},
	} {
		if err := EnglishAndUTC(c.locales, c.o); (err == nil) != c.ok {
			t.Errorf("%v with %v: %v", c.locales, c.o, err)
		}
	}
}

func TestLocalesAreFoundAsInNode(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"xx-YY": "en-US", "de-XX": "de", "de-DE": "de-DE", "de-AT-1996": "de-AT", "pt-AO": "pt-AO", "zh-TW": "zh-TW", "EN-gb": "en-GB", "nb-NO": "nb",
		"en-u-hc-h23": "en-u-hc-h23", "es-419": "es-419", "en-Latn-US": "en",
		"ar": "", "th-TH": "", "x_": "", "e": "", "en-u-hc-h23-u-nu-latn": "",
	} {
		got, err := Locale([]string{asked})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, %v; want %q", asked, got, err, want)
		}
	}
}

// Node 20's list. Countries of which CLDR's code for the zone is longer than five letters are in
// it, too.
func TestAllPlacesAreListed(t *testing.T) {
	t.Parallel()
	all := placeZones()
	if len(all) != 418 {
		t.Errorf("%d zones, want 418", len(all))
	}
	for _, name := range []string{"America/Indiana/Vevay", "Asia/Chita", "Europe/Busingen", "America/Danmarkshavn"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"CST6CDT", "EST5EDT", "Etc/UTC", "UTC", "Asia/Kolkata"} {
		if slices.Contains(all, name) {
			t.Errorf("%s is listed", name)
		}
	}
}

// What Node 20 writes: CLDR's data says since when a zone has its names only where they changed.
func TestNamesOfZonesBeginWith1970(t *testing.T) {
	t.Parallel()
	before, after, far := time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(1970, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(20000, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		locale, zone, style  string
		before, after, later string
	}{
		{"en", "America/Los_Angeles", "short", "GMT-7", "PDT", "GMT-7"},
		{"en", "Asia/Tokyo", "long", "GMT+09:00", "Japan Standard Time", "GMT+09:00"},
		{"en", "America/Los_Angeles", "shortGeneric", "Los Angeles Time", "PT", "Los Angeles Time"},
		{"de", "Europe/Berlin", "long", "GMT+01:00", "Mitteleuropäische Normalzeit", "GMT+02:00"},
		{"de", "Europe/Berlin", "longGeneric", "Deutschland (Ortszeit)", "Mitteleuropäische Normalzeit", "Deutschland (Ortszeit)"},
		{"en", "UTC", "long", "Coordinated Universal Time", "Coordinated Universal Time", "Coordinated Universal Time"},
	} {
		f, err := NewDateTimeFormat(c.locale, Options{"timeZone": c.zone, "timeZoneName": c.style}, "any", "date")
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range map[time.Time]string{before: c.before, after: c.after, far: c.later} {
			for _, p := range f.Parts(at) {
				if p.Type == "timeZoneName" && p.Value != want {
					t.Errorf("%s of %s, %s, in %d: %q, want %q", c.style, c.zone, c.locale, at.Year(), p.Value, want)
				}
			}
		}
	}
}
