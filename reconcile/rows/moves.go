package rows

import (
	"context"
	"fmt"
	"time"
)

// Move is a moved execution that may be over.
type Move struct {
	ProjectID, WorkflowID, RunID string
	Seq                          int64
}

// ClaimMoves claims moves to look at.
func ClaimMoves(ctx context.Context, db DB, age time.Duration, most int) ([]Move, error) {
	return claim[Move](ctx, db, turns{
		what: "moves to look at", table: "workflow_execution_moves", key: []string{"project_id", "run_id"}, looked: "checked_at",
		returning: "s.project_id::text, s.execution_id, s.run_id, s.seq",
	}, age, most)
}

// ForgetMove notes that a moved execution is over, since closed or, where that is zero, now; and
// removes the move once that was retention ago. The statements name its seq: one that was moved
// again meanwhile is another move.
func ForgetMove(ctx context.Context, db DB, m Move, closed time.Time, retention time.Duration) (gone bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	tag, err := db.Exec(ctx, `
DELETE FROM public.workflow_execution_moves
WHERE project_id = $1 AND run_id = $2 AND seq = $3
  AND coalesce($4, closed_at) < now() - $5 * interval '1 microsecond'`,
		m.ProjectID, m.RunID, m.Seq, nullTime(closed), retention.Microseconds())
	if err == nil && tag.RowsAffected() == 0 {
		_, err = db.Exec(ctx, `
UPDATE public.workflow_execution_moves SET closed_at = coalesce($4, now())
WHERE project_id = $1 AND run_id = $2 AND seq = $3 AND closed_at IS NULL`, m.ProjectID, m.RunID, m.Seq, nullTime(closed))
	}
	if err != nil {
		return false, fmt.Errorf("note that a moved execution is over: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
