package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/logkey"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// check is the work on a check or migrate request, on a goroutine of its own:
// replaying histories takes as long as it takes, and neither the project's other
// requests nor other projects wait for it.
type check struct {
	request request
	done    chan struct{} // closed when it is over
}

func (c *check) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// maxChecks is how many checks a process makes at once: each takes a core.
const maxChecks = 2

func (r *Reconciler) beginCheck(ctx context.Context, rec *record, q request) {
	c := &check{request: q, done: make(chan struct{})}
	rec.check = c
	id := rec.id
	r.log.InfoContext(ctx, "checking executions against other code", logkey.Project, id, logkey.Request, q.id, "action", q.action)
	r.checks.Go(func() {
		defer r.queue.hint(id, time.Time{}) // the next pass goes on from here
		defer close(c.done)
		r.answer(r.open, id, q)
	})
}

// answer tries to answer a request until that worked, RequestDeadline is over,
// or ctx ends. What isn't answered then is taken on again: by this process, or
// by whoever comes after it.
func (r *Reconciler) answer(ctx context.Context, projectID string, q request) {
	deadline := time.Now().Add(r.cfg.RequestDeadline)
	for failures := 0; ; failures++ {
		err := r.tryToAnswer(ctx, projectID, q)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.Is(err, runtime.ErrNotRunning):
			// What becomes of the request is for a pass to say.
			r.mu.Lock()
			n := r.notes[projectID]
			n.suspect = true
			r.notes[projectID] = n
			r.mu.Unlock()
			trouble.Sleep(ctx, r.cfg.BackoffBase)
			return
		case time.Now().After(deadline):
			out := outcome{status: requestFailed, reason: fmt.Sprintf("not done within %s: %s", r.cfg.RequestDeadline, bounded(err.Error()))}
			if err = r.finishCheck(ctx, projectID, q, "", CodeRef{}, out); err == nil {
				return
			}
		}
		r.quiet.Fail(ctx, "check", "a check of executions against other code failed", err, logkey.Project, projectID, logkey.Request, q.id)
		if !trouble.Sleep(ctx, r.backoff(failures)) {
			return
		}
	}
}

// tryToAnswer makes one attempt. Its error is worth another one.
func (r *Reconciler) tryToAnswer(ctx context.Context, projectID string, q request) (err error) {
	select {
	case r.checkSlots <- struct{}{}:
		defer func() { <-r.checkSlots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer r.recovered(ctx, projectID, &err)
	var out outcome
	name, code, err := r.target(ctx, projectID, q.ask)
	var target CodeRef
	var found runtime.CheckResult
	if err == nil {
		found, err = r.runCheck(ctx, projectID, runtime.Check{WorkflowID: q.ask.workflowID, Name: name, Target: code, Execution: q.ask.execution})
		target = CodeRef{code.Version, found.Target.Hash}
		out = weigh(q, target, found)
	}
	var refused *runtime.RefusedError
	switch {
	case errors.As(err, &refused):
		out = outcome{status: requestFailed, reason: bounded(refused.Reason)}
	case err != nil:
		return err
	}
	if len(out.moves) > 0 {
		// Before any execution can ask for it.
		if err := r.keepTarget(ctx, projectID, found); err != nil {
			return err
		}
	}
	return r.finishCheck(ctx, projectID, q, name, target, out)
}

func (r *Reconciler) runCheck(ctx context.Context, projectID string, c runtime.Check) (runtime.CheckResult, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CheckTimeout)
	defer cancel()
	return r.cfg.Runner.Check(ctx, projectID, c)
}

// target finds the code that a request is about, and its workflow's kebab name.
func (r *Reconciler) target(ctx context.Context, projectID string, a ask) (name string, code runtime.StoredCode, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	err = r.cfg.Pool.QueryRow(ctx, `SELECT coalesce(kebab_name, '') FROM public.workflows WHERE id = $1 AND project_id = $2`, a.workflowID, projectID).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", code, &runtime.RefusedError{Reason: fmt.Sprintf("the project has no workflow %s", a.workflowID)}
	}
	if err != nil {
		return "", code, fmt.Errorf("look for workflow %s: %w", a.workflowID, err)
	}
	row := r.cfg.Pool.QueryRow(ctx, targetSQL, projectID, a.workflowID, a.target)
	err = row.Scan(&code.Hash, &code.Version, &code.Code, &code.ActivitiesCode, &code.Packages, &code.ActivitiesPackages)
	switch {
	case err == nil:
		return name, code, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return "", code, fmt.Errorf("look for version %q of workflow %s: %w", a.target, name, err)
	case a.target == "":
		return "", code, &runtime.RefusedError{Reason: fmt.Sprintf("nothing of workflow %s is live; name a target_version", name)}
	}
	var versions []string
	if err := r.cfg.Pool.QueryRow(ctx, knownVersionsSQL, a.workflowID).Scan(&versions); err != nil {
		return "", code, fmt.Errorf("list the versions of workflow %s: %w", name, err)
	}
	return "", code, &runtime.RefusedError{Reason: fmt.Sprintf("workflow %s has no version %q; there are: %s", name, a.target, orNone(strings.Join(versions, ", ")))}
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

// keepTarget puts the code that executions are to move to into the store, with
// the queue on which they are.
func (r *Reconciler) keepTarget(ctx context.Context, projectID string, found runtime.CheckResult) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	if err := r.store.PutPackages(ctx, found.Packages); err != nil {
		return err
	}
	if err := r.store.Put(ctx, projectID, []runtime.StoredModule{found.Target}); err != nil {
		return err
	}
	_, err := r.cfg.Pool.Exec(ctx, `
UPDATE public.workflow_code_store s SET task_queues = array_append(s.task_queues, p.task_queue_name)
FROM public.projects p
WHERE s.project_id = $1 AND s.hash = $2 AND p.id = $1 AND NOT s.task_queues @> ARRAY[p.task_queue_name]::text[]`, projectID, found.Target.Hash)
	if err != nil {
		return fmt.Errorf("store the code that executions move to: %w", err)
	}
	return nil
}

// finishCheck writes what came of a check, all of it or nothing. A request that
// another replica has answered meanwhile stays as it is. One that moved
// executions stays open until everybody has heard, see judgeAsk.
func (r *Reconciler) finishCheck(ctx context.Context, projectID string, q request, name string, target CodeRef, out outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.QueryTimeout)
	defer cancel()
	var result *string
	if out.result != nil {
		b, err := json.Marshal(out.result)
		if err != nil {
			return fmt.Errorf("encode the result of request %s: %w", q.id, err)
		}
		text := withoutNUL(string(b))
		result = &text
	}
	answered := false
	err := pgx.BeginTxFunc(ctx, r.cfg.Pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
SELECT true FROM public.worker_requests
WHERE id = $1 AND status IN ('pending', 'processing') AND result IS NULL FOR UPDATE`, q.id).Scan(&answered)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		status := out.status
		if len(out.moves) > 0 {
			status = requestProcessing
			queueMoves(b, projectID, q, target, out.moves)
		}
		b.Queue(`
UPDATE public.worker_requests
SET status = $2, error = nullif($3, ''), result = $4::jsonb, started_at = coalesce(started_at, now()),
  completed_at = CASE WHEN $2 <> 'processing' THEN clock_timestamp() END
WHERE id = $1`, q.id, status, strings.ReplaceAll(out.reason, "\x00", ""), result)
		if err := r.queueEvents(b, projectID, out.events(q, name, target, status)); err != nil {
			return err
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return fmt.Errorf("write the result of request %s: %w", q.id, err)
	}
	if answered {
		if out.result != nil && out.result.Breaks > 0 {
			r.cfg.Observer.GateRefused(refusedRequest)
		}
		r.log.InfoContext(ctx, "checked executions against other code", logkey.Project, projectID, logkey.Request, q.id,
			"moved", len(out.moves), "status", out.status, "reason", out.reason)
	}
	return nil
}

func queueMoves(b *pgx.Batch, projectID string, q request, target CodeRef, moves []runtime.Fitting) {
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
		projectID, q.ask.workflowID, target.Hash, q.id, ids, runs, from)
}

// migratedDetails are the details of migrated.
type migratedDetails struct {
	Request  string  `json:"request"`
	Workflow string  `json:"workflow"` // workflows.id
	Target   CodeRef `json:"target"`
	Moved    int     `json:"moved"`
	Broken   int     `json:"broken"`
}

// requestDetails are the details of request_done.
type requestDetails struct {
	Request string `json:"request"`
	Action  string `json:"action"`
	Status  string `json:"status"`
}

func (o outcome) events(q request, name string, target CodeRef, status string) (events []event) {
	if n := len(o.moves); n > 0 {
		events = append(events, event{
			kind:    eventMigrated,
			message: bounded(fmt.Sprintf("moved %d executions of workflow %s to %s; %d don't fit", n, name, target, o.result.Breaks)),
			details: migratedDetails{q.id, q.ask.workflowID, target, n, o.result.Breaks},
		})
	}
	if status != requestProcessing {
		message := q.action + " request " + status
		if o.reason != "" {
			message += ": " + o.reason
		}
		events = append(events, event{kind: eventRequestDone, message: bounded(message), details: requestDetails{q.id, q.action, status}})
	}
	return events
}
