package builtins

import (
	"bytes"
	"errors"
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"

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
// undefined is the error. Formerly all were errors that come out as U+FFFD.
func decodeCharset(h Host, call goja.FunctionCall) goja.Value {
	e, err := htmlindex.Get(call.Argument(0).String())
	if err != nil {
		return goja.Undefined()
	}
	all, fatal, more := bytesOf(call.Argument(1)), call.Argument(2).ToBoolean(), call.Argument(3).ToBoolean()
	in := all
	decoder := e.NewDecoder().Transformer
	h.Handed(2 * int64(len(in))) // as of UTF-8
	var text strings.Builder
	for out := make([]byte, 4<<10); ; {
		h.Stop() // some encodings take a second for some ten megabytes
		n, read, err := decoder.Transform(out, in, !more)
		text.Write(out[:n])
		in = in[read:]
		if !errors.Is(err, transform.ErrShortDst) {
			break
		}
	}
	if n := strings.Count(text.String(), "\uFFFD"); fatal && n > 0 && (h.Former().Texts || n > written(e, all)) {
		return goja.Undefined()
	}
	answer := h.Runtime().NewObject()
	for name, value := range map[string]any{"text": text.String(), "left": len(in)} {
		_ = answer.DefineDataProperty(name, h.Runtime().ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE) // a new object takes it
	}
	return answer
}

// written counts the characters U+FFFD that are there by right: those encodings have it that have all
// of Unicode.
func written(e encoding.Encoding, in []byte) (n int) {
	switch name, _ := htmlindex.Name(e); {
	case e == simplifiedchinese.GB18030:
		for i := 0; i < len(in); {
			switch rest := in[i:]; {
			case rest[0] <= 0x80 || len(rest) < 2:
				i++
			case rest[1] < '0' || rest[1] > '9':
				i += 2
			default:
				if bytes.HasPrefix(rest, []byte{0x84, 0x31, 0xa4, 0x37}) {
					n++
				}
				i += 4
			}
		}
	case name == "utf-16le" || name == "utf-16be":
		mark := []byte{0xff, 0xfd}
		if name == "utf-16le" {
			mark = []byte{0xfd, 0xff}
		}
		for i := 0; i+1 < len(in); i += 2 {
			if bytes.HasPrefix(in[i:], mark) {
				n++
			}
		}
	}
	return n
}
