package runtime

import (
	"context"
	"errors"
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
// Temporal's SDK in a runtime of its own takes 3 ms and 1.4 MB, too much for a thousand projects that start at once. Where
// the text alone tells the exports, the top level is evaluated with stand-ins for what it imports, in a tenth of that; only if
// that fails, or if there may be options on the functions, does the real thing decide.
func contents(ctx context.Context, p *compile.Program, text string) (workflow.Contents, error) {
	functions, complete := p.Functions()
	// npm packages are no stand-ins' matter: whether they evaluate here is what must be found out.
	if complete && p.Packages == nil && !strings.Contains(text, versioningOption) && evaluatesWithStandIns(ctx, p) {
		return workflow.Contents{Functions: functions}, nil
	}
	code := workflow.NewCode(p, workflow.CodeOptions{Runtimes: 1, CheckTimeout: evaluationBudget})
	defer code.Close()
	return code.Check(ctx)
}

func evaluatesWithStandIns(ctx context.Context, p *compile.Program) bool {
	stub, err := standIn()
	if err != nil {
		return false
	}
	v, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return false
	}
	err = v.Enter(ctx, evaluationBudget, func() error {
		anything, err := v.Runtime.RunProgram(stub)
		if err != nil {
			return err
		}
		program, err := v.Runtime.RunProgram(p.JS)
		if err != nil {
			return err
		}
		evaluate, ok := goja.AssertFunction(program)
		if !ok {
			return errNotAModule
		}
		module, exports := v.Runtime.NewObject(), v.Runtime.NewObject()
		if err := module.Set("exports", exports); err != nil {
			return err
		}
		require := func(string) goja.Value { return anything }
		_, err = evaluate(goja.Undefined(), v.Runtime.ToValue(require), module, exports)
		return err
	})
	return err == nil
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
