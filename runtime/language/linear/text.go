package linear

import (
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/dop251/goja"
)

const (
	// shortest is how long a text is that is worth to be grown where it lies.
	shortest = 512
	// certain is how long one is that has room made behind it when it first grows; shorter ones get
	// it at the second time, as most are made of a few parts, and done.
	certain = 64 << 10
	// claimed is how long a result is that is claimed before it is made.
	claimed = 4 << 10
	// mostRuns is how many texts may grow in turns.
	mostRuns = 16
	// mostKept is how many bytes all but the newest of them may take.
	mostKept = 16 << 20
	// seenBits is for how many results it is known that they are, by their addresses.
	seenBits = 8
)

// texts are those of one VM that grow.
type texts struct {
	runs []run // the last one that grew last
	seen *[1 << seenBits]result
}

// run is what a text lies in that grows. It ends where the newest does that was made of it: nothing
// behind belongs to anybody.
type run struct {
	bytes []byte
	units []uint16 // with goja's mark at the front
}

// result is where a text lies that was made of two, and how long it is. It keeps nothing: a text
// that comes to lie there later is one that gets room for no reason.
type result struct {
	at     uintptr
	length int
}

// text is one, as bytes or as units.
type text struct {
	bytes string
	units []uint16 // with goja's mark
}

func (t text) length() int { return len(t.bytes) + max(0, len(t.units)-1) }

// textOf is a value as a text; false if it is none.
func textOf(v *goja.Value) (t text, ok bool) {
	w := (*words)(unsafe.Pointer(v))
	switch w.kind {
	case kinds.ascii:
		return text{bytes: *(*string)(w.data)}, true
	case kinds.unicode:
		return text{units: *(*[]uint16)(w.data)}, true
	case kinds.imported:
		if s, ok := (*v).(goja.String); ok {
			s.Length() // has goja look what is in it
		}
		i := (*imported)(w.data)
		if i.units != nil {
			return text{units: i.units}, true
		}
		return text{bytes: i.text}, true
	}
	return t, false
}

func (t text) value() goja.Value {
	if t.units != nil {
		units := t.units
		return valueOf(kinds.unicode, unsafe.Pointer(&units))
	}
	bytes := t.bytes
	return valueOf(kinds.ascii, unsafe.Pointer(&bytes))
}

// addition is goja's +.
type addition struct{ replaced }

func (a *addition) exec(m *machine) {
	left, right := &m.stack[m.sp-2], &m.stack[m.sp-1]
	l, r := (*words)(unsafe.Pointer(left)), (*words)(unsafe.Pointer(right))
	switch l.kind {
	case kinds.integer:
		if r.kind != kinds.integer {
			break
		}
		if sum := *(*int64)(l.data) + *(*int64)(r.data); -mostInteger < sum && sum < mostInteger {
			*left = m.integer(sum)
			m.sp--
			m.pc++
			return
		}
	case kinds.fraction:
		if r.kind != kinds.fraction {
			break
		}
		sum := *(*float64)(l.data) + *(*float64)(r.data)
		if sum-sum == 0 && sum != math.Trunc(sum) { // goja has values of its own for all others
			*left = m.double(sum)
			m.sp--
			m.pc++
			return
		}
	case kinds.ascii:
		if len(*(*string)(l.data)) >= shortest || r.kind == kinds.ascii && len(*(*string)(r.data)) >= shortest {
			a.texts(m)
			return
		}
		if m.concisely(*(*string)(l.data), r) {
			return
		}
	case kinds.unicode:
		if len(*(*[]uint16)(l.data)) > shortest {
			a.texts(m)
			return
		}
	case kinds.imported:
		if len((*imported)(l.data).text) >= shortest {
			a.texts(m)
			return
		}
	}
	a.original.exec(m)
}

// mostInteger is what all whole numbers are below that a double holds.
const mostInteger = 1 << 53

func integer(n int64) goja.Value {
	if uint64(n) < uint64(len(small)) { //nolint:gosec // a negative one is larger
		return valueOf(kinds.integer, unsafe.Pointer(&small[n]))
	}
	kept := n // takes no memory but here
	return valueOf(kinds.integer, unsafe.Pointer(&kept))
}

// numbersAtOnce is for how many numbers memory is taken at once: it stays as long as one of them does.
const numbersAtOnce = 16

// integer is a whole number in the memory that the VM has taken for numbers.
func (m *machine) integer(n int64) goja.Value {
	if uint64(n) < uint64(len(small)) { //nolint:gosec // a negative one is larger
		return valueOf(kinds.integer, unsafe.Pointer(&small[n]))
	}
	return stateOf(m).integer(n)
}

// double is integer for a fraction.
func (m *machine) double(f float64) goja.Value { return stateOf(m).double(f) }

func (s *State) integer(n int64) goja.Value {
	if s == nil || uint64(n) < uint64(len(small)) { //nolint:gosec // a negative one is larger
		return integer(n)
	}
	at := s.number()
	*at = n
	return valueOf(kinds.integer, unsafe.Pointer(at))
}

func (s *State) double(f float64) goja.Value {
	if s == nil {
		kept := f
		return valueOf(kinds.fraction, unsafe.Pointer(&kept))
	}
	at := s.number()
	*at = int64(math.Float64bits(f)) //nolint:gosec // its bits
	return valueOf(kinds.fraction, unsafe.Pointer(at))
}

// number is room for one.
func (s *State) number() *int64 {
	if s.used == numbersAtOnce || s.numbers == nil {
		s.numbers, s.used = new([numbersAtOnce]int64), 0
	}
	at := &s.numbers[s.used&(numbersAtOnce-1)]
	s.used++ // a slice that shrinks would be a pointer to write each time
	return at
}

// small are numbers that need no memory.
var small = func() (out [1024]int64) {
	for i := range out {
		out[i] = int64(i)
	}
	return out
}()

// empty is a text of nothing.
var empty goja.Value = goja.New().ToValue("")

// texts adds to a text whatever it is.
func (a *addition) texts(m *machine) {
	s := stateOf(m)
	left, ok := textOf(&m.stack[m.sp-2])
	if s == nil || !ok {
		a.original.exec(m)
		return
	}
	var digits [20]byte
	right, isText := textOf(&m.stack[m.sp-1])
	switch w := (*words)(unsafe.Pointer(&m.stack[m.sp-1])); {
	case isText:
	case w.kind == kinds.integer:
		right = text{bytes: unsafe.String(&digits[0], len(strconv.AppendInt(digits[:0], *(*int64)(w.data), 10)))}
	default: // '' + it is what the language would make of it here
		before := m.stack[m.sp-2]
		m.stack[m.sp-2] = empty
		a.original.exec(m)
		if right, ok = textOf(&m.stack[m.sp-1]); ok {
			m.stack[m.sp-1] = s.joined(left, right, before)
		}
		return
	}
	m.stack[m.sp-2] = s.joined(left, right, m.stack[m.sp-2])
	m.sp--
	m.pc++
}

// template is what goja joins the parts of a template by.
type template struct {
	replaced

	parts int
}

func (t *template) exec(m *machine) {
	parts := m.stack[m.sp-t.parts : m.sp]
	first, ok := textOf(&parts[0])
	total := 0
	if ok {
		for i := range parts {
			part, isText := textOf(&parts[i])
			ok = ok && isText
			total += part.length()
		}
	}
	if !ok || total < shortest {
		t.original.exec(m)
		return
	}
	s := stateOf(m)
	if s == nil || first.length() < total/2 {
		if s == nil || s.claim(2*total) {
			t.original.exec(m)
			return
		}
	} else {
		all := parts[0]
		for i := 1; i < len(parts); i++ {
			left, _ := textOf(&all)
			right, _ := textOf(&parts[i])
			all = s.joined(left, right, all)
		}
		parts[0] = all
	}
	m.sp -= t.parts - 1
	m.pc++
}

// joined is two texts as one. When the VM is over it is the first, given as a value, which nobody
// will see.
func (s *State) joined(left, right text, first goja.Value) goja.Value {
	switch {
	case right.length() == 0:
		return left.value()
	case left.length() == 0: // lies nowhere
		return right.value()
	case left.units == nil && right.units == nil:
		return s.joinedBytes(left.bytes, right.bytes, first)
	}
	return s.joinedUnits(left, right, first)
}

func (s *State) joinedBytes(left, right string, first goja.Value) goja.Value {
	at := unsafe.Pointer(unsafe.StringData(left))
	r, length := s.grown(at, len(left)), len(left)+len(right)
	if r == nil || cap(r.bytes) < length {
		room := s.room(at, len(left), len(right), r != nil)
		if length >= claimed && !s.claim(length+room) {
			return first
		}
		bytes := make([]byte, len(left), length+room)
		copy(bytes, left)
		if r == nil && room == 0 {
			bytes = append(bytes, right...)
			s.note(unsafe.Pointer(&bytes[0]), length)
			return text{bytes: unsafe.String(&bytes[0], length)}.value()
		}
		r = s.keep(r, run{bytes: bytes})
	}
	r.bytes = append(r.bytes, right...)
	return text{bytes: unsafe.String(&r.bytes[0], length)}.value()
}

func (s *State) joinedUnits(left, right text, first goja.Value) goja.Value {
	var at unsafe.Pointer
	var r *run
	if left.units != nil {
		at = unsafe.Pointer(&left.units[0])
		r = s.grown(at, len(left.units))
	}
	length := left.length() + right.length() + 1
	if r == nil || cap(r.units) < length {
		room := s.room(at, length-right.length(), right.length(), r != nil)
		if length >= claimed && !s.claim(2*(length+room)) {
			return first
		}
		units := make([]uint16, 0, length+room)
		if left.units != nil {
			units = append(units, left.units...)
		} else {
			units = appendBytes(append(units, mark), left.bytes)
		}
		if r == nil && room == 0 {
			units = appendText(units, right)
			s.note(unsafe.Pointer(&units[0]), length)
			return text{units: units[:length:length]}.value()
		}
		r = s.keep(r, run{units: units})
	}
	r.units = appendText(r.units, right)
	return text{units: r.units[:length:length]}.value()
}

// mark is what goja's units begin with.
const mark = 0xFEFF

func appendText(units []uint16, t text) []uint16 {
	if t.units != nil {
		return append(units, t.units[1:]...)
	}
	return appendBytes(units, t.bytes)
}

func appendBytes(units []uint16, bytes string) []uint16 {
	for i := range len(bytes) {
		units = append(units, uint16(bytes[i]))
	}
	return units
}

// grown is what a text lies in, if nothing was added to it so far.
func (s *State) grown(at unsafe.Pointer, length int) *run {
	for i := len(s.runs) - 1; i >= 0; i-- {
		r := &s.runs[i]
		if length > 0 && len(r.bytes) == length && unsafe.Pointer(unsafe.SliceData(r.bytes)) == at ||
			length > 0 && len(r.units) == length && unsafe.Pointer(unsafe.SliceData(r.units)) == at {
			if last := len(s.runs) - 1; i != last {
				found := *r
				copy(s.runs[i:], s.runs[i+1:])
				s.runs[last] = found
				r = &s.runs[last]
			}
			return r
		}
	}
	return nil
}

// room is how much more than a text needs there should be behind it: a quarter, for what grows piece
// by piece.
func (s *State) room(at unsafe.Pointer, left, right int, grows bool) int {
	if !grows {
		known := s.seen != nil && s.seen[place(at)] == result{uintptr(at), left}
		if !known && left < certain || right > left/2 {
			return 0
		}
	}
	return (left + right) / 4
}

// note remembers a result: what is added to it next, grows.
func (s *State) note(at unsafe.Pointer, length int) {
	if s.seen == nil {
		s.seen = new([1 << seenBits]result)
	}
	s.seen[place(at)] = result{uintptr(at), length}
}

func place(at unsafe.Pointer) uintptr {
	return uintptr(uint64(uintptr(at)) * 0x9E3779B97F4A7C15 >> (64 - seenBits))
}

// keep puts what a text was copied to in the place of what it lay in, or to the others.
func (s *State) keep(before *run, r run) *run {
	if before != nil {
		*before = r
	} else {
		if len(s.runs) == mostRuns {
			s.runs = slices.Delete(s.runs, 0, 1)
		}
		s.runs = append(s.runs, r)
	}
	kept := 0
	for i := len(s.runs) - 2; i >= 0; i-- {
		if kept += cap(s.runs[i].bytes) + 2*cap(s.runs[i].units); kept > mostKept {
			s.runs = slices.Delete(s.runs, 0, i+1)
			break
		}
	}
	return &s.runs[len(s.runs)-1]
}
