package linear

import (
	"unsafe"

	"github.com/dop251/goja"
)

// Literals are regular expressions of a text that is tested against them where they stand:
// /x/.test(y). Nobody sees the object, so that it serves again.
type Literals struct {
	// Prototype is what they inherit from, Test and Exec what it has by these names.
	Prototype, Test, Exec *goja.Object
	// Still tells that a test leaves the object as it is.
	Still func(o *goja.Object) bool
	// Finds is Test of such an object and a text, but that nothing keeps what was found; false, false
	// where it is an error.
	Finds func(o *goja.Object, text goja.Value) (found, ok bool)
	// Keeps tells that Test keeps it.
	Keeps bool
}

// test is Test.
func (l *Literals) test(call goja.FunctionCall) { nativeOf(asObject(l.Test))(call) }

// mostLiterals is how many are kept.
const mostLiterals = 256

// SetLiterals says what regular expressions are.
func (s *State) SetLiterals(l Literals) {
	if asObject(l.Prototype) != nil && hasCommon(asObject(l.Prototype)) {
		s.expressions = l
	}
}

// tested is a literal that is tested at once.
type tested struct{ replaced }

func (t *tested) exec(m *machine) {
	s := stateOf(m)
	if s == nil || s.expressions.Prototype == nil || m.sp >= len(m.stack) || !s.testsPlainly() {
		t.original.exec(m)
		return
	}
	if o := s.literals[t]; o != nil && s.untouched(o) {
		m.stack[m.sp] = asGoja(o)
		m.sp++
		m.pc++
		return
	}
	t.original.exec(m)
	o := objectOf(m.stack[m.sp-1])
	if o == nil || !hasCommon(o) || !s.untouched(o) || !s.expressions.Still(asGoja(o)) {
		return
	}
	if s.literals == nil {
		s.literals = map[*tested]*object{}
	} else if len(s.literals) >= mostLiterals {
		clear(s.literals)
	}
	s.literals[t] = o
}

// testsPlainly tells that nobody has changed what tests.
func (s *State) testsPlainly() bool {
	l := &s.expressions
	own := commonOf(asObject(l.Prototype)).values
	return plainOf(own["test"]) == asObject(l.Test) && plainOf(own["exec"]) == asObject(l.Exec)
}

// untouched tells that an expression is as its literal makes it.
func (s *State) untouched(o *object) bool {
	c := commonOf(o)
	if len(c.values) != 1 || c.symbols != nil || !c.extensible || c.prototype != asObject(s.expressions.Prototype) {
		return false
	}
	last := c.values["lastIndex"]
	if kindOf(&last) != kinds.property {
		return false
	}
	p := (*property)((*words)(unsafe.Pointer(&last)).data)
	if p.accessor || !p.writable || p.value == nil {
		return false
	}
	n, ok := Whole(p.value)
	return ok && n == 0
}

// literalOf is the object of a literal that is tested; nil where it is goja's to make.
func (s *State) literalOf(r *goja.Runtime, t *tested) (o *goja.Object) {
	if t == nil || s.expressions.Prototype == nil || !s.testsPlainly() {
		return nil
	}
	if known := s.literals[t]; known != nil && s.untouched(known) {
		s.expressionKind = known.self.kind
		return asGoja(known)
	}
	m := *(**machine)(unsafe.Add(unsafe.Pointer(r), kinds.machine))
	pc, sp := m.pc, m.sp
	defer func() {
		if recover() != nil { // it is an error, which is to come from where the literal stands
			o = nil
		}
		m.pc, m.sp = pc, sp
	}()
	t.exec(m)
	if known := s.literals[t]; known != nil {
		s.expressionKind = known.self.kind
		return asGoja(known)
	}
	return nil
}

// isLiteral tells an object of the kind that literals are.
func (s *State) isLiteral(o *goja.Object) bool { return asObject(o).self.kind == s.expressionKind }
