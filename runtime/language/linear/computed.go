package linear

import (
	"strconv"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// value is what is held, as goja has it.
func (p *Pure) value(h held) goja.Value {
	switch {
	case h.value != nil:
		return h.value
	case h.whole:
		return p.s.integer(h.n)
	}
	return p.s.double(h.f)
}

// Order is what it comes to for two arguments, as a number; false: it is to be called.
func (p *Pure) Order(x, y goja.Value) (float64, bool) {
	h, ok := p.of(x, y, nil, nil)
	ok = ok && h.isNumber()
	if p.done(ok); !ok {
		return 0, false
	}
	return h.double(), true
}

// of is what it comes to for some arguments; false: it is to be called.
func (p *Pure) of(arguments ...goja.Value) (held, bool) {
	var stack [mostHeld]held
	var locals [mostLocals]held
	var stored uint
	top := -1
	for i := 0; i < len(p.steps); i++ {
		s := &p.steps[i]
		if top >= mostHeld-3 {
			return held{}, false
		}
		switch s.is {
		case loads:
			if s.n >= len(arguments) || arguments[s.n] == nil {
				return held{}, false
			}
			top++
			stack[top] = holds(arguments[s.n])
			continue
		case constant:
			top++
			stack[top] = s.value
			continue
		case loadsLocal:
			if stored&(1<<s.n) == 0 {
				return held{}, false
			}
			top++
			stack[top] = locals[s.n]
			continue
		case loadsOuter, loadsGlobal, loadsNothing, makesObject, makesArray:
			v := p.fresh(s)
			if v == nil {
				return held{}, false
			}
			if s.is == loadsGlobal && s.outer > 0 {
				top++
				stack[top] = held{value: goja.Undefined()}
			}
			top++
			stack[top] = holds(v)
			continue
		case literal:
			if p.test != s.test || p.test == nil {
				p.test, p.literal = s.test, p.s.literalOf(p.r, s.test)
			}
			if p.literal == nil {
				return held{}, false
			}
			stack[top+1], stack[top+2] = held{value: p.literal}, held{value: p.s.expressions.Test}
			top += 2
			continue
		case jumpsAlways:
			i = s.n - 1
			continue
		case passes:
			continue
		case stops:
			return held{}, false
		}
		if top < 0 {
			return held{}, false
		}
		l := &stack[top]
		switch s.is {
		case reads, looksFor:
			if l.value == nil {
				return held{}, false
			}
			v := p.s.lookup(&l.value, s.name)
			if v == nil {
				return held{}, false
			}
			if s.is == looksFor {
				top++
				l = &stack[top]
			}
			*l = holds(v)
			continue
		case negates:
			if !l.negate() {
				return held{}, false
			}
			continue
		case inverts:
			*l = held{value: truth(!l.truth())}
			continue
		case jumpsIfNot:
			if top--; !l.truth() {
				i = s.n - 1
			}
			continue
		case keepsIfNot, keepsIf:
			if l.truth() == (s.is == keepsIf) {
				i = s.n - 1
			} else {
				top--
			}
			continue
		case keepsIfThere:
			if l.value != goja.Undefined() && l.value != goja.Null() {
				i = s.n - 1
			} else {
				top--
			}
			continue
		case storesLocal:
			locals[s.n], stored = *l, stored|1<<s.n
			top--
			continue
		case asTexts:
			t, ok := p.text(l)
			if !ok {
				return held{}, false
			}
			*l = held{value: t}
			continue
		case joins:
			if top -= s.n - 1; top < 0 || !p.join(stack[top:top+s.n]) {
				return held{}, false
			}
			continue
		case calls:
			if top -= s.n + 1; top < 0 || !p.call(stack[top:top+s.n+2]) {
				return held{}, false
			}
			continue
		case returns:
			return *l, true
		}
		if top < 1 {
			return held{}, false
		}
		r := *l
		top--
		if !p.with(s, &stack[top], &r) {
			return held{}, false
		}
	}
	return held{}, false
}

// fresh is what a step puts there by itself; nil for a variable that is goja's to find.
func (p *Pure) fresh(s *pureStep) goja.Value {
	switch s.is {
	case loadsOuter:
		return p.outer(s.outer, s.n)
	case loadsGlobal:
		return p.globals[s.n]
	case makesObject:
		o := p.r.NewObject()
		commonOf(asObject(o)).names = make([]unistring.String, 0, fewNames)
		return o
	case makesArray:
		return List(p.r, make([]goja.Value, 0, s.n))
	}
	return goja.Undefined()
}

// with puts what a step makes of two values in the place of the left one; false where that is goja's to
// do.
func (p *Pure) with(s *pureStep, l, r *held) bool {
	switch s.is {
	case putsField:
		Put(l.value.(*goja.Object), s.name, p.value(*r)) //nolint:forcetypeassert // which was made here
		return true
	case pushesItem:
		a := arrayOf(objectOf(l.value))
		a.values = append(a.values, p.value(*r))
		a.length++
		a.filled++
		return true
	case readsItem:
		return p.item(l, r)
	case adds:
		if !l.isNumber() || !r.isNumber() {
			return p.add(l, r)
		}
	}
	return l.with(s.is, r)
}

// item puts an array's item, or a property, in the place of what has it.
func (p *Pure) item(of, at *held) bool {
	o := objectOf(of.value)
	if o == nil {
		return false
	}
	var v goja.Value
	if at.isNumber() {
		a := arrayOf(o)
		if a == nil || !at.whole || at.n < 0 || at.n >= int64(len(a.values)) || !isPlain(&a.values[at.n]) {
			return false
		}
		v = a.values[at.n]
	} else if name, ok := key(&at.value); ok {
		v = inherited(o, name)
	}
	if v == nil {
		return false
	}
	*of = holds(v)
	return true
}

// add is + where one of two is a text.
func (p *Pure) add(l, r *held) bool {
	if !l.isText() && !r.isText() {
		return false
	}
	if kindOf(&l.value) == kinds.ascii && r.isNumber() && r.whole {
		var digits [20]byte
		x, _ := textOf(&l.value)
		if y := strconv.AppendInt(digits[:0], r.n, 10); len(x.bytes) > 0 && len(x.bytes) < shortest {
			*l = held{value: concise(x.bytes, unsafe.String(&y[0], len(y)))}
			return true
		}
	}
	left, ok := p.text(l)
	if !ok {
		return false
	}
	right, ok := p.text(r)
	if !ok {
		return false
	}
	x, _ := textOf(&left)
	y, _ := textOf(&right)
	if x.units == nil && y.units == nil && len(x.bytes) < shortest && len(y.bytes) < shortest && len(x.bytes) > 0 && len(y.bytes) > 0 {
		*l = held{value: concise(x.bytes, y.bytes)}
		return true
	}
	*l = held{value: p.s.joined(x, y, left)}
	return true
}

// join makes one text of several, in the place of the first.
func (p *Pure) join(parts []held) bool {
	for i := range parts {
		if !parts[i].isText() || i > 0 && !p.add(&parts[0], &parts[i]) {
			return false
		}
	}
	return true
}

// text is a value as a text; false for what has code of its own for that, or none.
func (p *Pure) text(h *held) (goja.Value, bool) {
	switch {
	case h.isText():
		return h.value, true
	case h.value == nil && h.whole:
		var digits [20]byte
		return concise(string(strconv.AppendInt(digits[:0], h.n, 10)), ""), true
	case h.value == nil:
		return text{bytes: p.s.double(h.f).String()}.value(), true
	}
	switch h.value {
	case yes, no, goja.Undefined(), goja.Null():
		return text{bytes: h.value.String()}.value(), true
	}
	return nil, false
}

// call does what a builtin does that nobody's code is asked by, in the place of what it is called of.
func (p *Pure) call(stack []held) bool {
	callee := objectOf(stack[1].value)
	if callee == nil {
		return false
	}
	this, arguments := &stack[0], stack[2:]
	switch callee {
	case p.s.asText:
		if len(arguments) != 1 {
			return false
		}
		t, ok := p.text(&arguments[0])
		*this = held{value: t}
		return ok
	case asObject(p.s.expressions.Test):
		if len(arguments) != 1 || !arguments[0].isText() {
			return false
		}
		o, isObject := this.value.(*goja.Object)
		if !isObject || !p.s.isLiteral(o) {
			return false
		}
		found, ok := p.s.expressions.Finds(o, arguments[0].value)
		if found {
			p.matched = goja.FunctionCall{This: o, Arguments: []goja.Value{arguments[0].value}}
		}
		*this = held{value: truth(found)}
		return ok
	case p.s.upper, p.s.lower:
		if !this.isText() || len(arguments) > 0 {
			return false
		}
		v := p.s.cased(this.value, callee == p.s.upper)
		*this = held{value: v}
		return v != nil
	}
	return false
}
