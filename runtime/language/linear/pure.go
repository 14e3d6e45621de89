package linear

import (
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What a step of a pure function does, beside what fused has.
const (
	reads = iota + jumps + 1
	equals
	differs
	negates
	inverts
	jumpsIfNot // and takes what it looks at
	keepsIfNot // jumps with what it looks at, else takes it
	keepsIf
	keepsIfThere // jumps with what is neither null nor undefined
	jumpsAlways
	returns
	divides
	readsItem
	loadsNothing
	loadsLocal
	storesLocal
	loadsOuter // a variable of the functions around
	loadsGlobal
	looksFor // a method
	calls
	literal // of a regular expression, and its test
	joins   // the parts of a template
	asTexts
	makesObject
	makesArray
	putsField
	pushesItem
	passes // nothing
	stops  // what is not for here: the function is called
	lastStep
)

// steps are by the names of goja's instructions, and what those are.
var steps = map[string]struct {
	is   int
	kind reflect.Kind
}{
	"loadStackLex": {loads, reflect.Int}, "loadVal": {constant, reflect.Struct}, "getProp": {reads, reflect.String},
	"_add": {adds, empties}, "_sub": {subtracts, empties}, "_mul": {multiplies, empties}, "_mod": {remains, empties}, "_div": {divides, empties},
	"_op_lt": {isLess, empties}, "_op_lte": {isLessOrEqual, empties}, "_op_gt": {isMore, empties}, "_op_gte": {isMoreOrEqual, empties},
	"_op_strict_eq": {equals, empties}, "_op_strict_neq": {differs, empties}, "_neg": {negates, empties}, "_not": {inverts, empties},
	"jneP": {jumpsIfNot, reflect.Int32}, "jne": {keepsIfNot, reflect.Int32}, "jeq": {keepsIf, reflect.Int32}, "jcoalesc": {keepsIfThere, reflect.Int32},
	"jump": {jumpsAlways, reflect.Int32}, "_ret": {returns, empties}, "_getElem": {readsItem, empties}, "_loadUndef": {loadsNothing, empties},
	"initStackP": {storesLocal, reflect.Int}, "loadStashLex": {loadsOuter, reflect.Uint32}, "loadDynamic": {loadsGlobal, reflect.String},
	"loadDynamicCallee": {loadsGlobal, reflect.String}, "getPropCallee": {looksFor, reflect.String}, "call": {calls, reflect.Uint32},
	"newRegexp": {literal, reflect.Pointer}, "concatStrings": {joins, reflect.Int}, "_toString": {asTexts, empties}, "_newObject": {makesObject, empties},
	"newArray": {makesArray, reflect.Uint32}, "putProp": {putsField, reflect.String}, "_pushArrayItem": {pushesItem, empties},
}

// empties are instructions of nothing but their kind.
const empties = reflect.Invalid

// Pure is a function that does nothing but read its arguments, variables and plain data, compute with
// them, and make objects and texts. What it comes to can be had without its being called, as nobody sees
// how often it was; wherever it would do anything else, it is called after all, and what was made is
// dropped.
type Pure struct {
	s *State
	r *goja.Runtime
	*entering

	globals [mostGlobals]goja.Value // by their numbers; nil for one that goja is to find
	stash   *stash

	matched goja.FunctionCall // the last test that found something
	test    *tested           // the last literal that was tested, and its object
	literal *goja.Object
}

type pureStep struct {
	is    int
	n     int // an argument's number, or a variable's, or how far it is, or how many
	outer int // how many functions further out a variable is
	name  unistring.String
	value held
	test  *tested
}

const (
	mostSteps   = 128
	mostHeld    = 12
	mostLocals  = 4
	mostGlobals = 4
	mostItems   = 64 // of an array
	// madeSize is what an object takes that is made, as far as a guess goes.
	madeSize = 512
	// mostVain and vain are how often it may turn out that a function is to be called after all: each time
	// counts as much as so many that it wasn't.
	mostVain = 1 << 8
	vain     = 1 << 3
)

// entering is the beginning of a pure function.
type entering struct {
	replaced

	steps     []pureStep
	arguments int // how many it looks at
	globals   []unistring.String
	made      int // how many objects and texts it makes at most
	ordering  ordering
	vain      atomic.Int32
}

func (e *entering) exec(m *machine) { e.original.exec(m) }

// enteringOf is for a function's instructions, if it is pure; nil if it can't be.
func enteringOf(p *program) *entering {
	if len(p.code) < 2 || len(p.code) > mostSteps {
		return nil
	}
	first := reflect.ValueOf(any(p.code[0]))
	if first.Type().Kind() != reflect.Pointer || first.Type().Elem().Name() != "enterFuncStashless" {
		return nil
	}
	room := first.Elem().FieldByName("stackSize")
	if !room.IsValid() || room.Kind() != reflect.Uint32 || room.Uint() > mostLocals {
		return nil
	}
	e := &entering{replaced: replaced{p.code[0]}}
	for i := 1; i < len(p.code); i++ {
		e.add(p.code[i:], i-1)
	}
	if !e.ends() {
		return nil
	}
	e.ordering = orderingOf(e.steps)
	return e
}

// add appends what an instruction is to be.
func (e *entering) add(code []instruction, i int) {
	in := code[0]
	t := reflect.TypeOf(any(in))
	kind, name := t.Kind(), t.Name()
	switch {
	case kind == reflect.Pointer:
		name = t.Elem().Name()
	case kind == reflect.Struct && t.Size() == 0:
		kind = empties
	}
	known := steps[name]
	s := pureStep{is: known.is}
	if known.is == none || known.kind != kind || !e.fill(&s, code, i) {
		s = pureStep{is: stops}
	}
	e.steps = append(e.steps, s)
}

// fill sets what a step has beside what it is; false for what isn't for here.
func (e *entering) fill(s *pureStep, code []instruction, i int) bool {
	in := code[0]
	switch s.is {
	case loads:
		if s.n = number[int](in); s.n > 0 {
			s.is = loadsLocal
			s.n--
			return s.n < mostLocals
		}
		s.n = -s.n - 1
		e.arguments = max(e.arguments, s.n+1)
		return s.n >= 0 // not this
	case storesLocal:
		s.n = number[int](in) - 1
		return s.n >= 0 && s.n < mostLocals
	case constant:
		if partOf(reflect.TypeOf(any(in))) != constant {
			return false
		}
		s.value = holds(*(*goja.Value)((*words)(unsafe.Pointer(&in)).data))
	case reads, putsField:
		s.name = name(in)
	case looksFor:
		s.name = name(in)
		if last := len(e.steps) - 1; last >= 0 && e.steps[last].is == literal {
			s.is = passes
		}
	case loadsOuter:
		s.outer, s.n = number[uint32](in)>>24, number[uint32](in)&0xFFFFFF
	case loadsGlobal:
		s.n = len(e.globals)
		s.outer = 0
		if reflect.TypeOf(any(in)).Name() == "loadDynamicCallee" {
			s.outer = 1 // undefined is what it is called of
		}
		if e.globals = append(e.globals, name(in)); len(e.globals) > mostGlobals {
			return false
		}
	case jumpsIfNot, keepsIfNot, keepsIf, keepsIfThere, jumpsAlways:
		// None goes back: it comes to an end.
		s.n = i + number[int32](in)
		return number[int32](in) > 0
	case calls:
		s.n = number[uint32](in)
		return s.n <= 1
	case joins:
		s.n = number[int](in)
		e.made++
		return s.n > 0 && s.n < mostHeld
	case makesArray:
		s.n = number[uint32](in)
		e.made++
		return s.n <= mostItems
	case adds, makesObject:
		e.made++
	case literal:
		return len(code) > 1 && isTest(code[1])
	}
	return true
}

// ends tells that it may return without having stopped.
func (e *entering) ends() bool {
	reached := make([]bool, len(e.steps)+1)
	reached[0] = true
	for i, s := range e.steps {
		if !reached[i] {
			continue
		}
		switch s.is {
		case returns:
			return true
		case stops:
			continue
		case jumpsIfNot, keepsIfNot, keepsIf, keepsIfThere, jumpsAlways:
			if s.n >= len(e.steps) {
				return false
			}
			reached[s.n] = true
		}
		if s.is != jumpsAlways {
			reached[i+1] = true
		}
	}
	return false
}

// bind tells the literals of regular expressions what stands for them by now.
func (e *entering) bind(code []instruction) {
	for i := range e.steps {
		if e.steps[i].is == literal {
			e.steps[i].test, _ = code[i+1].(*tested)
		}
	}
}

// PureOf is a function as a pure one; nil if it is none.
func PureOf(r *goja.Runtime, v goja.Value) *Pure {
	if p, ok := pureOf(r, v); ok {
		return &p
	}
	return nil
}

func pureOf(r *goja.Runtime, v goja.Value) (p Pure, ok bool) {
	o := objectOf(v)
	if o == nil || o.self.kind != kinds.arrow && o.self.kind != kinds.script {
		return p, false
	}
	return pureIn(r, *(**program)(unsafe.Add(o.self.data, kinds.code)), *(**stash)(unsafe.Add(o.self.data, kinds.stash)))
}

// pureIn is a function of a program and the variables around it.
func pureIn(r *goja.Runtime, code *program, around *stash) (p Pure, ok bool) {
	if code == nil || len(code.code) == 0 {
		return p, false
	}
	e, ok := code.code[0].(*entering)
	s := stateIn(unsafe.Pointer(r))
	if !ok || s == nil || e.vain.Load() >= mostVain {
		return p, false
	}
	p.s, p.r, p.entering, p.stash = s, r, e, around
	for i, name := range e.globals[:min(len(e.globals), mostGlobals)] {
		p.globals[i] = p.global(name)
	}
	return p, true
}

// stash is goja's, of variables that functions share.
type stash struct {
	values, _ []goja.Value
	names     map[unistring.String]uint32
	object    *object
	outer     *stash
}

// outer is a variable's value; nil where there is none so far.
func (p *Pure) outer(out, n int) goja.Value {
	at := p.stash
	for ; out > 0 && at != nil; out-- {
		at = at.outer
	}
	if at == nil || n >= len(at.values) {
		return nil
	}
	return at.values[n]
}

// global is what a name stands for that no function around has; nil where goja is to find out.
func (p *Pure) global(name unistring.String) goja.Value {
	for at := p.stash; at != nil; at = at.outer {
		if _, there := at.names[name]; there || at.object != nil {
			return nil
		}
	}
	o := *(**object)(unsafe.Add(unsafe.Pointer(p.r), kinds.global))
	if o.self.kind != kinds.plain && o.self.kind != kinds.templated {
		return nil
	}
	v, there := commonOf(o).values[name]
	if !there {
		return nil
	}
	return dataOf(v)
}

// done notes whether it came to something, without its being called.
func (p *Pure) done(ok bool) {
	if ok {
		if p.vain.Load() > 0 {
			p.vain.Add(-1)
		}
		if p.matched.This != nil && p.s.expressions.Keeps {
			p.s.expressions.test(p.matched)
		}
	} else if p.vain.Load() < mostVain {
		p.vain.Add(vain)
	}
	p.matched, p.test = goja.FunctionCall{}, nil
}

// fieldIn is where functions of a type have what is theirs.
func fieldIn(t reflect.Type, name string) (at uintptr, of reflect.Type) {
	f, found := t.FieldByName(name)
	if !found {
		panic(t.String() + "." + name)
	}
	for n := 1; n <= len(f.Index); n++ {
		at += t.FieldByIndex(f.Index[:n]).Offset
	}
	return at, f.Type
}
