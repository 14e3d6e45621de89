package activity

import (
	"context"
	"log/slog"

	"github.com/dop251/goja"
	"go.temporal.io/sdk/activity"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/logkey"
)

// lines is the log of one execution, bounded in number.
type lines struct {
	logger  *slog.Logger
	ctx     context.Context // that the lines are written in: its trace
	left    int
	dropped int
}

// attributes name the activity and its workflow in each line.
func attributes(ctx context.Context, module string) []any {
	if !activity.IsActivity(ctx) {
		return []any{slog.String(logkey.Module, module)}
	}
	info := activity.GetInfo(ctx)
	return []any{
		slog.String(logkey.Activity, info.ActivityType.Name),
		slog.String(logkey.ActivityID, info.ActivityID),
		slog.Int(logkey.Attempt, int(info.Attempt)),
		slog.String(logkey.Workflow, info.WorkflowType.Name),
		slog.String(logkey.WorkflowID, info.WorkflowExecution.ID),
		slog.String(logkey.RunID, info.WorkflowExecution.RunID),
	}
}

func (l *lines) write(level slog.Level, text string, attrs ...slog.Attr) {
	if l.left <= 0 {
		l.dropped++
		return
	}
	l.left--
	l.logger.LogAttrs(l.ctx, level, text, attrs...)
}

// print is write for what the author says.
func (l *lines) print(level slog.Level, text string, attrs ...slog.Attr) {
	l.write(level, userlog.Clip(text), append([]slog.Attr{userlog.Origin(userlog.FromActivity)}, attrs...)...)
}

// close says what was left out.
func (l *lines) close() {
	if l.dropped > 0 {
		l.logger.WarnContext(l.ctx, "the activity logged more lines than one execution may", slog.Int(logkey.Dropped, l.dropped))
	}
}

// Wants implements console.Log.
func (in *instance) Wants(level slog.Level) bool {
	if in.log.left > 0 && in.log.logger.Enabled(in.log.ctx, level) {
		return true
	}
	in.log.write(level, "")
	return false
}

// Write implements console.Log.
func (in *instance) Write(level slog.Level, line string) { in.log.print(level, line) }

func (l *lines) warn(text string) { l.write(slog.LevelWarn, text) }

// sdkLog is a line of @temporalio/activity's log: level, message, metadata.
func (in *instance) sdkLog(call goja.FunctionCall) goja.Value {
	level := slog.LevelInfo
	switch call.Argument(0).String() {
	case "TRACE":
		level = slog.LevelDebug - 4
	case "DEBUG":
		level = slog.LevelDebug
	case "WARN":
		level = slog.LevelWarn
	case "ERROR":
		level = slog.LevelError
	}
	var attrs []slog.Attr
	if meta, ok := call.Argument(2).(*goja.Object); ok {
		text, err := in.vm.JSON(meta)
		if err != nil { // a circle, a bigint, a toJSON that throws
			text = in.vm.Format([]goja.Value{meta})
		}
		attrs = append(attrs, userlog.Data(text))
	}
	in.log.print(level, in.vm.Format([]goja.Value{call.Argument(1)}), attrs...)
	return goja.Undefined()
}
