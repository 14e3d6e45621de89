package wording

import (
	"strings"

	"github.com/dop251/goja"
)

// fixed are goja's words, and V8's, where nothing else tells more.
var fixed = map[string]string{
	"Malformed URI": "URI malformed",
	"The normalization form should be one of NFC, NFD, NFKC, NFKD": "The normalization form should be one of NFC, NFD, NFKC, NFKD.",
	"toFixed() precision must be between 0 and 100":                "toFixed() digits argument must be between 0 and 100",
	"toPrecision() precision must be between 1 and 100":            "toPrecision() argument must be between 1 and 100",
	"toExponential() precision must be between 0 and 100":          "toExponential() argument must be between 0 and 100",
	"Constructor Promise requires 'new'":                           "Promise constructor cannot be invoked without 'new'",
	"Illegal generator state":                                      "Generator is already running",
	"Source is too large":                                          "offset is out of bounds",
	"offset should be >= 0":                                        "offset is out of bounds",
}

// fixedWords is what V8 says where nothing has to be known but goja's words; "" for all else.
func fixedWords(text string) string {
	if words, ok := fixed[text]; ok {
		return words
	}
	if value, ok := strings.CutPrefix(text, "Cannot convert "); ok {
		if number, ok := strings.CutSuffix(value, " to a BigInt"); ok && numeric(number) {
			return "The number " + number + " cannot be converted to a BigInt because it is not an integer"
		}
	}
	for _, what := range []string{"Byte length", "Start offset"} {
		if rest, ok := strings.CutPrefix(text, what+" of "); ok && strings.Contains(rest, "should be a multiple of ") {
			return strings.ToLower(what) + " of " + rest
		}
	}
	return ""
}

// numeric tells a number's text from an expression of code.
func numeric(text string) bool {
	return text == "NaN" || strings.TrimSuffix(text, "Infinity") == "" || text == "-Infinity" || strings.Trim(text, "0123456789.e+-") == "" && text != ""
}

// refused words what a builtin doesn't take.
func (f failing) refused(name, text string) string {
	_, arguments := f.arguments()
	var first goja.Value
	if len(arguments) > 0 {
		first = arguments[0]
	}
	notObject := strings.HasPrefix(text, "Value is not an object: ")
	switch {
	case text == "Invalid count value" && first != nil:
		if n := first.ToFloat(); n != 0 {
			return text + ": " + first.String()
		}
	case text == "Cannot convert undefined or null to object" && name == "from" && first != nil && (goja.IsNull(first) || goja.IsUndefined(first)):
		return f.notIterable("object is not iterable", first)
	case notObject && name == "set" && len(arguments) == 2: // of a WeakMap
		return "Invalid value used as weak map key"
	case notObject && name == "add":
		return "Invalid value used in weak set"
	case notObject && name != "apply" && name != "construct" && f.reflects(name):
		return "Reflect." + name + " called on non-object"
	}
	return ""
}

// reflects tells that a method of Reflect fails.
func (f failing) reflects(name string) bool {
	callee, _ := f.arguments()
	o, ok := f.h.Native().Get("Reflect").(*goja.Object)
	return ok && callee != nil && f.h.Plain(o, name) == callee
}
