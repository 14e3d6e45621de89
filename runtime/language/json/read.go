package json

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// reader reads what there is nothing wrong with, and no half of a surrogate pair in: goja's parser
// takes a microsecond for each value, in one step, and words the errors.
type reader struct {
	h      language.Host
	r      *goja.Runtime
	text   string
	at     int
	values int
	data   linear.Data
	names  map[string]unistring.String // most objects have those of others
	texts  [1 << textBits]known        // and many texts come again
}

// known is a text that was read, and what it became.
type known struct {
	text  string
	value goja.Value
}

const (
	textBits = 6
	// mostKnown is how long a text is, at most, that is looked for among those.
	mostKnown = 32
)

// mostNames is how many names are kept: objects that are maps have ever new ones.
const mostNames = 1000

// read gives what a text says; false if goja's parser is to say it.
func read(h language.Host, text string) (goja.Value, bool) {
	data, ok := linear.DataOf(h.Runtime())
	if !ok {
		return nil, false
	}
	d := &reader{h: h, r: h.Runtime(), data: data, text: text, names: map[string]unistring.String{}}
	value, ok := d.value()
	if d.space(); !ok || d.at != len(text) {
		return nil, false
	}
	return value, true
}

func (d *reader) space() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// next takes a character behind spaces, if it is there.
func (d *reader) next(c byte) bool {
	d.space()
	if d.at >= len(d.text) || d.text[d.at] != c {
		return false
	}
	d.at++
	return true
}

func (d *reader) word(word string, value goja.Value) (goja.Value, bool) {
	if !strings.HasPrefix(d.text[d.at:], word) {
		return nil, false
	}
	d.at += len(word)
	return value, true
}

func (d *reader) value() (goja.Value, bool) {
	if d.values++; d.values%language.Looked == 0 {
		d.h.Stop()
	}
	if d.space(); d.at >= len(d.text) {
		return nil, false
	}
	switch d.text[d.at] {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		text, ok := d.string()
		if !ok {
			return nil, false
		}
		return d.made(text), true
	case 't':
		return d.word("true", d.r.ToValue(true))
	case 'f':
		return d.word("false", d.r.ToValue(false))
	case 'n':
		return d.word("null", goja.Null())
	}
	return d.number()
}

// made is a text as a value: one that was there lately is the same.
func (d *reader) made(text string) goja.Value {
	if len(text) == 0 || len(text) > mostKnown {
		return linear.Text(text)
	}
	at := (uint(len(text)) + 7*uint(text[0]) + 31*uint(text[len(text)-1]) + 5*uint(text[len(text)/2])) % (1 << textBits)
	k := &d.texts[at]
	if k.value == nil || k.text != text {
		*k = known{text, linear.Text(text)}
	}
	return k.value
}

func (d *reader) object() (goja.Value, bool) {
	d.at++
	o := d.r.NewObject()
	if d.next('}') {
		return o, true
	}
	for {
		if d.space(); d.at >= len(d.text) || d.text[d.at] != '"' {
			return nil, false
		}
		name, ok := d.string()
		if !ok || !d.next(':') {
			return nil, false
		}
		value, ok := d.value()
		if !ok {
			return nil, false
		}
		linear.Put(o, d.name(name), value)
		switch {
		case d.next(','):
		case d.next('}'):
			return o, true
		default:
			return nil, false
		}
	}
}

func (d *reader) name(text string) unistring.String {
	name, known := d.names[text]
	if !known {
		text = strings.Clone(text)
		if name = unistring.NewFromString(text); len(d.names) < mostNames {
			d.names[text] = name
		}
	}
	return name
}

func (d *reader) array() (goja.Value, bool) {
	d.at++
	if d.next(']') {
		return linear.List(d.r, nil), true
	}
	var items []goja.Value
	for {
		value, ok := d.value()
		if !ok {
			return nil, false
		}
		items = append(items, value)
		switch {
		case d.next(','):
		case d.next(']'):
			return linear.List(d.r, items), true
		default:
			return nil, false
		}
	}
}

// string gives the text between quotes, a part of the whole if there is nothing to unescape.
func (d *reader) string() (string, bool) {
	d.at++
	ascii := true
	for from := d.at; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; {
		case c == '"':
			text := d.text[from:d.at]
			d.at++
			return text, ascii || utf8.ValidString(text)
		case c == '\\':
			return d.escaped(from)
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (d *reader) escaped(from int) (string, bool) {
	out := []byte(d.text[from:d.at])
	for d.at < len(d.text) {
		c := d.text[d.at]
		d.at++
		switch {
		case c == '"':
			return string(out), utf8.Valid(out)
		case c < ' ':
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		if d.at >= len(d.text) {
			return "", false
		}
		c = d.text[d.at]
		d.at++
		if plain, ok := escapes[c]; ok {
			out = append(out, plain)
			continue
		}
		if c != 'u' || d.at+4 > len(d.text) {
			return "", false
		}
		for _, digit := range []byte(d.text[d.at : d.at+4]) {
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(digit)) {
				return "", false
			}
		}
		unit, err := strconv.ParseUint(d.text[d.at:d.at+4], 16, 16)
		if d.at += 4; err != nil || unit >= 0xD800 && unit < 0xE000 {
			return "", false
		}
		out = utf8.AppendRune(out, rune(unit))
	}
	return "", false
}

// exact is how many digits a whole number may have that needs no rounding.
const exact = 15

func (d *reader) number() (goja.Value, bool) {
	from := d.at
	negative := d.text[d.at] == '-'
	if negative {
		d.at++
	}
	first, whole := d.at, true
	if d.digits() == 0 || d.text[first] == '0' && d.at > first+1 {
		return nil, false
	}
	digits := d.text[first:d.at]
	if d.at < len(d.text) && d.text[d.at] == '.' {
		whole = false
		if d.at++; d.digits() == 0 {
			return nil, false
		}
	}
	if d.at < len(d.text) && d.text[d.at]|0x20 == 'e' {
		whole = false
		if d.at++; d.at < len(d.text) && (d.text[d.at] == '+' || d.text[d.at] == '-') {
			d.at++
		}
		if d.digits() == 0 {
			return nil, false
		}
	}
	if whole && len(digits) <= exact {
		n := int64(0)
		for _, c := range []byte(digits) {
			n = 10*n + int64(c-'0')
		}
		if !negative {
			return d.data.Integer(n), true
		}
		if n != 0 {
			return d.data.Integer(-n), true
		}
		return d.r.ToValue(math.Copysign(0, -1)), true
	}
	f, err := strconv.ParseFloat(d.text[from:d.at], 64)
	if f != math.Trunc(f) && err == nil {
		return d.data.Double(f), true
	}
	return d.r.ToValue(f), err == nil
}

func (d *reader) digits() (n int) {
	for ; d.at < len(d.text) && d.text[d.at] >= '0' && d.text[d.at] <= '9'; d.at++ {
		n++
	}
	return n
}
