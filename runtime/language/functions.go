package language

import (
	"fmt"

	"github.com/dop251/goja"
)

// Builtin is one of goja's functions.
func Builtin(o *goja.Object, name string) Function {
	f, _ := o.Get(name).Export().(func(goja.FunctionCall) goja.Value)
	return f
}

// NativeObject is one of goja's global objects, as it was.
func NativeObject(h Host, name string) *goja.Object {
	return h.Native().Get(name).ToObject(h.Runtime())
}

// NativePrototype is the prototype of one of goja's classes.
func NativePrototype(h Host, class string) *goja.Object {
	return NativeObject(h, class).Get("prototype").ToObject(h.Runtime())
}

// Wrap does something before a builtin. What it checks it must hand on as it is: asked again, an
// object could answer something else.
func Wrap(h Host, on *goja.Object, name string, f func(goja.FunctionCall, Function) goja.Value) error {
	original := Builtin(on, name)
	if original == nil {
		return fmt.Errorf("there is no %s", name)
	}
	replacement := h.Counted(func(call goja.FunctionCall) goja.Value { return f(call, original) })
	if !h.Replace(on.Get(name).ToObject(h.Runtime()), replacement) {
		return fmt.Errorf("%s is no builtin", name)
	}
	return nil
}

// DefineFunction makes a method, as the language defines its own.
func DefineFunction(h Host, on *goja.Object, name string, length int, f Function) error {
	o, err := NewFunction(h, name, length, f)
	if err != nil {
		return err
	}
	return on.DefineDataProperty(name, o, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// NewFunction makes one with the name and the length that JavaScript sees; goja would show Go's
// name.
func NewFunction(h Host, name string, length int, f Function) (*goja.Object, error) {
	r := h.Runtime()
	o := r.ToValue(h.Counted(f)).ToObject(r)
	if err := o.DefineDataProperty("name", r.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
		return nil, err
	}
	if length == 0 {
		return o, nil
	}
	return o, o.DefineDataProperty("length", r.ToValue(length), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// Throw throws an error into JavaScript.
func Throw(h Host, class, message string) {
	e, err := h.Runtime().New(h.Native().Get(class), h.Runtime().ToValue(message))
	if err != nil {
		panic(err)
	}
	panic(e)
}

// RangeError makes one without a host, whatever code has made of the constructor.
func RangeError(r *goja.Runtime, message string) goja.Value {
	if class, ok := r.GlobalObject().Get("RangeError").(*goja.Object); ok {
		if e, err := r.New(class, r.ToValue(message)); err == nil {
			return e
		}
	}
	return r.NewTypeError(message)
}
