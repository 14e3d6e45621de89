package sandbox

import (
	"fmt"

	"github.com/dop251/goja"
)

// cappedConstructors allocate by a number that they are given; each with the bytes of an element.
var cappedConstructors = []struct {
	name string
	size int64
}{
	{"ArrayBuffer", 1},
	{"Uint8Array", 1},
	{"Int8Array", 1},
	{"Uint8ClampedArray", 1},
	{"Uint16Array", 2},
	{"Int16Array", 2},
	{"Uint32Array", 4},
	{"Int32Array", 4},
	{"Float32Array", 4},
	{"Float64Array", 8},
	{"BigInt64Array", 8},
	{"BigUint64Array", 8},
}

// capConstructors replaces the constructors by ones that check the size first. In Go, because the same in JavaScript took
// longer than all the rest of a new VM.
func (v *VM) capConstructors() error {
	global := v.Runtime.GlobalObject()
	construct, ok := goja.AssertFunction(global.Get("Reflect").ToObject(v.Runtime).Get("construct"))
	if !ok {
		return fmt.Errorf("there is no Reflect.construct")
	}
	for _, c := range cappedConstructors {
		if err := v.capConstructor(global, construct, c.name, c.size); err != nil {
			return fmt.Errorf("cap %s: %w", c.name, err)
		}
	}
	return nil
}

func (v *VM) capConstructor(global *goja.Object, construct goja.Callable, name string, size int64) error {
	original := global.Get(name).ToObject(v.Runtime)
	var capped *goja.Object
	capped = v.Runtime.ToValue(func(call goja.ConstructorCall) *goja.Object {
		v.checkSize(name, size, call.Argument(0))
		newTarget := call.NewTarget
		if newTarget == nil || newTarget == capped {
			newTarget = original
		}
		made, err := construct(goja.Undefined(), original, v.Runtime.ToValue(call.Arguments), newTarget)
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return made.ToObject(v.Runtime)
	}).ToObject(v.Runtime)
	prototype := original.Get("prototype").ToObject(v.Runtime)
	if err := capped.SetPrototype(original); err != nil { // for the static members
		return err
	}
	for _, err := range []error{
		capped.DefineDataProperty("name", v.Runtime.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		capped.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", capped, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		global.DefineDataProperty(name, capped, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSize throws a RangeError for a length, or an array-like, that would take too much.
func (v *VM) checkSize(name string, size int64, arg goja.Value) {
	var elements float64
	if o, ok := arg.(*goja.Object); !ok {
		elements = arg.ToFloat()
	} else if n := o.Get("length"); n != nil {
		elements = n.ToFloat()
	}
	if bytes := elements * float64(size); bytes > float64(v.opts.MaxBytes) {
		message := fmt.Sprintf("%s would take %.0f bytes; the limit for one call is %d", name, bytes, v.opts.MaxBytes)
		e, err := v.Runtime.New(v.Runtime.Get("RangeError"), v.Runtime.ToValue(message))
		if err != nil {
			panic(err)
		}
		panic(e)
	}
}
