package linear

import (
	"reflect"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What an operation of a loop does, beside what fused has. Comparisons go on elsewhere where they
// don't hold.
const (
	takes = iota + lastStep + 1 // a value, into a variable
	ands
	ors
	excludes
	shiftsLeft
	shiftsRight
	shiftsUnsigned
	goesTo
	entersBlock
	leavesBlock
	lengthOf
	itemOf
	unitOf
)

var loopParts = map[string]int{
	"loadStackLex": loads, "loadVal": constant, "_add": adds, "_sub": subtracts, "_mul": multiplies, "_mod": remains, "_inc": increments,
	"_dec": decrements, "_op_lt": isLess, "_op_lte": isLessOrEqual, "_op_gt": isMore, "_op_gte": isMoreOrEqual,
	"_op_strict_eq": equals, "_op_strict_neq": differs, "_and": ands, "_or": ors, "_xor": excludes, "_sal": shiftsLeft, "_sar": shiftsRight,
	"_shr": shiftsUnsigned, "storeStackLexP": stores, "initStackP": stores, "jneP": jumps, "jump": goesTo, "enterBlock": entersBlock,
	"leaveBlock": leavesBlock, "getProp": lengthOf, "_getElem": itemOf, "getPropCallee": unitOf, "call": unitOf,
}

const (
	// mostInLoop is how many instructions a loop has that is looked at.
	mostInLoop = 256
	// mostRegisters is how many variables, constants and intermediate results it has.
	mostRegisters = 32
	// roundsAtOnce is how many rounds are made until goja looks whether there is time for more.
	roundsAtOnce = 1 << 10
	// mostMisses is how often a loop may turn out to be of other values than whole numbers until it is
	// left to goja.
	mostMisses = 32
)

// loop is a loop that computes with whole numbers of variables, reads units of texts and such items of
// arrays, and does nothing else: it is run with the numbers as the processor has them, not as values.
// Wherever it is anything else, the variables are written back as they were before the statement, and
// goja's instructions go on with that, which are where they were.
//
// Nobody sees the variables meanwhile: those that a function takes lie elsewhere.
type loop struct {
	replaced

	otherwise instruction // what would stand here
	ops       []operation
	first     [mostRegisters]int64 // the constants, at their places
	variables []variable
	texts     []int // places of what charCodeAt is called of
	most      int   // the greatest place of a variable
	room      int   // what its blocks take on the stack
	misses    atomic.Int32
}

// variable is where one is in the stack, and its register.
type variable struct{ place, register int }

// operation computes with two registers.
type operation struct {
	is         int
	a, b, into int    // registers; a is a place where something is read of an object, b how many an entered block has
	needs      uint64 // the variables among a and b
	sets       uint64 // the variable that into is
	writes     bool   // it has a result
	next       int    // the operation after it; below 0: out of the loop, to the instruction -1-next
	otherwise  int    // that of a comparison that doesn't hold
	start      int    // how far the statement's first instruction is from the loop's
}

// loopAt is for what a loop begins with, which an instruction after it leads back to; nil for any that
// does more.
func loopAt(code []instruction) *loop {
	b := loopBuilder{registers: map[int64]int{}, constants: map[int64]int{}}
	for i, in := range code[:min(len(code), mostInLoop)] {
		b.starts = append(b.starts, len(b.ops))
		if !b.add(i, in) {
			return nil
		}
		if b.ended {
			b.starts = append(b.starts, len(b.ops))
			return b.build()
		}
	}
	return nil
}

// held on goja's stack, as far as it is known from the instructions.
type stacked struct {
	register int // -1: of the others
	place    int // of a variable; 0: none
	callee   bool
}

type loopBuilder struct {
	ops       []operation
	starts    []int         // the first operation of each instruction, or of those after it
	depths    []int         // how many values lie there before each
	registers map[int64]int // of variables by their places, and of intermediate results by -depth
	constants map[int64]int
	used      int
	variables []variable
	objects   []int // places of what is read of
	texts     []int
	stack     []stacked
	start     int // the statement's first instruction
	ended     bool
}

func (b *loopBuilder) register(of map[int64]int, key int64) int {
	n, known := of[key]
	if !known {
		n = b.used
		b.used++
		of[key] = n
	}
	return n
}

func (b *loopBuilder) pop() stacked {
	v := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	return v
}

// number is a value's register, for computing; -1 if it is no number.
func (b *loopBuilder) number(v stacked) int {
	if v.callee {
		return -1
	}
	if v.place > 0 && v.register < 0 {
		v.register = b.register(b.registers, int64(v.place))
		if !slices.Contains(b.variables, variable{v.place, v.register}) {
			b.variables = append(b.variables, variable{v.place, v.register})
		}
	}
	return v.register
}

func (b *loopBuilder) needs(registers ...int) (out uint64) {
	for _, v := range b.variables {
		if slices.Contains(registers, v.register) {
			out |= 1 << v.register
		}
	}
	return out
}

// push has an operation's result lie on the stack.
func (b *loopBuilder) push(o operation) {
	o.into, o.writes = b.register(b.registers, -int64(len(b.stack)+1)), true
	b.emit(o)
	b.stack = append(b.stack, stacked{register: o.into})
}

func (b *loopBuilder) emit(o operation) {
	o.start, o.next = b.start, len(b.ops)+1
	b.ops = append(b.ops, o)
}

// add takes in an instruction; false if it does more.
func (b *loopBuilder) add(i int, in instruction) bool {
	if len(b.stack) == 0 {
		b.start = i
	}
	b.depths = append(b.depths, len(b.stack))
	t := reflect.TypeOf(any(in))
	name := t.Name()
	if t.Kind() == reflect.Pointer {
		name = t.Elem().Name()
	}
	is, known := loopParts[name]
	if !known || b.used > mostRegisters-4 {
		return false
	}
	plain := t.Kind() == reflect.Struct && t.Size() == 0
	switch is {
	case loads:
		if t.Kind() != reflect.Int || number[int](in) <= 0 {
			return false
		}
		b.stack = append(b.stack, stacked{register: -1, place: number[int](in)})
	case constant:
		n, ok := int64(0), partOf(t) == constant
		if ok {
			n, ok = Whole(*(*goja.Value)((*words)(unsafe.Pointer(&in)).data))
		}
		if !ok {
			return false
		}
		b.stack = append(b.stack, stacked{register: b.register(b.constants, n)})
	case increments, decrements:
		if !plain || len(b.stack) < 1 {
			return false
		}
		a, one := b.number(b.pop()), b.register(b.constants, 1)
		if a < 0 {
			return false
		}
		b.push(operation{is: map[int]int{increments: adds, decrements: subtracts}[is], a: a, b: one, needs: b.needs(a)})
	case adds, subtracts, multiplies, remains, ands, ors, excludes, shiftsLeft, shiftsRight, shiftsUnsigned:
		if !plain || len(b.stack) < 2 {
			return false
		}
		r, l := b.number(b.pop()), b.number(b.pop())
		if l < 0 || r < 0 {
			return false
		}
		b.push(operation{is: is, a: l, b: r, needs: b.needs(l, r)})
	case isLess, isLessOrEqual, isMore, isMoreOrEqual, equals, differs:
		if !plain || len(b.stack) != 2 {
			return false
		}
		r, l := b.number(b.pop()), b.number(b.pop())
		if l < 0 || r < 0 {
			return false
		}
		b.emit(operation{is: is, a: l, b: r, needs: b.needs(l, r)})
		b.stack = append(b.stack, stacked{register: -1}) // what is compared: to be jumped by, and nothing else
	case stores:
		return b.store(t, in)
	case jumps, goesTo:
		return b.jump(i, is, t, in)
	case entersBlock, leavesBlock:
		return b.block(is, t, in)
	default:
		return b.object(is, t, in)
	}
	return true
}

// store has the value on top be a variable's: the last that a statement does.
func (b *loopBuilder) store(t reflect.Type, in instruction) bool {
	if t.Kind() != reflect.Int || number[int](in) <= 0 || len(b.stack) != 1 {
		return false
	}
	last := len(b.ops) - 1
	v := b.pop()
	from := b.number(v)
	if from < 0 {
		return false
	}
	into := b.number(stacked{register: -1, place: number[int](in)})
	if v.place == 0 && last >= 0 && b.ops[last].start == b.start && b.ops[last].into == from && from == b.registers[-1] {
		b.ops[last].into, b.ops[last].sets = into, 1<<into
		return true
	}
	b.emit(operation{is: takes, a: from, b: from, into: into, writes: true, needs: b.needs(from), sets: 1 << into})
	return true
}

// jump ends a statement. Where it leads is an instruction until all are there.
func (b *loopBuilder) jump(i, is int, t reflect.Type, in instruction) bool {
	if t.Kind() != reflect.Int32 {
		return false
	}
	to := i + number[int32](in)
	if is == jumps {
		last := len(b.ops) - 1
		if len(b.stack) != 1 || last < 0 || b.stack[0].register >= 0 || b.stack[0].place > 0 || b.stack[0].callee || b.depths[i-1] != 2 || to <= i {
			return false
		}
		b.pop()
		b.ops[last].otherwise = to
		return true
	}
	if len(b.stack) != 0 || to < 0 {
		return false
	}
	b.emit(operation{is: goesTo, otherwise: to})
	b.ended = to == 0
	return true
}

// block is one whose variables lie on the stack.
func (b *loopBuilder) block(is int, t reflect.Type, in instruction) bool {
	if t.Kind() != reflect.Pointer || len(b.stack) != 0 {
		return false
	}
	v := reflect.NewAt(t.Elem(), (*words)(unsafe.Pointer(&in)).data).Elem()
	for _, none := range []string{"stashSize", "popStash"} {
		if f := v.FieldByName(none); f.IsValid() && !f.IsZero() {
			return false
		}
	}
	size := v.FieldByName("stackSize")
	if !size.IsValid() || size.Kind() != reflect.Uint32 || size.Uint() > mostRegisters {
		return false
	}
	b.emit(operation{is: is, b: int(size.Uint())}) //nolint:gosec // as above
	return true
}

// object is what is read of a text or an array that a variable has.
func (b *loopBuilder) object(is int, t reflect.Type, in instruction) bool {
	isName := func(want unistring.String) bool { return t.Kind() == reflect.String && name(in) == want }
	if len(b.stack) == 0 {
		return false
	}
	switch {
	case is == lengthOf && isName("length"):
		of := b.pop()
		if of.place == 0 || of.register >= 0 {
			return false
		}
		b.objects = append(b.objects, of.place)
		b.push(operation{is: lengthOf, a: of.place})
	case is == itemOf && t.Kind() == reflect.Struct && t.Size() == 0 && len(b.stack) > 1:
		at, of := b.number(b.pop()), b.pop()
		if at < 0 || of.place == 0 || of.register >= 0 {
			return false
		}
		b.objects = append(b.objects, of.place)
		b.push(operation{is: itemOf, a: of.place, b: at, needs: b.needs(at)})
	case is == unitOf && isName("charCodeAt"):
		of := b.stack[len(b.stack)-1]
		if of.place == 0 || of.register >= 0 {
			return false
		}
		b.objects, b.texts = append(b.objects, of.place), append(b.texts, of.place)
		b.stack = append(b.stack, stacked{register: -1, callee: true})
	case is == unitOf && t.Kind() == reflect.Uint32 && number[uint32](in) == 1 && len(b.stack) > 2:
		at, callee, of := b.number(b.pop()), b.pop(), b.pop()
		if at < 0 || !callee.callee {
			return false
		}
		b.push(operation{is: unitOf, a: of.place, b: at, needs: b.needs(at)})
	default:
		return false
	}
	return true
}

// build has jumps lead to operations.
func (b *loopBuilder) build() *loop {
	x := &loop{ops: b.ops, variables: b.variables, texts: b.texts}
	for _, o := range b.ops {
		if o.is == entersBlock {
			x.room += o.b
		}
	}
	if b.used > mostRegisters || len(b.variables) == 0 {
		return nil
	}
	for n, at := range b.constants {
		x.first[at] = n
	}
	for _, v := range b.variables {
		x.most = max(x.most, v.place)
	}
	for _, place := range b.objects {
		x.most = max(x.most, place)
		for _, v := range b.variables {
			if v.place == place {
				return nil // it is a number, too
			}
		}
	}
	end := len(b.depths)
	to := func(instruction int) (int, bool) {
		if instruction >= end {
			return -1 - instruction, true
		}
		return b.starts[instruction], b.depths[instruction] == 0
	}
	for i := range x.ops {
		o := &x.ops[i]
		var ok bool
		switch o.is {
		case goesTo:
			if o.next, ok = to(o.otherwise); !ok {
				return nil
			}
		case isLess, isLessOrEqual, isMore, isMoreOrEqual, equals, differs:
			if o.otherwise == 0 {
				return nil // nothing jumps by it
			}
			if o.otherwise, ok = to(o.otherwise); !ok {
				return nil
			}
		}
	}
	// What only leads on is left out.
	on := func(i int) int {
		for n := 0; i >= 0 && x.ops[i].is == goesTo && n < len(x.ops); n++ {
			i = x.ops[i].next
		}
		return i
	}
	for i := range x.ops {
		x.ops[i].next = on(x.ops[i].next)
		if x.ops[i].is != goesTo && x.ops[i].otherwise != 0 {
			x.ops[i].otherwise = on(x.ops[i].otherwise)
		}
	}
	return x
}

func (x *loop) exec(m *machine) {
	s, base := stateOf(m), m.sb+m.args
	if room := max(base+x.most, m.sp+x.room) + 1; room > len(m.stack) && room <= cap(m.stack) {
		m.stack = m.stack[:room] // as goja grows it
	}
	if s == nil || x.misses.Load() >= mostMisses || max(base+x.most, m.sp+x.room) >= len(m.stack) || !x.readsUnits(m, s, base) {
		x.otherwise.exec(m)
		return
	}
	r := x.first
	var set, dirty uint64
	for _, v := range x.variables {
		if base+v.place < m.sp {
			if w := (*words)(unsafe.Pointer(&m.stack[base+v.place])); w.kind == kinds.integer {
				r[v.register&(mostRegisters-1)] = *(*int64)(w.data)
				set |= 1 << v.register
			}
		}
	}
	i, rounds, sp := 0, 0, m.sp
	for i >= 0 {
		o := &x.ops[i]
		ok := set&o.needs == o.needs
		if !ok {
			break
		}
		l, with := r[o.a&(mostRegisters-1)], r[o.b&(mostRegisters-1)]
		next := o.next
		var n int64
		switch o.is {
		case adds:
			n = l + with
			ok = -mostInteger < n && n < mostInteger
		case subtracts:
			n = l - with
			ok = -mostInteger < n && n < mostInteger
		case multiplies:
			n, ok = product(l, with)
			ok = ok && -mostInteger < n && n < mostInteger
		case remains:
			if ok = l >= 0 && with > 0; ok {
				n = l % with
			}
		case ands:
			n = int64(int32(l) & int32(with)) //nolint:gosec // wraps as the language does, here and below
		case ors:
			n = int64(int32(l) | int32(with)) //nolint:gosec // so too
		case excludes:
			n = int64(int32(l) ^ int32(with)) //nolint:gosec // so too
		case shiftsLeft:
			n = int64(int32(l) << (uint32(with) & 31)) //nolint:gosec // so too
		case shiftsRight:
			n = int64(int32(l) >> (uint32(with) & 31)) //nolint:gosec // so too
		case shiftsUnsigned:
			n = int64(uint32(l) >> (uint32(with) & 31)) //nolint:gosec // so too
		case takes:
			n = l
		case isLess:
			if l >= with {
				next = o.otherwise
			}
		case isLessOrEqual:
			if l > with {
				next = o.otherwise
			}
		case isMore:
			if l <= with {
				next = o.otherwise
			}
		case isMoreOrEqual:
			if l < with {
				next = o.otherwise
			}
		case equals:
			if l != with {
				next = o.otherwise
			}
		case differs:
			if l == with {
				next = o.otherwise
			}
		case entersBlock:
			clear(m.stack[sp : sp+o.b])
			for _, v := range x.variables {
				if base+v.place >= sp {
					set &^= 1 << v.register
					dirty &^= 1 << v.register
				}
			}
			sp += o.b
		case leavesBlock:
			sp -= o.b
		case lengthOf:
			n, ok = lengthAt(&m.stack[base+o.a])
		case itemOf:
			n, ok = itemAt(&m.stack[base+o.a], with)
		case unitOf:
			n, ok = unitAt(&m.stack[base+o.a], with)
		}
		if !ok {
			break
		}
		if o.writes {
			r[o.into&(mostRegisters-1)] = n
			set |= o.sets
			dirty |= o.sets
		}
		if next <= i && next >= 0 {
			if rounds++; rounds >= roundsAtOnce {
				i = next
				break
			}
		}
		i = next
	}
	to := -1 - i
	if i >= 0 {
		to = x.ops[i].start
		if rounds < 2 {
			x.misses.Add(1)
		}
		if to == 0 && rounds == 0 { // it begins with what isn't for here
			x.otherwise.exec(m)
			return
		}
	}
	for _, v := range x.variables {
		if dirty&(1<<v.register) != 0 && base+v.place < sp {
			m.stack[base+v.place] = s.integer(r[v.register])
		}
	}
	m.sp = sp
	m.pc += to
}

// readsUnits tells that charCodeAt is the language's own, of all that it is called of.
func (x *loop) readsUnits(m *machine, s *State, base int) bool {
	for _, place := range x.texts {
		v := &m.stack[base+place]
		if _, isText := textOf(v); !isText || s.codeAt == nil || objectOf(s.lookup(v, "charCodeAt")) != s.codeAt {
			return false
		}
	}
	return true
}

// lengthAt is that of a text or an array.
func lengthAt(v *goja.Value) (int64, bool) {
	if o := objectOf(*v); o != nil {
		a := arrayOf(o)
		if a == nil {
			return 0, false
		}
		return int64(a.length), true
	}
	t, ok := textOf(v)
	return int64(t.length()), ok
}

// itemAt is an array's item, if it is a whole number.
func itemAt(v *goja.Value, at int64) (int64, bool) {
	o := objectOf(*v)
	if o == nil {
		return 0, false
	}
	a := arrayOf(o)
	if a == nil || at < 0 || at >= int64(len(a.values)) {
		return 0, false
	}
	return Whole(a.values[at])
}

// unitAt is a text's unit.
func unitAt(v *goja.Value, at int64) (int64, bool) {
	t, ok := textOf(v)
	if !ok || at < 0 || at >= int64(t.length()) {
		return 0, false
	}
	return int64(t.unit(int(at))), true
}
