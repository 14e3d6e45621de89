package regexp

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/pattern"
)

const (
	// maxKnownRegExps is of how many objects a VM remembers at once what they stand for.
	maxKnownRegExps = 256
	// maxKnownBytes bounds what their programs take, but for the last.
	maxKnownBytes = 4 << 20
)

// RegExps are the regular expressions of a VM. Their objects are goja's own, so that they are what
// the language says an object of RegExp is; but none is matched by goja's engines. What an object
// stands for is its source, which goja keeps and nothing can change: that of a literal, or a
// disguise that the compiler or the constructor has put there (see pattern.Disguise). The functions
// of RegExp and of its prototype are ours, and find the program by it.
type RegExps struct {
	h         language.Host
	rt        *goja.Runtime
	prototype *goja.Object
	class     *goja.Object // what code has for RegExp
	exec      *goja.Object // of prototype, as it was

	construct                                 goja.Constructor
	nativeSource, nativeFlags, nativeMatchAll language.Function
	nativeCompile                             language.Function

	machine  pattern.Machine
	programs map[string]*pattern.Program       // by what goja keeps
	objects  map[*goja.Object]*pattern.Program // of this entry
	bytes    int                               // of programs
	imported goja.Value                        // a string of Go's that was converted last,
	wide     []uint16                          // and what it is
	last     lastMatch
	matcher  *goja.Object // see matchAll
	iterated *goja.Object
}

// Options of a runtime's regular expressions.
type Options struct {
	// Shared is for a runtime that several executions use: none may be told what another has
	// matched.
	Shared bool
	// Complete adds to the class what the library has for it.
	Complete func(class *goja.Object) error
}

// Install puts our functions in the places of goja's. It can't wait for code to name them: a
// literal leads there.
func Install(h language.Host, o Options) (*RegExps, error) {
	original := language.NativeObject(h, "RegExp")
	r := &RegExps{h: h, rt: h.Runtime()}
	r.prototype = original.Get("prototype").ToObject(r.rt)
	var ok bool
	if r.construct, ok = goja.AssertConstructor(original); !ok {
		return nil, errors.New("RegExp is no constructor")
	}
	r.nativeCompile = language.Builtin(r.prototype, "compile")
	r.nativeMatchAll, ok = r.prototype.GetSymbol(goja.SymMatchAll).Export().(language.Function)
	if !ok {
		return nil, errors.New("RegExp has no matchAll")
	}
	describe := language.Builtin(language.NativeObject(h, "Object"), "getOwnPropertyDescriptor")
	accessor := func(name string) language.Function {
		d := describe(goja.FunctionCall{Arguments: []goja.Value{r.prototype, r.rt.ToValue(name)}})
		return language.Builtin(d.ToObject(r.rt), "get")
	}
	r.nativeSource, r.nativeFlags = accessor("source"), accessor("flags")
	r.machine.Poll = r.poll
	r.last.kept = !o.Shared
	return r, errors.Join(r.installClass(original), o.Complete(r.class), r.installPrototype())
}

// Literals are the expressions of code, as far as they serve again.
func (r *RegExps) Literals() linear.Literals {
	test, _ := r.prototype.Get("test").(*goja.Object)
	return linear.Literals{Prototype: r.prototype, Test: test, Exec: r.exec, Still: func(o *goja.Object) bool {
		p := r.program(o)
		return p != nil && p.Flags&(pattern.Global|pattern.Sticky) == 0
	}, Keeps: r.last.kept, Finds: r.finds}
}

// Class is what code has for RegExp, with the properties that tell of the last match.
func (r *RegExps) Class() (goja.Value, error) { return r.class, r.addStatics() }

func (r *RegExps) installClass(original *goja.Object) error {
	r.class = r.rt.ToValue(r.make).ToObject(r.rt)
	species, err := language.NewFunction(r.h, "get [Symbol.species]", 0, func(call goja.FunctionCall) goja.Value { return call.This })
	return errors.Join(err, r.class.SetPrototype(original.Prototype()),
		r.class.DefineDataProperty("name", r.rt.ToValue("RegExp"), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.class.DefineDataProperty("length", r.rt.ToValue(2), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.class.DefineDataProperty("prototype", r.prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		r.class.DefineAccessorPropertySymbol(goja.SymSpecies, species, nil, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.prototype.DefineDataProperty("constructor", r.class, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
}

func (r *RegExps) installPrototype() error {
	var errs []error
	for _, m := range []struct {
		name   string
		length int
		f      language.Function
	}{
		{"exec", 1, r.protoExec}, {"test", 1, r.protoTest}, {"compile", 2, r.protoCompile},
	} {
		errs = append(errs, language.DefineFunction(r.h, r.prototype, m.name, m.length, m.f))
	}
	r.exec = r.prototype.Get("exec").ToObject(r.rt)
	for _, m := range []struct {
		symbol *goja.Symbol
		name   string
		length int
		f      language.Function
	}{
		{goja.SymMatch, "[Symbol.match]", 1, r.protoMatch}, {goja.SymMatchAll, "[Symbol.matchAll]", 1, r.protoMatchAll},
		{goja.SymReplace, "[Symbol.replace]", 2, r.protoReplace}, {goja.SymSearch, "[Symbol.search]", 1, r.protoSearch},
		{goja.SymSplit, "[Symbol.split]", 2, r.protoSplit},
	} {
		f, err := language.NewFunction(r.h, m.name, m.length, m.f)
		errs = append(errs, err, r.prototype.DefineDataPropertySymbol(m.symbol, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	for _, m := range []struct {
		name string
		f    language.Function
	}{
		{"flags", r.getFlags}, {"source", r.getSource}, {"hasIndices", r.flagGetter("hasIndices", pattern.HasIndices)},
		{"unicodeSets", r.flagGetter("unicodeSets", pattern.UnicodeSets)},
	} {
		f, err := language.NewFunction(r.h, "get "+m.name, 0, m.f)
		errs = append(errs, err, r.prototype.DefineAccessorProperty(m.name, f, nil, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	return errors.Join(errs...)
}

// Forget lets go of what an entry has made.
func (r *RegExps) Forget() {
	clear(r.objects)
	r.imported, r.wide = nil, nil
}

// program is what an object stands for; nil if it is no regular expression.
func (r *RegExps) program(value goja.Value) *pattern.Program {
	o, ok := value.(*goja.Object)
	if !ok {
		return nil
	}
	if p := r.objects[o]; p != nil {
		return p
	}
	if o.ClassName() != "RegExp" || o.ExportType() == language.ProxyType {
		return nil
	}
	text, _ := r.nativeSource(goja.FunctionCall{This: o}).(goja.String)
	kept := text.String()
	p := r.programs[kept]
	if p == nil {
		source, flags, ok := pattern.Reveal(kept)
		if !ok { // a literal of our own code, or of a package's
			flags = r.nativeFlags(goja.FunctionCall{This: o}).String()
			units := r.units(text)
			if kept == "(?:)" {
				units = nil
			}
			p = r.compiled(units, flags)
			r.keep(kept+"\x01"+flags, p) // what is found by no name counts, too
		} else {
			p = r.compiled(source, flags)
			r.keep(kept, p)
		}
	}
	r.know(o, p)
	return p
}

func (r *RegExps) keep(kept string, p *pattern.Program) {
	if r.programs[kept] == p {
		return
	}
	if r.programs == nil || len(r.programs) >= maxKnownRegExps || r.bytes+p.Size() > maxKnownBytes {
		r.programs = make(map[string]*pattern.Program)
		r.bytes = 0
		clear(r.objects)
	}
	r.programs[kept] = p
	r.bytes += p.Size()
	r.h.Handed(int64(p.Size()))
}

func (r *RegExps) know(o *goja.Object, p *pattern.Program) {
	if r.objects == nil {
		r.objects = make(map[*goja.Object]*pattern.Program)
	} else if len(r.objects) >= maxKnownRegExps {
		clear(r.objects)
	}
	r.objects[o] = p
}

// compiled throws a SyntaxError for what is none.
func (r *RegExps) compiled(source []uint16, flags string) *pattern.Program {
	p, err := pattern.Compiled(source, flags)
	if err != nil {
		language.Throw(r.h, "SyntaxError", err.Error())
	}
	return p
}

// make is RegExp, with new and without.
func (r *RegExps) make(call goja.ConstructorCall) *goja.Object {
	from, flags := call.Argument(0), call.Argument(1)
	isRegExp := r.isRegExp(from)
	newTarget := call.NewTarget
	if newTarget == nil {
		newTarget = r.class
		if isRegExp && goja.IsUndefined(flags) && r.calledPlain() {
			o, _ := from.(*goja.Object)
			if o.Get("constructor") == goja.Value(newTarget) {
				return o
			}
		}
	}
	var source goja.Value
	if p := r.program(from); p != nil {
		source = goja.StringFromUTF16(p.Source)
		if goja.IsUndefined(flags) {
			flags = r.rt.ToValue(p.Flags.String())
		}
	} else if isRegExp {
		o, _ := from.(*goja.Object)
		source = orUndefined(o.Get("source"))
		if goja.IsUndefined(flags) {
			flags = orUndefined(o.Get("flags"))
		}
	} else {
		source = from
	}
	p := r.compiled(r.sourceAndFlags(source, flags))
	if newTarget == r.class {
		newTarget = nil
	}
	text, native := pattern.Disguise(p.Source, p.Flags)
	made, err := r.construct(newTarget, r.rt.ToValue(text), r.rt.ToValue(native))
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	r.keep(text, p)
	r.know(made, p)
	return made
}

// calledPlain tells a call from a new, of which goja says neither which it is: only a call has a
// frame of its own on the stack.
func (r *RegExps) calledPlain() bool {
	stack := r.rt.CaptureCallStack(1, nil)
	return len(stack) > 0 && stack[0].SrcName() == "<native>" && stack[0].FuncName() == "RegExp"
}

func orUndefined(value goja.Value) goja.Value {
	if value == nil {
		return goja.Undefined()
	}
	return value
}

func (r *RegExps) sourceAndFlags(source, flags goja.Value) (units []uint16, letters string) {
	if !goja.IsUndefined(source) {
		units = r.units(language.Text(r.h, source))
	}
	if !goja.IsUndefined(flags) {
		letters = language.Text(r.h, flags).String()
	}
	return units, letters
}

// isRegExp is the language's: what says of itself that it is one counts, too.
func (r *RegExps) isRegExp(value goja.Value) bool {
	o, ok := value.(*goja.Object)
	if !ok {
		return false
	}
	if m := o.GetSymbol(goja.SymMatch); m != nil && !goja.IsUndefined(m) {
		return m.ToBoolean()
	}
	return r.program(o) != nil
}

// protoCompile makes another expression of an object, as browsers do.
func (r *RegExps) protoCompile(call goja.FunctionCall) goja.Value {
	o, _ := r.receiver("compile", call.This)
	source, flags := call.Argument(0), call.Argument(1)
	if from := r.program(source); from != nil {
		if !goja.IsUndefined(flags) {
			language.Throw(r.h, "TypeError", "Cannot supply flags when constructing one RegExp from another")
		}
		source, flags = goja.StringFromUTF16(from.Source), r.rt.ToValue(from.Flags.String())
	}
	p := r.compiled(r.sourceAndFlags(source, flags))
	text, native := pattern.Disguise(p.Source, p.Flags)
	delete(r.objects, o)
	return r.nativeCompile(goja.FunctionCall{This: o, Arguments: []goja.Value{r.rt.ToValue(text), r.rt.ToValue(native)}})
}

// receiver is the regular expression that a method is called on.
func (r *RegExps) receiver(method string, this goja.Value) (*goja.Object, *pattern.Program) {
	p := r.program(this)
	if p == nil {
		language.Throw(r.h, "TypeError", fmt.Sprintf("Method RegExp.prototype.%s called on incompatible receiver %s", method, language.Shown(this)))
	}
	o, _ := this.(*goja.Object)
	return o, p
}

// object is what a method is called on that takes any object.
func (r *RegExps) object(method string, this goja.Value) *goja.Object {
	o, ok := this.(*goja.Object)
	if !ok {
		language.Throw(r.h, "TypeError", fmt.Sprintf("RegExp.prototype.%s called on incompatible receiver %s", method, language.Shown(this)))
	}
	return o
}

func (r *RegExps) getSource(call goja.FunctionCall) goja.Value {
	if p := r.program(call.This); p != nil {
		return goja.StringFromUTF16(pattern.EscapedSource(p.Source))
	}
	if call.This == goja.Value(r.prototype) {
		return r.rt.ToValue("(?:)")
	}
	language.Throw(r.h, "TypeError", "RegExp.prototype.source getter called on non-RegExp object")
	return nil
}

func (r *RegExps) flagGetter(name string, flag pattern.Flags) language.Function {
	return func(call goja.FunctionCall) goja.Value {
		if p := r.program(call.This); p != nil {
			return r.rt.ToValue(p.Flags&flag != 0)
		}
		if call.This != goja.Value(r.prototype) {
			language.Throw(r.h, "TypeError", "RegExp.prototype."+name+" getter called on non-RegExp object")
		}
		return goja.Undefined()
	}
}

// flagProperties are the getters' names in the order of their letters.
var flagProperties = [...]string{"hasIndices", "global", "ignoreCase", "multiline", "dotAll", "unicode", "unicodeSets", "sticky"}

func (r *RegExps) getFlags(call goja.FunctionCall) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		language.Throw(r.h, "TypeError", "RegExp.prototype.flags getter called on non-object "+language.Shown(call.This))
	}
	var letters [len(flagProperties)]byte
	n := 0
	for i, name := range flagProperties {
		if value := o.Get(name); value != nil && value.ToBoolean() {
			letters[n] = "dgimsuvy"[i]
			n++
		}
	}
	return r.rt.ToValue(string(letters[:n]))
}

// poll ends a match when the VM's time is over.
func (r *RegExps) poll() error {
	if !r.h.Over() {
		return nil
	}
	return errInterrupted
}

var errInterrupted = errors.New("interrupted")

// matched deals with what a machine can't tell JavaScript.
func (r *RegExps) matched(found []int32, err error) []int32 {
	switch {
	case err == nil:
		return found
	case errors.Is(err, errInterrupted):
		r.h.Stop()
		language.Throw(r.h, "RangeError", "interrupted") // never: the interrupt is there before anybody is told
	}
	language.Throw(r.h, "RangeError", err.Error())
	return nil
}
