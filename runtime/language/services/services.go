package services

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"
	"golang.org/x/text/collate"
	tags "golang.org/x/text/language"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/intl"
)

// Host is what Go gives Intl's part of the library. With englishOnly, it refuses all languages but
// English and all zones but UTC.
func Host(h language.Host, englishOnly func() bool) map[string]any {
	with := func(f func(language.Host, goja.FunctionCall) goja.Value) language.Function {
		return func(call goja.FunctionCall) goja.Value { return f(h, call) }
	}
	return map[string]any{
		"make":      func(call goja.FunctionCall) goja.Value { return makeFormat(h, englishOnly(), call) },
		"looksLong": with(looksLong), "supported": with(supportedLocales), "canonical": with(canonicalLocales), "values": with(supportedValues),
	}
}

// makeFormat makes one of Intl's services: (service, locales, [name, value, …], …). What it gives
// has resolved and the service's own methods.
func makeFormat(h language.Host, englishOnly bool, call goja.FunctionCall) goja.Value {
	service := call.Argument(0).String()
	asked := texts(h, call.Argument(1))
	o := options(h, call.Argument(2))
	if englishOnly {
		throwIntl(h, intl.EnglishAndUTC(asked, o))
	}
	locale, err := intl.Locale(asked)
	throwIntl(h, err)
	var members map[string]func(goja.FunctionCall) goja.Value
	var resolved func() []intl.Entry
	switch service {
	case "NumberFormat":
		f, err := intl.NewNumberFormat(locale, o)
		throwIntl(h, err)
		resolved = f.Resolved
		parts := func(call goja.FunctionCall) []intl.Part { return f.Parts(decimal(h, call.Argument(0))) }
		members = textAndParts(h, parts)
	case "DateTimeFormat":
		f, err := intl.NewDateTimeFormat(locale, o, call.Argument(3).String(), call.Argument(4).String())
		throwIntl(h, err)
		resolved = f.Resolved
		at := func(call goja.FunctionCall) time.Time { return time.UnixMilli(call.Argument(0).ToInteger()) }
		members = textAndParts(h, func(call goja.FunctionCall) []intl.Part { return f.Parts(at(call)) })
		members["text"] = func(call goja.FunctionCall) goja.Value { return h.Runtime().ToValue(f.Text(at(call))) }
		to := func(call goja.FunctionCall) time.Time { return time.UnixMilli(call.Argument(1).ToInteger()) }
		members["range"] = func(call goja.FunctionCall) goja.Value { return h.Runtime().ToValue(f.RangeText(at(call), to(call))) }
		members["rangeParts"] = func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range f.RangeParts(at(call), to(call)) {
				rows = append(rows, h.Runtime().NewArray(p.Type, p.Value, p.Source))
			}
			return h.Runtime().NewArray(rows...)
		}
	case "ListFormat":
		f, err := intl.NewListFormat(locale, o)
		throwIntl(h, err)
		resolved = f.Resolved
		members = textAndParts(h, func(call goja.FunctionCall) []intl.Part { return f.Parts(texts(h, call.Argument(0))) })
	case "PluralRules":
		f, err := intl.NewPluralRules(locale, o)
		throwIntl(h, err)
		resolved = f.Resolved
		members = map[string]func(goja.FunctionCall) goja.Value{
			"select": func(call goja.FunctionCall) goja.Value {
				return h.Runtime().ToValue(f.Select(decimal(h, call.Argument(0))))
			},
		}
	case "RelativeTimeFormat":
		f, err := intl.NewRelativeTimeFormat(locale, o)
		throwIntl(h, err)
		resolved = f.Resolved
		members = textAndPartsOfSpans(h, f)
	default:
		members, resolved = collator(h, locale, o)
	}
	members["resolved"] = func(goja.FunctionCall) goja.Value { return entries(h, resolved()) }
	out := h.Runtime().NewObject()
	for name, f := range members {
		if err := language.DefineFunction(h, out, name, 0, f); err != nil {
			panic(err)
		}
	}
	return out
}

func textAndParts(h language.Host, parts func(goja.FunctionCall) []intl.Part) map[string]func(goja.FunctionCall) goja.Value {
	return map[string]func(goja.FunctionCall) goja.Value{
		"text": func(call goja.FunctionCall) goja.Value { return h.Runtime().ToValue(intl.Text(parts(call))) },
		"parts": func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range parts(call) {
				rows = append(rows, h.Runtime().NewArray(p.Type, p.Value))
			}
			return h.Runtime().NewArray(rows...)
		},
	}
}

func textAndPartsOfSpans(h language.Host, f *intl.RelativeTimeFormat) map[string]func(goja.FunctionCall) goja.Value {
	parts := func(call goja.FunctionCall) []intl.RelativePart {
		p, err := f.Parts(decimal(h, call.Argument(0)), call.Argument(1).String())
		throwIntl(h, err)
		return p
	}
	return map[string]func(goja.FunctionCall) goja.Value{
		"text": func(call goja.FunctionCall) goja.Value {
			var b strings.Builder
			for _, p := range parts(call) {
				b.WriteString(p.Value)
			}
			return h.Runtime().ToValue(b.String())
		},
		"parts": func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range parts(call) {
				rows = append(rows, h.Runtime().NewArray(p.Type, p.Value, p.Unit))
			}
			return h.Runtime().NewArray(rows...)
		},
	}
}

// collator orders texts as the locale's language does.
func collator(h language.Host, locale string, o intl.Options) (map[string]func(goja.FunctionCall) goja.Value, func() []intl.Entry) {
	s, err := intl.NewCollation(locale, o)
	throwIntl(h, err)
	var options []collate.Option
	if s.Numeric {
		options = append(options, collate.Numeric)
	}
	if s.Sensitivity == "base" || s.Sensitivity == "accent" {
		options = append(options, collate.IgnoreCase)
	}
	if s.Sensitivity == "base" || s.Sensitivity == "case" {
		options = append(options, collate.IgnoreDiacritics)
	}
	c := collate.New(tags.Make(s.Language()), options...)
	order := c.CompareString
	if s.UpperFirst() {
		letters := collate.New(tags.Make(s.Language()), append(options, collate.IgnoreCase)...)
		order = func(a, b string) int {
			if n := letters.CompareString(a, b); n != 0 {
				return n
			}
			return -c.CompareString(a, b)
		}
	}
	return map[string]func(goja.FunctionCall) goja.Value{
		"order": func(call goja.FunctionCall) goja.Value {
			language.CheckText(h, "compare", language.Text(h, call.Argument(0)), language.MaxCompared)
			language.CheckText(h, "compare", language.Text(h, call.Argument(1)), language.MaxCompared)
			return h.Runtime().ToValue(order(call.Argument(0).String(), call.Argument(1).String()))
		},
	}, s.Resolved
}

// maxNumber is how long a text may be that is formatted as a number: in parts, it takes half a
// second.
const maxNumber = 1 << 18

// looksLong refuses a text that is too long to be looked at whether it is a number.
func looksLong(h language.Host, call goja.FunctionCall) goja.Value {
	if text, ok := call.Argument(0).(goja.String); ok {
		language.CheckText(h, "format", text, maxNumber)
	}
	return call.Argument(0)
}

// decimal takes a number, or the digits of one.
func decimal(h language.Host, value goja.Value) intl.Decimal {
	if s, ok := language.Exported[string](value); ok {
		if len(s) > maxNumber { // of a BigInt
			language.Throw(h, "RangeError", fmt.Sprintf("format of a number of %d digits; the limit is %d", len(s), maxNumber))
		}
		if d, ok := intl.FromText(s); ok {
			return d
		}
	}
	return intl.FromFloat(value.ToFloat())
}

func throwIntl(h language.Host, err error) {
	var e *intl.Error
	if errors.As(err, &e) {
		language.Throw(h, e.Type, e.Message)
	}
	if err != nil {
		panic(h.Runtime().NewGoError(err))
	}
}

// texts gives the strings of an array that our own code made.
func texts(h language.Host, list goja.Value) []string {
	var out []string
	if err := h.Runtime().ExportTo(list, &out); err != nil {
		panic(err)
	}
	return out
}

func options(h language.Host, pairs goja.Value) intl.Options {
	var list []any
	if err := h.Runtime().ExportTo(pairs, &list); err != nil {
		panic(err)
	}
	o := intl.Options{}
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		switch value := list[i+1].(type) {
		case int64:
			o[name] = float64(value)
		default:
			o[name] = value
		}
	}
	return o
}

func entries(h language.Host, entries []intl.Entry) goja.Value {
	var rows []any
	for _, e := range entries {
		value := e.Value
		if list, ok := value.([]string); ok {
			value = array(h, list)
		}
		rows = append(rows, h.Runtime().NewArray(e.Name, value))
	}
	return h.Runtime().NewArray(rows...)
}

func array(h language.Host, texts []string) goja.Value {
	items := make([]any, 0, len(texts))
	for _, t := range texts {
		items = append(items, t)
	}
	return h.Runtime().NewArray(items...)
}

func canonicalLocales(h language.Host, call goja.FunctionCall) goja.Value {
	list, err := intl.Canonical(texts(h, call.Argument(0)))
	throwIntl(h, err)
	return array(h, list)
}

func supportedLocales(h language.Host, call goja.FunctionCall) goja.Value {
	list, err := intl.Canonical(texts(h, call.Argument(0)))
	throwIntl(h, err)
	return array(h, slices.DeleteFunc(list, func(l string) bool { return !intl.Supported(l) }))
}

func supportedValues(h language.Host, call goja.FunctionCall) goja.Value {
	list, err := intl.Values(call.Argument(0).String())
	throwIntl(h, err)
	return array(h, list)
}
