package sandbox

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/pattern"
)

const (
	// maxKnownRegExps is of how many objects a VM remembers at once what they stand for.
	maxKnownRegExps = 256
	// maxKnownBytes bounds what their programs take, but for the last.
	maxKnownBytes = 4 << 20
)

// regexps are the regular expressions of a VM. Their objects are goja's own, so that they are what the language says an object of
// RegExp is; but none is matched by goja's engines. What an object stands for is its source, which goja keeps and nothing can
// change: that of a literal, or a disguise that the compiler or the constructor has put there (see pattern.Disguise). The
// functions of RegExp and of its prototype are ours, and find the program by it.
type regexps struct {
	v         *VM
	prototype *goja.Object
	class     *goja.Object // what code has for RegExp
	exec      *goja.Object // of prototype, as it was

	construct                                 goja.Constructor
	nativeSource, nativeFlags, nativeMatchAll func(goja.FunctionCall) goja.Value
	nativeCompile                             func(goja.FunctionCall) goja.Value

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

// installRegExps puts our functions in the places of goja's. It can't wait for code to name them: a literal leads there.
func (v *VM) installRegExps() error {
	original := v.native.Get("RegExp").ToObject(v.Runtime)
	r := &v.regexps
	r.v, r.prototype = v, original.Get("prototype").ToObject(v.Runtime)
	var ok bool
	if r.construct, ok = goja.AssertConstructor(original); !ok {
		return errors.New("RegExp is no constructor")
	}
	r.nativeCompile = language.Builtin(r.prototype, "compile")
	r.nativeMatchAll, ok = r.prototype.GetSymbol(goja.SymMatchAll).Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		return errors.New("RegExp has no matchAll")
	}
	describe := language.Builtin(v.native.Get("Object").ToObject(v.Runtime), "getOwnPropertyDescriptor")
	accessor := func(name string) func(goja.FunctionCall) goja.Value {
		d := describe(goja.FunctionCall{Arguments: []goja.Value{r.prototype, v.Runtime.ToValue(name)}})
		return language.Builtin(d.ToObject(v.Runtime), "get")
	}
	r.nativeSource, r.nativeFlags = accessor("source"), accessor("flags")
	r.machine.Poll = v.poll
	r.last.kept = !v.opts.Shared
	return errors.Join(r.installClass(original), r.installPrototype())
}

func (r *regexps) installClass(original *goja.Object) error {
	v := r.v
	r.class = v.Runtime.ToValue(r.make).ToObject(v.Runtime)
	species, err := language.NewFunction(v.host, "get [Symbol.species]", 0, func(call goja.FunctionCall) goja.Value { return call.This })
	return errors.Join(err, r.class.SetPrototype(original.Prototype()),
		r.class.DefineDataProperty("name", v.Runtime.ToValue("RegExp"), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.class.DefineDataProperty("length", v.Runtime.ToValue(2), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.class.DefineDataProperty("prototype", r.prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		r.class.DefineAccessorPropertySymbol(goja.SymSpecies, species, nil, goja.FLAG_TRUE, goja.FLAG_FALSE),
		r.prototype.DefineDataProperty("constructor", r.class, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		v.addMethods("RegExp", r.class))
}

func (r *regexps) installPrototype() error {
	v := r.v
	var errs []error
	for _, m := range []struct {
		name   string
		length int
		f      func(goja.FunctionCall) goja.Value
	}{
		{"exec", 1, r.protoExec}, {"test", 1, r.protoTest}, {"compile", 2, r.protoCompile},
	} {
		errs = append(errs, language.DefineFunction(v.host, r.prototype, m.name, m.length, m.f))
	}
	r.exec = r.prototype.Get("exec").ToObject(v.Runtime)
	for _, m := range []struct {
		symbol *goja.Symbol
		name   string
		length int
		f      func(goja.FunctionCall) goja.Value
	}{
		{goja.SymMatch, "[Symbol.match]", 1, r.protoMatch}, {goja.SymMatchAll, "[Symbol.matchAll]", 1, r.protoMatchAll},
		{goja.SymReplace, "[Symbol.replace]", 2, r.protoReplace}, {goja.SymSearch, "[Symbol.search]", 1, r.protoSearch},
		{goja.SymSplit, "[Symbol.split]", 2, r.protoSplit},
	} {
		f, err := language.NewFunction(v.host, m.name, m.length, m.f)
		errs = append(errs, err, r.prototype.DefineDataPropertySymbol(m.symbol, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	for _, m := range []struct {
		name string
		f    func(goja.FunctionCall) goja.Value
	}{
		{"flags", r.getFlags}, {"source", r.getSource}, {"hasIndices", r.flagGetter("hasIndices", pattern.HasIndices)},
		{"unicodeSets", r.flagGetter("unicodeSets", pattern.UnicodeSets)},
	} {
		f, err := language.NewFunction(v.host, "get "+m.name, 0, m.f)
		errs = append(errs, err, r.prototype.DefineAccessorProperty(m.name, f, nil, goja.FLAG_TRUE, goja.FLAG_FALSE))
	}
	return errors.Join(errs...)
}

// forget lets go of what an entry has made.
func (r *regexps) forget() {
	clear(r.objects)
	r.imported, r.wide = nil, nil
}

// program is what an object stands for; nil if it is no regular expression.
func (r *regexps) program(value goja.Value) *pattern.Program {
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

func (r *regexps) keep(kept string, p *pattern.Program) {
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
	r.v.Handed(int64(p.Size()))
}

func (r *regexps) know(o *goja.Object, p *pattern.Program) {
	if r.objects == nil {
		r.objects = make(map[*goja.Object]*pattern.Program)
	} else if len(r.objects) >= maxKnownRegExps {
		clear(r.objects)
	}
	r.objects[o] = p
}

// compiled throws a SyntaxError for what is none.
func (r *regexps) compiled(source []uint16, flags string) *pattern.Program {
	p, err := pattern.Compiled(source, flags)
	if err != nil {
		language.Throw(r.v.host, "SyntaxError", err.Error())
	}
	return p
}

// make is RegExp, with new and without.
func (r *regexps) make(call goja.ConstructorCall) *goja.Object {
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
			flags = r.v.Runtime.ToValue(p.Flags.String())
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
	made, err := r.construct(newTarget, r.v.Runtime.ToValue(text), r.v.Runtime.ToValue(native))
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	r.keep(text, p)
	r.know(made, p)
	return made
}

// calledPlain tells a call from a new, of which goja says neither which it is: only a call has a frame of its own on the stack.
func (r *regexps) calledPlain() bool {
	stack := r.v.Runtime.CaptureCallStack(1, nil)
	return len(stack) > 0 && stack[0].SrcName() == "<native>" && stack[0].FuncName() == "RegExp"
}

func orUndefined(value goja.Value) goja.Value {
	if value == nil {
		return goja.Undefined()
	}
	return value
}

func (r *regexps) sourceAndFlags(source, flags goja.Value) (units []uint16, letters string) {
	if !goja.IsUndefined(source) {
		units = r.units(language.Text(r.v.host, source))
	}
	if !goja.IsUndefined(flags) {
		letters = language.Text(r.v.host, flags).String()
	}
	return units, letters
}

// isRegExp is the language's: what says of itself that it is one counts, too.
func (r *regexps) isRegExp(value goja.Value) bool {
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
func (r *regexps) protoCompile(call goja.FunctionCall) goja.Value {
	o, _ := r.receiver("compile", call.This)
	source, flags := call.Argument(0), call.Argument(1)
	if from := r.program(source); from != nil {
		if !goja.IsUndefined(flags) {
			language.Throw(r.v.host, "TypeError", "Cannot supply flags when constructing one RegExp from another")
		}
		source, flags = goja.StringFromUTF16(from.Source), r.v.Runtime.ToValue(from.Flags.String())
	}
	p := r.compiled(r.sourceAndFlags(source, flags))
	text, native := pattern.Disguise(p.Source, p.Flags)
	delete(r.objects, o)
	return r.nativeCompile(goja.FunctionCall{This: o, Arguments: []goja.Value{r.v.Runtime.ToValue(text), r.v.Runtime.ToValue(native)}})
}

// receiver is the regular expression that a method is called on.
func (r *regexps) receiver(method string, this goja.Value) (*goja.Object, *pattern.Program) {
	p := r.program(this)
	if p == nil {
		language.Throw(r.v.host, "TypeError", fmt.Sprintf("Method RegExp.prototype.%s called on incompatible receiver %s", method, language.Shown(this)))
	}
	o, _ := this.(*goja.Object)
	return o, p
}

// object is what a method is called on that takes any object.
func (r *regexps) object(method string, this goja.Value) *goja.Object {
	o, ok := this.(*goja.Object)
	if !ok {
		language.Throw(r.v.host, "TypeError", fmt.Sprintf("RegExp.prototype.%s called on incompatible receiver %s", method, language.Shown(this)))
	}
	return o
}

func (r *regexps) getSource(call goja.FunctionCall) goja.Value {
	if p := r.program(call.This); p != nil {
		return goja.StringFromUTF16(pattern.EscapedSource(p.Source))
	}
	if call.This == goja.Value(r.prototype) {
		return r.v.Runtime.ToValue("(?:)")
	}
	language.Throw(r.v.host, "TypeError", "RegExp.prototype.source getter called on non-RegExp object")
	return nil
}

func (r *regexps) flagGetter(name string, flag pattern.Flags) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		if p := r.program(call.This); p != nil {
			return r.v.Runtime.ToValue(p.Flags&flag != 0)
		}
		if call.This != goja.Value(r.prototype) {
			language.Throw(r.v.host, "TypeError", "RegExp.prototype."+name+" getter called on non-RegExp object")
		}
		return goja.Undefined()
	}
}

// flagProperties are the getters' names in the order of their letters.
var flagProperties = [...]string{"hasIndices", "global", "ignoreCase", "multiline", "dotAll", "unicode", "unicodeSets", "sticky"}

func (r *regexps) getFlags(call goja.FunctionCall) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		language.Throw(r.v.host, "TypeError", "RegExp.prototype.flags getter called on non-object "+language.Shown(call.This))
	}
	var letters [len(flagProperties)]byte
	n := 0
	for i, name := range flagProperties {
		if value := o.Get(name); value != nil && value.ToBoolean() {
			letters[n] = "dgimsuvy"[i]
			n++
		}
	}
	return r.v.Runtime.ToValue(string(letters[:n]))
}

// poll ends a match when the VM's time is over.
func (v *VM) poll() error {
	if !v.async.over.Load() {
		return nil
	}
	return errInterrupted
}

var errInterrupted = errors.New("interrupted")

// matched deals with what a machine can't tell JavaScript.
func (v *VM) matched(found []int32, err error) []int32 {
	switch {
	case err == nil:
		return found
	case errors.Is(err, errInterrupted):
		v.stop()
		language.Throw(v.host, "RangeError", "interrupted") // never: the interrupt is there before anybody is told
	}
	language.Throw(v.host, "RangeError", err.Error())
	return nil
}
