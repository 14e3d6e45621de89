package builtins

import (
	"errors"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// ChangeArrayBuffer adds what ES2024 added, as far as goja's buffers can have it: they are moved,
// and never resized.
func ChangeArrayBuffer(h Host, class *goja.Object) error {
	prototype := class.Get("prototype").ToObject(h.Runtime())
	if prototype.Get("transfer") != nil {
		return nil
	}
	errs := []error{
		language.DefineFunction(h, prototype, "transfer", 0, func(call goja.FunctionCall) goja.Value { return transfer(h, call) }),
		language.DefineFunction(h, prototype, "transferToFixedLength", 0, func(call goja.FunctionCall) goja.Value { return transfer(h, call) }),
		language.DefineFunction(h, prototype, "resize", 1, func(call goja.FunctionCall) goja.Value {
			arrayBuffer(h, call.This)
			language.Throw(h, "TypeError", "resize was called on an ArrayBuffer of a fixed length")
			return nil
		}),
	}
	for name, get := range map[string]func(goja.ArrayBuffer) any{
		"detached":      func(b goja.ArrayBuffer) any { return b.Detached() },
		"resizable":     func(goja.ArrayBuffer) any { return false },
		"maxByteLength": func(b goja.ArrayBuffer) any { return len(b.Bytes()) },
	} {
		getter, err := language.NewFunction(h, "get "+name, 0, func(call goja.FunctionCall) goja.Value {
			return h.Runtime().ToValue(get(arrayBuffer(h, call.This)))
		})
		errs = append(errs, err, prototype.DefineAccessorProperty(name, getter, nil, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	return errors.Join(errs...)
}

func arrayBuffer(h Host, this goja.Value) goja.ArrayBuffer {
	b, ok := language.Exported[goja.ArrayBuffer](this)
	if !ok {
		language.Throw(h, "TypeError", "a method of ArrayBuffer was called on something else")
	}
	return b
}

// transfer moves the bytes to a buffer of another length, and leaves the old one without.
func transfer(h Host, call goja.FunctionCall) goja.Value {
	b := arrayBuffer(h, call.This)
	if b.Detached() {
		language.Throw(h, "TypeError", "Cannot perform ArrayBuffer.prototype.transfer on a detached ArrayBuffer")
	}
	length := float64(len(b.Bytes()))
	if n := call.Argument(0); !goja.IsUndefined(n) {
		if length = n.ToFloat(); !(length >= 0) {
			language.Throw(h, "RangeError", "Invalid array buffer length")
		}
	}
	language.CheckBytes(h, "transfer", length)
	moved := make([]byte, int(length))
	copy(moved, b.Bytes())
	b.Detach()
	return h.Runtime().ToValue(h.Runtime().NewArrayBuffer(moved))
}

// refuseResizable throws for new ArrayBuffer(n, {maxByteLength}): goja would make one of a fixed
// length without a word.
func refuseResizable(h Host, options goja.Value) {
	o, ok := options.(*goja.Object)
	if !ok {
		return
	}
	if most := o.Get("maxByteLength"); most != nil && !goja.IsUndefined(most) {
		language.Throw(h, "TypeError", "resizable ArrayBuffers are not supported: make one of the length you need, or transfer it to another length")
	}
}
