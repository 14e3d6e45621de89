package activity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"workflow-worker/activities"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// deepestCause is how long a chain of causes may be; what is beyond is left out.
const deepestCause = 32

// rejected is what the activity's promise was rejected with.
type rejected struct{ value goja.Value }

func (r rejected) Error() string { return "the activity's promise was rejected" }

// failure makes of what ended an execution what Temporal is told.
func (in *instance) failure(ctx, hard context.Context, err error) error {
	var interrupted *sandbox.Interrupted
	var overflow *goja.StackOverflowError
	var ex *goja.Exception
	var no rejected
	switch {
	case errors.As(err, &interrupted):
		return in.interruption(ctx, interrupted)
	case errors.As(err, &overflow): // V8's could have been caught; this can't
		return applicationError("Maximum call stack size exceeded", "RangeError", sandbox.CleanStack(overflow.String()), false)
	case errors.As(err, &ex):
		return in.thrown(ctx, hard, ex.Value())
	case errors.As(err, &no):
		return in.thrown(ctx, hard, no.value)
	default:
		return err
	}
}

// interruption is for JavaScript that was cut off: by a limit, or with its attempt.
func (in *instance) interruption(ctx context.Context, i *sandbox.Interrupted) error {
	if err := outOfMemory(i); err != nil {
		return err
	}
	if i.Cause != nil {
		return in.cutOff(ctx, i.Cause)
	}
	if in.spent {
		return applicationError(fmt.Sprintf("the activity took more than %v of CPU time in all (%s)", in.code.opts.CPUBudget, activities.MaxCPUTimeSetting),
			InterruptedType, i.Stack, true)
	}
	if i.Clock > 0 { // another time the machine may have more for it
		return applicationError(fmt.Sprintf("the activity ran for %v without yielding: the machine is too busy to give it its %v of CPU time (%s)",
			i.Clock, i.Budget.Round(time.Millisecond), activities.CPUTimeSetting), InterruptedType, i.Stack, false)
	}
	return applicationError(fmt.Sprintf("the activity ran for longer than %v without yielding (%s)", i.Budget.Round(time.Millisecond), activities.CPUTimeSetting),
		InterruptedType, i.Stack, true)
}

// outOfMemory is for JavaScript that was cut off because of the memory that it kept; nil for all
// other.
func outOfMemory(i *sandbox.Interrupted) error {
	var over *sandbox.MemoryError
	switch {
	case !errors.As(i.Cause, &over):
		return nil
	case over.Shared:
		return applicationError(fmt.Sprintf("the service is short of memory (%d MB in use), and this activity keeps the most of it: about %d MB",
			over.Limit>>20, over.Bytes>>20), ShortOfMemoryType, i.Stack, false)
	}
	return applicationError(fmt.Sprintf("the activity keeps about %d MB of memory; the limit is %d bytes (%s)",
		over.Bytes>>20, over.Limit, activities.MaxMemorySetting), MemoryType, i.Stack, true)
}

// cutOff is for an execution that didn't end with its attempt.
func (in *instance) cutOff(ctx context.Context, cause error) error {
	return cutOff(ctx, in.notified.Load(), cause)
}

func cutOff(ctx context.Context, why *ending, cause error) error {
	switch {
	case why != nil:
	case ctx.Err() == nil:
		return cause
	default:
		why = endingOf(ctx)
	}
	if why.detail == "cancelRequested" {
		return temporal.NewCanceledError()
	}
	return applicationError(fmt.Sprintf("the attempt was ended (%s) and the activity didn't end with it", why.reason), EndedType, "", false)
}

// thrown asks the SDK what Temporal's own worker would send for what the code threw.
func (in *instance) thrown(ctx, hard context.Context, value goja.Value) error {
	var kind string
	var f *failurepb.Failure
	err := in.enter(hard, func() error {
		if _, err := in.loadSDK(); err != nil {
			return err
		}
		v, err := in.callSDK("outcomeOf", value)
		if err != nil {
			return err
		}
		outcome := v.ToObject(in.vm.Runtime)
		kind = outcome.Get("kind").String()
		f = sandbox.BoundFailure(readFailure(outcome.Get("failure"), 0))
		if info := f.GetApplicationFailureInfo(); info != nil && in.isRefusal(value) {
			info.Type, info.NonRetryable = activities.AddressNotAllowedType, true
		}
		return nil
	})
	var interrupted *sandbox.Interrupted
	switch {
	case errors.As(err, &interrupted):
		return in.interruption(ctx, interrupted)
	case err != nil: // the code broke what the SDK stands on
		return in.plainFailure(hard, value, err)
	case kind == "async":
		return activity.ErrResultPending
	case f == nil:
		return temporal.NewCanceledError()
	default:
		if in.machine != nil && refusedByFrozen(f) {
			in.code.keepApart()
		}
		return errorOf(f)
	}
}

// errorOf makes an error that is to the SDK what it is itself: in the causes of one it would find
// a cancellation, or a timeout, and answer that the activity was cancelled, or try it no more.
func errorOf(f *failurepb.Failure) error {
	converter, cause := temporal.GetDefaultFailureConverter(), f.GetCause()
	f.Cause = nil
	err := converter.FailureToError(f)
	converter.ErrorToFailure(err).Cause = cause // it is the one that the error keeps
	return err
}

// refusedByFrozen tells the failure of code that frozen builtins are in the way of, as where it
// gives an array a join of its own.
func refusedByFrozen(f *failurepb.Failure) bool {
	return f.GetApplicationFailureInfo().GetType() == "TypeError" &&
		(strings.Contains(f.GetMessage(), "read only property") || strings.Contains(f.GetMessage(), "not extensible"))
}

// plainFailure is what can be said without the SDK of a thrown value.
func (in *instance) plainFailure(hard context.Context, value goja.Value, why error) error {
	message := "the activity threw something that can't be described: " + why.Error()
	stack := ""
	// If this fails too, that is all there is to say.
	_ = in.enter(hard, func() error {
		if o, ok := value.(*goja.Object); ok && o.ClassName() == "Error" {
			message, stack = platform.Text(o, "message"), sandbox.CleanStack(platform.Text(o, "stack"))
		} else if !ok {
			message = value.String()
		}
		return nil
	})
	return applicationError(message, "Error", stack, false)
}

// noteRefusal remembers an error that says that the guard refused an address: an execution that
// ends with one is not retried.
func (in *instance) noteRefusal(e *goja.Object) {
	if len(in.refusals) < in.code.opts.MaxRequests {
		in.refusals = append(in.refusals, e)
	}
}

// isRefusal reports that the code ended with fetch's error for an address that the guard refused,
// or with an error that was caused by it. Inside Enter.
func (in *instance) isRefusal(value goja.Value) bool {
	if len(in.refusals) == 0 {
		return false
	}
	for range deepestCause {
		o, ok := value.(*goja.Object)
		if !ok {
			return false
		}
		for _, r := range in.refusals {
			if r.SameAs(o) {
				return true
			}
		}
		value = o.Get("cause")
	}
	return false
}

// applicationError is a failure of ours with the author's stack, which temporal.NewApplicationError
// can't carry.
func applicationError(message, errType, stack string, nonRetryable bool) error {
	return temporal.GetDefaultFailureConverter().FailureToError(&failurepb.Failure{
		Message: sandbox.Shorten(message), Source: "TypeScriptSDK", StackTrace: sandbox.Shorten(stack),
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{
			Type: errType, NonRetryable: nonRetryable}},
	})
}

// readFailure reads what the SDK's failure converter made. Of the kinds of failure it knows those
// that activity code can make, or gets from a client and passes on; others are kept as plain ones.
// Inside Enter.
func readFailure(v goja.Value, depth int) *failurepb.Failure {
	o, ok := v.(*goja.Object)
	if !ok || depth > deepestCause {
		return nil
	}
	f := &failurepb.Failure{
		Message: platform.Text(o, "message"), Source: platform.Text(o, "source"), StackTrace: sandbox.CleanStack(platform.Text(o, "stackTrace")),
		Cause: readFailure(o.Get("cause"), depth+1),
	}
	if info, ok := o.Get("applicationFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{
			Type:           platform.Text(info, "type"),
			NonRetryable:   flag(info, "nonRetryable"),
			Details:        readPayloads(info.Get("details")),
			NextRetryDelay: readDuration(info.Get("nextRetryDelay")),
			Category:       enumspb.ApplicationErrorCategory(platform.Integer(info, "category")),
		}}
	} else if info, ok := o.Get("canceledFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: &failurepb.CanceledFailureInfo{
			Details: readPayloads(info.Get("details"))}}
	} else if info, ok := o.Get("timeoutFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{
			TimeoutType:          enumspb.TimeoutType(platform.Integer(info, "timeoutType")),
			LastHeartbeatDetails: readPayloads(info.Get("lastHeartbeatDetails"))}}
	} else if _, ok := o.Get("terminatedFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_TerminatedFailureInfo{TerminatedFailureInfo: &failurepb.TerminatedFailureInfo{}}
	} else if info, ok := o.Get("serverFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_ServerFailureInfo{ServerFailureInfo: &failurepb.ServerFailureInfo{
			NonRetryable: flag(info, "nonRetryable")}}
	} else if info, ok := o.Get("activityFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: within(info, "activityType", "name")},
			ActivityId:   platform.Text(info, "activityId"), Identity: platform.Text(info, "identity"),
			RetryState: enumspb.RetryState(platform.Integer(info, "retryState"))}}
	} else if info, ok := o.Get("childWorkflowExecutionFailureInfo").(*goja.Object); ok {
		f.FailureInfo = &failurepb.Failure_ChildWorkflowExecutionFailureInfo{ChildWorkflowExecutionFailureInfo: &failurepb.ChildWorkflowExecutionFailureInfo{
			Namespace: platform.Text(info, "namespace"),
			WorkflowExecution: &commonpb.WorkflowExecution{
				WorkflowId: within(info, "workflowExecution", "workflowId"), RunId: within(info, "workflowExecution", "runId")},
			WorkflowType: &commonpb.WorkflowType{Name: within(info, "workflowType", "name")},
			RetryState:   enumspb.RetryState(platform.Integer(info, "retryState"))}}
	}
	return f
}

// within is a text of an object in an object; "" if there is none.
func within(o *goja.Object, object, name string) string {
	if inner, ok := o.Get(object).(*goja.Object); ok {
		return platform.Text(inner, name)
	}
	return ""
}

func readPayloads(v goja.Value) *commonpb.Payloads {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	list, ok := o.Get("payloads").(*goja.Object)
	if !ok {
		return nil
	}
	out := &commonpb.Payloads{}
	for _, key := range list.Keys() {
		item, ok := list.Get(key).(*goja.Object)
		if !ok {
			continue
		}
		p := &commonpb.Payload{Metadata: map[string][]byte{}, Data: platform.Octets(item.Get("data"))}
		if metadata, ok := item.Get("metadata").(*goja.Object); ok {
			for _, name := range metadata.Keys() {
				p.Metadata[name] = platform.Octets(metadata.Get(name))
			}
		}
		out.Payloads = append(out.Payloads, p)
	}
	return out
}

func readDuration(v goja.Value) *durationpb.Duration {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	return &durationpb.Duration{Seconds: int64(platform.Integer(o, "seconds")), Nanos: int32(platform.Integer(o, "nanos"))} //nolint:gosec // below 1e9
}

func flag(o *goja.Object, name string) bool {
	v := o.Get(name)
	return v != nil && v.ToBoolean()
}
