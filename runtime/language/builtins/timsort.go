package builtins

import "github.com/dop251/goja"

// timsort is Tim Peters' listsort as V8 has it, comparison by comparison: what compares can tell in
// which order it is asked, and if it contradicts itself, what comes of it shows that.
type timsort struct {
	items, spare []goja.Value
	order        func(x, y goja.Value) float64
	runs         []run
	gallop       int
}

type run struct{ at, length int }

// leastGallop is how many times in a row one side must win until it is searched by leaps.
const leastGallop = 7

func sortItems(items []goja.Value, order func(x, y goja.Value) float64) {
	if len(items) < 2 {
		return
	}
	s := timsort{items: items, order: order, gallop: leastGallop}
	least, odd := len(items), 0
	for least >= 64 {
		odd |= least & 1
		least >>= 1
	}
	least += odd
	for low := 0; low < len(items); {
		length := s.run(low)
		if forced := min(least, len(items)-low); length < forced {
			s.insert(low, low+length, low+forced)
			length = forced
		}
		s.runs = append(s.runs, run{low, length})
		s.collapse()
		low += length
	}
	for len(s.runs) > 1 {
		n := len(s.runs) - 2
		if n > 0 && s.runs[n-1].length < s.runs[n+1].length {
			n--
		}
		s.merge(n)
	}
}

// run is how long what begins here is in order; what is in the opposite one is turned round.
func (s *timsort) run(low int) int {
	high := len(s.items)
	if low+1 == high {
		return 1
	}
	length := 2
	descending := s.order(s.items[low+1], s.items[low]) < 0
	for i := low + 2; i < high; i++ {
		if (s.order(s.items[i], s.items[i-1]) < 0) != descending {
			break
		}
		length++
	}
	if descending {
		for i, j := low, low+length-1; i < j; i, j = i+1, j-1 {
			s.items[i], s.items[j] = s.items[j], s.items[i]
		}
	}
	return length
}

// insert puts items from start on in their places among those before.
func (s *timsort) insert(low, start, high int) {
	for ; start < high; start++ {
		pivot := s.items[start]
		left, right := low, start
		for left < right {
			if middle := left + (right-left)>>1; s.order(pivot, s.items[middle]) < 0 {
				right = middle
			} else {
				left = middle + 1
			}
		}
		copy(s.items[left+1:start+1], s.items[left:start])
		s.items[left] = pivot
	}
}

// holds tells that a run is longer than the two behind it.
func (s *timsort) holds(n int) bool {
	return n < 2 || s.runs[n-2].length > s.runs[n-1].length+s.runs[n].length
}

func (s *timsort) collapse() {
	for len(s.runs) > 1 {
		n := len(s.runs) - 2
		if !s.holds(n+1) || !s.holds(n) {
			if s.runs[n-1].length < s.runs[n+1].length {
				n--
			}
		} else if s.runs[n].length > s.runs[n+1].length {
			return
		}
		s.merge(n)
	}
}

// merge makes one of two runs that lie side by side.
func (s *timsort) merge(n int) {
	a, b := s.runs[n], s.runs[n+1]
	s.runs[n].length += b.length
	s.runs = append(s.runs[:n+1], s.runs[n+2:]...)
	skipped := s.behind(s.items[b.at], s.items[a.at:a.at+a.length], 0)
	a.at, a.length = a.at+skipped, a.length-skipped
	if a.length == 0 {
		return
	}
	b.length = s.before(s.items[a.at+a.length-1], s.items[b.at:b.at+b.length], b.length-1)
	if b.length == 0 {
		return
	}
	if a.length <= b.length {
		s.mergeLow(a, b)
	} else {
		s.mergeHigh(a, b)
	}
}

// before is how many of a run's items are less than a key; hint is where to begin.
func (s *timsort) before(key goja.Value, items []goja.Value, hint int) int {
	last, offset := 0, 1
	if s.order(items[hint], key) < 0 {
		most := len(items) - hint
		for offset < most && s.order(items[hint+offset], key) < 0 {
			last, offset = offset, offset<<1+1
		}
		offset = min(offset, most)
		last, offset = last+hint, offset+hint
	} else {
		most := hint + 1
		for offset < most && !(s.order(items[hint-offset], key) < 0) {
			last, offset = offset, offset<<1+1
		}
		offset = min(offset, most)
		last, offset = hint-offset, hint-last
	}
	for last++; last < offset; {
		if middle := last + (offset-last)>>1; s.order(items[middle], key) < 0 {
			last = middle + 1
		} else {
			offset = middle
		}
	}
	return offset
}

// behind is how many are not greater.
func (s *timsort) behind(key goja.Value, items []goja.Value, hint int) int {
	last, offset := 0, 1
	if s.order(key, items[hint]) < 0 {
		most := hint + 1
		for offset < most && s.order(key, items[hint-offset]) < 0 {
			last, offset = offset, offset<<1+1
		}
		offset = min(offset, most)
		last, offset = hint-offset, hint-last
	} else {
		most := len(items) - hint
		for offset < most && !(s.order(key, items[hint+offset]) < 0) {
			last, offset = offset, offset<<1+1
		}
		offset = min(offset, most)
		last, offset = last+hint, offset+hint
	}
	for last++; last < offset; {
		if middle := last + (offset-last)>>1; s.order(key, items[middle]) < 0 {
			offset = middle
		} else {
			last = middle + 1
		}
	}
	return offset
}

// mergeLow merges from the front, the first run being the shorter.
func (s *timsort) mergeLow(a, b run) {
	items := s.items
	s.spare = append(s.spare[:0], items[a.at:a.at+a.length]...)
	left := s.spare
	to, right, rest := a.at, b.at, b.length
	take := func() { // from the second run
		items[to] = items[right]
		to, right, rest = to+1, right+1, rest-1
	}
	defer func() { // what is left of the first; of the second, it lies where it belongs
		copy(items[to:], left)
	}()
	last := func() { // the first run's last is greater than all of the second
		copy(items[to:], items[right:right+rest])
		to += rest
	}
	take()
	if rest == 0 {
		return
	}
	if len(left) == 1 {
		last()
		return
	}
	for {
		wonA, wonB := 0, 0
		for {
			if s.order(items[right], left[0]) < 0 {
				take()
				wonB, wonA = wonB+1, 0
				if rest == 0 {
					return
				}
				if wonB >= s.gallop {
					break
				}
			} else {
				items[to] = left[0]
				to, left = to+1, left[1:]
				wonA, wonB = wonA+1, 0
				if len(left) == 1 {
					last()
					return
				}
				if wonA >= s.gallop {
					break
				}
			}
		}
		s.gallop++
		for first := true; first || wonA >= leastGallop || wonB >= leastGallop; first = false {
			s.gallop = max(1, s.gallop-1)
			wonA = s.behind(items[right], left, 0)
			if wonA > 0 {
				copy(items[to:], left[:wonA])
				to, left = to+wonA, left[wonA:]
				if len(left) == 1 {
					last()
					return
				}
				if len(left) == 0 { // by an order that contradicts itself
					return
				}
			}
			take()
			if rest == 0 {
				return
			}
			wonB = s.before(left[0], items[right:right+rest], 0)
			if wonB > 0 {
				copy(items[to:], items[right:right+wonB])
				to, right, rest = to+wonB, right+wonB, rest-wonB
				if rest == 0 {
					return
				}
			}
			items[to] = left[0]
			to, left = to+1, left[1:]
			if len(left) == 1 {
				last()
				return
			}
		}
		s.gallop++
	}
}

// mergeHigh merges from the back, the second run being the shorter.
func (s *timsort) mergeHigh(a, b run) {
	items := s.items
	s.spare = append(s.spare[:0], items[b.at:b.at+b.length]...)
	right := s.spare
	to, rest := b.at+b.length-1, a.length // the next place, and what is left of the first run
	take := func() {                      // from the first run
		items[to] = items[a.at+rest-1]
		to, rest = to-1, rest-1
	}
	defer func() { copy(items[to-len(right)+1:], right) }()
	last := func() { // the second run's first is less than all of the first
		copy(items[to-rest+1:to+1], items[a.at:a.at+rest])
		to -= rest
	}
	take()
	if rest == 0 {
		return
	}
	if len(right) == 1 {
		last()
		return
	}
	for {
		wonA, wonB := 0, 0
		for {
			if s.order(right[len(right)-1], items[a.at+rest-1]) < 0 {
				take()
				wonA, wonB = wonA+1, 0
				if rest == 0 {
					return
				}
				if wonA >= s.gallop {
					break
				}
			} else {
				items[to] = right[len(right)-1]
				to, right = to-1, right[:len(right)-1]
				wonB, wonA = wonB+1, 0
				if len(right) == 1 {
					last()
					return
				}
				if wonB >= s.gallop {
					break
				}
			}
		}
		s.gallop++
		for first := true; first || wonA >= leastGallop || wonB >= leastGallop; first = false {
			s.gallop = max(1, s.gallop-1)
			k := s.behind(right[len(right)-1], items[a.at:a.at+rest], rest-1)
			wonA = rest - k
			if wonA > 0 {
				copy(items[to-wonA+1:to+1], items[a.at+k:a.at+rest])
				to, rest = to-wonA, k
				if rest == 0 {
					return
				}
			}
			items[to] = right[len(right)-1]
			to, right = to-1, right[:len(right)-1]
			if len(right) == 1 {
				last()
				return
			}
			k = s.before(items[a.at+rest-1], right, len(right)-1)
			wonB = len(right) - k
			if wonB > 0 {
				copy(items[to-wonB+1:to+1], right[k:])
				to, right = to-wonB, right[:k]
				if len(right) == 1 {
					last()
					return
				}
				if len(right) == 0 { // by an order that contradicts itself
					return
				}
			}
			take()
			if rest == 0 {
				return
			}
		}
		s.gallop++
	}
}
