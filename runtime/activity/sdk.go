package activity

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
)

// sdk is Temporal's TypeScript SDK inside one runtime: what ts/activity/entry.ts exports.
type sdk struct {
	exports *goja.Object
	resolve goja.Callable
}

// loadSDK evaluates the SDK when it's first needed. Inside Enter.
func (in *instance) loadSDK() (*sdk, error) {
	if in.sdk != nil {
		return in.sdk, nil
	}
	p, err := bundle.Activity()
	if err != nil {
		return nil, err
	}
	exports, err := in.evaluate(p, in.object(map[string]any{
		"info":      in.info,
		"heartbeat": in.heartbeat,
		"log":       in.sdkLog,
		"common":    in.loadCommon,
		"client":    in.clientHost,
		"measure":   in.measure,
	}))
	if err != nil {
		return nil, fmt.Errorf("evaluate the SDK: %w", err)
	}
	s := &sdk{exports: exports}
	var ok bool
	if s.resolve, ok = goja.AssertFunction(exports.Get("resolve")); !ok {
		return nil, fmt.Errorf("the SDK's bundle has no resolve")
	}
	in.sdk = s
	if in.running != nil {
		return s, in.beginSDK()
	}
	return s, nil
}

// loadCommon evaluates the rest of @temporalio/common.
func (in *instance) loadCommon() (goja.Value, error) {
	if in.common != nil {
		return in.common, nil
	}
	p, err := bundle.ActivityCommon()
	if err != nil {
		return nil, err
	}
	in.common, err = in.evaluate(p, in.vm.Runtime.NewObject())
	return in.common, err
}

// evaluate runs a bundle and gives its exports.
func (in *instance) evaluate(p *goja.Program, host *goja.Object) (*goja.Object, error) {
	r := in.vm.Runtime
	exports, module := r.NewObject(), r.NewObject()
	if err := in.define(module, "exports", exports); err != nil {
		return nil, err
	}
	if _, err := run(r, p, host, module, exports); err != nil {
		return nil, err
	}
	return module.Get("exports").ToObject(r), nil
}

// beginSDK makes Context.current() answer, and tells it of a cancellation that came before.
func (in *instance) beginSDK() error {
	if _, err := in.callSDK("begin"); err != nil {
		return err
	}
	if in.ending != nil {
		return in.tellEnding()
	}
	return nil
}

func (in *instance) tellEnding() error {
	details := in.vm.Runtime.NewObject()
	if in.ending.detail != "" {
		if err := in.define(details, in.ending.detail, true); err != nil {
			return err
		}
	}
	_, err := in.callSDK("cancel", in.vm.Runtime.ToValue(in.ending.reason), details)
	return err
}

func (in *instance) callSDK(name string, args ...goja.Value) (goja.Value, error) {
	f, ok := goja.AssertFunction(in.sdk.exports.Get(name))
	if !ok {
		return nil, fmt.Errorf("the SDK's bundle has no %s", name)
	}
	return f(goja.Undefined(), args...)
}
