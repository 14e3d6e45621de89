package builtins

import (
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/text/cases"
	tags "golang.org/x/text/language"

	"workflow-worker/runtime/language"
)

// casedIn is toLocaleUpperCase or toLocaleLowerCase in a language whose letters aren't everybody's;
// false: it is as any other, which is what goja takes all for. Greek capitals lose their accents by
// rules that nothing here knows: those are refused.
func casedIn(h Host, method string, text goja.String, locale goja.Value) (cased goja.Value, special bool) {
	if o, ok := locale.(*goja.Object); ok {
		locale = o.Get("0")
	}
	if locale == nil || goja.IsUndefined(locale) {
		return nil, false
	}
	name := locale.String()
	lang, _, _ := strings.Cut(strings.ToLower(name), "-")
	upper := method == "toLocaleUpperCase"
	switch lang {
	case "tr", "az", "lt", "el", "hy":
		if h.Former().Elsewhere || lang == "el" && upper {
			language.Throw(h, "RangeError", method+` for the locale "`+name+`" is not supported here: it has letters of its own`)
		}
	}
	var to cases.Caser
	in := text.String()
	switch {
	case lang != "tr" && lang != "az" && lang != "lt":
		return nil, false
	case upper:
		to = cases.Upper(tags.Make(lang))
	default:
		to = cases.Lower(tags.Make(lang))
		if lang == "lt" {
			in = strings.ReplaceAll(in, "\u0130", "i\u0307") // of which it would make two dots
		}
	}
	h.Handed(2 * int64(len(in)))
	return h.Runtime().ToValue(to.String(in)), true
}
