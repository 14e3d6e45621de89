package sandbox

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
)

// A frozen object makes what inherits from it refuse assignments of the same names: `list.join =
// …`, `this.name = …` in an error class, an ES5 class on Array. Executions share frozen builtins,
// and their code knows them unfrozen. So each property that could be assigned before gets a setter
// beside its value: goja reads the value as ever, at no cost, and shows the property as a data
// property, but asks the setter when something that inherits is assigned to. That makes the
// property there, as the language would.

// setters by what they set. All runtimes use the same: a setter is never seen, and knows nothing of
// the runtime it is in.
type setters struct {
	mu     sync.Mutex // guards what follows
	byName map[setterKey]*goja.Object
	maker  *goja.Runtime
}

// setterKey is a property's name, or its symbol, and whether what is made of it is seen by loops.
type setterKey struct {
	name   unistring.String
	symbol *goja.Symbol
	hidden bool
}

// FreezeObject is Object.freeze for what executions share: what inherits from the object may still
// be assigned to. With hidden, what is made then is not enumerable, as globals are. Inside Enter.
func (v *VM) FreezeObject(value goja.Value, hidden bool) error {
	o, ok := value.(*goja.Object)
	if !ok {
		return nil
	}
	if v.seal == nil {
		object := v.native.Get("Object").ToObject(v.Runtime)
		seal, sealed := goja.AssertFunction(object.Get("seal"))
		freeze, frozen := goja.AssertFunction(object.Get("freeze"))
		if !sealed || !frozen {
			return errors.New("there is no Object.freeze")
		}
		v.seal, v.freeze = seal, freeze
	}
	// Has goja make all properties that it would make when they are first used.
	if _, err := v.seal(goja.Undefined(), o); err != nil {
		return err
	}
	internals.yield(o, hidden)
	if class := o.ClassName(); class == "Object" || class == "Function" {
		return nil // has nothing beside its properties
	}
	_, err := v.freeze(goja.Undefined(), o)
	return err
}

// Freezer gives code of ours the function freeze(object, hidden), which is FreezeObject.
func (v *VM) Freezer() goja.Value {
	return v.Runtime.ToValue(func(call goja.FunctionCall) goja.Value {
		if err := v.FreezeObject(call.Argument(0), call.Argument(1).ToBoolean()); err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return call.Argument(0)
	})
}

// Freeze freezes an object and all that it leads to, but for what is frozen already: for what is
// made late in a runtime that executions share.
func (v *VM) Freeze(o goja.Value) error { return v.globals.Freeze(o) }

// Pristine runs f with the runtime's own global object in place, whatever the execution that shares
// it has made of its own.
func (v *VM) Pristine(f func() error) error { return v.globals.Pristine(f) }

// shape is where an object's properties are, and a property's parts.
type shape struct {
	baseType reflect.Type // what all objects have
	values   uintptr      // in that: the properties with names
	symbols  uintptr      // the others, a pointer to a list
	first    uintptr      // in the list: its first entry
	last     uintptr      // … and its last
	key      uintptr      // in an entry
	entry    uintptr      // in an entry: the property
	next     uintptr      // in an entry
	previous uintptr      // in an entry

	writable, accessor uintptr // in a property
	setter             uintptr
	runtime            uintptr // in an Object

	typeError reflect.Type // what goja throws of a text, without a runtime
}

// shapeOf finds it out; panics where goja isn't built as expected.
func shapeOf(property reflect.Type, plain *goja.Object, self reflect.Value) *shape {
	base := self.Type().Elem()
	symbols, found := base.FieldByName("symValues")
	if base.Name() != "baseObject" || !found || symbols.Type.Kind() != reflect.Pointer {
		panic("baseObject.symValues")
	}
	first, found := symbols.Type.Elem().FieldByName("iterFirst")
	if !found || first.Type.Kind() != reflect.Pointer {
		panic("orderedMap.iterFirst")
	}
	entry := first.Type.Elem()
	for name, of := range map[string]reflect.Type{"iterNext": entry, "iterPrev": entry, "iterLast": symbols.Type.Elem()} {
		if f, found := of.FieldByName(name); !found || f.Type != first.Type {
			panic(of.Name() + "." + name)
		}
	}
	return &shape{
		baseType: base,
		values:   field[map[unistring.String]goja.Value](base, "values"), symbols: symbols.Offset, first: first.Offset,
		key: field[goja.Value](entry, "key"), entry: field[goja.Value](entry, "value"), next: offset(entry, "iterNext"),
		previous: offset(entry, "iterPrev"), last: offset(symbols.Type.Elem(), "iterLast"),
		writable: field[bool](property.Elem(), "writable"), accessor: field[bool](property.Elem(), "accessor"),
		setter: field[*goja.Object](property.Elem(), "setterFunc"), runtime: field[*goja.Runtime](reflect.TypeOf(plain).Elem(), "runtime"),
		typeError: thrownText(),
	}
}

func offset(of reflect.Type, name string) uintptr {
	f, _ := of.FieldByName(name)
	return f.Offset
}

// thrownText is the kind of text that goja throws as a TypeError of whichever runtime runs.
func thrownText() (t reflect.Type) {
	defer func() {
		if t = reflect.TypeOf(recover()); t == nil || t.Kind() != reflect.String || t.Name() != "typeError" {
			panic("a symbol's number")
		}
	}()
	goja.SymIterator.ToNumber()
	return nil
}

// throwTypeError throws without a runtime.
func (in *gojaInternals) throwTypeError(text string) {
	v := reflect.New(in.shape.typeError).Elem()
	v.SetString(text)
	panic(v.Interface())
}

// baseOf is what all objects have, of an object; nil for what is built otherwise.
func (in *gojaInternals) baseOf(o *goja.Object) unsafe.Pointer {
	self := in.of(o)
	if self.Kind() != reflect.Pointer {
		return nil
	}
	if self.Type().Elem() == in.shape.baseType {
		return self.UnsafePointer()
	}
	at, found := self.Type().Elem().FieldByName("baseObject")
	if !found || at.Type != in.shape.baseType {
		return nil
	}
	return pointer(self, at)
}

// yield gives each property of an object that can be assigned a setter that leaves it as it is, and
// makes it read-only.
func (in *gojaInternals) yield(o *goja.Object, hidden bool) {
	base := in.baseOf(o)
	if base == nil {
		return
	}
	for name, property := range *(*map[unistring.String]goja.Value)(unsafe.Add(base, in.shape.values)) {
		in.yieldProperty(property, setterKey{name: name, hidden: hidden})
	}
	list := *(*unsafe.Pointer)(unsafe.Add(base, in.shape.symbols))
	if list == nil {
		return
	}
	for e := *(*unsafe.Pointer)(unsafe.Add(list, in.shape.first)); e != nil; e = *(*unsafe.Pointer)(unsafe.Add(e, in.shape.next)) {
		if symbol, ok := (*(*goja.Value)(unsafe.Add(e, in.shape.key))).(*goja.Symbol); ok {
			in.yieldProperty(*(*goja.Value)(unsafe.Add(e, in.shape.entry)), setterKey{symbol: symbol, hidden: hidden})
		}
	}
}

func (in *gojaInternals) yieldProperty(property goja.Value, key setterKey) {
	if reflect.TypeOf(property) != in.property {
		return
	}
	p := reflect.ValueOf(property).UnsafePointer()
	writable, accessor := (*bool)(unsafe.Add(p, in.shape.writable)), *(*bool)(unsafe.Add(p, in.shape.accessor))
	if !*writable || accessor {
		return
	}
	*writable = false
	*(**goja.Object)(unsafe.Add(p, in.shape.setter)) = in.setterFor(key)
}

func (in *gojaInternals) setterFor(key setterKey) *goja.Object {
	s := &in.setters
	s.mu.Lock()
	defer s.mu.Unlock()
	if made := s.byName[key]; made != nil {
		return made
	}
	made := s.maker.ToValue(func(call goja.FunctionCall) goja.Value {
		in.assign(call.This, key, call.Argument(0))
		return goja.Undefined()
	}).ToObject(s.maker)
	// A symbol that only one runtime has would be kept for good.
	if key.symbol == nil || isWellKnown(key.symbol) {
		s.byName[key] = made
	}
	return made
}

func isWellKnown(symbol *goja.Symbol) bool {
	return symbol == goja.SymIterator || symbol == language.ToPrimitive || symbol == goja.SymToPrimitive || symbol == goja.SymHasInstance || symbol == goja.SymToStringTag ||
		symbol == goja.SymSpecies || symbol == goja.SymMatch || symbol == goja.SymMatchAll || symbol == goja.SymReplace || symbol == goja.SymSearch ||
		symbol == goja.SymSplit || symbol == goja.SymIsConcatSpreadable || symbol == goja.SymUnscopables
}

// assign makes a property on what inherits it from a frozen object.
func (in *gojaInternals) assign(this goja.Value, key setterKey, value goja.Value) {
	name := key.name.String()
	if key.symbol != nil {
		name = key.symbol.String()
	}
	o, ok := this.(*goja.Object)
	if !ok {
		in.throwTypeError("Cannot create property '" + name + "' on " + language.TypeOf(this) + " '" + this.String() + "'")
	}
	enumerable := goja.FLAG_TRUE
	if key.hidden {
		enumerable = goja.FLAG_FALSE
	}
	var err error
	if key.symbol != nil {
		err = o.DefineDataPropertySymbol(key.symbol, value, goja.FLAG_TRUE, goja.FLAG_TRUE, enumerable)
	} else {
		err = o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, enumerable)
	}
	if err == nil || !in.strict(*(**goja.Runtime)(unsafe.Add(unsafe.Pointer(o), in.shape.runtime))) {
		return
	}
	// Only what is frozen refuses: the object that has the property, or one that inherits it.
	var thrown *goja.Exception
	if errors.As(err, &thrown) && strings.Contains(thrown.Value().String(), "not extensible") {
		in.throwTypeError("Cannot add property " + name + ", object is not extensible")
	}
	in.throwTypeError("Cannot assign to read only property '" + name + "' of object '" + ofClass(o) + "'")
}

// ofClass is how V8 names an object whose property is read-only.
func ofClass(o *goja.Object) string {
	if o.ClassName() == "Array" {
		return "[object Array]"
	}
	return "#<" + o.ClassName() + ">"
}
