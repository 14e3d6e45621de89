package builtins

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// EncodingHost is what Go gives the library's TextEncoder and TextDecoder.
func EncodingHost(h Host) map[string]any {
	with := func(f func(Host, goja.FunctionCall) goja.Value) language.Function {
		return func(call goja.FunctionCall) goja.Value { return f(h, call) }
	}
	return map[string]any{
		"encode":        func(text string) goja.ArrayBuffer { return encodeUTF8(h, text) },
		"charsetOf":     with(charsetOf),
		"decodeCharset": with(decodeCharset),
		"former":        func(goja.FunctionCall) goja.Value { return h.Runtime().ToValue(h.Former().Texts) },
		"decode":        with(decodeUTF8),
		"unfinished": func(call goja.FunctionCall) goja.Value {
			b := bytesOf(call.Argument(0))
			if h.Former().UTF8 {
				return h.Runtime().ToValue(formerlyUnfinished(b))
			}
			return h.Runtime().ToValue(language.Unfinished(b))
		},
	}
}

func encodeUTF8(h Host, text string) goja.ArrayBuffer {
	h.Handed(int64(len(text)))
	return h.Runtime().NewArrayBuffer([]byte(strings.ToValidUTF8(text, "�")))
}

// decodeUTF8 gives undefined for bytes that are not UTF-8 if fatal is set.
func decodeUTF8(h Host, call goja.FunctionCall) goja.Value {
	b := bytesOf(call.Argument(0))
	h.Handed(2 * int64(len(b))) // a character takes two bytes, where one of them isn't ASCII
	if !call.Argument(2).ToBoolean() && len(b) >= 3 && string(b[:3]) == "\uFEFF" {
		b = b[3:]
	}
	switch {
	case utf8.Valid(b):
	case call.Argument(1).ToBoolean():
		return goja.Undefined()
	case h.Former().UTF8:
		return h.Runtime().ToValue(string([]rune(string(b)))) // one U+FFFD for each byte
	}
	return h.Runtime().ToValue(language.OfUTF8(b))
}

// formerlyUnfinished looks at the lengths that the first bytes say alone.
func formerlyUnfinished(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		need := 1
		switch c := b[len(b)-back]; {
		case c >= 0xf0:
			need = 4
		case c >= 0xe0:
			need = 3
		case c >= 0xc0:
			need = 2
		case c >= 0x80:
			continue
		}
		if need > back {
			return back
		}
		return 0
	}
	return 0
}

// bytesOf gives the bytes of a typed array, a view or a buffer; nil for anything else.
func bytesOf(value goja.Value) []byte {
	if b, ok := language.Exported[goja.ArrayBuffer](value); ok {
		return b.Bytes()
	}
	b, _ := language.Exported[[]byte](value)
	return b
}

// Btoa is the global function.
func Btoa(h Host, call goja.FunctionCall) goja.Value {
	text, _ := h.Runtime().ToValue(call.Argument(0).String()).(goja.String)
	h.Handed(2 * int64(text.Length()))
	b, fits := language.Octets(text)
	if !fits {
		panic(invalidCharacter(h, "Invalid character"))
	}
	return h.Runtime().ToValue(base64.StdEncoding.EncodeToString(b))
}

// invalidCharacter is what code sees of the DOMException that browsers and Node throw.
func invalidCharacter(h Host, message string) goja.Value {
	if c, ok := h.Runtime().GlobalObject().Get("DOMException").(*goja.Object); ok { // activities have the class
		if e, err := h.Runtime().New(c, h.Runtime().ToValue(message), h.Runtime().ToValue("InvalidCharacterError")); err == nil {
			return e
		}
	}
	e, err := h.Runtime().New(h.Native().Get("Error"), h.Runtime().ToValue(message))
	if err != nil {
		return h.Runtime().NewTypeError(message)
	}
	for name, value := range map[string]any{"name": "InvalidCharacterError", "code": 5} {
		_ = e.DefineDataProperty(name, h.Runtime().ToValue(value), goja.FLAG_TRUE, goja.FLAG_FALSE, goja.FLAG_TRUE) // a new object takes it
	}
	return e
}

// Atob is the global function.
func Atob(h Host, call goja.FunctionCall) goja.Value {
	text := strings.NewReplacer(" ", "", "\t", "", "\n", "", "\f", "", "\r", "").Replace(call.Argument(0).String())
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || (strings.HasSuffix(text, "=") && len(text)%4 != 0) {
		panic(invalidCharacter(h, "The string to be decoded is not correctly encoded."))
	}
	h.Handed(2 * int64(len(b)))
	return language.OfOctets(h.Runtime(), b)
}
