package activity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/platform"
)

// require is what the author's module imports with, and the npm packages.
func (in *instance) require(call goja.FunctionCall) goja.Value {
	name := call.Argument(0).String()
	v, err := in.resolve(name)
	if err != nil {
		panic(platform.Thrown(in, err)) // goja's way to throw into JavaScript
	}
	if v == nil {
		e := in.vm.Runtime.NewTypeError("%s", refusal(name))
		// As Node's: packages that can do without look at it.
		if err := platform.Define(in.vm.Runtime, e, "code", "MODULE_NOT_FOUND"); err != nil {
			in.Fail(err)
		}
		panic(e)
	}
	return v
}

// refusal says why a module isn't here.
func refusal(name string) string {
	asked, by := compile.RequiredBy(name)
	message := compile.Activity.Refusal(strings.TrimSuffix(asked, compile.Idle))
	if by != "" {
		message = fmt.Sprintf("the npm package %s needs a module that isn't here: %s", by, message)
	}
	return message
}

// resolve finds a module; nil if there is none.
func (in *instance) resolve(name string) (goja.Value, error) {
	if p := in.code.program.Packages; p != nil && slices.Contains(p.Names, name) {
		return in.packaged(name)
	}
	if strings.HasPrefix(name, "@temporalio/") {
		s, err := in.loadSDK()
		if err != nil {
			return nil, err
		}
		return s.resolve(goja.Undefined(), in.vm.Runtime.ToValue(name))
	}
	module, by := compile.RequiredBy(strings.TrimPrefix(name, "node:"))
	idle, isIdle := strings.CutSuffix(module, compile.Idle)
	switch {
	case slices.Contains(compile.Activity.NodeModules(), module), by != "" && compile.Activity.ForPackages(module):
		return in.nodeModule(module)
	case by != "" && isIdle:
		return in.idleModule(idle, refusal(name))
	}
	return nil, nil
}

// packaged gives an npm package's module, evaluated when it's first asked for.
func (in *instance) packaged(name string) (goja.Value, error) {
	if in.packages == nil {
		r := in.vm.Runtime
		exports, module := r.NewObject(), r.NewObject()
		if err := platform.Define(r, module, "exports", exports); err != nil {
			return nil, err
		}
		require, err := in.function("require", in.require)
		if err != nil {
			return nil, err
		}
		if _, err := platform.Call(r, in.code.program.Packages.JS, require, module, exports); err != nil {
			return nil, err
		}
		in.packages = module.Get("exports").ToObject(r)
	}
	load, ok := goja.AssertFunction(in.packages.Get(name))
	if !ok {
		return nil, fmt.Errorf("the npm packages have no %q", name)
	}
	return load(goja.Undefined())
}

// function makes a host function that stacks show under its name.
func (in *instance) function(name string, f func(goja.FunctionCall) goja.Value) (goja.Value, error) {
	v := in.vm.Runtime.ToValue(f)
	return v, platform.Rename(in.vm.Runtime, v.ToObject(in.vm.Runtime), name)
}
