package protocol

import (
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// ToError makes an error that the SDK sends as exactly this failure. The SDK looks through an
// error's causes for a cancellation or a continue-as-new and would end the workflow so; whether it
// is one was decided in JavaScript, so the causes are hidden from it. They travel in the failure.
func ToError(fc converter.FailureConverter, f *failurepb.Failure) error {
	switch e := fc.FailureToError(f).(type) { //nolint:errorlint // the outermost alone decides how the failure is held
	case *temporal.ApplicationError:
		return applicationError{e}
	case *temporal.CanceledError:
		return canceledError{e}
	case *temporal.TimeoutError:
		return timeoutError{e}
	case *temporal.TerminatedError:
		return terminatedError{e}
	case *temporal.ServerError:
		return serverError{e}
	case *temporal.ActivityError:
		return activityError{e}
	case *temporal.ChildWorkflowExecutionError:
		return childError{e}
	case *temporal.NexusOperationError:
		return nexusError{e}
	default:
		return e
	}
}

// Embedding keeps the SDK's unexported methods that hold the failure; Unwrap ends the chain, and
// Error is its message alone, because the server shows it where it takes no failure.
type (
	applicationError struct{ *temporal.ApplicationError }
	canceledError    struct{ *temporal.CanceledError }
	timeoutError     struct{ *temporal.TimeoutError }
	terminatedError  struct{ *temporal.TerminatedError }
	serverError      struct{ *temporal.ServerError }
	activityError    struct{ *temporal.ActivityError }
	childError       struct {
		*temporal.ChildWorkflowExecutionError
	}
	nexusError struct{ *temporal.NexusOperationError }
)

func (applicationError) Unwrap() error { return nil }
func (canceledError) Unwrap() error    { return nil }
func (timeoutError) Unwrap() error     { return nil }
func (terminatedError) Unwrap() error  { return nil }
func (serverError) Unwrap() error      { return nil }
func (activityError) Unwrap() error    { return nil }
func (childError) Unwrap() error       { return nil }
func (nexusError) Unwrap() error       { return nil }

func (e applicationError) Error() string { return e.Message() }

// ActivityFailure is what the protocol wants for an activity that didn't complete: the failure of
// the event, wrapped.
func ActivityFailure(fc converter.FailureConverter, err error) (f *failurepb.Failure, cancelled bool) {
	f = fc.ErrorToFailure(err)
	info := f.GetActivityFailureInfo()
	if info == nil {
		return f, false
	}
	// The SDK has made this one of the event just now; its cause is the event's own and stays as it
	// is.
	var canceled *temporal.CanceledError
	cause := f.GetCause()
	switch {
	case errors.As(err, &canceled) && cause.GetCanceledFailureInfo() != nil:
		f.Message = "Activity cancelled"
		info.RetryState = enumspb.RETRY_STATE_CANCEL_REQUESTED
		f.Cause = Cancellation(cause.GetCanceledFailureInfo())
		return f, true
	case cause.GetTimeoutFailureInfo() != nil:
		f.Message = "Activity task timed out"
	default:
		f.Message = "Activity task failed"
	}
	f.Source = ""
	return f, false
}

// ChildFailure is the same for a child workflow.
func ChildFailure(fc converter.FailureConverter, err error) (f *failurepb.Failure, cancelled bool) {
	f = fc.ErrorToFailure(err)
	if f.GetChildWorkflowExecutionFailureInfo() == nil {
		return f, false
	}
	cause := f.GetCause()
	f.Source = ""
	var terminated *temporal.TerminatedError
	switch {
	case cause.GetCanceledFailureInfo() != nil && cause.GetSource() == "GoSDK":
		// Made by the SDK of a cancelled child's event; one that failed with such an error has its
		// own source.
		f.Message = "Child Workflow execution cancelled"
		f.Cause = Cancellation(cause.GetCanceledFailureInfo())
		return f, true
	case errors.As(err, &terminated):
		f.Message = "Child Workflow execution terminated"
		f.Cause = &failurepb.Failure{Message: "Terminated", FailureInfo: cause.GetFailureInfo()}
	case cause.GetTimeoutFailureInfo() != nil && cause.GetSource() == "GoSDK":
		f.Message = "Child Workflow execution timed out"
		f.Cause = &failurepb.Failure{Message: "Timed out", FailureInfo: cause.GetFailureInfo()}
	default:
		f.Message = "Child Workflow execution failed"
	}
	return f, false
}

// Cancellation is a failure that is one; info may be nil.
func Cancellation(info *failurepb.CanceledFailureInfo) *failurepb.Failure {
	if info == nil {
		info = &failurepb.CanceledFailureInfo{}
	}
	return &failurepb.Failure{FailureInfo: &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: info}}
}

// ExternalFailure is what a signal or a cancellation of another workflow failed with.
func ExternalFailure(verb string, err error) *failurepb.Failure {
	reason, kind := "unknown", "Unspecified"
	var notFound *temporal.UnknownExternalWorkflowExecutionError
	var namespace *temporal.NamespaceNotFoundError
	if errors.As(err, &notFound) || errors.As(err, &namespace) {
		reason, kind = "it was not found", "ExternalWorkflowExecutionNotFound"
		if verb == "cancel" {
			reason = "not found"
		}
	}
	return &failurepb.Failure{
		Message: "Unable to " + verb + " external workflow because " + reason,
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
			ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: kind},
		},
	}
}
