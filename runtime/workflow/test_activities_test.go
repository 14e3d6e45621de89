package workflow

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// testActivity is every activity of the tests' workflows.
func testActivity(ctx context.Context, args converter.EncodedValues) (any, error) {
	info := activity.GetInfo(ctx)
	switch info.ActivityType.Name {
	case "echo":
		var v any
		err := args.Get(&v)
		return v, err
	case "double":
		var n float64
		err := args.Get(&n)
		return 2 * n, err
	case "info":
		return map[string]any{
			"id": info.ActivityID, "attempt": info.Attempt, "queue": info.TaskQueue, "startToClose": info.StartToCloseTimeout.Milliseconds(),
			"heartbeat": info.HeartbeatTimeout.Milliseconds(), "scheduleToClose": info.ScheduleToCloseTimeout.Milliseconds(),
			"priority": info.Priority.PriorityKey,
		}, nil
	case "fail":
		return nil, temporal.NewApplicationErrorWithOptions("no luck", "BadLuck", temporal.ApplicationErrorOptions{
			NonRetryable: true, Details: []any{map[string]int{"code": 7}}, Cause: errors.New("the root"),
		})
	case "flaky":
		if info.Attempt < 3 {
			return nil, temporal.NewApplicationError("again", "Flaky")
		}
		return info.Attempt, nil
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "hangWithHeartbeat":
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ctx.Done():
				return nil, temporal.NewCanceledError("cleaned up")
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil, temporal.NewNonRetryableApplicationError("unknown activity "+info.ActivityType.Name, "NotFoundError", nil)
}

// testLocalActivity runs the same activities as local ones.
func testLocalActivity(ctx context.Context, _ LocalActivity, args *commonpb.Payloads) (*commonpb.Payloads, error) {
	result, err := testActivity(ctx, client.NewValues(args))
	if err != nil {
		return nil, err
	}
	return converter.GetDefaultDataConverter().ToPayloads(result)
}

// codeHeaderOf reads the header of the schedule events.
func codeHeaderOf(h *historypb.History) string {
	for _, e := range h.Events {
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			return headerText(a.GetHeader())
		}
	}
	return ""
}

func headerText(h *commonpb.Header) string { return string(h.GetFields()[CodeHeader].GetData()) }
