package wire

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	sdklog "go.temporal.io/sdk/log"

	"workflow-worker/runtime/logkey"
)

// Logger is log as the SDK's logger, to be set as the client's: its lines have logkey's keys, and
// the project where a worker with an Identity says them. Those about tasks that failed here are left
// out: they are logged here already, with what ran and without Go's stack.
func Logger(log *slog.Logger) sdklog.Logger { return sdkLogger{log: log} }

// Identity is the name of a project's worker, by which the SDK's lines are its project's.
func Identity(projectID, replica string) string { return projectID + "@" + replica }

// inItsWords are our keys for what the SDK calls otherwise. What has none is its own business, and
// under logkey.Temporal.
var inItsWords = map[string]string{
	"WorkflowID": logkey.WorkflowID, "RunID": logkey.RunID, "WorkflowType": logkey.Workflow,
	"ActivityID": logkey.ActivityID, "ActivityType": logkey.Activity,
	"LocalActivityID": logkey.ActivityID, "LocalActivityType": logkey.Activity,
	"Namespace": logkey.Namespace, "TaskQueue": logkey.TaskQueue, "Attempt": logkey.Attempt,
	"Error": logkey.Error, "error": logkey.Error, "PanicError": logkey.Error,
	"StackTrace": logkey.Stack, "stackTrace": logkey.Stack, "PanicStack": logkey.Stack,
}

// sdkLogger makes attributes of the SDK's keys and values only for lines that are written: it makes
// a logger for each execution.
type sdkLogger struct {
	log  *slog.Logger
	with []any
}

func (l sdkLogger) Debug(msg string, keyvals ...any) { l.write(slog.LevelDebug, msg, keyvals) }
func (l sdkLogger) Info(msg string, keyvals ...any)  { l.write(slog.LevelInfo, msg, keyvals) }

func (l sdkLogger) Warn(msg string, keyvals ...any) {
	if !ours(keyvals) {
		l.write(slog.LevelWarn, msg, keyvals)
	}
}

func (l sdkLogger) Error(msg string, keyvals ...any) {
	if !ours(keyvals) {
		l.write(slog.LevelError, msg, keyvals)
	}
}

// With is how the SDK makes a logger for each worker and workflow.
func (l sdkLogger) With(keyvals ...any) sdklog.Logger {
	return sdkLogger{l.log, slices.Concat(l.with, keyvals)}
}

func (l sdkLogger) write(level slog.Level, msg string, keyvals []any) {
	ctx := context.Background()
	if l.log.Enabled(ctx, level) {
		l.log.LogAttrs(ctx, level, msg, inOurWords(slices.Concat(l.with, keyvals))...)
	}
}

// inOurWords has each key once: the SDK says some again in a line that its logger has already.
func inOurWords(keyvals []any) []slog.Attr {
	var known, others []slog.Attr
	for i := 0; i+1 < len(keyvals); i += 2 {
		name, value := fmt.Sprint(keyvals[i]), keyvals[i+1]
		if name == "WorkerID" {
			if project, _, found := strings.Cut(fmt.Sprint(value), "@"); found {
				known = put(known, slog.String(logkey.Project, project))
				continue
			}
		}
		if key, ok := inItsWords[name]; ok {
			known = put(known, slog.Attr{Key: key, Value: slog.AnyValue(value)})
		} else {
			others = put(others, itsOwn(name, value))
		}
	}
	if len(others) > 0 {
		known = append(known, slog.Attr{Key: logkey.Temporal, Value: slog.GroupValue(others...)})
	}
	return known
}

// put replaces the attribute of the same key.
func put(list []slog.Attr, a slog.Attr) []slog.Attr {
	if i := slices.IndexFunc(list, func(x slog.Attr) bool { return x.Key == a.Key }); i >= 0 {
		list[i] = a
		return list
	}
	return append(list, a)
}

// itsOwn spells a name as all are spelt, and says a duration's unit.
func itsOwn(name string, value any) slog.Attr {
	key := snake(name)
	if d, ok := value.(time.Duration); ok {
		return slog.Attr{Key: key + "_ms", Value: slog.Int64Value(d.Milliseconds())}
	}
	return slog.Attr{Key: key, Value: slog.AnyValue(value)}
}

// snake makes sdk_id of SDKID, and stop_timeout of "Stop timeout".
func snake(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		switch {
		case r == ' ':
			b.WriteByte('_')
			continue
		case unicode.IsUpper(r) && i > 0 && letters[i-1] != ' ' &&
			(unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
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
