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
		"encode": func(text string) goja.ArrayBuffer { return encodeUTF8(h, text) },
		"decode": with(decodeUTF8), "charsetOf": with(charsetOf), "decodeCharset": with(decodeCharset),
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
	if utf8.Valid(b) {
		return h.Runtime().ToValue(string(b))
	}
	if call.Argument(1).ToBoolean() {
		return goja.Undefined()
	}
	// Go replaces each bad byte, as the WHATWG decoder mostly does; range makes one U+FFFD of each.
	var s strings.Builder
	for _, r := range string(b) {
		s.WriteRune(r)
	}
	return h.Runtime().ToValue(s.String())
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
