package sandbox

import (
	"embed"
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// method is a function of the standard library that goja lacks, or has wrong, and that is written in JavaScript.
type method struct {
	global    string // what it hangs on
	prototype bool   // on its prototype
	name      string
	length    int
	part      string // where it is: js/<part>.js
	as        string // its name there; "" is name
	replace   bool   // also where goja has one
}

var methods = []method{
	{global: "Promise", name: "withResolvers", part: "promise"},
	{global: "Promise", name: "try", length: 1, part: "promise"},
	{global: "Promise", name: "any", length: 1, part: "promise", replace: true},
	{global: "Object", name: "groupBy", length: 2, part: "collections", as: "groupObject"},
	{global: "Object", prototype: true, name: "__defineGetter__", length: 2, part: "legacy"},
	{global: "Object", prototype: true, name: "__defineSetter__", length: 2, part: "legacy"},
	{global: "Object", prototype: true, name: "__lookupGetter__", length: 1, part: "legacy"},
	{global: "Object", prototype: true, name: "__lookupSetter__", length: 1, part: "legacy"},
	{global: "Map", name: "groupBy", length: 2, part: "collections", as: "groupMap"},
	{global: "Array", name: "fromAsync", length: 1, part: "collections"},
	{global: "Array", prototype: true, name: "flat", part: "array", replace: true},
	{global: "Array", prototype: true, name: "flatMap", length: 1, part: "array", replace: true},
	{global: "Array", prototype: true, name: "toLocaleString", part: "array", replace: true},
	{global: "RegExp", name: "escape", length: 1, part: "escape"},
	{global: "Error", name: "captureStackTrace", length: 2, part: "error"},
	{global: "Math", name: "sumPrecise", length: 1, part: "math"},
	{global: "Math", name: "f16round", length: 1, part: "float16"},
	{global: "DataView", prototype: true, name: "getFloat16", length: 1, part: "float16"},
	{global: "DataView", prototype: true, name: "setFloat16", length: 2, part: "float16"},
	{global: "Number", prototype: true, name: "toLocaleString", part: "intl", as: "numberToLocaleString", replace: true},
	{global: "BigInt", prototype: true, name: "toLocaleString", part: "intl", as: "numberToLocaleString", replace: true},
	{global: "Date", prototype: true, name: "toLocaleString", part: "intl", as: "dateToLocaleString", replace: true},
	{global: "Date", prototype: true, name: "toLocaleDateString", part: "intl", replace: true},
	{global: "Date", prototype: true, name: "toLocaleTimeString", part: "intl", replace: true},
	{global: "Date", prototype: true, name: "toGMTString", part: "date"},
	{global: "Date", prototype: true, name: "getYear", part: "date"},
	{global: "Date", prototype: true, name: "setYear", length: 1, part: "date"},
	{global: "Iterator", prototype: true, name: "map", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "filter", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "flatMap", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "take", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "drop", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "toArray", part: "iterator"},
	{global: "Iterator", prototype: true, name: "forEach", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "some", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "every", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "find", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "reduce", length: 1, part: "iterator"},
}

// madeBy names the parts that have globals.
var madeBy = map[string]string{
	"AsyncLocalStorage":    "storage",
	"TextEncoder":          "encoding",
	"TextDecoder":          "encoding",
	"Intl":                 "intl",
	"Number":               "number",
	"Atomics":              "memory",
	"FinalizationRegistry": "memory",
	"SharedArrayBuffer":    "memory",
	"WeakRef":              "memory",
	"Iterator":             "iterator",
	"DisposableStack":      "disposal",
	"SuppressedError":      "disposal",
	"AsyncDisposableStack": "disposal",
}

//go:embed js/*.js
var libraryText embed.FS

// library is what all VMs share of it.
type library struct {
	parts   map[string]*goja.Program
	methods map[string][]method // by the global that they hang on
	names   map[string]bool     // of all globals, goja's among them
}

var loadLibrary = sync.OnceValues(func() (*library, error) {
	l := &library{parts: map[string]*goja.Program{}, methods: map[string][]method{}, names: map[string]bool{"atob": true, "btoa": true}}
	for _, name := range goja.New().GlobalObject().GetOwnPropertyNames() {
		l.names[name] = true
	}
	for _, name := range operatorNames {
		l.names[name] = true
	}
	need := []string{"json", "freeze", "operators"}
	for _, m := range methods {
		l.methods[m.global] = append(l.methods[m.global], m)
		need = append(need, m.part)
	}
	for name, part := range madeBy {
		l.names[name] = true
		need = append(need, part)
	}
	for _, part := range need {
		if l.parts[part] != nil {
			continue
		}
		text, err := libraryText.ReadFile("js/" + part + ".js")
		if err != nil {
			return nil, err
		}
		// Internal, so that no stack shows the frames.
		if l.parts[part], err = goja.Compile(Internal+"library/"+part+">", string(text), false); err != nil {
			return nil, fmt.Errorf("compile the library's %s: %w", part, err)
		}
	}
	return l, nil
})

// part evaluates a part of the library, once.
func (v *VM) part(name string) (*goja.Object, error) {
	if made := v.parts[name]; made != nil {
		return made, nil
	}
	// Executions that share the VM have global objects of their own, which they may change.
	current := v.Runtime.GlobalObject()
	v.Runtime.SetGlobalObject(v.global)
	defer v.Runtime.SetGlobalObject(current)
	program, err := v.Runtime.RunProgram(v.library.parts[name])
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(program)
	if !ok {
		return nil, fmt.Errorf("the library's %s is a %T", name, program.Export())
	}
	host, err := v.hostOf(name)
	if err != nil {
		return nil, err
	}
	made, err := f(goja.Undefined(), host)
	if err != nil {
		return nil, err
	}
	v.parts[name] = made.ToObject(v.Runtime)
	return v.parts[name], nil
}

// hostOf is what Go gives a part: no more than it needs, because code that changed the builtins may get hold of it.
func (v *VM) hostOf(part string) (goja.Value, error) {
	var members map[string]any
	switch part {
	case "storage":
		members = map[string]any{"getContext": v.async.get, "setContext": v.async.set}
	case "encoding":
		members = map[string]any{"encode": v.encodeUTF8, "decode": v.decodeUTF8, "charsetOf": v.charsetOf, "decodeCharset": v.decodeCharset}
	case "freeze":
		members = map[string]any{"freeze": v.Freezer()}
	case "json":
		// goja replaces halves of surrogate pairs in every string that goes to Go.
		members = map[string]any{"wellFormed": func(text string) string { return text }}
	case "intl":
		members = map[string]any{
			"make": v.makeFormat, "looksLong": v.looksLong, "supported": v.supportedLocales, "canonical": v.canonicalLocales, "values": v.supportedValues}
	case "array":
		members = map[string]any{"isArray": language.Builtin(v.native.Get("Array").ToObject(v.Runtime), "isArray"),
			"checkLength": func(call goja.FunctionCall) goja.Value {
				language.CheckLength(v.host, "an array's method", call.Argument(0))
				return goja.Undefined()
			}}
	case "iterator":
		members = map[string]any{"IteratorPrototype": v.iteratorPrototype()}
	case "number":
		original := v.native.Get("Number")
		members = map[string]any{"Native": original, "construct": v.reflectConstruct(original)}
	default:
		return goja.Undefined(), nil
	}
	host := v.Runtime.NewObject()
	for name, value := range members {
		// Set would call a setter that the author has put on Object.prototype.
		if err := host.DefineDataProperty(name, v.Runtime.ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE); err != nil {
			return nil, err
		}
	}
	return host, nil
}

// addMethods puts the methods of a global's in their places. Their parts are evaluated when one is first called.
func (v *VM) addMethods(global string, value *goja.Object) error {
	for _, m := range v.library.methods[global] {
		on := value
		if global == "Iterator" {
			on = v.iteratorPrototype()
		} else if m.prototype {
			on = value.Get("prototype").ToObject(v.Runtime)
		}
		existing, exists := on.Get(m.name).(*goja.Object)
		if exists && !m.replace {
			continue
		}
		as := m.as
		if as == "" {
			as = m.name
		}
		if exists && internals.replace(existing, counted(v.Runtime, v.late(m.part, as))) {
			continue
		}
		if err := language.DefineFunction(v.host, on, m.name, m.length, v.late(m.part, as)); err != nil {
			return err
		}
	}
	return nil
}

// late calls a part's function.
func (v *VM) late(part, name string) func(goja.FunctionCall) goja.Value {
	var f goja.Callable
	return func(call goja.FunctionCall) goja.Value {
		if f == nil {
			made, err := v.part(part)
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			f, _ = goja.AssertFunction(made.Get(name))
		}
		out, err := f(call.This, call.Arguments...)
		if err != nil {
			panic(err)
		}
		return out
	}
}

// reflectConstruct is Reflect.construct for one constructor with two arguments: (first, second, newTarget).
func (v *VM) reflectConstruct(class goja.Value) func(goja.FunctionCall) goja.Value {
	construct, ok := goja.AssertConstructor(class)
	return func(call goja.FunctionCall) goja.Value {
		if !ok {
			panic(v.Runtime.NewTypeError("not a constructor"))
		}
		made, err := construct(call.Argument(2).ToObject(v.Runtime), call.Argument(0), call.Argument(1))
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return made
	}
}
