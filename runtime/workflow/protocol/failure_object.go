package protocol

import (
	"fmt"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"

	"workflow-worker/runtime/sandbox"
)

// protoHandle hides a failure in the JavaScript object made of it: an error that code catches and
// throws again goes back to the server as it came. It has nothing that JavaScript could reach.
type protoHandle struct{ failure *failurepb.Failure }

// Failure makes the protocol's failure object.
func (v *Values) Failure(f *failurepb.Failure) (goja.Value, error) {
	if f == nil {
		return goja.Undefined(), nil
	}
	b := v.Build()
	b.Set("message", f.GetMessage())
	b.Set("source", f.GetSource())
	b.Set("stackTrace", f.GetStackTrace())
	if f.GetCause() != nil {
		b.Failure("cause", f.GetCause())
	}
	if p := f.GetEncodedAttributes(); p != nil {
		b.Payload("encodedAttributes", p)
	}
	info := v.Build()
	name := ""
	switch x := f.GetFailureInfo().(type) {
	case *failurepb.Failure_ApplicationFailureInfo:
		name = "applicationFailureInfo"
		info.Set("type", x.ApplicationFailureInfo.GetType())
		info.Set("nonRetryable", x.ApplicationFailureInfo.GetNonRetryable())
		info.Set("category", int32(x.ApplicationFailureInfo.GetCategory()))
		info.Payloads("details", x.ApplicationFailureInfo.GetDetails())
	case *failurepb.Failure_TimeoutFailureInfo:
		name = "timeoutFailureInfo"
		info.Set("timeoutType", int32(x.TimeoutFailureInfo.GetTimeoutType()))
		info.Payloads("lastHeartbeatDetails", x.TimeoutFailureInfo.GetLastHeartbeatDetails())
	case *failurepb.Failure_CanceledFailureInfo:
		name = "canceledFailureInfo"
		info.Payloads("details", x.CanceledFailureInfo.GetDetails())
	case *failurepb.Failure_TerminatedFailureInfo:
		name = "terminatedFailureInfo"
	case *failurepb.Failure_ServerFailureInfo:
		name = "serverFailureInfo"
		info.Set("nonRetryable", x.ServerFailureInfo.GetNonRetryable())
	case *failurepb.Failure_ResetWorkflowFailureInfo:
		name = "resetWorkflowFailureInfo"
		info.Payloads("lastHeartbeatDetails", x.ResetWorkflowFailureInfo.GetLastHeartbeatDetails())
	case *failurepb.Failure_ActivityFailureInfo:
		name = "activityFailureInfo"
		a := x.ActivityFailureInfo
		info.Plain("activityType", Property{"name", a.GetActivityType().GetName()})
		info.Set("activityId", a.GetActivityId())
		info.Set("identity", a.GetIdentity())
		info.Set("retryState", int32(a.GetRetryState()))
	case *failurepb.Failure_ChildWorkflowExecutionFailureInfo:
		name = "childWorkflowExecutionFailureInfo"
		c := x.ChildWorkflowExecutionFailureInfo
		info.Set("namespace", c.GetNamespace())
		info.Plain("workflowType", Property{"name", c.GetWorkflowType().GetName()})
		e := c.GetWorkflowExecution()
		info.Plain("workflowExecution", Property{"workflowId", e.GetWorkflowId()}, Property{"runId", e.GetRunId()})
		info.Set("retryState", int32(c.GetRetryState()))
	case *failurepb.Failure_NexusOperationExecutionFailureInfo:
		name = "nexusOperationExecutionFailureInfo"
		n := x.NexusOperationExecutionFailureInfo
		info.Set("endpoint", n.GetEndpoint())
		info.Set("service", n.GetService())
		info.Set("operation", n.GetOperation())
		info.Set("operationToken", n.GetOperationToken())
		if id := n.GetScheduledEventId(); id != 0 {
			info.Value("scheduledEventId", v.Long(id))
		}
	case *failurepb.Failure_NexusHandlerFailureInfo:
		name = "nexusHandlerFailureInfo"
		info.Set("type", x.NexusHandlerFailureInfo.GetType())
		info.Set("retryBehavior", int32(x.NexusHandlerFailureInfo.GetRetryBehavior()))
	}
	if name != "" {
		b.Value(name, info.o)
	}
	handle := v.Runtime.ToValue(&protoHandle{f})
	b.Check(b.o.DefineDataPropertySymbol(v.proto, handle, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE))
	b.Check(info.err)
	return b.o, b.err
}

// MaxCauses is how long a chain of causes may be.
const MaxCauses = 100

// ReadFailure makes a failure of the protocol's object: the one it was made of, where it was made
// here.
func (v *Values) ReadFailure(value goja.Value) (*failurepb.Failure, error) {
	f, err := v.readFailureTo(value, MaxCauses)
	return sandbox.BoundFailure(f), err
}

func (v *Values) readFailureTo(value goja.Value, causes int) (*failurepb.Failure, error) {
	o := Object(value)
	if o == nil {
		return nil, nil
	}
	if causes == 0 {
		return nil, fmt.Errorf("a failure has more than %d causes", MaxCauses)
	}
	if h := o.GetSymbol(v.proto); h != nil {
		if handle, ok := h.Export().(*protoHandle); ok {
			return handle.failure, nil
		}
	}
	f := Fields{o}
	out := &failurepb.Failure{Message: f.Text("message"), Source: f.Text("source"), StackTrace: ShortStack(f.Text("stackTrace"))}
	var err error
	if out.Cause, err = v.readFailureTo(f.Value("cause"), causes-1); err != nil {
		return nil, err
	}
	if out.EncodedAttributes, err = v.ReadPayload(f.Value("encodedAttributes")); err != nil {
		return nil, err
	}
	return out, v.readFailureInfo(f, out)
}

func (v *Values) readFailureInfo(f Fields, out *failurepb.Failure) error {
	var err error
	switch {
	case f.Has("applicationFailureInfo"):
		i := f.Object("applicationFailureInfo")
		a := &failurepb.ApplicationFailureInfo{
			Type: i.Text("type"), NonRetryable: i.Truth("nonRetryable"), NextRetryDelay: i.DurationProto("nextRetryDelay"),
			Category: enumspb.ApplicationErrorCategory(i.Integer("category")),
		}
		a.Details, err = v.readDetails(i, "details")
		out.FailureInfo = &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: a}
	case f.Has("canceledFailureInfo"):
		c := &failurepb.CanceledFailureInfo{}
		c.Details, err = v.readDetails(f.Object("canceledFailureInfo"), "details")
		out.FailureInfo = &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: c}
	case f.Has("timeoutFailureInfo"):
		i := f.Object("timeoutFailureInfo")
		t := &failurepb.TimeoutFailureInfo{TimeoutType: enumspb.TimeoutType(i.Integer("timeoutType"))}
		t.LastHeartbeatDetails, err = v.readDetails(i, "lastHeartbeatDetails")
		out.FailureInfo = &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: t}
	case f.Has("serverFailureInfo"):
		s := &failurepb.ServerFailureInfo{NonRetryable: f.Object("serverFailureInfo").Truth("nonRetryable")}
		out.FailureInfo = &failurepb.Failure_ServerFailureInfo{ServerFailureInfo: s}
	case f.Has("terminatedFailureInfo"):
		out.FailureInfo = &failurepb.Failure_TerminatedFailureInfo{TerminatedFailureInfo: &failurepb.TerminatedFailureInfo{}}
	case f.Has("activityFailureInfo"):
		i := f.Object("activityFailureInfo")
		out.FailureInfo = &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: i.Object("activityType").Text("name")},
			ActivityId:   i.Text("activityId"), Identity: i.Text("identity"), RetryState: enumspb.RetryState(i.Integer("retryState")),
		}}
	case f.Has("childWorkflowExecutionFailureInfo"):
		i := f.Object("childWorkflowExecutionFailureInfo")
		e := i.Object("workflowExecution")
		c := &failurepb.ChildWorkflowExecutionFailureInfo{
			Namespace:         i.Text("namespace"),
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: e.Text("workflowId"), RunId: e.Text("runId")},
			WorkflowType:      &commonpb.WorkflowType{Name: i.Object("workflowType").Text("name")},
			RetryState:        enumspb.RetryState(i.Integer("retryState")),
		}
		out.FailureInfo = &failurepb.Failure_ChildWorkflowExecutionFailureInfo{ChildWorkflowExecutionFailureInfo: c}
	case f.Has("nexusOperationExecutionFailureInfo"):
		i := f.Object("nexusOperationExecutionFailureInfo")
		n := &failurepb.NexusOperationFailureInfo{
			ScheduledEventId: i.Integer("scheduledEventId"),
			Endpoint:         i.Text("endpoint"), Service: i.Text("service"), Operation: i.Text("operation"), OperationToken: i.Text("operationToken"),
		}
		out.FailureInfo = &failurepb.Failure_NexusOperationExecutionFailureInfo{NexusOperationExecutionFailureInfo: n}
	case f.Has("nexusHandlerFailureInfo"):
		i := f.Object("nexusHandlerFailureInfo")
		n := &failurepb.NexusHandlerFailureInfo{
			Type: i.Text("type"), RetryBehavior: enumspb.NexusHandlerErrorRetryBehavior(i.Integer("retryBehavior")),
		}
		out.FailureInfo = &failurepb.Failure_NexusHandlerFailureInfo{NexusHandlerFailureInfo: n}
	}
	return err
}

func (v *Values) readDetails(i Fields, name string) (*commonpb.Payloads, error) {
	return v.ReadPayloads(i.Object(name).Value("payloads"))
}
