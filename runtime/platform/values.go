package platform

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"
)

// Object makes an object of host functions and constants. What goes wrong is the host's to know.
func Object(h Host, members map[string]any) *goja.Object {
	r := h.VM().Runtime
	o := r.NewObject()
	for name, value := range members {
		if err := Define(r, o, name, value); err != nil {
			h.Fail(fmt.Errorf("set %s: %w", name, err))
		}
	}
	return o
}

// Define sets an object's own property. Set would call a setter that the author has put on
// Object.prototype, and hand it what is ours. A function gets the property's name: goja would show
// Go's in stacks.
func Define(r *goja.Runtime, o *goja.Object, name string, value any) error {
	v := r.ToValue(value)
	if f, ok := v.(*goja.Object); ok {
		if _, ok := value.(func(goja.FunctionCall) goja.Value); ok {
			if err := Rename(r, f, name); err != nil {
				return err
			}
		}
	}
	return o.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// Rename gives a function the name that stacks show.
func Rename(r *goja.Runtime, f *goja.Object, name string) error {
	return f.DefineDataProperty("name", r.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// Call evaluates a program that is a function, and calls it.
func Call(r *goja.Runtime, p *goja.Program, args ...goja.Value) (goja.Value, error) {
	v, err := r.RunProgram(p)
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return nil, fmt.Errorf("the program is a %T, not a function", v.Export())
	}
	return f(goja.Undefined(), args...)
}

// Evaluate runs a bundle and gives its exports.
func Evaluate(r *goja.Runtime, p *goja.Program, host *goja.Object) (*goja.Object, error) {
	exports, module := r.NewObject(), r.NewObject()
	if err := Define(r, module, "exports", exports); err != nil {
		return nil, err
	}
	if _, err := Call(r, p, host, module, exports); err != nil {
		return nil, err
	}
	return module.Get("exports").ToObject(r), nil
}

// Callback makes a Go function of a JavaScript one.
func Callback(v goja.Value) func(goja.Value) error {
	f, ok := goja.AssertFunction(v)
	if !ok {
		return func(goja.Value) error { return nil }
	}
	return func(arg goja.Value) error {
		_, err := f(goja.Undefined(), arg)
		return err
	}
}

// Buffer is bytes as an ArrayBuffer.
func Buffer(h Host, b []byte) goja.Value {
	r := h.VM().Runtime
	return r.ToValue(r.NewArrayBuffer(b))
}

// Thrown is an error to panic with: what JavaScript threw goes on as it is.
func Thrown(h Host, err error) any {
	if ex, ok := err.(*goja.Exception); ok { //nolint:errorlint // as goja gives it
		return ex.Value()
	}
	return h.VM().Runtime.NewGoError(err)
}

// Octets copies the bytes of a view.
func Octets(v goja.Value) []byte {
	if v == nil {
		return nil
	}
	b, _ := sandbox.Exported[[]byte](v)
	return append([]byte(nil), b...)
}

// Text is a member as text; "" where there is none.
func Text(o *goja.Object, name string) string {
	if v := o.Get(name); v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
		return v.String()
	}
	return ""
}

// Integer is a member as a whole number; 0 where there is none.
func Integer(o *goja.Object, name string) int {
	if v := o.Get(name); v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
		return int(v.ToNumber().ToInteger()) // the SDK's Long has a valueOf
	}
	return 0
}
