package sandbox

import (
	"errors"
	"regexp"
	"strings"

	"github.com/dop251/goja"
)

var (
	yearAndThree = regexp.MustCompile(`^(\d{4})-0(0[1-9]|1[0-2])$`)
	badMonth     = regexp.MustCompile(`^\d{4}-\d{3}$`)
	withTime     = regexp.MustCompile(`^(?:\d{4}|[+-]\d{6})-\d\d-\d\d[tT]\d`)
	halfOffset   = regexp.MustCompile(`[+-]\d\d$`)
	earlyYear    = regexp.MustCompile(`^-\d{4}-`)
)

// changeDate gives the only zone there is the name that V8 has for it, Go's is the short one, and reads and writes dates as V8 does
// where goja differs.
func (v *VM) changeDate(class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(v.Runtime)
	var errs []error
	for _, name := range []string{"toString", "toTimeString"} {
		errs = append(errs, v.wrapped(prototype, name, func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := original(call).String()
			if before, found := strings.CutSuffix(text, "(UTC)"); found {
				text = before + "(Coordinated Universal Time)"
			}
			return v.Runtime.ToValue(text)
		}))
	}
	errs = append(errs,
		v.wrapped(prototype, "toISOString", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := original(call)
			if s := text.String(); earlyYear.MatchString(s) {
				return v.Runtime.ToValue("-00" + s[1:])
			}
			return text
		}),
		v.wrapped(class, "parse", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{v.dateText(v.text(call.Argument(0)))}})
		}))
	construct := internals.construct(class)
	if construct == nil {
		return errors.New("Date is no constructor")
	}
	original := *construct
	*construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object {
		if len(args) == 1 {
			if text, ok := args[0].(goja.String); ok {
				args = []goja.Value{v.dateText(text)}
			}
		}
		return original(args, newTarget)
	}
	return errors.Join(errs...)
}

// dateText is a date as goja reads it: with the capitals T and Z, and nothing that V8 doesn't take.
func (v *VM) dateText(text goja.String) goja.Value {
	s := text.String()
	switch {
	case yearAndThree.MatchString(s):
		return v.Runtime.ToValue(yearAndThree.ReplaceAllString(s, "$1-$2"))
	case badMonth.MatchString(s):
		return v.Runtime.ToValue("no date")
	case !withTime.MatchString(s):
		return text
	case strings.Contains(s, ",") || halfOffset.MatchString(s):
		return v.Runtime.ToValue("no date")
	}
	return v.Runtime.ToValue(strings.ToUpper(s))
}
