package pattern

import "unicode/utf16"

// Program is a compiled expression. It is immutable: any number of machines may run it at once.
type Program struct {
	// Source is the expression as it was given.
	Source []uint16
	Flags  Flags
	// Groups is how many it has, the whole match among them.
	Groups int
	// Names are those of groups, in the order of the source, each with the groups that have it.
	Names []Name

	code      []instruction
	registers int
	size      int // in bytes, roughly

	prefix  []uint16  // with what each match begins
	narrow  []byte    // the prefix, if it is ASCII's
	literal bool      // whether the prefix is all
	first   *firstSet // of what each match's first unit is; nil for any
	atBegin bool      // whether a match can only begin where the text does

	linear *linear // nil if Go's engine would answer otherwise
}

// Name of groups.
type Name struct {
	Name    string
	Indices []int
}

// Compile makes a program, or gives a *FlagsError or a *SyntaxError.
func Compile(source []uint16, flags string) (*Program, error) {
	f, err := ParseFlags(flags)
	if err != nil {
		return nil, err
	}
	fail := func(reason string, offset int) error {
		return &SyntaxError{Source: string(utf16.Decode(source)), Flags: flags, Reason: reason, Offset: offset}
	}
	if len(source) > maxSource {
		return nil, fail(tooLarge, 0)
	}
	p := parser{source: runes(source, f.FullUnicode()), flags: f, unicode: f.FullUnicode()}
	tree, failed := p.parse()
	if failed != nil {
		offset := 0
		for _, r := range p.source[:min(failed.at, len(p.source))] {
			offset += max(1, utf16.RuneLen(r))
		}
		return nil, fail(failed.reason, offset)
	}
	out := &Program{Source: source, Flags: f, Groups: p.groups + 1, Names: p.names}
	c := compiler{unicode: p.unicode, ignoreCase: f&IgnoreCase != 0, sets: map[*span]*charset{}}
	c.emit(tree, false)
	c.add(instruction{op: opMatch})
	out.code, out.registers = c.code, c.registers
	out.size = 2*len(source) + len(c.code)*instructionSize + c.setBytes
	out.prepare(tree, p.unicode)
	return out, nil
}

// Size is roughly what the program takes, in bytes.
func (p *Program) Size() int { return p.size }

// Check gives what is wrong with an expression, as Compile does.
func Check(source string, flags string) error {
	_, err := Compile(utf16.Encode([]rune(source)), flags)
	return err
}

// prepare finds what lets a search skip places where no match can begin.
func (p *Program) prepare(tree *node, fullUnicode bool) {
	p.prefix, p.literal = prefixOf(tree, nil, fullUnicode)
	p.literal = p.literal && p.Groups == 1 && len(p.prefix) > 0
	p.narrow = make([]byte, 0, len(p.prefix))
	for _, c := range p.prefix {
		if c > 127 {
			p.narrow = nil
			break
		}
		p.narrow = append(p.narrow, byte(c))
	}
	var f firstSet
	if nullable := f.of(tree, fullUnicode); !nullable && !f.all() {
		p.first = &f
	}
	p.atBegin = beginsAtBegin(tree)
	p.linear = linearOf(tree, p.Groups, fullUnicode)
}

// prefixOf gives what a tree certainly begins with, and whether that is all it matches.
func prefixOf(n *node, before []uint16, fullUnicode bool) (prefix []uint16, all bool) {
	switch n.kind {
	case kindEmpty:
		return before, true
	case kindSequence:
		for _, s := range n.subs {
			if before, all = prefixOf(s, before, fullUnicode); !all {
				return before, false
			}
		}
		return before, true
	case kindGroup:
		return prefixOf(n.subs[0], before, fullUnicode)
	case kindChar:
		if n.flags&IgnoreCase != 0 && len(alike(n.char, fullUnicode)) > 1 || utf16.IsSurrogate(n.char) && fullUnicode {
			return before, false
		}
		if n.char <= 0xffff { // half a pair stays one
			return append(before, uint16(n.char)), true
		}
		return utf16.AppendRune(before, n.char), true
	case kindRepeat:
		if n.min > 0 {
			before, _ = prefixOf(n.subs[0], before, fullUnicode)
		}
	}
	return before, false
}

// beginsAtBegin tells whether a tree begins with ^, without the flag m.
func beginsAtBegin(n *node) bool {
	switch n.kind {
	case kindBegin:
		return n.flags&Multiline == 0
	case kindGroup:
		return beginsAtBegin(n.subs[0])
	case kindSequence:
		for _, s := range n.subs {
			if beginsAtBegin(s) {
				return true
			}
			if s.kind != kindLook && s.kind != kindBoundary {
				return false
			}
		}
	case kindChoice:
		for _, s := range n.subs {
			if !beginsAtBegin(s) {
				return false
			}
		}
		return true
	}
	return false
}

// firstSet is which units something can begin with: each of the first 256, and whether it may be
// any other.
type firstSet struct {
	low  [256]bool
	high bool
}

func (f *firstSet) all() bool {
	for _, has := range f.low {
		if !has {
			return false
		}
	}
	return f.high
}

func (f *firstSet) fill() {
	for i := range f.low {
		f.low[i] = true
	}
	f.high = true
}

func (f *firstSet) add(s set) {
	for _, r := range s {
		for c := r.lo; c <= min(r.hi, 255); c++ {
			f.low[c] = true
		}
		f.high = f.high || r.hi > 255
	}
}

func (f *firstSet) meets(other *firstSet) bool {
	for i, has := range f.low {
		if has && other.low[i] {
			return true
		}
	}
	return f.high && other.high
}

// of adds what a tree begins with, and tells whether it may match nothing.
func (f *firstSet) of(n *node, fullUnicode bool) (nullable bool) {
	switch n.kind {
	case kindSequence:
		return f.ofAll(n.subs, fullUnicode)
	case kindChoice:
		for _, s := range n.subs {
			nullable = f.of(s, fullUnicode) || nullable
		}
		return nullable
	case kindChar:
		if n.flags&IgnoreCase != 0 {
			for _, c := range alike(n.char, fullUnicode) {
				f.add(set{{c, c}})
			}
		}
		f.add(set{{n.char, n.char}})
		return false
	case kindSet:
		f.add(n.set)
		for _, s := range n.strings {
			if len(s) == 0 {
				nullable = true
				continue
			}
			for _, c := range alike(s[0], fullUnicode) {
				f.add(set{{c, c}})
			}
		}
		return nullable
	case kindGroup:
		return f.of(n.subs[0], fullUnicode)
	case kindRepeat:
		return f.of(n.subs[0], fullUnicode) || n.min == 0
	case kindReference:
		f.fill()
	}
	return true
}

func (f *firstSet) ofAll(subs []*node, fullUnicode bool) (nullable bool) {
	for _, s := range subs {
		if !f.of(s, fullUnicode) {
			return false
		}
	}
	return true
}

// alike are the characters that are the same with the flag i, the given one among them.
func alike(c rune, fullUnicode bool) []rune {
	if all := foldingOf(fullUnicode).alike[c]; all != nil {
		return all
	}
	return []rune{c}
}
