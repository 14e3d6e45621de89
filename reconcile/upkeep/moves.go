package upkeep

import (
	"context"
	"errors"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/replay"
)

// maxMovesChecked is how many moved executions one clean-up asks Temporal about.
const maxMovesChecked = 200

// ForgetMoves asks of the moves that were not looked at for longest whether their
// executions are over. What has closed is noted; a move goes once nobody queries
// the closed execution any more, and with it the last reason to keep its code.
// When in doubt it stays.
func (s *CodeCleaner) ForgetMoves(ctx context.Context) error {
	moves, err := rows.ClaimMoves(ctx, s.DB, s.Interval/2, maxMovesChecked)
	if err != nil {
		return err
	}
	var errs []error
	forgotten := 0
	for _, m := range moves {
		gone, err := s.forgetMove(ctx, m)
		if err != nil {
			if errs = append(errs, err); len(errs) == maxErrors {
				break
			}
		}
		if gone {
			forgotten++
		}
	}
	if forgotten > 0 {
		s.Log.InfoContext(ctx, "forgot moves of executions that are over", logkey.Moves, forgotten)
	}
	return errors.Join(errs...)
}

// rows.ForgetMove looks at one.
func (s *CodeCleaner) forgetMove(ctx context.Context, m rows.Move) (gone bool, err error) {
	asked, cancel := s.DB.Within(ctx)
	defer cancel()
	closed, known, err := s.Executions.Closed(asked, replay.Execution{WorkflowID: m.WorkflowID, RunID: m.RunID})
	if err != nil || known && closed.IsZero() {
		return false, err
	}
	// An execution that Temporal has forgotten was last seen now at the latest.
	return rows.ForgetMove(ctx, s.DB, m, closed, s.Retention)
}
