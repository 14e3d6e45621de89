package upkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

// CodeCleanerConfig is what NewCodeCleaner needs. All of it is required.
type CodeCleanerConfig struct {
	Base
	Store      *rows.CodeStore
	Executions Executions
	Interval   time.Duration // between two clean-ups
	Margin     time.Duration // see CodeCleaner
	Retention  time.Duration // how long after their end executions still find their code
}

// CodeCleaner removes code that no execution can need any more.
//
// An execution is pinned to the code that it began on, so once code is
// superseded only executions that began before can need it, and Temporal tells
// whether there are any. Three things blur the moment: a replica that hasn't
// heard yet, visibility that lags, and resets, whose executions count as begun
// at the reset but are pinned by the older history that they keep. So the
// moment is when the code was superseded or last used, whichever is later, and
// Margin more. When in doubt the code stays.
type CodeCleaner struct{ CodeCleanerConfig }

// NewCodeCleaner returns one that does nothing until Run.
func NewCodeCleaner(cfg CodeCleanerConfig) *CodeCleaner { return &CodeCleaner{cfg} }

// Run cleans up until ctx ends.
func (s *CodeCleaner) Run(ctx context.Context) {
	for trouble.Sleep(ctx, s.Interval) {
		err := s.CleanUp(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.Trouble.Fail(ctx, "clean-up", "superseded code can't be cleaned up; it is kept", err)
		default:
			s.Trouble.Recover(ctx, "clean-up", "superseded code is cleaned up again")
		}
	}
}

// MaxCleanUp is how many rows one clean-up looks at.
const MaxCleanUp = 100

// CleanUp looks once at the superseded code whose turn it is.
func (s *CodeCleaner) CleanUp(ctx context.Context) error {
	if err := s.timed(ctx, s.Store.NoteUsed); err != nil {
		return err
	}
	if err := s.timed(ctx, s.Store.ForgetProjects); err != nil {
		return err
	}
	moves := s.ForgetMoves(ctx) // its failure keeps code, and nothing else
	if err := s.timed(ctx, s.Store.MarkSuperseded); err != nil {
		return err
	}
	candidates, err := rows.ClaimSuperseded(ctx, s.DB, s.Interval/2, MaxCleanUp, s.Margin)
	if err != nil {
		return err
	}
	removed := 0
	errs := []error{moves}
	for _, c := range candidates {
		needed, err := s.mayBeNeeded(ctx, c)
		gone := false
		if err == nil && !needed {
			gone, err = rows.RemoveCode(ctx, s.DB, c, s.Margin)
		}
		if err != nil {
			// One queue may be beyond Temporal's query language; more than that
			// is no use going on.
			if errs = append(errs, err); len(errs) > maxErrors {
				break
			}
			continue
		}
		if !gone {
			continue
		}
		removed++
		if err := rows.WriteEvents(ctx, s.DB, s.Replica, c.ProjectID, rows.Event{
			Kind: rows.EventCodeRemoved, Message: fmt.Sprintf("removed %s %s %s: no execution needs it", c.Kind, c.Name, c.Version), Details: c.Details(),
		}); err != nil {
			errs = append(errs, err) // the log has it
		}
		s.Log.InfoContext(ctx, "removed superseded code that no execution needs", logkey.Project, c.ProjectID, c.Kind, c.Name,
			logkey.Version, c.Version, logkey.Hash, c.Hash, logkey.SupersededAt, c.SupersededAt)
	}
	if err := s.timed(ctx, func(ctx context.Context) error { return s.Store.RemovePackages(ctx, s.Margin) }); err != nil {
		errs = append(errs, err)
	}
	if len(candidates) > 0 {
		s.Log.DebugContext(ctx, "looked at superseded code", logkey.Removed, removed, logkey.Kept, len(candidates)-removed)
	}
	return errors.Join(errs...)
}

// timed runs a statement within its time.
func (s *CodeCleaner) timed(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := s.DB.Within(ctx)
	defer cancel()
	return f(ctx)
}

// mayBeNeeded says whether there may be an execution that is pinned to the
// code, or was and closed not long ago.
func (s *CodeCleaner) mayBeNeeded(ctx context.Context, c rows.SupersededCode) (bool, error) {
	if c.Kind == runtime.KindComponent {
		return false, nil // activities always run the newest
	}
	if len(c.TaskQueues) == 0 {
		return true, nil
	}
	var closed time.Time
	if s.Retention > 0 {
		closed = time.Now().Add(-s.Retention)
	}
	ctx, cancel := s.DB.Within(ctx)
	defer cancel()
	n, err := s.Executions.Count(ctx, c.TaskQueues, c.Begun, closed)
	return n > 0, err
}
