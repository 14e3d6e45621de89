package builtins

import (
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// Markup are the methods of strings that write HTML, with the element and its attribute.
var Markup = map[string][2]string{
	"anchor": {"a", "name"}, "big": {"big"}, "blink": {"blink"}, "bold": {"b"}, "fixed": {"tt"}, "fontcolor": {"font", "color"},
	"fontsize": {"font", "size"}, "italics": {"i"}, "link": {"a", "href"}, "small": {"small"}, "strike": {"strike"}, "sub": {"sub"}, "sup": {"sup"},
}

// MarkupMethod makes one of them.
func MarkupMethod(r *goja.Runtime, element, attribute string) language.Function {
	return func(call goja.FunctionCall) goja.Value {
		if goja.IsUndefined(call.This) || goja.IsNull(call.This) {
			panic(r.NewTypeError("a method of strings was called on " + call.This.String()))
		}
		text := call.This.ToString().String()
		open := "<" + element
		if attribute != "" {
			open += " " + attribute + `="` + strings.ReplaceAll(call.Argument(0).ToString().String(), `"`, "&quot;") + `"`
		}
		return r.ToValue(open + ">" + text + "</" + element + ">")
	}
}
