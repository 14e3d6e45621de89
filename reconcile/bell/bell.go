package bell

import (
	"context"
	"time"
)

// Bell wakes a loop; it holds one ring.
type Bell chan struct{}

// New returns one that hasn't rung.
func New() Bell { return make(Bell, 1) }

// Ring never blocks.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Wait waits for a ring, or so long; false means that ctx ended.
func (b Bell) Wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b:
		return ctx.Err() == nil
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Pause waits so long, whatever rings; false means that ctx ended.
func Pause(ctx context.Context, d time.Duration) bool { return New().Wait(ctx, d) }

// Backoff is how long to wait after so many failures in a row.
func Backoff(failures int) time.Duration {
	return min(250*time.Millisecond<<min(failures, 10), 15*time.Second)
}
