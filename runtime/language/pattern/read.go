package pattern

import (
	"bytes"
	"unicode"
	"unicode/utf16"
)

// next is the first place from pos on where a match can begin; -1 if there is none.
func next[T unit](p *Program, text []T, pos int) int {
	switch {
	case p.atBegin && pos > 0:
		return -1
	case len(p.prefix) > 0:
		return indexPrefix(p, text, pos)
	case p.first != nil:
		for i := pos; i < len(text); i++ {
			if c := text[i]; int(c) < 256 {
				if p.first.low[uint8(c)] {
					return i
				}
			} else if p.first.high {
				return i
			}
		}
		return -1
	}
	return pos
}

func indexPrefix[T unit](p *Program, text []T, pos int) int {
	if narrow, ok := any(text).([]byte); ok {
		if p.narrow == nil {
			return -1
		}
		i := bytes.Index(narrow[pos:], p.narrow)
		if i < 0 {
			return -1
		}
		return pos + i
	}
	prefix := p.prefix
outer:
	for i := pos; i+len(prefix) <= len(text); i++ {
		if uint16(text[i]) != prefix[0] {
			continue
		}
		for k := 1; k < len(prefix); k++ {
			if uint16(text[i+k]) != prefix[k] {
				continue outer
			}
		}
		return i
	}
	return -1
}

func highSurrogate[T unit](c T) bool { return uint16(c)&0xfc00 == 0xd800 }
func lowSurrogate[T unit](c T) bool  { return uint16(c)&0xfc00 == 0xdc00 }

// after reads the character at pos; before the one that ends there. size is 0 where there is none.
func after[T unit](text []T, pos int, full bool) (c rune, size int) {
	if pos >= len(text) {
		return 0, 0
	}
	c = rune(text[pos])
	if full && c >= 0xd800 && c < 0xdc00 && pos+1 < len(text) && lowSurrogate(text[pos+1]) {
		return utf16.DecodeRune(c, rune(text[pos+1])), 2
	}
	return c, 1
}

func before[T unit](text []T, pos int, full bool) (c rune, size int) {
	if pos <= 0 {
		return 0, 0
	}
	c = rune(text[pos-1])
	if full && c >= 0xdc00 && c < 0xe000 && pos > 1 && highSurrogate(text[pos-2]) {
		return utf16.DecodeRune(rune(text[pos-2]), c), 2
	}
	return c, 1
}

func hasPrefix[T unit](text []T, prefix []uint16) bool {
	for i, c := range prefix {
		if uint16(text[i]) != c {
			return false
		}
	}
	return true
}

func lineEnd(c rune) bool { return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 }

// take reads as many characters of a run as there are, up to a number.
func take[T unit](text []T, pos int, most int32, in *instruction, full bool) (n int32, end int) {
	set := in.set
	if in.back {
		for n < most {
			c, size := before(text, pos, full)
			if size == 0 || !set.has(c) {
				break
			}
			pos -= size
			n++
		}
		return n, pos
	}
	if !full {
		limit := len(text)
		if int(most) < limit-pos {
			limit = pos + int(most)
		}
		i := pos
		for ; i < limit; i++ {
			c := text[i]
			if int(c) < 256 {
				if set.low[uint8(c)>>6]&(1<<(uint8(c)&63)) == 0 {
					break
				}
			} else if !set.has(rune(c)) {
				break
			}
		}
		return int32(i - pos), i
	}
	for n < most {
		c, size := after(text, pos, full)
		if size == 0 || !set.has(c) {
			break
		}
		pos += size
		n++
	}
	return n, pos
}

// giveBack is where a run ends with one character less.
func giveBack[T unit](text []T, pos int, in *instruction, full bool) int {
	if in.back {
		_, size := after(text, pos, full)
		return pos + size
	}
	_, size := before(text, pos, full)
	return pos - size
}

// reference matches what a group has matched; nothing, if it took no part.
func reference[T unit](m *Machine, p *Program, text []T, pos int, in *instruction) (end int, ok bool) {
	for _, g := range in.list.groups {
		from, to := int(m.captures[2*g]), int(m.captures[2*g+1])
		if from < 0 || to < 0 {
			continue
		}
		length := to - from
		m.left -= length / 16
		at := pos
		if in.back {
			at -= length
		}
		if at < 0 || at+length > len(text) {
			return 0, false
		}
		if !sameText(text[from:to], text[at:at+length], in.ignoreCase, p.Flags.FullUnicode()) {
			return 0, false
		}
		if in.back {
			return at, true
		}
		return at + length, true
	}
	return pos, true
}

// sameText compares two texts of one length. Characters that are alike have the same length, too.
func sameText[T unit](a, b []T, ignoreCase, full bool) bool {
	for i := 0; i < len(a); {
		if !ignoreCase {
			if a[i] != b[i] {
				return false
			}
			i++
			continue
		}
		x, size := after(a, i, full)
		y, _ := after(b, i, full)
		if x != y && (x > unicode.MaxRune || canonicalize(x, full) != canonicalize(y, full)) {
			return false
		}
		i += size
	}
	return true
}
