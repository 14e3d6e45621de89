package language

import (
	"strings"
	"unicode/utf8"
)

// OfUTF8 reads UTF-8 as the web's standard has it, and Node: what is none becomes one U+FFFD for
// each part that could have become a character, where Go gives one for each byte.
func OfUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	s.Grow(len(b) + len(b)/2)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = max(1, Begun(b))
		}
		s.WriteRune(r)
		b = b[size:]
	}
	return s.String()
}

// Begun is how many bytes in front are a beginning of a character that isn't complete: 0 if there is
// none, or a whole one.
func Begun(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	least, most, length := byte(0x80), byte(0xbf), 0 // of the second byte; of the character
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		length = 2
	case c >= 0xe0 && c <= 0xef:
		length = 3
	case c >= 0xf0 && c <= 0xf4:
		length = 4
	}
	switch b[0] {
	case 0xe0:
		least = 0xa0
	case 0xed: // no surrogates
		most = 0x9f
	case 0xf0:
		least = 0x90
	case 0xf4: // nothing beyond U+10FFFF
		most = 0x8f
	}
	for n := 1; n < length; n++ {
		if n == len(b) || b[n] < least || b[n] > most {
			return n
		}
		least, most = 0x80, 0xbf
	}
	return 0
}

// Unfinished is how many bytes at the end may become a character with those that follow.
func Unfinished(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if tail := b[len(b)-back:]; Begun(tail) == back {
			return back
		}
	}
	return 0
}
