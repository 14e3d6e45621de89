package linear

import (
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

const (
	// manyElements is how many a typed array has whose elements are gone through here: goja makes a
	// name for each in one step, which nothing interrupts, and a buffer of megabytes is had for
	// nothing.
	manyElements = 1 << 16
	// elementsAtOnce is after how many it is asked whether there is time and memory for more.
	elementsAtOnce = 1 << 10
	// nameSize is what an element's name takes, with its place in a list.
	nameSize = 48
	// propertySize is what a property takes that is made of an element.
	propertySize = 160
)

// gone goes through the elements of a typed array.
type gone struct {
	s *State
	r *goja.Runtime
	o *goja.Object
	t *typed
}

// through is for a typed array of many elements; false for anything else.
func through(r *goja.Runtime, v goja.Value) (gone, bool) {
	o, ok := v.(*goja.Object)
	if !ok {
		return gone{}, false
	}
	self := asObject(o).self
	if self.kind != kinds.typed || (*typed)(self.data).length < manyElements {
		return gone{}, false
	}
	s := stateIn(unsafe.Pointer(r))
	return gone{s, r, o, (*typed)(self.data)}, s != nil
}

var proxyType = reflect.TypeFor[goja.Proxy]()

// affords asks for room for the names of all elements that a proxy leads to: goja makes a list of
// them in one step. False: the VM is ended.
func affords(r *goja.Runtime, v goja.Value) bool {
	led := false
	for {
		o, ok := v.(*goja.Object)
		if !ok {
			return true
		}
		if o.ExportType() != proxyType {
			g, many := through(r, o)
			return !led || !many || g.s.claim(nameSize*g.t.length)
		}
		p, ok := o.Export().(goja.Proxy)
		if !ok || p.Target() == nil { // revoked
			return true
		}
		v, led = p.Target(), true
	}
}

// names calls f for each element's name until the VM is ended, which is false.
func (g gone) names(size int, f func(name string)) bool {
	for i := range g.t.length {
		if i%elementsAtOnce == 0 && !g.s.claim(size*elementsAtOnce) {
			return false
		}
		f(strconv.Itoa(i))
	}
	return true
}

// properties calls f for each own enumerable property with a name, elements first.
func (g gone) properties(size int, f func(name string, value goja.Value)) bool {
	whole := g.names(size, func(name string) {
		if value := g.o.Get(name); value != nil { // none where the buffer was taken away
			f(name, value)
		}
	})
	if !whole {
		return false
	}
	for _, name := range append([]unistring.String(nil), g.t.names...) {
		v, there := g.t.values[name]
		if !there || kindOf(&v) == kinds.property && !(*property)((*words)(unsafe.Pointer(&v)).data).enumerable {
			continue
		}
		if value := g.o.Get(name.String()); value != nil {
			f(name.String(), value)
		}
	}
	return true
}

// enumerableSymbols are those of its enumerable properties.
func (g gone) enumerableSymbols() []*goja.Symbol {
	if g.t.symbols == nil {
		return nil
	}
	enumerable, ok := goja.AssertFunction(asGoja(g.s.objects).Get("propertyIsEnumerable"))
	if !ok {
		return nil
	}
	var list []*goja.Symbol
	for _, symbol := range g.o.Symbols() {
		if is, err := enumerable(g.o, symbol); err == nil && is.ToBoolean() {
			list = append(list, symbol)
		}
	}
	return list
}

// shorter has goja see so many elements only. It is for what runs no code.
func (g gone) shorter(length int, f func() goja.Value) goja.Value {
	whole := g.t.length
	g.t.length = length
	defer func() { g.t.length = whole }()
	return f()
}

type (
	call     = goja.FunctionCall
	function = func(goja.FunctionCall) goja.Value
)

// ofFirst is goja's own, of its first argument.
func ofFirst(r *goja.Runtime, c call, original function) goja.Value {
	if !affords(r, c.Argument(0)) {
		return goja.Undefined()
	}
	return original(c)
}

// Keys is Object.keys, Object.getOwnPropertyNames and Reflect.ownKeys.
func Keys(r *goja.Runtime, c call, original function) goja.Value {
	g, ok := through(r, c.Argument(0))
	if !ok {
		return ofFirst(r, c, original)
	}
	var names []goja.Value
	if !g.names(nameSize, func(name string) { names = append(names, Text(name)) }) {
		return goja.Undefined()
	}
	rest := g.shorter(0, func() goja.Value { return original(c) })
	if a := wholeArray(objectOf(rest)); a != nil {
		names = append(names, a.values...)
	}
	return List(r, names)
}

// Values is Object.values.
func Values(r *goja.Runtime, c call, original function) goja.Value {
	g, ok := through(r, c.Argument(0))
	if !ok {
		return ofFirst(r, c, original)
	}
	var values []goja.Value
	if !g.properties(nameSize, func(_ string, value goja.Value) { values = append(values, value) }) {
		return goja.Undefined()
	}
	return List(r, values)
}

// Entries is Object.entries.
func Entries(r *goja.Runtime, c call, original function) goja.Value {
	g, ok := through(r, c.Argument(0))
	if !ok {
		return ofFirst(r, c, original)
	}
	var entries []goja.Value
	whole := g.properties(2*propertySize, func(name string, value goja.Value) {
		entries = append(entries, List(r, []goja.Value{r.ToValue(name), value}))
	})
	if !whole {
		return goja.Undefined()
	}
	return List(r, entries)
}

// Assign is Object.assign.
func Assign(r *goja.Runtime, c call, original function) goja.Value {
	for i, source := range c.Arguments {
		if i == 0 {
			continue
		}
		g, ok := through(r, source)
		if !ok {
			if !affords(r, source) {
				return goja.Undefined()
			}
			continue
		}
		// What comes before, and then the rest.
		into := original(call{This: c.This, Arguments: c.Arguments[:i]})
		target := into.ToObject(r)
		set := func(err error) {
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
		}
		if !g.properties(propertySize, func(name string, value goja.Value) { set(target.Set(name, value)) }) {
			return goja.Undefined()
		}
		for _, symbol := range g.enumerableSymbols() {
			set(target.SetSymbol(symbol, g.o.GetSymbol(symbol)))
		}
		return Assign(r, call{This: c.This, Arguments: append([]goja.Value{into}, c.Arguments[i+1:]...)}, original)
	}
	return original(c)
}

// Descriptors is Object.getOwnPropertyDescriptors.
func Descriptors(r *goja.Runtime, c call, original function) goja.Value {
	g, ok := through(r, c.Argument(0))
	if !ok {
		return ofFirst(r, c, original)
	}
	out := g.shorter(1, func() goja.Value { return original(c) }).ToObject(r)
	first, ok := out.Get("0").(*goja.Object)
	if !ok { // the buffer was taken away
		return out
	}
	whole := g.names(4*propertySize, func(name string) {
		like := r.NewObject()
		for _, key := range first.Keys() {
			Put(like, unistring.NewFromString(key), first.Get(key))
		}
		Put(like, "value", g.o.Get(name))
		define(out, name, like)
	})
	if !whole {
		return goja.Undefined()
	}
	return out
}

// define makes a property as an object's literal does.
func define(o *goja.Object, name string, value goja.Value) {
	if err := o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// copy makes properties of a literal's object of all that are enumerable, but those that are left
// out.
func (g gone) copy(target *goja.Object, without func(name string) bool, withoutSymbol func(*goja.Symbol) bool) {
	whole := g.properties(propertySize, func(name string, value goja.Value) {
		if !without(name) {
			define(target, name, value)
		}
	})
	if !whole {
		return
	}
	for _, symbol := range g.enumerableSymbols() {
		if withoutSymbol(symbol) {
			continue
		}
		err := target.DefineDataPropertySymbol(symbol, g.o.GetSymbol(symbol), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
	}
}

// spreadProperties is what spreads something into an object.
type spreadProperties struct{ replaced }

func (x *spreadProperties) exec(m *machine) {
	source := m.stack[m.sp-1]
	into := objectOf(m.stack[m.sp-2])
	if spreadFields(into, objectOf(source)) {
		m.sp--
		m.pc++
		return
	}
	g, ok := through(m.runtime, source)
	switch {
	case ok && into != nil:
		g.copy(asGoja(into), func(string) bool { return false }, func(*goja.Symbol) bool { return false })
	case affords(m.runtime, source):
		x.original.exec(m)
		return
	}
	m.sp--
	m.pc++
}

// restProperties makes the object of what a pattern left: { a, ...rest }.
type restProperties struct{ replaced }

func (x *restProperties) exec(m *machine) {
	source := patternOf(m.stack[m.sp-1])
	if source == nil {
		x.original.exec(m)
		return
	}
	if left := restFields(m.runtime, source); left != nil {
		m.stack = append(m.stack[:m.sp], left)
		m.sp++
		m.pc++
		return
	}
	g, ok := through(m.runtime, source.wrapped)
	if !ok {
		if affords(m.runtime, source.wrapped) {
			x.original.exec(m)
			return
		}
		m.pc++
		return
	}
	rest := m.runtime.NewObject()
	m.stack = append(m.stack[:m.sp], rest)
	m.sp++
	m.pc++
	g.copy(rest, func(name string) bool {
		_, used := source.used[unistring.NewFromString(name)]
		return used
	}, func(symbol *goja.Symbol) bool {
		_, used := source.usedSymbols[symbol]
		return used
	})
}

// pattern is goja's destructKeyedSource: what a pattern takes from, and what it took.
type pattern struct {
	_           *goja.Runtime
	wrapped     goja.Value
	used        map[unistring.String]struct{}
	usedSymbols map[*goja.Symbol]struct{}
}

// patternOf gives the source of a pattern; nil for anything else, and if goja's isn't as expected.
func patternOf(v goja.Value) *pattern {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	kind := asObject(o).self.kind
	known, looked := patterns.Load(kind)
	if !looked {
		self := reflect.TypeOf(selfOf(o))
		known = self.Kind() == reflect.Pointer && self.Elem().Name() == "destructKeyedSource" && isPattern(self.Elem())
		patterns.Store(kind, known)
	}
	if known != true {
		return nil
	}
	return (*pattern)(asObject(o).self.data)
}

var patterns sync.Map // whether it is one, by the kind of an object

func isPattern(theirs reflect.Type) bool {
	ours := reflect.TypeFor[pattern]()
	wrapped, hasWrapped := theirs.FieldByName("wrapped")
	keys, hasKeys := theirs.FieldByName("usedKeys")
	if theirs.Size() != ours.Size() || !hasWrapped || !hasKeys || wrapped.Type != ours.Field(1).Type || wrapped.Offset != ours.Field(1).Offset || keys.Type.Kind() != reflect.Struct {
		return false
	}
	for i, name := range []string{"stringProps", "symbolProps"} {
		f, ok := keys.Type.FieldByName(name)
		if our := ours.Field(2 + i); !ok || f.Type != our.Type || keys.Offset+f.Offset != our.Offset {
			return false
		}
	}
	return true
}

// naming begins for…in.
type naming struct{ replaced }

func (x *naming) exec(m *machine) {
	if !affords(m.runtime, m.stack[m.sp-1]) {
		m.stack[m.sp-1] = goja.Undefined() // which has no names
	}
	x.original.exec(m)
}
