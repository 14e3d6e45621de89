package sandbox

import (
	"github.com/dop251/goja"

	"workflow-worker/runtime/language/inspect"
)

// Format makes one line of console.log's arguments: see inspect. Inside Enter.
func (v *VM) Format(args []goja.Value) string { return v.shows().Format(args) }

// FormatDepth is Format that shows so many levels of objects within objects.
func (v *VM) FormatDepth(args []goja.Value, depth int) string {
	return v.shows().FormatDepth(args, depth)
}

// Inspect shows a value as util.inspect does, with so many levels of objects within it.
func (v *VM) Inspect(value goja.Value, depth int) string { return v.shows().Inspect(value, depth) }

// shows is made when the first value is shown.
func (v *VM) shows() *inspect.Inspector {
	if v.inspector == nil {
		v.inspector = &inspect.Inspector{Host: v.host, CleanStack: CleanStack, JSON: v.JSON}
	}
	return v.inspector
}
