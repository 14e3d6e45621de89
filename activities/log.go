package activities

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"workflow-worker/activities/userlog"
)

// logMessage: {level: debug | info | warn | error, message, data?} → nothing.
func (s *Set) logMessage(ctx context.Context, in input) (result, error) {
	name, err := in.oneOf("level", "debug", "info", "warn", "error")
	if err != nil {
		return result{}, err
	}
	message, err := in.text("message")
	if err != nil {
		return result{}, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return result{}, invalid("level", "can't be used: %v", err)
	}
	attrs := []slog.Attr{userlog.Origin(userlog.FromActivity)}
	if activity.IsActivity(ctx) {
		info := activity.GetInfo(ctx)
		attrs = append(attrs,
			slog.String("workflow", info.WorkflowType.Name),
			slog.String("workflow_id", info.WorkflowExecution.ID),
			slog.String("run_id", info.WorkflowExecution.RunID))
	}
	if data, given := in.get("data"); given {
		attrs = append(attrs, userlog.Data(string(data)))
	}
	s.o.Logger.LogAttrs(ctx, level, userlog.Clip(message), attrs...)
	return result{}, nil
}
