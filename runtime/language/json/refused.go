package json

import (
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// refusal finds what is wrong with a text, where V8 finds it and in its words: code tells people,
// and histories, what a server or a model answered in the place of JSON.
type refusal struct {
	h      language.Host
	text   goja.String
	length int
	at     int
	what   string // is wrong
}

// refused says what is wrong with a text; "" if it is JSON. The depth is bounded before.
func refused(h language.Host, text goja.String) string {
	r := &refusal{h: h, text: text, length: text.Length()}
	if r.value() && r.space() != end {
		r.wrong(afterJSON)
	}
	return r.what
}

// end is what there is behind the text.
const end = -1

// here is the character that is next.
func (r *refusal) here() int {
	if r.at >= r.length {
		return end
	}
	return int(r.text.CharAt(r.at))
}

// next takes a character and gives the one behind it.
func (r *refusal) next() int {
	if r.at++; r.at%language.Looked == 0 {
		r.h.Stop()
	}
	return r.here()
}

// space goes to what is next, and gives it.
func (r *refusal) space() int {
	c := r.here()
	for c == ' ' || c == '\t' || c == '\n' || c == '\r' {
		c = r.next()
	}
	return c
}

// wrong says what is wrong with the character that is next. It gives false.
func (r *refusal) wrong(what string) bool {
	where := " in JSON"
	if what == afterJSON {
		where = ""
	}
	r.what = fmt.Sprintf("%s%s at position %d", what, where, r.at)
	return false
}

const afterJSON = "Unexpected non-whitespace character after JSON"

// special are what people pass in the place of texts.
var special = []string{"[object Object]", "NaN", "Infinity", "undefined"}

// context is how much of the text is shown before and behind what is wrong.
const context = 10

// unexpected says that the character that is next is none that may be there. It gives false.
func (r *refusal) unexpected() bool {
	switch c := r.here(); {
	case c == end:
		r.what = "Unexpected end of JSON input"
		return false
	case isDigit(c) || c == '-':
		return r.wrong("Unexpected number")
	case c == '"':
		return r.wrong("Unexpected string")
	}
	if r.length <= len(special[0]) && slices.Contains(special, r.text.String()) {
		r.what = `"` + r.text.String() + `" is not valid JSON`
		return false
	}
	from, to, before, behind := 0, r.length, "", ""
	if r.length > 2*context {
		if r.at >= context {
			from, before = r.at-context, "..."
		}
		if r.at < context || r.at < r.length-context {
			to, behind = r.at+context, "..."
		}
	}
	r.what = "Unexpected token '" + r.part(r.at, r.at+1) + "', " + before + `"` + r.part(from, to) + `"` + behind + " is not valid JSON"
	return false
}

func (r *refusal) part(from, to int) string {
	units := make([]uint16, 0, to-from)
	for i := from; i < to; i++ {
		units = append(units, r.text.CharAt(i))
	}
	return string(utf16.Decode(units))
}

func (r *refusal) value() bool {
	switch c := r.space(); c {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		return r.string()
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	default:
		if isDigit(c) || c == '-' {
			return r.number()
		}
		return r.unexpected()
	}
}

func (r *refusal) object() bool {
	r.next()
	if c := r.space(); c == '}' {
		r.next()
		return true
	} else if c != '"' {
		return r.wrong("Expected property name or '}'")
	}
	for {
		if !r.string() {
			return false
		}
		if r.space() != ':' {
			return r.wrong("Expected ':' after property name")
		}
		r.next()
		if !r.value() {
			return false
		}
		switch r.space() {
		case '}':
			r.next()
			return true
		case ',':
			r.next()
		default:
			return r.wrong("Expected ',' or '}' after property value")
		}
		if r.space() != '"' {
			return r.wrong("Expected double-quoted property name")
		}
	}
}

func (r *refusal) array() bool {
	r.next()
	if r.space() == ']' {
		r.next()
		return true
	}
	for {
		if !r.value() {
			return false
		}
		switch r.space() {
		case ']':
			r.next()
			return true
		case ',':
			r.next()
		default:
			return r.wrong("Expected ',' or ']' after array element")
		}
	}
}

func (r *refusal) word(word string) bool {
	for i := range len(word) {
		if i > 0 && r.here() != int(word[i]) {
			return r.unexpected()
		}
		r.next()
	}
	return true
}

func (r *refusal) string() bool {
	for {
		switch c := r.next(); {
		case c == '"':
			r.next()
			return true
		case c == end:
			return r.wrong("Unterminated string")
		case c < ' ':
			return r.wrong("Bad control character in string literal")
		case c == '\\' && !r.escape():
			return false
		}
	}
}

// escape stays on its last character.
func (r *refusal) escape() bool {
	switch r.next() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if c := r.next(); !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return r.wrong("Bad Unicode escape")
			}
		}
		return true
	case end:
		return r.unexpected()
	}
	return r.wrong("Bad escaped character")
}

func (r *refusal) number() bool {
	c := r.here()
	if c == '-' {
		if c = r.next(); !isDigit(c) {
			return r.wrong("No number after minus sign")
		}
	}
	if c == '0' {
		if c = r.next(); isDigit(c) {
			return r.wrong("Unexpected number")
		}
	} else {
		c = r.digits()
	}
	if c == '.' {
		if !isDigit(r.next()) {
			return r.wrong("Unterminated fractional number")
		}
		c = r.digits()
	}
	if c == 'e' || c == 'E' {
		if c = r.next(); c == '+' || c == '-' {
			c = r.next()
		}
		if !isDigit(c) {
			return r.wrong("Exponent part is missing a number")
		}
		r.digits()
	}
	return true
}

// digits gives what is behind them.
func (r *refusal) digits() int {
	c := r.here()
	for isDigit(c) {
		c = r.next()
	}
	return c
}

func isDigit(c int) bool { return c >= '0' && c <= '9' }
