package activity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
	"workflow-worker/runtime/platform"

	"github.com/dop251/goja"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
)

// info makes what activityInfo() returns. The time at which the current attempt was scheduled isn't known to Go's SDK: it is
// when the attempt started.
func (in *instance) info() (goja.Value, error) {
	ctx := in.running
	if !activity.IsActivity(ctx) {
		return platform.Object(in, map[string]any{"attempt": 1, "isLocal": false, "inWorkflow": false}), in.broken
	}
	i := activity.GetInfo(ctx)
	token, err := in.vm.Uint8Array(i.TaskToken)
	if err != nil {
		return nil, err
	}
	members := map[string]any{
		"taskToken":                          token,
		"base64TaskToken":                    base64.StdEncoding.EncodeToString(i.TaskToken),
		"activityId":                         i.ActivityID,
		"activityType":                       i.ActivityType.Name,
		"attempt":                            i.Attempt,
		"isLocal":                            i.IsLocalActivity,
		"namespace":                          i.Namespace,
		"activityNamespace":                  i.Namespace,
		"taskQueue":                          i.TaskQueue,
		"scheduledTimestampMs":               i.ScheduledTime.UnixMilli(),
		"currentAttemptScheduledTimestampMs": attemptScheduled(i).UnixMilli(),
		"scheduleToCloseTimeoutMs":           i.ScheduleToCloseTimeout.Milliseconds(),
		"startToCloseTimeoutMs":              i.StartToCloseTimeout.Milliseconds(),
		"inWorkflow":                         i.WorkflowExecution.ID != "",
		"priority":                           platform.Object(in, map[string]any{"priorityKey": i.Priority.PriorityKey, "fairnessKey": i.Priority.FairnessKey, "fairnessWeight": i.Priority.FairnessWeight}),
	}
	if i.HeartbeatTimeout > 0 {
		members["heartbeatTimeoutMs"] = i.HeartbeatTimeout.Milliseconds()
	}
	if i.WorkflowExecution.ID != "" {
		members["workflowExecution"] = platform.Object(in, map[string]any{"workflowId": i.WorkflowExecution.ID, "runId": i.WorkflowExecution.RunID})
		members["workflowNamespace"] = i.Namespace
		members["workflowType"] = i.WorkflowType.Name
	} else {
		members["activityRunId"] = i.ActivityRunID
	}
	if p := i.RetryPolicy; p != nil {
		members["retryPolicy"] = in.retryPolicy(p)
	}
	members["heartbeatDetails"] = goja.Undefined()
	if activity.HasHeartbeatDetails(ctx) {
		var raw converter.RawValue
		if err := activity.GetHeartbeatDetails(ctx, &raw); err != nil {
			return nil, fmt.Errorf("read the last attempt's heartbeat details: %w", err)
		}
		if members["heartbeatDetails"], err = in.vm.FromPayload(raw.Payload()); err != nil {
			return nil, fmt.Errorf("read the last attempt's heartbeat details: %w", err)
		}
	}
	return platform.Object(in, members), in.broken
}

func attemptScheduled(i activity.Info) time.Time {
	if i.Attempt > 1 {
		return i.StartedTime
	}
	return i.ScheduledTime
}

func (in *instance) retryPolicy(p *temporal.RetryPolicy) goja.Value {
	members := map[string]any{
		"backoffCoefficient": p.BackoffCoefficient,
		"initialInterval":    p.InitialInterval.Milliseconds(),
		"maximumInterval":    p.MaximumInterval.Milliseconds(),
	}
	if p.MaximumAttempts > 0 {
		members["maximumAttempts"] = p.MaximumAttempts
	}
	types := make([]any, len(p.NonRetryableErrorTypes))
	for i, t := range p.NonRetryableErrorTypes {
		types[i] = t
	}
	members["nonRetryableErrorTypes"] = in.vm.Runtime.NewArray(types...)
	return platform.Object(in, members)
}

// ending is why Temporal ended an attempt, in the SDK's words.
type ending struct {
	reason string
	detail string // the member of ActivityCancellationDetails that is true
}

// workerStops is the one that no context tells of in time.
func workerStops() *ending { return &ending{"WORKER_SHUTDOWN", "workerShutdown"} }

func endingOf(ctx context.Context) *ending {
	cause := context.Cause(ctx)
	var gone *serviceerror.NotFound
	switch {
	case temporal.IsCanceledError(cause), cause == context.Canceled: //nolint:errorlint // a bare cancel, which local activities get
		return &ending{"CANCELLED", "cancelRequested"}
	case errors.Is(cause, context.DeadlineExceeded):
		return &ending{"TIMED_OUT", "timedOut"}
	case errors.Is(cause, worker.ErrWorkerShutdown):
		return workerStops()
	case errors.Is(cause, activity.ErrActivityPaused):
		return &ending{"PAUSED", "paused"}
	case errors.Is(cause, activity.ErrActivityReset):
		return &ending{"RESET", "reset"}
	case errors.As(cause, &gone):
		return &ending{"NOT_FOUND", "notFound"}
	default:
		return &ending{"CANCELLED", ""}
	}
}
