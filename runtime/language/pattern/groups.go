package pattern

import (
	"unicode"
	"unicode/utf16"
)

// step is one alternative of one disjunction.
type step struct{ disjunction, alternative int }

// parenthesis reads a group of any kind.
func (p *parser) parenthesis() *node {
	p.pos++
	before := p.current
	defer func() { p.current = before }()
	if p.look() != '?' {
		return p.capture("")
	}
	switch c := p.peek(1); c {
	case ':':
		p.pos += 2
		return p.body()
	case '=', '!':
		p.pos += 2
		return &node{kind: kindLook, negated: c == '!', subs: []*node{p.body()}}
	case '-', 'i', 'm', 's':
		p.pos++
		p.modifiers()
		return p.body()
	case '<':
		p.pos += 2
		if c := p.look(); c == '=' || c == '!' {
			p.pos++
			return &node{kind: kindLook, behind: true, negated: c == '!', subs: []*node{p.body()}}
		}
		return p.capture("<")
	}
	p.pos++
	p.fail(invalidGroup)
	return nil
}

// body reads up to the closing parenthesis.
func (p *parser) body() *node {
	n := p.disjunction()
	if p.look() != ')' {
		p.fail(unterminatedGroup)
	}
	p.pos++
	return n
}

func (p *parser) capture(open string) *node {
	if p.groups >= maxGroups {
		p.fail(tooManyCaptures)
	}
	p.groups++
	n := &node{kind: kindGroup, index: p.groups}
	if open != "" {
		n.name = p.groupName()
		p.declare(n.name, n.index)
	}
	n.subs = []*node{p.body()}
	return n
}

// declare gives a name to a group. Two may have the same if only one of them can take part in a
// match.
func (p *parser) declare(name string, index int) {
	for _, other := range p.paths[name] {
		if !apart(other, p.path) {
			p.fail(duplicateGroupName)
		}
	}
	if len(p.paths[name]) >= maxSameName {
		p.fail(tooManyCaptures)
	}
	p.paths[name] = append(p.paths[name], append([]step(nil), p.path...))
	i, known := p.byName[name]
	if !known {
		i = len(p.names)
		p.byName[name] = i
		p.names = append(p.names, Name{Name: name})
	}
	p.names[i].Indices = append(p.names[i].Indices, index)
}

// apart tells whether two places are in different alternatives of one disjunction.
func apart(a, b []step) bool {
	for i := range min(len(a), len(b)) {
		if a[i].disjunction != b[i].disjunction {
			return false
		}
		if a[i].alternative != b[i].alternative {
			return true
		}
	}
	return false
}

// modifiers reads ims-ims: after the question mark.
func (p *parser) modifiers() {
	var on, off Flags
	set := &on
	for {
		c := p.look()
		switch c {
		case '-':
			if set == &off {
				p.fail(multipleDashes)
			}
			set = &off
		case 'i', 'm', 's':
			f := map[rune]Flags{'i': IgnoreCase, 'm': Multiline, 's': DotAll}[c]
			if (on|off)&f != 0 {
				p.fail(repeatedFlag)
			}
			*set |= f
		case ':':
			if on|off == 0 {
				p.fail(invalidFlagGroup)
			}
			p.pos++
			p.current = p.current&^off | on
			return
		default:
			p.fail(invalidFlagGroup)
		}
		p.pos++
	}
}

// groupName reads name> of a group or a reference.
func (p *parser) groupName() string {
	var name []rune
	for {
		c := p.look()
		p.pos++
		switch {
		case c == '\\' && p.look() == 'u':
			p.pos++
			var ok bool
			if c, ok = p.unicodeEscape(true); !ok {
				p.fail(invalidUnicodeEscape)
			}
		case utf16.IsSurrogate(c): // without u, the source is one of units
			if pair := utf16.DecodeRune(c, p.look()); pair != unicode.ReplacementChar {
				c = pair
				p.pos++
			}
		case c == '>' && len(name) > 0:
			return string(name)
		}
		if !identifierStart(c) && (len(name) == 0 || !identifierPart(c)) {
			p.fail(invalidGroupName)
		}
		name = append(name, c)
	}
}

func identifierStart(c rune) bool {
	return c == '$' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > unicode.MaxASCII && idStart().has(c)
}

func identifierPart(c rune) bool {
	return identifierStart(c) || c >= '0' && c <= '9' || c == 0x200c || c == 0x200d || c > unicode.MaxASCII && idContinue().has(c)
}

// countGroups looks through the whole source for groups.
func (p *parser) countGroups() {
	if p.total >= 0 {
		return
	}
	p.total = 0
	depth := 0 // of classes: with v, they nest
	for i := 0; i < len(p.source); i++ {
		switch p.source[i] {
		case '\\':
			i++
		case '[':
			if depth == 0 || p.flags&UnicodeSets != 0 {
				depth++
			}
		case ']':
			depth = max(depth-1, 0)
		case '(':
			at := func(n int) rune {
				if i+n < len(p.source) {
					return p.source[i+n]
				}
				return end
			}
			if depth > 0 {
				continue
			}
			if at(1) == '?' {
				if at(2) != '<' || at(3) == '=' || at(3) == '!' {
					continue
				}
				p.named = true
			}
			p.total++
		}
	}
}

// resolve finds the groups of references by name.
func (p *parser) resolve() {
	for _, r := range p.references {
		i, known := p.byName[r.name]
		if !known {
			p.pos = r.at
			p.fail(invalidNamedCapture)
		}
		r.groups = p.names[i].Indices
	}
}
