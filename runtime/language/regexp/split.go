package regexp

import (
	"math"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/pattern"
)

// species makes another of an object's kind.
func (r *RegExps) species(o *goja.Object, flags string) *goja.Object {
	class := goja.Value(r.class)
	if c := o.Get("constructor"); c != nil && !goja.IsUndefined(c) {
		from, ok := c.(*goja.Object)
		if !ok {
			language.Throw(r.h, "TypeError", "The .constructor property is not an object")
		}
		if s := from.GetSymbol(goja.SymSpecies); s != nil && !goja.IsUndefined(s) && !goja.IsNull(s) {
			class = s
		}
	}
	construct, ok := goja.AssertConstructor(class)
	if !ok {
		language.Throw(r.h, "TypeError", "object.constructor[Symbol.species] is not a constructor")
	}
	made, err := construct(nil, o, r.rt.ToValue(flags))
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return made
}

// protoMatchAll has goja make the iterator, whose prototype nothing else leads to: of an object
// that has the flags which goja looks at, and whose species is the expression that was made here.
func (r *RegExps) protoMatchAll(call goja.FunctionCall) goja.Value {
	o := r.object("@@matchAll", call.This)
	s := language.Text(r.h, call.Argument(0))
	letters := language.Text(r.h, orUndefined(o.Get("flags"))).String()
	matcher := r.species(o, letters)
	r.setLastIndex(matcher, toLength(o.Get("lastIndex")))
	native := ""
	for _, c := range letters {
		switch c {
		case 'g':
			native += "g"
		case 'u', 'v':
			native += "u"
		}
	}
	if r.iterated == nil {
		r.prepareIterated()
	}
	r.matcher = matcher
	r.put(r.iterated, "flags", r.rt.ToValue(native))
	r.put(r.iterated, "lastIndex", r.rt.ToValue(toLength(matcher.Get("lastIndex"))))
	defer func() { r.matcher = nil }()
	return r.nativeMatchAll(goja.FunctionCall{This: r.iterated, Arguments: []goja.Value{s}})
}

func (r *RegExps) prepareIterated() {
	r.iterated = r.rt.CreateObject(nil)
	class := r.rt.CreateObject(nil)
	species := r.rt.ToValue(func(goja.ConstructorCall) *goja.Object { return r.matcher })
	if err := class.DefineDataPropertySymbol(goja.SymSpecies, species, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE); err != nil {
		panic(err)
	}
	r.put(r.iterated, "constructor", class)
}

func (r *RegExps) protoSplit(call goja.FunctionCall) goja.Value {
	o := r.object("@@split", call.This)
	s := language.Text(r.h, call.Argument(0))
	// What splits is a sticky expression of its own, unless it would be one of ours, too.
	p := r.standard(o)
	class := o.Get("constructor")
	letters, _, full := r.flagsOf(o)
	plain := p != nil && class == goja.Value(r.class) && letters == p.Flags.String()
	if plain {
		plain = r.class.GetSymbol(goja.SymSpecies) == class
	}
	var splitter *goja.Object
	if !plain {
		sticky := letters
		if !hasLetter(letters, 'y') {
			sticky += "y"
		}
		splitter = r.species(o, sticky)
	}
	limit := int64(1<<32 - 1)
	if l := call.Argument(1); !goja.IsUndefined(l) {
		limit = int64(toUint32(l.ToNumber().ToFloat()))
	}
	var parts []any
	if limit == 0 {
		return r.rt.NewArray()
	}
	size := s.Length()
	add := func(part goja.Value) bool {
		r.bound("split", len(parts))
		parts = append(parts, part)
		return int64(len(parts)) == limit
	}
	if plain {
		r.splitPlain(p, s, size, full, add)
	} else {
		r.splitBy(splitter, s, size, full, add)
	}
	return r.rt.NewArray(parts...)
}

func hasLetter(letters string, c byte) bool {
	for i := range len(letters) {
		if letters[i] == c {
			return true
		}
	}
	return false
}

func toUint32(n float64) uint32 {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	n = math.Mod(math.Trunc(n), 1<<32)
	if n < 0 {
		n += 1 << 32
	}
	return uint32(n)
}

// splitPlain adds the parts of a text that one of our expressions splits.
func (r *RegExps) splitPlain(p *pattern.Program, s goja.String, size int, full bool, add func(goja.Value) bool) {
	narrow, wide := r.view(s)
	find := func(from int) []int32 {
		if wide == nil {
			return r.matched(r.machine.SplitASCII(p, narrow, from, false))
		}
		return r.matched(r.machine.SplitUTF16(p, wide, from, false))
	}
	if size == 0 {
		if find(0) == nil {
			add(s)
		}
		return
	}
	start := 0
	for at := 0; at < size; {
		found := find(at)
		if found == nil || int(found[0]) >= size {
			break
		}
		from, end := int(found[0]), int(found[1])
		r.last.set(s, found)
		if end == start || end == from && from < at {
			at = advance(s, max(from, at), full)
			continue
		}
		if add(s.Substring(start, from)) {
			return
		}
		start = end
		for i := 1; i < p.Groups; i++ {
			if add(group(s, found, i)) {
				return
			}
		}
		if at = start; r.h.Over() {
			r.matched(nil, errInterrupted)
		}
	}
	add(s.Substring(start, size))
}

// splitBy adds the parts of a text that an object with an exec of its own splits.
func (r *RegExps) splitBy(splitter *goja.Object, s goja.String, size int, full bool, add func(goja.Value) bool) {
	if size == 0 {
		if r.execute(splitter, s) == nil {
			add(s)
		}
		return
	}
	start := 0
	for at := 0; at < size; {
		r.setLastIndex(splitter, int64(at))
		match := r.execute(splitter, s)
		if match == nil {
			at = advance(s, at, full)
			continue
		}
		end := int(min(toLength(splitter.Get("lastIndex")), int64(size)))
		if end == start {
			at = advance(s, at, full)
			continue
		}
		if add(s.Substring(start, at)) {
			return
		}
		start = end
		for i := int64(1); i < toLength(match.Get("length")); i++ {
			if add(orUndefined(match.Get(r.rt.ToValue(i).String()))) {
				return
			}
		}
		at = start
	}
	add(s.Substring(start, size))
}
