// Package process is Node's process and performance, as far as they say nothing of the machine.
package process

import (
	_ "embed"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
)

//go:embed process.js
var text string

var program = platform.Script("process", platform.WithFaults(text))

// Module gives process, whose env is what the operator lets code see.
func Module(env map[string]string) platform.Module {
	return platform.Module{
		Name:    "process",
		Globals: []string{"process", "performance", "Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure"},
		Program: program,
		Host: func(h platform.Host) map[string]any {
			began := time.Now().Add(-h.Elapsed())
			return map[string]any{"env": env, "now": Now(h), "timeOrigin": float64(began.UnixMicro()) / 1e3, "tick": tick(h)}
		},
	}
}

// tick is what process.nextTick stands on: the function, which runs what was given to that, comes
// before the promises that wait.
func tick(h platform.Host) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		if run, ok := call.Argument(0).Export().(func(goja.FunctionCall) goja.Value); ok {
			h.VM().NextTick(run)
		}
		return goja.Undefined()
	}
}

// Now is performance.now(): milliseconds since the execution's globals were made.
func Now(h platform.Host) func(goja.FunctionCall) goja.Value {
	return func(goja.FunctionCall) goja.Value {
		return h.VM().Runtime.ToValue(float64(h.Elapsed().Nanoseconds()) / 1e6)
	}
}
