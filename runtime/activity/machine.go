package activity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// maxUses is how many executions a machine serves: what goja keeps for good (the registry of
// Symbol.for) stays small.
const maxUses = 1000

// machine is a runtime that executions of one code use, one after the other. Its builtins and the
// SDK are frozen, and each execution has a global object of its own, with the platform and the
// module evaluated anew: so nothing of one is seen by the next. Making one takes as long as some
// dozens of executions.
type machine struct {
	vm   *sandbox.VM
	base *goja.Object // the global object that executions' own inherit from
	sdk  *sdk         // nil until an execution needs it
	user *instance    // the execution
	uses int
}

// machineTimeout is for our own code: it only ends a runtime that can't be made at all.
const machineTimeout = 10 * time.Second

func (c *Code) newMachine(ctx context.Context) (*machine, error) {
	program, err := bundle.Harden()
	if err != nil {
		return nil, err
	}
	o := c.opts.Sandbox
	o.Shared, o.Weak = true, true
	vm, err := sandbox.New(o)
	if err != nil {
		return nil, err
	}
	m := &machine{vm: vm, base: vm.Runtime.GlobalObject()}
	err = vm.Enter(context.WithoutCancel(ctx), machineTimeout, func() error {
		exports, err := platform.Evaluate(vm.Runtime, program, vm.Runtime.NewObject())
		if err != nil {
			return err
		}
		harden, ok := goja.AssertFunction(exports.Get("harden"))
		if !ok {
			return fmt.Errorf("the bundle has no harden")
		}
		_, err = harden(goja.Undefined(), vm.Runtime.NewArray(), vm.Freezer())
		return err
	})
	vm.Release()
	if err != nil {
		return nil, fmt.Errorf("freeze the builtins: %w", err)
	}
	return m, nil
}

// global makes an execution's own global object. Inside Enter.
func (m *machine) global() (*goja.Object, error) {
	g := m.vm.Runtime.CreateObject(m.base)
	return g, g.DefineDataProperty("globalThis", g, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// evaluate runs a bundle for all executions, and freezes what they get of it. It has a global
// object of its own: what the author made of theirs doesn't matter to it. Inside Enter.
func (m *machine) evaluate(p *goja.Program, host *goja.Object) (*goja.Object, error) {
	r := m.vm.Runtime
	own, err := m.global()
	if err != nil {
		return nil, err
	}
	current := r.GlobalObject()
	r.SetGlobalObject(own)
	defer r.SetGlobalObject(current)
	exports, err := platform.Evaluate(r, p, host)
	if err != nil {
		return nil, err
	}
	return exports, errors.Join(m.vm.Freeze(exports), m.vm.Freeze(exports.Get("shared")))
}
