package wording

import (
	"reflect"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/called"
)

// goja's TypeErrors show values where V8's show expressions. Which expression it was tells the
// instruction that fails: it has a place in the program's text.

// failing is an instruction that throws a TypeError.
type failing struct {
	h     Host
	name  string // the instruction's kind, without its underscore; "" inside a builtin
	value reflect.Value
	stack []goja.Value
	frame int
	file  *file.File
	at    int
}

func failingIn(h Host) failing {
	f := failing{h: h}
	f.stack, f.frame = h.Values()
	if f.value = h.Instruction(); f.value.IsValid() {
		kind := f.value.Type()
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		f.name = strings.TrimPrefix(kind.Name(), "_")
		f.file, f.at = h.Place()
	}
	return f
}

// top is the nth value of the stack from above; nil if there is none.
func (f failing) top(n int) goja.Value {
	if n >= len(f.stack) {
		return nil
	}
	return f.stack[len(f.stack)-1-n]
}

// nullish is the null or the undefined that the interpreter has in hand: what it can't read a
// property of; nil if there is neither.
func (f failing) nullish() goja.Value {
	if strings.HasPrefix(f.name, "getElem") && nothing(f.top(1)) {
		return f.top(1) // its key may be one as well
	}
	for n := range 2 { // a computed key lies above
		if value := f.top(n); value != nil && (goja.IsNull(value) || goja.IsUndefined(value)) {
			return value
		}
	}
	return nil
}

// arguments are those of the call that fails, or of the builtin; callee is what is called, nil if
// it isn't known.
func (f failing) arguments() (callee goja.Value, arguments []goja.Value) {
	n := -1
	switch {
	case f.name == "" && f.frame > 0 && f.frame <= len(f.stack):
		return f.stack[f.frame-1], f.stack[f.frame:]
	case f.value.IsValid() && f.value.Kind() == reflect.Uint32: // call, new, callEval
		n = int(f.value.Uint())
	case strings.HasSuffix(f.name, "Variadic") || strings.HasSuffix(f.name, "VariadicStrict"):
		// Below the arguments lie the callee, its this if it has one, and the mark of their
		// beginning.
		below := 2
		if f.name == "newVariadic" {
			below = 1
		}
		for i := len(f.stack) - 1; i >= 0; i-- {
			if symbol, ok := f.stack[i].(*goja.Symbol); ok && symbol.String() == "[variadic marker]" {
				n = len(f.stack) - 1 - i - below
				break
			}
		}
	}
	if at := len(f.stack) - n - 1; n >= 0 && at >= 0 {
		return f.stack[at], f.stack[at+1:]
	}
	return nil, nil
}

func (f failing) calls() bool { return strings.HasPrefix(f.name, "call") }
func (f failing) makes() bool { return f.name == "new" || f.name == "newVariadic" }

// texts are those of the program that fails; nil if they aren't known.
func (f failing) texts() *called.Texts {
	if f.file == nil || f.at < 0 {
		return nil
	}
	return programTexts.of(f.file)
}

// programTexts are the texts of programs that failed lately: reading one takes as long as compiling
// it.
var programTexts = &textCache{read: map[*file.File]*called.Texts{}}

const maxPrograms = 16

type textCache struct {
	mu   sync.Mutex // guards what follows
	read map[*file.File]*called.Texts
	list []*file.File
}

func (c *textCache) of(f *file.File) *called.Texts {
	c.mu.Lock()
	defer c.mu.Unlock()
	if texts, ok := c.read[f]; ok {
		return texts
	}
	texts := called.Read(f.Source())
	c.read[f] = texts
	if c.list = append(c.list, f); len(c.list) > maxPrograms {
		delete(c.read, c.list[0])
		c.list = c.list[1:]
	}
	return texts
}

// callee is the text of what was called, or should have been made an object of.
func (f failing) callee() string {
	if t := f.texts(); t != nil {
		if f.makes() {
			return t.News[f.at]
		}
		tag := t.Tags[f.at]
		// A template's function has the place of the call that gave it.
		if text := t.Calls[f.at]; text != "" && (tag == "" || f.before() == 0) {
			return text
		}
		return tag
	}
	return ""
}

// identifier is the name at the place.
func (f failing) identifier() string {
	if f.file == nil || f.at < 0 || f.at >= len(f.file.Source()) {
		return ""
	}
	if name, ok := called.Names(f.file.Source())[f.at]; ok {
		return name
	}
	return called.Name(f.file.Source()[f.at:])
}

// nameOf is what an instruction names, as a property.
func (f failing) nameOf() string {
	if f.value.IsValid() && f.value.Kind() == reflect.String {
		return unistring.String(f.value.String()).String()
	}
	return ""
}

// inspected is a value as V8 shows it without asking it: its class, for an object.
func inspected(h Host, value goja.Value) string {
	switch value := value.(type) {
	case nil:
		return "undefined"
	case *goja.Symbol:
		return "Symbol(" + value.String() + ")"
	case *goja.Object:
		if class := value.ClassName(); class != "Object" && class != "Map" && class != "Set" && class != "Promise" && class != "Error" {
			return "[object " + class + "]"
		}
		return "#<" + classOf(h, value) + ">"
	}
	return value.String()
}

// namedObject is a value as V8 shows what should have been a function.
func namedObject(h Host, value goja.Value) string {
	if o, ok := value.(*goja.Object); ok && o.ClassName() == "Object" && o.ExportType() != language.ProxyType {
		prototype := language.NativePrototype(h, "Object")
		if own := h.Plain(o, "toString"); own != nil && !own.SameAs(h.Plain(prototype, "toString")) {
			return "[object Object]"
		}
	}
	return inspected(h, value)
}

// described is a value with its kind, as V8 puts it where it has no expression.
func described(h Host, value goja.Value) string {
	switch {
	case value == nil || goja.IsUndefined(value):
		return "undefined"
	case goja.IsNull(value):
		return "object null"
	}
	switch value := value.(type) {
	case *goja.Object:
		if _, ok := goja.AssertFunction(value); ok {
			return "function"
		}
		return "object"
	case goja.String:
		return `string "` + value.String() + `"`
	case *goja.Symbol:
		return "symbol Symbol(" + value.String() + ")"
	}
	return language.TypeOf(value) + " " + value.String()
}

// className is the name of the constructor that an object has, unless code would have to be asked
// for it.
func classOf(h Host, o *goja.Object) string {
	if o.ExportType() == language.ProxyType {
		return "Object"
	}
	if class, ok := h.Plain(o, "constructor").(*goja.Object); ok {
		if name, ok := h.Plain(class, "name").(goja.String); ok && name.Length() > 0 {
			return name.String()
		}
	}
	return o.ClassName()
}
