package json

import (
	"errors"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/library"
)

// maxNesting is how deep JSON may nest. goja's parser recurses, and a Go stack that overflows ends
// the process.
const maxNesting = 5000

// Host is the VM, which shows what an object has without running code of anybody's.
type Host interface {
	language.Host
	// Plain is a property's value if an object has it, or inherits it, without a getter; nil if
	// not.
	Plain(o *goja.Object, name string) goja.Value
}

// JSON is that of one runtime.
type JSON struct {
	h     Host
	lib   *library.Library
	parse language.Function // goja's, which is replaced where code can reach it
	out   stringifier
}

// New makes one, before anything of JSON is replaced.
func New(h Host, lib *library.Library) *JSON { return &JSON{h: h, lib: lib} }

// Install puts our functions in the places of goja's.
func (j *JSON) Install(class *goja.Object) error {
	j.nativeParse()
	return errors.Join(language.Wrap(j.h, class, "stringify", j.stringify),
		language.DefineFunction(j.h, class, "parse", 2, func(call goja.FunctionCall) goja.Value {
			return j.Parse(call.Argument(0), call.Argument(1))
		}))
}

// Parse is JSON.parse.
func (j *JSON) Parse(value, reviver goja.Value) goja.Value {
	text := language.Text(j.h, value)
	language.CheckBytes(j.h, "JSON.parse", float64(text.Length()))
	plain := text.String()
	depth, disguised := shape(plain)
	if depth > maxNesting {
		language.Throw(j.h, "SyntaxError", "JSON nests deeper than 5000")
	}
	_, isFunction := goja.AssertFunction(reviver)
	if !disguised && !isFunction {
		if value, ok := read(j.h, plain); ok {
			return value
		}
	}
	if wrong := refused(j.h, text); wrong != "" {
		language.Throw(j.h, "SyntaxError", wrong)
	}
	parse := j.nativeParse()
	if disguised || isFunction {
		r := j.h.Runtime()
		return j.lib.Late("json", "parseDisguised")(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{
			r.ToValue(parse), text, reviver, r.ToValue(disguised)}})
	}
	return parse(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{text, reviver}})
}

func (j *JSON) nativeParse() language.Function {
	if j.parse == nil {
		j.parse = language.Builtin(language.NativeObject(j.h, "JSON"), "parse")
	}
	return j.parse
}

// shape is the depth to which the text's arrays and objects nest, and whether there may be
// something in it that goja's parser gets wrong: halves of surrogate pairs, and numbers beyond
// those that there are, which are Infinity.
func shape(text string) (deepest int, disguised bool) {
	depth, beyond := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		default:
			if c < '0' || c > '9' {
				continue
			}
			from, exponent := i, false
			for i+1 < len(text) && strings.IndexByte("0123456789.eE+-", text[i+1]) >= 0 {
				i++
				exponent = exponent || text[i]|0x20 == 'e'
			}
			// The greatest number has 309 digits.
			if exponent || i-from >= 308 {
				_, err := strconv.ParseFloat(text[from:i+1], 64)
				beyond = beyond || errors.Is(err, strconv.ErrRange)
			}
		}
	}
	halves := strings.Contains(text, `\ud`) || strings.Contains(text, `\uD`) || strings.Contains(text, "\uFFFD")
	return deepest, halves || beyond
}
