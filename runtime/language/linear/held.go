package linear

import (
	"math"
	"unsafe"

	"github.com/dop251/goja"
)

// held is a value, or a number that takes no memory.
type held struct {
	value goja.Value // nil for a number
	whole bool
	n     int64
	f     float64 // of a number that isn't whole
}

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

func (h *held) isText() bool {
	switch kindOf(&h.value) {
	case kinds.ascii, kinds.unicode, kinds.imported:
		return true
	}
	return false
}

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
	if is != divides && is >= isLess {
		x, y := h.double(), r.double()
		*h = held{value: truth(is == isLess && x < y || is == isLessOrEqual && x <= y || is == isMore && x > y || is == isMoreOrEqual && x >= y)}
		return true
	}
	if h.whole && r.whole && is != divides {
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
	case divides:
		x /= y
	default:
		return false
	}
	if x-x != 0 || x == 0 && math.Signbit(x) {
		return false
	}
	if x != math.Trunc(x) {
		*h = held{f: x}
		return true
	}
	*h = held{whole: true, n: int64(x)}
	return math.Abs(x) < mostInteger
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
