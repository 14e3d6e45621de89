package regexp

import (
	"errors"
	"strconv"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// lastMatch is what RegExp.$1 and its like tell of: there was one match before them, whoever made
// it. A runtime that executions share has none of it, because one would see the other's, and what
// it sees would depend on what ran in between.
type lastMatch struct {
	kept        bool
	input, text goja.String // input is the text, unless code has put another there
	found       []int32
}

func (l *lastMatch) set(s goja.String, found []int32) {
	if !l.kept {
		return
	}
	l.input, l.text = s, s
	l.found = append(l.found[:0], found...)
}

// part is a piece of the text that was matched last; empty where there is none.
func (l *lastMatch) part(r *RegExps, from, to int) goja.Value {
	if l.text == nil || from < 0 {
		return r.rt.ToValue("")
	}
	return l.text.Substring(from, to)
}

func (l *lastMatch) group(r *RegExps, i int) goja.Value {
	if 2*i+1 >= len(l.found) {
		return r.rt.ToValue("")
	}
	return l.part(r, int(l.found[2*i]), int(l.found[2*i+1]))
}

// addStatics puts the properties that browsers have on RegExp in their places.
func (r *RegExps) addStatics() error {
	if !r.last.kept {
		return nil
	}
	var errs []error
	define := func(value func() goja.Value, set func(goja.Value), names ...string) {
		for _, name := range names {
			getter, err := language.NewFunction(r.h, "get "+name, 0, func(call goja.FunctionCall) goja.Value {
				r.checkClass(call.This, name)
				return value()
			})
			errs = append(errs, err)
			var setter goja.Value
			if set != nil {
				f, err := language.NewFunction(r.h, "set "+name, 1, func(call goja.FunctionCall) goja.Value {
					r.checkClass(call.This, name)
					set(call.Argument(0))
					return goja.Undefined()
				})
				errs = append(errs, err)
				setter = f
			}
			errs = append(errs, r.class.DefineAccessorProperty(name, getter, setter, goja.FLAG_TRUE, goja.FLAG_FALSE))
		}
	}
	l := &r.last
	define(func() goja.Value {
		if l.input == nil {
			return r.rt.ToValue("")
		}
		return l.input
	}, func(value goja.Value) { l.input = language.Text(r.h, value) }, "input", "$_")
	define(func() goja.Value { return l.group(r, 0) }, nil, "lastMatch", "$&")
	define(func() goja.Value {
		if len(l.found) <= 2 {
			return r.rt.ToValue("")
		}
		return l.group(r, len(l.found)/2-1)
	}, nil, "lastParen", "$+")
	define(func() goja.Value {
		if len(l.found) == 0 {
			return r.rt.ToValue("")
		}
		return l.part(r, 0, int(l.found[0]))
	}, nil, "leftContext", "$`")
	define(func() goja.Value {
		if len(l.found) == 0 {
			return r.rt.ToValue("")
		}
		return l.part(r, int(l.found[1]), l.text.Length())
	}, nil, "rightContext", "$'")
	for i := 1; i <= 9; i++ {
		define(func() goja.Value { return l.group(r, i) }, nil, "$"+strconv.Itoa(i))
	}
	return errors.Join(errs...)
}

// checkClass refuses to tell of the last match through anything but RegExp itself.
func (r *RegExps) checkClass(this goja.Value, name string) {
	if this != goja.Value(r.class) {
		language.Throw(r.h, "TypeError", "get RegExp."+name+" called on incompatible receiver "+language.Shown(this))
	}
}
