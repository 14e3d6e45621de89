package activity

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/platform/web"
)

// nodeModule gives a module of Node, made when it's first asked for: see runtime/bundle/ts/node.
func (in *instance) nodeModule(name string) (goja.Value, error) {
	if in.node == nil {
		p, err := bundle.Node()
		if err != nil {
			return nil, err
		}
		host := map[string]any{"assert": in.assert, "format": in.format, "zlib": in.zlib, "crc32": in.crc32}
		for name, f := range nodeCrypto {
			host[name] = in.nodeCryptoFunction(f)
		}
		if in.node, err = evaluateBundle(in.vm.Runtime, p, in.object(host)); err != nil {
			return nil, fmt.Errorf("evaluate Node's modules: %w", err)
		}
	}
	resolve, ok := goja.AssertFunction(in.node.Get("resolve"))
	if !ok {
		return nil, fmt.Errorf("the bundle of Node's modules has no resolve")
	}
	return resolve(goja.Undefined(), in.vm.Runtime.ToValue(name))
}

// assert is the one that workflows have too.
func (in *instance) assert(goja.FunctionCall) goja.Value {
	values, err := web.Load(in.vm.Runtime, "assert", func() float64 { return 0 })
	if err != nil {
		panic(in.asThrown(err)) // goja's way to throw into JavaScript
	}
	return values.Get("assert")
}

// format is what console makes of its arguments.
func (in *instance) format(call goja.FunctionCall) goja.Value {
	return in.vm.Runtime.ToValue(in.vm.Format(call.Arguments))
}
