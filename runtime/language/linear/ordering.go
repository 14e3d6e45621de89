package linear

import (
	"cmp"
	"math"
	"slices"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// ordering is what a pure function compares two items by, if all that it does is to compare what both
// have at the same places, one after the other: (a, b) => a.x - b.x || (a.y < b.y ? 1 : -1). Those are
// read once for each item, then, not for each comparison: as nothing is called, nobody sees it.
type ordering []criterion

// criterion is what is read of each item, by the names that lead there.
type criterion struct {
	path       []unistring.String
	descending bool
	subtracts  bool // it is for numbers alone
}

// mostCriteria is by how many places items are compared, at most: all ways in which two can compare are
// tried out.
const mostCriteria = 3

// pair is where a function's steps compare what two arguments have at the same place.
type pair struct {
	path    []unistring.String
	swapped bool // the second argument comes first
	op      int
	next    int // the step behind
}

// orderingOf is that of a function; nil if it does anything else, or contradicts itself.
func orderingOf(steps []pureStep) ordering {
	into := map[int]bool{} // where jumps lead to
	for _, s := range steps {
		switch s.is {
		case jumpsIfNot, keepsIfNot, keepsIf, jumpsAlways:
			into[s.n] = true
		}
	}
	var out ordering
	pairs, which := map[int]pair{}, map[int]int{}
	for i := 0; i < len(steps); {
		if steps[i].is != loads {
			if !rules(steps[i].is) {
				return nil
			}
			i++
			continue
		}
		p, ok := pairAt(steps, i)
		for inside := i + 1; ok && inside < p.next; inside++ {
			ok = !into[inside]
		}
		if !ok || p.op == subtracts && !isAnswer(steps, p.next) {
			return nil
		}
		n := slices.IndexFunc(out, func(c criterion) bool { return slices.Equal(c.path, p.path) })
		if n < 0 {
			if n = len(out); n == mostCriteria {
				return nil
			}
			out = append(out, criterion{path: p.path})
		}
		out[n].subtracts = out[n].subtracts || p.op == subtracts
		pairs[i], which[i] = p, n
		i = p.next
	}
	return out.directed(func(compared []int) (float64, bool) { return answer(steps, pairs, which, compared) })
}

// rules tells the steps that there may be between comparisons.
func rules(is int) bool {
	switch is {
	case constant, negates, inverts, jumpsIfNot, keepsIfNot, keepsIf, jumpsAlways, returns:
		return true
	}
	return false
}

// pairAt is the pair that begins at a step.
func pairAt(steps []pureStep, i int) (p pair, ok bool) {
	side := func() (argument int, path []unistring.String) {
		if i >= len(steps) || steps[i].is != loads {
			return -1, nil
		}
		argument = steps[i].n
		for i++; i < len(steps) && steps[i].is == reads; i++ {
			path = append(path, steps[i].name)
		}
		return argument, path
	}
	first, path := side()
	second, other := side()
	if min(first, second) != 0 || max(first, second) != 1 || !slices.Equal(path, other) || i >= len(steps) {
		return p, false
	}
	switch op := steps[i].is; op {
	case subtracts, equals, differs, isLess, isLessOrEqual, isMore, isMoreOrEqual:
		return pair{path, first == 1, op, i + 1}, true
	}
	return p, false
}

// isAnswer tells that nothing is done with a difference but to look whether it is zero, and to return
// it.
func isAnswer(steps []pureStep, i int) bool {
	for ; i < len(steps); i++ {
		switch s := steps[i]; s.is {
		case returns:
			return true
		case jumpsAlways:
			i = s.n - 1
		case keepsIf: // where it is zero, it is dropped
			if !isAnswer(steps, s.n) {
				return false
			}
			return true
		default:
			return false
		}
	}
	return false
}

// answer is what the function comes to where items compare so: at each place below 0, 0 or above.
func answer(steps []pureStep, pairs map[int]pair, which map[int]int, compared []int) (float64, bool) {
	var stack []held
	for i := 0; i < len(steps); {
		if p, ok := pairs[i]; ok {
			l := held{whole: true, n: int64(compared[which[i]])}
			r := held{whole: true}
			if p.swapped {
				l.n = -l.n
			}
			if !l.with(p.op, &r) {
				return 0, false
			}
			stack = append(stack, l)
			i = p.next
			continue
		}
		s := &steps[i]
		if i++; s.is == constant {
			stack = append(stack, s.value)
			continue
		}
		top := len(stack) - 1
		switch {
		case s.is == jumpsAlways:
			i = s.n
			continue
		case top < 0:
			return 0, false
		}
		switch l := &stack[top]; s.is {
		case negates:
			if !l.negate() {
				return 0, false
			}
		case inverts:
			*l = held{value: truth(!l.truth())}
		case jumpsIfNot:
			if !l.truth() {
				i = s.n
			}
			stack = stack[:top]
		case keepsIfNot, keepsIf:
			if l.truth() == (s.is == keepsIf) {
				i = s.n
			} else {
				stack = stack[:top]
			}
		case returns:
			return l.double(), l.isNumber() && l.double() == l.double()
		}
	}
	return 0, false
}

// directed finds in which direction each place is compared: by those, the first that differs decides,
// whatever the others are. nil if there are none. A sort only asks which is less.
func (o ordering) directed(answer func(compared []int) (float64, bool)) ordering {
	if len(o) == 0 {
		return nil
	}
	ways := 1
	for range o {
		ways *= 3
	}
	for directions := range 1 << len(o) {
		so := true
		compared := make([]int, len(o))
		for way := 0; way < ways && so; way++ {
			want := 0
			for i, rest := 0, way; i < len(o); i, rest = i+1, rest/3 {
				compared[i] = rest%3 - 1
				if want == 0 {
					want = compared[i]
					if directions&(1<<i) != 0 {
						want = -want
					}
				}
			}
			got, ok := answer(compared)
			if !ok {
				return nil
			}
			so = (got < 0) == (want < 0)
		}
		if so {
			for i := range o {
				o[i].descending = directions&(1<<i) != 0
			}
			return o
		}
	}
	return nil
}

// ranked is an item by its place, and what it is compared by first, if that is a number.
type ranked struct {
	first float64
	at    int
}

// Arrange sorts items as the function compares them, if it only looks at what is plain data; false, and
// nothing has happened, where it may do anything else. Equal ones stay in their order.
func (p *Pure) Arrange(items []goja.Value) bool {
	width := len(p.ordering)
	if width == 0 || len(items) < 2 {
		return false
	}
	if size := len(items) * (itemSize + 16 + 24*width); size >= claimed && !p.s.claim(size) {
		return true
	}
	columns := make([]column, width)
	for i := range columns {
		if !columns[i].fill(p.s, p.ordering[i], items) {
			return false
		}
	}
	list := make([]ranked, len(items))
	for i := range list {
		list[i].at = i
		if columns[0].numbers != nil {
			list[i].first = columns[0].numbers[i]
		}
	}
	work, ended := 0, false
	slices.SortFunc(list, func(x, y ranked) int {
		if work++; work >= pureItems {
			work, ended = 0, ended || !p.s.claim(0)
		}
		switch {
		case ended:
		case x.first < y.first:
			return -1
		case x.first > y.first:
			return 1
		default:
			for i := range columns {
				order, took := columns[i].compare(x.at, y.at)
				if work += took; order != 0 {
					return order
				}
			}
		}
		return cmp.Compare(x.at, y.at)
	})
	before := slices.Clone(items)
	for i := range list {
		items[i] = before[list[i].at]
	}
	return true
}

// column is what all items have at one place: numbers, or texts.
type column struct {
	numbers    []float64 // the less the first it is
	texts      []text
	descending bool // of texts
}

func (c *column) fill(s *State, by criterion, items []goja.Value) bool {
	for i := range items {
		if i%pureItems == pureItems-1 && !s.claim(0) {
			return false
		}
		v := items[i]
		for _, name := range by.path {
			if v = s.lookup(&v, name); v == nil {
				return false
			}
		}
		h := holds(v)
		if i == 0 {
			if c.descending = by.descending; h.isNumber() {
				c.numbers = make([]float64, 0, len(items))
			} else {
				c.texts = make([]text, 0, len(items))
			}
		}
		if !h.isNumber() {
			t, ok := textOf(&v)
			if !ok || c.texts == nil || by.subtracts {
				return false
			}
			c.texts = append(c.texts, t)
			continue
		}
		n := h.double()
		if c.numbers == nil || math.IsNaN(n) || math.IsInf(n, 0) && by.subtracts { // Infinity - Infinity is none
			return false
		}
		if by.descending {
			n = -n
		}
		c.numbers = append(c.numbers, n)
	}
	return true
}

// compare tells how much it took, too: texts may be long.
func (c *column) compare(x, y int) (order, took int) {
	if c.numbers != nil {
		return cmp.Compare(c.numbers[x], c.numbers[y]), 0
	}
	l, r := c.texts[x], c.texts[y]
	if order = compareTexts(l, r); c.descending {
		order = -order
	}
	return order, min(l.length(), r.length()) / pureItems
}
