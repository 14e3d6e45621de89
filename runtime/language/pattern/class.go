package pattern

import (
	"cmp"
	"slices"
)

// maxWork bounds what the classes of an expression take, in spans. Each \p{L} has some 600.
const maxWork = 4 << 20

// spend counts the work that classes make.
func (p *parser) spend(spans int) {
	if p.work += spans; p.work > maxWork {
		p.fail(tooLarge)
	}
}

// class reads one outside of which no other is.
func (p *parser) class() *node {
	if p.flags&UnicodeSets != 0 {
		m, negated := p.setClass()
		return p.setNode(m.set, m.strings, negated)
	}
	p.pos++
	negated := p.look() == '^'
	if negated {
		p.pos++
	}
	s := p.ranges()
	if p.look() != ']' {
		p.fail(unterminatedClass)
	}
	p.pos++
	return p.setNode(s, nil, negated)
}

// setNode is a node that matches a class. With i, it matches all that folds to what a member folds
// to.
func (p *parser) setNode(s set, strings [][]rune, negated bool) *node {
	if p.flags&UnicodeSets == 0 && p.current&IgnoreCase != 0 {
		s = p.closed(s)
	}
	if negated {
		s = s.complement()
	}
	return &node{kind: kindSet, set: s, strings: strings, flags: p.current}
}

func (p *parser) closed(s set) set {
	out := closure(s, p.unicode)
	p.spend(len(out) + 64)
	return out
}

// folded is a class with the flag v, whose parts are closed at once, so that operations on them
// are.
func (p *parser) folded(s set) set {
	if p.current&IgnoreCase == 0 {
		return s
	}
	return p.closed(s)
}

// ranges reads what is in a class without the flag v.
func (p *parser) ranges() set {
	var b setBuilder
	for p.look() != ']' && p.look() != end {
		first, firstSet := p.classAtom()
		if p.look() != '-' {
			p.addAtom(&b, first, firstSet)
			continue
		}
		p.pos++
		switch p.look() {
		case end:
			p.fail(unterminatedClass)
		case ']':
			p.addAtom(&b, first, firstSet)
			b.add('-', '-')
			continue
		}
		second, secondSet := p.classAtom()
		switch {
		case firstSet != nil || secondSet != nil:
			if p.unicode {
				p.fail(invalidClass)
			}
			p.addAtom(&b, first, firstSet)
			b.add('-', '-')
			p.addAtom(&b, second, secondSet)
		case first > second:
			p.fail(rangeOutOfOrder)
		default:
			p.spend(1)
			b.add(first, second)
		}
	}
	return b.set()
}

func (p *parser) addAtom(b *setBuilder, c rune, s *set) {
	if s == nil {
		p.spend(1)
		b.add(c, c)
		return
	}
	p.spend(len(*s))
	b.addSet(*s)
}

// classAtom reads one character, or what stands for several.
func (p *parser) classAtom() (c rune, s *set) {
	c = p.look()
	if c != '\\' {
		p.pos++
		return c, nil
	}
	switch next := p.peek(1); {
	case next == end:
		p.fail(escapeAtEnd)
	case next == 'b':
		p.pos += 2
		return '\b', nil
	case p.unicode && (next == 'p' || next == 'P'):
		return 0, p.propertyInClass()
	}
	if m, ok := p.classEscape(); ok {
		return 0, &m.set
	}
	p.pos++
	return p.characterEscape(true), nil
}

// propertyInClass is propertyEscape with the words that V8 has for what is wrong in a class.
func (p *parser) propertyInClass() *set {
	m := p.inClassWords(func() members { m, _ := p.classEscape(); return m })
	return &m.set
}

func (p *parser) inClassWords(read func() members) members {
	defer func() {
		if r := recover(); r != nil {
			if f, ok := r.(failure); ok && f.reason == invalidPropertyName {
				f.reason = invalidPropertyClass
				panic(f)
			}
			panic(r)
		}
	}()
	return read()
}

// setClass reads a class with the flag v: negated says that its complement is meant.
func (p *parser) setClass() (m members, negated bool) {
	p.deeper()
	p.pos++
	if p.look() == '^' {
		negated = true
		p.pos++
	}
	m = p.setContents()
	if p.look() != ']' {
		p.fail(unterminatedClass)
	}
	p.pos++
	if negated && len(m.strings) > 0 {
		p.fail(negatedStrings)
	}
	p.depth--
	return m, negated
}

// setContents reads a union, an intersection or a difference.
func (p *parser) setContents() members {
	if p.look() == ']' {
		return members{}
	}
	if p.look() == '&' && p.peek(1) == '&' {
		p.fail(invalidSetOperation)
	}
	all, wasRange := p.operand()
	switch {
	case wasRange:
	case p.look() == '-' && p.peek(1) == '-':
		return p.operation('-', all)
	case p.look() == '&' && p.peek(1) == '&':
		return p.operation('&', all)
	}
	return p.union(all)
}

// union reads more members of a class.
func (p *parser) union(all members) members {
	var b setBuilder
	b.addSet(all.set)
	strings := all.strings
	for p.look() != ']' {
		if p.look() == end {
			p.fail(unterminatedClass)
		}
		if c := p.look(); (c == '-' || c == '&') && p.peek(1) == c {
			p.fail(invalidSetOperation)
		}
		m, _ := p.operand()
		p.spend(len(m.set) + len(m.strings))
		b.addSet(m.set)
		strings = append(strings, m.strings...)
	}
	return members{b.set(), p.distinct(strings)}
}

// operation reads the operands of -- or &&, of which no other may follow.
func (p *parser) operation(op rune, all members) members {
	for p.look() != ']' {
		if p.look() == end {
			p.fail(unterminatedClass)
		}
		if p.look() != op || p.peek(1) != op {
			p.fail(invalidSetOperation)
		}
		p.pos += 2
		if op == '&' && p.look() == '&' {
			p.fail(invalidSetCharacter)
		}
		m, wasRange := p.operand()
		if wasRange {
			p.fail(invalidSetOperation)
		}
		p.spend(len(all.set) + len(m.set) + len(all.strings)*(len(m.strings)+1))
		keep := func(s []rune) bool { return p.holds(m.strings, s) == (op == '&') }
		kept := all.strings[:0:0]
		for _, s := range all.strings {
			if keep(s) {
				kept = append(kept, s)
			}
		}
		all.strings = kept
		if op == '&' {
			all.set = all.set.intersect(m.set)
		} else {
			all.set = all.set.intersect(m.set.complement())
		}
	}
	return all
}

func (p *parser) holds(list [][]rune, s []rune) bool {
	return slices.ContainsFunc(list, func(other []rune) bool { return p.same(s, other) })
}

func (p *parser) same(a, b []rune) bool {
	return slices.EqualFunc(a, b, func(x, y rune) bool {
		return x == y || p.current&IgnoreCase != 0 && canonicalize(x, true) == canonicalize(y, true)
	})
}

// distinct sorts strings, the longest first, and leaves each once.
func (p *parser) distinct(list [][]rune) [][]rune {
	p.spend(len(list))
	fold := func(s []rune) []rune {
		if p.current&IgnoreCase == 0 {
			return s
		}
		out := make([]rune, len(s))
		for i, c := range s {
			out[i] = canonicalize(c, true)
		}
		return out
	}
	slices.SortStableFunc(list, func(a, b []rune) int {
		return cmp.Or(len(b)-len(a), slices.Compare(fold(a), fold(b)))
	})
	return slices.CompactFunc(list, p.same)
}

// operand reads one member of a class: a nested class, an escape, a character, or a range of
// characters.
func (p *parser) operand() (m members, wasRange bool) {
	var first rune
	single := false
	switch c := p.look(); {
	case c == '[':
		inner, negated := p.setClass()
		if negated {
			inner.set = inner.set.complement()
		}
		m = inner
	case c == '\\' && p.peek(1) == 'q':
		m = p.classStrings()
	case c == '\\' && isClassEscape(p.peek(1)):
		m = p.inClassWords(func() members { m, _ := p.classEscape(); return m })
	default:
		first, single = p.setCharacter(), true
		m.set = p.folded(set{{first, first}})
	}
	if p.look() != '-' || p.peek(1) == '-' {
		return m, false
	}
	if !single {
		p.fail(invalidClass)
	}
	p.pos++
	switch c := p.look(); {
	case c == '[', c == '\\' && (isClassEscape(p.peek(1)) || p.peek(1) == 'q'):
		p.fail(invalidClass)
	}
	last := p.setCharacter()
	if first > last {
		p.fail(rangeOutOfOrder)
	}
	return members{set: p.folded(set{{first, last}})}, true
}

func isClassEscape(c rune) bool {
	switch c {
	case 'd', 'D', 's', 'S', 'w', 'W', 'p', 'P':
		return true
	}
	return false
}

// setCharacter reads a character of a class with the flag v.
func (p *parser) setCharacter() rune {
	c := p.look()
	switch c {
	case end:
		p.fail(unterminatedClass)
	case '(', ')', '[', ']', '{', '}', '/', '-', '|':
		p.fail(invalidSetCharacter)
	case '\\':
		next := p.peek(1)
		switch {
		case next == end:
			p.fail(escapeAtEnd)
		case next == 'b':
			p.pos += 2
			return '\b'
		case setPunctuator(next):
			p.pos += 2
			return next
		}
		p.pos++
		return p.characterEscape(true)
	}
	if doublePunctuator(c) && p.peek(1) == c {
		p.fail(invalidSetOperation)
	}
	p.pos++
	return c
}

// setPunctuator tells what may be escaped in a class with the flag v.
func setPunctuator(c rune) bool {
	switch c {
	case '&', '-', '!', '#', '%', ',', ':', ';', '<', '=', '>', '@', '`', '~':
		return true
	}
	return false
}

// doublePunctuator tells what may not follow itself there.
func doublePunctuator(c rune) bool {
	switch c {
	case '&', '!', '#', '$', '%', '*', '+', ',', '.', ':', ';', '<', '=', '>', '?', '@', '^', '`', '~':
		return true
	}
	return false
}

// classStrings reads \q{…}.
func (p *parser) classStrings() members {
	p.pos += 2
	if p.look() != '{' {
		p.fail(invalidEscape)
	}
	p.pos++
	var m members
	var b setBuilder
	var one []rune
	for {
		c := p.look()
		if c != '|' && c != '}' {
			one = append(one, p.setCharacter())
			continue
		}
		p.pos++
		p.spend(len(one) + 1)
		if len(one) == 1 {
			b.add(one[0], one[0])
		} else {
			m.strings = append(m.strings, one)
		}
		one = nil
		if c == '}' {
			m.set = p.folded(b.set())
			m.strings = p.distinct(m.strings)
			return m
		}
	}
}
