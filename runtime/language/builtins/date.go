package builtins

import (
	"errors"
	"regexp"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/dates"
)

var (
	earlyYear = regexp.MustCompile(`^-\d{4}-`)
	lateYear  = regexp.MustCompile(`^\+\d{5}-`)
)

// ChangeDate gives the only zone there is the name that V8 has for it, Go's is the short one, and
// reads and writes dates as V8 does where goja differs.
func ChangeDate(h Host, class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(h.Runtime())
	var errs []error
	for _, name := range []string{"toString", "toTimeString"} {
		errs = append(errs, language.Wrap(h, prototype, name, func(call goja.FunctionCall, original language.Function) goja.Value {
			text := original(call).String()
			if before, found := strings.CutSuffix(text, "(UTC)"); found {
				text = before + "(Coordinated Universal Time)"
			}
			return h.Runtime().ToValue(text)
		}))
	}
	errs = append(errs,
		language.Wrap(h, prototype, "toISOString", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := original(call)
			if s := text.String(); earlyYear.MatchString(s) {
				return h.Runtime().ToValue("-00" + s[1:])
			} else if lateYear.MatchString(s) {
				return h.Runtime().ToValue("+0" + s[1:])
			}
			return text
		}),
		language.Wrap(h, class, "parse", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := language.Text(h, call.Argument(0)).String()
			if h.Former().Dates {
				return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{h.Runtime().ToValue(formerText(text))}})
			}
			return h.Runtime().ToValue(dates.Parse(text))
		}))
	construct := h.Construct(class)
	if construct == nil {
		return errors.New("Date is no constructor")
	}
	original := *construct
	*construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object {
		if len(args) == 1 {
			value := args[0]
			if text, ok := value.(goja.String); ok && h.Former().Dates {
				return original([]goja.Value{h.Runtime().ToValue(formerText(text.String()))}, newTarget)
			}
			if o, ok := value.(*goja.Object); ok && o.ClassName() != "Date" && !h.Former().Dates {
				value = h.Late("operators", "primitive")(goja.FunctionCall{Arguments: []goja.Value{o, h.Runtime().ToValue("default")}})
			}
			if text, ok := value.(goja.String); ok {
				value = h.Runtime().ToValue(dates.Parse(text.String()))
			}
			args = []goja.Value{value}
		}
		return original(args, newTarget)
	}
	return errors.Join(errs...)
}
