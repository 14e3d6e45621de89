package linear

import (
	"math"
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What a step of a pure function does, beside what fused has.
const (
	reads = iota + jumps + 1
	equals
	differs
	negates
	inverts
	jumpsIfNot // and takes what it looks at
	keepsIfNot // jumps with what it looks at, else takes it
	keepsIf
	jumpsAlways
	returns
)

var steps = map[string]int{
	"loadStackLex": loads, "loadVal": constant, "getProp": reads, "_add": adds, "_sub": subtracts, "_mul": multiplies, "_mod": remains,
	"_op_lt": isLess, "_op_lte": isLessOrEqual, "_op_gt": isMore, "_op_gte": isMoreOrEqual, "_op_strict_eq": equals, "_op_strict_neq": differs,
	"_neg": negates, "_not": inverts, "jneP": jumpsIfNot, "jne": keepsIfNot, "jeq": keepsIf, "jump": jumpsAlways, "_ret": returns,
}

// Pure is a function that does nothing but read its arguments, and properties of plain data, and
// compute with them. What it comes to can be had without its being called, as nobody sees how often it
// was; wherever it would do anything else, it is called after all.
type Pure struct {
	s *State
	*entering
}

type pureStep struct {
	is    int
	n     int // an argument's number, or how far it is
	name  unistring.String
	value held
}

// held is a value, or a number that takes no memory.
type held struct {
	value goja.Value // nil for a number
	whole bool
	n     int64
	f     float64 // of a number that isn't whole
}

const (
	mostSteps = 64
	mostHeld  = 8
)

func holds(v goja.Value) held {
	w := (*words)(unsafe.Pointer(&v))
	switch w.kind {
	case kinds.integer:
		return held{whole: true, n: *(*int64)(w.data)}
	case kinds.fraction:
		return held{f: *(*float64)(w.data)}
	}
	return held{value: v}
}

func (h *held) isNumber() bool { return h.value == nil }

func (h *held) double() float64 {
	if h.whole {
		return float64(h.n)
	}
	return h.f
}

func (h *held) truth() bool {
	switch {
	case h.value != nil:
		return h.value.ToBoolean()
	case h.whole:
		return h.n != 0
	}
	return h.f != 0 && h.f == h.f
}

// entering is the beginning of a pure function.
type entering struct {
	replaced

	steps     []pureStep
	arguments int // how many it looks at
	ordering  ordering
}

func (e *entering) exec(m *machine) { e.original.exec(m) }

// pureSteps are those of a function's instructions, if it is pure.
func pureSteps(p *program) (list []pureStep, arguments int) {
	if len(p.code) < 2 || len(p.code) > mostSteps {
		return nil, 0
	}
	first := reflect.ValueOf(any(p.code[0]))
	if first.Type().Kind() != reflect.Pointer || first.Type().Elem().Name() != "enterFuncStashless" {
		return nil, 0
	}
	if room := first.Elem().FieldByName("stackSize"); !room.IsValid() || room.Kind() != reflect.Uint32 || room.Uint() != 0 {
		return nil, 0
	}
	for i, in := range p.code[1:] {
		t := reflect.TypeOf(any(in))
		s := pureStep{is: steps[t.Name()]}
		ok := t.Kind() == reflect.Struct && t.Size() == 0
		switch s.is {
		case none:
			return nil, 0
		case loads:
			ok = t.Kind() == reflect.Int && number[int](in) < 0
			if ok {
				s.n = -number[int](in) - 1
				arguments = max(arguments, s.n+1)
			}
		case constant:
			if ok = partOf(t) == constant; ok {
				s.value = holds(*(*goja.Value)((*words)(unsafe.Pointer(&in)).data))
			}
		case reads:
			if ok = t.Kind() == reflect.String; ok {
				s.name = name(in)
			}
		case jumpsIfNot, keepsIfNot, keepsIf, jumpsAlways:
			// None goes back: it comes to an end.
			if ok = t.Kind() == reflect.Int32 && number[int32](in) > 0; ok {
				s.n = i + number[int32](in)
			}
		}
		if !ok {
			return nil, 0
		}
		list = append(list, s)
	}
	return list, arguments
}

// PureOf is a function as a pure one; nil if it is none.
func PureOf(r *goja.Runtime, v goja.Value) *Pure {
	o := objectOf(v)
	if o == nil || o.self.kind != kinds.arrow && o.self.kind != kinds.script {
		return nil
	}
	p := *(**program)(unsafe.Add(o.self.data, kinds.code))
	if p == nil || len(p.code) == 0 {
		return nil
	}
	e, ok := p.code[0].(*entering)
	s := stateIn(unsafe.Pointer(r))
	if !ok || s == nil {
		return nil
	}
	return &Pure{s, e}
}

// value is what is held, as goja has it.
func (p *Pure) value(h held) goja.Value {
	switch {
	case h.value != nil:
		return h.value
	case h.whole:
		return p.s.integer(h.n)
	}
	return p.s.double(h.f)
}

// Order is what it comes to for two arguments, as a number; false: it is to be called.
func (p *Pure) Order(x, y goja.Value) (float64, bool) {
	h, ok := p.of(x, y, nil, nil)
	if !ok || !h.isNumber() {
		return 0, false
	}
	return h.double(), true
}

// of is what it comes to for some arguments; false: it is to be called.
func (p *Pure) of(arguments ...goja.Value) (held, bool) {
	var stack [mostHeld]held
	top := -1
	for i := 0; i < len(p.steps); i++ {
		s := &p.steps[i]
		if top >= mostHeld-2 {
			return held{}, false
		}
		switch s.is {
		case loads:
			if s.n >= len(arguments) || arguments[s.n] == nil {
				return held{}, false
			}
			top++
			stack[top] = holds(arguments[s.n])
			continue
		case constant:
			top++
			stack[top] = s.value
			continue
		case jumpsAlways:
			i = s.n - 1
			continue
		}
		if top < 0 {
			return held{}, false
		}
		l := &stack[top]
		switch s.is {
		case reads:
			if l.value == nil {
				return held{}, false
			}
			v := p.s.lookup(&l.value, s.name)
			if v == nil {
				return held{}, false
			}
			*l = holds(v)
			continue
		case negates:
			if !l.negate() {
				return held{}, false
			}
			continue
		case inverts:
			*l = held{value: truth(!l.truth())}
			continue
		case jumpsIfNot:
			if top--; !l.truth() {
				i = s.n - 1
			}
			continue
		case keepsIfNot, keepsIf:
			if l.truth() == (s.is == keepsIf) {
				i = s.n - 1
			} else {
				top--
			}
			continue
		case returns:
			return *l, true
		}
		if top < 1 {
			return held{}, false
		}
		r := *l
		top--
		if !stack[top].with(s.is, &r) {
			return held{}, false
		}
	}
	return held{}, false
}

// negate is -; false where that is goja's to do.
func (h *held) negate() bool {
	if !h.isNumber() || h.whole && h.n == 0 || !h.whole && (h.f-h.f != 0 || h.f == math.Trunc(h.f)) {
		return false
	}
	h.n, h.f = -h.n, -h.f
	return true
}

// with puts what an operator makes of two values in the place of the left one; false where that is
// goja's to do.
func (h *held) with(is int, r *held) bool {
	if is == equals || is == differs {
		var same bool
		switch {
		case h.isNumber() && r.isNumber():
			same = h.double() == r.double()
		case h.isNumber() || r.isNumber():
		default:
			same = h.value.StrictEquals(r.value)
		}
		*h = held{value: truth(same == (is == equals))}
		return true
	}
	if !h.isNumber() || !r.isNumber() {
		return is >= isLess && is <= isMoreOrEqual && h.compare(is, r)
	}
	if is >= isLess {
		x, y := h.double(), r.double()
		*h = held{value: truth(is == isLess && x < y || is == isLessOrEqual && x <= y || is == isMore && x > y || is == isMoreOrEqual && x >= y)}
		return true
	}
	if h.whole && r.whole {
		fits := true
		switch is {
		case adds:
			h.n += r.n
		case subtracts:
			h.n -= r.n
		case multiplies:
			h.n, fits = product(h.n, r.n)
		default:
			if fits = h.n >= 0 && r.n > 0; fits {
				h.n %= r.n
			}
		}
		return fits && -mostInteger < h.n && h.n < mostInteger
	}
	x, y := h.double(), r.double()
	switch is {
	case adds:
		x += y
	case subtracts:
		x -= y
	case multiplies:
		x *= y
	default:
		return false
	}
	*h = held{f: x}
	return x-x == 0 && x != math.Trunc(x) // goja has values of its own for all others
}

// compare is with for texts that are compared.
func (h *held) compare(is int, r *held) bool {
	if h.isNumber() || r.isNumber() {
		return false
	}
	x, isText := textOf(&h.value)
	y, alike := textOf(&r.value)
	if !isText || !alike {
		return false
	}
	order := compareTexts(x, y)
	*h = held{value: truth(is == isLess && order < 0 || is == isLessOrEqual && order <= 0 || is == isMore && order > 0 || is == isMoreOrEqual && order >= 0)}
	return true
}

// pureItems is how many items are gone through until it is asked whether there is time for more.
const pureItems = 1 << 10

// Purely is a method of arrays that asks a function about each item, of a plain array and a pure
// function; nil for all others. Nothing has happened then.
func Purely(r *goja.Runtime, method string, call goja.FunctionCall) goja.Value {
	switch method {
	case "map", "filter", "find", "some", "every", "reduce":
	default:
		return nil
	}
	p := PureOf(r, call.Argument(0))
	if p == nil {
		return nil
	}
	items, ok := Data{p.s}.Items(call.This, "")
	if !ok || (method == "map" || method == "filter") && !p.s.makesArrays(arrayOf(objectOf(call.This))) {
		return nil
	}
	if method == "reduce" {
		return p.reduce(items, call)
	}
	var out []goja.Value
	room := 0 // that so many items take
	switch method {
	case "filter":
		room = itemSize * pureItems
	case "map":
		if itemSize*len(items) >= claimed && !p.s.claim(itemSize*len(items)) {
			return goja.Undefined()
		}
		out = make([]goja.Value, 0, len(items))
	}
	for i := range items {
		if i%pureItems == pureItems-1 && !p.s.claim(room) {
			return goja.Undefined()
		}
		h, ok := p.of(items[i], p.index(1, i), call.This)
		if !ok {
			return nil
		}
		switch method {
		case "map":
			out = append(out, p.value(h))
		case "filter":
			if h.truth() {
				out = append(out, items[i])
			}
		case "find":
			if h.truth() {
				return items[i]
			}
		default:
			if h.truth() == (method == "some") {
				return truth(method == "some")
			}
		}
	}
	switch method {
	case "find":
		return goja.Undefined()
	case "some", "every":
		return truth(method == "every")
	}
	return List(r, out)
}

// index is an argument that is an item's number, if anybody looks at it.
func (p *Pure) index(argument, i int) goja.Value {
	if p.arguments <= argument {
		return nil
	}
	return p.s.integer(int64(i))
}

func (p *Pure) reduce(items []goja.Value, call goja.FunctionCall) goja.Value {
	at := 0
	var sofar goja.Value
	switch {
	case len(call.Arguments) > 1:
		sofar = call.Argument(1)
	case len(items) == 0:
		return nil
	default:
		sofar, at = items[0], 1
	}
	for i := at; i < len(items); i++ {
		if i%pureItems == pureItems-1 && !p.s.claim(0) {
			return goja.Undefined()
		}
		h, ok := p.of(sofar, items[i], p.index(2, i), call.This)
		if !ok {
			return nil
		}
		sofar = p.value(h)
	}
	return sofar
}

// codeIn is where functions of a type have their program.
func codeIn(t reflect.Type) (at uintptr) {
	f, found := t.FieldByName("prg")
	if !found || f.Type != reflect.TypeFor[*goja.Program]() {
		panic(t.String() + ".prg")
	}
	for n := 1; n <= len(f.Index); n++ {
		at += t.FieldByIndex(f.Index[:n]).Offset
	}
	return at
}
