package json

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ftoa"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// writer writes plain data: what no code of anybody's is asked about. goja's own takes a microsecond
// for each value.
type writer struct {
	h      Host
	data   linear.Data
	out    []byte
	wide   bool   // not all is ASCII
	gap    string // by which a level is indented
	path   []goja.Value
	bytes  float64
	growth language.Growth
	values int
}

// mostPlain is how deep plain data nests, at most. What nests deeper may have no end.
const mostPlain = 200

// toJSON is what an object says by how it is written.
const toJSON = unistring.String("toJSON")

// write is JSON.stringify of plain data; false for all else, which is to be done from the start.
func (j *JSON) write(call goja.FunctionCall) (goja.Value, bool) {
	if _, replaced := call.Argument(1).(*goja.Object); replaced {
		return nil, false
	}
	if _, isObject := call.Argument(0).(*goja.Object); !isObject {
		return nil, false
	}
	gap, ok := gapOf(call.Argument(2))
	if !ok || gap != "" && j.h.Former().Builtins {
		return nil, false
	}
	data, ok := linear.DataOf(j.h.Runtime())
	if !ok || !data.Lacks(toJSON) {
		return nil, false
	}
	w := &writer{h: j.h, data: data, gap: gap}
	if written, ok := w.value(call.Argument(0)); !ok || !written {
		return nil, false
	}
	return linear.Made(w.out, !w.wide), true
}

// gapOf is what stringify's third argument says; false if that is to be looked at more closely.
func gapOf(space goja.Value) (string, bool) {
	if goja.IsUndefined(space) || goja.IsNull(space) {
		return "", true
	}
	if n, ok := linear.Whole(space); ok {
		return strings.Repeat(" ", int(min(max(n, 0), 10))), true
	}
	if text, ok := linear.Bytes(space); ok {
		return text[:min(len(text), 10)], true
	}
	return "", false
}

// value writes one. written is false for what JSON has no form for, ok for what isn't plain data.
func (w *writer) value(v goja.Value) (written, ok bool) {
	if w.values++; w.values%language.Looked == 0 {
		w.h.Stop()
	}
	w.bytes += float64(2 + len(w.gap)*len(w.path))
	if n, isWhole := linear.Whole(v); isWhole {
		w.out = strconv.AppendInt(w.out, n, 10)
	} else if text, isBytes := linear.Bytes(v); isBytes {
		w.bytes += float64(len(text))
		w.quoteBytes(text)
	} else if o, isObject := v.(*goja.Object); isObject {
		return w.object(o)
	} else if units, isUnits := linear.Units(v); isUnits {
		w.bytes += float64(len(units))
		w.quoteUnits(units)
	} else if f, isFraction := linear.Fraction(v); isFraction {
		w.number(f)
	} else if goja.IsNull(v) {
		w.out = append(w.out, "null"...)
	} else if goja.IsUndefined(v) {
		return false, true
	} else if b, isBool := v.Export().(bool); isBool {
		w.out = strconv.AppendBool(w.out, b)
	} else {
		return false, false
	}
	w.bytes += 4
	w.growth.Check(w.h, "JSON.stringify", w.bytes)
	return true, true
}

func (w *writer) number(f float64) {
	switch {
	case f-f != 0:
		w.out = append(w.out, "null"...)
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		w.out = strconv.AppendInt(w.out, int64(f), 10)
	default:
		w.out = ftoa.FToStr(f, ftoa.ModeStandard, 0, w.out)
	}
}

func (w *writer) object(o *goja.Object) (written, ok bool) {
	v := goja.Value(o)
	if len(w.path) >= mostPlain || slices.Contains(w.path, v) {
		return false, false
	}
	items, isArray := w.data.Items(v, toJSON)
	if isArray {
		w.growth.Check(w.h, "JSON.stringify", w.bytes)
		language.Bound(w.h, "JSON.stringify", w.bytes+2*float64(len(items)))
		w.path = append(w.path, v)
		ok = w.list(items)
	} else {
		names, values, plain := w.data.Fields(v, toJSON)
		if !plain {
			return false, false
		}
		w.growth.Check(w.h, "JSON.stringify", w.bytes)
		w.path = append(w.path, v)
		ok = w.fields(names, values)
	}
	w.path = w.path[:len(w.path)-1]
	return true, ok
}

func (w *writer) list(items []goja.Value) bool {
	w.out = append(w.out, '[')
	for i, item := range items {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.line(0)
		written, ok := w.value(item)
		if !ok {
			return false
		}
		if !written {
			w.out = append(w.out, "null"...)
		}
	}
	if len(items) > 0 {
		w.line(1)
	}
	w.out = append(w.out, ']')
	return true
}

func (w *writer) fields(names []unistring.String, values map[unistring.String]goja.Value) bool {
	w.out = append(w.out, '{')
	some := false
	for _, name := range names {
		value, hidden, plain := linear.Field(values[name])
		if hidden {
			continue
		}
		if !plain {
			return false
		}
		before, wide := len(w.out), w.wide
		if some {
			w.out = append(w.out, ',')
		}
		w.line(0)
		if units := name.AsUtf16(); units != nil {
			w.bytes += float64(len(units) - 1)
			w.quoteUnits(units[1:])
		} else {
			w.bytes += float64(len(name))
			w.quoteBytes(string(name))
		}
		if w.out = append(w.out, ':'); w.gap != "" {
			w.out = append(w.out, ' ')
		}
		written, ok := w.value(value)
		if !ok {
			return false
		}
		if written {
			some = true
		} else {
			w.out, w.wide = w.out[:before], wide
		}
	}
	if some {
		w.line(1)
	}
	w.out = append(w.out, '}')
	return true
}

// line begins a new one, if there is to be one, so many levels further out.
func (w *writer) line(out int) {
	if w.gap == "" {
		return
	}
	w.out = append(w.out, '\n')
	for range len(w.path) - out {
		w.out = append(w.out, w.gap...)
	}
}

func (w *writer) quoteBytes(s string) {
	w.out = append(w.out, '"')
	from := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			w.out = append(w.out, s[from:i]...)
			w.escape(uint16(c))
			from = i + 1
		}
	}
	w.out = append(append(w.out, s[from:]...), '"')
}

func (w *writer) quoteUnits(units []uint16) {
	w.out = append(w.out, '"')
	for i := 0; i < len(units); i++ {
		switch u := units[i]; {
		case u < ' ' || u == '"' || u == '\\':
			w.escape(u)
		case u < utf8.RuneSelf:
			w.out = append(w.out, byte(u))
		case utf16.IsSurrogate(rune(u)):
			if i+1 < len(units) {
				if r := utf16.DecodeRune(rune(u), rune(units[i+1])); r != utf8.RuneError {
					w.out, w.wide = utf8.AppendRune(w.out, r), true
					i++
					continue
				}
			}
			w.escape(u)
		default:
			w.out, w.wide = utf8.AppendRune(w.out, rune(u)), true
		}
	}
	w.out = append(w.out, '"')
}

const digits = "0123456789abcdef"

func (w *writer) escape(u uint16) {
	switch u {
	case '"', '\\':
		w.out = append(w.out, '\\', byte(u))
	case '\b':
		w.out = append(w.out, `\b`...)
	case '\t':
		w.out = append(w.out, `\t`...)
	case '\n':
		w.out = append(w.out, `\n`...)
	case '\f':
		w.out = append(w.out, `\f`...)
	case '\r':
		w.out = append(w.out, `\r`...)
	default:
		w.out = append(w.out, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
	}
}
