// Package console is console, for activities: its lines go to a log.
package console

import (
	_ "embed"
	"log/slog"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/platform/process"
)

//go:embed console.js
var text string

var program = platform.Script("console", text)

// Log takes lines. Its methods are called inside Enter.
type Log interface {
	// Wants says whether a line of the level would be kept; one that isn't is counted.
	Wants(level slog.Level) bool
	// Write keeps a line.
	Write(level slog.Level, line string)
}

// Module gives console, which writes into the log of its execution.
func Module(log func(h platform.Host) Log) platform.Module {
	return platform.Module{
		Name:    "console",
		Globals: []string{"console"},
		Program: program,
		Host: func(h platform.Host) map[string]any {
			c := console{h, log(h)}
			return map[string]any{"print": c.print, "now": process.Now(h), "inspect": c.inspect, "format": Format(h)}
		},
	}
}

type console struct {
	platform.Host
	log Log
}

// Format is what console makes of its arguments, as util.format does.
func Format(h platform.Host) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		return h.VM().Runtime.ToValue(h.VM().Format(call.Arguments))
	}
}

// print is a line of console: level, indentation, arguments.
func (c console) print(call goja.FunctionCall) goja.Value {
	level := slog.LevelInfo
	switch call.Argument(0).String() {
	case "debug":
		level = slog.LevelDebug
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	if !c.log.Wants(level) {
		return goja.Undefined()
	}
	list := call.Argument(2).ToObject(c.VM().Runtime)
	args := make([]goja.Value, list.Get("length").ToInteger())
	for i := range args {
		args[i] = list.Get(strconv.Itoa(i))
	}
	indent := call.Argument(1).String()
	text := indent + strings.ReplaceAll(c.VM().Format(args), "\n", "\n"+indent)
	c.log.Write(level, text)
	return goja.Undefined()
}

// inspect shows a value with so many levels of objects within it.
func (c console) inspect(call goja.FunctionCall) goja.Value {
	return c.VM().Runtime.ToValue(c.VM().Inspect(call.Argument(0), int(call.Argument(1).ToInteger())))
}
