package language

import (
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// Octets are a text's characters as a byte each: the lower one of those that take two. fits tells
// that there were none of these.
func Octets(text goja.String) (b []byte, fits bool) {
	n := text.Length()
	if s := text.String(); len(s) == n { // a byte for each of its units: ASCII
		return []byte(s), true
	}
	b, fits = make([]byte, n), true
	for i := range b {
		unit := text.CharAt(i)
		b[i] = byte(unit) //nolint:gosec // as the encoding has it
		fits = fits && unit <= 0xff
	}
	return b, fits
}

// OfOctets is the text that has a character for each byte.
func OfOctets(r *goja.Runtime, b []byte) goja.Value {
	beyond := 0
	for _, c := range b {
		if c >= utf8.RuneSelf {
			beyond++
		}
	}
	if beyond == 0 {
		return r.ToValue(string(b))
	}
	var s strings.Builder
	s.Grow(len(b) + beyond)
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return r.ToValue(s.String())
}
