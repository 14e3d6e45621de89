package linear

import (
	"unsafe"

	"github.com/dop251/goja"
)

const (
	// pureItems is how many items are gone through until it is asked whether there is time for more.
	pureItems = 1 << 10
	// mostMade is how many items Array.from makes here.
	mostMade = 1 << 22
)

// Purely is a method of arrays that asks a function about each item, of a plain array and a pure
// function; nil for all others. Nothing has happened then.
func Purely(r *goja.Runtime, method string, call goja.FunctionCall) (out goja.Value) {
	switch method {
	case "map", "filter", "find", "some", "every", "reduce":
	default:
		return nil
	}
	p, ok := pureOf(r, call.Argument(0))
	if !ok {
		return nil
	}
	return p.ask(method, call)
}

// ask is the method; nil where the function is to be called, and nothing has happened.
func (p *Pure) ask(method string, call goja.FunctionCall) (out goja.Value) {
	switch method {
	case "map":
		if items, ok := p.mapped(nil, call.This); ok {
			out = List(p.r, items)
		}
		return out
	case "filter":
		if a := arrayOf(objectOf(call.This)); a == nil || !p.s.makesArrays(a) {
			return nil
		}
	}
	items, ok := Data{p.s}.Items(call.This, "")
	if !ok {
		return nil
	}
	if method == "reduce" {
		out = p.reduce(items, call)
	} else {
		out = p.each(method, items, call.This)
	}
	p.done(out != nil)
	return out
}

// mapped appends what it comes to for each item of a plain array.
func (p *Pure) mapped(out []goja.Value, of goja.Value) ([]goja.Value, bool) {
	items, ok := Data{p.s}.Items(of, "")
	if !ok || !p.s.makesArrays(arrayOf(objectOf(of))) {
		return nil, false
	}
	if len(items) > cap(out) {
		if itemSize*len(items) >= claimed && !p.s.claim(itemSize*len(items)) {
			return nil, true
		}
		out = make([]goja.Value, 0, len(items))
	}
	for i := range items {
		if !p.affords(i, 0) {
			return nil, true
		}
		h, ok := p.of(items[i], p.index(1, i), of)
		if !ok {
			p.done(false)
			return nil, false
		}
		out = append(out, p.value(h))
	}
	p.done(true)
	return out, true
}

// each is filter, find, some and every.
func (p *Pure) each(method string, items []goja.Value, of goja.Value) goja.Value {
	var out []goja.Value
	room := 0 // that an item takes
	if method == "filter" {
		room = itemSize
	}
	for i := range items {
		if !p.affords(i, room) {
			return goja.Undefined()
		}
		h, ok := p.of(items[i], p.index(1, i), of)
		if !ok {
			return nil
		}
		switch method {
		case "filter":
			if h.truth() {
				out = append(out, items[i])
			}
		case "find":
			if h.truth() {
				return items[i]
			}
		default:
			if h.truth() == (method == "some") {
				return truth(method == "some")
			}
		}
	}
	switch method {
	case "find":
		return goja.Undefined()
	case "some", "every":
		return truth(method == "every")
	}
	return List(p.r, out)
}

// affords asks, again and again, whether there is time and memory for more items of which each takes so
// much beside what the function makes; false: the VM is ended.
func (p *Pure) affords(i, room int) bool {
	return i%pureItems != pureItems-1 || p.s.claim(pureItems*(room+p.made*madeSize))
}

// index is an argument that is an item's number, if anybody looks at it.
func (p *Pure) index(argument, i int) goja.Value {
	if p.arguments <= argument {
		return nil
	}
	return p.s.integer(int64(i))
}

func (p *Pure) reduce(items []goja.Value, call goja.FunctionCall) goja.Value {
	at := 0
	var sofar goja.Value
	switch {
	case len(call.Arguments) > 1:
		sofar = call.Argument(1)
	case len(items) == 0:
		return nil
	default:
		sofar, at = items[0], 1
	}
	for i := at; i < len(items); i++ {
		if !p.affords(i, 0) {
			return goja.Undefined()
		}
		h, ok := p.of(sofar, items[i], p.index(2, i), call.This)
		if !ok {
			return nil
		}
		sofar = p.value(h)
	}
	return sofar
}

// MadeOf is Array.from of an object of nothing but a length, as in Array.from({ length: 3 }, (_, i) => i),
// and a pure function; nil for all others. Nothing has happened then.
func MadeOf(r *goja.Runtime, call goja.FunctionCall) goja.Value {
	s := stateIn(unsafe.Pointer(r))
	if s == nil || objectOf(call.This) != s.class || !s.holesAreEmpty() {
		return nil
	}
	o := objectOf(call.Argument(0))
	if o == nil || o.self.kind != kinds.plain {
		return nil
	}
	c := commonOf(o)
	length, ok := Whole(c.values["length"])
	if len(c.names) != 1 || c.symbols != nil || c.prototype != s.objects || symbolOf(s.objects, goja.SymIterator) != nil || !ok || length < 0 || length > mostMade {
		return nil
	}
	p, ok := pureOf(r, call.Argument(1))
	if !ok {
		return nil
	}
	size := itemSize * int(length)
	if size >= claimed && !s.claim(size) {
		return goja.Undefined()
	}
	out := make([]goja.Value, 0, length)
	for i := range int(length) {
		if !p.affords(i, 0) {
			return goja.Undefined()
		}
		h, ok := p.of(goja.Undefined(), p.index(1, i))
		if !ok {
			p.done(false)
			return nil
		}
		out = append(out, p.value(h))
	}
	p.done(true)
	return List(r, out)
}
