package protocol

import (
	"strings"

	"workflow-worker/runtime/sandbox"
)

// MaxFrames is how many frames of a stack are kept: V8's default.
const MaxFrames = 10

// FramesOnly gives a cleaned stack's innermost frames.
func FramesOnly(stack string) string {
	var out []string
	for l := range strings.SplitSeq(stack, "\n") {
		if strings.HasPrefix(l, "    at ") && len(out) < MaxFrames {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// ShortStack is a cleaned stack with its message and its innermost frames.
func ShortStack(stack string) string {
	stack = sandbox.CleanStack(stack)
	at := strings.Index(stack, "    at ")
	if at < 0 {
		return stack
	}
	return stack[:at] + FramesOnly(stack[at:])
}
