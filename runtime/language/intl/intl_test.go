package intl

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// each reads a file of rows that testdata/golden.mjs wrote.
func each(t *testing.T, name string, row func(fields []json.RawMessage)) {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join("testdata", name)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		var fields []json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		row(fields)
		n++
	}
	if err := lines.Err(); err != nil || n < 100 {
		t.Fatalf("%s has %d rows, %v", name, n, err)
	}
}

func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// shown is an answer as golden.mjs writes one.
func shown(parts []Part, err error) string {
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return err.Error()
		}
		b, _ := json.Marshal("!" + e.Type)
		return string(b)
	}
	rows := make([][2]string, 0, len(parts))
	for _, p := range parts {
		rows = append(rows, [2]string{p.Type, p.Value})
	}
	return compact(rows)
}

func compact(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func same(t *testing.T, raw json.RawMessage, got string) bool {
	t.Helper()
	return compact(decode[any](t, raw)) == compact(decode[any](t, json.RawMessage(got)))
}

func TestNumbersAreWrittenAsNodeWritesThem(t *testing.T) {
	t.Parallel()
	bad := 0
	each(t, "numbers.jsonl", func(row []json.RawMessage) {
		o, text := decode[Options](t, row[0]), decode[string](t, row[1])
		var got string
		f, err := NewNumberFormat("en-US", o)
		if err != nil {
			got = shown(nil, err)
		} else {
			x, _ := FromText(text)
			got = shown(f.Parts(x), nil)
		}
		if !same(t, row[2], got) {
			if bad++; bad < 14 {
				t.Errorf("%s of %s\nhere %s\nNode %s", text, row[0], got, row[2])
			}
		}
	})
	if bad > 0 {
		t.Errorf("%d differ", bad)
	}
}

func TestDatesAreWrittenAsNodeWritesThem(t *testing.T) {
	t.Parallel()
	bad := 0
	each(t, "dates.jsonl", func(row []json.RawMessage) {
		at := time.UnixMilli(decode[int64](t, row[1]))
		var got string
		f, err := NewDateTimeFormat("en-US", decode[Options](t, row[0]), "any", "date")
		if err != nil {
			got = shown(nil, err)
		} else {
			got = shown(f.Parts(at), nil)
			if text := decode[string](t, row[3]); f.Text(at) != text {
				t.Errorf("%s: %q, and in Node %q", row[0], f.Text(at), text)
			}
		}
		if !same(t, row[2], got) {
			if bad++; bad < 14 {
				t.Errorf("%v with %s\nhere %s\nNode %s", at.UTC(), row[0], got, row[2])
			}
		}
	})
	if bad > 0 {
		t.Errorf("%d differ", bad)
	}
}

func TestListsPluralsAndSpansAreWrittenAsNodeWritesThem(t *testing.T) {
	t.Parallel()
	each(t, "language.jsonl", func(row []json.RawMessage) {
		o, args := decode[Options](t, row[1]), decode[[]string](t, row[2])
		var got string
		switch service := decode[string](t, row[0]); service {
		case "PluralRules":
			p, err := NewPluralRules("en-US", o)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := FromText(args[0])
			got = compact(p.Select(x))
		case "ListFormat":
			f, err := NewListFormat("en-US", o)
			if err != nil {
				t.Fatal(err)
			}
			got = shown(f.Parts(args), nil)
		case "RelativeTimeFormat":
			f, err := NewRelativeTimeFormat("en-US", o)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := FromText(args[0])
			parts, err := f.Parts(x, args[1])
			got = shown(nil, err)
			if err == nil {
				got = relative(parts)
			}
		}
		if !same(t, row[3], got) {
			t.Errorf("%s of %s with %s\nhere %s\nNode %s", row[0], row[2], row[1], got, row[3])
		}
	})
}

func relative(parts []RelativePart) string {
	rows := make([][]string, 0, len(parts))
	for _, p := range parts {
		row := []string{p.Type, p.Value}
		if p.Unit != "" {
			row = append(row, p.Unit)
		}
		rows = append(rows, row)
	}
	return compact(rows)
}

// As Node 20 has it, and 26 where there are names.
func TestTheISOCalendarWritesYearMonthDay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 7, 13, 5, 9, 0, time.UTC)
	for _, c := range []struct {
		locale string
		o      Options
		want   string
	}{
		{"en", Options{}, "2026-02-07"},
		{"de", Options{}, "2026-02-07"},
		{"ja", Options{"year": "numeric"}, "2026"},
		{"de", Options{"month": "numeric"}, "2"},
		{"de", Options{"day": "numeric"}, "7"},
		{"de", Options{"month": "numeric", "day": "numeric"}, "02-07"},
		{"ja", Options{"year": "numeric", "month": "numeric"}, "2026-02"},
		{"en", Options{"year": "2-digit", "month": "numeric", "day": "numeric"}, "26-02-07"},
		{"de", Options{"weekday": "short", "year": "numeric", "month": "numeric", "day": "numeric"}, "2026-02-07, Sa."},
		{"ja", Options{"weekday": "short", "year": "numeric", "month": "numeric", "day": "numeric"}, "2026-02-07, 土"},
		{"en", Options{"year": "numeric", "month": "numeric", "day": "numeric", "hour": "numeric", "minute": "numeric", "second": "numeric"}, "2026-02-07, 1:05:09 PM"},
		{"ja", Options{"year": "numeric", "month": "numeric", "day": "numeric", "hour": "numeric", "minute": "numeric", "second": "numeric"}, "2026-02-07 13:05:09"},
		{"de", Options{"dateStyle": "short"}, "2026-02-07"},
		{"de", Options{"dateStyle": "short", "timeStyle": "short"}, "2026-02-07, 13:05"},
		{"en", Options{"hour": "numeric", "minute": "numeric"}, "1:05 PM"},
		{"en", Options{"weekday": "long"}, "Saturday"},
		{"en", Options{"dateStyle": "long"}, "2026 February 7"},
		{"de", Options{"dateStyle": "full"}, "2026 Februar 7, Samstag"},
		{"en", Options{"month": "short", "day": "numeric"}, "Feb 7"},
	} {
		c.o["timeZone"] = "UTC"
		for _, asked := range []string{c.locale, c.locale + "-u-ca-iso8601"} {
			if asked == c.locale {
				c.o["calendar"] = "iso8601"
			} else {
				delete(c.o, "calendar")
			}
			f, err := NewDateTimeFormat(asked, c.o, "any", "date")
			if err != nil {
				t.Errorf("%s %v: %v", asked, c.o, err)
				continue
			}
			if got := f.Text(at); got != c.want {
				t.Errorf("%s %v: %q, want %q", asked, c.o, got, c.want)
			}
			if got := f.Resolved()[1]; got != (Entry{"calendar", "iso8601"}) {
				t.Errorf("%s: %v", asked, got)
			}
		}
	}
}
