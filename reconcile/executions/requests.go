package executions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/rows"
)

const (
	requestsAtOnce = 32
	requestShare   = 16
	updatesAtOnce  = 256 // whose results are waited for
	requestLease   = 2*callTimeout + 5*time.Second
	// unstartedFor is how long a request waits for its execution's start, or an update for being
	// accepted.
	unstartedFor = time.Minute
	retryPause   = 300 * time.Millisecond
)

// Requests does what is asked of executions, in each one's order.
type Requests struct {
	Base
	Temporal interface {
		Looks
		Asks
		Ends
	}
	Follower *Follower
	Sweeper  *Sweeper
	Bell     bell
}

// errLater has a request taken up again.
var errLater = errors.New("not yet")

// Run works until ctx ends.
func (r *Requests) Run(ctx context.Context) {
	var waits sync.WaitGroup
	defer waits.Wait()
	free := make(chan struct{}, updatesAtOnce)
	failures := 0
	for next := time.Duration(0); r.Bell.wait(ctx, next); {
		later, err := r.pass(ctx)
		if err == nil {
			err = r.awaitUpdates(ctx, &waits, free)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.Trouble.Fail(ctx, "execution requests", "what is asked of executions can't be done; it waits", err)
			next = backoff(failures)
			failures++
			if !pause(ctx, next) {
				return
			}
			next = 0
		default:
			failures = 0
			r.Trouble.Recover(ctx, "execution requests", "what is asked of executions is done again")
			if next = turn; later {
				next = retryPause
			}
		}
	}
}

// pass does all that can be done; later says that something has to wait.
func (r *Requests) pass(ctx context.Context) (later bool, err error) {
	for {
		batch, err := rows.ClaimExecutionRequests(ctx, r.DB, requestLease, requestsAtOnce, requestShare)
		if err != nil || len(batch) == 0 {
			return later, err
		}
		var (
			work sync.WaitGroup
			mu   sync.Mutex // guards errs and later
			errs []error
		)
		for _, q := range batch {
			work.Go(func() {
				err := r.do(ctx, q)
				if err == nil {
					return
				}
				after := retryPause
				if !errors.Is(err, errLater) {
					after = time.Second
				}
				given := rows.GiveBackRequest(context.WithoutCancel(ctx), r.DB, q.ID, after)
				mu.Lock()
				defer mu.Unlock()
				later = true
				if !errors.Is(err, errLater) {
					errs = append(errs, errors.Join(err, given))
				}
			})
		}
		work.Wait()
		if len(errs) > 0 {
			return later, errs[0]
		}
	}
}

// do does one and writes the answer. An error means that it has to be tried again.
func (r *Requests) do(ctx context.Context, q rows.ExecutionRequest) error {
	x, found, err := rows.ReadExecution(ctx, r.DB, q.ExecutionID)
	if err != nil {
		return err
	}
	if !found {
		return r.finish(ctx, q, nil, "there is no such execution")
	}
	if x.FirstRunID == "" {
		return r.unstarted(ctx, q, x)
	}
	run, err := r.newestRun(ctx, x)
	if errors.Is(err, errUnknown) {
		return r.finish(ctx, q, nil, "Temporal doesn't know the execution, or not any more")
	}
	if err != nil {
		return err
	}
	a := asked{Requests: r, ExecutionRequest: q, x: x, run: run}
	result, err := a.act(ctx)
	switch {
	case err == nil:
		return r.finish(ctx, q, result, "")
	case errors.Is(err, errAccepted):
		defer r.Bell.Ring()
		return rows.NoteRequestAccepted(ctx, r.DB, q.ID)
	case errors.Is(err, errLater), ctx.Err() != nil:
		return err
	}
	if why, final := refusal(err); final {
		return r.finish(ctx, q, nil, why)
	}
	return err
}

// unstarted answers, or keeps, a request about a row that has no execution yet.
func (r *Requests) unstarted(ctx context.Context, q rows.ExecutionRequest, x rows.OpenExecution) error {
	switch x.Status {
	case rows.ExecutionPending:
		if q.Action == rows.AskCancel || q.Action == rows.AskTerminate {
			done, err := rows.CancelWaiting(ctx, r.DB, x.ID, q.Reason)
			if err != nil {
				return err
			}
			if done {
				return r.finish(ctx, q, nil, "")
			}
		}
	case rows.ExecutionRunning, rows.ExecutionPaused:
		r.Sweeper.Bell.Ring() // somebody else's, not looked at yet
	case rows.ExecutionBuilding:
		return r.finish(ctx, q, nil, "the execution is still being built")
	default:
		return r.finish(ctx, q, nil, "the execution never started")
	}
	if time.Since(q.StartedAt) > unstartedFor {
		return r.finish(ctx, q, nil, fmt.Sprintf("the execution didn't start within %s", unstartedFor))
	}
	return errLater
}

// newestRun is the run of the row's chain that requests go to.
func (r *Requests) newestRun(ctx context.Context, x rows.OpenExecution) (string, error) {
	found, err := r.describe(ctx, r.Temporal, x.TemporalID, "")
	if err == nil && firstRun(found) == x.FirstRunID {
		return found.GetWorkflowExecutionInfo().GetExecution().GetRunId(), nil
	}
	if err != nil && !errors.Is(err, errUnknown) {
		return "", err
	}
	if _, err := r.describe(ctx, r.Temporal, x.TemporalID, x.RunID); err != nil {
		return "", err
	}
	return x.RunID, nil
}

func (r *Requests) finish(ctx context.Context, q rows.ExecutionRequest, result *string, reason string) error {
	return rows.FinishExecutionRequest(context.WithoutCancel(ctx), r.DB, q.ID, result, reason)
}

// refusalError is why a request can't be met.
type refusalError struct{ why string }

func (e refusalError) Error() string { return e.why }

// refusal says whether an error is an answer, and in which words.
func refusal(err error) (why string, final bool) {
	if own, ok := errors.AsType[refusalError](err); ok {
		return own.why, true
	}
	switch codeOf(err) {
	case codes.NotFound, codes.InvalidArgument, codes.FailedPrecondition, codes.Unimplemented, codes.AlreadyExists, codes.OutOfRange:
		return err.Error(), true
	}
	return "", false
}

// awaitUpdates waits for the results of updates, beside all else.
func (r *Requests) awaitUpdates(ctx context.Context, waits *sync.WaitGroup, free chan struct{}) error {
	batch, err := rows.ClaimAcceptedUpdates(ctx, r.DB, requestLease, cap(free)-len(free))
	if err != nil {
		return err
	}
	for _, q := range batch {
		free <- struct{}{}
		waits.Go(func() {
			defer func() { <-free; r.Bell.Ring() }()
			x, found, err := rows.ReadExecution(ctx, r.DB, q.ExecutionID)
			switch {
			case err != nil:
			case !found:
				err = r.finish(ctx, q, nil, "the execution's row was deleted")
			default:
				a := asked{Requests: r, ExecutionRequest: q, x: x, run: q.RunID}
				var result *string
				if result, err = a.updateResult(ctx); err == nil {
					err = r.finish(ctx, q, result, "")
				} else if why, final := refusal(err); final {
					err = r.finish(ctx, q, nil, why)
				}
			}
			if err != nil {
				if err := rows.GiveBackRequest(context.WithoutCancel(ctx), r.DB, q.ID, 0); err != nil {
					r.Trouble.Fail(ctx, "execution requests", "what is asked of executions can't be done; it waits", err)
				}
			}
		})
	}
	return nil
}
