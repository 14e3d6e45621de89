package activity

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/platform/buffer"
	"workflow-worker/runtime/platform/channel"
	"workflow-worker/runtime/platform/console"
	"workflow-worker/runtime/platform/fetch"
	"workflow-worker/runtime/platform/process"
	"workflow-worker/runtime/platform/timers"
	"workflow-worker/runtime/platform/web"
	"workflow-worker/runtime/platform/webcrypto"
	"workflow-worker/runtime/platform/zlib"
)

// modules are the platform of a code's executions. Evaluating all of it would take longer than most
// activities' own code, so that a module is loaded when one of its names is first used.
type modules struct {
	named  map[string]platform.Module
	global map[string]platform.Module // by the globals that they define
}

func newModules(o CodeOptions) *modules {
	list := []platform.Module{
		timers.Module(o.MaxTimers), process.Module(o.Env), channel.Module(), webcrypto.Module(),
		console.Module(func(h platform.Host) console.Log { return h.(*instance) }),
		{Name: "buffer", Globals: []string{"Buffer"}, Program: bundle.Buffer, Bundle: true, Host: buffer.Host},
		{Name: "streams", Globals: []string{
			"ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamDefaultController", "ReadableStreamBYOBReader",
			"ReadableStreamBYOBRequest", "ReadableByteStreamController", "WritableStream", "WritableStreamDefaultWriter",
			"WritableStreamDefaultController", "TransformStream", "TransformStreamDefaultController",
			"ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextDecoderStream", "TextEncoderStream",
			"CompressionStream", "DecompressionStream",
		}, Program: bundle.Streams, Bundle: true, Host: func(h platform.Host) map[string]any {
			return zlib.Streams(h, o.MaxResponseBytes)
		}},
	}
	list = append(list, fetch.Modules(fetch.Options{
		HTTP: o.HTTP, MaxResponseBytes: o.MaxResponseBytes,
		Refused: func(h platform.Host, e *goja.Object) { h.(*instance).noteRefusal(e) },
	})...)
	list = append(list, web.Modules()...)
	m := &modules{named: map[string]platform.Module{}, global: map[string]platform.Module{}}
	for _, module := range list {
		m.named[module.Name] = module
		for _, name := range module.Globals {
			m.global[name] = module
		}
	}
	delete(m.global, "assert") // a module for activities, as in Node
	return m
}

// lazyGlobals is a goja.DynamicObject with the globals that are not defined so far.
type lazyGlobals struct {
	in      *instance
	modules *modules
	shared  map[string]*goja.Object // by module, what those that were loaded keep for others
}

// installPlatform puts the platform behind the global object: as its prototype, it is asked for
// each global that isn't there, and defines what the name's module has then. Inside Enter.
func (in *instance) installPlatform() error {
	r := in.vm.Runtime
	global := r.GlobalObject()
	in.globals = &lazyGlobals{in: in, modules: in.code.modules(), shared: map[string]*goja.Object{}}
	behind := r.NewDynamicObject(in.globals)
	if err := behind.SetPrototype(global.Prototype()); err != nil {
		return err
	}
	return global.SetPrototype(behind)
}

// Get implements goja.DynamicObject.
func (l *lazyGlobals) Get(name string) goja.Value {
	r := l.in.vm.Runtime
	if isGlobalThis(name) {
		l.in.Fail(l.define([]string{name}, func(string) goja.Value { return r.GlobalObject() }))
		return r.GlobalObject()
	}
	m, ok := l.modules.global[name]
	if !ok {
		return nil
	}
	values, err := l.load(m)
	if err == nil {
		err = l.define(m.Globals, values.Get)
	}
	if err != nil {
		l.in.Fail(fmt.Errorf("load the platform's %s: %w", name, err))
		return goja.Undefined()
	}
	return values.Get(name)
}

// isGlobalThis tells Node's and the web's other names of the global object.
func isGlobalThis(name string) bool { return name == "global" || name == "self" }

func (l *lazyGlobals) load(m platform.Module) (*goja.Object, error) {
	values, shared, err := m.Load(l.in)
	if shared != nil {
		l.shared[m.Name] = shared
	}
	return values, err
}

// define makes values globals, except where the author has made one of the name.
func (l *lazyGlobals) define(names []string, value func(string) goja.Value) error {
	global := l.in.vm.Runtime.GlobalObject()
	own := map[string]bool{}
	for _, name := range global.GetOwnPropertyNames() {
		own[name] = true
	}
	for _, name := range names {
		if own[name] {
			continue
		}
		if err := global.DefineDataProperty(name, value(name), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	return nil
}

// Set implements goja.DynamicObject. Assignments to globals never come here: they define the global
// itself.
func (l *lazyGlobals) Set(string, goja.Value) bool { return false }

// Has implements goja.DynamicObject.
func (l *lazyGlobals) Has(name string) bool {
	_, ok := l.modules.global[name]
	return ok || isGlobalThis(name)
}

// Delete implements goja.DynamicObject.
func (l *lazyGlobals) Delete(name string) bool { return !l.Has(name) }

// Keys implements goja.DynamicObject: like all globals of the platform, these are not enumerable.
func (l *lazyGlobals) Keys() []string { return nil }
