package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
)

// ValidationErrorType is the type of the non-retryable failure that bad input ends with. Its first
// detail is an object that names the field: {"field": "rules.pattern"}.
const ValidationErrorType = "ValidationError"

// invalid says what is wrong with a field of the input. The text starts with the field's name, as a
// path from the input object.
func invalid(field, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(
		field+" "+fmt.Sprintf(format, args...), ValidationErrorType,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{map[string]string{"field": field}}})
}

func permanent(errType string, cause error, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(
		fmt.Sprintf(format, args...), errType, temporal.ApplicationErrorOptions{NonRetryable: true, Cause: cause})
}

func retryable(errType string, cause error, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(
		fmt.Sprintf(format, args...), errType, temporal.ApplicationErrorOptions{Cause: cause})
}

// interrupted is the error of an activity whose context ended before its work did. Only a
// cancellation that somebody asked for may end the activity as cancelled; a worker that stops gives
// the attempt back to be tried elsewhere.
func interrupted(ctx context.Context) error {
	cause := context.Cause(ctx)
	switch {
	case temporal.IsCanceledError(cause), errors.Is(cause, context.Canceled):
		return temporal.NewCanceledError()
	case errors.Is(cause, worker.ErrWorkerShutdown):
		return retryable(WorkerShutdownType, cause, "the worker is shutting down")
	case errors.Is(cause, context.DeadlineExceeded):
		return retryable(TimeoutErrorType, cause, "the activity's time is over")
	default:
		return retryable(AttemptInterruptedType, cause, "the attempt was ended: %v", cause)
	}
}
