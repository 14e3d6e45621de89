package wording

import (
	"slices"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/called"
)

// worded is what V8 says where it names expressions; "" for all else.
func (f failing) worded(text string) string {
	switch {
	case f.calls():
		return f.call(text)
	case f.makes():
		return f.construct(text)
	case f.name == "":
		return f.builtin(text)
	case strings.HasPrefix(f.name, "set") && !strings.HasPrefix(f.name, "setPrivate"):
		if worded := f.assignment(text); worded != "" {
			return worded
		}
	case f.name == "iterate":
		return f.takenArray(text)
	case f.name == "iterateP" || f.name == "pushArraySpread" || f.name == "pushSpread":
		return f.iteration(text)
	case text == "Value is not object coercible":
		return f.taken()
	case strings.HasPrefix(f.name, "getPropRef") && text == "Cannot convert undefined or null to object":
		if object := f.top(0); nothing(object) {
			if t := f.texts(); t != nil && t.Logical[f.at] {
				return "Cannot read properties of " + object.String() + " (reading '" + f.nameOf() + "')"
			}
			return "Cannot set properties of " + object.String() + " (setting '" + f.nameOf() + "')"
		}
	}
	return f.operator(text)
}

// noFunction tells how goja says that something can't be called.
func noFunction(text string) bool {
	return slices.ContainsFunc([]string{"Object has no member '", "Value is not an object: ", "Not a function: "}, func(prefix string) bool {
		return strings.HasPrefix(text, prefix)
	})
}

// asyncIterated is the call by which what for await goes through gives its iterator.
const asyncIterated = "obj[__knownSymbol(...)]"

func (f failing) call(text string) string {
	callee, _ := f.arguments()
	if text == "Class constructor cannot be invoked without 'new'" {
		return classCalled(f.h, callee)
	}
	if !noFunction(text) {
		return ""
	}
	if name := f.callee(); name == asyncIterated {
		return "Object is not async iterable"
	} else if name != "" {
		return name + " is not a function"
	}
	if strings.HasPrefix(text, "Object has no member '") {
		return "" // is worded by what it says
	}
	return inspected(f.h, callee) + " is not a function"
}

func classCalled(h Host, class goja.Value) string {
	if o, ok := class.(*goja.Object); ok {
		if name, ok := h.Plain(o, "name").(goja.String); ok && name.Length() > 0 {
			return "Class constructor " + name.String() + " cannot be invoked without 'new'"
		}
	}
	return ""
}

// authored tells an error that code makes, from one that goja makes.
func (f failing) authored() bool {
	callee, _ := f.arguments()
	o, ok := callee.(*goja.Object)
	return f.name == "superCall" || f.name == "superCallVariadic" || (f.makes() || f.name == "") && ok && slices.ContainsFunc(classes, func(name string) bool { return o == f.h.Native().Get(name) })
}

func (f failing) construct(text string) string {
	callee, arguments := f.arguments()
	if _, ok := goja.AssertConstructor(callee); !ok {
		if text != "Value is not a constructor" && !noFunction(text) {
			return ""
		}
		name := f.callee()
		if name == "" {
			name = inspected(f.h, callee)
		}
		return name + " is not a constructor"
	}
	// A builtin's constructor complains.
	var first goja.Value
	if len(arguments) > 0 {
		first = arguments[0]
	}
	if o, ok := callee.(*goja.Object); ok && f.h.IsBuiltin(o) {
		name, _ := f.h.Plain(o, "name").(goja.String)
		if name != nil && strings.HasPrefix(text, "Invalid index ") {
			switch name := name.String(); {
			case name == "ArrayBuffer":
				return "Invalid array buffer length"
			case strings.HasSuffix(name, "Array"):
				return "Invalid typed array length: " + strings.TrimPrefix(text, "Invalid index ")
			}
		}
		if name != nil && name.String() == "WeakSet" && strings.HasPrefix(text, "Value is not an object: ") {
			return "Invalid value used in weak set"
		}
		if name != nil && name.String() == "Promise" && (noFunction(text) || strings.HasPrefix(text, "Value is not callable: ")) {
			return "Promise resolver " + namedObject(f.h, first) + " is not a function"
		}
		if name != nil && (name.String() == "Map" || name.String() == "WeakMap") || text == "object is not iterable" {
			return f.notIterable(text, first)
		}
	}
	return ""
}

// notIterable is for builtins that go through what they are given.
func (f failing) notIterable(text string, value goja.Value) string {
	if item, ok := strings.CutPrefix(text, "Value is not an object: "); ok {
		return "Iterator value " + item + " is not an entry object"
	}
	if text == "object is not iterable" {
		return described(f.h, value) + " is not iterable (cannot read property Symbol(Symbol.iterator))"
	}
	return ""
}

// takeFunctions are the builtins whose argument is a function, by its place.
var takeFunctions = map[string]int{
	"map": 0, "filter": 0, "forEach": 0, "some": 0, "every": 0, "find": 0, "findIndex": 0, "findLast": 0, "findLastIndex": 0, "reduce": 0, "reduceRight": 0,
	"flatMap": 0, "from": 1, "apply": 0, "groupBy": 1,
}

// builtin words what a builtin complains about.
func (f failing) builtin(text string) string {
	callee, arguments := f.arguments()
	o, ok := callee.(*goja.Object)
	if !ok {
		return ""
	}
	var first goja.Value
	if len(arguments) > 0 {
		first = arguments[0]
	}
	name := ""
	if text, ok := f.h.Plain(o, "name").(goja.String); ok {
		name = text.String()
	}
	switch {
	case text == "No initial value":
		return "Reduce of empty array with no initial value"
	case text == "object is not iterable" && name != "next":
		return f.notIterable(text, first)
	case name == "fromEntries" && len(arguments) > 0 && strings.HasPrefix(text, "Value is not an object: "):
		return f.notIterable(text, first)
	case text == "RegExp doesn't have global flag set":
		return "String.prototype.matchAll called with a non-global RegExp argument"
	case text == "Class constructor cannot be invoked without 'new'":
		return classCalled(f.h, first)
	case strings.HasSuffix(text, " is not a function %!s(MISSING)"):
		return namedObject(f.h, first) + " is not a function"
	}
	if text := f.refused(name, text); text != "" {
		return text
	}
	at, ok := takeFunctions[name]
	if !ok || at >= len(arguments) && at > 0 {
		return ""
	}
	var given goja.Value
	if at < len(arguments) {
		given = arguments[at]
	}
	if _, callable := goja.AssertFunction(given); callable {
		return ""
	}
	if noFunction(text) || strings.HasPrefix(text, "Value is not callable: ") || strings.HasSuffix(text, " is not a function") {
		return namedObject(f.h, given) + " is not a function"
	}
	if text == "Cannot convert undefined or null to object" && (strings.HasPrefix(name, "reduce") || given != nil && name == "filter") {
		return namedObject(f.h, given) + " is not a function"
	}
	return ""
}

// assignment words what can't be set.
func (f failing) assignment(text string) string {
	key, object := f.nameOf(), f.top(1)
	if strings.HasPrefix(f.name, "setElem") {
		if given := f.top(1); given != nil {
			if symbol, ok := given.(*goja.Symbol); ok {
				key = "Symbol(" + symbol.String() + ")"
			} else if _, isObject := given.(*goja.Object); !isObject {
				key = given.String()
			}
		}
		object = f.top(2)
	}
	if object == nil || strings.Contains(f.name, "Recv") {
		return ""
	}
	o, isObject := object.(*goja.Object)
	_, isText := object.(goja.String)
	switch {
	case !isObject && strings.HasPrefix(text, "Receiver is not an object: "):
		return "Cannot create property '" + key + "' on " + language.TypeOf(object) + " '" + inspected(f.h, object) + "'"
	case isText && text == "Cannot assign to read only property '"+key+"'":
		return text + " of string '" + object.String() + "'"
	case text == "Cannot convert undefined or null to object" && (goja.IsNull(object) || goja.IsUndefined(object)):
		return "Cannot set properties of " + object.String() + " (setting '" + key + "')"
	case isObject && (text == "" || strings.HasPrefix(text, "Cannot assign to read only property '") && strings.HasSuffix(text, "'")):
		if f.h.Accessor(o, key) {
			return "Cannot set property " + key + " of " + inspected(f.h, o) + " which has only a getter"
		}
		return "Cannot assign to read only property '" + key + "' of object '" + inspected(f.h, o) + "'"
	}
	return ""
}

// iteration words that something has no elements.
func (f failing) iteration(text string) string {
	value := f.top(0)
	if f.name == "pushSpread" && cap(f.stack) > len(f.stack) { // has taken it off
		value = f.stack[:len(f.stack)+1][len(f.stack)]
	}
	if !f.withoutElements(text, value) {
		return ""
	}
	generic := described(f.h, value) + notIterated
	var found called.Source
	if t := f.texts(); t != nil {
		found = t.Iterated[f.at]
	}
	switch {
	case f.name == "pushSpread" && !nothing(value):
		return "Spread syntax requires ...iterable[Symbol.iterator] to be a function"
	case found.Text == "":
		return generic
	case found.Spread:
		return found.Text + " is not iterable (cannot read property " + value.String() + ")"
	case found.Called != "":
		return found.Called + " is not a function or its return value is not iterable"
	}
	return found.Text + " is not iterable"
}

const notIterated = " is not iterable (cannot read property Symbol(Symbol.iterator))"

func nothing(value goja.Value) bool {
	return value != nil && (goja.IsNull(value) || goja.IsUndefined(value))
}

// withoutElements tells how goja says that something has no elements.
func (f failing) withoutElements(text string, value goja.Value) bool {
	return text == "object is not iterable" || text == "iterator.next is missing or not a function" || strings.HasSuffix(text, " is not a method") ||
		nothing(value) && text == "Cannot convert undefined or null to object"
}

// takenArray words that an array's pattern finds no elements.
func (f failing) takenArray(text string) string {
	value := f.top(0)
	if !f.withoutElements(text, value) {
		return ""
	}
	generic := described(f.h, value) + notIterated
	p, ok := f.pattern()
	switch {
	case !ok || p.In == called.Within || p.In == called.InObject && p.Key == "":
	case p.In == called.InObject && nothing(value):
		of := p.Text
		if of == "" {
			of = described(f.h, value)
		}
		return "Cannot destructure property 'Symbol(Symbol.iterator)' of '" + of + "' as it is " + value.String() + "."
	case p.In == called.InObject && p.Text != "":
		return p.Text + notIterated
	case p.In == called.InObject || !p.Said:
	case p.Called != "":
		return p.Called + " is not a function or its return value is not iterable"
	default:
		return p.Text + " is not iterable"
	}
	return generic
}

// pattern is the one whose instruction fails.
func (f failing) pattern() (p called.Pattern, ok bool) {
	t := f.texts()
	if t == nil {
		return p, false
	}
	list := map[string]map[int][]called.Pattern{"iterate": t.Arrays, "checkObjectCoercible": t.Objects, "createDestructSrc": t.Rests}[f.name][f.at]
	n := f.before()
	if n >= len(list) {
		return p, false
	}
	return list[n], true
}

// before is how many instructions of this kind the same expression had before: those of patterns
// around.
func (f failing) before() int { return f.h.Repeated() }

// taken words that a pattern takes nothing apart.
func (f failing) taken() string {
	value := f.top(0)
	if !nothing(value) {
		return ""
	}
	is := value.String()
	generic := "Cannot destructure '" + is + "' as it is " + is + "."
	p, ok := f.pattern()
	if !ok {
		return generic
	}
	of := p.Text
	if of == "" {
		of = described(f.h, value)
	}
	switch {
	case p.In == called.Outermost && p.First == "":
		return "Cannot destructure '" + of + "' as it is " + is + "."
	case p.In == called.Outermost && !p.Default:
		return "Cannot destructure property '" + p.First + "' of '" + of + "' as it is " + is + "."
	case p.First != "":
		return "Cannot read properties of " + is + " (reading '" + p.First + "')"
	case p.In == called.Within || f.name == "createDestructSrc":
		return "Cannot read properties of " + is
	case p.Key == "":
		return "Cannot destructure '" + of + "' as it is " + is + "."
	}
	return "Cannot destructure property '" + p.Key + "' of '" + of + "' as it is " + is + "."
}

// operator words what operators refuse.
func (f failing) operator(text string) string {
	switch {
	case strings.HasPrefix(text, "Could not convert &{"):
		return "Cannot convert object to primitive value"
	case f.name == "op_in" && noFunction(text):
		key := f.top(1)
		if _, callable := goja.AssertFunction(key); callable || key == nil {
			return ""
		}
		return "Cannot use 'in' operator to search for '" + inspected(f.h, key) + "' in " + inspected(f.h, f.top(0))
	case f.name == "op_instanceof":
		switch {
		case noFunction(text):
			return "Right-hand side of 'instanceof' is not an object"
		case strings.HasPrefix(text, "Expecting a function in instanceof check"):
			return "Right-hand side of 'instanceof' is not callable"
		case text == "prototype is not an object":
			return "Function has non-object prototype 'undefined' in instanceof check"
		}
	case text == "Class extends value is not a constructor or null":
		return "Class extends value " + inspected(f.h, f.top(0)) + " is not a constructor or null"
	case strings.HasPrefix(text, "Cannot write private member ") && strings.Contains(text, " from an object "):
		return strings.Replace(text, " from an object ", " to an object ", 1)
	case strings.HasPrefix(f.name, "deleteProp") || strings.HasPrefix(f.name, "deleteElem"):
		if before, found := strings.CutSuffix(text, " of [object Object]"); found {
			return before + " of #<Object>"
		}
	}
	return ""
}

// reference words what names nothing yet.
func (f failing) reference(text string) string {
	switch {
	case text == "Cannot access a variable before initialization":
		if name := f.identifier(); name != "" {
			return "Cannot access '" + name + "' before initialization"
		}
	case strings.HasPrefix(text, "Must call super constructor in derived class before "):
		return "Must call super constructor in derived class before accessing 'this' or returning from derived constructor"
	}
	return ""
}
