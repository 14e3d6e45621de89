package activity

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
)

// Local is what the author said of a local activity. The SDK's own info of one has the values by
// which it is made to do so.
type Local struct {
	// ID is the one that the workflow gave it.
	ID string
	// ScheduleToClose is 0 for none, StartToClose what ScheduleToClose is if none was given.
	StartToClose, ScheduleToClose time.Duration
	Retry                         temporal.RetryPolicy
}

type localKey struct{}

// WithLocal tells the attempt that runs in the context what its local activity is.
func WithLocal(ctx context.Context, l Local) context.Context {
	return context.WithValue(ctx, localKey{}, l)
}

func localOf(ctx context.Context) (Local, bool) {
	l, ok := ctx.Value(localKey{}).(Local)
	return l, ok
}
