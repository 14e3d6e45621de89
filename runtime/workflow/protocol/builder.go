package protocol

import (
	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

// Builder sets properties until one fails.
type Builder struct {
	v   *Values
	o   *goja.Object
	err error
}

// Build begins an object.
func (v *Values) Build() Builder { return Builder{v: v, o: v.Runtime.NewObject()} }

// Made is the object, or why it couldn't be made.
func (b *Builder) Made() (*goja.Object, error) { return b.o, b.err }

// put sets a property to the object that another builder makes.
func (b *Builder) put(name string, o Builder) {
	b.Check(o.err)
	b.Value(name, o.o)
}

// Check takes an error on the way.
func (b *Builder) Check(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Set takes what JavaScript has of its own: texts, numbers, booleans, values.
func (b *Builder) Set(name string, value any) { b.Check(b.o.Set(name, value)) }

// Plain sets an object with the given properties, whose order code can see: it must be the same at
// replay.
func (b *Builder) Plain(name string, properties ...Property) {
	inner := b.v.Build()
	for _, p := range properties {
		inner.Set(p.Name, p.Value)
	}
	b.put(name, inner)
}

// Property is of a plain object.
type Property struct {
	Name  string
	Value any
}

// Named is a property.
func Named(name string, value any) Property { return Property{name, value} }

// Value sets a property.
func (b *Builder) Value(name string, value goja.Value) { b.Check(b.o.Set(name, value)) }

// Payload sets what the bundle takes for a payload.
func (b *Builder) Payload(name string, p *commonpb.Payload) {
	value, err := b.v.Payload(p)
	b.Check(err)
	b.Value(name, value)
}

// Payloads makes the protocol's {payloads: […]}; nothing if there are none.
func (b *Builder) Payloads(name string, ps *commonpb.Payloads) {
	if ps == nil {
		return
	}
	list, err := b.v.Payloads(ps)
	b.Check(err)
	o := b.v.Runtime.NewObject()
	b.Check(o.Set("payloads", list))
	b.Value(name, o)
}

// Failure sets the protocol's failure object.
func (b *Builder) Failure(name string, f *failurepb.Failure) {
	value, err := b.v.Failure(f)
	b.Check(err)
	b.Value(name, value)
}

// List sets an array of payloads, of nothing too.
func (b *Builder) List(name string, ps *commonpb.Payloads) {
	value, err := b.v.Payloads(ps)
	b.Check(err)
	b.Value(name, value)
}

// Header sets headers, if there are any.
func (b *Builder) Header(h *commonpb.Header) {
	if len(h.GetFields()) == 0 {
		return
	}
	value, err := b.v.PayloadMap(h.GetFields(), false)
	b.Check(err)
	b.Value("headers", value)
}
