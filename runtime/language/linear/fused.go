package linear

import (
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What an instruction is to those that compute with whole numbers at one go.
const (
	none = iota
	loads
	constant
	adds
	subtracts
	multiplies
	remains
	increments
	decrements
	isLess
	isLessOrEqual
	isMore
	isMoreOrEqual
	stores
	jumps
)

var parts = map[string]int{
	"loadStackLex": loads, "loadVal": constant, "_add": adds, "_sub": subtracts, "_mul": multiplies, "_mod": remains, "_inc": increments,
	"_dec": decrements, "_op_lt": isLess, "_op_lte": isLessOrEqual, "_op_gt": isMore, "_op_gte": isMoreOrEqual, "storeStackLexP": stores,
	"jneP": jumps,
}

// mostFused is how many numbers are held at once.
const mostFused = 8

// part is an instruction that is done together with others, and its number: a constant, or the place
// of a variable.
type part struct {
	is int
	n  int64
}

// fused computes with whole numbers what several instructions do, which stay where they are: any other
// values, and what isn't whole or is too great, is left to them, as nothing has happened so far.
type fused struct {
	replaced

	parts []part
	next  int // how far it is to what comes behind
	store int // the place of the variable that takes the result; 0: it is pushed
	jump  int // how far it is, from here, if what is compared isn't so; 0: nothing is compared
}

// fuse is for what begins with an instruction; nil where there is nothing to be had.
func fuse(code []instruction) (f *fused) {
	var list []part
	depth := 0
	for i, in := range code {
		is := layoutOf(in).part
		p := part{is: is}
		switch is {
		case loads:
			if p.n = int64(number[int](in)); p.n <= 0 {
				return f
			}
			depth++
		case constant:
			n, ok := Whole(*(*goja.Value)((*words)(unsafe.Pointer(&in)).data))
			if !ok {
				return f
			}
			p.n = n
			depth++
		case adds, subtracts, multiplies, remains, isLess, isLessOrEqual, isMore, isMoreOrEqual:
			if depth--; depth < 1 {
				return f
			}
		case increments, decrements:
			if depth < 1 {
				return f
			}
		default:
			return f
		}
		if depth > mostFused {
			return f
		}
		list = append(list, p)
		if depth != 1 || is < adds || i+1 >= len(code) {
			continue
		}
		behind := code[i+1]
		switch after := layoutOf(behind).part; {
		case is >= isLess:
			if after == jumps {
				return &fused{replaced{code[0]}, list, i + 2, 0, i + 1 + number[int32](behind)}
			}
			return f
		case after == stores && number[int](behind) > 0:
			return &fused{replaced{code[0]}, list, i + 2, number[int](behind), 0}
		case i > 1:
			f = &fused{replaced{code[0]}, append([]part(nil), list...), i + 1, 0, 0}
		}
	}
	return f
}

func (f *fused) exec(m *machine) {
	var held [mostFused]int64
	top := -1
	base := m.sb + m.args
	for i := range f.parts {
		p := &f.parts[i]
		switch p.is {
		case loads:
			w := (*words)(unsafe.Pointer(&m.stack[base+int(p.n)]))
			if w.kind != kinds.integer {
				f.original.exec(m)
				return
			}
			top++
			held[top&(mostFused-1)] = *(*int64)(w.data)
			continue
		case constant:
			top++
			held[top&(mostFused-1)] = p.n
			continue
		case increments:
			held[top&(mostFused-1)]++
		case decrements:
			held[top&(mostFused-1)]--
		default:
			r := held[top&(mostFused-1)]
			top--
			l := &held[top&(mostFused-1)]
			fits := true
			switch p.is {
			case adds:
				*l += r
			case subtracts:
				*l -= r
			case multiplies:
				*l, fits = product(*l, r)
			case remains:
				if fits = *l >= 0 && r > 0; fits {
					*l %= r
				}
			default:
				f.compared(m, p.is, *l, r)
				return
			}
			if !fits {
				f.original.exec(m)
				return
			}
		}
		if n := held[top&(mostFused-1)]; n <= -mostInteger || n >= mostInteger {
			f.original.exec(m)
			return
		}
	}
	switch {
	case f.store > 0:
		place := &m.stack[base+f.store]
		if *place == nil { // it isn't declared so far
			f.original.exec(m)
			return
		}
		*place = m.integer(held[0])
	case m.sp < len(m.stack):
		m.stack[m.sp] = m.integer(held[0])
		m.sp++
	default:
		f.original.exec(m)
		return
	}
	m.pc += f.next
}

// compared goes on by what two numbers are to each other.
func (f *fused) compared(m *machine, is int, l, r int64) {
	var so bool
	switch is {
	case isLess:
		so = l < r
	case isLessOrEqual:
		so = l <= r
	case isMore:
		so = l > r
	default:
		so = l >= r
	}
	if so {
		m.pc += f.next
	} else {
		m.pc += f.jump
	}
}

// reading is what reads a property by its name.
type reading struct {
	replaced

	name unistring.String
}

func (x *reading) exec(m *machine) {
	top := &m.stack[m.sp-1]
	if v := m.lookup(top, x.name); v != nil {
		*top = v
		m.pc++
		return
	}
	x.original.exec(m)
}
