package sandbox

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// textSize is what a text that is an array's element takes, beside its characters.
const textSize = 40

// What Go does with texts in one go, and takes up to a second for: U+FDFA becomes 18 characters in the forms with a K.
const maxNormalized = 4 << 20

// join is that of arrays, whose elements are converted first: goja converts them on the way, to whatever that amounts to.
func (v *VM) join(call goja.FunctionCall, original language.Function) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		return original(call)
	}
	if slices.Contains(v.joining, o) {
		return v.Runtime.ToValue("")
	}
	v.joining = append(v.joining, o)
	defer func() { v.joining = v.joining[:len(v.joining)-1] }()
	language.CheckLength(v.host, "join", o)
	length := 0
	if n := o.Get("length"); n != nil {
		length = int(max(0, n.ToInteger()))
	}
	language.CheckBytes(v.host, "join", language.ItemSize*float64(length))
	separator := v.Runtime.ToValue(",")
	if s := call.Argument(0); !goja.IsUndefined(s) {
		separator = language.Text(v.host, s)
	}
	gap, _ := separator.(goja.String)
	texts := make([]any, 0, min(length, 1024))
	bytes := float64(gap.Length()) * float64(max(0, length-1))
	for i := range length {
		if i%language.Looked == language.Looked-1 {
			v.stop()
		}
		item := o.Get(strconv.Itoa(i))
		if item == nil || goja.IsUndefined(item) || goja.IsNull(item) {
			texts = append(texts, nil)
			continue
		}
		text := language.Text(v.host, item)
		bytes += float64(text.Length())
		language.CheckBytes(v.host, "join", bytes)
		texts = append(texts, text)
	}
	language.CheckBytes(v.host, "join", bytes)
	return original(goja.FunctionCall{This: v.Runtime.NewArray(texts...), Arguments: []goja.Value{separator}})
}

// capTexts bounds what the methods of strings make of several, and of one that is found often.
func (v *VM) capTexts(class, prototype *goja.Object) error {
	internals.wrap(prototype.GetSymbol(goja.SymIterator).ToObject(v.Runtime), func(call goja.FunctionCall, original function) goja.Value {
		text := language.Receiver(v.host, call.This)
		language.CheckBytes(v.host, "[Symbol.iterator]", language.ItemSize*float64(text.Length()))
		return original(goja.FunctionCall{This: text})
	})
	return errors.Join(
		language.Wrap(v.host, prototype, "concat", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(v.host, call.This)
			bytes := float64(text.Length())
			texts := make([]goja.Value, len(call.Arguments))
			for i, a := range call.Arguments {
				more := language.Text(v.host, a)
				bytes += float64(more.Length())
				texts[i] = more
			}
			language.CheckBytes(v.host, "concat", bytes)
			return original(goja.FunctionCall{This: text, Arguments: texts})
		}),
		language.Wrap(v.host, class, "raw", func(call goja.FunctionCall, original language.Function) goja.Value {
			template, ok := call.Argument(0).(*goja.Object)
			if !ok {
				return original(call)
			}
			raw, ok := template.Get("raw").(*goja.Object)
			if !ok {
				return original(call)
			}
			language.CheckLength(v.host, "raw", raw)
			var texts []any
			for i := range int(max(0, language.Property(v.host, raw, v.Runtime.ToValue("length")).ToInteger())) {
				if i > 0 && i < len(call.Arguments) {
					texts = append(texts, call.Arguments[i])
				}
				texts = append(texts, language.Text(v.host, language.Property(v.host, raw, v.Runtime.ToValue(strconv.Itoa(i)))))
			}
			for i, part := range texts {
				if value, isValue := part.(goja.Value); isValue {
					texts[i] = language.Text(v.host, value) // null, too
				}
			}
			join := language.Builtin(v.native.Get("Array").ToObject(v.Runtime).Get("prototype").ToObject(v.Runtime), "join")
			return join(goja.FunctionCall{This: v.Runtime.NewArray(texts...), Arguments: []goja.Value{v.Runtime.ToValue("")}})
		}),
		language.Wrap(v.host, prototype, "replaceAll", func(call goja.FunctionCall, original language.Function) goja.Value {
			found, isText := call.Argument(0).(goja.String)
			if by, ok := call.Argument(1).(goja.String); ok && isText {
				text := language.Receiver(v.host, call.This)
				times := float64(strings.Count(text.String(), found.String()))
				each := float64(by.Length()) + float64(strings.Count(by.String(), "$"))*float64(text.Length())
				language.CheckBytes(v.host, "replaceAll", float64(text.Length())+times*each)
				call.This = text
			}
			return original(call)
		}),
		language.Wrap(v.host, prototype, "split", func(call goja.FunctionCall, original language.Function) goja.Value {
			if separator, ok := call.Argument(0).(goja.String); ok && goja.IsUndefined(call.Argument(1)) {
				text := language.Receiver(v.host, call.This)
				parts := float64(text.Length())
				if parts*textSize > float64(v.limits.Bytes) && separator.Length() > 0 {
					parts = float64(strings.Count(text.String(), separator.String()))
				}
				language.CheckBytes(v.host, "split", parts*textSize)
				call.This = text
			}
			return original(call)
		}),
		language.Wrap(v.host, prototype, "normalize", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(v.host, call.This)
			form := call.Argument(0)
			if !goja.IsUndefined(form) {
				form = language.Text(v.host, form)
			}
			most := maxNormalized
			if strings.Contains(form.String(), "K") {
				most = language.MaxCompared
			}
			language.CheckText(v.host, "normalize", text, most)
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{form}})
		}))
}
