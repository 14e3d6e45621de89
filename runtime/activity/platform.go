package activity

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/activities"
	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/platform/web"
	"workflow-worker/runtime/sandbox"
)

//go:embed js/*.js
var platformText embed.FS

// groups are the globals of the platform that only activities have, by the file in js that makes them. Evaluating all of it would take longer than
// most activities' own code, so that a group is loaded when one of its names is first used.
func groups() map[string][]string {
	return map[string][]string{
		"timers":  {"setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"},
		"console": {"console"},
		"process": {"process", "performance"},
		"crypto":  {"crypto", "CryptoKey"},
		"fetch":   {"fetch", "Request", "Response"},
		"headers": {"Headers"},
		"channel": {"CustomEvent", "MessageEvent", "MessagePort", "MessageChannel"},
		"blob":    {"Blob", "File", "FormData"},
	}
}

// platform is what all runtimes share of it.
type platform struct {
	programs map[string]*goja.Program // by group
	group    map[string]string        // of each global
}

// loadPlatform compiles the platform, once per process.
var loadPlatform = sync.OnceValues(func() (*platform, error) {
	p := &platform{programs: map[string]*goja.Program{}, group: map[string]string{}}
	for group, names := range groups() {
		text, err := platformText.ReadFile("js/" + group + ".js")
		if err != nil {
			return nil, err
		}
		// Names that begin like this are left out of stacks.
		if p.programs[group], err = goja.Compile(sandbox.Internal+"platform/"+group+">", string(text), false); err != nil {
			return nil, fmt.Errorf("compile the platform's %s: %w", group, err)
		}
		for _, name := range names {
			p.group[name] = group
		}
	}
	for group, names := range web.Groups() {
		for _, name := range names {
			p.group[name] = group
		}
	}
	delete(p.group, "assert") // a module for activities, as in Node
	return p, nil
})

// installPlatform puts the platform behind the global object: as its prototype, it is asked for each global that isn't
// there, and defines the name's group then. Inside Enter.
func (in *instance) installPlatform() error {
	p, err := loadPlatform()
	if err != nil {
		return err
	}
	global := in.vm.Runtime.GlobalObject()
	in.globals = &lazyGlobals{in: in, platform: p, internal: map[string]*goja.Object{}}
	behind := in.vm.Runtime.NewDynamicObject(in.globals)
	if err := behind.SetPrototype(global.Prototype()); err != nil {
		return err
	}
	return global.SetPrototype(behind)
}

// lazyGlobals is a goja.DynamicObject with the globals that are not defined so far.
type lazyGlobals struct {
	in       *instance
	platform *platform
	// internal is what groups that were loaded share with others and not with the author.
	internal map[string]*goja.Object
}

// Get implements goja.DynamicObject.
func (l *lazyGlobals) Get(name string) goja.Value {
	if !l.Has(name) {
		return nil
	}
	values, err := l.load(name)
	if err == nil {
		err = l.define(values)
	}
	if err != nil {
		l.in.broken = fmt.Errorf("load the platform's %s: %w", name, err)
		return goja.Undefined()
	}
	return values.Get(name)
}

// load makes the globals of a name's group.
func (l *lazyGlobals) load(name string) (*goja.Object, error) {
	r := l.in.vm.Runtime
	switch {
	case name == "global" || name == "self":
		values := r.NewObject()
		return values, values.Set(name, r.GlobalObject())
	case name == "Buffer":
		p, err := bundle.Buffer()
		if err != nil {
			return nil, err
		}
		return evaluateBundle(r, p, r.NewObject())
	case slices.Contains(streamNames, name):
		return l.loadStreams()
	}
	group := l.platform.group[name]
	if _, shared := web.Groups()[group]; shared {
		return web.Load(r, group, l.in.elapsed)
	}
	values, err := run(r, l.platform.programs[group], l.in.groupHost(group))
	if err != nil {
		return nil, err
	}
	made := values.ToObject(r)
	if internal, ok := made.Get(internalName).(*goja.Object); ok {
		l.internal[group] = internal
		err = made.Delete(internalName)
	}
	return made, err
}

// internalName is the member of what a group's program gives that is for other groups.
const internalName = "internal"

// shared gives what a group shares with other groups, loading it by one of its globals if need be.
func (l *lazyGlobals) shared(group, global string) goja.Value {
	if l.internal[group] == nil {
		l.Get(global)
	}
	if l.internal[group] == nil { // what went wrong is in broken
		return goja.Undefined()
	}
	return l.internal[group]
}

// sharer is shared as a function of JavaScript.
func (l *lazyGlobals) sharer(group, global string) func(goja.FunctionCall) goja.Value {
	return func(goja.FunctionCall) goja.Value { return l.shared(group, global) }
}

// streamNames are the globals of the bundle of streams.
var streamNames = []string{
	"ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamDefaultController", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest",
	"ReadableByteStreamController", "WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController", "TransformStream",
	"TransformStreamDefaultController", "ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextDecoderStream", "TextEncoderStream",
	"CompressionStream", "DecompressionStream",
}

func (l *lazyGlobals) loadStreams() (*goja.Object, error) {
	p, err := bundle.Streams()
	if err != nil {
		return nil, err
	}
	in := l.in
	exports, err := evaluateBundle(in.vm.Runtime, p, in.object(map[string]any{"coder": in.coder}))
	if err != nil {
		return nil, err
	}
	l.internal["streams"] = exports
	globals := in.vm.Runtime.NewObject()
	for _, name := range streamNames {
		if err := in.define(globals, name, exports.Get(name)); err != nil {
			return nil, err
		}
	}
	return globals, nil
}

// streamsSoFar is the bundle of streams if code has touched one: else nothing can be a stream.
func (l *lazyGlobals) streamsSoFar(goja.FunctionCall) goja.Value {
	if exports := l.internal["streams"]; exports != nil {
		return exports
	}
	return goja.Undefined()
}

// define makes a group's values globals, except where the author has made one of the name.
func (l *lazyGlobals) define(values *goja.Object) error {
	global := l.in.vm.Runtime.GlobalObject()
	own := map[string]bool{}
	for _, name := range global.GetOwnPropertyNames() {
		own[name] = true
	}
	for _, name := range values.Keys() {
		if own[name] {
			continue
		}
		if err := global.DefineDataProperty(name, values.Get(name), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			return err
		}
	}
	return nil
}

// Set implements goja.DynamicObject. Assignments to globals never come here: they define the global itself.
func (l *lazyGlobals) Set(string, goja.Value) bool { return false }

// Has implements goja.DynamicObject.
func (l *lazyGlobals) Has(name string) bool {
	return name == "global" || name == "self" || name == "Buffer" || l.platform.group[name] != "" || slices.Contains(streamNames, name)
}

// Delete implements goja.DynamicObject.
func (l *lazyGlobals) Delete(name string) bool { return !l.Has(name) }

// Keys implements goja.DynamicObject: like all globals of the platform, these are not enumerable.
func (l *lazyGlobals) Keys() []string { return nil }

// groupHost is what Go gives a group.
func (in *instance) groupHost(group string) *goja.Object {
	switch group {
	case "timers":
		return in.object(map[string]any{"maxTimers": in.code.opts.MaxTimers, "startTimer": in.startTimer, "stopTimer": in.stopTimer})
	case "console":
		return in.object(map[string]any{"print": in.print, "now": in.now, "inspect": in.inspect, "format": in.format})
	case "process":
		return in.object(map[string]any{
			"env": in.code.opts.Env, "now": in.now, "timeOrigin": float64(in.made.UnixMicro()) / 1e3})
	case "crypto":
		return in.object(map[string]any{"subtle": in.subtle, "random": in.random, "randomUUID": in.randomUUID})
	case "blob":
		return in.object(map[string]any{"streams": in.globals.sharer("streams", "ReadableStream")})
	case "fetch":
		return in.object(map[string]any{
			"maxRequests": in.code.opts.MaxRequests, "requestsSetting": activities.MaxRequestsSetting,
			"send": in.send, "read": in.readBody, "chunk": in.readChunk, "write": in.write, "endWrite": in.endWrite, "stop": in.stopRequest,
			"refused": in.noteRefusal,
			"headers": in.globals.sharer("headers", "Headers"), "blob": in.globals.sharer("blob", "Blob"),
			"streams": in.globals.sharer("streams", "ReadableStream"), "streamsSoFar": in.globals.streamsSoFar,
		})
	default:
		return in.vm.Runtime.NewObject()
	}
}

// object makes an object of host functions and constants.
func (in *instance) object(members map[string]any) *goja.Object {
	o := in.vm.Runtime.NewObject()
	for name, value := range members {
		if err := in.define(o, name, value); err != nil && in.broken == nil {
			in.broken = fmt.Errorf("set %s: %w", name, err)
		}
	}
	return o
}

// define sets an object's own property. Set would call a setter that the author has put on Object.prototype, and hand it what is
// ours. A function gets the property's name: goja would show Go's in stacks.
func (in *instance) define(o *goja.Object, name string, value any) error {
	return define(in.vm.Runtime, o, name, value)
}

func define(r *goja.Runtime, o *goja.Object, name string, value any) error {
	v := r.ToValue(value)
	if f, ok := v.(*goja.Object); ok {
		if _, ok := value.(func(goja.FunctionCall) goja.Value); ok {
			if err := rename(r, f, name); err != nil {
				return err
			}
		}
	}
	return o.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

func rename(r *goja.Runtime, f *goja.Object, name string) error {
	return f.DefineDataProperty("name", r.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// run evaluates a program that is a function, and calls it.
func run(r *goja.Runtime, p *goja.Program, args ...goja.Value) (goja.Value, error) {
	v, err := r.RunProgram(p)
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return nil, fmt.Errorf("the program is a %T, not a function", v.Export())
	}
	return f(goja.Undefined(), args...)
}
