package library

import (
	"embed"
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

//go:embed js/*.js
var text embed.FS

// common is what all runtimes share of it.
type common struct {
	parts   map[string]*goja.Program
	methods map[string][]method // by the global that they hang on
}

var load = sync.OnceValues(func() (*common, error) {
	c := &common{parts: map[string]*goja.Program{}, methods: map[string][]method{}}
	need := []string{"json", "freeze", "operators"}
	for _, m := range methods {
		c.methods[m.global] = append(c.methods[m.global], m)
		need = append(need, m.part)
	}
	for _, part := range MadeBy {
		need = append(need, part)
	}
	for _, part := range need {
		if c.parts[part] != nil {
			continue
		}
		text, err := text.ReadFile("js/" + part + ".js")
		if err != nil {
			return nil, err
		}
		// Internal, so that no stack shows the frames.
		if c.parts[part], err = goja.Compile(language.Internal+"library/"+part+">", string(text), false); err != nil {
			return nil, fmt.Errorf("compile the library's %s: %w", part, err)
		}
		linear.Tune(c.parts[part])
	}
	return c, nil
})

// Library is that of one runtime.
type Library struct {
	// Global is the global object that parts find. Executions that share a runtime have ones of
	// their own, which they may change.
	Global *goja.Object
	// HostOf is what Go gives a part; nil for nothing. No more than it needs, because code that
	// changed the builtins may get hold of it.
	HostOf func(part string) map[string]any

	h         language.Host
	common    *common
	parts     map[string]*goja.Object // so far
	iterators *goja.Object            // see IteratorPrototype
}

// New makes one, of which nothing is evaluated yet.
func New(h language.Host) (*Library, error) {
	c, err := load()
	if err != nil {
		return nil, fmt.Errorf("load the library: %w", err)
	}
	return &Library{h: h, common: c, parts: map[string]*goja.Object{}}, nil
}

// Part evaluates a part, once.
func (l *Library) Part(name string) (*goja.Object, error) {
	if made := l.parts[name]; made != nil {
		return made, nil
	}
	r := l.h.Runtime()
	current := r.GlobalObject()
	r.SetGlobalObject(l.Global)
	defer r.SetGlobalObject(current)
	program, err := r.RunProgram(l.common.parts[name])
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(program)
	if !ok {
		return nil, fmt.Errorf("the library's %s is a %T", name, program.Export())
	}
	host, err := l.hostOf(name)
	if err != nil {
		return nil, err
	}
	made, err := f(goja.Undefined(), host)
	if err != nil {
		return nil, err
	}
	l.parts[name] = made.ToObject(r)
	return l.parts[name], nil
}

func (l *Library) hostOf(part string) (goja.Value, error) {
	members := l.HostOf(part)
	if members == nil {
		return goja.Undefined(), nil
	}
	host := l.h.Runtime().NewObject()
	for name, value := range members {
		// Set would call a setter that the author has put on Object.prototype.
		if err := host.DefineDataProperty(name, l.h.Runtime().ToValue(value), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE); err != nil {
			return nil, err
		}
	}
	return host, nil
}

// Has tells whether it adds methods to a global.
func (l *Library) Has(global string) bool { return len(l.common.methods[global]) > 0 }

// AddMethods puts the methods of a global's in their places. Their parts are evaluated when one is
// first called.
func (l *Library) AddMethods(global string, value *goja.Object) error {
	for _, m := range l.common.methods[global] {
		on := value
		if global == "Iterator" {
			on = l.IteratorPrototype()
		} else if m.prototype {
			on = value.Get("prototype").ToObject(l.h.Runtime())
		}
		existing, exists := on.Get(m.name).(*goja.Object)
		if exists && !m.replace {
			continue
		}
		as := m.as
		if as == "" {
			as = m.name
		}
		if exists && l.h.Replace(existing, l.h.Counted(l.Late(m.part, as))) {
			continue
		}
		if err := language.DefineFunction(l.h, on, m.name, m.length, l.Late(m.part, as)); err != nil {
			return err
		}
	}
	return nil
}

// Late calls a part's function.
func (l *Library) Late(part, name string) language.Function {
	var f goja.Callable
	return func(call goja.FunctionCall) goja.Value {
		if f == nil {
			made, err := l.Part(part)
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			f, _ = goja.AssertFunction(made.Get(name))
		}
		out, err := f(call.This, call.Arguments...)
		if err != nil {
			panic(err)
		}
		return out
	}
}

// IteratorPrototype is what all iterators inherit from; no global names it.
func (l *Library) IteratorPrototype() *goja.Object {
	if l.iterators == nil {
		r := l.h.Runtime()
		keys := language.Builtin(language.NativePrototype(l.h, "Array"), "keys")
		l.iterators = keys(goja.FunctionCall{This: r.NewArray()}).ToObject(r).Prototype().Prototype()
	}
	return l.iterators
}
