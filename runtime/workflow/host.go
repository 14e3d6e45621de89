package workflow

import (
	"math/rand/v2"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform/web"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/protocol"
)

// host is the execution that the bundle's calls act on.
type host interface {
	random(stream string) float64
	hasPatch(id string) bool
	missingActivity(name string) string
	logs(level string) bool
	started(v *machine)
	keeps(r rule) bool
	sink(v *machine, name, fn string, args []goja.Value)
	console(v *machine, level string, args []goja.Value)
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
		"keeps": func(c goja.FunctionCall) goja.Value {
			return r.ToValue(v.host != nil && v.host.keeps(rule(c.Argument(0).ToInteger())))
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
