package regexp

import (
	"reflect"
	"unicode/utf16"
	"unsafe"

	"github.com/dop251/goja"
)

// goja's three kinds of strings: of ASCII alone, of UTF-16, and of Go's, of which it doesn't know
// yet.
var (
	asciiString   = reflect.TypeOf(goja.StringFromUTF16([]uint16{'a'}))
	unicodeString = reflect.TypeOf(goja.StringFromUTF16([]uint16{0xe9}))
	units16       = reflect.TypeFor[[]uint16]()
)

// view is a string for the machine: bytes, if it is one of ASCII, else units. Neither is a copy,
// and neither may be changed.
func (r *RegExps) view(s goja.String) (narrow []byte, wide []uint16) {
	switch reflect.TypeOf(s) {
	case asciiString:
		return asBytes(s.String()), nil
	case unicodeString:
		units, ok := reflect.ValueOf(s).Convert(units16).Interface().([]uint16)
		if ok && len(units) > 0 {
			return nil, units[1:] // behind the mark that goja puts before them
		}
	}
	text := s.String()
	if s.Length() == len(text) {
		return asBytes(text), nil
	}
	// Code that goes through a text match by match must not pay for all of it each time.
	if r.imported != goja.Value(s) {
		r.imported, r.wide = s, utf16.Encode([]rune(text))
	}
	return nil, r.wide
}

// asBytes shows a string's bytes without copying them.
func asBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// units is a string in UTF-16.
func (r *RegExps) units(s goja.String) []uint16 {
	narrow, wide := r.view(s)
	if wide != nil {
		return wide
	}
	out := make([]uint16, len(narrow))
	for i, c := range narrow {
		out[i] = uint16(c)
	}
	return out
}

// advance is the place after the next character.
func advance(s goja.String, at int, fullUnicode bool) int {
	if fullUnicode && at+1 < s.Length() && utf16.IsSurrogate(rune(s.CharAt(at))) && s.CharAt(at) < 0xdc00 {
		if c := s.CharAt(at + 1); c >= 0xdc00 && c < 0xe000 {
			return at + 2
		}
	}
	return at + 1
}

// replacement is the text that a match is replaced by, with what stands for parts of the match.
type replacement struct {
	text  goja.String
	plain bool // nothing stands for anything
}

func newReplacement(text goja.String) replacement {
	for i := range text.Length() {
		if text.CharAt(i) == '$' {
			return replacement{text, false}
		}
	}
	return replacement{text, true}
}

// write appends the text for one match. group gives a captured group, nil if it took no part; named
// the group of a name, if there are names.
func (t replacement) write(b *goja.StringBuilder, s goja.String, from, to, groups int, group func(int) goja.String, named func(goja.String) goja.String) {
	if t.plain {
		b.WriteString(t.text)
		return
	}
	text, n := t.text, t.text.Length()
	plain := 0 // from where on nothing was written
	flush := func(end int) {
		if end > plain {
			b.WriteSubstring(text, plain, end)
		}
	}
	for i := 0; i+1 < n; i++ {
		if text.CharAt(i) != '$' {
			continue
		}
		var part goja.String
		size := 2
		switch c := text.CharAt(i + 1); {
		case c == '$':
			part = text.Substring(i, i+1)
		case c == '&':
			part = s.Substring(from, to)
		case c == '`':
			part = s.Substring(0, from)
		case c == '\'':
			part = s.Substring(min(to, s.Length()), s.Length())
		case c >= '0' && c <= '9':
			index := int(c - '0')
			if i+2 < n {
				if d := text.CharAt(i + 2); d >= '0' && d <= '9' && index*10+int(d-'0') < groups && index*10+int(d-'0') > 0 {
					index = index*10 + int(d-'0')
					size = 3
				}
			}
			if index == 0 || index >= groups {
				continue
			}
			part = group(index)
		case c == '<' && named != nil:
			end := i + 2
			for end < n && text.CharAt(end) != '>' {
				end++
			}
			if end == n {
				continue
			}
			part = named(text.Substring(i+2, end))
			size = end + 1 - i
		default:
			continue
		}
		flush(i)
		if part != nil {
			b.WriteString(part)
		}
		plain = i + size
		i = plain - 1
	}
	flush(n)
}
