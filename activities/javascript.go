package activities

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// typeOf is JavaScript's typeof for a JSON text, except that an array is "array". It looks at the
// first character only: the text is valid JSON wherever this is called, or is found not to be right
// after.
func typeOf(raw json.RawMessage) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "undefined"
	}
	switch raw[0] {
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case '{', 'n':
		return "object"
	case '[':
		return "array"
	default:
		return "number"
	}
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// describe names the type of a value for a person, who would not call null an object.
func describe(raw json.RawMessage) string {
	if isNull(raw) {
		return "null"
	}
	return typeOf(raw)
}

func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// numberOf reads a JSON number as JavaScript does: to the nearest double, to infinity beyond their
// range.
func numberOf(raw json.RawMessage) float64 {
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(raw)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return n
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// joinWords lists choices for a message.
func joinWords(words []string) string { return strings.Join(words, ", ") }

// value is a JSON value as JavaScript holds it: nil, bool, float64, string, []value or *object.
type value any

type object struct {
	keys   []string
	values map[string]value
}

// ordered returns the keys as JavaScript enumerates them: array indices first, ascending, the
// others as they were added.
func (o *object) ordered() []string {
	var indices, names []string
	for _, k := range o.keys {
		if isArrayIndex(k) {
			indices = append(indices, k)
		} else {
			names = append(names, k)
		}
	}
	slices.SortFunc(indices, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return append(indices, names...)
}

func isArrayIndex(k string) bool {
	n, err := strconv.ParseUint(k, 10, 32)
	return err == nil && n < math.MaxUint32 && strconv.FormatUint(n, 10) == k
}

func notJSON(err error) error { return fmt.Errorf("not valid JSON: %w", err) }

// parseJSON is JSON.parse. Nesting deeper than the 10,000 levels of encoding/json counts as
// invalid.
func parseJSON(text []byte) (value, error) {
	// Decoder.Token sees one token at a time and bounds no depth; Unmarshal's checker sees the
	// whole text and does.
	var checked json.RawMessage
	if err := json.Unmarshal(text, &checked); err != nil {
		return nil, notJSON(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseValue(d)
}

func parseValue(d *json.Decoder) (value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	switch t := t.(type) {
	case json.Number:
		return numberOf(json.RawMessage(t)), nil
	case json.Delim:
		if t == '[' {
			return parseArray(d)
		}
		return parseObject(d)
	default:
		return t, nil
	}
}

func parseArray(d *json.Decoder) (value, error) {
	list := []value{}
	for d.More() {
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, closing(d)
}

func parseObject(d *json.Decoder) (value, error) {
	o := &object{values: map[string]value{}}
	for d.More() {
		key, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		k, _ := key.(string)
		if _, again := o.values[k]; !again {
			o.keys = append(o.keys, k)
		}
		o.values[k] = v
	}
	return o, closing(d)
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return notJSON(err)
	}
	return nil
}

// stringify is JSON.stringify(v, null, indent): indent 0 writes no space at all. It gives up, and
// says so, once the text is longer than limit: ten thousand nested arrays are 20 KB, and 200 MB
// when indented.
func stringify(v value, indent, limit int) (text string, ok bool) {
	p := printer{step: strings.Repeat(" ", indent), limit: limit}
	p.value(v, "")
	return p.b.String(), !p.full()
}

type printer struct {
	b     strings.Builder
	step  string
	limit int
}

func (p *printer) full() bool { return p.b.Len() > p.limit }

func (p *printer) value(v value, margin string) {
	switch v := v.(type) {
	case nil:
		p.b.WriteString("null")
	case bool:
		p.b.WriteString(strconv.FormatBool(v))
	case float64:
		p.b.WriteString(numberText(v))
	case string:
		p.text(v)
	case []value:
		p.list('[', ']', len(v), margin, func(i int, margin string) {
			p.value(v[i], margin)
		})
	case *object:
		keys := v.ordered()
		p.list('{', '}', len(keys), margin, func(i int, margin string) {
			p.text(keys[i])
			p.b.WriteByte(':')
			if p.step != "" {
				p.b.WriteByte(' ')
			}
			p.value(v.values[keys[i]], margin)
		})
	}
}

func (p *printer) list(first, last byte, n int, margin string, item func(i int, margin string)) {
	p.b.WriteByte(first)
	inner := margin + p.step
	for i := 0; i < n && !p.full(); i++ {
		if i > 0 {
			p.b.WriteByte(',')
		}
		if p.step != "" {
			p.b.WriteString("\n" + inner)
		}
		item(i, inner)
	}
	if n > 0 && p.step != "" {
		p.b.WriteString("\n" + margin)
	}
	p.b.WriteByte(last)
}

// text escapes what JSON.stringify escapes and nothing more (encoding/json also escapes U+2028).
func (p *printer) text(s string) {
	const hex = "0123456789abcdef"
	p.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			p.b.WriteByte('\\')
			p.b.WriteRune(r)
		case r == '\n':
			p.b.WriteString(`\n`)
		case r == '\r':
			p.b.WriteString(`\r`)
		case r == '\t':
			p.b.WriteString(`\t`)
		case r == '\b':
			p.b.WriteString(`\b`)
		case r == '\f':
			p.b.WriteString(`\f`)
		case r < ' ':
			p.b.WriteString(`\u00`)
			p.b.WriteByte(hex[r>>4])
			p.b.WriteByte(hex[r&0xf])
		default:
			p.b.WriteRune(r)
		}
	}
	p.b.WriteByte('"')
}

// numberText is a number in JSON as JavaScript prints it; JSON has no infinity, so it becomes null.
func numberText(n float64) string {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return "null"
	}
	if n == 0 { // minus zero loses its sign
		return "0"
	}
	text, _ := json.Marshal(n) // encoding/json prints numbers by ECMAScript's rules
	return string(text)
}
