package workflow

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"
)

// machine is one goja runtime with the bundle loaded. Executions share it, one at a time, and those of
// several codes do unless something speaks against it.
type machine struct {
	pool *pool
	// shared is set if executions of several codes may live here.
	shared bool

	// busy counts executions inside or before the lock.
	busy atomic.Int32

	keptMu sync.Mutex // guards globals and modules; never held while JavaScript runs
	// globals are the executions' own global objects: what their code adds to globalThis stays
	// there. All that an execution holds of the runtime is here, so that the runtime can be let go
	// of.
	globals map[*instance]*goja.Object
	// modules are the codes' modules, not yet evaluated: functions (require, module, exports).
	modules map[*Code]goja.Value

	// Guarded by pool.mu.
	runs   int             // executions that live here
	placed int             // executions that ever did
	idle   *time.Timer     // drops it; nil while in use
	homes  map[*Code]*home // of the codes that have executions here, or had some lately

	mu lock // guards all below: who holds it may enter
	// broken is set if the runtime couldn't be made, and once it was discarded.
	broken error
	vm     *sandbox.VM
	base   *goja.Object // the global object that executions' own inherit from
	flags  []int        // that new executions start with
	sdk    sdk
	// symbols is how many names the registry of Symbol.for had when the bundle was loaded.
	symbols int

	// What the running execution is to the bundle.
	host     host
	module   goja.Value
	now      time.Time
	rejected []*goja.Promise // without a handler, in order
}

func newMachine() *machine { return &machine{mu: newLock()} }

// cut lets go of the runtime; the caller holds mu.
func (v *machine) cut() {
	v.broken, v.vm, v.base, v.sdk = errDiscarded, nil, nil, sdk{}
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	v.globals, v.modules = nil, nil
}

// leave lets go of what a code's executions hold of the runtime.
func (v *machine) leave(c *Code) {
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	for in := range v.globals {
		if in.code == c {
			delete(v.globals, in)
		}
	}
	delete(v.modules, c)
}

// errDiscarded is what the executions find that lived on a runtime together with one that was cut
// off: they begin again on another.
var errDiscarded = errors.New("the JavaScript runtime was discarded")

// errHeld is what executions find whose runtime somebody else holds for long.
var errHeld = fmt.Errorf("%w: somebody else holds it", errDiscarded)

// registered is how many names the registry of Symbol.for has, which goja doesn't tell.
func (v *machine) registered() int {
	registry := reflect.ValueOf(v.vm.Runtime).Elem().FieldByName("symbolRegistry")
	if registry.Kind() != reflect.Map {
		return 0
	}
	return registry.Len()
}

// newGlobal makes an execution's own global object; called inside Enter.
func (v *machine) newGlobal() (*goja.Object, error) {
	r := v.vm.Runtime
	g := r.CreateObject(v.base)
	for _, p := range []struct {
		name  string
		value goja.Value
	}{{"globalThis", g}, {"console", v.sdk.console}, {"__TEMPORAL_ACTIVATOR__", goja.Undefined()}} {
		if err := g.DefineDataProperty(p.name, p.value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// track keeps the rejections that nobody handles.
func (v *machine) track(p *goja.Promise, op goja.PromiseRejectionOperation) {
	if op == goja.PromiseRejectionReject {
		v.rejected = append(v.rejected, p)
		return
	}
	for i, x := range v.rejected {
		if x == p {
			v.rejected = append(v.rejected[:i], v.rejected[i+1:]...)
			return
		}
	}
}
