package sandbox

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

func (v *VM) encodeUTF8(text string) goja.ArrayBuffer {
	return v.Runtime.NewArrayBuffer([]byte(strings.ToValidUTF8(text, "�")))
}

// decodeUTF8 gives undefined for bytes that are not UTF-8 if fatal is set.
func (v *VM) decodeUTF8(call goja.FunctionCall) goja.Value {
	b := bytesOf(call.Argument(0))
	if !call.Argument(2).ToBoolean() && len(b) >= 3 && string(b[:3]) == "\uFEFF" {
		b = b[3:]
	}
	if utf8.Valid(b) {
		return v.Runtime.ToValue(string(b))
	}
	if call.Argument(1).ToBoolean() {
		return goja.Undefined()
	}
	// Go replaces each bad byte, as the WHATWG decoder mostly does; range makes one U+FFFD of each.
	var s strings.Builder
	for _, r := range string(b) {
		s.WriteRune(r)
	}
	return v.Runtime.ToValue(s.String())
}

// bytesOf gives the bytes of a typed array, a view or a buffer; nil for anything else.
func bytesOf(value goja.Value) []byte {
	if b, ok := language.Exported[goja.ArrayBuffer](value); ok {
		return b.Bytes()
	}
	b, _ := language.Exported[[]byte](value)
	return b
}

func (v *VM) btoa(call goja.FunctionCall) goja.Value {
	text := call.Argument(0).String()
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			panic(v.invalidCharacter("Invalid character"))
		}
		b = append(b, byte(r))
	}
	return v.Runtime.ToValue(base64.StdEncoding.EncodeToString(b))
}

// invalidCharacter is what code sees of the DOMException that browsers and Node throw.
func (v *VM) invalidCharacter(message string) goja.Value {
	e, err := v.Runtime.New(v.native.Get("Error"), v.Runtime.ToValue(message))
	if err != nil {
		return v.Runtime.NewTypeError(message)
	}
	for name, value := range map[string]any{"name": "InvalidCharacterError", "code": 5} {
		_ = e.DefineDataProperty(name, v.Runtime.ToValue(value), goja.FLAG_TRUE, goja.FLAG_FALSE, goja.FLAG_TRUE) // a new object takes it
	}
	return e
}

func (v *VM) atob(call goja.FunctionCall) goja.Value {
	text := strings.NewReplacer(" ", "", "\t", "", "\n", "", "\f", "", "\r", "").Replace(call.Argument(0).String())
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || (strings.HasSuffix(text, "=") && len(text)%4 != 0) {
		panic(v.invalidCharacter("The string to be decoded is not correctly encoded."))
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return v.Runtime.ToValue(string(r))
}
