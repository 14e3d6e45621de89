package main

import (
	failurepb "go.temporal.io/api/failure/v1"
	"google.golang.org/protobuf/types/known/durationpb"
)

// failureTree shows a failure as cases name it: what kind it is, its message, the kind's own
// fields, its cause. Fields that are false or empty are absent.
func failureTree(f *failurepb.Failure) map[string]any {
	if f == nil {
		return nil
	}
	t := tree{"kind": "Plain"}
	t.text("message", f.GetMessage())
	t.text("source", f.GetSource())
	t.text("stack", f.GetStackTrace())
	switch i := f.GetFailureInfo().(type) {
	case *failurepb.Failure_ApplicationFailureInfo:
		t["kind"] = "Application"
		t.text("type", i.ApplicationFailureInfo.GetType())
		t.truth("nonRetryable", i.ApplicationFailureInfo.GetNonRetryable())
		t.list("details", valuesOf(i.ApplicationFailureInfo.GetDetails()))
		t.duration("nextRetryDelay", i.ApplicationFailureInfo.GetNextRetryDelay())
		if c := i.ApplicationFailureInfo.GetCategory(); c != 0 {
			t["category"] = c.String()
		}
	case *failurepb.Failure_CanceledFailureInfo:
		t["kind"] = "Canceled"
		t.list("details", valuesOf(i.CanceledFailureInfo.GetDetails()))
	case *failurepb.Failure_TimeoutFailureInfo:
		t["kind"] = "Timeout"
		t["timeoutType"] = i.TimeoutFailureInfo.GetTimeoutType().String()
		t.list("lastHeartbeatDetails", valuesOf(i.TimeoutFailureInfo.GetLastHeartbeatDetails()))
	case *failurepb.Failure_TerminatedFailureInfo:
		t["kind"] = "Terminated"
	case *failurepb.Failure_ServerFailureInfo:
		t["kind"] = "Server"
		t.truth("nonRetryable", i.ServerFailureInfo.GetNonRetryable())
	case *failurepb.Failure_ResetWorkflowFailureInfo:
		t["kind"] = "Reset"
	case *failurepb.Failure_ActivityFailureInfo:
		t["kind"] = "Activity"
		t.text("activityType", i.ActivityFailureInfo.GetActivityType().GetName())
		t.text("activityId", i.ActivityFailureInfo.GetActivityId())
		t["retryState"] = i.ActivityFailureInfo.GetRetryState().String()
	case *failurepb.Failure_ChildWorkflowExecutionFailureInfo:
		t["kind"] = "Child"
		t.text("workflowType", i.ChildWorkflowExecutionFailureInfo.GetWorkflowType().GetName())
		t["retryState"] = i.ChildWorkflowExecutionFailureInfo.GetRetryState().String()
	case *failurepb.Failure_NexusOperationExecutionFailureInfo:
		t["kind"] = "NexusOperation"
		t.text("operation", i.NexusOperationExecutionFailureInfo.GetOperation())
	case *failurepb.Failure_NexusHandlerFailureInfo:
		t["kind"] = "NexusHandler"
		t.text("type", i.NexusHandlerFailureInfo.GetType())
	}
	if cause := failureTree(f.GetCause()); cause != nil {
		t["cause"] = cause
	}
	return t
}

type tree map[string]any

func (t tree) text(name, v string) {
	if v != "" {
		t[name] = v
	}
}

func (t tree) truth(name string, v bool) {
	if v {
		t[name] = true
	}
}

func (t tree) list(name string, v []any) {
	if len(v) > 0 {
		t[name] = v
	}
}

func (t tree) duration(name string, d *durationpb.Duration) {
	if d != nil {
		t[name] = d.AsDuration().String()
	}
}

// withoutVolatile leaves out what two correct workers need not agree on.
func withoutVolatile(f map[string]any) map[string]any {
	if f == nil {
		return nil
	}
	out := make(map[string]any, len(f))
	for k, v := range f {
		switch k {
		case "stack", "source":
		case "cause":
			cause, _ := v.(map[string]any)
			out[k] = withoutVolatile(cause)
		default:
			out[k] = v
		}
	}
	return out
}
