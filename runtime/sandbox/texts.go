package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// textSize is what a text that is an array's element takes, beside its characters.
const textSize = 40

// What Go does with texts in one go, and takes up to a second for: U+FDFA becomes 18 characters in the forms with a K, an order
// has keys for each character.
const (
	maxNormalized = 4 << 20
	maxCompared   = 512 << 10
)

// checkText throws a RangeError for a text that is too long.
func (v *VM) checkText(name string, text goja.String, most int) {
	if text.Length() > most {
		v.throw("RangeError", fmt.Sprintf("%s of a text of %d characters; the limit is %d", name, text.Length(), most))
	}
}

// join is that of arrays, whose elements are converted first: goja converts them on the way, to whatever that amounts to.
func (v *VM) join(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		return original(call)
	}
	if slices.Contains(v.joining, o) {
		return v.Runtime.ToValue("")
	}
	v.joining = append(v.joining, o)
	defer func() { v.joining = v.joining[:len(v.joining)-1] }()
	v.checkLength("join", o)
	length := 0
	if n := o.Get("length"); n != nil {
		length = int(max(0, n.ToInteger()))
	}
	v.checkBytes("join", itemSize*float64(length))
	separator := v.Runtime.ToValue(",")
	if s := call.Argument(0); !goja.IsUndefined(s) {
		separator = v.text(s)
	}
	gap, _ := separator.(goja.String)
	texts := make([]any, 0, min(length, 1024))
	bytes := float64(gap.Length()) * float64(max(0, length-1))
	for i := range length {
		if i%looked == looked-1 {
			v.stop()
		}
		item := o.Get(strconv.Itoa(i))
		if item == nil || goja.IsUndefined(item) || goja.IsNull(item) {
			texts = append(texts, nil)
			continue
		}
		text := v.text(item)
		bytes += float64(text.Length())
		v.checkBytes("join", bytes)
		texts = append(texts, text)
	}
	v.checkBytes("join", bytes)
	return original(goja.FunctionCall{This: v.Runtime.NewArray(texts...), Arguments: []goja.Value{separator}})
}

// capTexts bounds what the methods of strings make of several, and of one that is found often.
func (v *VM) capTexts(class, prototype *goja.Object) error {
	internals.wrap(prototype.GetSymbol(goja.SymIterator).ToObject(v.Runtime), func(call goja.FunctionCall, original function) goja.Value {
		text := v.receiver(call.This)
		v.checkBytes("[Symbol.iterator]", itemSize*float64(text.Length()))
		return original(goja.FunctionCall{This: text})
	})
	return errors.Join(
		v.wrapped(prototype, "concat", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := v.receiver(call.This)
			bytes := float64(text.Length())
			texts := make([]goja.Value, len(call.Arguments))
			for i, a := range call.Arguments {
				more := v.text(a)
				bytes += float64(more.Length())
				texts[i] = more
			}
			v.checkBytes("concat", bytes)
			return original(goja.FunctionCall{This: text, Arguments: texts})
		}),
		v.wrapped(class, "raw", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			template, ok := call.Argument(0).(*goja.Object)
			if !ok {
				return original(call)
			}
			raw, ok := template.Get("raw").(*goja.Object)
			if !ok {
				return original(call)
			}
			v.checkLength("raw", raw)
			var texts []any
			for i := range int(max(0, v.property(raw, v.Runtime.ToValue("length")).ToInteger())) {
				if i > 0 && i < len(call.Arguments) {
					texts = append(texts, call.Arguments[i])
				}
				texts = append(texts, v.text(v.property(raw, v.Runtime.ToValue(strconv.Itoa(i)))))
			}
			for i, part := range texts {
				if value, isValue := part.(goja.Value); isValue {
					texts[i] = v.text(value) // null, too
				}
			}
			join := native(v.native.Get("Array").ToObject(v.Runtime).Get("prototype").ToObject(v.Runtime), "join")
			return join(goja.FunctionCall{This: v.Runtime.NewArray(texts...), Arguments: []goja.Value{v.Runtime.ToValue("")}})
		}),
		v.wrapped(prototype, "replaceAll", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			found, isText := call.Argument(0).(goja.String)
			if by, ok := call.Argument(1).(goja.String); ok && isText {
				text := v.receiver(call.This)
				times := float64(strings.Count(text.String(), found.String()))
				each := float64(by.Length()) + float64(strings.Count(by.String(), "$"))*float64(text.Length())
				v.checkBytes("replaceAll", float64(text.Length())+times*each)
				call.This = text
			}
			return original(call)
		}),
		v.wrapped(prototype, "split", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			if separator, ok := call.Argument(0).(goja.String); ok && goja.IsUndefined(call.Argument(1)) {
				text := v.receiver(call.This)
				parts := float64(text.Length())
				if parts*textSize > float64(v.opts.MaxBytes) && separator.Length() > 0 {
					parts = float64(strings.Count(text.String(), separator.String()))
				}
				v.checkBytes("split", parts*textSize)
				call.This = text
			}
			return original(call)
		}),
		v.wrapped(prototype, "normalize", func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
			text := v.receiver(call.This)
			form := call.Argument(0)
			if !goja.IsUndefined(form) {
				form = v.text(form)
			}
			most := maxNormalized
			if strings.Contains(form.String(), "K") {
				most = maxCompared
			}
			v.checkText("normalize", text, most)
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{form}})
		}))
}
