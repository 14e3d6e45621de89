package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

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

// MarkSuperseded notes of all code whether it is live.
func (s *CodeStore) MarkSuperseded(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `
UPDATE public.workflow_code_store s SET superseded_at = CASE WHEN superseded_at IS NULL THEN now() END
WHERE (superseded_at IS NULL) <> `+isLive)
	if err != nil {
		return fmt.Errorf("mark superseded code: %w", err)
	}
	return nil
}

// ForgetProjects notes that nothing is live in projects that are no more: no
// report will say so.
func (s *CodeStore) ForgetProjects(ctx context.Context) error {
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

// SupersededCode is code that isn't live any more.
type SupersededCode struct {
	ProjectID, Hash, Kind, Name, Version string
	SupersededAt                         time.Time
	// Begun is before when executions began that may be pinned to it.
	Begun time.Time
	// TaskQueues are those of the executions, empty if they aren't known.
	TaskQueues []string
}

// Details are those of code_removed.
func (c SupersededCode) Details() any {
	return map[string]string{"kind": c.Kind, "name": c.Name, "version": c.Version, "hash": c.Hash}
}

// ClaimSuperseded claims superseded code that is older than margin.
func ClaimSuperseded(ctx context.Context, db DB, age time.Duration, most int, margin time.Duration) ([]SupersededCode, error) {
	return claim[SupersededCode](ctx, db, turns{
		what: "superseded code", table: "workflow_code_store", key: []string{"project_id", "hash"}, looked: "checked_at",
		among: "superseded_at IS NOT NULL AND greatest(superseded_at, last_used_at) < now() - $3 * interval '1 microsecond'",
		returning: `s.project_id::text, s.hash, s.kind, s.name, s.version, s.superseded_at,
  greatest(s.superseded_at, s.last_used_at) + $3 * interval '1 microsecond',
  ARRAY(SELECT unnest(s.task_queues) UNION SELECT p.task_queue_name FROM public.projects p WHERE p.id = s.project_id)`,
	}, age, most, margin.Microseconds())
}

// RemoveCode removes code unless it was used, or went live, since it was
// claimed.
func RemoveCode(ctx context.Context, db DB, c SupersededCode, margin time.Duration) (removed bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	tag, err := db.Exec(ctx, `
DELETE FROM public.workflow_code_store s
WHERE project_id = $1 AND hash = $2 AND superseded_at = $3
  AND greatest(superseded_at, last_used_at) + $5 * interval '1 microsecond' = $4 AND NOT `+isLive,
		c.ProjectID, c.Hash, c.SupersededAt, c.Begun, margin.Microseconds())
	if err != nil {
		return false, fmt.Errorf("remove superseded code: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
