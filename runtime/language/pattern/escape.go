package pattern

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// escape reads what a backslash begins outside of a class.
func (p *parser) escape() (n *node, quantifiable bool) {
	switch c := p.peek(1); c {
	case end:
		p.fail(escapeAtEnd)
	case 'b', 'B':
		p.pos += 2
		return &node{kind: kindBoundary, negated: c == 'B', flags: p.current}, false
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if index, ok := p.referenceIndex(); ok {
			return &node{kind: kindReference, groups: []int{index}, flags: p.current}, true
		}
		if p.unicode {
			p.fail(invalidEscape)
		}
		if c >= '8' {
			p.pos += 2
			return p.charNode(c), true
		}
		p.pos++
		return p.charNode(p.octal()), true
	case '0':
		p.pos++
		if d := p.peek(1); p.unicode && d >= '0' && d <= '9' {
			p.fail(invalidDecimalEscape)
		}
		return p.charNode(p.octal()), true
	case 'k':
		if p.countGroups(); p.unicode || p.named {
			p.pos += 2
			return p.namedReference(), true
		}
	}
	if s, ok := p.classEscape(); ok {
		return p.setNode(s.set, s.strings, false), true
	}
	p.pos++
	return p.charNode(p.characterEscape(false)), true
}

// referenceIndex reads the number of a group that there is.
func (p *parser) referenceIndex() (index int, ok bool) {
	start := p.pos
	p.pos++
	index, _ = p.decimal()
	if p.countGroups(); index > p.total {
		p.pos = start
		return 0, false
	}
	return index, true
}

func (p *parser) namedReference() *node {
	if p.look() != '<' {
		p.fail(invalidNamedRef)
	}
	p.pos++
	n := &node{kind: kindReference, flags: p.current, at: p.pos}
	n.name = p.groupName()
	p.references = append(p.references, n)
	return n
}

// octal reads up to three digits whose number is one of Latin-1.
func (p *parser) octal() rune {
	value := rune(0)
	for n := 0; n < 3 && value < 32; n++ {
		c := p.look()
		if c < '0' || c > '7' {
			break
		}
		value = value*8 + c - '0'
		p.pos++
	}
	return value
}

// characterEscape reads what stands for one character, after its backslash.
func (p *parser) characterEscape(inClass bool) rune {
	c := p.look()
	switch c {
	case 'f', 'n', 'r', 't', 'v':
		p.pos++
		return map[rune]rune{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}[c]
	case 'c':
		letter := p.peek(1)
		if letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z' {
			p.pos += 2
			return letter & 31
		}
		if p.unicode {
			p.fail(invalidUnicodeEscape)
		}
		if inClass && (letter >= '0' && letter <= '9' || letter == '_') {
			p.pos += 2
			return letter & 31
		}
		return '\\' // itself, and the c follows
	case '0', '1', '2', '3', '4', '5', '6', '7':
		if d := p.peek(1); c == '0' && (d < '0' || d > '9') {
			p.pos++
			return 0
		}
		if p.unicode {
			if inClass {
				p.fail(invalidClassEscape)
			}
			p.fail(invalidDecimalEscape)
		}
		return p.octal()
	case 'x':
		p.pos++
		if value, ok := p.hex(2); ok {
			return value
		}
		if p.unicode {
			p.fail(invalidEscape)
		}
		return 'x'
	case 'u':
		p.pos++
		if value, ok := p.unicodeEscape(p.unicode); ok {
			return value
		}
		if p.unicode {
			p.fail(invalidUnicodeEscape)
		}
		return 'u'
	}
	if p.unicode && !syntaxCharacter(c) && c != '/' && (c != '-' || !inClass) {
		p.fail(invalidEscape)
	}
	if c == 'k' {
		if p.countGroups(); p.named {
			p.fail(invalidEscape)
		}
	}
	p.pos++
	return c
}

func syntaxCharacter(c rune) bool {
	return c > 0 && c < 128 && strings.ContainsRune(`^$\.*+?()[]{}|`, c)
}

func (p *parser) hex(digits int) (value rune, ok bool) {
	start := p.pos
	for range digits {
		d := hexDigit(p.look())
		if d < 0 {
			p.pos = start
			return 0, false
		}
		value = value*16 + d
		p.pos++
	}
	return value, true
}

func hexDigit(c rune) rune {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return -1
}

// unicodeEscape reads what follows \u; with full, also \u{…} and pairs of surrogates.
func (p *parser) unicodeEscape(full bool) (value rune, ok bool) {
	start := p.pos
	if p.look() == '{' && full {
		p.pos++
		for hexDigit(p.look()) >= 0 {
			value = value*16 + hexDigit(p.look())
			if value > unicode.MaxRune {
				p.pos = start
				return 0, false
			}
			ok = true
			p.pos++
		}
		if !ok || p.look() != '}' {
			p.pos = start
			return 0, false
		}
		p.pos++
		return value, true
	}
	value, ok = p.hex(4)
	if ok && full && value >= 0xd800 && value < 0xdc00 && p.look() == '\\' && p.peek(1) == 'u' {
		after := p.pos
		p.pos += 2
		if low, ok := p.hex(4); ok && low >= 0xdc00 && low < 0xe000 {
			return utf16.DecodeRune(value, low), true
		}
		p.pos = after
	}
	return value, ok
}

// members is what a class, or a part of one, matches.
type members struct {
	set     set
	strings [][]rune
}

// classEscape reads \d, \s, \w, \p and their like.
func (p *parser) classEscape() (m members, ok bool) {
	c := p.peek(1)
	switch c {
	case 'd', 'D':
		m.set = digits
	case 's', 'S':
		m.set = spaces
	case 'w', 'W':
		m.set = p.wordSet()
	case 'p', 'P':
		if !p.unicode {
			return m, false
		}
		return p.propertyEscape(c == 'P'), true
	default:
		return m, false
	}
	p.pos += 2
	if c < 'a' {
		m.set = m.set.complement()
	}
	return m, true
}

// wordSet is what \w matches: with u and i, also what folds to its letters.
func (p *parser) wordSet() set { return wordCharacters(p.unicode && p.current&IgnoreCase != 0) }

func wordCharacters(folded bool) set {
	if folded {
		return foldedWords
	}
	return words
}

func (p *parser) propertyEscape(not bool) members {
	start := p.pos
	p.pos += 2
	if p.look() != '{' {
		p.fail(invalidPropertyName)
	}
	p.pos++
	var name strings.Builder
	for c := p.look(); c != '}'; c = p.look() {
		if c != '_' && c != '=' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			p.fail(invalidPropertyName)
		}
		name.WriteRune(c)
		p.pos++
	}
	p.pos++
	if p.flags&UnicodeSets != 0 && name.String() == "Emoji_Keycap_Sequence" {
		if not {
			p.fail(invalidPropertyName)
		}
		var m members
		for _, c := range "#*0123456789" {
			m.strings = append(m.strings, []rune{c, 0xfe0f, 0x20e3})
		}
		return m
	}
	if p.flags&UnicodeSets != 0 && propertyOfStrings[name.String()] {
		p.pos = start
		p.fail("the property " + name.String() + " of strings is not supported: name the property of characters, as \\p{Emoji}")
	}
	s, reason := lookup(name.String())
	if reason != "" {
		p.fail(reason)
	}
	p.spend(len(s))
	if p.flags&UnicodeSets != 0 {
		s = p.folded(s)
	}
	if not {
		s = s.complement()
	}
	return members{set: s}
}

// propertyOfStrings are those that there are with the flag v alone, and that take tables of
// thousands of strings.
var propertyOfStrings = map[string]bool{
	"Basic_Emoji": true, "RGI_Emoji": true, "RGI_Emoji_Flag_Sequence": true,
	"RGI_Emoji_Modifier_Sequence": true, "RGI_Emoji_Tag_Sequence": true, "RGI_Emoji_ZWJ_Sequence": true,
}
