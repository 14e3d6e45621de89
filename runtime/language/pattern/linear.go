package pattern

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// maxLinear bounds the size of what Go's engine gets: its time grows with the product of the
// lengths of expression and text.
const maxLinear = 64 << 10

// linear is an expression for Go's engine, which never goes back, for those of which it gives the
// same answer.
type linear struct {
	anywhere, here func() *regexp.Regexp // nil if Go refuses it
	needsBegin     bool                  // whether it looks at what is before the place where it starts
}

// can says whether a search from a place on may be Go's.
func (l *linear) can(from int) bool { return l != nil && (from == 0 || !l.needsBegin) }

// linearOf translates a tree; nil if it can't.
func linearOf(tree *node, groups int, full bool) *linear {
	t := translator{full: full}
	if !t.write(tree, false) || !t.loops {
		return nil
	}
	text := t.b.String()
	if len(text) > maxLinear || groups > 1000 {
		return nil
	}
	made := func(text string) func() *regexp.Regexp {
		return sync.OnceValue(func() *regexp.Regexp {
			re, err := regexp.Compile(text)
			if err != nil {
				return nil // too large for it
			}
			return re
		})
	}
	return &linear{made(text), made(`\A(?:` + text + `)`), t.needsBegin}
}

type translator struct {
	b          strings.Builder
	full       bool
	loops      bool
	needsBegin bool
}

// write translates a node, if Go's engine treats it alike: not if it looks around or back, not if a
// group is inside a loop, of whose earlier rounds Go would remember it, and not if a loop's round
// can be empty.
func (t *translator) write(n *node, inLoop bool) bool {
	if t.b.Len() > maxLinear {
		return false
	}
	switch n.kind {
	case kindEmpty:
	case kindSequence:
		for _, s := range n.subs {
			if !t.write(s, inLoop) {
				return false
			}
		}
	case kindChoice:
		t.b.WriteString("(?:")
		for i, s := range n.subs {
			if i > 0 {
				t.b.WriteByte('|')
			}
			if !t.write(s, inLoop) {
				return false
			}
		}
		t.b.WriteByte(')')
	case kindChar:
		if n.flags&IgnoreCase == 0 {
			fmt.Fprintf(&t.b, `\x{%x}`, n.char)
			break
		}
		t.b.WriteByte('[')
		for _, c := range alike(n.char, t.full) {
			fmt.Fprintf(&t.b, `\x{%x}`, c)
		}
		t.b.WriteByte(']')
	case kindSet:
		if len(n.strings) > 0 || len(n.set) == 0 {
			return false
		}
		t.b.WriteByte('[')
		for _, r := range n.set {
			fmt.Fprintf(&t.b, `\x{%x}-\x{%x}`, r.lo, r.hi)
		}
		t.b.WriteByte(']')
	case kindBegin, kindEnd:
		if n.flags&Multiline != 0 {
			return false
		}
		if n.kind == kindBegin {
			t.needsBegin = true
			t.b.WriteString(`\A`)
		} else {
			t.b.WriteString(`\z`)
		}
	case kindBoundary:
		if n.flags&IgnoreCase != 0 && t.full {
			return false
		}
		t.needsBegin = true
		t.b.WriteString(map[bool]string{false: `\b`, true: `\B`}[n.negated])
	case kindGroup:
		if inLoop {
			return false
		}
		t.b.WriteByte('(')
		if !t.write(n.subs[0], inLoop) {
			return false
		}
		t.b.WriteByte(')')
	case kindRepeat:
		return t.repeat(n, inLoop)
	default:
		return false
	}
	return true
}

func (t *translator) repeat(n *node, inLoop bool) bool {
	if n.subs[0].nullable() || n.min > 1000 || n.max > 1000 && n.max != infinite {
		return false
	}
	t.loops = true
	t.b.WriteString("(?:")
	if !t.write(n.subs[0], inLoop || n.max > 1) {
		return false
	}
	if n.max == infinite {
		fmt.Fprintf(&t.b, "){%d,}", n.min)
	} else {
		fmt.Fprintf(&t.b, "){%d,%d}", n.min, n.max)
	}
	if n.lazy {
		t.b.WriteByte('?')
	}
	return true
}

// reader gives a text to Go's engine character by character, and asks now and then whether to go
// on.
type reader[T unit] struct {
	m    *Machine
	text []T
	pos  int
	full bool
}

// stopped is what gets a match out of Go's engine.
type stopped struct{ err error }

func (r *reader[T]) ReadRune() (c rune, size int, err error) {
	if r.m.left--; r.m.left <= 0 {
		r.m.left = pollSteps / 16
		if r.m.Poll != nil {
			if err := r.m.Poll(); err != nil {
				panic(stopped{err})
			}
		}
	}
	c, size = after(r.text, r.pos, r.full)
	if size == 0 {
		return 0, 0, io.EOF
	}
	r.pos += size
	return c, size, nil
}

// linearSearch has Go's engine look.
func linearSearch[T unit](m *Machine, p *Program, text []T, from int, sticky bool) (found []int32, err error) {
	re := p.linear.anywhere()
	if sticky {
		re = p.linear.here()
	}
	if re == nil { // then as long as it takes
		q := *p
		q.linear = nil
		return search(m, &q, text, from, sticky)
	}
	defer func() {
		if r := recover(); r != nil {
			s, ok := r.(stopped)
			if !ok {
				panic(r)
			}
			found, err = nil, s.err
		}
	}()
	at := re.FindReaderSubmatchIndex(&reader[T]{m: m, text: text[from:], full: p.Flags.FullUnicode()})
	if at == nil {
		return nil, nil
	}
	for i, pos := range at {
		m.captures[i] = -1
		if pos >= 0 {
			m.captures[i] = int32(from + pos)
		}
	}
	return m.captures, nil
}
