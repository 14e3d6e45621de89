package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/logkey"
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
	if err := r.timed(ctx, r.store.noteUsed); err != nil {
		return err
	}
	if err := r.timed(ctx, r.store.forgetProjects); err != nil {
		return err
	}
	moves := r.forgetMoves(ctx) // its failure keeps code, and nothing else
	if err := r.timed(ctx, r.store.markSuperseded); err != nil {
		return err
	}
	candidates, err := r.claimSuperseded(ctx)
	if err != nil {
		return err
	}
	removed := 0
	errs := []error{moves}
	for _, c := range candidates {
		needed, err := r.mayBeNeeded(ctx, c)
		gone := false
		if err == nil && !needed {
			gone, err = r.removeCode(ctx, c)
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
		if err := r.writeEvents(ctx, c.ProjectID, event{
			kind: eventCodeRemoved, message: fmt.Sprintf("removed %s %s %s: no execution needs it", c.Kind, c.Name, c.Version), details: c.details(),
		}); err != nil {
			errs = append(errs, err) // the log has it
		}
		r.log.InfoContext(ctx, "removed superseded code that no execution needs", logkey.Project, c.ProjectID, c.Kind, c.Name,
			"version", c.Version, "hash", c.Hash, "superseded_at", c.SupersededAt)
	}
	if err := r.timed(ctx, func(ctx context.Context) error { return r.store.removePackages(ctx, r.cfg.CodeMargin) }); err != nil {
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

// isLive is the condition that a row s of workflow_code_store is live: as the
// last good code of a source, or in a worker that isn't known to have stopped.
// A dead replica counts until its row goes: it may be cut off from the
// database alone.
//
// So is what an execution was told to move to, which may have begun long after
// the code was superseded: until the move is forgotten.
const isLive = `(
  EXISTS (SELECT FROM public.workflow_execution_moves m WHERE m.project_id = s.project_id AND m.hash = s.hash)
  OR EXISTS (SELECT FROM public.workflow_live_code l JOIN public.projects p ON p.id = l.project_id
          WHERE l.project_id = s.project_id AND l.hash = s.hash)
  OR EXISTS (SELECT FROM public.workflow_workers w
             WHERE w.project_id = s.project_id AND w.status <> 'stopped'
               AND (w.metadata @> jsonb_build_object('workflows', jsonb_build_array(jsonb_build_object('hash', s.hash)))
                 OR w.metadata @> jsonb_build_object('components', jsonb_build_array(jsonb_build_object('hash', s.hash))))))`

// markSuperseded notes of all code whether it is live.
func (s *CodeStore) markSuperseded(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `
UPDATE public.workflow_code_store s SET superseded_at = CASE WHEN superseded_at IS NULL THEN now() END
WHERE (superseded_at IS NULL) <> `+isLive)
	if err != nil {
		return fmt.Errorf("mark superseded code: %w", err)
	}
	return nil
}

// forgetProjects notes that nothing is live in projects that are no more: no
// report will say so.
func (s *CodeStore) forgetProjects(ctx context.Context) error {
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM public.workflow_live_code l WHERE NOT EXISTS (SELECT FROM public.projects p WHERE p.id = l.project_id)`)
	b.Queue(`
UPDATE public.workflow_live_periods l SET ended_at = greatest(began_at, now())
WHERE ended_at IS NULL AND NOT EXISTS (SELECT FROM public.projects p WHERE p.id = l.project_id)`)
	if err := s.pool.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("forget what was live in deleted projects: %w", err)
	}
	return nil
}

// superseded is code that isn't live any more.
type superseded struct {
	ProjectID, Hash, Kind, Name, Version string
	SupersededAt                         time.Time
	// Begun is before when executions began that may be pinned to it.
	Begun time.Time
	// TaskQueues are those of the executions, empty if they aren't known.
	TaskQueues []string
}

func (c superseded) details() any {
	return map[string]string{"kind": c.Kind, "name": c.Name, "version": c.Version, "hash": c.Hash}
}

// claimSuperseded takes the superseded code that was not looked at for longest
// and is old enough. What is claimed is this replica's to look at: the others
// pass over it until it is due again.
func (r *Reconciler) claimSuperseded(ctx context.Context) ([]superseded, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, `
UPDATE public.workflow_code_store s SET checked_at = now()
FROM (SELECT project_id, hash FROM public.workflow_code_store
      WHERE superseded_at IS NOT NULL AND greatest(superseded_at, last_used_at) < now() - $1 * interval '1 microsecond'
        AND (checked_at IS NULL OR checked_at < now() - $2 * interval '1 microsecond')
      ORDER BY checked_at NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED) c
WHERE s.project_id = c.project_id AND s.hash = c.hash
RETURNING s.project_id::text, s.hash, s.kind, s.name, s.version, s.superseded_at,
  greatest(s.superseded_at, s.last_used_at) + $1 * interval '1 microsecond',
  ARRAY(SELECT unnest(s.task_queues) UNION SELECT p.task_queue_name FROM public.projects p WHERE p.id = s.project_id)`,
		r.cfg.CodeMargin.Microseconds(), (r.cfg.CodeInterval / 2).Microseconds(), maxCleanUp)
	if err != nil {
		return nil, fmt.Errorf("claim superseded code: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[superseded])
	if err != nil {
		return nil, fmt.Errorf("claim superseded code: %w", err)
	}
	return found, nil
}

// mayBeNeeded says whether there may be an execution that is pinned to the
// code, or was and closed not long ago.
func (r *Reconciler) mayBeNeeded(ctx context.Context, c superseded) (bool, error) {
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

// removeCode removes code unless it was used, or went live, since it was
// claimed.
func (r *Reconciler) removeCode(ctx context.Context, c superseded) (removed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	tag, err := r.cfg.Pool.Exec(ctx, `
DELETE FROM public.workflow_code_store s
WHERE project_id = $1 AND hash = $2 AND superseded_at = $3
  AND greatest(superseded_at, last_used_at) + $5 * interval '1 microsecond' = $4 AND NOT `+isLive,
		c.ProjectID, c.Hash, c.SupersededAt, c.Begun, r.cfg.CodeMargin.Microseconds())
	if err != nil {
		return false, fmt.Errorf("remove superseded code: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
