// Package timers is setTimeout and its kin, for activities: on the event loop, by the clock.
package timers

import (
	_ "embed"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
)

//go:embed timers.js
var text string

var program = platform.Script("timers", platform.WithFaults(text))

// Module gives timers, of which an execution may have so many set.
func Module(most int) platform.Module {
	return platform.Module{
		Name: "timers",
		Globals: []string{
			"setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask",
		},
		Program: program,
		Host: func(h platform.Host) map[string]any {
			t := timers{h, most}
			return map[string]any{"maxTimers": most, "startTimer": t.start, "stopTimer": t.stop}
		},
	}
}

type timers struct {
	platform.Host
	most int
}

// start sets a timer: milliseconds, callback. It gives the timer's number; 0 if there are too many.
func (t timers) start(call goja.FunctionCall) goja.Value {
	r, loop := t.VM().Runtime, t.Loop()
	callback, ok := goja.AssertFunction(call.Argument(1))
	if !ok || loop.Timers() >= t.most {
		return r.ToValue(0)
	}
	after := time.Duration(call.Argument(0).ToFloat() * float64(time.Millisecond))
	return r.ToValue(loop.Start(after, func() error {
		_, err := callback(goja.Undefined())
		return err
	}))
}

func (t timers) stop(call goja.FunctionCall) goja.Value {
	t.Loop().Stop(int(call.Argument(0).ToInteger()))
	return goja.Undefined()
}
