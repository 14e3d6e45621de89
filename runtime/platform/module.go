package platform

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/eventloop"
	"workflow-worker/runtime/sandbox"
)

// Module is one subject of the platform.
type Module struct {
	// Name is for errors and for modules that ask what it shares.
	Name string
	// Globals are the names that it defines.
	Globals []string
	// Program is a function of one argument, what Host gives, that returns an object with the
	// globals; or, with Bundle, a bundle's CommonJS text, whose exports have them.
	Program func() (*goja.Program, error)
	Bundle  bool
	// Host gives host functions and constants for one execution. Nil: there are none. Inside Enter.
	Host func(h Host) map[string]any
}

// Host is an execution as modules see it.
type Host interface {
	// VM is the runtime. One goroutine at a time runs its JavaScript.
	VM() *sandbox.VM
	// Loop is the way back onto that goroutine.
	Loop() *eventloop.Loop
	// Context ends with the execution.
	Context() context.Context
	// Background runs f beside JavaScript; the execution is over only when it has returned.
	Background(f func())
	// OnEnd has f called when the execution is over, on the goroutine that ran its JavaScript.
	OnEnd(f func())
	// Elapsed is how long the execution's globals have been there: performance.now().
	Elapsed() time.Duration
	// Requests bounds what the execution has open on the network.
	Requests() *Requests
	// Fail notes what went wrong in a part of ours, where JavaScript can't be told. The first
	// counts.
	Fail(err error)
	// Shared is what a module keeps for its kind, loading it if need be; SharedSoFar doesn't load.
	Shared(module string) goja.Value
	SharedSoFar(module string) goja.Value
}

// SharedName is the member of what a module's program gives that is for other modules.
const SharedName = "internal"

// Script is the program of a module's own text, compiled once per process.
func Script(module, text string) func() (*goja.Program, error) {
	return sync.OnceValues(func() (*goja.Program, error) {
		// Names that begin like this are left out of stacks.
		p, err := sandbox.Compile(sandbox.Internal+"platform/"+module+">", text)
		if err != nil {
			return nil, fmt.Errorf("compile the platform's %s: %w", module, err)
		}
		return p, nil
	})
}

//go:embed faults.js
var faults string

// WithFaults gives a module's text the functions of faults.js, which say in Node's words what isn't
// taken.
func WithFaults(text string) string { return "(() => {\n" + faults + "return (" + text + "\n);\n})()" }

// Load evaluates a module: the object that has its globals, and what it shares, or nil. Inside
// Enter.
func (m Module) Load(h Host) (values, shared *goja.Object, err error) {
	r := h.VM().Runtime
	program, err := m.Program()
	if err != nil {
		return nil, nil, err
	}
	host := r.NewObject()
	if m.Host != nil {
		host = Object(h, m.Host(h))
	}
	if m.Bundle {
		exports, err := Evaluate(r, program, host)
		return exports, exports, err
	}
	v, err := Call(r, program, host)
	if err != nil {
		return nil, nil, err
	}
	values = v.ToObject(r)
	if own, ok := values.Get(SharedName).(*goja.Object); ok {
		return values, own, values.Delete(SharedName)
	}
	return values, nil, nil
}

// Requests counts what one execution has open on the network, over all modules. The goroutine that
// runs its JavaScript owns it.
type Requests struct {
	Most int
	open int
}

// Open takes a place; false if there is none.
func (q *Requests) Open() bool {
	if q.open >= q.Most {
		return false
	}
	q.open++
	return true
}

// Close gives a place back.
func (q *Requests) Close() { q.open-- }
