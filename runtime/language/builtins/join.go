package builtins

import (
	"slices"
	"strconv"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// join is that of arrays, whose elements are converted first: goja converts them on the way, to
// whatever that amounts to.
func join(h Host, joining *[]*goja.Object, call goja.FunctionCall, original language.Function) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		return original(call)
	}
	if text, ok := joinPlain(h, o, call.Argument(0)); ok {
		return text
	}
	if slices.Contains(*joining, o) {
		return h.Runtime().ToValue("")
	}
	*joining = append(*joining, o)
	defer func() { *joining = (*joining)[:len(*joining)-1] }()
	language.CheckLength(h, "join", o)
	length := 0
	if n := o.Get("length"); n != nil {
		length = int(max(0, n.ToInteger()))
	}
	language.CheckBytes(h, "join", language.ItemSize*float64(length))
	separator := h.Runtime().ToValue(",")
	if s := call.Argument(0); !goja.IsUndefined(s) {
		separator = language.Text(h, s)
	}
	gap, _ := separator.(goja.String)
	texts := make([]any, 0, min(length, 1024))
	bytes := float64(gap.Length()) * float64(max(0, length-1))
	var growth language.Growth
	for i := range length {
		if i%language.Looked == language.Looked-1 {
			h.Stop()
		}
		item := o.Get(strconv.Itoa(i))
		if item == nil || goja.IsUndefined(item) || goja.IsNull(item) {
			texts = append(texts, nil)
			continue
		}
		text := language.Text(h, item)
		bytes += float64(text.Length())
		growth.Check(h, "join", bytes)
		texts = append(texts, text)
	}
	growth.Check(h, "join", bytes)
	return original(goja.FunctionCall{This: h.Runtime().NewArray(texts...), Arguments: []goja.Value{separator}})
}

// joinPlain is that of plain arrays of numbers and texts; false for all others.
func joinPlain(h Host, o *goja.Object, separator goja.Value) (goja.Value, bool) {
	data, ok := linear.DataOf(h.Runtime())
	if !ok {
		return nil, false
	}
	items, ok := data.Items(o, "")
	if !ok || language.ItemSize*int64(len(items)) > h.Limits().Bytes {
		return nil, false
	}
	if goja.IsUndefined(separator) {
		separator = comma
	}
	noted := false
	var growth language.Growth
	return linear.Joined(items, separator, func(i, length int) {
		if i%language.Looked == language.Looked-1 {
			if !noted {
				noted = true
				language.CheckBytes(h, "join", language.ItemSize*float64(len(items)))
			}
			h.Stop()
		}
		growth.Check(h, "join", float64(length))
	})
}

var comma = goja.New().ToValue(",")
