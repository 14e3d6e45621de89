package activity

import (
	"crypto/rand"
	"time"

	"github.com/dop251/goja"
	"github.com/google/uuid"
)

func (in *instance) startTimer(call goja.FunctionCall) goja.Value {
	r := in.vm.Runtime
	callback, ok := goja.AssertFunction(call.Argument(1))
	if !ok || len(in.loop.byID) >= in.code.opts.MaxTimers {
		return r.ToValue(0)
	}
	after := time.Duration(call.Argument(0).ToFloat() * float64(time.Millisecond))
	return r.ToValue(in.loop.start(after, func() error {
		_, err := callback(goja.Undefined())
		return err
	}))
}

func (in *instance) stopTimer(call goja.FunctionCall) goja.Value {
	in.loop.stop(int(call.Argument(0).ToInteger()))
	return goja.Undefined()
}

// now is the time in milliseconds since the runtime was made.
func (in *instance) now(goja.FunctionCall) goja.Value {
	return in.vm.Runtime.ToValue(in.elapsed())
}

// elapsed is performance.now(), in milliseconds.
func (in *instance) elapsed() float64 { return float64(time.Since(in.made).Nanoseconds()) / 1e6 }

func (in *instance) random(call goja.FunctionCall) goja.Value {
	b := make([]byte, min(max(call.Argument(0).ToInteger(), 0), 65536))
	_, _ = rand.Read(b) // never fails
	return in.vm.Runtime.ToValue(in.vm.Runtime.NewArrayBuffer(b))
}

func (in *instance) randomUUID(goja.FunctionCall) goja.Value {
	return in.vm.Runtime.ToValue(uuid.NewString())
}
