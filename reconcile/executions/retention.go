package executions

import (
	"context"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// removeAtOnce rows go in one statement, so that nobody waits for its locks.
const removeAtOnce = 500

// Retention removes rows of executions that have been over for long enough.
type Retention struct {
	Base
	Keep     time.Duration // 0: for good, unless a project says otherwise
	Interval time.Duration
}

// Run works until ctx ends.
func (r *Retention) Run(ctx context.Context) {
	for trouble.Sleep(ctx, r.Interval) {
		err := r.remove(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.Trouble.Fail(ctx, "execution retention", "old executions can't be removed; they are kept", err)
		default:
			r.Trouble.Recover(ctx, "execution retention", "old executions are removed again")
		}
	}
}

func (r *Retention) remove(ctx context.Context) error {
	for {
		n, err := rows.RemoveOldExecutions(ctx, r.DB, r.Keep, removeAtOnce)
		if err != nil || n < removeAtOnce || !trouble.Sleep(ctx, 100*time.Millisecond) {
			return err
		}
	}
}
