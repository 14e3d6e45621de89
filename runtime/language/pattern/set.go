package pattern

import (
	"slices"
	"sort"
	"unicode"
)

// span is a range of characters, both ends included.
type span struct{ lo, hi rune }

// set is sorted and its spans neither overlap nor touch.
type set []span

func (s set) has(c rune) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].hi >= c })
	return i < len(s) && s[i].lo <= c
}

// complement is all that isn't in the set.
func (s set) complement() set {
	out := make(set, 0, len(s)+1)
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, span{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out
}

func (s set) intersect(other set) set {
	var out set
	for i, j := 0, 0; i < len(s) && j < len(other); {
		lo, hi := max(s[i].lo, other[j].lo), min(s[i].hi, other[j].hi)
		if lo <= hi {
			out = append(out, span{lo, hi})
		}
		if s[i].hi < other[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// setBuilder collects what becomes a set.
type setBuilder struct {
	spans  set
	merged int // how many of spans are in order since they were last merged
}

func (b *setBuilder) add(lo, hi rune) {
	b.spans = append(b.spans, span{lo, hi})
	b.bound()
}

func (b *setBuilder) addSet(s set) {
	b.spans = append(b.spans, s...)
	b.bound()
}

// bound keeps many properties in one class from taking the memory of all of them.
func (b *setBuilder) bound() {
	if len(b.spans) > 2*b.merged+4096 {
		b.spans = merge(b.spans)
		b.merged = len(b.spans)
	}
}

func (b *setBuilder) set() set { return merge(b.spans) }

// merge sorts spans and joins those that overlap or touch.
func merge(s set) set {
	slices.SortFunc(s, func(a, b span) int { return int(a.lo - b.lo) })
	out := s[:0]
	for _, r := range s {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

// The classes that the language names.
var (
	everything = set{{0, unicode.MaxRune}}
	lineEnds   = set{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
	noLineEnds = lineEnds.complement()
	digits     = set{{'0', '9'}}
	words      = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	// foldedWords has, with u and i, what folds to an s and to a k.
	foldedWords = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0x17f, 0x17f}, {0x212a, 0x212a}}
	spaces      = set{
		{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
		{0x3000, 0x3000}, {0xfeff, 0xfeff},
	}
)
