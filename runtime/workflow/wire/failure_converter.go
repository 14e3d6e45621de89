package wire

import (
	"strings"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// panicType is the type of the failure that the Go SDK makes of a panic in a workflow task: the
// only way in which the bindings can fail one.
const panicType = "PanicError"

// SourceTypeScript is what failures of workflow code name as the SDK that they come from.
const SourceTypeScript = "TypeScriptSDK"

// FailureConverter gives workflow task failures the form that Temporal's own TypeScript worker
// gives them: the author's stack in place of Go's. Everything else goes to inner; nil is the SDK's
// default. Set it as the client's FailureConverter. Without it a task failure's message carries the
// author's stack, and Go's stands beside it.
func FailureConverter(inner converter.FailureConverter) converter.FailureConverter {
	if inner == nil {
		inner = temporal.GetDefaultFailureConverter()
	}
	return failureConverter{inner}
}

type failureConverter struct{ converter.FailureConverter }

func (c failureConverter) ErrorToFailure(err error) *failurepb.Failure {
	f := c.FailureConverter.ErrorToFailure(err)
	info := f.GetApplicationFailureInfo()
	if info.GetType() != panicType || !strings.Contains(f.GetMessage(), failureMark) {
		return f
	}
	text, rest, _ := strings.Cut(f.GetMessage(), failureMark)
	message, stack, _ := strings.Cut(text, "\n")
	for stack != "" && !strings.HasPrefix(stack, "    at ") && !strings.HasPrefix(stack, "    caused by ") {
		var line string
		line, stack, _ = strings.Cut(stack, "\n")
		message += "\n" + line
	}
	info.Type = ""
	if class, _, ok := strings.Cut(message, ": "); ok && !strings.Contains(class, " ") {
		info.Type = class
	}
	info.NonRetryable = false
	f.Source = SourceTypeScript
	f.Message = message + failureMark + rest
	f.StackTrace = message
	if stack != "" {
		f.StackTrace += "\n" + stack
	}
	return f
}
