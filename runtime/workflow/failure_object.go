package workflow

import (
	"fmt"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

// protoHandle hides a failure in the JavaScript object made of it: an error that code catches and
// throws again goes back to the server as it came. It has nothing that JavaScript could reach.
type protoHandle struct{ failure *failurepb.Failure }

// failure makes the protocol's failure object.
func (v *vm) failure(f *failurepb.Failure) (goja.Value, error) {
	if f == nil {
		return goja.Undefined(), nil
	}
	r := v.box.Runtime
	o := r.NewObject()
	b := builder{v: v, o: o}
	b.set("message", f.GetMessage())
	b.set("source", f.GetSource())
	b.set("stackTrace", f.GetStackTrace())
	if f.GetCause() != nil {
		b.failure("cause", f.GetCause())
	}
	if p := f.GetEncodedAttributes(); p != nil {
		b.payload("encodedAttributes", p)
	}
	info := builder{v: v, o: r.NewObject()}
	name := ""
	switch x := f.GetFailureInfo().(type) {
	case *failurepb.Failure_ApplicationFailureInfo:
		name = "applicationFailureInfo"
		info.set("type", x.ApplicationFailureInfo.GetType())
		info.set("nonRetryable", x.ApplicationFailureInfo.GetNonRetryable())
		info.set("category", int32(x.ApplicationFailureInfo.GetCategory()))
		info.payloads("details", x.ApplicationFailureInfo.GetDetails())
	case *failurepb.Failure_TimeoutFailureInfo:
		name = "timeoutFailureInfo"
		info.set("timeoutType", int32(x.TimeoutFailureInfo.GetTimeoutType()))
		info.payloads("lastHeartbeatDetails", x.TimeoutFailureInfo.GetLastHeartbeatDetails())
	case *failurepb.Failure_CanceledFailureInfo:
		name = "canceledFailureInfo"
		info.payloads("details", x.CanceledFailureInfo.GetDetails())
	case *failurepb.Failure_TerminatedFailureInfo:
		name = "terminatedFailureInfo"
	case *failurepb.Failure_ServerFailureInfo:
		name = "serverFailureInfo"
		info.set("nonRetryable", x.ServerFailureInfo.GetNonRetryable())
	case *failurepb.Failure_ResetWorkflowFailureInfo:
		name = "resetWorkflowFailureInfo"
		info.payloads("lastHeartbeatDetails", x.ResetWorkflowFailureInfo.GetLastHeartbeatDetails())
	case *failurepb.Failure_ActivityFailureInfo:
		name = "activityFailureInfo"
		a := x.ActivityFailureInfo
		info.plain("activityType", property{"name", a.GetActivityType().GetName()})
		info.set("activityId", a.GetActivityId())
		info.set("identity", a.GetIdentity())
		info.set("retryState", int32(a.GetRetryState()))
	case *failurepb.Failure_ChildWorkflowExecutionFailureInfo:
		name = "childWorkflowExecutionFailureInfo"
		c := x.ChildWorkflowExecutionFailureInfo
		info.set("namespace", c.GetNamespace())
		info.plain("workflowType", property{"name", c.GetWorkflowType().GetName()})
		e := c.GetWorkflowExecution()
		info.plain("workflowExecution", property{"workflowId", e.GetWorkflowId()}, property{"runId", e.GetRunId()})
		info.set("retryState", int32(c.GetRetryState()))
	case *failurepb.Failure_NexusOperationExecutionFailureInfo:
		name = "nexusOperationExecutionFailureInfo"
		n := x.NexusOperationExecutionFailureInfo
		info.set("endpoint", n.GetEndpoint())
		info.set("service", n.GetService())
		info.set("operation", n.GetOperation())
		info.set("operationToken", n.GetOperationToken())
		if id := n.GetScheduledEventId(); id != 0 {
			info.value("scheduledEventId", v.long(id))
		}
	case *failurepb.Failure_NexusHandlerFailureInfo:
		name = "nexusHandlerFailureInfo"
		info.set("type", x.NexusHandlerFailureInfo.GetType())
		info.set("retryBehavior", int32(x.NexusHandlerFailureInfo.GetRetryBehavior()))
	}
	if name != "" {
		b.value(name, info.o)
	}
	handle := r.ToValue(&protoHandle{f})
	b.check(o.DefineDataPropertySymbol(v.sdk.proto, handle, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE))
	b.check(info.err)
	return o, b.err
}

// builder sets properties until one fails.
type builder struct {
	v   *vm
	o   *goja.Object
	err error
}

func (b *builder) check(err error) {
	if b.err == nil {
		b.err = err
	}
}

// set takes what JavaScript has of its own: texts, numbers, booleans, values.
func (b *builder) set(name string, value any) { b.check(b.o.Set(name, value)) }

// plain sets an object with the given properties, whose order code can see: it must be the same at
// replay.
func (b *builder) plain(name string, properties ...property) {
	inner := builder{v: b.v, o: b.v.box.Runtime.NewObject()}
	for _, p := range properties {
		inner.set(p.name, p.value)
	}
	b.check(inner.err)
	b.value(name, inner.o)
}

type property struct {
	name  string
	value any
}

func (b *builder) value(name string, value goja.Value) { b.check(b.o.Set(name, value)) }

func (b *builder) payload(name string, p *commonpb.Payload) {
	value, err := b.v.payload(p)
	b.check(err)
	b.value(name, value)
}

// payloads makes the protocol's {payloads: […]}; nothing if there are none.
func (b *builder) payloads(name string, ps *commonpb.Payloads) {
	if ps == nil {
		return
	}
	list, err := b.v.payloads(ps)
	b.check(err)
	o := b.v.box.Runtime.NewObject()
	b.check(o.Set("payloads", list))
	b.value(name, o)
}

func (b *builder) failure(name string, f *failurepb.Failure) {
	value, err := b.v.failure(f)
	b.check(err)
	b.value(name, value)
}

// maxCauses is how long a chain of causes may be.
const maxCauses = 100

// readFailure makes a failure of the protocol's object: the one it was made of, where it was made
// here.
func (v *vm) readFailure(value goja.Value) (*failurepb.Failure, error) {
	return v.readFailureTo(value, maxCauses)
}

func (v *vm) readFailureTo(value goja.Value, causes int) (*failurepb.Failure, error) {
	o := object(value)
	if o == nil {
		return nil, nil
	}
	if causes == 0 {
		return nil, fmt.Errorf("a failure has more than %d causes", maxCauses)
	}
	if h := o.GetSymbol(v.sdk.proto); h != nil {
		if handle, ok := h.Export().(*protoHandle); ok {
			return handle.failure, nil
		}
	}
	f := fields{o}
	out := &failurepb.Failure{Message: f.text("message"), Source: f.text("source"), StackTrace: shortStack(f.text("stackTrace"))}
	var err error
	if out.Cause, err = v.readFailureTo(f.value("cause"), causes-1); err != nil {
		return nil, err
	}
	if out.EncodedAttributes, err = v.readPayload(f.value("encodedAttributes")); err != nil {
		return nil, err
	}
	return out, v.readFailureInfo(f, out)
}

func (v *vm) readFailureInfo(f fields, out *failurepb.Failure) error {
	var err error
	switch {
	case f.has("applicationFailureInfo"):
		i := f.object("applicationFailureInfo")
		a := &failurepb.ApplicationFailureInfo{
			Type: i.text("type"), NonRetryable: i.truth("nonRetryable"), NextRetryDelay: i.durationProto("nextRetryDelay"),
			Category: enumspb.ApplicationErrorCategory(i.integer("category")),
		}
		a.Details, err = v.readDetails(i, "details")
		out.FailureInfo = &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: a}
	case f.has("canceledFailureInfo"):
		c := &failurepb.CanceledFailureInfo{}
		c.Details, err = v.readDetails(f.object("canceledFailureInfo"), "details")
		out.FailureInfo = &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: c}
	case f.has("timeoutFailureInfo"):
		i := f.object("timeoutFailureInfo")
		t := &failurepb.TimeoutFailureInfo{TimeoutType: enumspb.TimeoutType(i.integer("timeoutType"))}
		t.LastHeartbeatDetails, err = v.readDetails(i, "lastHeartbeatDetails")
		out.FailureInfo = &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: t}
	case f.has("serverFailureInfo"):
		s := &failurepb.ServerFailureInfo{NonRetryable: f.object("serverFailureInfo").truth("nonRetryable")}
		out.FailureInfo = &failurepb.Failure_ServerFailureInfo{ServerFailureInfo: s}
	case f.has("terminatedFailureInfo"):
		out.FailureInfo = &failurepb.Failure_TerminatedFailureInfo{TerminatedFailureInfo: &failurepb.TerminatedFailureInfo{}}
	case f.has("activityFailureInfo"):
		i := f.object("activityFailureInfo")
		out.FailureInfo = &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: i.object("activityType").text("name")},
			ActivityId:   i.text("activityId"), Identity: i.text("identity"), RetryState: enumspb.RetryState(i.integer("retryState")),
		}}
	case f.has("childWorkflowExecutionFailureInfo"):
		i := f.object("childWorkflowExecutionFailureInfo")
		e := i.object("workflowExecution")
		c := &failurepb.ChildWorkflowExecutionFailureInfo{
			Namespace:         i.text("namespace"),
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: e.text("workflowId"), RunId: e.text("runId")},
			WorkflowType:      &commonpb.WorkflowType{Name: i.object("workflowType").text("name")},
			RetryState:        enumspb.RetryState(i.integer("retryState")),
		}
		out.FailureInfo = &failurepb.Failure_ChildWorkflowExecutionFailureInfo{ChildWorkflowExecutionFailureInfo: c}
	case f.has("nexusOperationExecutionFailureInfo"):
		i := f.object("nexusOperationExecutionFailureInfo")
		n := &failurepb.NexusOperationFailureInfo{
			ScheduledEventId: i.integer("scheduledEventId"),
			Endpoint:         i.text("endpoint"), Service: i.text("service"), Operation: i.text("operation"), OperationToken: i.text("operationToken"),
		}
		out.FailureInfo = &failurepb.Failure_NexusOperationExecutionFailureInfo{NexusOperationExecutionFailureInfo: n}
	case f.has("nexusHandlerFailureInfo"):
		i := f.object("nexusHandlerFailureInfo")
		n := &failurepb.NexusHandlerFailureInfo{
			Type: i.text("type"), RetryBehavior: enumspb.NexusHandlerErrorRetryBehavior(i.integer("retryBehavior")),
		}
		out.FailureInfo = &failurepb.Failure_NexusHandlerFailureInfo{NexusHandlerFailureInfo: n}
	}
	return err
}

func (v *vm) readDetails(i fields, name string) (*commonpb.Payloads, error) {
	return v.readPayloads(i.object(name).value("payloads"))
}
