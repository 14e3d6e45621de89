package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/builtins"
)

// gojaInternals are the places inside goja's objects that have to be reached for its builtins to be
// counted: see counted. Every builtin can be part of a recursion, goja has no place where all of
// them could be looked at, and a function in front of each, as wrapped makes them, would double
// what a runtime takes. So the counting functions are put inside goja's function objects, for most
// of them by the templates that all runtimes make them of when they are first used. Nothing else
// here reaches into goja. Where it isn't built as expected, no VM is made.
type gojaInternals struct {
	interpreter

	tracker   uintptr // in a Runtime: its AsyncContextTracker
	self      uintptr // in an Object: what it is, an interface
	selfType  reflect.Type
	functions map[reflect.Type]uintptr // in the kinds of functions: the Go function
	makers    map[reflect.Type]uintptr // in the kinds of constructors: the Go function that makes an object
	property  reflect.Type             // the kind of what isn't a plain value, a pointer
	inside    []uintptr                // in a property: the objects
	value     uintptr                  // in a property: the value
	shape     *shape                   // see FreezeObject
	setters   setters
	jobs      uintptr // in a Runtime: see NextTick
	promises  promises
	errors    errorInternals
}

var (
	internals    *gojaInternals
	errInternals error
)

// Before anything runs: runtimes read goja's templates without a lock.
func init() { internals, errInternals = countBuiltins() }

// templated gives what goja makes of templates. The first two lead to constructors that are made
// without, in part.
var templated = []string{
	"globalThis", "Object.getPrototypeOf(Uint8Array.prototype)", "Object", "Object.prototype", "Function.prototype", "Array.prototype", "String.prototype",
	"Number", "Number.prototype", "BigInt", "BigInt.prototype", "Date", "Date.prototype", "Math", "DataView.prototype",
}

type (
	function = func(goja.FunctionCall) goja.Value
	maker    = func(args []goja.Value, newTarget *goja.Object) *goja.Object
	factory  = func(*goja.Runtime) goja.Value
)

func countBuiltins() (in *gojaInternals, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("goja isn't built as expected: %v", r)
		}
	}()
	r := goja.New()
	evaluate := func(text string) *goja.Object {
		value, err := r.RunString(text)
		if err != nil {
			panic(err)
		}
		return value.ToObject(r)
	}
	in = &gojaInternals{functions: map[reflect.Type]uintptr{}, makers: map[reflect.Type]uintptr{}}
	in.tracker = field[goja.AsyncContextTracker](reflect.TypeFor[goja.Runtime](), "asyncContextTracker")
	in.interpreter = interpreterOf()
	in.jobs = jobsOf()
	in.promises = promisesOf()
	self, found := reflect.TypeFor[goja.Object]().FieldByName("self")
	if !found || self.Type.Kind() != reflect.Interface {
		panic("goja.Object.self")
	}
	in.self, in.selfType = self.Offset, self.Type
	for _, text := range []string{`[].map`, `[].map.bind()`, `Object`, `Map`} {
		kind := in.of(evaluate(text)).Type()
		in.functions[kind] = field[function](kind.Elem(), "f")
		in.makers[kind] = field[maker](kind.Elem(), "construct")
	}
	for _, accessor := range in.values(in.of(evaluate(`({get a() {}})`))) {
		in.property = reflect.TypeOf(accessor)
	}
	in.errors = errorsOf(in.of(evaluate(`new Error`)))
	in.value = field[goja.Value](in.property.Elem(), "value")
	in.inside = []uintptr{field[*goja.Object](in.property.Elem(), "getterFunc"), field[*goja.Object](in.property.Elem(), "setterFunc")}
	in.shape = shapeOf(in.property, r.NewObject(), in.of(r.NewObject()))
	in.setters = setters{byName: map[setterKey]*goja.Object{}, maker: goja.New()}
	for i, name := range templated {
		in.changeTemplate(name, evaluate(name), i < 2)
	}
	return in, nil
}

// field is where a field is, which must have a type.
func field[T any](of reflect.Type, name string) uintptr {
	f, found := of.FieldByName(name)
	// A name of its own makes no difference for a function or a map.
	if !found || !f.Type.ConvertibleTo(reflect.TypeFor[T]()) {
		panic(fmt.Sprintf("%v.%s", of, name))
	}
	return f.Offset
}

// of is what an object is.
func (in *gojaInternals) of(o *goja.Object) reflect.Value {
	return reflect.NewAt(in.selfType, unsafe.Add(unsafe.Pointer(o), in.self)).Elem().Elem()
}

// values are the properties of an object.
func (in *gojaInternals) values(self reflect.Value) map[unistring.String]goja.Value {
	at, found := self.Type().Elem().FieldByName("values")
	if !found || at.Type != reflect.TypeFor[map[unistring.String]goja.Value]() {
		panic(fmt.Sprintf("%v.values", self.Type()))
	}
	return *(*map[unistring.String]goja.Value)(pointer(self, at))
}

// pointer is where a field of what an object is lies, which may be one of a struct inside.
func pointer(self reflect.Value, f reflect.StructField) unsafe.Pointer {
	return self.Elem().FieldByIndex(f.Index).Addr().UnsafePointer()
}

// changeTemplate has what a template makes counted, and with members, what that has.
func (in *gojaInternals) changeTemplate(owner string, o *goja.Object, members bool) {
	self := in.of(o)
	tmpl, found := self.Type().Elem().FieldByName("tmpl")
	if !found || tmpl.Type.Kind() != reflect.Pointer {
		panic(fmt.Sprintf("%v.tmpl", self.Type()))
	}
	template := reflect.NewAt(tmpl.Type, pointer(self, tmpl)).Elem()
	changed := 0
	change := func(name string, make factory) factory {
		changed++
		guard := in.guardOf(owner + "." + name)
		return func(r *goja.Runtime) goja.Value {
			made := make(r)
			in.count(r, made, members)
			if guard != nil {
				guard(r, made)
			}
			return made
		}
	}
	props, found := template.Type().Elem().FieldByName("props")
	if !found || props.Type.Kind() != reflect.Map || props.Type.Key() != reflect.TypeFor[unistring.String]() || !props.Type.Elem().ConvertibleTo(reflect.TypeFor[factory]()) {
		panic("objectTemplate.props")
	}
	byName := *(*map[unistring.String]factory)(pointer(template, props))
	for name, make := range byName {
		byName[name] = change(name.String(), make)
	}
	if owner == "String.prototype" {
		in.addMarkup(template, byName)
	}
	props, found = template.Type().Elem().FieldByName("symProps")
	if !found || props.Type.Kind() != reflect.Map || props.Type.Key() != reflect.TypeFor[*goja.Symbol]() || !props.Type.Elem().ConvertibleTo(reflect.TypeFor[factory]()) {
		panic("objectTemplate.symProps")
	}
	bySymbol := *(*map[*goja.Symbol]factory)(pointer(template, props))
	for symbol, make := range bySymbol {
		bySymbol[symbol] = change("", make)
	}
	if changed == 0 {
		panic("an empty template")
	}
}

// addMarkup adds the methods that write HTML: as goja's own they cost nothing before they are used.
func (in *gojaInternals) addMarkup(template reflect.Value, byName map[unistring.String]factory) {
	at, found := template.Type().Elem().FieldByName("propNames")
	if !found || at.Type != reflect.TypeFor[[]unistring.String]() {
		panic("objectTemplate.propNames")
	}
	names := (*[]unistring.String)(pointer(template, at))
	for _, name := range slices.Sorted(maps.Keys(builtins.Markup)) {
		key := unistring.NewFromString(name)
		if byName[key] != nil {
			continue
		}
		element, attribute := builtins.Markup[name][0], builtins.Markup[name][1]
		*names = append(*names, key)
		byName[key] = func(r *goja.Runtime) goja.Value {
			f := r.ToValue(counted(r, builtins.MarkupMethod(r, element, attribute))).ToObject(r)
			o := r.NewObject()
			err := errors.Join(
				f.DefineDataProperty("name", r.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
				f.DefineDataProperty("length", r.ToValue(min(len(attribute), 1)), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
				o.DefineDataProperty(name, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
			if err != nil {
				panic(err)
			}
			return in.values(in.of(o))[key]
		}
	}
}

// count has the functions counted that a property has; with members, those of a constructor too,
// and of its prototype.
func (in *gojaInternals) count(r *goja.Runtime, property goja.Value, members bool) {
	if reflect.TypeOf(property) != in.property {
		if o, ok := property.(*goja.Object); ok {
			in.countFunction(r, o, members)
		}
		return
	}
	p := reflect.ValueOf(property).UnsafePointer()
	for _, at := range in.inside {
		if o := *(**goja.Object)(unsafe.Add(p, at)); o != nil {
			in.countFunction(r, o, false)
		}
	}
	if o, ok := (*(*goja.Value)(unsafe.Add(p, in.value))).(*goja.Object); ok {
		in.countFunction(r, o, members)
	}
}

func (in *gojaInternals) countFunction(r *goja.Runtime, o *goja.Object, members bool) {
	if *(**goja.Runtime)(unsafe.Add(unsafe.Pointer(o), in.shape.runtime)) != r {
		return // a setter that all runtimes use, of what is frozen: see setters
	}
	self := in.of(o)
	if at, ok := in.functions[self.Type()]; ok {
		f := (*function)(unsafe.Add(self.UnsafePointer(), at))
		if *f != nil {
			*f = counted(r, *f)
		}
	}
	if members {
		in.countMembers(r, o)
	}
}

// methodSymbols are the names of the builtins that no text names.
var methodSymbols = []*goja.Symbol{goja.SymMatch, goja.SymMatchAll, goja.SymSearch, goja.SymSplit, goja.SymReplace, goja.SymIterator, language.ToPrimitive, goja.SymHasInstance}

// countMembers has the methods counted that an object has, and its prototype if it's a constructor.
func (in *gojaInternals) countMembers(r *goja.Runtime, o *goja.Object) {
	for name, property := range in.values(in.of(o)) {
		if name != "constructor" {
			in.count(r, property, false)
		}
	}
	for _, symbol := range methodSymbols {
		if f, ok := o.GetSymbol(symbol).(*goja.Object); ok {
			in.countFunction(r, f, false)
		}
	}
	if prototype, ok := o.Get("prototype").(*goja.Object); ok && o.ClassName() == "Function" {
		in.countMembers(r, prototype)
	}
}

// guardOf puts before a builtin what the language has for it: code reaches these without a name
// that could be waited for.
func (in *gojaInternals) guardOf(path string) func(r *goja.Runtime, property goja.Value) {
	before, setter := builtins.Before[path], false
	if before == nil {
		before, setter = builtins.BeforeSetter[path], true
	}
	if path == "Function.prototype.bind" {
		before, setter = in.bind, false
	}
	if before == nil {
		return nil
	}
	return func(r *goja.Runtime, property goja.Value) {
		p := in.propertyAt(property)
		if p == nil {
			return
		}
		o, _ := (*(*goja.Value)(unsafe.Add(p, in.value))).(*goja.Object)
		if setter {
			o = *(**goja.Object)(unsafe.Add(p, in.inside[1]))
		}
		if o != nil {
			in.wrap(o, func(call goja.FunctionCall, original function) goja.Value { return before(r, call, original) })
		}
	}
}

// bind has counted what is bound, too.
func (in *gojaInternals) bind(r *goja.Runtime, call goja.FunctionCall, bind function) goja.Value {
	bound := bind(call)
	if o, ok := bound.(*goja.Object); ok {
		in.countFunction(r, o, false)
	}
	return bound
}

// wrap puts a function before a builtin's.
func (in *gojaInternals) wrap(o *goja.Object, f func(goja.FunctionCall, function) goja.Value) bool {
	self := in.of(o)
	at, ok := in.functions[self.Type()]
	if !ok {
		return false
	}
	place := (*function)(unsafe.Add(self.UnsafePointer(), at))
	before := *place
	*place = func(call goja.FunctionCall) goja.Value { return f(call, before) }
	return true
}

// replace puts another Go function in a builtin's place.
func (in *gojaInternals) replace(o *goja.Object, f function) bool {
	self := in.of(o)
	at, ok := in.functions[self.Type()]
	if ok {
		*(*function)(unsafe.Add(self.UnsafePointer(), at)) = f
	}
	return ok
}

// construct is the place of the Go function by which a constructor makes an object.
func (in *gojaInternals) construct(o *goja.Object) *maker {
	self := in.of(o)
	if at, ok := in.makers[self.Type()]; ok {
		return (*maker)(unsafe.Add(self.UnsafePointer(), at))
	}
	return nil
}

// context is that of a runtime of ours.
func (in *gojaInternals) context(r *goja.Runtime) *asyncContext {
	tracker := *(*goja.AsyncContextTracker)(unsafe.Add(unsafe.Pointer(r), in.tracker))
	context, _ := tracker.(*asyncContext)
	return context
}
