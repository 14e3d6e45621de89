package activity

import (
	"context"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/eventloop"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

var _ platform.Host = (*instance)(nil)

// VM implements platform.Host.
func (in *instance) VM() *sandbox.VM { return in.vm }

// Loop implements platform.Host.
func (in *instance) Loop() *eventloop.Loop { return in.loop }

// Context implements platform.Host.
func (in *instance) Context() context.Context { return in.ctx }

// Background implements platform.Host.
func (in *instance) Background(f func()) {
	in.wg.Add(1)
	go func() {
		defer in.wg.Done()
		f()
	}()
}

// OnEnd implements platform.Host.
func (in *instance) OnEnd(f func()) { in.ends = append(in.ends, f) }

// Elapsed implements platform.Host.
func (in *instance) Elapsed() time.Duration { return time.Since(in.made) }

// Requests implements platform.Host.
func (in *instance) Requests() *platform.Requests { return &in.requests }

// Fail implements platform.Host.
func (in *instance) Fail(err error) {
	if in.broken == nil {
		in.broken = err
	}
}

// Shared implements platform.Host.
func (in *instance) Shared(module string) goja.Value {
	if v := in.SharedSoFar(module); !goja.IsUndefined(v) {
		return v
	}
	m := in.globals.modules.named[module]
	if len(m.Globals) > 0 {
		in.globals.Get(m.Globals[0]) // what goes wrong is in broken
	}
	return in.SharedSoFar(module)
}

// SharedSoFar implements platform.Host.
func (in *instance) SharedSoFar(module string) goja.Value {
	if o := in.globals.shared[module]; o != nil {
		return o
	}
	return goja.Undefined()
}
