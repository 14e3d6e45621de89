package wire

import (
	"fmt"
	"strings"

	sdklog "go.temporal.io/sdk/log"
)

// Logger is the SDK's logger without its lines about tasks that failed here: those are logged here
// already, with what ran and without Go's stack. Set it as the client's Logger.
func Logger(inner sdklog.Logger) sdklog.Logger { return quietLogger{inner} }

type quietLogger struct{ sdklog.Logger }

func (l quietLogger) Warn(msg string, keyvals ...any) {
	if !ours(keyvals) {
		l.Logger.Warn(msg, keyvals...)
	}
}

func (l quietLogger) Error(msg string, keyvals ...any) {
	if !ours(keyvals) {
		l.Logger.Error(msg, keyvals...)
	}
}

// With is how the SDK makes a logger for each worker and workflow.
func (l quietLogger) With(keyvals ...any) sdklog.Logger {
	return quietLogger{sdklog.With(l.Logger, keyvals...)}
}

// WithCallerSkip keeps the place that a line names.
func (l quietLogger) WithCallerSkip(depth int) sdklog.Logger {
	return quietLogger{sdklog.Skip(l.Logger, depth)}
}

// ours looks for a failure that carries the mark of TaskFailure.
func ours(keyvals []any) bool {
	for _, v := range keyvals {
		if err, ok := v.(error); ok && strings.Contains(fmt.Sprint(err), failureMark) {
			return true
		}
	}
	return false
}
