package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow"
)

var errNotAModule = errors.New("the program isn't a module")

// versioningOption is the option of setWorkflowOptions by which code asks for newer code.
const versioningOption = "versioningBehavior"

// evaluationBudget is the CPU time that a module's top level may take when it is looked over.
const evaluationBudget = time.Second

// contents finds out what a workflow module exports, and that its top level doesn't throw.
//
// Temporal's SDK in a runtime of its own takes 3 ms and 1.4 MB, too much for a thousand projects
// that start at once. Where the text alone tells the exports, the top level is evaluated with
// stand-ins for all that it imports but npm packages, in a tenth of that, and not at all if it only
// declares; only if that fails, or if there may be options on the functions, does the real thing
// decide.
func contents(ctx context.Context, p *compile.Program, text string, o workflow.CodeOptions) (workflow.Contents, error) {
	functions, complete := p.Functions()
	if complete && !strings.Contains(text, versioningOption) && (p.Quiet || evaluatesWithStandIns(ctx, p, o)) {
		return workflow.Contents{Functions: functions}, nil
	}
	code := workflow.NewCode(p, workflow.CodeOptions{CheckTimeout: evaluationBudget, Probe: o.Probe, Memory: o.Memory, Budget: o.Budget, Entered: o.Entered})
	defer code.Close()
	found, err := code.Check(ctx)
	var over *sandbox.MemoryError
	if errors.As(err, &over) && over.Shared {
		err = fmt.Errorf("%w: %w", ErrInfrastructure, err) // another time there is more
	}
	return found, err
}

func evaluatesWithStandIns(ctx context.Context, p *compile.Program, o workflow.CodeOptions) bool {
	stub, err := standIn()
	if err != nil {
		return false
	}
	v, err := sandbox.New(sandbox.Options{Probe: o.Probe, Memory: o.Memory, Budget: o.Budget})
	if err != nil {
		return false
	}
	defer v.Release()
	if o.Entered != nil {
		defer o.Entered(p, "", "")()
	}
	err = v.Enter(ctx, evaluationBudget, func() error {
		anything, err := v.Runtime.RunProgram(stub)
		if err != nil {
			return err
		}
		js, err := p.JS()
		if err != nil {
			return err
		}
		program, err := v.Runtime.RunProgram(js)
		if err != nil {
			return err
		}
		evaluate, ok := goja.AssertFunction(program)
		if !ok {
			return errNotAModule
		}
		_, err = evaluateModule(v.Runtime, evaluate, requirePackages(v.Runtime, p.Packages, anything))
		return err
	})
	return err == nil
}

// evaluateModule calls a module's function and gives its exports.
func evaluateModule(r *goja.Runtime, f goja.Callable, require func(string) (goja.Value, error)) (*goja.Object, error) {
	module, exports := r.NewObject(), r.NewObject()
	if err := module.Set("exports", exports); err != nil {
		return nil, err
	}
	if _, err := f(goja.Undefined(), r.ToValue(require), module, exports); err != nil {
		return nil, err
	}
	return module.Get("exports").ToObject(r), nil
}

// requirePackages makes a require function that gives the packages as they are and a stand-in for
// all else that there is.
func requirePackages(r *goja.Runtime, p *compile.Packages, standIn goja.Value) func(string) (goja.Value, error) {
	var made *goja.Object
	load := func() (err error) {
		program, err := r.RunProgram(p.JS)
		if err != nil {
			return err
		}
		withCrypto, ok := goja.AssertFunction(program)
		if !ok {
			return errNotAModule
		}
		f, err := withCrypto(goja.Undefined(), standIn)
		if err != nil {
			return err
		}
		evaluate, ok := goja.AssertFunction(f)
		if !ok {
			return errNotAModule
		}
		made, err = evaluateModule(r, evaluate, func(name string) (goja.Value, error) {
			if !compile.Workflow.Provides(name) {
				return nil, errNotAModule // what it is the real thing says
			}
			return standIn, nil
		})
		return err
	}
	return func(name string) (goja.Value, error) {
		if p == nil || !slices.Contains(p.Names, name) {
			return standIn, nil
		}
		if made == nil {
			if err := load(); err != nil {
				return nil, err
			}
		}
		module, ok := goja.AssertFunction(made.Get(name))
		if !ok {
			return nil, errNotAModule
		}
		return module(goja.Undefined())
	}
}

// standIn is a value that can be called, constructed and read, and always gives itself.
var standIn = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(sandbox.Internal+"stand-in>", `(() => {
		const any = new Proxy(function () {}, {
			get: (target, key) => key === Symbol.toPrimitive ? () => "" : key === "prototype" ? target.prototype : any,
			apply: () => any,
			construct: () => any,
		});
		return any;
	})()`, true)
})
