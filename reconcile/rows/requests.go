package rows

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime/replay"
)

// worker_requests.action and .status.
const (
	ActionStart   = "start"
	ActionStop    = "stop"
	ActionRestart = "restart"
	ActionMigrate = "migrate"
	ActionCheck   = "check"

	// runActions, in SQL, are those that say whether to run.
	runActions = "('start', 'stop', 'restart')"

	RequestPending    = "pending"
	RequestProcessing = "processing"
	RequestCompleted  = "completed"
	RequestFailed     = "failed"
)

// RequestActions are all that worker_requests.action may say.
func RequestActions() []string {
	return []string{ActionStart, ActionStop, ActionRestart, ActionMigrate, ActionCheck}
}

// RequestStatuses are all that worker_requests.status may say.
func RequestStatuses() []string {
	return []string{RequestPending, RequestProcessing, RequestCompleted, RequestFailed}
}

// Request is a row of worker_requests.
type Request struct {
	Mark
	Action    string
	Status    string
	StartedAt *time.Time // when it was first claimed
	// Checked says that a check or migrate request has its result: what is left
	// of it is that everybody hears of the moves.
	Checked bool
	Ask     Ask // of a claimed check or migrate request
}

// Known says whether the action is one of ours.
func (q Request) Known() bool {
	return q.Action == ActionStart || q.Action == ActionStop || q.Action == ActionRestart || q.AboutCode()
}

// AboutCode says whether the request is about the code of executions, and not
// about whether the project runs.
func (q Request) AboutCode() bool { return q.Action == ActionMigrate || q.Action == ActionCheck }

// Open says whether the request isn't finished.
func (q Request) Open() bool { return q.Status == RequestPending || q.Status == RequestProcessing }

// WantsStop is what a request says about whether to run.
func (q Request) WantsStop() bool { return q.Action == ActionStop }

// Mark is a request's place in the order of requests.
type Mark struct {
	At time.Time
	ID string
}

// After says whether m is newer than o; the zero mark is older than any other.
func (m Mark) After(o Mark) bool {
	if m.ID == "" || o.ID == "" {
		return m.ID != "" && o.ID == ""
	}
	if !m.At.Equal(o.At) {
		return m.At.After(o.At)
	}
	return m.ID > o.ID
}

// Ask is what a check or migrate request asks.
type Ask struct {
	WorkflowID string           // workflows.id
	Execution  replay.Execution // zero: all open ones; without a run id: the newest run
	target     string           // version or hash, "" for what is live
	// LastMove is the newest move that the request made, by seq; 0 if none.
	LastMove int64
}

// requestColumns are what scanRequest reads.
const requestColumns = "id::text, action::text, status::text, requested_at, started_at, result IS NOT NULL"

func scanRequest(row pgx.CollectableRow) (q Request, err error) {
	err = row.Scan(&q.ID, &q.Action, &q.Status, &q.At, &q.StartedAt, &q.Checked)
	return q, err
}

// ClaimRequests marks requests as processing and returns them. Those that
// another replica claims at this moment, or has finished, are left out.
// started_at keeps the first claim's time: the deadline runs from there,
// however often a request changes hands.
func ClaimRequests(ctx context.Context, db DB, ids []string) ([]Request, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
UPDATE public.worker_requests q SET status = 'processing', started_at = coalesce(q.started_at, clock_timestamp())
FROM (SELECT id FROM public.worker_requests
      WHERE id = ANY($1::text[]::uuid[]) AND status IN ('pending', 'processing')
      ORDER BY requested_at, id FOR UPDATE SKIP LOCKED) c
WHERE q.id = c.id
RETURNING q.id::text, q.action::text, q.status::text, q.requested_at, q.started_at, q.result IS NOT NULL,
  coalesce(q.workflow_id::text, ''), coalesce(q.execution_workflow_id, ''), coalesce(q.execution_run_id, ''), coalesce(q.target_version, ''),
  coalesce((SELECT max(m.seq) FROM public.workflow_execution_moves m WHERE m.request_id = q.id), 0)`, ids)
	if err != nil {
		return nil, fmt.Errorf("claim requests: %w", err)
	}
	claimed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q Request, err error) {
		a := &q.Ask
		err = row.Scan(&q.ID, &q.Action, &q.Status, &q.At, &q.StartedAt, &q.Checked,
			&a.WorkflowID, &a.Execution.WorkflowID, &a.Execution.RunID, &a.target, &a.LastMove)
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim requests: %w", err)
	}
	slices.SortFunc(claimed, func(a, b Request) int {
		if b.After(a.Mark) {
			return -1
		}
		return 1
	})
	return claimed, nil
}

// Verdict is how a request ends.
type Verdict struct {
	ID     string
	Status string // "" if it has to wait
	Reason string
}

// FinishRequests writes verdicts. One that another replica reached first stands.
func FinishRequests(ctx context.Context, db DB, replica string, verdicts []Verdict) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	b := &pgx.Batch{}
	for _, v := range verdicts {
		b.Queue(`
WITH done AS (
  UPDATE public.worker_requests
  SET status = $2, error = coalesce(nullif($3, ''), error), started_at = coalesce(started_at, now()), completed_at = clock_timestamp()
  WHERE id = $1 AND status IN ('pending', 'processing')
  RETURNING id, project_id, action, status, error)
INSERT INTO public.worker_events (project_id, replica, kind, message, details)
SELECT d.project_id, $4, $5, concat(d.action, ' request ', d.status, ': ' || d.error),
  jsonb_build_object('request', d.id, 'action', d.action, 'status', d.status)
FROM done d JOIN public.projects p ON p.id = d.project_id`, v.ID, v.Status, strings.ReplaceAll(v.Reason, "\x00", ""), replica, EventRequestDone)
	}
	if err := db.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("finish requests: %w", err)
	}
	return nil
}
