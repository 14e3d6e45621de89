package pattern

import (
	"sort"
	"unsafe"
)

// opcode of an instruction. Those that read go backwards inside a lookbehind.
type opcode uint8

const (
	opMatch opcode = iota
	opFail
	opChar      // char
	opString    // text, forwards
	opSet       // of set
	opJump      // to x
	opSplit     // to x; later to y
	opSave      // the place as the capture x
	opClear     // the groups from x up to y
	opBegin     // of the text
	opEnd       // of the text
	opLineBegin // or the text's
	opLineEnd   // or the text's
	opBoundary  // of words; not one, if negated
	opReference // to groups
	opLook      // what follows, up to opLookDone; goes on at x
	opLookDone  // the look has matched
	opRun       // of set, min to max times
	opReset     // the counter x
	opMark      // the place in the register x
	opLoop      // again with the counter x, or out of it to y
	opCheck     // that a round was not empty, by the mark x, once the counter y has reached min
	opCount     // the counter x up by one, and to y
)

// instruction of a program.
type instruction struct {
	op         opcode
	back       bool // reads backwards
	negated    bool
	lazy       bool
	ignoreCase bool
	possessive bool // what follows a run can't begin with what the run consists of
	char       rune
	x, y       int32
	min, max   int32
	set        *charset
	list       *list
}

// list is what few instructions have.
type list struct {
	text   []uint16
	groups []int
}

const instructionSize = int(unsafe.Sizeof(instruction{}))

// charset is a set made for being asked often.
type charset struct {
	low  [4]uint64 // of the first 256
	rest set       // of those above
}

func newCharset(s set) *charset {
	c := &charset{}
	for _, r := range s {
		for i := r.lo; i <= min(r.hi, 255); i++ {
			c.low[i>>6] |= 1 << (i & 63)
		}
	}
	i := sort.Search(len(s), func(i int) bool { return s[i].hi > 255 })
	c.rest = s[i:]
	return c
}

func (c *charset) has(r rune) bool {
	if r < 256 {
		return c.low[r>>6]&(1<<(r&63)) != 0
	}
	lo, hi := 0, len(c.rest)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c.rest[mid].hi < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(c.rest) && c.rest[lo].lo <= r
}

// farthest is how many nodes behind a run are looked at for what can follow it.
const farthest = 8

// compiler makes a program of a tree.
type compiler struct {
	code       []instruction
	registers  int
	unicode    bool
	ignoreCase bool
	sets       map[*span]*charset // by their first span: the language's own are shared
	setBytes   int
}

func (c *compiler) add(i instruction) int {
	c.code = append(c.code, i)
	return len(c.code) - 1
}

func (c *compiler) here() int32 { return int32(len(c.code)) }

func (c *compiler) register() int32 {
	c.registers++
	return int32(c.registers - 1)
}

func (c *compiler) charset(s set) *charset {
	if len(s) == 0 {
		return &charset{}
	}
	made := c.sets[&s[0]]
	if made == nil || len(made.rest) > len(s) {
		made = newCharset(s)
		c.sets[&s[0]] = made
		c.setBytes += 64 + 8*len(s)
	}
	return made
}

// emit appends what matches a node.
func (c *compiler) emit(n *node, back bool) {
	switch n.kind {
	case kindSequence:
		c.sequence(n.subs, back)
	case kindChoice:
		c.choice(len(n.subs), func(i int) { c.emit(n.subs[i], back) })
	case kindChar:
		c.char(n.char, n.flags&IgnoreCase != 0, back)
	case kindSet:
		c.class(n, back)
	case kindBegin:
		c.add(instruction{op: pick(n.flags&Multiline != 0, opLineBegin, opBegin)})
	case kindEnd:
		c.add(instruction{op: pick(n.flags&Multiline != 0, opLineEnd, opEnd)})
	case kindBoundary:
		c.add(instruction{op: opBoundary, negated: n.negated, ignoreCase: c.unicode && n.flags&IgnoreCase != 0})
	case kindGroup:
		start, stop := int32(2*n.index), int32(2*n.index+1)
		if back {
			start, stop = stop, start
		}
		c.add(instruction{op: opSave, x: start})
		c.emit(n.subs[0], back)
		c.add(instruction{op: opSave, x: stop})
	case kindLook:
		look := c.add(instruction{op: opLook, negated: n.negated})
		c.emit(n.subs[0], n.behind)
		c.add(instruction{op: opLookDone, negated: n.negated})
		c.code[look].x = c.here()
	case kindRepeat:
		c.repeat(n, back, nil)
	case kindReference:
		c.add(instruction{op: opReference, list: &list{groups: n.groups}, ignoreCase: n.flags&IgnoreCase != 0, back: back})
	}
}

func pick(yes bool, a, b opcode) opcode {
	if yes {
		return a
	}
	return b
}

func (c *compiler) sequence(subs []*node, back bool) {
	if back {
		for i := len(subs) - 1; i >= 0; i-- {
			c.emit(subs[i], true)
		}
		return
	}
	for i := 0; i < len(subs); i++ {
		if text := c.text(subs[i:]); len(text) > 1 {
			i += len(text) - 1
			c.add(instruction{op: opString, list: &list{text: text}})
			continue
		}
		if subs[i].kind == kindRepeat {
			c.repeat(subs[i], false, subs[i+1:])
			continue
		}
		c.emit(subs[i], false)
	}
}

// text gives the characters that nodes begin with, each one unit, as far as no other is alike to
// them.
func (c *compiler) text(subs []*node) []uint16 {
	var text []uint16
	for _, n := range subs {
		if n.kind != kindChar || n.char > 0xffff || c.unicode && surrogate(n.char) ||
			n.flags&IgnoreCase != 0 && len(alike(n.char, c.unicode)) > 1 {
			break
		}
		text = append(text, uint16(n.char))
	}
	return text
}

func surrogate(c rune) bool { return c >= 0xd800 && c < 0xe000 }

func (c *compiler) char(char rune, ignoreCase, back bool) {
	if ignoreCase {
		if all := alike(char, c.unicode); len(all) > 1 {
			c.add(instruction{op: opSet, set: c.charset(setOf(all)), back: back})
			return
		}
	}
	if char > 0xffff || c.unicode && surrogate(char) {
		c.add(instruction{op: opSet, set: c.charset(set{{char, char}}), back: back})
		return
	}
	c.add(instruction{op: opChar, char: char, back: back})
}

func setOf(chars []rune) set {
	var b setBuilder
	for _, r := range chars {
		b.add(r, r)
	}
	return b.set()
}

// class matches the strings first, the longest before the others, as if they were alternatives.
func (c *compiler) class(n *node, back bool) {
	if len(n.strings) == 0 {
		c.add(instruction{op: opSet, set: c.charset(n.set), back: back})
		return
	}
	long := len(n.strings)
	if len(n.strings[long-1]) == 0 {
		long--
	}
	c.choice(len(n.strings)+1, func(i int) {
		switch {
		case i == long:
			c.add(instruction{op: opSet, set: c.charset(n.set), back: back})
		case i > long: // the empty string
		default:
			s := n.strings[i]
			for k := range s {
				if back {
					k = len(s) - 1 - k
				}
				c.char(s[k], n.flags&IgnoreCase != 0, back)
			}
		}
	})
}

func (c *compiler) choice(n int, emit func(int)) {
	var jumps []int
	for i := range n {
		if i == n-1 {
			emit(i)
			break
		}
		split := c.add(instruction{op: opSplit})
		c.code[split].x = c.here()
		emit(i)
		jumps = append(jumps, c.add(instruction{op: opJump}))
		c.code[split].y = c.here()
	}
	for _, j := range jumps {
		c.code[j].x = c.here()
	}
}

// repeat emits a quantifier; rest is what follows it in its sequence.
func (c *compiler) repeat(n *node, back bool, rest []*node) {
	body := n.subs[0]
	if n.max == 0 {
		return
	}
	if s, ok := c.single(body); ok {
		c.run(n, s, back, rest)
		return
	}
	clears := n.last > n.first && n.max > 1
	nullable := body.nullable()
	first, last := int32(n.first), int32(n.last)
	inside := func() {
		if clears {
			c.add(instruction{op: opClear, x: first, y: last})
		}
		c.emit(body, back)
	}
	switch {
	case n.min == 0 && n.max == 1, n.min == 0 && n.max == infinite:
		split := c.add(instruction{op: opSplit})
		begin := c.here()
		mark := int32(-1)
		if nullable {
			mark = c.register()
			c.add(instruction{op: opMark, x: mark})
		}
		inside()
		if nullable {
			c.add(instruction{op: opCheck, x: mark, y: -1})
		}
		if n.max == infinite {
			c.add(instruction{op: opJump, x: int32(split)})
		}
		c.order(split, n.lazy, begin, c.here())
	case n.min == 1 && n.max == 1:
		inside()
	case n.min == 1 && n.max == infinite && !nullable:
		begin := c.here()
		inside()
		split := c.add(instruction{op: opSplit})
		c.order(split, n.lazy, begin, c.here())
	default:
		counter, mark := c.register(), int32(-1)
		c.add(instruction{op: opReset, x: counter})
		loop := c.add(instruction{op: opLoop, x: counter, min: clamp(n.min), max: clamp(n.max), lazy: n.lazy})
		if nullable {
			mark = c.register()
			c.add(instruction{op: opMark, x: mark})
		}
		inside()
		if nullable {
			c.add(instruction{op: opCheck, x: mark, y: counter, min: clamp(n.min)})
		}
		c.add(instruction{op: opCount, x: counter, y: int32(loop)})
		c.code[loop].y = c.here()
	}
}

func (c *compiler) order(split int, lazy bool, body, after int32) {
	if lazy {
		body, after = after, body
	}
	c.code[split].x, c.code[split].y = body, after
}

func clamp(n int) int32 { return int32(min(n, infinite)) }

// single gives the set of a node that matches just one character.
func (c *compiler) single(n *node) (set, bool) {
	for n.kind == kindSequence && len(n.subs) == 1 {
		n = n.subs[0]
	}
	switch {
	case n.kind == kindChar && n.flags&IgnoreCase != 0:
		return setOf(alike(n.char, c.unicode)), true
	case n.kind == kindChar:
		return set{{n.char, n.char}}, true
	case n.kind == kindSet && len(n.strings) == 0:
		return n.set, true
	}
	return nil, false
}

func (c *compiler) run(n *node, s set, back bool, rest []*node) {
	i := instruction{op: opRun, set: c.charset(s), min: clamp(n.min), max: clamp(n.max), lazy: n.lazy, back: back}
	if !back && !n.lazy && len(rest) > 0 {
		var own, follow firstSet
		own.add(s)
		i.possessive = !follow.ofAll(rest[:min(len(rest), farthest)], c.unicode) && !own.meets(&follow)
	}
	c.add(i)
}
