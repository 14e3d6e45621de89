package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workflow-worker/reconcile/logkey"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// cleanUps removes, until ctx ends, code that no execution can need any more.
//
// An execution is pinned to the code that it began on, so once code is
// superseded only executions that began before can need it, and Temporal tells
// whether there are any. Three things blur the moment: a replica that hasn't
// heard yet, visibility that lags, and resets, whose executions count as begun
// at the reset but are pinned by the older history that they keep. So the
// moment is when the code was superseded or last used, whichever is later, and
// CodeMargin more. When in doubt the code stays.
func (r *Reconciler) cleanUps(ctx context.Context) {
	for trouble.Sleep(ctx, r.cfg.CodeInterval) {
		err := r.cleanUp(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.quiet.Fail(ctx, "clean-up", "superseded code can't be cleaned up; it is kept", err)
		default:
			r.quiet.Recover(ctx, "clean-up", "superseded code is cleaned up again")
		}
	}
}

const (
	maxCleanUp       = 100 // rows that one clean-up looks at
	maxCleanUpErrors = 3   // after which it gives up
)

// cleanUp looks once at the superseded code whose turn it is.
func (r *Reconciler) cleanUp(ctx context.Context) error {
	if err := r.timed(ctx, r.store.NoteUsed); err != nil {
		return err
	}
	if err := r.timed(ctx, r.store.ForgetProjects); err != nil {
		return err
	}
	moves := r.forgetMoves(ctx) // its failure keeps code, and nothing else
	if err := r.timed(ctx, r.store.MarkSuperseded); err != nil {
		return err
	}
	candidates, err := rows.ClaimSuperseded(ctx, r.db, r.cfg.CodeInterval/2, maxCleanUp, r.cfg.CodeMargin)
	if err != nil {
		return err
	}
	removed := 0
	errs := []error{moves}
	for _, c := range candidates {
		needed, err := r.mayBeNeeded(ctx, c)
		gone := false
		if err == nil && !needed {
			gone, err = rows.RemoveCode(ctx, r.db, c, r.cfg.CodeMargin)
		}
		if err != nil {
			// One queue may be beyond Temporal's query language; more than that
			// is no use going on.
			if errs = append(errs, err); len(errs) > maxCleanUpErrors {
				break
			}
			continue
		}
		if !gone {
			continue
		}
		removed++
		if err := rows.WriteEvents(ctx, r.db, r.cfg.Replica, c.ProjectID, rows.Event{
			Kind: rows.EventCodeRemoved, Message: fmt.Sprintf("removed %s %s %s: no execution needs it", c.Kind, c.Name, c.Version), Details: c.Details(),
		}); err != nil {
			errs = append(errs, err) // the log has it
		}
		r.log.InfoContext(ctx, "removed superseded code that no execution needs", logkey.Project, c.ProjectID, c.Kind, c.Name,
			"version", c.Version, "hash", c.Hash, "superseded_at", c.SupersededAt)
	}
	if err := r.timed(ctx, func(ctx context.Context) error { return r.store.RemovePackages(ctx, r.cfg.CodeMargin) }); err != nil {
		errs = append(errs, err)
	}
	if len(candidates) > 0 {
		r.log.DebugContext(ctx, "looked at superseded code", "removed", removed, "kept", len(candidates)-removed)
	}
	return errors.Join(errs...)
}

// timed runs a statement within QueryTimeout.
func (r *Reconciler) timed(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	return f(ctx)
}

// mayBeNeeded says whether there may be an execution that is pinned to the
// code, or was and closed not long ago.
func (r *Reconciler) mayBeNeeded(ctx context.Context, c rows.SupersededCode) (bool, error) {
	if c.Kind == runtime.KindComponent {
		return false, nil // activities always run the newest
	}
	if len(c.TaskQueues) == 0 {
		return true, nil
	}
	var closed time.Time
	if r.cfg.CodeRetention > 0 {
		closed = time.Now().Add(-r.cfg.CodeRetention)
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	n, err := r.cfg.Executions.Count(ctx, c.TaskQueues, c.Begun, closed)
	return n > 0, err
}
