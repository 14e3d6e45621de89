package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
)

// maxFrames is how many frames of a stack code reads: V8's default.
const maxFrames = 10

// errorInternals are the places inside goja's error objects: goja writes a stack in a form of its
// own when it is first read, which nothing can change but that it was written before.
type errorInternals struct {
	kind    reflect.Type
	frames  uintptr // the frames of where it was made
	written uintptr // whether the property is there
	names   uintptr // of its properties, in their order
}

func errorsOf(self reflect.Value) errorInternals {
	kind := self.Type().Elem()
	base, found := kind.FieldByName("baseObject")
	if !found {
		panic(fmt.Sprintf("%v.baseObject", kind))
	}
	return errorInternals{
		names: base.Offset + field[[]unistring.String](base.Type, "propNames"),
		kind:  self.Type(), frames: field[[]goja.StackFrame](kind, "stack"), written: field[bool](kind, "stackPropAdded"),
	}
}

// errorClasses are those that goja has.
var errorClasses = []string{"Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "URIError", "EvalError", "AggregateError"}

// writeStacks has an error's stack read like V8's. It is written when it is first read, as there:
// most never are. Until then it is an accessor.
func (v *VM) writeStacks() error {
	get, err := language.NewFunction(v.host, "stack", 0, func(call goja.FunctionCall) goja.Value {
		o, _ := call.This.(*goja.Object)
		for o != nil && !internals.isError(o) { // what inherits an error has its stack
			o = o.Prototype()
		}
		if o == nil {
			return goja.Undefined()
		}
		text := v.Runtime.ToValue(v.stackOf(o))
		_ = setStack(o, text) // one that is frozen keeps its accessor
		return text
	})
	if err != nil {
		return err
	}
	set, err := language.NewFunction(v.host, "stack", 1, func(call goja.FunctionCall) goja.Value {
		if o, ok := call.This.(*goja.Object); ok {
			if err := setStack(o, call.Argument(0)); err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
		}
		return goja.Undefined()
	})
	if err != nil {
		return err
	}
	// Errors of all that share the runtime lead to them.
	if err := errors.Join(v.FreezeObject(get, false), v.FreezeObject(set, false)); err != nil {
		return err
	}
	for _, name := range errorClasses {
		class := language.NativeObject(v.host, name)
		construct := internals.construct(class)
		if construct == nil {
			return errors.New(name + " is no constructor")
		}
		made := func(o *goja.Object) {
			if !v.Former.Elsewhere && internals.isError(o) {
				*(*bool)(internals.errorField(o, internals.errors.written)) = true
				// An object that is new and of no class of anybody's takes it.
				_ = o.DefineAccessorProperty("stack", get, set, goja.FLAG_TRUE, goja.FLAG_FALSE)
				names := *(*[]unistring.String)(internals.errorField(o, internals.errors.names))
				if last := len(names) - 1; last > 0 && names[last] == "stack" { // it is the first, as when goja writes it
					copy(names[1:], names[:last])
					names[0] = "stack"
				}
			}
		}
		original := *construct
		*construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object {
			o := original(args, newTarget)
			made(o)
			return o
		}
		// Without new it is made by another function.
		internals.wrap(class, func(call goja.FunctionCall, original function) goja.Value {
			value := original(call)
			if o, ok := value.(*goja.Object); ok {
				made(o)
			}
			return value
		})
	}
	return nil
}

func setStack(o *goja.Object, value goja.Value) error {
	return o.DefineDataProperty("stack", value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

func (in *gojaInternals) isError(o *goja.Object) bool { return in.of(o).Type() == in.errors.kind }

func (in *gojaInternals) errorField(o *goja.Object, at uintptr) unsafe.Pointer {
	return unsafe.Add(in.of(o).UnsafePointer(), at)
}

// stackOf writes an error's stack: what it is called and says now, and where it was made, as
// CleanStack would write it.
func (v *VM) stackOf(o *goja.Object) string {
	var b strings.Builder
	b.WriteString(headOf(o))
	written := 0
	for _, f := range *(*[]goja.StackFrame)(internals.errorField(o, internals.errors.frames)) {
		at := f.Position()
		if at.Line == 0 || strings.HasPrefix(at.Filename, Internal) || at.Filename == bundled {
			continue
		}
		if written++; written > maxFrames {
			break
		}
		place := fmt.Sprintf("%s:%d:%d", cmp.Or(at.Filename, "<eval>"), at.Line, at.Column+1)
		if name := f.FuncName(); name != "<anonymous>" {
			place = name + " (" + place + ")"
		}
		b.WriteString("\n    at " + place)
	}
	return b.String()
}

// headOf is an error's first line, as Error.prototype.toString has it.
func headOf(o *goja.Object) string {
	text := func(name, absent string) string {
		value := o.Get(name)
		if value == nil || goja.IsUndefined(value) {
			return absent
		}
		return value.String()
	}
	name, message := text("name", "Error"), text("message", "")
	switch {
	case name == "":
		return message
	case message == "":
		return name
	}
	return name + ": " + message
}
