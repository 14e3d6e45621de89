package main

import (
	"fmt"
	"slices"
	"strings"
)

const supplementals = "cldr-core/supplemental/"

// supplemental reads the rules.
func (s *source) supplemental() (texts, error) {
	t := texts{}
	for _, f := range []func(texts) error{s.locales, s.plurals, s.hours, s.currencies, s.zones} {
		if err := f(t); err != nil {
			return nil, fmt.Errorf("supplemental: %w", err)
		}
	}
	return t, nil
}

// locales names all locales of CLDR, not only those that are taken, and how languages are
// completed.
func (s *source) locales(t texts) error {
	all, err := s.list("cldr-core/availableLocales.json", "availableLocales", "full")
	if err != nil {
		return err
	}
	defaults, err := s.list("cldr-core/defaultContent.json", "defaultContent")
	if err != nil {
		return err
	}
	for _, locale := range append(all, defaults...) {
		t["locale/"+locale] = ""
	}
	delete(t, "locale/nb-NO") // which ICU hasn't: it is nb
	likely, err := s.read(supplementals+"likelySubtags.json", "supplemental", "likelySubtags")
	if err != nil {
		return err
	}
	t.add("likely", likely, func(k string) bool {
		language, _, _ := strings.Cut(strings.TrimPrefix(k, "likely/"), "-")
		return slices.Contains(languages, language)
	})
	return nil
}

func (s *source) plurals(t texts) error {
	for kind, name := range map[string]string{"cardinal": "plurals.json", "ordinal": "ordinals.json"} {
		rules, err := s.read(supplementals+name, "supplemental", "plurals-type-"+kind)
		if err != nil {
			return err
		}
		for _, language := range languages {
			for _, l := range []string{language, language + "-PT"} {
				of, _ := at(rules, l).(map[string]any)
				for category, rule := range of {
					rule, _, _ := strings.Cut(fmt.Sprint(rule), "@")
					t["plural/"+kind+"/"+l+"/"+strings.TrimPrefix(category, "pluralRule-count-")] = strings.TrimSpace(rule)
				}
			}
		}
	}
	ranges, err := s.read(supplementals+"pluralRanges.json", "supplemental", "plurals")
	if err != nil {
		return err
	}
	for _, language := range languages {
		t.add("pluralRange/"+language, at(ranges, language), nil)
	}
	return nil
}

// hours are the parts of the day, and who counts to twelve.
func (s *source) hours(t texts) error {
	periods, err := s.read(supplementals+"dayPeriods.json", "supplemental", "dayPeriodRuleSet")
	if err != nil {
		return err
	}
	for _, language := range languages {
		t.add("period/"+language, at(periods, language), nil)
	}
	data, err := s.read(supplementals+"timeData.json", "supplemental", "timeData")
	if err != nil {
		return err
	}
	t.add("hours", data, func(k string) bool { return strings.HasSuffix(k, "/_preferred") || strings.HasSuffix(k, "/_allowed") })
	return nil
}

func (s *source) currencies(t texts) error {
	digits, err := s.read(supplementals+"currencyData.json", "supplemental", "currencyData", "fractions")
	if err != nil {
		return err
	}
	t.add("digits", digits, func(k string) bool { return strings.HasSuffix(k, "/_digits") })
	regions, err := s.read(supplementals+"currencyData.json", "supplemental", "currencyData", "region")
	if err != nil {
		return err
	}
	// ICU's list, which ECMA-402 shows, has some that no region's law has, or has no more.
	for _, code := range []string{"ANG", "BGN", "CUC", "HRK", "SLL", "SVC", "XDR", "XSU", "ZWL"} {
		t["currency/"+code] = ""
	}
	of, _ := regions.(map[string]any)
	for _, list := range of {
		uses, _ := list.([]any)
		for _, use := range uses {
			codes, _ := use.(map[string]any)
			for code, how := range codes {
				if at(how, "_tender") != "false" && at(how, "_to") == nil {
					t["currency/"+code] = ""
				}
			}
		}
	}
	return nil
}

// zones are the names of time zones, each with the one that it is an alias of; the names' own names
// by time; and countries.
func (s *source) zones(t texts) error {
	list, err := s.read("cldr-bcp47/bcp47/timezone.json", "keyword", "u", "tz")
	if err != nil {
		return err
	}
	types, _ := list.(map[string]any)
	s.regions = map[string]bool{}
	for code, of := range types {
		aliases, _ := at(of, "_alias").(string)
		names := strings.Fields(aliases)
		if strings.HasPrefix(code, "_") || len(names) == 0 || names[0] == "Etc/Unknown" {
			continue
		}
		for _, name := range names {
			t["zone/"+name] = names[0]
		}
		region, _ := at(of, "_region").(string)
		if region == "" { // of usnyc and of usinvev, but not of cst6cdt
			region = strings.ToUpper(code[:2])
		}
		if strings.Contains(names[0], "/") && !strings.HasPrefix(names[0], "Etc/") {
			t["zoneRegion/"+names[0]] = region
			s.regions[region] = true
		}
	}
	primary, err := s.read(supplementals+"primaryZones.json", "supplemental", "primaryZones")
	if err != nil {
		return err
	}
	t.add("primaryZone", primary, nil)
	metazones, err := s.read(supplementals+"metaZones.json", "supplemental", "metaZones")
	if err != nil {
		return err
	}
	addMetazones(t, "", at(metazones, "metazoneInfo", "timezone"))
	golden, _ := at(metazones, "metazones").([]any)
	for _, m := range golden {
		z := at(m, "mapZone")
		t[fmt.Sprintf("golden/%v/%v", at(z, "_other"), at(z, "_territory"))] = fmt.Sprint(at(z, "_type"))
	}
	return nil
}

// addMetazones gives each zone the metazones that it used, each as "name,from,to", joined by
// semicolons.
func addMetazones(t texts, name string, v any) {
	if below, ok := v.(map[string]any); ok {
		for k, v := range below {
			addMetazones(t, strings.TrimPrefix(name+"/"+k, "/"), v)
		}
	}
	uses, _ := v.([]any)
	var all []string
	for _, u := range uses {
		text := func(k string) string { s, _ := at(u, "usesMetazone", k).(string); return s }
		all = append(all, text("_mzone")+","+text("_from")+","+text("_to"))
	}
	if len(all) > 0 {
		t["metazone/"+name] = strings.Join(all, ";")
	}
}
