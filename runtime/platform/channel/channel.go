// Package channel is MessageChannel, and the events that belong to it.
package channel

import (
	_ "embed"

	"workflow-worker/runtime/platform"
)

//go:embed channel.js
var text string

var program = platform.Script("channel", text)

// Module gives MessageChannel and its events.
func Module() platform.Module {
	return platform.Module{
		Name:    "channel",
		Globals: []string{"CustomEvent", "MessageEvent", "MessagePort", "MessageChannel"},
		Program: program,
	}
}
