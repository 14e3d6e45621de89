package builtins

import (
	"errors"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// textSize is what a text that is an array's element takes, beside its characters.
const textSize = 40

// What Go does with texts in one go, and takes up to a second for: U+FDFA becomes 18 characters in
// the forms with a K.
const maxNormalized = 4 << 20

// capTexts bounds what the methods of strings make of several, and of one that is found often.
func capTexts(h Host, class, prototype *goja.Object) error {
	h.Wrap(prototype.GetSymbol(goja.SymIterator).ToObject(h.Runtime()), func(call goja.FunctionCall, original language.Function) goja.Value {
		text := language.Receiver(h, call.This)
		language.CheckBytes(h, "[Symbol.iterator]", language.ItemSize*float64(text.Length()))
		return original(goja.FunctionCall{This: text})
	})
	return errors.Join(
		language.Wrap(h, prototype, "concat", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(h, call.This)
			bytes := float64(text.Length())
			texts := make([]goja.Value, len(call.Arguments))
			for i, a := range call.Arguments {
				more := language.Text(h, a)
				bytes += float64(more.Length())
				texts[i] = more
			}
			language.CheckBytes(h, "concat", bytes)
			return original(goja.FunctionCall{This: text, Arguments: texts})
		}),
		language.Wrap(h, class, "raw", func(call goja.FunctionCall, original language.Function) goja.Value {
			template, ok := call.Argument(0).(*goja.Object)
			if !ok {
				return original(call)
			}
			raw, ok := template.Get("raw").(*goja.Object)
			if !ok {
				return original(call)
			}
			language.CheckLength(h, "raw", raw)
			var texts []any
			for i := range int(max(0, language.Property(h, raw, h.Runtime().ToValue("length")).ToInteger())) {
				if i > 0 && i < len(call.Arguments) {
					texts = append(texts, call.Arguments[i])
				}
				texts = append(texts, language.Text(h, language.Property(h, raw, h.Runtime().ToValue(strconv.Itoa(i)))))
			}
			for i, part := range texts {
				if value, isValue := part.(goja.Value); isValue {
					texts[i] = language.Text(h, value) // null, too
				}
			}
			join := language.Builtin(language.NativePrototype(h, "Array"), "join")
			return join(goja.FunctionCall{This: h.Runtime().NewArray(texts...), Arguments: []goja.Value{h.Runtime().ToValue("")}})
		}),
		language.Wrap(h, prototype, "replaceAll", func(call goja.FunctionCall, original language.Function) goja.Value {
			found, isText := call.Argument(0).(goja.String)
			if by, ok := call.Argument(1).(goja.String); ok && isText {
				text := language.Receiver(h, call.This)
				if all := replacedPlainly(h, text, found, by); all != nil {
					return all
				}
				times := float64(strings.Count(text.String(), found.String()))
				each := float64(by.Length()) + float64(strings.Count(by.String(), "$"))*float64(text.Length())
				language.CheckBytes(h, "replaceAll", float64(text.Length())+times*each)
				call.This = text
			}
			return original(call)
		}),
		language.Wrap(h, prototype, "split", func(call goja.FunctionCall, original language.Function) goja.Value {
			if separator, ok := call.Argument(0).(goja.String); ok && goja.IsUndefined(call.Argument(1)) {
				text := language.Receiver(h, call.This)
				parts := float64(text.Length())
				if parts*textSize > float64(h.Limits().Bytes) && separator.Length() > 0 {
					parts = float64(strings.Count(text.String(), separator.String()))
				}
				language.CheckBytes(h, "split", parts*textSize)
				call.This = text
			}
			return original(call)
		}),
		language.Wrap(h, prototype, "normalize", func(call goja.FunctionCall, original language.Function) goja.Value {
			text := language.Receiver(h, call.This)
			form := call.Argument(0)
			if !goja.IsUndefined(form) {
				form = language.Text(h, form)
			}
			most := maxNormalized
			if strings.Contains(form.String(), "K") {
				most = language.MaxCompared
			}
			language.CheckText(h, "normalize", text, most)
			return original(goja.FunctionCall{This: text, Arguments: []goja.Value{form}})
		}))
}

// replacedPlainly is replaceAll of texts in which nothing stands for anything else: goja would keep
// each place before it replaces the first, gigabytes of them, without an end that an interrupt
// reaches. It is nil for others: an empty text stands between halves of pairs, and halves aren't
// Go's to compare.
func replacedPlainly(h Host, text, found, by goja.String) goja.Value {
	s, old, with := text.String(), found.String(), by.String()
	if old == "" || strings.Contains(with, "$") {
		return nil
	}
	for _, t := range []struct {
		is   goja.String
		text string
	}{{text, s}, {found, old}, {by, with}} {
		if strings.Contains(t.text, "\ufffd") && !h.Runtime().ToValue(t.text).StrictEquals(t.is) {
			return nil
		}
	}
	times := float64(strings.Count(s, old))
	language.CheckBytes(h, "replaceAll", float64(text.Length())+times*float64(by.Length()))
	return h.Runtime().ToValue(strings.ReplaceAll(s, old, with))
}
