package intl

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// TestOtherLanguagesAreWrittenAsNodeWritesThem reads locales.jsonl, or the file in INTL_ROWS:
// testdata/locales.mjs writes them.
func TestOtherLanguagesAreWrittenAsNodeWritesThem(t *testing.T) {
	t.Parallel()
	name, bad, rows := "locales.jsonl", map[string]int{}, 0
	if other := os.Getenv("INTL_ROWS"); other != "" {
		name = other
	}
	each(t, name, func(row []json.RawMessage) {
		rows++
		service, locale := decode[string](t, row[0]), decode[string](t, row[1])
		o, args := decode[Options](t, row[2]), decode[[]any](t, row[3])
		for name, v := range o {
			if v == nil {
				delete(o, name)
			}
		}
		got, text, resolved := written(t, service, locale, o, args)
		check := func(what string, want json.RawMessage, got string) {
			if same(t, want, got) {
				return
			}
			if bad[service+what]++; bad[service+what] < 25 {
				t.Errorf("%s%s %s %s of %s\nhere %s\nNode %s", service, what, locale, row[2], row[3], got, want)
			}
		}
		check("", row[4], got)
		if len(row) > 5 && text != "" {
			check("'s text", row[5], compact(text))
		}
		if len(row) > 6 && string(row[6]) != "null" && resolved != "" {
			check("'s options", row[6], resolved)
		}
	})
	for service, n := range bad {
		t.Errorf("%s: %d of %d rows differ", service, n, rows)
	}
}

// written gives the parts, the text and the resolved options, as the rows have them.
func written(t *testing.T, service, locale string, o Options, args []any) (parts, text, resolved string) {
	t.Helper()
	asked, err := Locale([]string{locale})
	if err != nil {
		return shown(nil, err), "", ""
	}
	number := func() Decimal {
		s, _ := args[0].(string)
		x, _ := FromText(s)
		return x
	}
	switch service {
	case "NumberFormat":
		f, err := NewNumberFormat(asked, o)
		if err != nil {
			return shown(nil, err), "", ""
		}
		return shown(f.Parts(number()), nil), "", object(f.Resolved())
	case "DateTimeFormat", "range":
		f, err := NewDateTimeFormat(asked, o, "any", "date")
		if err != nil {
			return shown(nil, err), "", ""
		}
		at := func(i int) time.Time { return time.UnixMilli(int64(args[i].(float64))) } //nolint:forcetypeassert // of golden rows
		if service == "range" {
			var rows [][3]string
			text := ""
			for _, p := range f.RangeParts(at(0), at(1)) {
				rows = append(rows, [3]string{p.Type, p.Value, p.Source})
				text += p.Value
			}
			return compact(rows), f.RangeText(at(0), at(1)), ""
		}
		return shown(f.Parts(at(0)), nil), f.Text(at(0)), object(f.Resolved())
	case "PluralRules":
		p, err := NewPluralRules(asked, o)
		if err != nil {
			return shown(nil, err), "", ""
		}
		return compact(p.Select(number())), "", object(p.Resolved())
	case "ListFormat":
		f, err := NewListFormat(asked, o)
		if err != nil {
			return shown(nil, err), "", ""
		}
		var items []string
		for _, a := range args {
			items = append(items, a.(string)) //nolint:forcetypeassert // of golden rows
		}
		return shown(f.Parts(items), nil), "", ""
	default:
		f, err := NewRelativeTimeFormat(asked, o)
		if err != nil {
			return shown(nil, err), "", ""
		}
		parts, err := f.Parts(number(), args[1].(string)) //nolint:forcetypeassert // of golden rows
		if err != nil {
			return shown(nil, err), "", ""
		}
		return relative(parts), "", ""
	}
}

func object(entries []Entry) string {
	out := map[string]any{}
	for _, e := range entries {
		out[e.Name] = e.Value
	}
	return compact(out)
}
