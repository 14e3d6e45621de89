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

// info makes what activityInfo() returns: every member is there, as on Temporal's own worker, some
// of them undefined. The time at which the current attempt was scheduled isn't known to Go's SDK:
// it is when the attempt started.
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
		"heartbeatTimeoutMs":                 i.HeartbeatTimeout.Milliseconds(),
		"priority":                           in.priority(i),
		"workflowExecution":                  goja.Undefined(),
		"workflowNamespace":                  goja.Undefined(),
		"workflowType":                       goja.Undefined(),
		"activityRunId":                      goja.Undefined(),
		"retryPolicy":                        goja.Undefined(),
	}
	if l, ok := localOf(ctx); ok {
		if err := in.localInfo(members, i, l); err != nil {
			return nil, err
		}
		i.RetryPolicy = &l.Retry
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
	o := in.vm.Runtime.NewObject()
	for _, name := range infoOrder {
		if err := platform.Define(in.vm.Runtime, o, name, members[name]); err != nil {
			return nil, err
		}
	}
	return o, in.broken
}

// infoOrder has every member, in the order in which Temporal's own worker gives them: code shows
// it.
var infoOrder = []string{
	"taskToken", "taskQueue", "base64TaskToken", "activityId", "workflowExecution", "attempt", "isLocal", "activityType", "workflowType",
	"heartbeatTimeoutMs", "heartbeatDetails", "activityNamespace", "workflowNamespace", "scheduledTimestampMs", "startToCloseTimeoutMs",
	"scheduleToCloseTimeoutMs", "currentAttemptScheduledTimestampMs", "priority", "retryPolicy", "namespace", "activityRunId", "inWorkflow",
}

func attemptScheduled(i activity.Info) time.Time {
	if i.Attempt > 1 {
		return i.StartedTime
	}
	return i.ScheduledTime
}

// localInfo puts the author's values in place of those by which the SDK is made to keep to them.
func (in *instance) localInfo(members map[string]any, i activity.Info, l Local) error {
	// The SDK has no token of a local activity. Nobody can use one: it only tells attempts apart.
	text := fmt.Sprintf("local/%s/%s/%d", i.WorkflowExecution.RunID, l.ID, i.Attempt)
	token, err := in.vm.Uint8Array([]byte(text))
	if err != nil {
		return err
	}
	if l.StartToClose == 0 {
		l.StartToClose = l.ScheduleToClose
	}
	members["taskToken"], members["base64TaskToken"] = token, base64.StdEncoding.EncodeToString([]byte(text))
	members["activityId"] = l.ID
	members["heartbeatTimeoutMs"] = goja.Undefined()
	members["startToCloseTimeoutMs"], members["scheduleToCloseTimeoutMs"] = l.StartToClose.Milliseconds(), l.ScheduleToClose.Milliseconds()
	return nil
}

// priority is empty for an activity that was given none, but for a local one, which can't be given
// any.
func (in *instance) priority(i activity.Info) goja.Value {
	if p := i.Priority; p != (temporal.Priority{}) || i.IsLocalActivity {
		return platform.Object(in, map[string]any{"priorityKey": p.PriorityKey, "fairnessKey": p.FairnessKey, "fairnessWeight": p.FairnessWeight})
	}
	return platform.Object(in, nil)
}

func (in *instance) retryPolicy(p *temporal.RetryPolicy) goja.Value {
	members := map[string]any{
		"backoffCoefficient": p.BackoffCoefficient,
		"initialInterval":    p.InitialInterval.Milliseconds(),
		"maximumInterval":    p.MaximumInterval.Milliseconds(),
		"maximumAttempts":    p.MaximumAttempts,
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

func timedOut() *ending { return &ending{"TIMED_OUT", "timedOut"} }

// isGone tells that Temporal has given the attempt up: nobody waits for it.
func (e *ending) isGone() bool { return e.detail == "timedOut" || e.detail == "notFound" }

// workerStops is the one that no context tells of in time.
func workerStops() *ending { return &ending{"WORKER_SHUTDOWN", "workerShutdown"} }

func endingOf(ctx context.Context) *ending {
	cause := context.Cause(ctx)
	var gone *serviceerror.NotFound
	switch {
	case temporal.IsCanceledError(cause), cause == context.Canceled: //nolint:errorlint // a bare cancel, which local activities get
		return &ending{"CANCELLED", "cancelRequested"}
	case errors.Is(cause, context.DeadlineExceeded):
		return timedOut()
	case errors.Is(cause, worker.ErrWorkerShutdown):
		return workerStops()
	case errors.Is(cause, activity.ErrActivityPaused):
		return &ending{"PAUSED", "paused"}
	case errors.Is(cause, activity.ErrActivityReset):
		return &ending{"RESET", "reset"}
	case errors.As(cause, &gone):
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			return timedOut() // a heartbeat's answer was faster than our own clock
		}
		return &ending{"NOT_FOUND", "notFound"}
	default:
		return &ending{"CANCELLED", ""}
	}
}
