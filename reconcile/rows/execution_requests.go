package rows

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// workflow_execution_requests.action.
const (
	AskCancel    = "cancel"
	AskTerminate = "terminate"
	AskSignal    = "signal"
	AskUpdate    = "update"
	AskQuery     = "query"
	AskReset     = "reset"
	AskPause     = "pause"
	AskUnpause   = "unpause"
)

// ExecutionRequestActions are all that workflow_execution_requests.action may say.
func ExecutionRequestActions() []string {
	return []string{AskCancel, AskTerminate, AskSignal, AskUpdate, AskQuery, AskReset, AskPause, AskUnpause}
}

// ExecutionRequest is a row of workflow_execution_requests, claimed by this replica.
type ExecutionRequest struct {
	ID, ExecutionID, Action, Name string
	Args                          *string // not of more than 4 MB, which Temporal takes from nobody
	ArgsBytes                     int
	Reason                        string
	StartedAt                     time.Time // when it was first taken up
	// Again says that somebody took it up before.
	Again bool
	// RunID is the run that it was about to go to, "" if it never was.
	RunID     string
	Delivered bool
}

// ClaimExecutionRequests claims requests that can be done: of each execution the one that was asked
// first, and of a project at most so many. An update that was accepted keeps nothing back.
func ClaimExecutionRequests(ctx context.Context, db DB, lease time.Duration, most, perProject int) ([]ExecutionRequest, error) {
	return claimExecutionRequests(ctx, db, `
WITH heads AS (
  SELECT DISTINCT ON (execution_id) id, execution_id, requested_at, leased_until FROM public.workflow_execution_requests
  WHERE status IN ('pending', 'processing') AND delivered_at IS NULL
  ORDER BY execution_id, requested_at, id
),
turns AS (
  SELECT h.id, h.requested_at, row_number() OVER (PARTITION BY w.project_id ORDER BY h.requested_at, h.id) AS turn
  FROM heads h LEFT JOIN public.workflow_executions e ON e.id = h.execution_id LEFT JOIN public.workflows w ON w.id = e.workflow_id
  WHERE h.leased_until IS NULL OR h.leased_until < now()
),
c AS (SELECT id FROM turns WHERE turn <= $3 ORDER BY turn, requested_at LIMIT $2)`, lease, most, perProject)
}

// ClaimAcceptedUpdates claims updates whose result is waited for.
func ClaimAcceptedUpdates(ctx context.Context, db DB, lease time.Duration, most int) ([]ExecutionRequest, error) {
	return claimExecutionRequests(ctx, db, `
WITH c AS (SELECT id FROM public.workflow_execution_requests
  WHERE status = 'processing' AND delivered_at IS NOT NULL AND leased_until < now() ORDER BY leased_until LIMIT $2)`, lease, most)
}

func claimExecutionRequests(ctx context.Context, db DB, with string, lease time.Duration, args ...any) ([]ExecutionRequest, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, with+`
UPDATE public.workflow_execution_requests q
SET status = 'processing', started_at = coalesce(q.started_at, clock_timestamp()), leased_until = now() + $1 * interval '1 microsecond'
FROM (SELECT q.id, q.started_at IS NOT NULL AS again FROM c JOIN public.workflow_execution_requests q USING (id)) b
WHERE q.id = b.id AND q.status IN ('pending', 'processing') AND (q.leased_until IS NULL OR q.leased_until < now())
RETURNING q.id::text, q.execution_id::text, q.action::text, coalesce(q.name, ''), CASE WHEN octet_length(q.args::text) <= 4194304 THEN q.args::text END,
  coalesce(octet_length(q.args::text), 0), coalesce(q.reason, ''), q.started_at, b.again,
  coalesce(q.run_id, ''), q.delivered_at IS NOT NULL`, append([]any{lease.Microseconds()}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("claim requests about executions: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ExecutionRequest])
	if err != nil {
		return nil, fmt.Errorf("claim requests about executions: %w", err)
	}
	return found, nil
}

// NoteRequestRun writes down which run a request is about to go to.
func NoteRequestRun(ctx context.Context, db DB, id, run string) error {
	return setRequest(ctx, db, `run_id = $2`, id, run)
}

// NoteRequestAccepted writes down that an update was accepted: what follows it may go on.
func NoteRequestAccepted(ctx context.Context, db DB, id string) error {
	return setRequest(ctx, db, `delivered_at = now(), leased_until = now()`, id)
}

// GiveBackRequest has a request taken up again after a while.
func GiveBackRequest(ctx context.Context, db DB, id string, after time.Duration) error {
	return setRequest(ctx, db, `leased_until = now() + $2 * interval '1 microsecond'`, id, after.Microseconds())
}

// FinishExecutionRequest answers a request: it failed if there is a reason.
func FinishExecutionRequest(ctx context.Context, db DB, id string, result *string, reason string) error {
	if result != nil {
		clean := withoutNUL(*result)
		result = &clean
	}
	err := setRequest(ctx, db, `status = CASE WHEN $3 = '' THEN 'completed' ELSE 'failed' END, result = $2::jsonb, error = nullif($3, ''),
  completed_at = clock_timestamp(), leased_until = NULL`, id, result, strings.ReplaceAll(Bounded(reason), "\x00", ""))
	if Unwritable(err) && result != nil {
		return FinishExecutionRequest(ctx, db, id, nil, reason)
	}
	return err
}

func setRequest(ctx context.Context, db DB, set, id string, args ...any) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `UPDATE public.workflow_execution_requests SET `+set+` WHERE id = $1 AND status = 'processing'`, append([]any{id}, args...)...)
	if err != nil {
		return fmt.Errorf("write a request about an execution: %w", err)
	}
	return nil
}
