package executions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
)

const (
	// So many requests are under way, and so many updates are waited for that were accepted. Each
	// is a call that waits for an answer, and costs little meanwhile.
	requestsAtOnce, requestShare = 256, 32
	updatesAtOnce, updateShare   = 256, 64

	requestLease = 2*temporal.CallTimeout + 5*time.Second
	// unstartedFor is how long a request waits for its execution's start, an update for being
	// accepted, and how long Temporal may fail at one that it fails at alone.
	unstartedFor = time.Minute
	// What has to wait is tried again after as long as it has waited already, between these.
	shortWait, longWait = 50 * time.Millisecond, 2 * time.Second
	// together is how long a claim waits for others to come along where many are under way.
	together = 10 * time.Millisecond
)

// Requests does what is asked of executions, in each one's order.
type Requests struct {
	Base
	Temporal interface {
		temporal.Looks
		Asks
		Ends
	}
	Follower *Follower
	Sweeper  *Sweeper
	Bell     bell.Bell

	asks, updates line
}

// line is requests on their way, each by itself: one that takes long holds nobody else up.
type line struct {
	places
	claim func(ctx context.Context, db rows.DB, lease time.Duration, p rows.RequestPlaces) ([]rows.ExecutionRequest, error)
	do    func(context.Context, rows.ExecutionRequest) error
}

// NewRequests returns one that does nothing until Run.
func NewRequests(b Base, t Temporal, f *Follower, s *Sweeper) *Requests {
	r := &Requests{Base: b, Temporal: t, Follower: f, Sweeper: s, Bell: bell.New()}
	r.asks = line{places: places{most: requestsAtOnce, share: requestShare, least: 1, bell: r.Bell}, claim: rows.ClaimExecutionRequests, do: r.do}
	r.updates = line{places: places{most: updatesAtOnce, share: updateShare, least: 1, bell: bell.New()}, claim: rows.ClaimAcceptedUpdates, do: r.awaitUpdate}
	return r
}

// errLater has a request taken up again.
var errLater = errors.New("not yet")

// Run works until ctx ends, and until what is under way is over.
func (r *Requests) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { r.run(ctx, &r.asks) })
	work.Go(func() { r.run(ctx, &r.updates) })
}

func (r *Requests) run(ctx context.Context, l *line) {
	var work sync.WaitGroup
	defer work.Wait()
	failures, failing := 0, false
	for next := time.Duration(0); l.bell.Wait(ctx, next); {
		next = turn
		alone, err := l.takeFailure()
		if !alone {
			failures = 0
		}
		if err == nil {
			err = r.pass(ctx, l, &work)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failing = true
			r.Trouble.Fail(ctx, "execution requests", "what is asked of executions can't be done; it waits", err)
			if !bell.Pause(ctx, bell.Backoff(failures)) {
				return
			}
			failures++
			next = 0
		case failing && (!alone || l.idle()): // the other line's failures aren't this one's to take back
			failing = false
			r.Trouble.Recover(ctx, "execution requests", "what is asked of executions is done again")
		}
	}
}

// pass begins all for which there is room.
func (r *Requests) pass(ctx context.Context, l *line, work *sync.WaitGroup) error {
	for {
		if l.crowded() {
			bell.Pause(ctx, together)
		}
		free, busy := l.room()
		if free == 0 {
			return nil
		}
		batch, err := l.claim(ctx, r.DB, requestLease, rows.RequestPlaces{Most: free, Share: l.share / 2, Busy: busy})
		if err != nil || len(batch) == 0 {
			return err
		}
		claimed := make([]string, len(batch))
		for i, q := range batch {
			claimed[i] = q.Place
		}
		more := l.take(free, claimed)
		for _, q := range batch {
			work.Go(func() { l.leave(q.Place, r.attempt(ctx, l, q)) })
		}
		if !more {
			return nil
		}
	}
}

// attempt does one; what has to be tried again is given back.
func (r *Requests) attempt(ctx context.Context, l *line, q rows.ExecutionRequest) error {
	within, cancel := context.WithTimeout(ctx, requestLease-5*time.Second) // nobody else has it until then
	defer cancel()
	err := l.do(within, q)
	if err == nil {
		return nil
	}
	own := errors.Is(err, errLater) || answered(err) && ctx.Err() == nil
	if own && !errors.Is(err, errLater) && time.Since(q.StartedAt) > unstartedFor {
		return r.finish(ctx, q, nil, err.Error())
	}
	wait := min(max(shortWait, time.Since(q.StartedAt)), longWait)
	switch {
	case !own:
		wait = time.Second
	case q.Delivered: // whose result was waited for until now
		wait = shortWait
	}
	if given := rows.GiveBackRequest(context.WithoutCancel(ctx), r.DB, q.ID, wait); given != nil || !own {
		return errors.Join(err, given)
	}
	time.AfterFunc(wait, l.bell.Ring)
	return nil
}

// answered says that Temporal failed at what it was asked, and would hardly at anything else.
func answered(err error) bool {
	if _, ok := errors.AsType[serviceerror.ServiceError](err); !ok {
		return false
	}
	switch temporal.CodeOf(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled, codes.PermissionDenied, codes.Unauthenticated,
		codes.NotFound: // of the namespace, at what asks nothing of an execution yet
		return false
	}
	return true
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
	if errors.Is(err, temporal.ErrUnknown) {
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
		defer r.updates.bell.Ring()
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
	if err != nil && !errors.Is(err, temporal.ErrUnknown) {
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
	if _, wrong := errors.AsType[*serviceerror.NamespaceNotFound](err); wrong {
		return "", false
	}
	switch temporal.CodeOf(err) {
	case codes.NotFound, codes.InvalidArgument, codes.FailedPrecondition, codes.Unimplemented, codes.AlreadyExists, codes.OutOfRange:
		return err.Error(), true
	}
	return "", false
}

// awaitUpdate waits a while for the result of an update that was accepted.
func (r *Requests) awaitUpdate(ctx context.Context, q rows.ExecutionRequest) error {
	x, found, err := rows.ReadExecution(ctx, r.DB, q.ExecutionID)
	if err != nil {
		return err
	}
	if !found {
		return r.finish(ctx, q, nil, "the execution's row was deleted")
	}
	a := asked{Requests: r, ExecutionRequest: q, x: x, run: q.RunID}
	result, err := a.updateResult(ctx)
	if why, final := refusal(err); final {
		return r.finish(ctx, q, nil, why)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx, q, result, "")
}
