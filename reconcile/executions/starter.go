package executions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/rows"
)

const (
	// maxAtOnce starts are under way, of which one project has at most its share: a flood of one
	// delays another's row by one such batch.
	maxAtOnce = 32
	maxShare  = 16

	// startTimeout bounds a start; what is found out about it before and after takes less.
	startTimeout = 4 * time.Second
	startLease   = 3 * startTimeout
	// forgetful is how long Temporal surely remembers an execution that is over: what was claimed
	// longer ago and isn't found may have been, and isn't started. A namespace keeps them for a day
	// at least.
	forgetful = 20 * time.Hour
	// turn is how often the starter looks without being told.
	turn = 15 * time.Second
)

// Starter starts what pending rows stand for.
type Starter struct {
	Base
	Temporal interface {
		Starts
		Looks
	}
	Follower *Follower
	Bell     bell
	Observer StartObserver
}

// StartObserver counts. Its method is cheap and doesn't block.
type StartObserver interface {
	// ExecutionStarted reports one, and how long its row waited, by the database's clock.
	ExecutionStarted(waited time.Duration)
}

// Run works until ctx ends.
func (s *Starter) Run(ctx context.Context) {
	failures := 0
	for next := time.Duration(0); s.Bell.wait(ctx, next); {
		next = turn
		err := s.pass(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Trouble.Fail(ctx, "starts", "executions can't be started; their rows wait", err)
			next = backoff(failures)
			failures++
			// What rings meanwhile is found then.
			if !pause(ctx, next) {
				return
			}
			next = 0
		default:
			failures = 0
			s.Trouble.Recover(ctx, "starts", "executions are started again")
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool { return newBell().wait(ctx, d) }

// pass starts all that waits. It ends with the first batch in which Temporal, or the database, is
// away: what else waits isn't touched.
func (s *Starter) pass(ctx context.Context) error {
	for {
		abandoned, err := rows.ClaimAbandonedStarts(ctx, s.DB, startLease, maxInput, maxAtOnce/4)
		if err != nil {
			return err
		}
		fresh, err := rows.ClaimStarts(ctx, s.DB, startLease, maxInput, maxAtOnce-len(abandoned), maxShare)
		if err != nil {
			return err
		}
		batch := append(abandoned, fresh...)
		if len(batch) == 0 {
			return nil
		}
		if err := s.startAll(ctx, batch); err != nil {
			return err
		}
	}
}

// startAll starts a batch, all at once.
func (s *Starter) startAll(ctx context.Context, batch []rows.Start) error {
	var (
		work sync.WaitGroup
		mu   sync.Mutex // guards what follows
		back []string
		errs []error
	)
	for _, row := range batch {
		work.Go(func() {
			if err := s.start(ctx, row); err != nil {
				mu.Lock()
				defer mu.Unlock()
				back, errs = append(back, row.ID), append(errs, err)
			}
		})
	}
	work.Wait()
	if len(back) == 0 {
		return nil
	}
	// Also at the end of ctx: another replica needn't wait for the lease.
	given := rows.GiveBackStarts(context.WithoutCancel(ctx), s.DB, back, time.Second)
	return errors.Join(errs[0], given)
}

// start starts one. An error means that it has to be tried again; what is wrong with the row is
// written into it.
func (s *Starter) start(ctx context.Context, row rows.Start) error {
	q, _, err := s.startRequest(row)
	if err != nil {
		s.refuse(row, "InvalidArgument", err.Error())
		return nil
	}
	if row.Again {
		if began, err := s.began(ctx, row); err != nil || began {
			return err
		}
		if time.Since(row.ClaimedAt) > forgetful {
			s.refuse(row, "Unknown", "it isn't known any more whether it was started: the service was away for too long after it set about it")
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
	switch codeOf(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.Unimplemented, codes.OutOfRange:
		s.refuse(row, "InvalidArgument", err.Error())
		return nil
	}
	return fmt.Errorf("start execution %s: %w", row.TemporalID, err)
}

// refuse ends a row that can't be started.
func (s *Starter) refuse(row rows.Start, kind, why string) {
	state := rows.ExecutionState{ID: row.ID, Activities: -1, EndedAt: time.Now()}
	s.because(&failure{Type: kind, Message: why}).into(&state)
	s.Follower.put(state)
}

// began finds an execution that was started for the row before, and follows it.
func (s *Starter) began(ctx context.Context, row rows.Start) (bool, error) {
	found, err := s.describe(ctx, s.Temporal, row.TemporalID, "")
	if errors.Is(err, errUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if rowOf(found) == row.ID {
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
		if err != nil && !errors.Is(err, errUnknown) {
			return false, err
		}
		if err == nil && rowOf(found) == row.ID {
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
	if errors.Is(err, errUnknown) {
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
