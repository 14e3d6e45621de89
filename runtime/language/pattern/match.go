package pattern

import "errors"

const (
	// maxStack is how many places a machine may remember to go back to, in 16 bytes each: what one
	// call of a builtin may take.
	maxStack = 4 << 20
	// keptStack is how many of them it keeps the room of.
	keptStack = 64 << 10
	// pollSteps is how many steps go by between two questions whether to go on; a step takes some
	// nanoseconds.
	pollSteps = 8 << 10
	// patience and patiencePerUnit are how many steps a search may take before it starts over with
	// Go's engine, if that can tell: only its time is bounded by the lengths of expression and
	// text.
	patience        = 64 << 10
	patiencePerUnit = 64
)

// ErrStack is a match that would have to remember too many places to go back to.
var ErrStack = errors.New("the regular expression goes back too far: its backtracking takes more memory than one call may")

// errSlow has a search start over with Go's engine.
var errSlow = errors.New("too many steps")

// unit of a text: a byte for ASCII, or one of UTF-16.
type unit interface{ byte | uint16 }

// Machine runs programs, one at a time. Its zero value is ready.
type Machine struct {
	// Poll is asked every some thousand steps; its error ends the match. Default: nobody is.
	Poll func() error

	stack     []frame
	captures  []int32
	registers []int32
	left      int  // steps until the next poll
	budget    int  // steps until Go's engine shall try; 0 if it can't
	hasty     bool // for tests: Go's engine shall try at once
}

// frameKind says what going back does.
type frameKind int32

const (
	frameChoice   frameKind = iota // goes on at pc and pos
	frameRun                       // the run at pc gives back one character, down to x
	frameLazy                      // the run at pc takes one more, x at most
	frameCapture                   // the capture x was pos
	frameRegister                  // the register x was pos
	frameLook                      // the look at pc, inside of the look x, began at pos
)

type frame struct {
	kind       frameKind
	pc, pos, x int32
}

// MatchASCII looks for a match in a text of ASCII from a place on; at it, if the program is sticky.
// The result has the ends of each group, -1 for one that took no part; it is nil if there is no
// match, and good until the machine runs again.
func (m *Machine) MatchASCII(p *Program, text []byte, from int) ([]int32, error) {
	return search(m, p, text, from, p.Flags&Sticky != 0)
}

// MatchUTF16 is MatchASCII for a text of UTF-16.
func (m *Machine) MatchUTF16(p *Program, text []uint16, from int) ([]int32, error) {
	return search(m, p, text, from, p.Flags&Sticky != 0)
}

// SplitASCII is MatchASCII as String.prototype.split looks: at the place alone if at is set,
// whatever the flags.
func (m *Machine) SplitASCII(p *Program, text []byte, from int, at bool) ([]int32, error) {
	return search(m, p, text, from, at)
}

// SplitUTF16 is SplitASCII for a text of UTF-16.
func (m *Machine) SplitUTF16(p *Program, text []uint16, from int, at bool) ([]int32, error) {
	return search(m, p, text, from, at)
}

func search[T unit](m *Machine, p *Program, text []T, from int, sticky bool) ([]int32, error) {
	full := p.Flags.FullUnicode()
	if full && from > 0 && from < len(text) && lowSurrogate(text[from]) && highSurrogate(text[from-1]) {
		from-- // a place inside of a character is the character's
	}
	m.prepare(p)
	m.left = pollSteps
	m.budget = 0
	if p.linear.can(from) {
		m.budget = patience + patiencePerUnit*(len(text)-from)
		if m.hasty {
			m.left, m.budget = 0, 1
		}
	}
	for pos := from; ; {
		if !sticky {
			if pos = next(p, text, pos); pos < 0 {
				return nil, nil
			}
			if p.literal {
				m.captures[0], m.captures[1] = int32(pos), int32(pos+len(p.prefix))
				return m.captures, nil
			}
		}
		ok, err := run(m, p, text, pos)
		if errors.Is(err, errSlow) {
			m.release()
			return linearSearch(m, p, text, from, sticky)
		}
		if ok || err != nil {
			m.release()
			if err != nil {
				return nil, err
			}
			return m.captures, nil
		}
		if pos++; sticky || pos > len(text) || p.atBegin {
			return nil, nil
		}
		if full && pos < len(text) && lowSurrogate(text[pos]) && highSurrogate(text[pos-1]) {
			pos++
		}
	}
}

// prepare makes room for captures and registers.
func (m *Machine) prepare(p *Program) {
	if n := 2 * p.Groups; cap(m.captures) < n {
		m.captures = make([]int32, n)
	} else {
		m.captures = m.captures[:n]
	}
	for i := range m.captures {
		m.captures[i] = -1
	}
	if cap(m.registers) < p.registers {
		m.registers = make([]int32, p.registers)
	}
	m.registers = m.registers[:p.registers]
}

// release gives a large stack back.
func (m *Machine) release() {
	if cap(m.stack) > keptStack {
		m.stack = nil
	}
}

// spent asks whether to go on.
func (m *Machine) spent(stack int) error {
	m.left = pollSteps
	if stack > maxStack {
		return ErrStack
	}
	if m.budget > 0 {
		if m.budget -= pollSteps; m.budget <= 0 {
			return errSlow
		}
	}
	if m.Poll != nil {
		return m.Poll()
	}
	return nil
}

// run tries to match at one place.
func run[T unit](m *Machine, p *Program, text []T, start int) (bool, error) {
	var (
		code  = p.code
		full  = p.Flags.FullUnicode()
		caps  = m.captures
		regs  = m.registers
		stack = m.stack[:0]
		look  = int32(-1) // where in the stack the innermost look began
		pc    = 0
		pos   = start
	)
	defer func() { m.stack = stack[:0] }()
	if m.left -= 8; m.left <= 0 {
		if err := m.spent(0); err != nil {
			return false, err
		}
	}
	for {
		in := &code[pc]
		switch in.op {
		case opMatch:
			caps[0], caps[1] = int32(start), int32(pos)
			return true, nil
		case opChar:
			if !in.back {
				if pos < len(text) && rune(text[pos]) == in.char {
					pos++
					pc++
					continue
				}
			} else if pos > 0 && rune(text[pos-1]) == in.char {
				pos--
				pc++
				continue
			}
		case opString:
			if want := in.list.text; pos+len(want) <= len(text) && hasPrefix(text[pos:], want) {
				pos += len(want)
				pc++
				continue
			}
		case opSet:
			if !in.back {
				if c, size := after(text, pos, full); size > 0 && in.set.has(c) {
					pos += size
					pc++
					continue
				}
			} else if c, size := before(text, pos, full); size > 0 && in.set.has(c) {
				pos -= size
				pc++
				continue
			}
		case opJump:
			pc = int(in.x)
			if m.left--; m.left <= 0 {
				if err := m.spent(len(stack)); err != nil {
					return false, err
				}
			}
			continue
		case opSplit:
			stack = append(stack, frame{frameChoice, in.y, int32(pos), 0})
			pc = int(in.x)
			if m.left--; m.left <= 0 {
				if err := m.spent(len(stack)); err != nil {
					return false, err
				}
			}
			continue
		case opSave:
			stack = append(stack, frame{frameCapture, 0, caps[in.x], in.x})
			caps[in.x] = int32(pos)
			pc++
			continue
		case opClear:
			for i := 2 * in.x; i < 2*in.y; i++ {
				if caps[i] >= 0 {
					stack = append(stack, frame{frameCapture, 0, caps[i], i})
					caps[i] = -1
				}
			}
			m.left -= int(in.y - in.x)
			pc++
			continue
		case opBegin:
			if pos == 0 {
				pc++
				continue
			}
		case opEnd:
			if pos == len(text) {
				pc++
				continue
			}
		case opLineBegin:
			if pos == 0 || lineEnd(rune(text[pos-1])) {
				pc++
				continue
			}
		case opLineEnd:
			if pos == len(text) || lineEnd(rune(text[pos])) {
				pc++
				continue
			}
		case opBoundary:
			a := pos > 0 && isWord(rune(text[pos-1]), in.ignoreCase)
			b := pos < len(text) && isWord(rune(text[pos]), in.ignoreCase)
			if (a != b) != in.negated {
				pc++
				continue
			}
		case opReference:
			if end, ok := reference(m, p, text, pos, in); ok {
				pos = end
				pc++
				continue
			}
		case opLook:
			stack = append(stack, frame{frameLook, int32(pc), int32(pos), look})
			look = int32(len(stack) - 1)
			pc++
			continue
		case opLookDone:
			began := stack[look]
			if !in.negated {
				// What was set inside stays, until something before it fails; choices inside are
				// gone.
				kept := int(look)
				for _, f := range stack[look+1:] {
					if f.kind == frameCapture || f.kind == frameRegister {
						stack[kept] = f
						kept++
					}
				}
				m.left -= len(stack) - int(look)
				stack = stack[:kept]
				look = began.x
				pos = int(began.pos)
				pc++
				continue
			}
			for i := len(stack) - 1; i > int(look); i-- {
				undo(stack[i], caps, regs)
			}
			stack = stack[:look]
			look = began.x
		case opRun:
			if in.lazy {
				n, end := take(text, pos, in.min, in, full)
				if n < in.min {
					break
				}
				pos = end
				if in.max > in.min {
					stack = append(stack, frame{frameLazy, int32(pc), int32(pos), in.max - in.min})
				}
				pc++
				continue
			}
			n, end := take(text, pos, in.max, in, full)
			if n < in.min {
				break
			}
			if n > in.min && !in.possessive {
				least := pos
				if in.min > 0 {
					_, least = take(text, pos, in.min, in, full)
				}
				stack = append(stack, frame{frameRun, int32(pc), int32(end), int32(least)})
			}
			pos = end
			pc++
			continue
		case opReset:
			stack = append(stack, frame{frameRegister, 0, regs[in.x], in.x})
			regs[in.x] = 0
			pc++
			continue
		case opMark:
			stack = append(stack, frame{frameRegister, 0, regs[in.x], in.x})
			regs[in.x] = int32(pos)
			pc++
			continue
		case opLoop:
			switch n := regs[in.x]; {
			case n < in.min:
				pc++
			case n >= in.max && in.max != infinite:
				pc = int(in.y)
			case in.lazy:
				stack = append(stack, frame{frameChoice, int32(pc + 1), int32(pos), 0})
				pc = int(in.y)
			default:
				stack = append(stack, frame{frameChoice, in.y, int32(pos), 0})
				pc++
			}
			continue
		case opCheck:
			if int(regs[in.x]) != pos || in.y >= 0 && regs[in.y] < in.min {
				pc++
				continue
			}
		case opCount:
			stack = append(stack, frame{frameRegister, 0, regs[in.x], in.x})
			if regs[in.x] < infinite {
				regs[in.x]++
			}
			pc = int(in.y)
			if m.left--; m.left <= 0 {
				if err := m.spent(len(stack)); err != nil {
					return false, err
				}
			}
			continue
		}

		// It doesn't match here: back to where there was a choice.
		if m.left--; m.left <= 0 {
			if err := m.spent(len(stack)); err != nil {
				return false, err
			}
		}
	back:
		for {
			if len(stack) == 0 {
				return false, nil
			}
			f := &stack[len(stack)-1]
			switch f.kind {
			case frameChoice:
				pc, pos = int(f.pc), int(f.pos)
				stack = stack[:len(stack)-1]
				break back
			case frameRun:
				run := &code[f.pc]
				pos = giveBack(text, int(f.pos), run, full)
				if f.pos = int32(pos); f.pos == f.x {
					pc = int(f.pc) + 1
					stack = stack[:len(stack)-1]
					break back
				}
				pc = int(f.pc) + 1
				break back
			case frameLazy:
				run := &code[f.pc]
				n, end := take(text, int(f.pos), 1, run, full)
				if n == 0 {
					stack = stack[:len(stack)-1]
					continue
				}
				pc, pos = int(f.pc)+1, end
				f.pos = int32(end)
				if f.x != infinite {
					f.x--
				}
				if f.x == 0 {
					stack = stack[:len(stack)-1]
				}
				break back
			case frameLook:
				look = f.x
				negated := code[f.pc].negated
				pc, pos = int(code[f.pc].x), int(f.pos)
				stack = stack[:len(stack)-1]
				if negated {
					break back
				}
			default:
				undo(*f, caps, regs)
				stack = stack[:len(stack)-1]
			}
		}
	}
}

func undo(f frame, caps, regs []int32) {
	switch f.kind {
	case frameCapture:
		caps[f.x] = f.pos
	case frameRegister:
		regs[f.x] = f.pos
	}
}
