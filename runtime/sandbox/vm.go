package sandbox

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"
)

// Internal is how the names of our own programs begin: CleanStack drops their frames.
const Internal = "<"

const (
	defaultCallDepth = 1500
	// regexpTimeout ends a match of goja's backtracking engine. It must be longer than any watchdog: goja turns a timeout
	// into "no match", which must never be what code goes on with. The interrupt, pending since, then ends the execution.
	regexpTimeout = 10 * time.Second
	// regexpStack is how many places that engine may remember to go back to. Beyond it goja answers "no match" too, and the
	// library's own 100,000 are reached by honest texts. 64 MB at most, as for any one call.
	regexpStack = 8 << 20
)

// Options of a VM.
type Options struct {
	// CallDepth is how deep JavaScript calls may nest before a RangeError-like failure. Default 1500.
	CallDepth int
	// MaxBytes bounds what one call of a builtin may allocate by a number it is given: repeat, padStart, ArrayBuffer, typed
	// arrays, Array. Default 64 MiB.
	MaxBytes int64
}

func (o Options) withDefaults() Options {
	if o.CallDepth <= 0 {
		o.CallDepth = defaultCallDepth
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	return o
}

// VM is a goja runtime for untrusted code. It belongs to one goroutine at a time: the one inside Enter.
type VM struct {
	// Runtime may be used inside Enter only, and before the first.
	Runtime *goja.Runtime

	opts  Options
	async asyncContext
	watch watchdog
}

//go:embed prelude.js
var preludeText string

// Internal, so that no stack shows the frames.
const (
	preludeName = Internal + "prelude>"
	libraryName = Internal + "library>"
)

var prelude = sync.OnceValues(func() (*goja.Program, error) {
	// The library has one timeout for the whole process, and goja passes none of its own.
	regexp2.DefaultMatchTimeout = regexpTimeout
	regexp2.DefaultOptimizationOptions.MaxBacktrackingStackSize = regexpStack
	return goja.Compile(preludeName, preludeText, false)
})

// New makes a VM with the language's missing parts added and the dangerous builtins capped. It takes some 100 µs.
func New(o Options) (*VM, error) {
	p, err := prelude()
	if err != nil {
		return nil, fmt.Errorf("compile the prelude: %w", err)
	}
	v := &VM{Runtime: goja.New(), opts: o.withDefaults()}
	v.Runtime.SetMaxCallStackSize(v.opts.CallDepth)
	v.Runtime.SetAsyncContextTracker(&v.async)
	f, err := v.Runtime.RunProgram(p)
	if err != nil {
		return nil, fmt.Errorf("run the prelude: %w", err)
	}
	install, ok := goja.AssertFunction(f)
	if !ok {
		return nil, fmt.Errorf("the prelude is a %T", f.Export())
	}
	host := v.Runtime.NewObject()
	for name, value := range map[string]any{
		"maxBytes":   v.opts.MaxBytes,
		"getContext": v.async.get,
		"setContext": v.async.set,
		"encode":     v.encodeUTF8,
		"decode":     v.decodeUTF8,
		"btoa":       v.btoa,
		"atob":       v.atob,
		"jsonDepth":  jsonDepth,

		"expandProperties": v.expandProperties,
		"wellFormed":       wellFormed,
	} {
		if err := host.Set(name, value); err != nil {
			return nil, fmt.Errorf("prepare the prelude's %s: %w", name, err)
		}
	}
	lazily, err := install(goja.Undefined(), host)
	if err != nil {
		return nil, fmt.Errorf("run the prelude: %w", err)
	}
	if err := v.installLibrary(host, lazily); err != nil {
		return nil, err
	}
	if err := v.capConstructors(); err != nil {
		return nil, err
	}
	return v, nil
}

// Require makes a require function that knows the given modules.
func (v *VM) Require(modules map[string]goja.Value) goja.Value {
	return v.Runtime.ToValue(func(call goja.FunctionCall) goja.Value {
		name := call.Argument(0).String()
		m, ok := modules[name]
		if !ok {
			panic(v.Runtime.NewTypeError("no module %q", strings.ToValidUTF8(name, "?")))
		}
		return m
	})
}

// asyncContext carries AsyncLocalStorage's values along promise reactions: goja asks it for the context when a reaction is
// made, and gives it back when the reaction runs.
type asyncContext struct{ current goja.Value }

func (a *asyncContext) Grab() any           { return a.current }
func (a *asyncContext) Resumed(context any) { a.current, _ = context.(goja.Value) }
func (a *asyncContext) Exited()             { a.current = nil }

func (a *asyncContext) get() goja.Value {
	if a.current == nil {
		return goja.Undefined()
	}
	return a.current
}

func (a *asyncContext) set(v goja.Value) {
	if goja.IsUndefined(v) {
		v = nil
	}
	a.current = v
}
