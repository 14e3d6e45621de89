package wording

import (
	"errors"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// classes are those of the errors that are worded.
var classes = []string{"TypeError", "ReferenceError", "RangeError", "URIError"}

// Install has the commonest errors say what V8's do: people search for those, and goja's say
// undefined of null. They are worded where they are made, so that the message, the stack and a
// failure agree.
func Install(h Host) error {
	for _, name := range classes {
		construct := h.Construct(language.NativeObject(h, name))
		if construct == nil {
			return errors.New(name + " is no constructor")
		}
		original := *construct
		*construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object {
			if len(args) == 1 {
				if text, ok := args[0].(goja.String); ok {
					if worded := worded(h, name, text.String()); worded != "" {
						args = []goja.Value{h.Runtime().ToValue(worded)}
					}
				}
			}
			return original(args, newTarget)
		}
	}
	return guardCallees(h)
}

// worded is what V8 says; "" for all else.
func worded(h Host, class, text string) string {
	f := failingIn(h)
	if f.authored() {
		return ""
	}
	if class == "ReferenceError" {
		return f.reference(text)
	}
	if text := fixedWords(text); text != "" {
		return text
	}
	if text := f.worded(text); text != "" {
		return text
	}
	if rest, ok := strings.CutPrefix(text, "Cannot read property '"); ok {
		name, ok := strings.CutSuffix(strings.TrimSuffix(rest, " or null"), "' of undefined")
		if of := f.nullish(); ok && of != nil {
			if symbol, isSymbol := f.top(0).(*goja.Symbol); isSymbol || wellKnown(name) {
				return noSymbol(of, name, symbol)
			}
			return "Cannot read properties of " + of.String() + " (reading '" + name + "')"
		}
	}
	if rest, ok := strings.CutPrefix(text, "Object has no member '"); ok && strings.HasSuffix(rest, "'") {
		return "(intermediate value)." + rest[:len(rest)-1] + " is not a function"
	}
	for _, prefix := range []string{"Not a function: ", "Value is not callable: "} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return rest + " is not a function"
		}
	}
	return ""
}

// wellKnown tells the name of one of the language's symbols, which goja shows as their description.
func wellKnown(name string) bool { return name == "Symbol.iterator" || name == "Symbol.asyncIterator" }

// noSymbol words that a symbol can't be read of null or undefined.
func noSymbol(of goja.Value, name string, symbol *goja.Symbol) string {
	if symbol != nil {
		name = symbol.String()
	}
	switch {
	case name != "Symbol.iterator":
		return "Cannot read properties of " + of.String() + " (reading 'Symbol(" + name + ")')"
	case goja.IsNull(of):
		return "object null is not iterable (cannot read property Symbol(Symbol.iterator))"
	}
	return "undefined is not iterable (cannot read property Symbol(Symbol.iterator))"
}
