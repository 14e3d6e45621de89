package sandbox

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

// makeFormat makes one of Intl's services: (service, locales, [name, value, …], …). What it gives has resolved and the
// service's own methods.
func (v *VM) makeFormat(call goja.FunctionCall) goja.Value {
	service := call.Argument(0).String()
	asked := v.texts(call.Argument(1))
	o := v.options(call.Argument(2))
	if v.EnglishOnly {
		v.throwIntl(intl.EnglishAndUTC(asked, o))
	}
	locale, err := intl.Locale(asked)
	v.throwIntl(err)
	var members map[string]func(goja.FunctionCall) goja.Value
	var resolved func() []intl.Entry
	switch service {
	case "NumberFormat":
		f, err := intl.NewNumberFormat(locale, o)
		v.throwIntl(err)
		resolved = f.Resolved
		parts := func(call goja.FunctionCall) []intl.Part { return f.Parts(v.decimal(call.Argument(0))) }
		members = v.textAndParts(parts)
	case "DateTimeFormat":
		f, err := intl.NewDateTimeFormat(locale, o, call.Argument(3).String(), call.Argument(4).String())
		v.throwIntl(err)
		resolved = f.Resolved
		at := func(call goja.FunctionCall) time.Time { return time.UnixMilli(call.Argument(0).ToInteger()) }
		members = v.textAndParts(func(call goja.FunctionCall) []intl.Part { return f.Parts(at(call)) })
		members["text"] = func(call goja.FunctionCall) goja.Value { return v.Runtime.ToValue(f.Text(at(call))) }
		to := func(call goja.FunctionCall) time.Time { return time.UnixMilli(call.Argument(1).ToInteger()) }
		members["range"] = func(call goja.FunctionCall) goja.Value { return v.Runtime.ToValue(f.RangeText(at(call), to(call))) }
		members["rangeParts"] = func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range f.RangeParts(at(call), to(call)) {
				rows = append(rows, v.Runtime.NewArray(p.Type, p.Value, p.Source))
			}
			return v.Runtime.NewArray(rows...)
		}
	case "ListFormat":
		f, err := intl.NewListFormat(locale, o)
		v.throwIntl(err)
		resolved = f.Resolved
		members = v.textAndParts(func(call goja.FunctionCall) []intl.Part { return f.Parts(v.texts(call.Argument(0))) })
	case "PluralRules":
		f, err := intl.NewPluralRules(locale, o)
		v.throwIntl(err)
		resolved = f.Resolved
		members = map[string]func(goja.FunctionCall) goja.Value{
			"select": func(call goja.FunctionCall) goja.Value {
				return v.Runtime.ToValue(f.Select(v.decimal(call.Argument(0))))
			},
		}
	case "RelativeTimeFormat":
		f, err := intl.NewRelativeTimeFormat(locale, o)
		v.throwIntl(err)
		resolved = f.Resolved
		members = v.textAndPartsOfSpans(f)
	default:
		members, resolved = v.collator(locale, o)
	}
	members["resolved"] = func(goja.FunctionCall) goja.Value { return v.entries(resolved()) }
	out := v.Runtime.NewObject()
	for name, f := range members {
		if err := language.DefineFunction(v.host, out, name, 0, f); err != nil {
			panic(err)
		}
	}
	return out
}

func (v *VM) textAndParts(parts func(goja.FunctionCall) []intl.Part) map[string]func(goja.FunctionCall) goja.Value {
	return map[string]func(goja.FunctionCall) goja.Value{
		"text": func(call goja.FunctionCall) goja.Value { return v.Runtime.ToValue(intl.Text(parts(call))) },
		"parts": func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range parts(call) {
				rows = append(rows, v.Runtime.NewArray(p.Type, p.Value))
			}
			return v.Runtime.NewArray(rows...)
		},
	}
}

func (v *VM) textAndPartsOfSpans(f *intl.RelativeTimeFormat) map[string]func(goja.FunctionCall) goja.Value {
	parts := func(call goja.FunctionCall) []intl.RelativePart {
		p, err := f.Parts(v.decimal(call.Argument(0)), call.Argument(1).String())
		v.throwIntl(err)
		return p
	}
	return map[string]func(goja.FunctionCall) goja.Value{
		"text": func(call goja.FunctionCall) goja.Value {
			var b strings.Builder
			for _, p := range parts(call) {
				b.WriteString(p.Value)
			}
			return v.Runtime.ToValue(b.String())
		},
		"parts": func(call goja.FunctionCall) goja.Value {
			var rows []any
			for _, p := range parts(call) {
				rows = append(rows, v.Runtime.NewArray(p.Type, p.Value, p.Unit))
			}
			return v.Runtime.NewArray(rows...)
		},
	}
}

// collator orders texts as the locale's language does.
func (v *VM) collator(locale string, o intl.Options) (map[string]func(goja.FunctionCall) goja.Value, func() []intl.Entry) {
	s, err := intl.NewCollation(locale, o)
	v.throwIntl(err)
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
			language.CheckText(v.host, "compare", language.Text(v.host, call.Argument(0)), language.MaxCompared)
			language.CheckText(v.host, "compare", language.Text(v.host, call.Argument(1)), language.MaxCompared)
			return v.Runtime.ToValue(order(call.Argument(0).String(), call.Argument(1).String()))
		},
	}, s.Resolved
}

// maxNumber is how long a text may be that is formatted as a number: in parts, it takes half a second.
const maxNumber = 1 << 18

// looksLong refuses a text that is too long to be looked at whether it is a number.
func (v *VM) looksLong(call goja.FunctionCall) goja.Value {
	if text, ok := call.Argument(0).(goja.String); ok {
		language.CheckText(v.host, "format", text, maxNumber)
	}
	return call.Argument(0)
}

// decimal takes a number, or the digits of one.
func (v *VM) decimal(value goja.Value) intl.Decimal {
	if s, ok := language.Exported[string](value); ok {
		if len(s) > maxNumber { // of a BigInt
			language.Throw(v.host, "RangeError", fmt.Sprintf("format of a number of %d digits; the limit is %d", len(s), maxNumber))
		}
		if d, ok := intl.FromText(s); ok {
			return d
		}
	}
	return intl.FromFloat(value.ToFloat())
}

func (v *VM) throwIntl(err error) {
	var e *intl.Error
	if errors.As(err, &e) {
		language.Throw(v.host, e.Type, e.Message)
	}
	if err != nil {
		panic(v.Runtime.NewGoError(err))
	}
}

// texts gives the strings of an array that our own code made.
func (v *VM) texts(list goja.Value) []string {
	var out []string
	if err := v.Runtime.ExportTo(list, &out); err != nil {
		panic(err)
	}
	return out
}

func (v *VM) options(pairs goja.Value) intl.Options {
	var list []any
	if err := v.Runtime.ExportTo(pairs, &list); err != nil {
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

func (v *VM) entries(entries []intl.Entry) goja.Value {
	var rows []any
	for _, e := range entries {
		value := e.Value
		if list, ok := value.([]string); ok {
			value = v.array(list)
		}
		rows = append(rows, v.Runtime.NewArray(e.Name, value))
	}
	return v.Runtime.NewArray(rows...)
}

func (v *VM) array(texts []string) goja.Value {
	items := make([]any, 0, len(texts))
	for _, t := range texts {
		items = append(items, t)
	}
	return v.Runtime.NewArray(items...)
}

func (v *VM) canonicalLocales(call goja.FunctionCall) goja.Value {
	list, err := intl.Canonical(v.texts(call.Argument(0)))
	v.throwIntl(err)
	return v.array(list)
}

func (v *VM) supportedLocales(call goja.FunctionCall) goja.Value {
	list, err := intl.Canonical(v.texts(call.Argument(0)))
	v.throwIntl(err)
	return v.array(slices.DeleteFunc(list, func(l string) bool { return !intl.Supported(l) }))
}

func (v *VM) supportedValues(call goja.FunctionCall) goja.Value {
	list, err := intl.Values(call.Argument(0).String())
	v.throwIntl(err)
	return v.array(list)
}

// checkCasing refuses the languages whose capitals are not everybody's; goja would take the locale for nothing.
func (v *VM) checkCasing(method string, locale goja.Value) {
	if o, ok := locale.(*goja.Object); ok {
		locale = o.Get("0")
	}
	if locale == nil || goja.IsUndefined(locale) {
		return
	}
	tag := locale.String()
	switch lang, _, _ := strings.Cut(strings.ToLower(tag), "-"); lang {
	case "tr", "az", "lt", "el", "hy":
		language.Throw(v.host, "RangeError", method+` for the locale "`+tag+`" is not supported here: it has letters of its own`)
	}
}
