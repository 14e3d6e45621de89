package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/protocol"
)

// sdk are the bundle's exports; see runtime/bundle/ts/workflow/entry.ts.
type sdk struct {
	create, check, begin, beginQuery, initialize, activate, unblock, conclude goja.Callable
	failureOf, failureOfRejection, autoUpgrades, withPackages                 goja.Callable
	console                                                                   goja.Value
	values                                                                    *protocol.Values
}

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
