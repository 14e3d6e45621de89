package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime/replay"
)

// Base is what every service needs. All of it is required.
type Base struct {
	// DB reaches the rows. What is asked of Temporal is bounded by its Timeout, too.
	DB rows.DB
	// Replica is the name of this process.
	Replica string
	Log     *slog.Logger
	Trouble *trouble.Log
}

// Executions knows Temporal's executions. runtime.Executions is the real one.
type Executions interface {
	// Count gives the number of executions on any of the task queues that
	// began before started and are open, or were closed after closed; a zero
	// closed leaves the closed ones out.
	Count(ctx context.Context, taskQueues []string, started, closed time.Time) (int64, error)
	// CountBegun gives the number of open executions of any of the workflow types
	// on the task queue that began at from or later, and before to.
	CountBegun(ctx context.Context, taskQueue string, types []string, from, to time.Time) (int64, error)
	// Closed tells when an execution closed, zero if it is open; known is false if
	// there is no such execution any more.
	Closed(ctx context.Context, e replay.Execution) (at time.Time, known bool, err error)
	// Failing tells whether an execution's workflow tasks still fail; not if it is
	// over, or there is no such execution any more.
	Failing(ctx context.Context, e replay.Execution) (bool, error)
}

// maxErrors is after how many a service gives up what it is at until its next turn.
const maxErrors = 3

// maxAsked is how many executions one look asks Temporal about.
const maxAsked = 100

// askAll asks Temporal about one execution after another.
func (s Base) askAll(ctx context.Context, list []replay.Execution, ask func(context.Context, replay.Execution) error) error {
	var errs []error
	for _, x := range list {
		asked, cancel := s.DB.Within(ctx)
		err := ask(asked, x)
		cancel()
		if err != nil {
			if errs = append(errs, err); len(errs) == maxErrors {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// gathering is a service that writes down what it is told, and forgets now and then what isn't
// so any more.
type gathering struct {
	Base
	interval, limit time.Duration   // between two looks; the wait after a failure at most
	wake            <-chan struct{} // something was told
	duty, lookDuty  string          // of trouble
	fails, mended   string          // in words
	lookFails       string
	write, look     func(context.Context) error
}

// gather is how long what else comes is waited for: who wakes a crowd wakes it at once.
const gather = 300 * time.Millisecond

// run works until ctx ends.
func (s gathering) run(ctx context.Context) {
	for {
		next := s.interval
		err := s.write(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Trouble.Fail(ctx, s.duty, s.fails, err)
			next = min(s.interval, s.limit)
		default:
			s.Trouble.Recover(ctx, s.duty, s.mended)
		}
		due := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-s.wake:
			trouble.Sleep(ctx, gather)
		case <-due.C:
			if err := s.look(ctx); err != nil && ctx.Err() == nil {
				s.Trouble.Fail(ctx, s.lookDuty, s.lookFails, err)
			}
		}
		due.Stop()
	}
}
