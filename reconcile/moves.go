package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// maxMovesChecked is how many moved executions one clean-up asks Temporal about.
const maxMovesChecked = 200

// moveToCheck is a moved execution that may be over.
type moveToCheck struct {
	ProjectID, WorkflowID, RunID string
	Seq                          int64
}

// forgetMoves asks of the moves that were not looked at for longest whether their
// executions are over. What has closed is noted; a move goes once nobody queries
// the closed execution any more, and with it the last reason to keep its code.
// When in doubt it stays.
func (r *Reconciler) forgetMoves(ctx context.Context) error {
	claim, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(claim, `
UPDATE public.workflow_execution_moves m SET checked_at = now()
FROM (SELECT project_id, run_id FROM public.workflow_execution_moves
      WHERE checked_at IS NULL OR checked_at < now() - $1 * interval '1 microsecond'
      ORDER BY checked_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED) c
WHERE m.project_id = c.project_id AND m.run_id = c.run_id
RETURNING m.project_id::text, m.execution_id, m.run_id, m.seq`, (r.cfg.CodeInterval / 2).Microseconds(), maxMovesChecked)
	if err != nil {
		return fmt.Errorf("claim moves to look at: %w", err)
	}
	moves, err := pgx.CollectRows(rows, pgx.RowToStructByPos[moveToCheck])
	if err != nil {
		return fmt.Errorf("claim moves to look at: %w", err)
	}
	var errs []error
	forgotten := 0
	for _, m := range moves {
		gone, err := r.forgetMove(ctx, m)
		if err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
		}
		if gone {
			forgotten++
		}
	}
	if forgotten > 0 {
		r.log.InfoContext(ctx, "forgot moves of executions that are over", "moves", forgotten)
	}
	return errors.Join(errs...)
}

// forgetMove looks at one. The statements name its seq: one that was moved again
// meanwhile is another move.
func (r *Reconciler) forgetMove(ctx context.Context, m moveToCheck) (gone bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	closed, known, err := r.cfg.Executions.Closed(ctx, runtime.Execution{WorkflowID: m.WorkflowID, RunID: m.RunID})
	if err != nil || known && closed.IsZero() {
		return false, err
	}
	// An execution that Temporal has forgotten was last seen now at the latest.
	tag, err := r.cfg.Pool.Exec(ctx, `
DELETE FROM public.workflow_execution_moves
WHERE project_id = $1 AND run_id = $2 AND seq = $3
  AND coalesce($4, closed_at) < now() - $5 * interval '1 microsecond'`,
		m.ProjectID, m.RunID, m.Seq, nullTime(closed), r.cfg.CodeRetention.Microseconds())
	if err == nil && tag.RowsAffected() == 0 {
		_, err = r.cfg.Pool.Exec(ctx, `
UPDATE public.workflow_execution_moves SET closed_at = coalesce($4, now())
WHERE project_id = $1 AND run_id = $2 AND seq = $3 AND closed_at IS NULL`, m.ProjectID, m.RunID, m.Seq, nullTime(closed))
	}
	if err != nil {
		return false, fmt.Errorf("note that a moved execution is over: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
