package pattern

import (
	"unicode"
	"unicode/utf16"
)

const (
	// maxSource bounds an expression, in units: what is made of it takes some hundred times as
	// much.
	maxSource = 1 << 18
	// maxNesting bounds how deep groups and classes nest, because the parser and what works on its
	// tree recurse.
	maxNesting = 2000
	// maxGroups is V8's bound.
	maxGroups = 1<<15 - 1
	// maxSameName bounds how many alternatives' groups have one name: each is compared with all.
	maxSameName = 1000
)

// The reasons, in V8's words.
const (
	tooLarge             = "Regular expression too large"
	tooManyCaptures      = "Too many captures"
	unterminatedGroup    = "Unterminated group"
	unmatchedParen       = "Unmatched ')'"
	escapeAtEnd          = "\\ at end of pattern"
	invalidPropertyName  = "Invalid property name"
	invalidPropertyClass = "Invalid property name in character class"
	invalidEscape        = "Invalid escape"
	invalidDecimalEscape = "Invalid decimal escape"
	invalidClassEscape   = "Invalid class escape"
	invalidUnicodeEscape = "Invalid Unicode escape"
	nothingToRepeat      = "Nothing to repeat"
	loneQuantifier       = "Lone quantifier brackets"
	numbersOutOfOrder    = "numbers out of order in {} quantifier"
	incompleteQuantifier = "Incomplete quantifier"
	invalidQuantifier    = "Invalid quantifier"
	invalidGroup         = "Invalid group"
	multipleDashes       = "Multiple dashes in flag group"
	repeatedFlag         = "Repeated flag in flag group"
	invalidFlagGroup     = "Invalid flag group"
	invalidGroupName     = "Invalid capture group name"
	duplicateGroupName   = "Duplicate capture group name"
	invalidNamedRef      = "Invalid named reference"
	invalidNamedCapture  = "Invalid named capture referenced"
	unterminatedClass    = "Unterminated character class"
	rangeOutOfOrder      = "Range out of order in character class"
	invalidClass         = "Invalid character class"
	invalidSetOperation  = "Invalid set operation in character class"
	invalidSetCharacter  = "Invalid character in character class"
	negatedStrings       = "Negated character class may contain strings"
)

// end is what the parser sees behind the source.
const end rune = -1

// parser reads an expression as V8 does, with the same errors in the same places.
type parser struct {
	source  []rune // code points with u or v, else units
	flags   Flags
	unicode bool // u or v

	pos     int
	current Flags // IgnoreCase, Multiline, DotAll, as modifiers have them
	depth   int
	work    int // what classes took so far

	groups     int  // that have begun
	total      int  // in the whole source; -1 before they were counted
	named      bool // whether there are names; known once they were counted
	names      []Name
	byName     map[string]int // in names
	paths      map[string][][]step
	path       []step  // which alternatives of which disjunctions lead here
	references []*node // by name
}

// failure is how the parser gives up.
type failure struct {
	reason string
	at     int
}

func (p *parser) fail(reason string) { panic(failure{reason, p.pos}) }

func (p *parser) peek(n int) rune {
	if p.pos+n >= len(p.source) {
		return end
	}
	return p.source[p.pos+n]
}

func (p *parser) look() rune { return p.peek(0) }

func (p *parser) deeper() {
	if p.depth++; p.depth > maxNesting {
		p.fail(tooLarge)
	}
}

// runes are what an expression consists of.
func runes(source []uint16, fullUnicode bool) []rune {
	if fullUnicode {
		out := make([]rune, 0, len(source))
		for i := 0; i < len(source); i++ {
			r := rune(source[i])
			if i+1 < len(source) && utf16.IsSurrogate(r) {
				if pair := utf16.DecodeRune(r, rune(source[i+1])); pair != unicode.ReplacementChar {
					r = pair
					i++
				}
			}
			out = append(out, r)
		}
		return out
	}
	out := make([]rune, len(source))
	for i, c := range source {
		out[i] = rune(c)
	}
	return out
}

// parse gives the tree, or a failure.
func (p *parser) parse() (tree *node, err *failure) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			tree, err = nil, &f
		}
	}()
	p.total = -1
	p.byName, p.paths = map[string]int{}, map[string][][]step{}
	p.current = p.flags & (IgnoreCase | Multiline | DotAll)
	tree = p.disjunction()
	if p.look() == ')' {
		p.fail(unmatchedParen)
	}
	p.resolve()
	return tree, nil
}

// disjunction reads alternatives up to a closing parenthesis or the end.
func (p *parser) disjunction() *node {
	p.deeper()
	id := p.pos
	p.path = append(p.path, step{id, 0})
	var choices []*node
	for {
		choices = append(choices, p.alternative())
		if p.look() != '|' {
			break
		}
		p.pos++
		p.path[len(p.path)-1].alternative++
	}
	p.path = p.path[:len(p.path)-1]
	p.depth--
	if len(choices) == 1 {
		return choices[0]
	}
	return &node{kind: kindChoice, subs: choices}
}

func (p *parser) alternative() *node {
	seq := &node{kind: kindSequence}
	for {
		first := p.groups
		atom, quantifiable := p.term()
		if atom == nil {
			return seq
		}
		if quantifiable {
			atom = p.quantified(atom, first)
		}
		seq.subs = append(seq.subs, atom)
	}
}

// term reads one; nil at the end of an alternative.
func (p *parser) term() (n *node, quantifiable bool) {
	switch c := p.look(); c {
	case end, ')', '|':
		return nil, false
	case '*', '+', '?':
		p.fail(nothingToRepeat)
	case '^':
		p.pos++
		return &node{kind: kindBegin, flags: p.current}, false
	case '$':
		p.pos++
		return &node{kind: kindEnd, flags: p.current}, false
	case '(':
		return p.parenthesis(), true
	case '.':
		p.pos++
		return p.dot(), true
	case '[':
		return p.class(), true
	case '\\':
		return p.escape()
	case '{':
		if _, _, ok := p.interval(); ok {
			p.fail(nothingToRepeat)
		}
		if p.unicode {
			p.fail(loneQuantifier)
		}
	case '}', ']':
		if p.unicode {
			p.fail(loneQuantifier)
		}
	}
	c := p.look()
	p.pos++
	return p.charNode(c), true
}

func (p *parser) charNode(c rune) *node { return &node{kind: kindChar, char: c, flags: p.current} }

func (p *parser) dot() *node {
	if p.current&DotAll != 0 {
		return &node{kind: kindSet, set: everything}
	}
	return &node{kind: kindSet, set: noLineEnds}
}

// quantified reads a quantifier, if there is one.
func (p *parser) quantified(atom *node, first int) *node {
	n := &node{kind: kindRepeat, subs: []*node{atom}, max: infinite, first: first + 1, last: p.groups + 1}
	switch p.look() {
	case '*':
		p.pos++
	case '+':
		n.min = 1
		p.pos++
	case '?':
		n.max = 1
		p.pos++
	case '{':
		var ok bool
		if n.min, n.max, ok = p.interval(); !ok {
			if p.unicode {
				p.fail(incompleteQuantifier)
			}
			return atom
		}
		if n.max < n.min {
			p.fail(numbersOutOfOrder)
		}
	default:
		return atom
	}
	if p.look() == '?' {
		n.lazy = true
		p.pos++
	}
	if atom.kind == kindLook && (p.unicode || atom.behind) {
		p.fail(invalidQuantifier)
	}
	return n
}

// interval reads {n}, {n,} or {n,m}, or nothing.
func (p *parser) interval() (low, high int, ok bool) {
	start := p.pos
	p.pos++
	low, ok = p.decimal()
	if !ok {
		p.pos = start
		return 0, 0, false
	}
	high = low
	if p.look() == ',' {
		p.pos++
		if high, ok = p.decimal(); !ok {
			high = infinite
		}
	}
	if p.look() != '}' {
		p.pos = start
		return 0, 0, false
	}
	p.pos++
	return low, high, true
}

func (p *parser) decimal() (n int, ok bool) {
	for c := p.look(); c >= '0' && c <= '9'; c = p.look() {
		n = min(n*10+int(c-'0'), infinite)
		ok = true
		p.pos++
	}
	return n, ok
}
