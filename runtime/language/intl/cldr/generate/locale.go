package main

import (
	"fmt"
	"slices"
	"strings"
)

// units are ECMA-402's, by CLDR's categories.
var units = []string{
	"angle-degree", "area-acre", "area-hectare", "concentr-percent", "digital-bit", "digital-byte", "digital-gigabit", "digital-gigabyte",
	"digital-kilobit", "digital-kilobyte", "digital-megabit", "digital-megabyte", "digital-petabyte", "digital-terabit", "digital-terabyte",
	"duration-day", "duration-hour", "duration-microsecond", "duration-millisecond", "duration-minute", "duration-month",
	"duration-nanosecond", "duration-second", "duration-week", "duration-year", "length-centimeter", "length-foot", "length-inch",
	"length-kilometer", "length-meter", "length-mile", "length-mile-scandinavian", "length-millimeter", "length-yard", "mass-gram",
	"mass-kilogram", "mass-ounce", "mass-pound", "mass-stone", "temperature-celsius", "temperature-fahrenheit", "volume-fluid-ounce",
	"volume-gallon", "volume-liter", "volume-milliliter",
	// Of two, with a name of their own.
	"consumption-liter-per-kilometer", "consumption-mile-per-gallon", "speed-kilometer-per-hour", "speed-meter-per-second",
	"speed-mile-per-hour",
}

var dateFields = []string{"era", "year", "quarter", "month", "week", "weekday", "day", "dayperiod", "hour", "minute", "second", "zone"}

// locale reads what a locale says.
func (s *source) locale(name string) (texts, error) {
	t := texts{}
	for _, f := range []func(string, texts) error{s.dates, s.zoneNames, s.numbers, s.unitNames, s.lists} {
		if err := f(name, t); err != nil {
			return nil, fmt.Errorf("locale %s: %w", name, err)
		}
	}
	return t, nil
}

func noVariant(key string) bool {
	return !strings.Contains(key, "-alt-") && !strings.Contains(key, "-count-")
}

func (s *source) dates(name string, t texts) error {
	v, err := s.read("cldr-dates-full/main/"+name+"/ca-gregorian.json", "main", name, "dates", "calendars", "gregorian")
	if err != nil {
		return err
	}
	if v == nil {
		return fmt.Errorf("has no Gregorian calendar")
	}
	for _, part := range []string{"months", "days"} {
		t.add(part, at(v, part), func(k string) bool { return !strings.Contains(k, "/short/") })
	}
	t.add("dayPeriods", at(v, "dayPeriods", "format"), noVariant)
	for _, part := range []string{"eras", "dateFormats", "timeFormats", "dateTimeFormats"} {
		t.add(part, at(v, part), noVariant)
	}
	t.add("atTime", at(v, "dateTimeFormats-atTime", "standard"), noVariant)
	fields, err := s.read("cldr-dates-full/main/"+name+"/dateFields.json", "main", name, "dates", "fields")
	if err != nil {
		return err
	}
	for _, f := range dateFields {
		for _, style := range []string{"", "-short", "-narrow"} {
			t.add("field/"+f+style, at(fields, f+style), func(k string) bool {
				return (strings.Contains(k, "relative") || strings.HasSuffix(k, "displayName")) && !strings.Contains(k, "-alt-")
			})
		}
	}
	return nil
}

func (s *source) zoneNames(name string, t texts) error {
	v, err := s.read("cldr-dates-full/main/"+name+"/timeZoneNames.json", "main", name, "dates", "timeZoneNames")
	if err != nil {
		return err
	}
	t.add("zones", v, func(k string) bool { return !strings.HasSuffix(k, "/_type") && noVariant(k) })
	countries, err := s.read("cldr-localenames-full/main/"+name+"/territories.json", "main", name, "localeDisplayNames", "territories")
	if err != nil {
		return err
	}
	for region := range s.regions {
		t.add("region/"+region, at(countries, region), nil)
	}
	return nil
}

func (s *source) numbers(name string, t texts) error {
	v, err := s.read("cldr-numbers-full/main/"+name+"/numbers.json", "main", name, "numbers")
	if err != nil {
		return err
	}
	if system := at(v, "defaultNumberingSystem"); system != "latn" {
		return fmt.Errorf("writes numbers with %v, not Western digits", system)
	}
	t.add("minimumGroupingDigits", at(v, "minimumGroupingDigits"), nil)
	for key, part := range map[string]string{"symbols": "symbols", "decimal": "decimalFormats", "percent": "percentFormats",
		"currency": "currencyFormats", "misc": "miscPatterns"} {
		t.add(key, at(v, part+"-numberSystem-latn"), func(k string) bool { return !strings.Contains(k, "alphaNextToNumber") })
	}
	money, err := s.read("cldr-numbers-full/main/"+name+"/currencies.json", "main", name, "numbers", "currencies")
	if err != nil {
		return err
	}
	t.add("money", money, func(k string) bool { return !strings.Contains(k, "alt-formal") && !strings.Contains(k, "alt-variant") })
	return nil
}

func (s *source) unitNames(name string, t texts) error {
	v, err := s.read("cldr-units-full/main/"+name+"/units.json", "main", name, "units")
	if err != nil {
		return err
	}
	for _, width := range []string{"long", "short", "narrow"} {
		for _, u := range units {
			_, plain, _ := strings.Cut(u, "-")
			t.add("unit/"+width+"/"+plain, at(v, width, u), func(k string) bool {
				return !slices.ContainsFunc([]string{"displayName", "gender", "-case-"}, func(no string) bool { return strings.Contains(k, no) })
			})
		}
		t.add("unit/"+width+"/per", at(v, width, "per"), nil)
	}
	return nil
}

func (s *source) lists(name string, t texts) error {
	v, err := s.read("cldr-misc-full/main/"+name+"/listPatterns.json", "main", name, "listPatterns")
	if err != nil {
		return err
	}
	lists, _ := v.(map[string]any)
	for kind, patterns := range lists {
		t.add("list/"+strings.TrimPrefix(kind, "listPattern-type-"), patterns, nil)
	}
	return nil
}
