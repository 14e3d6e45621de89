package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// FindTarget finds the code that a request is about, and its workflow's kebab name.
func FindTarget(ctx context.Context, db DB, projectID string, a Ask) (name string, code runtime.StoredCode, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	err = db.QueryRow(ctx, `SELECT coalesce(kebab_name, '') FROM public.workflows WHERE id = $1 AND project_id = $2`, a.WorkflowID, projectID).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", code, &replay.RefusedError{Reason: fmt.Sprintf("the project has no workflow %s", a.WorkflowID)}
	}
	if err != nil {
		return "", code, fmt.Errorf("look for workflow %s: %w", a.WorkflowID, err)
	}
	row := db.QueryRow(ctx, targetSQL, projectID, a.WorkflowID, a.target)
	err = row.Scan(&code.Hash, &code.Version, &code.Code, &code.ActivitiesCode, &code.Packages, &code.ActivitiesPackages)
	switch {
	case err == nil:
		return name, code, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return "", code, fmt.Errorf("look for version %q of workflow %s: %w", a.target, name, err)
	case a.target == "":
		return "", code, &replay.RefusedError{Reason: fmt.Sprintf("nothing of workflow %s is live; name a target_version", name)}
	}
	var versions []string
	if err := db.QueryRow(ctx, knownVersionsSQL, a.WorkflowID).Scan(&versions); err != nil {
		return "", code, fmt.Errorf("list the versions of workflow %s: %w", name, err)
	}
	return "", code, &replay.RefusedError{Reason: fmt.Sprintf("workflow %s has no version %q; there are: %s", name, a.target, orNone(strings.Join(versions, ", ")))}
}

// A version is first what the Workflow Builder calls it, active or not; then what
// the store has: by its hash, or a beginning of it that is long enough, or by the
// version that it was last stored under.
const targetSQL = `
(SELECT '', c.version, c.workflow_code, coalesce(c.activities_code, ''), '', ''
 FROM public.workflow_compiled_code c WHERE $3 <> '' AND c.workflow_id = $2 AND c.version = $3
 ORDER BY c.compiled_at DESC NULLS LAST, c.id DESC LIMIT 1)
UNION ALL
(SELECT s.hash, s.version, s.workflow_code, s.activities_code, coalesce(s.packages, ''), coalesce(s.activities_packages, '')
 FROM public.workflow_code_store s
 WHERE $3 <> '' AND s.project_id = $1 AND s.workflow_id = $2 AND s.kind = 'workflow'
   AND (s.version = $3 OR s.hash = $3 OR length($3) >= 12 AND starts_with(s.hash, $3))
 ORDER BY starts_with(s.hash, $3) DESC, s.last_used_at DESC LIMIT 1)
UNION ALL
(SELECT s.hash, coalesce(nullif(l.version, ''), s.version), s.workflow_code, s.activities_code,
   coalesce(s.packages, ''), coalesce(s.activities_packages, '')
 FROM public.workflow_live_code l JOIN public.workflow_code_store s ON s.project_id = l.project_id AND s.hash = l.hash
 WHERE $3 = '' AND l.project_id = $1 AND l.source_kind = 'workflow' AND l.source_id = $2)
LIMIT 1`

const knownVersionsSQL = `
SELECT ARRAY(SELECT version FROM public.workflow_compiled_code WHERE workflow_id = $1 ORDER BY compiled_at DESC NULLS LAST, id DESC LIMIT 10)`

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// NoteTarget notes on which queue the executions are that move to stored code.
func NoteTarget(ctx context.Context, db DB, projectID, hash string) error {
	_, err := db.Exec(ctx, `
UPDATE public.workflow_code_store s SET task_queues = array_append(s.task_queues, p.task_queue_name)
FROM public.projects p
WHERE s.project_id = $1 AND s.hash = $2 AND p.id = $1 AND NOT s.task_queues @> ARRAY[p.task_queue_name]::text[]`, projectID, hash)
	if err != nil {
		return fmt.Errorf("store the code that executions move to: %w", err)
	}
	return nil
}

// Checked is what came of a check, to be written.
type Checked struct {
	Request        Request
	Target         CodeRef
	Status, Reason string
	Result         *Result // nil if nothing was checked
	Moves          []replay.Fitting
	Events         []Event
}

// WriteChecked writes what came of a check, all of it or nothing. A request that another replica
// has answered meanwhile stays as it is; then it returns false.
func WriteChecked(ctx context.Context, db DB, replica, projectID string, c Checked) (written bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	var result *string
	if c.Result != nil {
		b, err := json.Marshal(c.Result)
		if err != nil {
			return false, fmt.Errorf("encode the result of request %s: %w", c.Request.ID, err)
		}
		text := withoutNUL(string(b))
		result = &text
	}
	err = pgx.BeginTxFunc(ctx, db, pgx.TxOptions{}, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
SELECT true FROM public.worker_requests
WHERE id = $1 AND status IN ('pending', 'processing') AND result IS NULL FOR UPDATE`, c.Request.ID).Scan(&written)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		if len(c.Moves) > 0 {
			queueMoves(b, projectID, c.Request, c.Target, c.Moves)
		}
		b.Queue(`
UPDATE public.worker_requests
SET status = $2, error = nullif($3, ''), result = $4::jsonb, started_at = coalesce(started_at, now()),
  completed_at = CASE WHEN $2 <> 'processing' THEN clock_timestamp() END
WHERE id = $1`, c.Request.ID, c.Status, strings.ReplaceAll(c.Reason, "\x00", ""), result)
		if err := QueueEvents(b, replica, projectID, c.Events); err != nil {
			return err
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return false, fmt.Errorf("write the result of request %s: %w", c.Request.ID, err)
	}
	return written, nil
}

func queueMoves(b *pgx.Batch, projectID string, q Request, target CodeRef, moves []replay.Fitting) {
	n := len(moves)
	ids, runs, from := make([]string, n), make([]string, n), make([]string, n)
	for i, m := range moves {
		ids[i], runs[i], from[i] = m.WorkflowID, m.RunID, m.Hash
	}
	b.Queue(`
INSERT INTO public.workflow_execution_moves (project_id, workflow_id, hash, request_id, execution_id, run_id, from_hash)
SELECT $1, $2, $3, $4, * FROM unnest($5::text[], $6::text[], $7::text[])
ON CONFLICT (project_id, run_id) DO UPDATE SET
  workflow_id = excluded.workflow_id, hash = excluded.hash, request_id = excluded.request_id,
  seq = excluded.seq, moved_at = excluded.moved_at, closed_at = NULL`,
		projectID, q.Ask.WorkflowID, target.Hash, q.ID, ids, runs, from)
}
