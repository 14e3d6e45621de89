package wording

import (
	"regexp"
	"slices"
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
	if strings.HasPrefix(text, "Could not convert &{") { // goja's own insides
		return "Cannot convert object to primitive value"
	}
	if value, ok := strings.CutPrefix(text, "Cannot convert "); ok {
		if number, ok := strings.CutSuffix(value, " to a BigInt"); ok && numeric(number) && strings.Trim(number, "-0123456789") != "" {
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
	case text == "Cannot convert undefined or null to object" && slices.Contains(takePromises, name) && (first == nil || goja.IsUndefined(first)):
		return f.notIterable("object is not iterable", goja.Undefined())
	case name == "with" && strings.HasPrefix(text, "Invalid index "):
		return strings.Replace(text, "Invalid index ", "Invalid index : ", 1)
	case name == "setPrototypeOf" && text == "[object Object] is not extensible":
		return inspected(f.h, first) + " is not extensible"
	case strings.HasPrefix(text, "Index ") && strings.HasSuffix(text, " is out of bounds") && viewed.MatchString(name):
		return "Offset is outside the bounds of the DataView"
	case notObject && (name == "construct" || name == "apply") && f.reflects(name):
		return f.reflected(name, text, arguments)
	case notObject && name == "set" && len(arguments) == 2: // of a WeakMap
		return "Invalid value used as weak map key"
	case notObject && name == "add":
		return "Invalid value used in weak set"
	case notObject && name != "apply" && name != "construct" && f.reflects(name):
		return "Reflect." + name + " called on non-object"
	}
	return ""
}

// takePromises are Promise's functions that go through what they are given.
var takePromises = []string{"all", "allSettled", "any", "race"}

// viewed are DataView's methods.
var viewed = regexp.MustCompile(`^[gs]et(Big)?(Int|Uint|Float)\d+$`)

// reflected words what Reflect's construct and apply refuse.
func (f failing) reflected(name, text string, arguments []goja.Value) string {
	refused := strings.TrimPrefix(text, "Value is not an object: ")
	is := func(n int) bool {
		if n >= len(arguments) {
			return refused == "undefined"
		}
		_, isObject := arguments[n].(*goja.Object)
		return !isObject && inspected(f.h, arguments[n]) == refused
	}
	last := 2
	if name == "construct" {
		last = 1
		if is(0) || len(arguments) > 2 && is(2) {
			return refused + " is not a constructor"
		}
	}
	if is(last) {
		return "CreateListFromArrayLike called on non-object"
	}
	return ""
}

// reflects tells that a method of Reflect fails.
func (f failing) reflects(name string) bool {
	callee, _ := f.arguments()
	o, ok := f.h.Native().Get("Reflect").(*goja.Object)
	return ok && callee != nil && f.h.Plain(o, name) == callee
}
