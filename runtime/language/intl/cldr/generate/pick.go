package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// languages are those whose texts are taken, with all their regions. All of them write Western
// digits and Gregorian dates.
var languages = []string{
	"bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nb", "nl", "nn", "no",
	"pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi", "zh",
}

// file is one of the archive: lines of a key, a tab and a value, in order.
type file struct{ name, text string }

// texts are a file's lines.
type texts map[string]string

type source struct {
	packages string
	regions  map[string]bool
}

// pick gives a file for each locale, and "supplemental" of what is no locale's own.
func pick(packages string) ([]file, error) {
	s := &source{packages: packages}
	supplemental, err := s.supplemental()
	if err != nil {
		return nil, err
	}
	files := []file{{"supplemental", supplemental.lines(nil)}}
	locales, err := s.list("cldr-core/availableLocales.json", "availableLocales", "full")
	if err != nil {
		return nil, err
	}
	for _, language := range languages {
		base, err := s.locale(language)
		if err != nil {
			return nil, err
		}
		files = append(files, file{language, base.lines(nil)})
		for _, locale := range locales {
			if !strings.HasPrefix(locale, language+"-") {
				continue
			}
			t, err := s.locale(locale)
			if err != nil {
				return nil, err
			}
			files = append(files, file{locale, t.lines(base)})
		}
	}
	return files, nil
}

// lines leaves out what base has as well; a key without a tab is one that base has and this hasn't.
func (t texts) lines(base texts) string {
	var b strings.Builder
	keys := slices.Collect(maps.Keys(t))
	for k := range base {
		if _, ok := t[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		v, ok := t[k]
		if old, had := base[k]; had && ok && old == v {
			continue
		}
		b.WriteString(k)
		if ok {
			b.WriteString("\t" + v)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// read gives what is at a path of a JSON file; nil if nothing is.
func (s *source) read(name string, path ...string) (any, error) {
	text, err := os.ReadFile(filepath.Join(s.packages, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return at(v, path...), nil
}

func at(v any, path ...string) any {
	for _, p := range path {
		object, _ := v.(map[string]any)
		v = object[p]
	}
	return v
}

func (s *source) list(name string, path ...string) ([]string, error) {
	v, err := s.read(name, path...)
	if err != nil {
		return nil, err
	}
	var out []string
	list, _ := v.([]any)
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no list at %s", name, strings.Join(path, "."))
	}
	slices.Sort(out)
	return out, nil
}

// add puts the texts below v under a prefix, as far as keep wants them.
func (t texts) add(prefix string, v any, keep func(key string) bool) {
	switch v := v.(type) {
	case string:
		if keep == nil || keep(prefix) {
			t[prefix] = strings.NewReplacer("\t", " ", "\n", " ").Replace(v)
		}
	case map[string]any:
		for k, below := range v {
			t.add(prefix+"/"+k, below, keep)
		}
	}
}
