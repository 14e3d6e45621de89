package workflow

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/platform/web"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/protocol"
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

// host is the execution that the bundle's calls act on.
type host interface {
	random(stream string) float64
	hasPatch(id string) bool
	missingActivity(name string) string
	logs(level string) bool
	started(v *machine)
	sink(v *machine, name, fn string, args []goja.Value)
	console(v *machine, level string, args []goja.Value)
}

// sdk are the bundle's exports; see runtime/bundle/ts/workflow/entry.ts.
type sdk struct {
	create, check, begin, beginQuery, initialize, activate, unblock, conclude goja.Callable
	failureOf, failureOfRejection, autoUpgrades, withPackages                 goja.Callable
	console                                                                   goja.Value
	values                                                                    *protocol.Values
}

// instance is one execution in its runtime.
type instance struct {
	machine *machine
	code    *Code
	// begun is set once the execution has something in the runtime.
	begun bool
	// heavy is set if it is in a runtime that others share, and its code shouldn't.
	heavy bool
	// behaves is set if it is in a runtime of its own, and may share one.
	behaves bool
	// unproven is for one that may turn out to be anything: it never lives beside others' executions.
	unproven bool
	runID    string
	// account is charged with what it keeps; nil where nobody counts.
	account *sandbox.Account
	// busy is set while it must not be replayed; nil if it always may.
	busy *atomic.Bool

	inside atomic.Bool // it runs
	// working is set during a task, from before its first entry until what it started is known.
	working atomic.Bool
	left    atomic.Int64 // when it last did, in nanoseconds
}

func newMachine() *machine { return &machine{mu: newLock()} }

// newInstance gives an execution a place.
func (c *Code) newInstance(runID string, unproven bool) *instance {
	in := &instance{code: c, runID: runID, unproven: unproven, account: c.account(runID, unproven)}
	in.machine = c.acquire(runID, unproven)
	return in
}

// global gives the execution's own global object, made at its first entry.
func (in *instance) global() (*goja.Object, error) {
	v := in.machine
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	if g := v.globals[in]; g != nil {
		return g, nil
	}
	if in.begun {
		return nil, errDiscarded // by Code.Discard
	}
	g, err := v.newGlobal()
	if err != nil {
		return nil, err
	}
	if v.globals == nil {
		v.globals = make(map[*instance]*goja.Object)
	}
	v.globals[in], in.begun = g, true
	if !in.unproven {
		in.code.residents.add(in)
	}
	return g, nil
}

// close gives the place in the runtime back. It never waits for what runs there.
func (in *instance) close() {
	in.code.residents.remove(in)
	in.account.Close()
	in.machine.keptMu.Lock()
	delete(in.machine.globals, in)
	in.machine.keptMu.Unlock()
	in.machine.pool.release(in.machine, in.code)
}

// enter runs f with the instance's runtime locked and its globals in place. JavaScript runs nowhere
// else. Where the runtime was discarded before the execution had anything in it, the execution gets
// a place in another.
func (in *instance) enter(ctx context.Context, budget time.Duration, h host, f func() error) error {
	for {
		err := in.tryEnter(ctx, budget, h, f)
		if in.begun || !errors.Is(err, errDiscarded) {
			return err
		}
		in.machine.pool.release(in.machine, in.code)
		in.machine = in.code.acquire(in.runID, in.unproven)
	}
}

func (in *instance) tryEnter(ctx context.Context, budget time.Duration, h host, f func() error) error {
	v := in.machine
	v.busy.Add(1)
	defer v.busy.Add(-1)
	switch {
	case !v.shared:
		v.mu.Lock()
	case !v.mu.lockPatiently():
		v.pool.drop(v) // its executions leave it, one by one
		return errHeld
	}
	defer v.mu.Unlock()
	in.inside.Store(true)
	defer func() {
		in.left.Store(time.Now().UnixNano())
		in.inside.Store(false)
	}()
	workflowID := ""
	if d, is := h.(*definition); is {
		workflowID = d.x.ID
	}
	defer in.code.opts.Entered(in.code.program, workflowID, in.runID)()
	module, err := v.load(in.code, in.account)
	if err != nil {
		return err
	}
	before := v.vm.CPUTime()
	v.vm.ChargeTo(in.account)
	err = v.vm.Enter(ctx, budget, func() error {
		r := v.vm.Runtime
		g, err := in.global()
		if err != nil {
			return err
		}
		r.SetGlobalObject(g)
		v.host, v.module = h, module
		defer func() {
			r.SetGlobalObject(v.base)
			v.host, v.module, v.rejected = nil, nil, nil
		}()
		return f()
	})
	v.vm.ChargeTo(nil)
	took := v.vm.CPUTime() - before
	in.code.opts.Used(took)
	switch {
	case sandbox.CutOff(err):
		v.cut()
		in.code.keepApart()
		v.pool.drop(v)
	case !v.shared:
	case took > longEntry || in.code.takesMuch(took, time.Now()):
		in.code.keepApart()
	case v.registered()-v.symbols > maxSymbols:
		in.code.keepApart()
		v.pool.drop(v) // its executions stay
	}
	in.heavy = v.shared && in.code.isApart()
	return err
}

const (
	// longEntry is the CPU time after which an entry is long for those who wait for the runtime:
	// then the code's executions get runtimes of their own. Ordinary activations take under a
	// millisecond, the longest that are no mistake ten.
	longEntry = 50 * time.Millisecond
	// fairShare is the part of a processor that one code may take for long in shared runtimes, and
	// fairBurst what it may take beyond at once: it is as well off with its own.
	fairShare = 0.25
	fairBurst = 500 * time.Millisecond
	// maxSymbols is how many names may be added to the registry of Symbol.for, which goja keeps for
	// good, before a runtime takes no new executions.
	maxSymbols = 10_000
)

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

// load makes the runtime, if that wasn't done, and gives a code's module; the caller holds mu.
func (v *machine) load(c *Code, account *sandbox.Account) (goja.Value, error) {
	if v.broken != nil {
		return nil, v.broken
	}
	if v.vm == nil {
		v.mu.begin(loadTimeout)
		defer v.mu.begin(0)
		if err := v.loadBundle(c.sandbox()); err != nil {
			v.broken = err
			v.pool.drop(v) // the next one tries again
			return nil, err
		}
	}
	v.keptMu.Lock()
	module := v.modules[c]
	v.keptMu.Unlock()
	if module != nil {
		return module, nil
	}
	v.vm.ChargeTo(account)
	err := v.vm.Enter(context.Background(), loadTimeout, func() (err error) {
		module, err = v.loadModule(c.program)
		return err
	})
	v.vm.ChargeTo(nil)
	if err != nil {
		if sandbox.CutOff(err) {
			v.cut()
			v.pool.drop(v)
		}
		return nil, fmt.Errorf("load %s: %w", c.program.Name, err)
	}
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	if v.modules == nil {
		v.modules = make(map[*Code]goja.Value)
	}
	v.modules[c] = module
	return module, nil
}

// loadBundle makes the runtime, for any code.
func (v *machine) loadBundle(o sandbox.Options) error {
	program, err := bundle.Workflow()
	if err != nil {
		return err
	}
	o.Shared, o.MostClock = true, mostClock
	vm, err := sandbox.New(o)
	if err != nil {
		return err
	}
	r := vm.Runtime
	r.SetTimeSource(func() time.Time { return v.now })
	r.SetPromiseRejectionTracker(v.track)
	err = vm.Enter(context.Background(), loadTimeout, func() error {
		f, err := r.RunProgram(program)
		if err != nil {
			return err
		}
		install, ok := goja.AssertFunction(f)
		if !ok {
			return fmt.Errorf("the bundle is a %T", f.Export())
		}
		h, err := v.hostObject(vm)
		if err != nil {
			return err
		}
		module, exports := r.NewObject(), r.NewObject()
		if err := module.Set("exports", exports); err != nil {
			return err
		}
		if _, err := install(goja.Undefined(), h, module, exports); err != nil {
			return err
		}
		if err := v.sdk.bind(vm, module.Get("exports").ToObject(r)); err != nil {
			return err
		}
		flags, ok := goja.AssertFunction(module.Get("exports").ToObject(r).Get("defaultFlags"))
		if !ok {
			return errors.New("the bundle has no defaultFlags")
		}
		list, err := flags(goja.Undefined())
		if err != nil {
			return err
		}
		if err := r.ExportTo(list, &v.flags); err != nil {
			return err
		}
		v.base = r.GlobalObject()
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the bundle %s: %w", bundle.Version(), err)
	}
	v.vm = vm
	v.symbols = v.registered()
	return nil
}

// registered is how many names the registry of Symbol.for has, which goja doesn't tell.
func (v *machine) registered() int {
	registry := reflect.ValueOf(v.vm.Runtime).Elem().FieldByName("symbolRegistry")
	if registry.Kind() != reflect.Map {
		return 0
	}
	return registry.Len()
}

// loadModule makes the function that evaluates the author's module, with the npm packages that it
// imports.
func (v *machine) loadModule(program *compile.Program) (goja.Value, error) {
	r := v.vm.Runtime
	js, err := program.JS()
	if err != nil {
		return nil, err
	}
	module, err := r.RunProgram(js)
	p := program.Packages
	if err != nil || p == nil {
		return module, err
	}
	packages, err := r.RunProgram(p.JS)
	if err != nil {
		return nil, err
	}
	return v.sdk.withPackages(goja.Undefined(), module, packages, r.ToValue(p.Names))
}

const (
	// loadTimeout is for our own code: it only ends a runtime that can't be loaded at all.
	loadTimeout = 10 * time.Second
	// mostClock is less than the ten seconds that a workflow task has.
	mostClock = 9500 * time.Millisecond
)

func (s *sdk) bind(vm *sandbox.VM, exports *goja.Object) error {
	for name, f := range map[string]*goja.Callable{
		"create": &s.create, "check": &s.check, "begin": &s.begin, "beginQuery": &s.beginQuery, "initialize": &s.initialize,
		"activate": &s.activate, "unblock": &s.unblock, "conclude": &s.conclude,
		"failureOf": &s.failureOf, "failureOfRejection": &s.failureOfRejection, "autoUpgrades": &s.autoUpgrades,
		"withPackages": &s.withPackages,
	} {
		c, ok := goja.AssertFunction(exports.Get(name))
		if !ok {
			return fmt.Errorf("the bundle has no function %s", name)
		}
		*f = c
	}
	s.console = vm.Runtime.GlobalObject().Get("console")
	s.values = protocol.NewValues(vm, exports)
	return nil
}

// hostObject is the bundle's way out: see runtime/bundle/ts/workflow/host.ts.
func (v *machine) hostObject(vm *sandbox.VM) (*goja.Object, error) {
	r := vm.Runtime
	o := r.NewObject()
	for name, f := range map[string]func(goja.FunctionCall) goja.Value{
		"random": func(c goja.FunctionCall) goja.Value { return r.ToValue(v.host.random(c.Argument(0).String())) },
		"hasPatch": func(c goja.FunctionCall) goja.Value {
			return r.ToValue(v.host.hasPatch(c.Argument(0).String()))
		},
		"missingActivity": func(c goja.FunctionCall) goja.Value {
			return r.ToValue(v.host.missingActivity(c.Argument(0).String()))
		},
		"sink": func(c goja.FunctionCall) goja.Value {
			v.host.sink(v, c.Argument(0).String(), c.Argument(1).String(), protocol.Items(r, c.Argument(2)))
			return goja.Undefined()
		},
		"started": func(goja.FunctionCall) goja.Value { v.host.started(v); return goja.Undefined() },
		"console": func(c goja.FunctionCall) goja.Value {
			v.host.console(v, c.Argument(0).String(), protocol.Items(r, c.Argument(1)))
			return goja.Undefined()
		},
		"logs":         func(c goja.FunctionCall) goja.Value { return r.ToValue(v.host.logs(c.Argument(0).String())) },
		"unsafeRandom": func(goja.FunctionCall) goja.Value { return r.ToValue(rand.Float64()) },
		"webGroups":    func(goja.FunctionCall) goja.Value { return r.ToValue(web.Groups()) },
		"web":          func(c goja.FunctionCall) goja.Value { return loadWeb(vm, c) },
		"captureStack": v.captureStack, "formatStack": v.formatStack,
		"handled": func(c goja.FunctionCall) goja.Value { vm.Handled(c.Argument(0)); return c.Argument(0) },
		"awaited": func(c goja.FunctionCall) goja.Value { vm.Awaited(c.Argument(0)); return goja.Undefined() },
		"unseen":  func(c goja.FunctionCall) goja.Value { vm.Unseen(c.Argument(0)); return c.Argument(0) },
		"now":     func(goja.FunctionCall) goja.Value { return r.ToValue(time.Now().UnixMilli()) },
	} {
		if err := o.Set(name, f); err != nil {
			return nil, err
		}
	}
	return o, o.Set("freeze", vm.Freezer())
}

// loadWeb makes a group of the web platform's globals, which executions share.
func loadWeb(vm *sandbox.VM, call goja.FunctionCall) goja.Value {
	r := vm.Runtime
	now, ok := goja.AssertFunction(call.Argument(1))
	if !ok {
		panic(r.NewTypeError("now is not a function"))
	}
	var values *goja.Object
	err := vm.Pristine(func() (err error) {
		values, err = web.Load(r, call.Argument(0).String(), func() float64 {
			t, err := now(goja.Undefined())
			if err != nil {
				panic(err) // goja's way to throw into JavaScript
			}
			return t.ToFloat()
		})
		if err != nil {
			return err
		}
		return vm.Freeze(values)
	})
	if err != nil {
		panic(r.NewGoError(err))
	}
	return values
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
