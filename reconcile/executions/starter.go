package executions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
)

const (
	// maxAtOnce starts are under way, of which one project has at most its share: a flood of one
	// leaves room for the others. Rows are claimed when half of that is free, many in one statement.
	maxAtOnce = 64
	maxShare  = 32
	// So many beside them are of those that somebody left: neither waits for the other's flood.
	againAtOnce = 32
	againShare  = 16

	// startTimeout bounds a start; what is found out about it before and after takes less.
	startTimeout = 4 * time.Second
	startLease   = 3 * startTimeout
	// maxOwnWait is how long a row waits at most that Temporal fails at alone.
	maxOwnWait = 30 * time.Second
	// forgetful is how long Temporal surely remembers an execution that is over: what was claimed
	// longer ago and isn't found may have been, and isn't started. A namespace keeps them for a day
	// at least.
	forgetful = 20 * time.Hour
	// maxRequest is what gRPC takes, with room for what is around it.
	maxRequest = 4<<20 - 64<<10
	// turn is how often rows are looked for without being told.
	turn = 15 * time.Second
	// abandonedTurn is how often those are looked for that somebody set about and left.
	abandonedTurn = 3 * time.Second
)

// Starter starts what pending rows stand for.
type Starter struct {
	Base
	Temporal interface {
		Starts
		temporal.Looks
	}
	Follower *Follower
	Bell     bell.Bell
	Observer StartObserver

	// first are starts that nobody has set about before, again those that somebody left.
	first, again places
}

// NewStarter returns one that does nothing until Run.
func NewStarter(b Base, t Temporal, f *Follower, o StartObserver) *Starter {
	s := &Starter{Base: b, Temporal: t, Follower: f, Bell: bell.New(), Observer: o}
	s.first = places{most: maxAtOnce, share: maxShare, least: maxAtOnce / 2, bell: s.Bell}
	s.again = places{most: againAtOnce, share: againShare, least: againAtOnce / 2, bell: s.Bell}
	return s
}

// StartObserver counts. Its method is cheap and doesn't block.
type StartObserver interface {
	// ExecutionStarted reports one, and how long it took since its row was claimed.
	ExecutionStarted(took time.Duration)
}

// Run works until ctx ends, and until the starts under way are over.
func (s *Starter) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	failures := 0
	var away outage
	var looked time.Time // for all that others left behind
	for next := time.Duration(0); s.Bell.Wait(ctx, next); {
		next = turn
		alone, err := s.first.takeFailure()
		aloneAgain, errAgain := s.again.takeFailure()
		if err = cmp.Or(err, errAgain); !alone || !aloneAgain {
			failures = 0
			away.went()
		}
		if err != nil {
			away.failed(time.Now())
		}
		if err == nil {
			_, err = s.pass(ctx, &work, &s.first, s.claim)
		}
		if err == nil && time.Since(looked) >= abandonedTurn {
			var more bool
			if more, err = s.pass(ctx, &work, &s.again, s.claimAbandoned); !more {
				looked = time.Now()
			}
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Trouble.Fail(ctx, "starts", "executions can't be started; their rows wait", err)
			// What rings meanwhile is found then.
			if !bell.Pause(ctx, bell.Backoff(failures)) {
				return
			}
			failures++
			next = 0
		case s.first.idle() && s.again.idle() && away.over(time.Now()):
			failures = 0
			s.Trouble.Recover(ctx, "starts", "executions are started again")
		}
		next = min(next, abandonedTurn)
	}
}

func (s *Starter) claim(ctx context.Context, most int, busy []string) ([]rows.Start, error) {
	return rows.ClaimStarts(ctx, s.DB, startLease, maxInput, most, maxShare/2, busy)
}

func (s *Starter) claimAbandoned(ctx context.Context, most int, busy []string) ([]rows.Start, error) {
	return rows.ClaimAbandonedStarts(ctx, s.DB, startLease, maxInput, most, againShare/2, busy)
}

// pass begins all starts for which there is room; more says that others may wait for it. It ends with
// the first failure: while Temporal, or the database, is away, what else waits isn't touched.
func (s *Starter) pass(ctx context.Context, work *sync.WaitGroup, p *places, claim func(context.Context, int, []string) ([]rows.Start, error)) (more bool, err error) {
	for {
		free, busy := p.room()
		if free == 0 {
			return true, nil
		}
		batch, err := claim(ctx, free, busy)
		if err != nil || len(batch) == 0 {
			return len(busy) > 0, err
		}
		claimed := make([]string, len(batch))
		for i, row := range batch {
			claimed[i] = row.ProjectID
		}
		more := p.take(free, claimed)
		for _, row := range batch {
			work.Go(func() { p.leave(row.ProjectID, s.attempt(ctx, row)) })
		}
		if !more {
			_, busy = p.room()
			return len(busy) > 0, nil
		}
	}
}

// attempt starts one; what has to be tried again is given back. One that Temporal fails at alone is
// its row's own trouble, which tells it.
func (s *Starter) attempt(ctx context.Context, row rows.Start) error {
	err := s.start(ctx, row)
	if err == nil {
		return nil
	}
	wait, why := time.Second, ""
	own := answered(err) && ctx.Err() == nil
	if own {
		wait, why = min(max(wait, time.Since(row.ClaimedAt)/2), maxOwnWait), "Temporal can't start it, and is asked again: "+err.Error()
		err = nil
	}
	// Also at the end of ctx: another replica needn't wait for the lease.
	return errors.Join(err, rows.GiveBackStarts(context.WithoutCancel(ctx), s.DB, []string{row.ID}, wait, why))
}

// start starts one. An error means that it has to be tried again; what is wrong with the row is
// written into it.
func (s *Starter) start(ctx context.Context, row rows.Start) error {
	q, _, err := s.startRequest(row)
	if err != nil {
		s.refuse(row, "InvalidArgument", err.Error())
		return nil
	}
	if !askable(row.TemporalID) {
		s.refuse(row, "InvalidArgument", "the id has a quotation mark or a backslash, by which Temporal's visibility can't be asked")
		return nil
	}
	if size := proto.Size(q); size > maxRequest {
		s.refuse(row, "InvalidArgument", fmt.Sprintf("input and options are %d bytes together, Temporal takes no more than %d", size, maxRequest))
		return nil
	}
	if row.Again {
		if began, err := s.began(ctx, row); err != nil || began {
			return err
		}
		if time.Since(row.ClaimedAt) > forgetful {
			s.refuse(row, lostType, "it isn't known any more whether it was started: the service was away for too long after it set about it")
			return nil
		}
	}
	if !exclusive(q) {
		if free, err := s.free(ctx, row); err != nil || !free {
			return err
		}
	}
	call, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	answer, err := s.Temporal.StartWorkflowExecution(call, q)
	if err == nil {
		if !answer.GetStarted() { // it joins one that runs, of this project
			return s.adopt(ctx, row, answer.GetRunId())
		}
		s.Observer.ExecutionStarted(time.Since(row.ClaimedAt))
		s.Follower.began(row.ID, row.TemporalID, answer.GetRunId())
		return nil
	}
	if taken, ok := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ok {
		began, err := s.began(ctx, row)
		if err == nil && !began {
			s.refuse(row, "WorkflowExecutionAlreadyStarted", fmt.Sprintf("there is another execution of the id %s already: run %s", row.TemporalID, taken.RunId))
		}
		return err
	}
	switch temporal.CodeOf(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.Unimplemented, codes.OutOfRange:
		s.refuse(row, "InvalidArgument", err.Error())
		return nil
	}
	return fmt.Errorf("start execution %s: %w", row.TemporalID, err)
}

// refuse ends a row that can't be started.
func (s *Starter) refuse(row rows.Start, kind, why string) {
	state := s.refused(kind, why)
	state.ID, state.TemporalID = row.ID, row.TemporalID
	s.Follower.put(*state)
}

// began finds an execution that was started for the row before, and follows it.
func (s *Starter) began(ctx context.Context, row rows.Start) (bool, error) {
	found, err := s.describe(ctx, s.Temporal, row.TemporalID, "")
	if errors.Is(err, temporal.ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if rowOf(found) == row.ID && queueOf(found) == row.TaskQueue {
		s.Follower.began(row.ID, row.TemporalID, firstRun(found))
		return true, nil
	}
	// The id may have been used again since.
	runs, err := list(ctx, s.Temporal, s.Namespace, "WorkflowId = "+quoted(row.TemporalID)+" AND StartTime >= "+quoted(row.ClaimedAt.Add(-time.Minute).UTC().Format(time.RFC3339Nano)))
	if err != nil {
		return false, err
	}
	for _, run := range runs {
		found, err := s.describe(ctx, s.Temporal, row.TemporalID, run.GetExecution().GetRunId())
		if err != nil && !errors.Is(err, temporal.ErrUnknown) {
			return false, err
		}
		if err == nil && rowOf(found) == row.ID && queueOf(found) == row.TaskQueue {
			s.Follower.began(row.ID, row.TemporalID, firstRun(found))
			return true, nil
		}
	}
	return false, nil
}

// free says whether the row may take its id, although an execution has it, or had: only one of its
// own project. If not, that is in the row.
func (s *Starter) free(ctx context.Context, row rows.Start) (bool, error) {
	found, err := s.describe(ctx, s.Temporal, row.TemporalID, "")
	if errors.Is(err, temporal.ErrUnknown) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if queueOf(found) == row.TaskQueue {
		return true, nil
	}
	s.refuse(row, "PermissionDenied", "the id "+row.TemporalID+" is that of an execution on another task queue")
	return false, nil
}

// adopt follows an execution that somebody else started.
func (s *Starter) adopt(ctx context.Context, row rows.Start, run string) error {
	found, err := s.describe(ctx, s.Temporal, row.TemporalID, run)
	if err != nil {
		return err
	}
	if queueOf(found) != row.TaskQueue {
		s.refuse(row, "PermissionDenied", "the id "+row.TemporalID+" is that of an execution on another task queue")
		return nil
	}
	s.Follower.began(row.ID, row.TemporalID, firstRun(found))
	return nil
}
