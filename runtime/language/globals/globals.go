package globals

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/builtins"
	"workflow-worker/runtime/language/evaluators"
	"workflow-worker/runtime/language/json"
	"workflow-worker/runtime/language/library"
	"workflow-worker/runtime/language/regexp"
	"workflow-worker/runtime/language/services"
)

// ofLiterals are the globals whose objects code reaches without naming them, as [].constructor or
// (1).toLocaleString: they are never made later. Everything else that is changed or added can only
// be come by through its global.
var ofLiterals = []string{"Object", "String", "Array", "Number", "BigInt", "ArrayBuffer"}

// Options of a runtime's globals.
type Options struct {
	// Shared is for a runtime whose builtins are frozen, so that several executions may use it: all
	// are in their places at once.
	Shared bool
	// Weak gives a shared runtime WeakRef, FinalizationRegistry and SharedArrayBuffer, too.
	Weak bool
	// Probe is that of package evaluators.
	Probe func(text string) error
	// Storage carries AsyncLocalStorage's values.
	Storage Storage
	// Freezer is the function that freezes what executions share.
	Freezer func() goja.Value
	// EnglishOnly has Intl refuse all languages but English.
	EnglishOnly func() bool
}

// Storage is the context of what runs now.
type Storage interface {
	Get() goja.Value
	Set(value goja.Value)
}

// Globals are those of one runtime.
type Globals struct {
	// Global is what code has for the global object.
	Global  *goja.Object
	Library *library.Library
	RegExps *regexp.RegExps
	JSON    *json.JSON

	h      builtins.Host
	o      Options
	made   map[string]goja.Value // so far
	arrays builtins.TypedArrays
}

// host is the VM with its library.
type host struct {
	language.Host
	*library.Library
}

// Install completes a runtime's language.
func Install(h json.Host, o Options) (*Globals, error) {
	lib, err := library.New(h)
	if err != nil {
		return nil, err
	}
	g := &Globals{Library: lib, JSON: json.New(h, lib), h: &host{h, lib}, o: o, made: map[string]goja.Value{}}
	lib.HostOf = g.hostOf
	h.Native().Get("Promise") // each async function leads to it, and caught errors to theirs: they are to be counted
	h.Native().Get("Error")
	install := g.installOwn
	if o.Shared {
		install = g.installShared
	}
	if err := install(); err != nil {
		return nil, err
	}
	functions := language.NativePrototype(h, "Function")
	return g, errors.Join(builtins.CapApply(g.h, functions, "apply", 1),
		evaluators.Guard(h, evaluators.Options{Probe: o.Probe, RegExps: g.RegExps, Define: g.put}))
}

// put makes a value a global.
func (g *Globals) put(name string, value *goja.Object) error {
	g.made[name] = value
	return g.Global.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// installOwn gives the runtime a global object of its own, behind which goja's stays out of reach:
// a builtin is taken from there, changed and completed when code first asks for it. Making all of
// them takes 0.6 ms and 300 KB.
func (g *Globals) installOwn() error {
	r := g.h.Runtime()
	g.Global = r.CreateObject(r.NewDynamicObject(lazyGlobals{g}))
	g.Library.Global = g.Global
	r.SetGlobalObject(g.Global)
	if err := g.Global.DefineDataProperty("globalThis", g.Global, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
		return err
	}
	for name, value := range map[string]any{"undefined": goja.Undefined(), "NaN": math.NaN(), "Infinity": math.Inf(1)} {
		if err := g.Global.DefineDataProperty(name, r.ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	if err := g.Global.DefineDataPropertySymbol(goja.SymToStringTag, r.ToValue("global"), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
		return err
	}
	if err := g.installRegExps(); err != nil { // before the methods of strings, which use them
		return fmt.Errorf("prepare RegExp: %w", err)
	}
	for _, name := range ofLiterals {
		if _, err := g.defineGlobal(name); err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	return g.Library.AddMethods("Iterator", nil)
}

func (g *Globals) installRegExps() (err error) {
	g.RegExps, err = regexp.Install(g.h, regexp.Options{Shared: g.o.Shared, Complete: func(class *goja.Object) error {
		return g.Library.AddMethods("RegExp", class)
	}})
	return err
}

// installShared changes and completes goja's own global object, for a runtime whose builtins will
// be frozen. What is only added and not small is still made when it's first used, and frozen then.
func (g *Globals) installShared() error {
	g.Global = g.h.Native()
	g.Library.Global = g.Global
	if err := g.installRegExps(); err != nil {
		return fmt.Errorf("prepare RegExp: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(globalNames())) {
		var err error
		switch part := library.MadeBy[name]; {
		case part == "memory" && name != "Atomics" && !g.o.Weak: // @temporalio/workflow has its own, which refuse
		case part == "encoding" || part == "disposal" || part == "intl" || part == "memory":
			err = g.defineShared(name)
		case g.changed(name):
			_, err = g.defineGlobal(name)
		}
		if err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	return nil
}

// changed tells whether a global differs from goja's.
func (g *Globals) changed(name string) bool {
	if slices.Contains(builtins.OperatorNames, name) {
		return true
	}
	switch name {
	case "RegExp", "atob", "btoa", "JSON", "String", "Symbol", "Error", "Reflect", "BigInt", "Proxy", "Math", "DataView":
		return true
	}
	return library.MadeBy[name] != "" || builtins.ElementSize[name] != 0 || g.Library.Has(name)
}

// Builtin is a global as code finds it, unless it puts something else there.
func (g *Globals) Builtin(name string) (*goja.Object, error) {
	value := g.made[name]
	if value == nil {
		var err error
		if value, err = g.defineGlobal(name); err != nil {
			return nil, err
		}
	}
	return value.ToObject(g.h.Runtime()), nil
}

// defineGlobal makes a global and puts it in its place.
func (g *Globals) defineGlobal(name string) (goja.Value, error) {
	value, err := g.make(name)
	if err != nil {
		return nil, err
	}
	g.made[name] = value
	if slices.Contains(builtins.OperatorNames, name) { // is no property that code could change
		return value, g.Global.DefineDataProperty(name, value, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	return value, g.Global.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// defineShared makes a global that is made when it's first read.
func (g *Globals) defineShared(name string) error {
	var made goja.Value
	getter, err := language.NewFunction(g.h, "get "+name, 0, func(goja.FunctionCall) goja.Value {
		if made == nil {
			part, err := g.Library.Part(library.MadeBy[name])
			if err == nil {
				err = g.Freeze(part.Get(name))
			}
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			made = part.Get(name)
		}
		return made
	})
	if err != nil {
		return err
	}
	// Each execution has a global object of its own, on which an assignment makes a property.
	setter, err := language.NewFunction(g.h, "set "+name, 1, func(call goja.FunctionCall) goja.Value {
		own, ok := call.This.(*goja.Object)
		if !ok {
			own = g.h.Runtime().GlobalObject()
		}
		if err := own.DefineDataProperty(name, call.Argument(0), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			panic(err)
		}
		return goja.Undefined()
	})
	if err != nil {
		return err
	}
	return g.Global.DefineAccessorProperty(name, getter, setter, goja.FLAG_FALSE, goja.FLAG_FALSE)
}

// Freeze freezes an object and all that it leads to, but for what is frozen already: for what is
// made late in a runtime that executions share.
func (g *Globals) Freeze(o goja.Value) error {
	part, err := g.Library.Part("freeze")
	if err != nil {
		return err
	}
	freeze, ok := goja.AssertFunction(part.Get("freeze"))
	if !ok {
		return errors.New("there is no freeze")
	}
	_, err = freeze(goja.Undefined(), o)
	return err
}

// Pristine runs f with the runtime's own global object in place, whatever the execution that shares
// it has made of its own.
func (g *Globals) Pristine(f func() error) error {
	current := g.h.Runtime().GlobalObject()
	g.h.Runtime().SetGlobalObject(g.Global)
	defer g.h.Runtime().SetGlobalObject(current)
	return f()
}

// make takes a builtin from goja, changes it and adds what it lacks.
func (g *Globals) make(name string) (value goja.Value, err error) {
	value = g.h.Native().Get(name)
	switch {
	case slices.Contains(builtins.OperatorNames, name):
		return builtins.Operator(g.h, name)
	case name == "RegExp":
		return g.RegExps.Class()
	case name == "atob":
		return g.function(name, builtins.Atob)
	case name == "btoa":
		return g.function(name, builtins.Btoa)
	case builtins.ElementSize[name] != 0:
		if value, err = g.arrays.Cap(g.h, name, value.ToObject(g.h.Runtime())); err != nil {
			return nil, err
		}
	case library.MadeBy[name] != "" && (value == nil || name == "Number"):
		made, err := g.Library.Part(library.MadeBy[name])
		if err != nil {
			return nil, err
		}
		value = made.Get(name)
	}
	o, ok := value.(*goja.Object)
	if !ok {
		return value, nil
	}
	if err := g.change(name, o); err != nil {
		return nil, err
	}
	return o, g.Library.AddMethods(name, o)
}

func (g *Globals) function(name string, f func(builtins.Host, goja.FunctionCall) goja.Value) (goja.Value, error) {
	return language.NewFunction(g.h, name, 1, func(call goja.FunctionCall) goja.Value { return f(g.h, call) })
}

// change is what can't be said in a table.
func (g *Globals) change(name string, o *goja.Object) error {
	switch name {
	case "String":
		return builtins.ChangeString(g.h, g.RegExps, o)
	case "Array":
		return builtins.CapArray(g.h, o)
	case "BigInt":
		return builtins.CapBigInt(g.h, o)
	case "Reflect":
		return builtins.ChangeReflect(g.h, o)
	case "Math":
		return builtins.ChangeMath(g.h, o)
	case "Proxy":
		return builtins.GuardProxy(g.h, o)
	case "DataView":
		return builtins.GuardDataView(g.h, o)
	case "Date":
		return builtins.ChangeDate(g.h, o)
	case "JSON":
		return g.JSON.Install(o)
	case "Number":
		return builtins.ChangeNumber(g.h, o, g.o.Shared)
	case "ArrayBuffer":
		return builtins.ChangeArrayBuffer(g.h, o)
	case "Symbol":
		return builtins.AddSymbols(g.h, o)
	case "Error":
		if o.Get("stackTraceLimit") == nil {
			return o.DefineDataProperty("stackTraceLimit", g.h.Runtime().ToValue(10), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
		}
	default:
		if strings.HasSuffix(name, "Error") { // inherits from Error
			_, err := g.Builtin("Error")
			return err
		}
	}
	return nil
}

// globalNames are those of all globals.
var globalNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"atob": true, "btoa": true}
	for _, name := range goja.New().GlobalObject().GetOwnPropertyNames() {
		names[name] = true
	}
	for _, name := range builtins.OperatorNames {
		names[name] = true
	}
	for name := range library.MadeBy {
		names[name] = true
	}
	return names
})

// hostOf is what Go gives a part of the library.
func (g *Globals) hostOf(part string) map[string]any {
	switch part {
	case "storage":
		return map[string]any{"getContext": g.o.Storage.Get, "setContext": g.o.Storage.Set}
	case "encoding":
		return builtins.EncodingHost(g.h)
	case "freeze":
		return map[string]any{"freeze": g.o.Freezer()}
	case "json":
		// goja replaces halves of surrogate pairs in every string that goes to Go.
		return map[string]any{"wellFormed": func(text string) string { return text }}
	case "intl":
		return services.Host(g.h, g.o.EnglishOnly)
	case "array":
		return builtins.ArrayHost(g.h)
	case "iterator":
		return map[string]any{"IteratorPrototype": g.Library.IteratorPrototype()}
	case "number":
		return builtins.NumberHost(g.h)
	}
	return nil
}

// lazyGlobals is what the global object inherits from: a goja.DynamicObject with the globals that
// nobody asked for so far.
type lazyGlobals struct{ g *Globals }

// Get implements goja.DynamicObject.
func (l lazyGlobals) Get(name string) goja.Value {
	if !l.Has(name) {
		return nil
	}
	value, err := l.g.defineGlobal(name)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return value
}

// Has implements goja.DynamicObject.
func (l lazyGlobals) Has(name string) bool { return globalNames()[name] && l.g.made[name] == nil }

// Set implements goja.DynamicObject. Assignments to globals never come here: they define the global
// itself.
func (l lazyGlobals) Set(string, goja.Value) bool { return false }

// Delete implements goja.DynamicObject.
func (l lazyGlobals) Delete(name string) bool { return !l.Has(name) }

// Keys implements goja.DynamicObject: no builtin is enumerable.
func (l lazyGlobals) Keys() []string { return nil }
