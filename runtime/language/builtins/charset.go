package builtins

import (
	"errors"
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// charsetOf gives the standard's name of an encoding for any of its labels; undefined if it has
// none.
func charsetOf(h Host, call goja.FunctionCall) goja.Value {
	label := strings.ToLower(strings.Trim(call.Argument(0).String(), "\t\n\f\r "))
	if label == "unicode-1-1-utf-8" {
		label = "utf-8"
	}
	e, err := htmlindex.Get(label)
	if err != nil {
		return goja.Undefined()
	}
	name, err := htmlindex.Name(e)
	if err != nil || name == "replacement" {
		return goja.Undefined()
	}
	return h.Runtime().ToValue(name)
}

// decodeCharset decodes text that isn't UTF-8: the encoding's name, bytes, whether bad ones are an
// error, whether more may come. It gives the text and how many bytes at the end are none yet;
// undefined is the error.
func decodeCharset(h Host, call goja.FunctionCall) goja.Value {
	e, err := htmlindex.Get(call.Argument(0).String())
	if err != nil {
		return goja.Undefined()
	}
	in, fatal, more := bytesOf(call.Argument(1)), call.Argument(2).ToBoolean(), call.Argument(3).ToBoolean()
	decoder := e.NewDecoder().Transformer
	h.Handed(2 * int64(len(in))) // as of UTF-8
	var text strings.Builder
	for out := make([]byte, 4<<10); ; {
		h.Stop() // some encodings take a second for some ten megabytes
		written, read, err := decoder.Transform(out, in, !more)
		text.Write(out[:written])
		in = in[read:]
		if !errors.Is(err, transform.ErrShortDst) {
			break
		}
	}
	if fatal && strings.ContainsRune(text.String(), '\uFFFD') {
		return goja.Undefined()
	}
	answer := h.Runtime().NewObject()
	for name, value := range map[string]any{"text": text.String(), "left": len(in)} {
		_ = answer.DefineDataProperty(name, h.Runtime().ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE) // a new object takes it
	}
	return answer
}
