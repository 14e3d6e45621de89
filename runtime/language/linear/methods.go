package linear

import (
	"math"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// builtins are those that are called without goja's making a place for the call, and what has them.
type builtins struct {
	strings *object // String.prototype

	push, codeAt, floor, upper, lower *object
	asText, join                      *object            // String, and Array.prototype.join
	maps, get, has, set               *object            // Map.prototype, if there is one so far
	asks                              map[*object]string // methods of arrays that ask a function, see Purely

	sealed bool // see holesAreEmpty
}

// lookForBuiltins finds them as code will find them; what isn't there as expected is left to goja.
func (s *State) lookForBuiltins(r *goja.Runtime) {
	texts := r.ToValue("").ToObject(r).Prototype()
	if texts == nil || !hasCommon(asObject(texts)) {
		return
	}
	native := func(of *goja.Object, name string) *object {
		if f, ok := of.Get(name).(*goja.Object); ok && asObject(f).self.kind == kinds.native {
			return asObject(f)
		}
		return nil
	}
	s.strings = asObject(texts)
	s.push, s.codeAt = native(asGoja(s.arrays), "push"), native(texts, "charCodeAt")
	s.upper, s.lower = native(texts, "toUpperCase"), native(texts, "toLowerCase")
	s.join, s.asks = native(asGoja(s.arrays), "join"), map[*object]string{}
	for _, name := range []string{"map", "filter", "find", "some", "every", "reduce"} {
		if f := native(asGoja(s.arrays), name); f != nil {
			s.asks[f] = name
		}
	}
	// goja makes one when it is first asked for.
	if v, there := commonOf(asObject(r.GlobalObject())).values["Map"]; there && asObject(r.GlobalObject()).self.kind == kinds.templated {
		if class, ok := dataOf(v).(*goja.Object); ok {
			if maps, ok := class.Get("prototype").(*goja.Object); ok && hasCommon(asObject(maps)) {
				s.maps, s.get, s.has, s.set = asObject(maps), native(maps, "get"), native(maps, "has"), native(maps, "set")
			}
		}
	}
	s.asText = native(r.GlobalObject(), "String")
	if math, ok := r.GlobalObject().Get("Math").(*goja.Object); ok {
		s.floor = native(math, "floor")
	}
}

// named is a name that is neither a length nor an item's number, which arrays and texts have of their
// own.
func named(name unistring.String) bool {
	return name != "length" && len(name) > 0 && (name[0] < '0' || name[0] > '9')
}

// inherited is what a property of an object of goja's simplest has, its own or an inherited one; nil
// where goja is to find out.
func inherited(o *object, name unistring.String) goja.Value {
	for o != nil && o.self.kind == kinds.plain {
		c := commonOf(o)
		if v, there := c.values[name]; there {
			return dataOf(v)
		}
		o = c.prototype
	}
	return nil
}

// dataOf is what a property has; nil for one with a getter.
func dataOf(v goja.Value) goja.Value {
	if kindOf(&v) != kinds.property {
		return v
	}
	if p := (*property)((*words)(unsafe.Pointer(&v)).data); !p.accessor {
		return p.value
	}
	return nil
}

// lookup is a property's value, found without anybody's code; nil where goja is to find out.
func (m *machine) lookup(v *goja.Value, name unistring.String) goja.Value {
	w := (*words)(unsafe.Pointer(v))
	if w.kind == kinds.object {
		if o := (*object)(w.data); o.self.kind == kinds.plain {
			return inherited(o, name)
		}
	}
	return stateOf(m).lookup(v, name)
}

func (s *State) lookup(v *goja.Value, name unistring.String) goja.Value {
	if s == nil {
		return nil
	}
	w := (*words)(unsafe.Pointer(v))
	switch w.kind {
	case kinds.object:
		o := (*object)(w.data)
		switch o.self.kind {
		case kinds.plain:
			return inherited(o, name)
		case kinds.mapObject:
			if c := commonOf(o); c.prototype == s.maps && s.maps != nil && len(c.values) == 0 {
				return dataOf(commonOf(s.maps).values[name])
			}
		case kinds.array:
			a := (*array)(o.self.data)
			if name == "length" {
				return s.integer(int64(a.length))
			}
			// The first of its own is its length.
			if len(a.names) <= 1 && a.prototype == s.arrays && named(name) {
				return dataOf(commonOf(s.arrays).values[name])
			}
		}
	case kinds.ascii, kinds.unicode, kinds.imported:
		if name == "length" {
			t, _ := textOf(v)
			return s.integer(int64(t.length()))
		}
		if s.strings != nil && named(name) {
			return dataOf(commonOf(s.strings).values[name])
		}
	}
	return nil
}

// method is what reads a property that is called.
type method struct {
	replaced

	name unistring.String
}

func (x *method) exec(m *machine) {
	if m.sp < len(m.stack) {
		if v := m.lookup(&m.stack[m.sp-1], x.name); v != nil {
			m.stack[m.sp] = v
			m.sp++
			m.pc++
			return
		}
	}
	x.original.exec(m)
}

// calling is a call with so many arguments.
type calling struct {
	replaced

	arguments int
}

func (x *calling) exec(m *machine) {
	n := x.arguments
	if callee := objectOf(m.stack[m.sp-n-1]); callee != nil && callee.self.kind == kinds.native {
		if s := stateOf(m); s != nil {
			if out := s.called(m, callee, m.stack[m.sp-n-2], m.stack[m.sp-n:m.sp]); out != nil {
				m.stack[m.sp-n-2] = out
				m.sp -= n + 1
				m.pc++
				return
			}
		}
	}
	x.original.exec(m)
}

// called is what a builtin gives; nil where it is to be called.
func (s *State) called(m *machine, callee *object, this goja.Value, arguments []goja.Value) goja.Value {
	switch callee {
	case s.upper, s.lower:
		return s.cased(this, callee == s.upper)
	}
	if len(arguments) == 0 {
		return nil
	}
	switch callee {
	case s.push:
		return s.pushed(m, this, arguments)
	case s.get, s.has, s.set:
		return s.inMap(callee, this, arguments)
	case s.codeAt:
		return codeAt(m, this, arguments[0])
	case s.floor:
		return floor(m, arguments[0])
	case s.asText:
		if p := (&held{value: arguments[0]}); p.isText() {
			return arguments[0]
		}
	}
	return nil
}

// cased is String.prototype.toUpperCase or toLowerCase of a text of ASCII.
func (s *State) cased(of goja.Value, upper bool) goja.Value {
	t, ok := textOf(&of)
	if !ok || t.units != nil {
		return nil
	}
	from, to := byte('A'), byte('Z')
	if upper {
		from, to = 'a', 'z'
	}
	for i := range len(t.bytes) {
		if from <= t.bytes[i] && t.bytes[i] <= to {
			if len(t.bytes) >= claimed && !s.claim(len(t.bytes)) {
				return of
			}
			out := concise(t.bytes, "")
			bytes := *(*string)((*words)(unsafe.Pointer(&out)).data)
			cased := unsafe.Slice(unsafe.StringData(bytes), len(bytes)) // nobody has it so far
			for ; i < len(cased); i++ {
				if from <= cased[i] && cased[i] <= to {
					cased[i] ^= 'a' - 'A'
				}
			}
			return out
		}
	}
	return of
}

// nativeOf is the Go function of a native one.
func nativeOf(o *object) func(goja.FunctionCall) goja.Value {
	return *(*func(goja.FunctionCall) goja.Value)(unsafe.Add(o.self.data, kinds.function))
}

// pushed is Array.prototype.push of a plain array; nil for any other.
func (s *State) pushed(m *machine, this goja.Value, items []goja.Value) goja.Value {
	a := s.list(this)
	if a == nil || uint64(a.length)+uint64(len(items)) > 1<<31 {
		return nil
	}
	for i := range items {
		if items[i] == nil {
			return nil
		}
	}
	if n := len(a.values) + len(items); n > cap(a.values) && itemSize*n >= claimed && !s.claim(itemSize*n) {
		return goja.Undefined()
	}
	a.values = append(a.values, items...)
	a.length += uint32(len(items)) //nolint:gosec // see above
	a.filled += len(items)
	return m.integer(int64(a.length))
}

// codeAt is String.prototype.charCodeAt where there is such a unit.
func codeAt(m *machine, this, at goja.Value) goja.Value {
	t, ok := textOf(&this)
	i, whole := Whole(at)
	if !ok || !whole || i < 0 || i >= int64(t.length()) {
		return nil
	}
	return m.integer(int64(t.unit(int(i))))
}

// floor is Math.floor of what is no -0, and of what is small enough for a whole number.
func floor(m *machine, of goja.Value) goja.Value {
	if _, whole := Whole(of); whole {
		return of
	}
	f, ok := Fraction(of)
	if !ok || !(math.Abs(f) < mostInteger) || f == 0 {
		return nil
	}
	return m.integer(int64(math.Floor(f)))
}
