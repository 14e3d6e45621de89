package sandbox

import (
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// maxNesting is how deep JSON may nest. goja's parser recurses, and a Go stack that overflows ends the process.
const maxNesting = 5000

// parseJSON is JSON.parse.
func (v *VM) parseJSON(value, reviver goja.Value) goja.Value {
	text := language.Text(v.host, value)
	language.CheckBytes(v.host, "JSON.parse", float64(text.Length()))
	depth, halves := jsonShape(text.String())
	if depth > maxNesting {
		language.Throw(v.host, "SyntaxError", "JSON nests deeper than 5000")
	}
	parse := v.nativeParse()
	if _, isFunction := goja.AssertFunction(reviver); halves || isFunction {
		return v.late("json", "parseHalves")(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{
			v.Runtime.ToValue(parse), text, reviver, v.Runtime.ToValue(halves)}})
	}
	return parse(goja.FunctionCall{This: goja.Undefined(), Arguments: []goja.Value{text, reviver}})
}

// nativeParse is goja's JSON.parse, which is replaced where code can reach it.
func (v *VM) nativeParse() func(goja.FunctionCall) goja.Value {
	if v.jsonParse == nil {
		v.jsonParse = language.Builtin(v.native.Get("JSON").ToObject(v.Runtime), "parse")
	}
	return v.jsonParse
}

// jsonShape is the depth to which the text's arrays and objects nest, and whether there may be halves of surrogate pairs in it.
func jsonShape(text string) (deepest int, halves bool) {
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
