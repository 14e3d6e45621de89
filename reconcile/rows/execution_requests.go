package rows

import (
	"context"
	"fmt"
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
	ID, ExecutionID string
	Place           string // whose share it takes: see RequestPlaces
	Action, Name    string
	Args            *string // not of more than 4 MB, which Temporal takes from nobody
	ArgsBytes       int
	Reason          string
	StartedAt       time.Time // when it was first taken up
	// Again says that somebody took it up before.
	Again bool
	// RunID is the run that it was about to go to, "" if it never was.
	RunID     string
	Delivered bool
}

// RequestPlaces bound what is claimed: at most so many, of whoever shares at most Share, and none of
// those that are busy. A project's requests that its code answers, queries and updates, are a share
// of their own: they may take long, and a signal or a cancellation needn't wait for them.
type RequestPlaces struct {
	Most, Share int
	Busy        []string
}

// openRequests are the executions w that anything is asked of, one step in the index for each.
const openRequests = `
WITH RECURSIVE w (execution_id) AS (
  (SELECT execution_id FROM public.workflow_execution_requests WHERE status IN ('pending', 'processing') ORDER BY execution_id LIMIT 1)
  UNION ALL
  SELECT (SELECT q.execution_id FROM public.workflow_execution_requests q
          WHERE q.status IN ('pending', 'processing') AND q.execution_id > w.execution_id ORDER BY q.execution_id LIMIT 1)
  FROM w WHERE w.execution_id IS NOT NULL
),`

// inTurns picks among requests x, $2 and $3 of each share, those that were asked first.
const inTurns = `
turns AS (
  SELECT p.*, row_number() OVER (PARTITION BY p.place ORDER BY p.requested_at, p.id) AS turn
  FROM (
    SELECT x.id, x.requested_at,
      coalesce(f.project_id::text, '') || CASE WHEN x.action IN ('query', 'update') THEN ' answers' ELSE '' END AS place
    FROM x LEFT JOIN public.workflow_executions e ON e.id = x.execution_id LEFT JOIN public.workflows f ON f.id = e.workflow_id
  ) p
  WHERE p.place <> ALL (coalesce($4::text[], '{}'))
),
c AS (SELECT id, place FROM turns WHERE turn <= $3 ORDER BY turn, requested_at LIMIT $2)`

// ClaimExecutionRequests claims requests that can be done: of each execution the one that was asked
// first. An update that was accepted keeps nothing back.
func ClaimExecutionRequests(ctx context.Context, db DB, lease time.Duration, p RequestPlaces) ([]ExecutionRequest, error) {
	return claimExecutionRequests(ctx, db, openRequests+`
x AS (
  SELECT first.* FROM w CROSS JOIN LATERAL (
    SELECT q.id, q.execution_id, q.action, q.requested_at, q.leased_until FROM public.workflow_execution_requests q
    WHERE q.execution_id = w.execution_id AND q.status IN ('pending', 'processing') AND q.delivered_at IS NULL
    ORDER BY q.requested_at, q.id LIMIT 1) first
  WHERE first.leased_until IS NULL OR first.leased_until < now()
),`+inTurns, lease, p)
}

// ClaimAcceptedUpdates claims updates whose result is waited for.
func ClaimAcceptedUpdates(ctx context.Context, db DB, lease time.Duration, p RequestPlaces) ([]ExecutionRequest, error) {
	return claimExecutionRequests(ctx, db, `
WITH x AS (
  -- Who was last asked about longest ago comes first.
  SELECT id, execution_id, action, leased_until AS requested_at FROM public.workflow_execution_requests
  WHERE status = 'processing' AND delivered_at IS NOT NULL AND leased_until < now()
),`+inTurns, lease, p)
}

func claimExecutionRequests(ctx context.Context, db DB, with string, lease time.Duration, p RequestPlaces) ([]ExecutionRequest, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, with+`
UPDATE public.workflow_execution_requests q
SET status = 'processing', started_at = coalesce(q.started_at, clock_timestamp()), leased_until = now() + $1 * interval '1 microsecond'
FROM (SELECT q.id, c.place, q.started_at IS NOT NULL AS again FROM c JOIN public.workflow_execution_requests q USING (id)) b
WHERE q.id = b.id AND q.status IN ('pending', 'processing') AND (q.leased_until IS NULL OR q.leased_until < now())
RETURNING q.id::text, q.execution_id::text, b.place, q.action::text, coalesce(q.name, ''), CASE WHEN octet_length(q.args::text) <= 4194304 THEN q.args::text END,
  coalesce(octet_length(q.args::text), 0), coalesce(q.reason, ''), q.started_at, b.again,
  coalesce(q.run_id, ''), q.delivered_at IS NOT NULL`, lease.Microseconds(), p.Most, p.Share, p.Busy)
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
  completed_at = clock_timestamp(), leased_until = NULL`, id, result, plain(reason))
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
