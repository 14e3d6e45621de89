package regexp

import (
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/pattern"
)

func (r *RegExps) protoReplace(call goja.FunctionCall) goja.Value {
	o := r.object("@@replace", call.This)
	s := language.Text(r.h, call.Argument(0))
	by, functional := goja.AssertFunction(call.Argument(1))
	var template replacement
	if !functional {
		template = newReplacement(language.Text(r.h, call.Argument(1)))
	}
	_, global, full := r.flagsOf(o)
	if global {
		r.setLastIndex(o, 0)
	}
	if p := r.standard(o); p != nil {
		return r.replacePlain(o, p, s, global, full, template, by)
	}
	return r.replaceBy(o, s, global, full, template, by)
}

// output is the text that a replacement makes.
type output struct {
	r     *RegExps
	b     goja.StringBuilder
	s     goja.String
	at    int // up to where s was written
	bytes int
}

// before writes what is between two matches.
func (w *output) before(from int) {
	if from > w.at {
		w.b.WriteSubstring(w.s, w.at, from)
	}
	w.wrote(from - w.at)
}

// wrote counts what one call makes, which is bounded.
func (w *output) wrote(units int) {
	if w.bytes += units; 2*int64(w.bytes) > w.r.h.Limits().Bytes {
		language.CheckBytes(w.r.h, "replace", 2*float64(w.bytes))
	}
	if w.r.h.Over() {
		w.r.matched(nil, errInterrupted)
	}
}

func (w *output) text() goja.Value {
	if w.at < w.s.Length() {
		w.b.WriteSubstring(w.s, w.at, w.s.Length())
	}
	return w.b.String()
}

// replacePlain finds the matches of an expression whose exec is ours. All are found before the
// first is replaced, because a function that replaces may change anything.
func (r *RegExps) replacePlain(o *goja.Object, p *pattern.Program, s goja.String, global, full bool, template replacement, by goja.Callable) goja.Value {
	var all []int32
	if global {
		r.each(o, p, s, full, func(found []int32) {
			r.bound("replace", len(all)/(3*language.ItemSize/4)) // four bytes each
			all = append(all, found...)
		})
	} else if found := r.search(o, p, s); found != nil {
		all = slices.Clone(found)
	}
	if len(all) == 0 {
		return s
	}
	w := output{r: r, s: s}
	width := 2 * p.Groups
	for ; len(all) > 0; all = all[width:] {
		found := all[:width]
		from, to := int(found[0]), int(found[1])
		w.before(from)
		if by == nil {
			var named func(goja.String) goja.String
			if len(p.Names) > 0 {
				named = func(name goja.String) goja.String { return namedGroup(p, s, found, name.String()) }
			}
			length := template.text.Length()
			if !template.plain {
				length += to - from
			}
			w.wrote(length)
			template.write(&w.b, s, from, to, p.Groups, func(i int) goja.String { t, _ := group(s, found, i).(goja.String); return t }, named)
			w.at = to
			continue
		}
		args := make([]goja.Value, 0, p.Groups+3)
		for i := range p.Groups {
			args = append(args, group(s, found, i))
		}
		args = append(args, r.rt.ToValue(int64(from)), s)
		if len(p.Names) > 0 {
			args = append(args, r.groups(p, func(i int) goja.Value { return group(s, found, i) }))
		}
		w.call(by, args)
		w.at = to
	}
	return w.text()
}

func namedGroup(p *pattern.Program, s goja.String, found []int32, name string) goja.String {
	for _, n := range p.Names {
		if n.Name == name {
			text, _ := ofName(n, func(i int) goja.Value { return group(s, found, i) }).(goja.String)
			return text
		}
	}
	return nil
}

// call writes what a function says.
func (w *output) call(by goja.Callable, args []goja.Value) {
	result, err := by(goja.Undefined(), args...)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	text := language.Text(w.r.h, result)
	w.wrote(text.Length())
	w.b.WriteString(text)
}

// replaceBy is for objects with an exec of their own, whose results may be anything.
func (r *RegExps) replaceBy(o *goja.Object, s goja.String, global, full bool, template replacement, by goja.Callable) goja.Value {
	var matches []*goja.Object
	for match := r.execute(o, s); match != nil; match = r.execute(o, s) {
		r.bound("replace", len(matches))
		matches = append(matches, match)
		if !global {
			break
		}
		r.step(o, s, language.Text(r.h, orUndefined(match.Get("0"))), full)
	}
	w := output{r: r, s: s}
	for _, match := range matches {
		n := max(toLength(match.Get("length")), 1)
		language.CheckBytes(r.h, "replace", language.ItemSize*float64(n))
		matched := language.Text(r.h, orUndefined(match.Get("0")))
		at := int(max(min(orUndefined(match.Get("index")).ToInteger(), int64(s.Length())), 0))
		args := []goja.Value{matched}
		for i := int64(1); i < n; i++ {
			value := orUndefined(match.Get(r.rt.ToValue(i).String()))
			if !goja.IsUndefined(value) {
				value = language.Text(r.h, value)
			}
			args = append(args, value)
		}
		groups := orUndefined(match.Get("groups"))
		captured := len(args)
		var text goja.String
		if by != nil {
			args = append(args, r.rt.ToValue(int64(at)), s)
			if !goja.IsUndefined(groups) {
				args = append(args, groups)
			}
			result, err := by(goja.Undefined(), args...)
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			text = language.Text(r.h, result)
		} else {
			text = r.substitute(template, s, at, matched, args[:captured], groups)
		}
		if at >= w.at {
			w.before(at)
			w.wrote(text.Length())
			w.b.WriteString(text)
			w.at = at + matched.Length()
		}
	}
	return w.text()
}

// substitute is the language's GetSubstitution.
func (r *RegExps) substitute(template replacement, s goja.String, at int, matched goja.String, captures []goja.Value, groups goja.Value) goja.String {
	var named func(goja.String) goja.String
	if !goja.IsUndefined(groups) {
		o := groups.ToObject(r.rt)
		named = func(name goja.String) goja.String {
			if value := orUndefined(o.Get(name.String())); !goja.IsUndefined(value) {
				return language.Text(r.h, value)
			}
			return nil
		}
	}
	var b goja.StringBuilder
	end := min(at+matched.Length(), s.Length())
	if s.Substring(at, end).SameAs(matched) {
		template.write(&b, s, at, end, len(captures), func(i int) goja.String { t, _ := captures[i].(goja.String); return t }, named)
		return b.String()
	}
	// It says that it has matched what isn't there.
	whole := s.Substring(0, at).Concat(matched).Concat(s.Substring(end, s.Length()))
	template.write(&b, whole, at, at+matched.Length(), len(captures), func(i int) goja.String { t, _ := captures[i].(goja.String); return t }, named)
	return b.String()
}
