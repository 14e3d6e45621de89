package json

import (
	"errors"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/library"
)

// maxNesting is how deep JSON may nest. goja's parser recurses, and a Go stack that overflows ends the process.
const maxNesting = 5000

// JSON is that of one runtime.
type JSON struct {
	h     language.Host
	lib   *library.Library
	parse language.Function // goja's, which is replaced where code can reach it
	out   stringifier
}

// New makes one, before anything of JSON is replaced.
func New(h language.Host, lib *library.Library) *JSON { return &JSON{h: h, lib: lib} }

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
	depth, halves := shape(text.String())
	if depth > maxNesting {
		language.Throw(j.h, "SyntaxError", "JSON nests deeper than 5000")
	}
	parse := j.nativeParse()
	if _, isFunction := goja.AssertFunction(reviver); halves || isFunction {
		r := j.h.Runtime()
		return j.lib.Late("json", "parseHalves")(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{
			r.ToValue(parse), text, reviver, r.ToValue(halves)}})
	}
	return parse(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{text, reviver}})
}

func (j *JSON) nativeParse() language.Function {
	if j.parse == nil {
		j.parse = language.Builtin(language.NativeObject(j.h, "JSON"), "parse")
	}
	return j.parse
}

// shape is the depth to which the text's arrays and objects nest, and whether there may be halves of surrogate pairs in it.
func shape(text string) (deepest int, halves bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
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
		}
	}
	return deepest, strings.Contains(text, `\ud`) || strings.Contains(text, `\uD`) || strings.Contains(text, "\uFFFD")
}
