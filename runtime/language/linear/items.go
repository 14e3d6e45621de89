package linear

import (
	"math"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// itemSize is what an item of a list takes.
const itemSize = int(unsafe.Sizeof(words{}))

// beginning takes the iterator of what is iterated.
type beginning struct {
	replaced

	taken int // from the stack
}

func (b *beginning) exec(m *machine) {
	o := objectOf(m.stack[m.sp-1])
	a := wholeArray(o)
	if a == nil {
		b.original.exec(m)
		return
	}
	s := stateOf(m)
	if s == nil || !s.iterable(a) {
		b.original.exec(m)
		return
	}
	made := &object{runtime: m.runtime}
	i := &arrayIterator{
		common: common{class: "Object", val: made, prototype: s.iterator, extensible: true, values: map[unistring.String]goja.Value{}},
		of:     o, kind: kindValue,
	}
	made.self = words{kinds.iterator, unsafe.Pointer(i)}
	m.iterStack = append(m.iterStack, iteration{iter: &iterator{made, s.nextFunction()}})
	m.sp -= b.taken
	m.pc++
}

// nextFunction is that of the iterators of arrays.
func (s *State) nextFunction() func(goja.FunctionCall) goja.Value {
	return *(*func(goja.FunctionCall) goja.Value)(unsafe.Add(s.next.self.data, kinds.function))
}

// iterable tells that an array is iterated as the language has it.
func (s *State) iterable(a *array) bool {
	return a.prototype == s.arrays && a.symbols == nil && s.iterates()
}

// items are those of what is about to be iterated, if nobody could tell that it isn't: a plain
// array without holes and properties of its own, whose iterator nobody has changed.
func (s *State) items(v goja.Value) ([]goja.Value, bool) {
	a := wholeArray(objectOf(v))
	if a == nil || !s.iterable(a) {
		return nil, false
	}
	for i := range a.values {
		if !isPlain(&a.values[i]) {
			return nil, false
		}
	}
	return a.values, true
}

// Plain tells whether a value is an array whose items are taken all at once.
func Plain(r *goja.Runtime, v goja.Value) bool {
	s := stateIn(unsafe.Pointer(r))
	if s == nil {
		return false
	}
	_, plain := s.items(v)
	return plain
}

// iterates tells that arrays are iterated as the language has it.
func (s *State) iterates() bool {
	if value := s.iterate.plain(); value != s.values {
		return false
	}
	next, ok := commonOf(s.iterator).values["next"]
	return ok && plainOf(next) == s.next
}

// iterating is the iterator of a plain array that gives what lies in it; nil for any other.
func iterating(m *machine, it *iterator) (*arrayIterator, *array) {
	if it == nil || it.object == nil || it.object.self.kind != kinds.iterator {
		return nil, nil
	}
	i := (*arrayIterator)(it.object.self.data)
	if i.of == nil || i.kind != kindValue {
		return nil, nil
	}
	a := arrayOf(i.of)
	if a == nil {
		return nil, nil
	}
	s := stateOf(m)
	if s == nil || *(*unsafe.Pointer)(unsafe.Pointer(&it.next)) != *(*unsafe.Pointer)(unsafe.Add(s.next.self.data, kinds.function)) {
		return nil, nil
	}
	return i, a
}

// step gives the next item; nil at the end. False: goja is to find out.
func (it *iterator) step(i *arrayIterator, a *array) (v goja.Value, ok bool) {
	switch at := i.next; {
	case at < int64(len(a.values)):
		if !isPlain(&a.values[at]) {
			return nil, false
		}
		i.next++
		return a.values[at], true
	case at >= int64(a.length):
		i.of, it.object, it.next = nil, nil, nil
		return nil, true
	}
	return nil, false
}

// nextItem is the head of a for…of.
type nextItem struct {
	replaced

	out int // how far it is to what comes behind
}

func (n *nextItem) exec(m *machine) {
	top := &m.iterStack[len(m.iterStack)-1]
	if i, a := iterating(m, top.iter); i != nil {
		if v, ok := top.iter.step(i, a); ok {
			if v == nil {
				m.pc += n.out
			} else {
				top.value = v
				m.pc++
			}
			return
		}
	}
	n.original.exec(m)
}

// nextOrUndefined is an element of a pattern.
type nextOrUndefined struct{ replaced }

func (n *nextOrUndefined) exec(m *machine) {
	it := m.iterStack[len(m.iterStack)-1].iter
	if i, a := iterating(m, it); i != nil && m.sp < len(m.stack) {
		if v, ok := it.step(i, a); ok {
			if v == nil {
				v = goja.Undefined()
			}
			m.stack[m.sp] = v
			m.sp++
			m.pc++
			return
		}
	}
	n.original.exec(m)
}

// remaining is the rest of a pattern.
type remaining struct{ replaced }

func (r *remaining) exec(m *machine) {
	top := len(m.iterStack) - 1
	it := m.iterStack[top].iter
	i, a := iterating(m, it)
	if i == nil || m.sp >= len(m.stack) || i.next < 0 || uint64(a.length) != uint64(len(a.values)) {
		r.original.exec(m)
		return
	}
	rest := a.values[min(i.next, int64(len(a.values))):]
	for k := range rest {
		if !isPlain(&rest[k]) {
			r.original.exec(m)
			return
		}
	}
	if s := stateOf(m); itemSize*len(rest) >= claimed && !s.claim(itemSize*len(rest)) {
		m.pc++
		return
	}
	i.of, it.object, it.next = nil, nil, nil
	m.iterStack[top] = iteration{}
	m.iterStack = m.iterStack[:top]
	m.stack[m.sp] = List(m.runtime, append([]goja.Value(nil), rest...))
	m.sp++
	m.pc++
}

// fill puts items into an array that has none.
func (a *array) fill(items []goja.Value) {
	a.values, a.length, a.filled = items, uint32(len(items)), len(items) //nolint:gosec // no longer than another array
}

// spreadItems is what spreads something into an array.
type spreadItems struct{ replaced }

func (x *spreadItems) exec(m *machine) {
	s := stateOf(m)
	if s == nil {
		x.original.exec(m)
		return
	}
	items, ok := s.items(m.stack[m.sp-1])
	into := arrayOf(objectOf(m.stack[m.sp-2]))
	if !ok || into == nil || uint64(into.length)+uint64(len(items)) > math.MaxUint32 {
		x.original.exec(m)
		return
	}
	if n := len(into.values) + len(items); n > cap(into.values) {
		n += max(1, cap(into.values)-len(into.values)) // for those behind
		if itemSize*n >= claimed && !s.claim(itemSize*n) {
			m.sp--
			m.pc++
			return
		}
		values := make([]goja.Value, len(into.values), n)
		copy(values, into.values)
		into.values = values
	}
	into.values = append(into.values, items...)
	into.length += uint32(len(items)) //nolint:gosec // see above
	into.filled += len(items)
	m.sp--
	m.pc++
}

// spreadArguments is what spreads something into the arguments of a call.
type spreadArguments struct{ replaced }

func (x *spreadArguments) exec(m *machine) {
	s := stateOf(m)
	if s == nil {
		x.original.exec(m)
		return
	}
	items, ok := s.items(m.stack[m.sp-1])
	at := m.sp - 1
	if !ok || at+len(items) > cap(m.stack) {
		x.original.exec(m)
		return
	}
	if at+len(items) > len(m.stack) {
		m.stack = m.stack[:at+len(items)]
	}
	copy(m.stack[at:], items)
	m.sp = at + len(items)
	m.pc++
}
