package activity

import (
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/platform/client"
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
	var err error
	if in.machine == nil {
		in.sdk, err = in.newSDK(func() *instance { return in })
	} else {
		in.sdk, err = in.machine.loadSDK()
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate the SDK: %w", err)
	}
	if in.running != nil {
		return in.sdk, in.beginSDK()
	}
	return in.sdk, nil
}

// loadSDK gives the SDK that the machine's executions share.
func (m *machine) loadSDK() (s *sdk, err error) {
	if m.sdk == nil {
		if m.sdk, err = m.user.newSDK(func() *instance { return m.user }); err != nil {
			return nil, err
		}
	}
	renew, ok := goja.AssertFunction(m.sdk.exports.Get("renew"))
	if !ok {
		return nil, fmt.Errorf("the SDK's bundle has no renew")
	}
	_, err = renew(goja.Undefined())
	return m.sdk, err
}

// newSDK evaluates the SDK, for the executions that user gives.
func (in *instance) newSDK(user func() *instance) (*sdk, error) {
	p, err := bundle.Activity()
	if err != nil {
		return nil, err
	}
	host := platform.Object(in, map[string]any{
		"info":      func() (goja.Value, error) { return user().info() },
		"heartbeat": func(call goja.FunctionCall) goja.Value { return user().heartbeat(call) },
		"log":       func(call goja.FunctionCall) goja.Value { return user().sdkLog(call) },
		"common":    func() (goja.Value, error) { return user().loadCommon() },
		"client":    func() (goja.Value, error) { return user().clientHost() },
		"measure":   func(call goja.FunctionCall) goja.Value { return user().measure(call) },
	})
	var exports *goja.Object
	if in.machine != nil {
		exports, err = in.machine.evaluate(p, host)
	} else {
		exports, err = platform.Evaluate(in.vm.Runtime, p, host)
	}
	if err != nil {
		return nil, err
	}
	s := &sdk{exports: exports}
	var ok bool
	if s.resolve, ok = goja.AssertFunction(exports.Get("resolve")); !ok {
		return nil, fmt.Errorf("the SDK's bundle has no resolve")
	}
	return s, nil
}

// loadCommon evaluates the rest of @temporalio/common, for this execution alone: it has typed
// arrays, which can't be frozen.
func (in *instance) loadCommon() (goja.Value, error) {
	if in.common != nil {
		return in.common, nil
	}
	p, err := bundle.ActivityCommon()
	if err != nil {
		return nil, err
	}
	in.common, err = platform.Evaluate(in.vm.Runtime, p, in.vm.Runtime.NewObject())
	return in.common, err
}

// clientHost is what the client's JavaScript is given.
func (in *instance) clientHost() (goja.Value, error) {
	members, err := client.Host(in, in.running, in.code.opts.MaxResultBytes)
	if err != nil {
		return nil, err
	}
	return platform.Object(in, members), in.broken
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
		if err := platform.Define(in.vm.Runtime, details, in.ending.detail, true); err != nil {
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
