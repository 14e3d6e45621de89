package regexp

import (
	"math"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/pattern"
)

// standard tells whether an object's exec is ours, so that nobody notices if it isn't called.
func (r *RegExps) standard(o *goja.Object) *pattern.Program {
	if o.Get("exec") != goja.Value(r.exec) {
		return nil
	}
	return r.program(o)
}

// find runs a program over a text from a place on. The result is good until the next.
func (r *RegExps) find(p *pattern.Program, s goja.String, from int) []int32 {
	if narrow, wide := r.view(s); wide == nil {
		return r.matched(r.machine.MatchASCII(p, narrow, from))
	} else {
		return r.matched(r.machine.MatchUTF16(p, wide, from))
	}
}

// finds tells whether there is a match, and nothing else of it; false, false for what throws.
func (r *RegExps) finds(o *goja.Object, text goja.Value) (found, ok bool) {
	s, isText := text.(goja.String)
	p := r.program(o)
	if !isText || p == nil {
		return false, false
	}
	var at []int32
	var err error
	if narrow, wide := r.view(s); wide == nil {
		at, err = r.machine.MatchASCII(p, narrow, 0)
	} else {
		at, err = r.machine.MatchUTF16(p, wide, 0)
	}
	return at != nil, err == nil
}

// search is the language's RegExpBuiltinExec, but for the result's object: it reads and writes
// lastIndex.
func (r *RegExps) search(o *goja.Object, p *pattern.Program, s goja.String) []int32 {
	from := toLength(o.Get("lastIndex"))
	moves := p.Flags&(pattern.Global|pattern.Sticky) != 0
	if !moves {
		from = 0
	}
	var found []int32
	if from <= int64(s.Length()) {
		found = r.find(p, s, int(from))
	}
	switch {
	case found == nil && moves:
		r.setLastIndex(o, 0)
	case found != nil && moves:
		r.setLastIndex(o, int64(found[1]))
	}
	if found != nil {
		r.last.set(s, found)
	}
	return found
}

func (r *RegExps) setLastIndex(o *goja.Object, n int64) {
	if err := o.Set("lastIndex", n); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// toLength is the language's.
func toLength(value goja.Value) int64 {
	if value == nil {
		return 0
	}
	n := value.ToNumber().ToFloat()
	switch {
	case !(n > 0): // nor is NaN
		return 0
	case n > 1<<53-1:
		return 1<<53 - 1
	}
	return int64(math.Trunc(n))
}

// result is the array of a match.
func (r *RegExps) result(p *pattern.Program, s goja.String, found []int32) goja.Value {
	items := make([]any, p.Groups)
	for i := range items {
		items[i] = group(s, found, i)
	}
	a := r.rt.NewArray(items...)
	r.put(a, "index", r.rt.ToValue(int64(found[0])))
	r.put(a, "input", s)
	r.put(a, "groups", r.groups(p, func(i int) goja.Value { return group(s, found, i) }))
	if p.Flags&pattern.HasIndices != 0 {
		r.put(a, "indices", r.indices(p, found))
	}
	return a
}

func (r *RegExps) put(o *goja.Object, name string, value goja.Value) {
	if err := o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// group is what one has matched.
func group(s goja.String, found []int32, i int) goja.Value {
	if found[2*i] < 0 {
		return goja.Undefined()
	}
	return s.Substring(int(found[2*i]), int(found[2*i+1]))
}

// groups is the object of the named groups; undefined if none has a name.
func (r *RegExps) groups(p *pattern.Program, value func(int) goja.Value) goja.Value {
	if len(p.Names) == 0 {
		return goja.Undefined()
	}
	o := r.rt.CreateObject(nil)
	for _, n := range p.Names {
		r.put(o, n.Name, ofName(n, value))
	}
	return o
}

// ofName is the value of the group that took part, of those that have the name.
func ofName(n pattern.Name, value func(int) goja.Value) goja.Value {
	for _, i := range n.Indices {
		if got := value(i); !goja.IsUndefined(got) {
			return got
		}
	}
	return goja.Undefined()
}

func (r *RegExps) indices(p *pattern.Program, found []int32) goja.Value {
	pairs := make([]any, p.Groups)
	for i := range pairs {
		pairs[i] = goja.Undefined()
		if found[2*i] >= 0 {
			pairs[i] = r.rt.NewArray(found[2*i], found[2*i+1])
		}
	}
	a := r.rt.NewArray(pairs...)
	r.put(a, "groups", r.groups(p, func(i int) goja.Value {
		pair, _ := pairs[i].(goja.Value)
		return pair
	}))
	return a
}

func (r *RegExps) protoExec(call goja.FunctionCall) goja.Value {
	o, p := r.receiver("exec", call.This)
	s := language.Text(r.h, call.Argument(0))
	found := r.search(o, p, s)
	if found == nil {
		return goja.Null()
	}
	return r.result(p, s, found)
}

// execute is the language's RegExpExec: it calls the object's exec. The result is nil if there is
// no match.
func (r *RegExps) execute(o *goja.Object, s goja.String) *goja.Object {
	exec := o.Get("exec")
	f, ok := goja.AssertFunction(exec)
	if !ok {
		p := r.program(o)
		if p == nil {
			language.Throw(r.h, "TypeError", "RegExp.prototype.exec called on incompatible receiver "+language.Shown(o))
		}
		if found := r.search(o, p, s); found != nil {
			return r.result(p, s, found).ToObject(r.rt)
		}
		return nil
	}
	result, err := f(o, s)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	if goja.IsNull(result) {
		return nil
	}
	match, ok := result.(*goja.Object)
	if !ok {
		language.Throw(r.h, "TypeError", "object null or function expected")
	}
	return match
}

func (r *RegExps) protoTest(call goja.FunctionCall) goja.Value {
	o := r.object("test", call.This)
	s := language.Text(r.h, call.Argument(0))
	if p := r.standard(o); p != nil {
		return r.rt.ToValue(r.search(o, p, s) != nil)
	}
	return r.rt.ToValue(r.execute(o, s) != nil)
}

func (r *RegExps) protoSearch(call goja.FunctionCall) goja.Value {
	o := r.object("@@search", call.This)
	s := language.Text(r.h, call.Argument(0))
	zero := r.rt.ToValue(0)
	previous := orUndefined(o.Get("lastIndex"))
	if !previous.SameAs(zero) {
		r.setLastIndex(o, 0)
	}
	index := r.rt.ToValue(-1)
	var match *goja.Object
	if p := r.standard(o); p != nil {
		if found := r.search(o, p, s); found != nil {
			index = r.rt.ToValue(int64(found[0]))
		}
	} else {
		match = r.execute(o, s)
	}
	if !orUndefined(o.Get("lastIndex")).SameAs(previous) {
		r.setValue(o, previous)
	}
	if match != nil {
		return orUndefined(match.Get("index"))
	}
	return index
}

func (r *RegExps) setValue(o *goja.Object, lastIndex goja.Value) {
	if err := o.Set("lastIndex", lastIndex); err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
}

// flagsOf reads what an object says its flags are.
func (r *RegExps) flagsOf(o *goja.Object) (letters string, global, fullUnicode bool) {
	letters = language.Text(r.h, orUndefined(o.Get("flags"))).String()
	for _, c := range letters {
		global = global || c == 'g'
		fullUnicode = fullUnicode || c == 'u' || c == 'v'
	}
	return letters, global, fullUnicode
}

func (r *RegExps) protoMatch(call goja.FunctionCall) goja.Value {
	o := r.object("@@match", call.This)
	s := language.Text(r.h, call.Argument(0))
	_, global, full := r.flagsOf(o)
	if !global {
		if match := r.execute(o, s); match != nil {
			return match
		}
		return goja.Null()
	}
	r.setLastIndex(o, 0)
	var matches []any
	if p := r.standard(o); p != nil {
		r.each(o, p, s, full, func(found []int32) {
			r.bound("match", len(matches))
			matches = append(matches, s.Substring(int(found[0]), int(found[1])))
		})
	} else {
		for match := r.execute(o, s); match != nil; match = r.execute(o, s) {
			text := language.Text(r.h, orUndefined(match.Get("0")))
			r.bound("match", len(matches))
			matches = append(matches, text)
			r.step(o, s, text, full)
		}
	}
	if len(matches) == 0 {
		return goja.Null()
	}
	return r.rt.NewArray(matches...)
}

// bound throws a RangeError if so many items are more than one call may make; each is an element
// and a string.
func (r *RegExps) bound(name string, items int) {
	if bytes := 3 * language.ItemSize * int64(items); bytes > r.h.Limits().Bytes {
		language.CheckBytes(r.h, name, float64(bytes))
	}
}

// step moves on behind an empty match.
func (r *RegExps) step(o *goja.Object, s, match goja.String, full bool) {
	if match.Length() == 0 {
		at := toLength(o.Get("lastIndex"))
		if at < int64(s.Length()) {
			at = int64(advance(s, int(at), full))
		} else {
			at++
		}
		r.setLastIndex(o, at)
	}
}

// each goes through all matches of a global expression whose exec is ours. Its lastIndex, which is
// 0, is as if that had been called for each.
func (r *RegExps) each(o *goja.Object, p *pattern.Program, s goja.String, full bool, f func(found []int32)) {
	if p.Flags&pattern.Global == 0 { // its flags say otherwise
		for found := r.search(o, p, s); found != nil; found = r.search(o, p, s) {
			empty := found[0] == found[1]
			f(found)
			if empty {
				r.step(o, s, s.Substring(0, 0), full)
			}
			if r.h.Over() {
				r.matched(nil, errInterrupted)
			}
		}
		return
	}
	length := s.Length()
	for at := 0; at <= length; {
		found := r.find(p, s, at)
		if found == nil {
			break
		}
		r.last.set(s, found)
		at = int(found[1])
		if found[0] == found[1] {
			at = advance(s, at, full)
		}
		f(found)
		if r.h.Over() {
			r.matched(nil, errInterrupted)
		}
	}
	r.setLastIndex(o, 0)
}

// OfText is a method of strings that makes an expression of what isn't one.
func (r *RegExps) OfText(call goja.FunctionCall, symbol *goja.Symbol, flags string, original language.Function) goja.Value {
	if o, ok := call.Argument(0).(*goja.Object); ok {
		if f := o.GetSymbol(symbol); f != nil && !goja.IsUndefined(f) && !goja.IsNull(f) {
			return original(call)
		}
	}
	s := language.Receiver(r.h, call.This)
	source := call.Argument(0)
	if !goja.IsUndefined(source) {
		source = language.Text(r.h, source)
	}
	made := r.make(goja.ConstructorCall{NewTarget: r.class, Arguments: []goja.Value{source, r.rt.ToValue(flags)}})
	f, ok := goja.AssertFunction(made.GetSymbol(symbol))
	if !ok {
		language.Throw(r.h, "TypeError", "RegExp.prototype["+symbol.String()+"] is not a function")
	}
	result, err := f(made, s)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return result
}
