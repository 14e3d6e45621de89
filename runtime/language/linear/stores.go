package linear

import (
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// fewNames is for how many properties a literal's object has room at first.
const fewNames = 4

// putting gives a property to a literal's object.
type putting struct {
	replaced

	name unistring.String
}

func (x *putting) exec(m *machine) {
	o := objectOf(m.stack[m.sp-2])
	if o == nil || o.self.kind != kinds.plain {
		x.original.exec(m)
		return
	}
	if c := commonOf(o); cap(c.names) == 0 {
		c.names = make([]unistring.String, 0, fewNames)
	}
	Put(asGoja(o), x.name, m.stack[m.sp-1])
	m.sp--
	m.pc++
}

// replace puts a value in the place of an own property's that is no more than a value; false where
// goja is to find out.
func replace(of *goja.Value, name unistring.String, value goja.Value) bool {
	w := (*words)(unsafe.Pointer(of))
	if w.kind != kinds.object {
		return false
	}
	o := (*object)(w.data)
	if o.self.kind != kinds.plain {
		return false
	}
	values := commonOf(o).values
	before := values[name]
	if !isPlain(&before) {
		return false
	}
	values[name] = value
	return true
}

// assignment is one to a property; drops tells that its value isn't used.
type assignment struct {
	replaced

	name  unistring.String
	drops bool
}

func (x *assignment) exec(m *machine) {
	value := m.stack[m.sp-1]
	if !replace(&m.stack[m.sp-2], x.name, value) {
		x.original.exec(m)
		return
	}
	m.pc++
	if m.sp--; x.drops {
		m.sp--
		return
	}
	m.stack[m.sp-1] = value
}

// item is where a plain array has what is no more than a value; nil where goja is to find out.
func item(of, at *goja.Value) *goja.Value {
	w, n := (*words)(unsafe.Pointer(of)), (*words)(unsafe.Pointer(at))
	if w.kind != kinds.object || n.kind != kinds.integer {
		return nil
	}
	o := (*object)(w.data)
	if o.self.kind != kinds.array {
		return nil
	}
	a, i := (*array)(o.self.data), *(*int64)(n.data)
	if uint64(i) >= uint64(len(a.values)) || !isPlain(&a.values[i]) { //nolint:gosec // a negative one is larger
		return nil
	}
	return &a.values[i]
}

// key is a value as a property's name, if it is a text of ASCII.
func key(of *goja.Value) (unistring.String, bool) {
	w := (*words)(unsafe.Pointer(of))
	if w.kind != kinds.ascii {
		return "", false
	}
	return unistring.String(*(*string)(w.data)), true
}

// elementReading is a[i].
type elementReading struct{ replaced }

func (x *elementReading) exec(m *machine) {
	of, at := &m.stack[m.sp-2], &m.stack[m.sp-1]
	var v goja.Value
	if in := item(of, at); in != nil {
		v = *in
	} else if name, ok := key(at); ok {
		if o := objectOf(*of); o != nil {
			v = inherited(o, name)
		}
	}
	if v == nil {
		x.original.exec(m)
		return
	}
	m.put(v)
}

// elementAssignment is a[i] = v; drops tells that its value isn't used.
type elementAssignment struct {
	replaced

	drops bool
}

func (x *elementAssignment) exec(m *machine) {
	of, at, value := &m.stack[m.sp-3], &m.stack[m.sp-2], m.stack[m.sp-1]
	if in := item(of, at); in != nil {
		*in = value
	} else if name, ok := key(at); !ok || !replace(of, name, value) {
		x.original.exec(m)
		return
	}
	m.pc++
	if m.sp -= 2; x.drops {
		m.sp--
		return
	}
	m.stack[m.sp-1] = value
}
