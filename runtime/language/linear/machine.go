package linear

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What follows is goja's own, as far as it is needed here: checked field by field before it is used.

// machine is goja's vm.
type machine struct {
	runtime   *goja.Runtime
	_         *program
	pc        int
	stack     []goja.Value
	sp        int
	sb, args  int
	stash     *stash
	_         unsafe.Pointer
	_         []struct{}
	iterStack []iteration
}

// program is goja's Program.
type program struct{ code []instruction }

// instruction has the shape of goja's: to the processor, a method of one pointer is like another.
type instruction interface{ exec(m *machine) }

// iteration is what a for…of or a pattern is at.
type iteration struct {
	value goja.Value
	_     func()
	iter  *iterator
}

type iterator struct {
	object *object
	next   func(goja.FunctionCall) goja.Value
}

// object is goja's Object.
type object struct {
	self    words
	runtime *goja.Runtime
}

// words are what an interface is made of.
type words struct{ kind, data unsafe.Pointer }

// common is what all objects have, goja's baseObject.
type common struct {
	class      string
	val        *object
	prototype  *object
	extensible bool
	values     map[unistring.String]goja.Value
	names      []unistring.String
	_, indexes int
	symbols    unsafe.Pointer
	private    unsafe.Pointer
}

type array struct {
	common
	values     []goja.Value
	length     uint32
	filled     int // items that are no holes
	properties int // items that are not plain values
	lengthProp property
}

// property is goja's valueProperty.
type property struct {
	value                                        goja.Value
	writable, configurable, enumerable, accessor bool
	getter, setter                               *object
}

type arrayIterator struct {
	common
	of   *object
	next int64
	kind int
}

// kindValue has an iterator give the items, not their numbers.
const kindValue = 1

// imported is a text that came from Go.
type imported struct {
	text    string
	units   []uint16
	scanned bool
}

// kinds are the first words of goja's interfaces, by what is in them.
var kinds struct {
	ascii, unicode, imported, integer, fraction, big, object, property unsafe.Pointer

	array, iterator, native, typed, plain, arrow, script unsafe.Pointer // of what an object is
	templated                                            unsafe.Pointer // of a global object as goja makes it
	mapObject                                            unsafe.Pointer // of a Map
	function                                             uintptr        // in a native function: the Go function
	tracker, machine, global                             uintptr        // in a Runtime
	code, stash                                          uintptr        // in a function of JavaScript: its program, and its variables
}

// toNumeric is goja's instruction that makes a number, or a BigInt, of what lies on top.
var toNumeric instruction

// Check tells whether goja is built as expected.
var Check = sync.OnceValue(func() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("goja isn't built as expected: %v", r)
		}
	}()
	return errors.Join(checkShapes(), checkNumbers(), checkMaps(), checkCalls())
})

func checkShapes() error {
	r := goja.New()
	runtime := reflect.TypeFor[goja.Runtime]()
	vm, found := runtime.FieldByName("vm")
	if !found {
		return errors.New("goja.Runtime.vm")
	}
	tracker, found := runtime.FieldByName("asyncContextTracker")
	if !found || tracker.Type != reflect.TypeFor[goja.AsyncContextTracker]() {
		return errors.New("goja.Runtime.asyncContextTracker")
	}
	kinds.tracker, kinds.machine = tracker.Offset, vm.Offset
	global, found := runtime.FieldByName("globalObject")
	if !found || global.Type != reflect.TypeFor[*goja.Object]() || !hasCommon(asObject(r.GlobalObject())) {
		return errors.New("goja.Runtime.globalObject")
	}
	kinds.global, kinds.templated = global.Offset, asObject(r.GlobalObject()).self.kind
	var errs []error
	same := func(theirs reflect.Type, ours any, names map[string]string) {
		if theirs.Kind() == reflect.Pointer {
			theirs = theirs.Elem()
		}
		mine := reflect.TypeOf(ours)
		for name, their := range names {
			a, found := mine.FieldByName(name)
			b, foundTheirs := theirs.FieldByName(their)
			if !found || !foundTheirs || a.Offset != b.Offset || a.Type.Size() != b.Type.Size() || a.Type.Kind() != b.Type.Kind() && a.Type != reflect.TypeFor[words]() && a.Type.Kind() != reflect.UnsafePointer {
				errs = append(errs, fmt.Errorf("%v.%s", theirs, their))
			}
		}
	}
	field := func(of reflect.Type, name string) reflect.Type {
		f, found := of.FieldByName(name)
		if !found {
			panic(fmt.Sprintf("%v.%s", of, name))
		}
		return f.Type
	}
	same(vm.Type, machine{}, map[string]string{"runtime": "r", "pc": "pc", "stack": "stack", "sp": "sp", "sb": "sb", "args": "args", "stash": "stash", "iterStack": "iterStack"})
	code := field(reflect.TypeFor[goja.Program](), "code")
	same(reflect.TypeFor[goja.Program](), program{}, map[string]string{"code": "code"})
	if i := code.Elem(); i.Kind() != reflect.Interface || i.NumMethod() != 1 || i.Method(0).Name != "exec" ||
		i.Method(0).Type.NumIn() != 1 || i.Method(0).Type.In(0) != vm.Type || i.Method(0).Type.NumOut() != 0 {
		errs = append(errs, errors.New("goja's instructions"))
	}
	item := field(vm.Type.Elem(), "iterStack").Elem()
	if item.Size() != unsafe.Sizeof(iteration{}) {
		errs = append(errs, errors.New("goja's iterations"))
	}
	same(item, iteration{}, map[string]string{"value": "val", "iter": "iter"})
	same(field(item, "iter"), iterator{}, map[string]string{"object": "iterator", "next": "next"})
	same(reflect.TypeFor[goja.Object](), object{}, map[string]string{"self": "self", "runtime": "runtime"})
	commons := map[string]string{"class": "class", "val": "val", "prototype": "prototype", "extensible": "extensible", "values": "values", "names": "propNames", "indexes": "idxPropCount", "symbols": "symValues"}
	arrays := reflect.TypeOf(selfOf(r.NewArray()))
	list, lists := arrays.Elem().FieldByName("values")
	if !lists || list.Type != reflect.TypeFor[[]goja.Value]() || list.Offset != unsafe.Offsetof(array{}.values) {
		errs = append(errs, errors.New("goja's arrays"))
	}
	same(field(arrays.Elem(), "baseObject"), common{}, commons)
	same(arrays, array{}, map[string]string{"common": "baseObject", "values": "values", "length": "length", "filled": "objCount", "properties": "propValueCount", "lengthProp": "lengthProp"})
	same(field(arrays.Elem(), "lengthProp"), property{}, map[string]string{"value": "value", "writable": "writable", "enumerable": "enumerable", "accessor": "accessor", "getter": "getterFunc", "setter": "setterFunc"})
	iterates, err := r.RunString(`[][Symbol.iterator]()`)
	if err != nil {
		return err
	}
	iterators := reflect.TypeOf(selfOf(iterates.ToObject(r)))
	if iterators.Elem().Size() != unsafe.Sizeof(arrayIterator{}) || reflect.TypeFor[goja.Object]().Size() != unsafe.Sizeof(object{}) ||
		field(item, "iter").Elem().Size() != unsafe.Sizeof(iterator{}) || field(arrays.Elem(), "baseObject").Size() != unsafe.Sizeof(common{}) {
		errs = append(errs, errors.New("goja's iterators"))
	}
	same(iterators, arrayIterator{}, map[string]string{"common": "baseObject", "of": "obj", "next": "nextIdx", "kind": "kind"})
	texts := reflect.TypeOf(r.ToValue("a text that is longer than sixteen bytes"))
	same(texts, imported{}, map[string]string{"text": "s", "units": "u", "scanned": "scanned"})
	if ascii, unicode := reflect.TypeOf(r.ToValue("a")), reflect.TypeOf(goja.Value(goja.StringFromUTF16([]uint16{0xe4}))); ascii.Kind() != reflect.String ||
		unicode.Kind() != reflect.Slice || unicode.Elem().Kind() != reflect.Uint16 || ascii.Name() != "asciiString" || unicode.Name() != "unicodeString" {
		errs = append(errs, errors.New("goja's texts"))
	}
	if reflect.TypeOf(r.ToValue(1000)).Kind() != reflect.Int64 || reflect.TypeOf(r.ToValue(1.5)).Kind() != reflect.Float64 {
		errs = append(errs, errors.New("goja's numbers"))
	}
	accessor, err := r.RunString(`Object.defineProperty([0], 0, { get() {} })`)
	if err != nil {
		return err
	}
	kind := func(v goja.Value) unsafe.Pointer { return (*words)(unsafe.Pointer(&v)).kind }
	kinds.ascii, kinds.unicode = kind(r.ToValue("a")), kind(goja.StringFromUTF16([]uint16{0xe4}))
	kinds.imported, kinds.integer = kind(r.ToValue("a text that is longer than sixteen bytes")), kind(r.ToValue(1000))
	kinds.fraction, kinds.object = kind(r.ToValue(1.5)), kind(r.NewObject())
	kinds.array, kinds.iterator = asObject(r.NewArray()).self.kind, asObject(iterates.ToObject(r)).self.kind
	functions, err := r.RunString(`[() => 1, function () {}]`)
	if err != nil {
		return err
	}
	kinds.arrow = asObject(functions.ToObject(r).Get("0").ToObject(r)).self.kind
	kinds.script = asObject(functions.ToObject(r).Get("1").ToObject(r)).self.kind
	kinds.plain = asObject(r.NewObject()).self.kind
	arrow := reflect.TypeOf(selfOf(functions.ToObject(r).Get("0").ToObject(r))).Elem()
	script := reflect.TypeOf(selfOf(functions.ToObject(r).Get("1").ToObject(r))).Elem()
	var codeType, stashType reflect.Type
	kinds.code, codeType = fieldIn(arrow, "prg")
	kinds.stash, stashType = fieldIn(arrow, "stash")
	code2, _ := fieldIn(script, "prg")
	if stash2, _ := fieldIn(script, "stash"); code2 != kinds.code || stash2 != kinds.stash || codeType != reflect.TypeFor[*goja.Program]() {
		errs = append(errs, errors.New("goja's functions of JavaScript"))
	}
	same(stashType, stash{}, map[string]string{"values": "values", "names": "names", "object": "obj", "outer": "outer"})
	kinds.property = kind(arrayOf(asObject(accessor.ToObject(r))).values[0])
	native := asObject(iterates.ToObject(r).Get("next").ToObject(r))
	f, found := reflect.TypeOf(selfOf(asGoja(native))).Elem().FieldByName("f")
	if !found || f.Type != reflect.TypeFor[func(goja.FunctionCall) goja.Value]() {
		errs = append(errs, errors.New("goja's functions"))
	}
	kinds.native, kinds.function = native.self.kind, f.Offset
	bytes, err := r.RunString(`new Uint8Array(1)`)
	if err != nil {
		return err
	}
	same(reflect.TypeOf(selfOf(bytes.ToObject(r))), typed{}, map[string]string{"common": "baseObject", "length": "length"})
	kinds.typed = asObject(bytes.ToObject(r)).self.kind
	return errors.Join(errs...)
}

// checkNumbers finds what makes numbers of objects, and what BigInts are made of.
func checkNumbers() error {
	r := goja.New()
	number := r.ToValue(new(big.Int).Lsh(big.NewInt(1), 99))
	t := reflect.TypeOf(number)
	if t.Kind() != reflect.Pointer || !t.ConvertibleTo(reflect.TypeFor[*big.Int]()) {
		return errors.New("goja's BigInts")
	}
	kinds.big = kindOf(&number)
	p, err := goja.Compile("", `let x; x++`, true)
	if err != nil {
		return err
	}
	for _, in := range (*program)(unsafe.Pointer(p)).code {
		if reflect.TypeOf(any(in)).Name() == "_toNumber" {
			toNumeric = in
		}
	}
	object, err := r.RunString(`({ valueOf: () => 5n })`)
	if err != nil || toNumeric == nil {
		return errors.Join(errors.New("goja's x++"), err)
	}
	m := machine{runtime: r, stack: []goja.Value{object}, sp: 1, pc: 7}
	m.numeric()
	if w := (*words)(unsafe.Pointer(&m.stack[0])); w.kind != kinds.big || (*big.Int)(w.data).Int64() != 5 || m.sp != 1 || m.pc != 7 {
		return errors.New("goja makes numbers otherwise")
	}
	return nil
}

// checkCalls has an instruction of ours called as goja calls it. It calls one by the interface, too:
// where nothing did, Go would leave them all out.
func checkCalls() error {
	p, err := goja.Compile("", `(a, b) => a + b`, true)
	if err != nil {
		return err
	}
	tune((*program)(unsafe.Pointer(p)), false)
	r := goja.New()
	value, err := r.RunProgram(p)
	if err != nil {
		return err
	}
	add, ok := goja.AssertFunction(value)
	if !ok {
		return errors.New("goja's programs")
	}
	sum, err := add(goja.Undefined(), r.ToValue(1000), r.ToValue(1001))
	m := machine{stack: []goja.Value{r.ToValue(1), r.ToValue(2)}, sp: 2}
	for _, in := range []instruction{&addition{}} {
		in.exec(&m)
	}
	if !plainObjects(r.NewObject()) {
		return errors.New("goja's plain objects")
	}
	if err != nil || sum.ToInteger() != 2001 || m.sp != 1 || m.stack[0].ToInteger() != 3 {
		return fmt.Errorf("goja adds otherwise: %v, %w", sum, err)
	}
	return nil
}

// selfOf is what an object is.
func selfOf(o *goja.Object) any {
	self, found := reflect.TypeFor[goja.Object]().FieldByName("self")
	if !found || self.Type.Kind() != reflect.Interface {
		panic("goja.Object.self")
	}
	v := reflect.NewAt(self.Type, unsafe.Add(unsafe.Pointer(o), self.Offset)).Elem().Elem()
	if v.Kind() != reflect.Pointer {
		panic("goja's objects")
	}
	return reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Interface()
}

func asObject(o *goja.Object) *object { return (*object)(unsafe.Pointer(o)) }
func asGoja(o *object) *goja.Object   { return (*goja.Object)(unsafe.Pointer(o)) }

// arrayOf is an object as a plain array; nil if it is none.
func arrayOf(o *object) *array {
	if o.self.kind != kinds.array {
		return nil
	}
	return (*array)(o.self.data)
}

// wholeArray is an object as a plain array that has no holes behind its items; nil if it is none.
func wholeArray(o *object) *array {
	if o == nil {
		return nil
	}
	a := arrayOf(o)
	if a == nil || uint64(a.length) != uint64(len(a.values)) {
		return nil
	}
	return a
}

// objectOf is a value as an object; nil if it is none.
func objectOf(v goja.Value) *object {
	w := (*words)(unsafe.Pointer(&v))
	if w.kind != kinds.object {
		return nil
	}
	return (*object)(w.data)
}

func kindOf(v *goja.Value) unsafe.Pointer { return (*words)(unsafe.Pointer(v)).kind }

// isPlain tells an item from a hole and from what has a getter, or may not be changed.
func isPlain(v *goja.Value) bool {
	kind := kindOf(v)
	return kind != nil && kind != kinds.property
}

// valueOf is a value of one of goja's kinds.
func valueOf(kind, data unsafe.Pointer) goja.Value {
	w := words{kind, data}
	return *(*goja.Value)(unsafe.Pointer(&w))
}
