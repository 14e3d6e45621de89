package json

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// stringifier bounds JSON.stringify, which goes through all that a value leads to in Go: an array
// of arrays of the same array has no end, and one that is long only by its length, none that
// anybody could wait for. It is the replacer function that goja asks about each value.
type stringifier struct {
	h        Host
	function goja.Value // as goja takes it; made once

	replacer func(goja.FunctionCall) goja.Value
	list     []string // the properties to write
	listed   bool
	ordered  bool // the list has names that are numbers, which an object has first
	indent   int
	path     []*goja.Object // from the outermost to where goja is
	steps    []step         // the same, of what code has there, and where it was found
	bytes    float64
	growth   language.Growth
	values   int
}

func (j *JSON) stringify(call goja.FunctionCall, original language.Function) goja.Value {
	if text, ok := j.write(call); ok {
		return text
	}
	s := &j.out
	before := *s
	if s.function == nil {
		s.h, s.function = j.h, j.h.Runtime().ToValue(func(call goja.FunctionCall) goja.Value { return j.out.next(call) })
		before.h, before.function = s.h, s.function
	}
	*s = stringifier{h: j.h, function: s.function, indent: indentOf(call.Argument(2))}
	defer func() { *s = before }()
	if o, ok := call.Argument(1).(*goja.Object); ok {
		if f, isFunction := goja.AssertFunction(o); isFunction {
			s.replacer = func(call goja.FunctionCall) goja.Value {
				out, err := f(call.This, call.Arguments...)
				if err != nil {
					panic(err) // goja's way to throw into JavaScript
				}
				return out
			}
		} else if o.ClassName() == "Array" {
			s.listProperties(o)
			s.ordered = slices.ContainsFunc(s.list, isIndex) && !j.h.Former().Elsewhere
		}
	}
	return original(goja.FunctionCall{This: call.This, Arguments: []goja.Value{call.Argument(0), s.function, call.Argument(2)}})
}

// indentOf is at least what a level is indented by.
func indentOf(space goja.Value) int {
	switch x := space.(type) {
	case goja.String:
		return min(x.Length(), 10)
	case *goja.Object:
		return 10
	}
	if n := space.ToFloat(); n > 0 {
		return int(math.Min(n, 10))
	}
	return 0
}

// listProperties takes the names from an array.
func (s *stringifier) listProperties(o *goja.Object) {
	language.CheckLength(s.h, "JSON.stringify", o)
	s.listed = true
	seen := map[string]bool{}
	for i := range int(o.Get("length").ToInteger()) {
		item := o.Get(strconv.Itoa(i))
		if wrapped, ok := item.(*goja.Object); ok && wrapped.ClassName() != "String" && wrapped.ClassName() != "Number" {
			continue
		}
		if item == nil || goja.IsUndefined(item) || goja.IsNull(item) {
			continue
		}
		if _, isSymbol := item.(*goja.Symbol); isSymbol || item.ExportType() == reflect.TypeFor[bool]() {
			continue
		}
		if name := item.String(); !seen[name] {
			seen[name] = true
			s.list = append(s.list, name)
		}
	}
}

// next looks at the next value, and gives what is to be written in its place.
func (s *stringifier) next(call goja.FunctionCall) goja.Value {
	if s.values++; s.values%language.Looked == 0 {
		s.h.Stop()
	}
	holder, _ := call.This.(*goja.Object)
	for len(s.path) > 0 && s.path[len(s.path)-1] != holder {
		s.path, s.steps = s.path[:len(s.path)-1], s.steps[:len(s.steps)-1]
	}
	if len(s.path) == 0 {
		s.path, s.steps = append(s.path, holder), append(s.steps, step{})
	}
	value := call.Argument(1)
	if s.replacer != nil {
		path, steps := s.path, s.steps // the replacer may call JSON.stringify
		value = s.replacer(call)
		s.path, s.steps = path, steps
	}
	s.bytes += float64(2 + s.indent*len(s.path))
	if key, ok := call.Argument(0).(goja.String); ok && !language.IsArray(holder) {
		s.bytes += float64(key.Length())
	}
	switch x := value.(type) {
	case goja.String:
		s.bytes += float64(x.Length())
	case *goja.Object:
		value = s.object(x, step{x, call.Argument(0), language.IsArray(holder)})
	default:
		s.bytes += 4
	}
	s.growth.Check(s.h, "JSON.stringify", s.bytes)
	return value
}

func (s *stringifier) object(o *goja.Object, found step) goja.Value {
	switch o.ClassName() {
	case "Function", "RawJSON", "Number", "Boolean", "BigInt":
		return o
	case "String":
		text := language.Text(s.h, o)
		s.bytes += float64(text.Length())
		return text
	case "Array":
		if language.IsArray(o) {
			language.Bound(s.h, "JSON.stringify", s.bytes+2*o.Get("length").ToFloat())
		}
	default:
		if o.ExportType() == symbolType { // goja takes it for the symbol
			return s.withoutSymbol(o)
		}
		// goja makes a name for each element before it asks about the first.
		if n, ok := linear.Elements(o); ok && !s.listed {
			names := elementText * float64(n)
			language.Bound(s.h, "JSON.stringify", s.bytes+names)
			s.h.Handed(int64(names))
		}
	}
	if i := slices.IndexFunc(s.steps, func(x step) bool { return x.object == o }); i >= 0 {
		language.Throw(s.h, "TypeError", circle(s.h, s.steps[i:], found))
	}
	if s.listed && o.ClassName() != "Array" {
		o = s.only(o)
	}
	s.steps = append(s.steps, found)
	if s.path = append(s.path, o); len(s.path) > maxNesting {
		language.Throw(s.h, "RangeError", fmt.Sprintf("JSON.stringify of what nests deeper than %d", maxNesting))
	}
	return o
}

// elementText is what an element of a typed array takes at least, with its name, in one of which the
// names are many.
const elementText = 8

var symbolType = goja.NewSymbol("").ExportType()

// withoutSymbol is an object made of a symbol, without it.
func (s *stringifier) withoutSymbol(o *goja.Object) goja.Value {
	plain := s.h.Runtime().NewObject()
	for _, name := range o.Keys() {
		if err := plain.DefineDataProperty(name, o.Get(name), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE); err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
	}
	return plain
}

// only is an object with the listed properties of another, in the list's order.
func (s *stringifier) only(o *goja.Object) *goja.Object {
	if s.ordered {
		found := listed{values: map[string]goja.Value{}}
		for _, name := range s.list {
			if value := o.Get(name); value != nil {
				found.names = append(found.names, name)
				found.values[name] = value
			}
		}
		return s.h.Runtime().NewDynamicObject(&found)
	}
	out := s.h.Runtime().NewObject()
	for _, name := range s.list {
		if value := o.Get(name); value != nil {
			if err := out.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE); err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
		}
	}
	return out
}

// isIndex tells the names that an object has before all others.
func isIndex(name string) bool {
	n, err := strconv.ParseUint(name, 10, 32)
	return err == nil && strconv.FormatUint(n, 10) == name
}

// listed has properties in an order that an ordinary object can't have.
type listed struct {
	names  []string
	values map[string]goja.Value
}

// Get implements goja.DynamicObject.
func (l *listed) Get(name string) goja.Value { return l.values[name] }

// Has implements goja.DynamicObject.
func (l *listed) Has(name string) bool { return l.values[name] != nil }

// Keys implements goja.DynamicObject.
func (l *listed) Keys() []string { return l.names }

// Set implements goja.DynamicObject: nobody but JSON.stringify sees it.
func (l *listed) Set(string, goja.Value) bool { return false }

// Delete implements goja.DynamicObject.
func (l *listed) Delete(string) bool { return false }
