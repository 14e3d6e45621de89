package language

import (
	"github.com/dop251/goja"
)

// ToPrimitive is Symbol.toPrimitive as code has it. goja asks objects by goja.SymToPrimitive how they
// become a primitive value, and its message where that is no function takes steps that no limit of ours
// bounds.
// So goja asks by a symbol that no code ever sees. Object.prototype answers it (see wording), by what
// the object has as this one, and throws where that is no function; proxies hand it on as this one
// (see Traps).
var ToPrimitive = goja.SymToPrimitive

// Before any runtime is made.
func init() { goja.SymToPrimitive = goja.NewSymbol("Symbol.toPrimitive") }

// CheckConversion throws if an object can't be converted by what it has as Symbol.toPrimitive.
func CheckConversion(r *goja.Runtime, convert goja.Value) {
	if convert == nil || goja.IsUndefined(convert) || goja.IsNull(convert) {
		return
	}
	if _, callable := goja.AssertFunction(convert); callable {
		return
	}
	shown := "object"
	switch x := convert.(type) {
	case *goja.Object:
	case *goja.Symbol:
		shown = "symbol"
	case goja.String:
		shown = `string "` + x.String() + `"`
	default:
		shown = TypeOf(convert) + " " + convert.String()
	}
	panic(r.NewTypeError("%s is not a function", shown))
}

// Traps is what goja has in the place of a proxy's handler: it hands the handler's traps on, which
// find it as their this.
type Traps struct {
	r       *goja.Runtime
	handler *goja.Object
	made    map[string]trap
}

// trap is what was made of one of the handler's functions.
type trap struct {
	of   goja.Value
	made goja.Value
}

// NewTraps gives what stands for a handler.
func NewTraps(r *goja.Runtime, handler *goja.Object) *goja.Object {
	return r.NewDynamicObject(&Traps{r: r, handler: handler})
}

// Handler is a proxy's, as its code made it; nil if it was revoked.
func Handler(p goja.Proxy) *goja.Object {
	o := p.Handler()
	if o == nil {
		return nil
	}
	if t, ok := Exported[*Traps](o); ok {
		return t.handler
	}
	return o
}

// Get implements goja.DynamicObject.
func (t *Traps) Get(name string) goja.Value {
	value := t.handler.Get(name)
	if value == nil || goja.IsUndefined(value) || goja.IsNull(value) {
		return goja.Undefined()
	}
	o, ok := value.(*goja.Object)
	if !ok {
		t.refuse(name, value)
	}
	if before, ok := t.made[name]; ok && before.of == value {
		return before.made
	}
	call, ok := o.Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		assert, callable := goja.AssertFunction(o)
		if !callable {
			t.refuse(name, value)
		}
		call = func(c goja.FunctionCall) goja.Value { // a proxy
			value, err := assert(c.This, c.Arguments...)
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			return value
		}
	}
	made := t.r.ToValue(func(c goja.FunctionCall) goja.Value {
		c.This = t.handler
		if name != "get" || c.Argument(1) != goja.Value(goja.SymToPrimitive) {
			return call(c)
		}
		c.Arguments[1] = ToPrimitive
		convert := call(c)
		CheckConversion(t.r, convert)
		return convert
	})
	if t.made == nil {
		t.made = map[string]trap{}
	}
	t.made[name] = trap{of: value, made: made}
	return made
}

// refuse says that a trap is none. goja would ask for its text, and if it's the proxy, for the trap by
// which that is had.
func (t *Traps) refuse(name string, value goja.Value) {
	panic(t.r.NewTypeError("'%s' returned for property '%s' of object '#<Object>' is not a function", Shown(value), name))
}

// Set implements goja.DynamicObject; nobody does.
func (*Traps) Set(string, goja.Value) bool { return false }

// Has implements goja.DynamicObject; nobody asks.
func (*Traps) Has(string) bool { return false }

// Delete implements goja.DynamicObject; nobody does.
func (*Traps) Delete(string) bool { return false }

// Keys implements goja.DynamicObject; nobody asks.
func (*Traps) Keys() []string { return nil }
