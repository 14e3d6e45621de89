package activity

import (
	"fmt"
	"maps"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/language/inspect"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/platform/nodecrypto"
	"workflow-worker/runtime/platform/web"
	"workflow-worker/runtime/platform/zlib"
	"workflow-worker/runtime/sandbox"
)

// nodeModule gives a module of Node, made when it's first asked for: see runtime/bundle/ts/node.
func (in *instance) nodeModule(name string) (goja.Value, error) { return in.ofNode("resolve", name) }

// idleModule gives a module that isn't here, for packages that can do without it: what they use of
// it fails with the refusal.
func (in *instance) idleModule(name, refusal string) (goja.Value, error) {
	return in.ofNode("idle", name, refusal)
}

// ofNode calls a function of the bundle of Node's modules.
func (in *instance) ofNode(name string, arguments ...string) (goja.Value, error) {
	if in.node == nil {
		p, err := bundle.Node()
		if err != nil {
			return nil, err
		}
		host := map[string]any{"assert": in.assert, "requests": in.sending}
		maps.Copy(host, inspect.Host(in.vm.Runtime, sandbox.CleanStack))
		maps.Copy(host, zlib.Host(in, in.code.opts.MaxResponseBytes))
		maps.Copy(host, nodecrypto.Host(in))
		if in.node, err = platform.Evaluate(in.vm.Runtime, p, platform.Object(in, host)); err != nil {
			return nil, fmt.Errorf("evaluate Node's modules: %w", err)
		}
	}
	f, ok := goja.AssertFunction(in.node.Get(name))
	if !ok {
		return nil, fmt.Errorf("the bundle of Node's modules has no %s", name)
	}
	values := make([]goja.Value, len(arguments))
	for i, a := range arguments {
		values[i] = in.vm.Runtime.ToValue(a)
	}
	return f(goja.Undefined(), values...)
}

// sending is what fetch sends with, for Node's http.
func (in *instance) sending(goja.FunctionCall) goja.Value { return in.Shared("fetch") }

// assert is the one that workflows have too, and what it can be told.
func (in *instance) assert(goja.FunctionCall) goja.Value {
	values, err := web.Load(in.vm.Runtime, "assert", func() float64 { return 0 })
	if err != nil {
		panic(platform.Thrown(in, err)) // goja's way to throw into JavaScript
	}
	return values
}
