package linear

import (
	"math"
	"math/big"
	"math/bits"
	"unsafe"

	"github.com/dop251/goja"
)

// What goja has for true and false, to be pushed without asking for them.
var yes, no = goja.New().ToValue(true), goja.New().ToValue(false)

// truth is a value of JavaScript's.
func truth(is bool) goja.Value {
	if is {
		return yes
	}
	return no
}

// operands are the two that lie on top.
func operands(m *machine) (left, right *words) {
	return (*words)(unsafe.Pointer(&m.stack[m.sp-2])), (*words)(unsafe.Pointer(&m.stack[m.sp-1]))
}

// wholes are the two as whole numbers, if they are.
func wholes(left, right *words) (l, r int64, ok bool) {
	if left.kind != kinds.integer || right.kind != kinds.integer {
		return 0, 0, false
	}
	return *(*int64)(left.data), *(*int64)(right.data), true
}

// fraction puts a number that is no whole one in the place of two; false for all others, of which
// goja has values of its own.
func (m *machine) fraction(f float64) bool {
	if f-f != 0 || f == math.Trunc(f) {
		return false
	}
	m.put(m.double(f))
	return true
}

// whole is fraction for a whole number, by which a double is no -0.
func (m *machine) whole(n int64) bool {
	if n <= -mostInteger || n >= mostInteger {
		return false
	}
	m.put(m.integer(n))
	return true
}

// put puts a result in the place of two operands.
func (m *machine) put(v goja.Value) {
	m.stack[m.sp-2] = v
	m.sp--
	m.pc++
}

// numbers are two operands as doubles, if they are numbers and not both whole.
func numbers(left, right *words) (l, r float64, ok bool) {
	switch left.kind {
	case kinds.fraction:
		l = *(*float64)(left.data)
	case kinds.integer:
		l = float64(*(*int64)(left.data))
	default:
		return 0, 0, false
	}
	switch right.kind {
	case kinds.fraction:
		r = *(*float64)(right.data)
	case kinds.integer:
		r = float64(*(*int64)(right.data))
	default:
		return 0, 0, false
	}
	return l, r, true
}

type subtraction struct{ replaced }

func (x *subtraction) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		if m.whole(l - r) {
			return
		}
	} else if l, r, ok := numbers(left, right); ok && m.fraction(l-r) {
		return
	}
	x.original.exec(m)
}

// multiplication is goja's *, but for 0 * -5, which is -0 and of which goja makes 0.
type multiplication struct {
	replaced

	signed bool // for all executions, see TuneSigned
}

var minusZero = goja.New().ToValue(math.Copysign(0, -1))

func (x *multiplication) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		if n, ok := product(l, r); ok && m.whole(n) {
			return
		}
		if l == 0 && r < 0 || l < 0 && r == 0 {
			if s := stateOf(m); x.signed || s == nil || !s.formerZeros() {
				m.put(minusZero)
				return
			}
		}
	} else if l, r, ok := numbers(left, right); ok && m.fraction(l*r) {
		return
	} else if !ok {
		m.boundProduct()
	}
	x.original.exec(m)
}

// boundProduct makes numbers, or BigInts, of two operands, and throws where BigInts have too large a
// product: goja computes it in Go, where nothing interrupts.
func (m *machine) boundProduct() {
	s := stateOf(m)
	if s == nil || s.BoundProduct == nil {
		return
	}
	if kindOf(&m.stack[m.sp-2]) == kinds.object || kindOf(&m.stack[m.sp-1]) == kinds.object {
		// What is called for the left one comes first, and is given a stack that ends behind both.
		m.swap()
		m.numeric()
		m.swap()
		m.numeric()
	}
	left, right := operands(m)
	if left.kind == kinds.big && right.kind == kinds.big {
		s.BoundProduct((*big.Int)(left.data).BitLen(), (*big.Int)(right.data).BitLen())
	}
}

func (m *machine) swap() {
	m.stack[m.sp-2], m.stack[m.sp-1] = m.stack[m.sp-1], m.stack[m.sp-2]
}

// numeric makes a number, or a BigInt, of what lies on top, as the language has it.
func (m *machine) numeric() {
	pc := m.pc
	toNumeric.exec(m)
	m.pc = pc
}

// product is for what is no -0, and fits.
func product(l, r int64) (int64, bool) {
	if l == 0 || r == 0 {
		return 0, l >= 0 && r >= 0
	}
	high, low := bits.Mul64(magnitude(l), magnitude(r))
	if high != 0 || low >= mostInteger {
		return 0, false
	}
	if l < 0 != (r < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

type division struct{ replaced }

func (x *division) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok && l > 0 && r > 0 && l%r == 0 && m.whole(l/r) {
		return
	}
	if l, r, ok := numbers(left, right); ok && m.fraction(l/r) {
		return
	}
	x.original.exec(m)
}

type remainder struct{ replaced }

func (x *remainder) exec(m *machine) {
	if l, r, ok := wholes(operands(m)); ok && l >= 0 && r > 0 && m.whole(l%r) {
		return
	}
	x.original.exec(m)
}

// step is goja's ++ or --.
type step struct {
	replaced

	by int64
}

func (x *step) exec(m *machine) {
	top := &m.stack[m.sp-1]
	if w := (*words)(unsafe.Pointer(top)); w.kind == kinds.integer {
		if n := *(*int64)(w.data) + x.by; -mostInteger < n && n < mostInteger {
			*top = m.integer(n)
			m.pc++
			return
		}
	}
	x.original.exec(m)
}

type (
	less        struct{ replaced }
	lessOrEqual struct{ replaced }
	more        struct{ replaced }
	moreOrEqual struct{ replaced }
)

func (x *less) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		m.put(truth(l < r))
	} else if l, r, ok := numbers(left, right); ok {
		m.put(truth(l < r))
	} else {
		x.original.exec(m)
	}
}

func (x *lessOrEqual) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		m.put(truth(l <= r))
	} else if l, r, ok := numbers(left, right); ok {
		m.put(truth(l <= r))
	} else {
		x.original.exec(m)
	}
}

func (x *more) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		m.put(truth(l > r))
	} else if l, r, ok := numbers(left, right); ok {
		m.put(truth(l > r))
	} else {
		x.original.exec(m)
	}
}

func (x *moreOrEqual) exec(m *machine) {
	left, right := operands(m)
	if l, r, ok := wholes(left, right); ok {
		m.put(truth(l >= r))
	} else if l, r, ok := numbers(left, right); ok {
		m.put(truth(l >= r))
	} else {
		x.original.exec(m)
	}
}
