package sandbox

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
	"workflow-worker/runtime/language/library"
	"workflow-worker/runtime/language/regexp"
)

// ofLiterals are the globals whose objects code reaches without naming them, as [].constructor or (1).toLocaleString: they
// are never made later. Everything else that is changed or added can only be come by through its global.
var ofLiterals = []string{"Object", "String", "Array", "Number", "BigInt", "ArrayBuffer"}

// installGlobals gives the runtime a global object of its own, behind which goja's stays out of reach: a builtin is taken
// from there, changed and completed when code first asks for it. Making all of them takes 0.6 ms and 300 KB.
func (v *VM) installGlobals() error {
	r := v.Runtime
	v.global = r.CreateObject(r.NewDynamicObject(lazyGlobals{v}))
	v.library.Global = v.global
	r.SetGlobalObject(v.global)
	if err := v.global.DefineDataProperty("globalThis", v.global, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
		return err
	}
	for name, value := range map[string]any{"undefined": goja.Undefined(), "NaN": math.NaN(), "Infinity": math.Inf(1)} {
		if err := v.global.DefineDataProperty(name, r.ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	if err := v.global.DefineDataPropertySymbol(goja.SymToStringTag, r.ToValue("global"), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
		return err
	}
	for _, name := range ofLiterals {
		if _, err := v.defineGlobal(name); err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	if err := v.installRegExps(); err != nil {
		return fmt.Errorf("prepare RegExp: %w", err)
	}
	return v.library.AddMethods("Iterator", nil)
}

func (v *VM) installRegExps() (err error) {
	v.regexps, err = regexp.Install(v.host, regexp.Options{Shared: v.opts.Shared, Complete: func(class *goja.Object) error {
		return v.library.AddMethods("RegExp", class)
	}})
	return err
}

// installSharedGlobals changes and completes goja's own global object, for a runtime whose builtins will be frozen. What is
// only added and not small is still made when it's first used, and frozen then.
func (v *VM) installSharedGlobals() error {
	v.global = v.native
	v.library.Global = v.global
	if err := v.installRegExps(); err != nil {
		return fmt.Errorf("prepare RegExp: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(globalNames())) {
		var err error
		switch part := library.MadeBy[name]; {
		case part == "memory" && name != "Atomics" && !v.opts.Weak: // @temporalio/workflow has its own, which refuse
		case part == "encoding" || part == "disposal" || part == "intl" || part == "memory":
			err = v.defineShared(name)
		case v.changed(name):
			_, err = v.defineGlobal(name)
		}
		if err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	return nil
}

// changed tells whether a global differs from goja's.
func (v *VM) changed(name string) bool {
	if slices.Contains(operatorNames, name) {
		return true
	}
	switch name {
	case "RegExp", "atob", "btoa", "JSON", "String", "Symbol", "Error", "Reflect", "BigInt", "Proxy", "Math", "DataView":
		return true
	}
	return library.MadeBy[name] != "" || elementSize[name] != 0 || v.library.Has(name)
}

// builtin is a global as code finds it, unless it puts something else there.
func (v *VM) builtin(name string) (*goja.Object, error) {
	value := v.made[name]
	if value == nil {
		var err error
		if value, err = v.defineGlobal(name); err != nil {
			return nil, err
		}
	}
	return value.ToObject(v.Runtime), nil
}

// defineGlobal makes a global and puts it in its place.
func (v *VM) defineGlobal(name string) (goja.Value, error) {
	value, err := v.make(name)
	if err != nil {
		return nil, err
	}
	v.made[name] = value
	if slices.Contains(operatorNames, name) { // is no property that code could change
		return value, v.global.DefineDataProperty(name, value, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	return value, v.global.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// defineShared makes a global that is made when it's first read.
func (v *VM) defineShared(name string) error {
	var made goja.Value
	getter, err := language.NewFunction(v.host, "get "+name, 0, func(goja.FunctionCall) goja.Value {
		if made == nil {
			part, err := v.library.Part(library.MadeBy[name])
			if err == nil {
				err = v.Freeze(part.Get(name))
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
	setter, err := language.NewFunction(v.host, "set "+name, 1, func(call goja.FunctionCall) goja.Value {
		own, ok := call.This.(*goja.Object)
		if !ok {
			own = v.Runtime.GlobalObject()
		}
		if err := own.DefineDataProperty(name, call.Argument(0), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			panic(err)
		}
		return goja.Undefined()
	})
	if err != nil {
		return err
	}
	return v.global.DefineAccessorProperty(name, getter, setter, goja.FLAG_FALSE, goja.FLAG_FALSE)
}

// Freeze freezes an object and all that it leads to, but for what is frozen already: for what is made late in a runtime that
// executions share.
func (v *VM) Freeze(o goja.Value) error {
	part, err := v.library.Part("freeze")
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

// Pristine runs f with the runtime's own global object in place, whatever the execution that shares it has made of its own.
func (v *VM) Pristine(f func() error) error {
	current := v.Runtime.GlobalObject()
	v.Runtime.SetGlobalObject(v.global)
	defer v.Runtime.SetGlobalObject(current)
	return f()
}

// make takes a builtin from goja, changes it and adds what it lacks.
func (v *VM) make(name string) (value goja.Value, err error) {
	value = v.native.Get(name)
	switch {
	case slices.Contains(operatorNames, name):
		return v.operator(name)
	case name == "RegExp":
		return v.regexps.Class()
	case name == "atob":
		return language.NewFunction(v.host, name, 1, v.atob)
	case name == "btoa":
		return language.NewFunction(v.host, name, 1, v.btoa)
	case elementSize[name] != 0:
		if value, err = v.capConstructor(name, value.ToObject(v.Runtime)); err != nil {
			return nil, err
		}
	case library.MadeBy[name] != "" && (value == nil || name == "Number"):
		made, err := v.library.Part(library.MadeBy[name])
		if err != nil {
			return nil, err
		}
		value = made.Get(name)
	}
	o, ok := value.(*goja.Object)
	if !ok {
		return value, nil
	}
	if err := v.change(name, o); err != nil {
		return nil, err
	}
	return o, v.library.AddMethods(name, o)
}

// change is what can't be said in a table.
func (v *VM) change(name string, o *goja.Object) error {
	switch name {
	case "String":
		return v.changeString(o)
	case "Array":
		return v.capArray(o)
	case "BigInt":
		return v.capBigInt(o)
	case "Reflect":
		return errors.Join(v.capApply(o, "apply", 2), v.capApply(o, "construct", 1),
			language.Wrap(v.host, o, "setPrototypeOf", func(call goja.FunctionCall, original language.Function) goja.Value {
				checkChain(v.Runtime, call.Argument(0), call.Argument(1))
				return original(call)
			}))
	case "Math":
		return language.Wrap(v.host, o, "pow", func(call goja.FunctionCall, _ func(goja.FunctionCall) goja.Value) goja.Value {
			return v.Runtime.ToValue(power(call.Argument(0).ToNumber().ToFloat(), call.Argument(1).ToNumber().ToFloat()))
		})
	case "Proxy":
		return v.guardProxy(o)
	case "DataView":
		return v.guardDataView(o)
	case "Date":
		return v.changeDate(o)
	case "JSON":
		return v.json.Install(o)
	case "Number":
		return v.changeNumber(o)
	case "ArrayBuffer":
		return v.changeArrayBuffer(o)
	case "Symbol":
		return v.addSymbols(o)
	case "Error":
		if o.Get("stackTraceLimit") == nil {
			return o.DefineDataProperty("stackTraceLimit", v.Runtime.ToValue(10), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
		}
	default:
		if strings.HasSuffix(name, "Error") { // inherits from Error
			_, err := v.builtin("Error")
			return err
		}
	}
	return nil
}

// changeNumber puts a constructor in the place of goja's.
func (v *VM) changeNumber(o *goja.Object) error {
	original := v.native.Get("Number").ToObject(v.Runtime)
	prototype := original.Get("prototype").ToObject(v.Runtime)
	errs := []error{
		o.SetPrototype(original.Prototype()),
		o.DefineDataProperty("length", v.Runtime.ToValue(1), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		o.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", o, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
	}
	if !v.opts.Shared {
		// Copying what hangs on it would make it all, in each runtime.
		return errors.Join(append(errs, o.SetPrototype(original))...)
	}
	for _, name := range original.GetOwnPropertyNames() {
		switch value := original.Get(name); name {
		case "length", "name", "prototype":
		case "isFinite", "isInteger", "isNaN", "isSafeInteger", "parseFloat", "parseInt":
			errs = append(errs, o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
		default: // constants
			errs = append(errs, o.DefineDataProperty(name, value, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE))
		}
	}
	return errors.Join(errs...)
}

func (v *VM) addSymbols(o *goja.Object) error {
	for _, name := range []string{"asyncIterator", "dispose", "asyncDispose"} {
		if o.Get(name) != nil {
			continue
		}
		if err := o.DefineDataProperty(name, goja.NewSymbol("Symbol."+name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	// What can be named from now on.
	dispose, ok := o.Get("dispose").(*goja.Symbol)
	if !ok {
		return errors.New("there is no Symbol.dispose")
	}
	f, err := language.NewFunction(v.host, "[Symbol.dispose]", 0, func(call goja.FunctionCall) goja.Value {
		if close, ok := goja.AssertFunction(call.This.ToObject(v.Runtime).Get("return")); ok {
			if _, err := close(call.This); err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
		}
		return goja.Undefined()
	})
	return errors.Join(err, v.library.IteratorPrototype().DefineDataPropertySymbol(dispose, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
}

// globalNames are those of all globals.
var globalNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"atob": true, "btoa": true}
	for _, name := range goja.New().GlobalObject().GetOwnPropertyNames() {
		names[name] = true
	}
	for _, name := range operatorNames {
		names[name] = true
	}
	for name := range library.MadeBy {
		names[name] = true
	}
	return names
})

// hostOf is what Go gives a part of the library.
func (v *VM) hostOf(part string) map[string]any {
	switch part {
	case "storage":
		return map[string]any{"getContext": v.async.get, "setContext": v.async.set}
	case "encoding":
		return map[string]any{"encode": v.encodeUTF8, "decode": v.decodeUTF8, "charsetOf": v.charsetOf, "decodeCharset": v.decodeCharset}
	case "freeze":
		return map[string]any{"freeze": v.Freezer()}
	case "json":
		// goja replaces halves of surrogate pairs in every string that goes to Go.
		return map[string]any{"wellFormed": func(text string) string { return text }}
	case "intl":
		return map[string]any{
			"make": v.makeFormat, "looksLong": v.looksLong, "supported": v.supportedLocales, "canonical": v.canonicalLocales, "values": v.supportedValues}
	case "array":
		return map[string]any{"isArray": language.Builtin(language.NativeObject(v.host, "Array"), "isArray"),
			"checkLength": func(call goja.FunctionCall) goja.Value {
				language.CheckLength(v.host, "an array's method", call.Argument(0))
				return goja.Undefined()
			}}
	case "iterator":
		return map[string]any{"IteratorPrototype": v.library.IteratorPrototype()}
	case "number":
		original := v.native.Get("Number")
		return map[string]any{"Native": original, "construct": v.reflectConstruct(original)}
	}
	return nil
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

// lazyGlobals is what the global object inherits from: a goja.DynamicObject with the globals that nobody asked for so far.
type lazyGlobals struct{ v *VM }

// Get implements goja.DynamicObject.
func (l lazyGlobals) Get(name string) goja.Value {
	if !l.Has(name) {
		return nil
	}
	value, err := l.v.defineGlobal(name)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return value
}

// Has implements goja.DynamicObject.
func (l lazyGlobals) Has(name string) bool { return globalNames()[name] && l.v.made[name] == nil }

// Set implements goja.DynamicObject. Assignments to globals never come here: they define the global itself.
func (l lazyGlobals) Set(string, goja.Value) bool { return false }

// Delete implements goja.DynamicObject.
func (l lazyGlobals) Delete(name string) bool { return !l.Has(name) }

// Keys implements goja.DynamicObject: no builtin is enumerable.
func (l lazyGlobals) Keys() []string { return nil }
