package linear

import (
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// Data looks at what a runtime's values are made of, without running anybody's code and without
// making anything.
type Data struct{ s *State }

// DataOf is that of a runtime; false for one that isn't ours.
func DataOf(r *goja.Runtime) (Data, bool) {
	s := stateIn(unsafe.Pointer(r))
	return Data{s}, s != nil
}

// Bytes is a value as a text of ASCII, Units as any other text, without the mark of goja's. Neither
// may be changed.
func Bytes(v goja.Value) (string, bool) {
	t, ok := textOf(&v)
	return t.bytes, ok && t.units == nil
}

// Units is what Bytes is not for.
func Units(v goja.Value) ([]uint16, bool) {
	t, ok := textOf(&v)
	if !ok || t.units == nil {
		return nil, false
	}
	return t.units[1:], true
}

// Whole is a value as a number that goja keeps as a whole one, Fraction any other number.
func Whole(v goja.Value) (int64, bool) {
	w := (*words)(unsafe.Pointer(&v))
	if w.kind != kinds.integer {
		return 0, false
	}
	return *(*int64)(w.data), true
}

// Fraction is what Whole is not for.
func Fraction(v goja.Value) (float64, bool) {
	w := (*words)(unsafe.Pointer(&v))
	if w.kind != kinds.fraction {
		return 0, false
	}
	return *(*float64)(w.data), true
}

// Lacks tells that plain objects and arrays inherit no property of this name from the language's
// own prototypes.
func (d Data) Lacks(name unistring.String) bool {
	_, objects := commonOf(d.s.objects).values[name]
	_, arrays := commonOf(d.s.arrays).values[name]
	return !objects && !arrays && commonOf(d.s.arrays).prototype == d.s.objects
}

// Items are those of a plain array; false for any other value, for an array with holes, getters or a
// property of this name. They are to be read before any code runs.
func (d Data) Items(v goja.Value, without unistring.String) ([]goja.Value, bool) {
	a := wholeArray(objectOf(v))
	if a == nil || a.prototype != d.s.arrays || a.properties > 0 {
		return nil, false
	}
	if len(a.names) > 1 { // the first is length
		if _, there := a.common.values[without]; there {
			return nil, false
		}
	}
	for i := range a.values {
		if a.values[i] == nil {
			return nil, false
		}
	}
	return a.values, true
}

// Fields are what an object has of its own, in the order of its names. It is for what is goja's
// simplest, as literals make it, and classes; false for any other value, and for an object that has a
// property of this name, or inherits it.
func (d Data) Fields(v goja.Value, without unistring.String) (names []unistring.String, values map[unistring.String]goja.Value, ok bool) {
	c := fieldsOf(objectOf(v))
	if c == nil || !d.inheritsNone(c, without) {
		return nil, nil, false
	}
	if _, there := c.values[without]; there {
		return nil, nil, false
	}
	return c.names, c.values, true
}

// fieldsOf is what an object of goja's simplest has, its names in order; nil for any other.
func fieldsOf(o *object) *common {
	if o == nil || o.self.kind != kinds.plain {
		return nil
	}
	c := commonOf(o)
	if c.class != "Object" {
		return nil
	}
	for _, name := range c.names {
		if len(name) > 0 && name[0] >= '0' && name[0] <= '9' {
			asGoja(o).Keys() // puts them in order
			break
		}
	}
	return c
}

// inheritsNone tells that an object inherits no property of a name, from plain objects alone.
func (d Data) inheritsNone(c *common, name unistring.String) bool {
	for p := c.prototype; p != nil && p != d.s.objects; p = commonOf(p).prototype {
		if p.self.kind != kinds.plain {
			return false
		}
		if _, there := commonOf(p).values[name]; there {
			return false
		}
	}
	return true
}

// Field is what one of Fields' properties has. Hidden: it isn't enumerable. Plain: it has no getter.
func Field(v goja.Value) (value goja.Value, hidden, plain bool) {
	if kindOf(&v) != kinds.property {
		return v, false, v != nil
	}
	p := (*property)((*words)(unsafe.Pointer(&v)).data)
	return p.value, !p.enumerable, !p.accessor && p.value != nil
}

// Made is a text of what was written, which nobody is to change: valid UTF-8, or ASCII alone.
func Made(written []byte, ascii bool) goja.Value {
	s := unsafe.String(unsafe.SliceData(written), len(written))
	if ascii {
		return text{bytes: s}.value()
	}
	return valueOf(kinds.imported, unsafe.Pointer(&imported{text: s}))
}
