package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/logkey"
	"workflow-worker/reconcile/trouble"
)

// heartbeats keeps this replica's rows fresh and looks after dead replicas'
// rows until ctx ends.
func (r *Reconciler) heartbeats(ctx context.Context) {
	wait := r.cfg.HeartbeatInterval
	lastGood := time.Now()
	for failures := 0; trouble.Sleep(ctx, wait); {
		err := r.heartbeat(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.quiet.Fail(ctx, "heartbeat", "heartbeat failed", err)
			failures++
			wait = min(r.cfg.HeartbeatInterval, time.Second<<min(failures-1, 5))
			continue
		}
		r.quiet.Recover(ctx, "heartbeat", "heartbeats reach the database again")
		// After an outage the others have had no chance either to refresh their
		// rows: give them an interval before calling them dead.
		if time.Since(lastGood) < 2*r.cfg.HeartbeatInterval {
			if err := r.reap(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "reap", "looking for dead replicas failed", err)
			}
		}
		lastGood, failures, wait = time.Now(), 0, r.cfg.HeartbeatInterval
	}
}

// heartbeat refreshes all rows of this replica in one statement. A row that
// somebody deleted, or changed (another replica that believed us dead), is
// written again. So is one that couldn't be written lately, which has its
// heartbeat all the same: the worker lives. And a row that somebody holds a lock on
// doesn't keep the others from theirs.
func (r *Reconciler) heartbeat(ctx context.Context) error {
	mine := map[string]string{} // project by worker id
	ids := []string{}
	status := map[string]string{}
	r.mu.Lock()
	for id, c := range r.cards {
		if c.status != statusStopped {
			mine[c.workerID] = id
			ids = append(ids, c.workerID)
			status[c.workerID] = c.status
		}
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	if len(ids) == 0 { // still tells whether the database answers
		return r.cfg.Pool.Ping(ctx)
	}
	rows, err := r.cfg.Pool.Query(ctx, `
UPDATE public.workflow_workers w SET last_heartbeat = now()
FROM (SELECT worker_id FROM public.workflow_workers WHERE worker_id = ANY($1::text[]) FOR NO KEY UPDATE SKIP LOCKED) f
WHERE w.worker_id = f.worker_id
RETURNING w.worker_id::text, w.status::text`, ids)
	if err != nil {
		return err
	}
	found := map[string]string{}
	if err := intoMap(found)(rows); err != nil {
		return err
	}
	for worker, project := range mine {
		// A row between two states looks changed too; writing it again is cheap.
		if found[worker] != status[worker] {
			r.rewrite(project)
		}
	}
	return nil
}

// reap marks the rows of dead replicas as failed, so that the Workflow Builder
// doesn't show workers that nobody runs, and drops rows that nobody has owned
// for a long time: each process with a new name leaves one per project.
//
// A replica of which any row is fresh lives, whatever keeps it from the others.
func (r *Reconciler) reap(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, `
UPDATE public.workflow_workers w SET status = 'failed', stopped_at = now(), metadata = coalesce(metadata, '{}') || jsonb_build_object(
  'error', 'replica ' || coalesce(metadata->>'replica', host, worker_id) || ' is dead: its last heartbeat was at ' ||
  to_char(last_heartbeat AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
WHERE status IN ('starting', 'running', 'stopping')
  AND last_heartbeat < now() - $1 * interval '1 microsecond' AND metadata->>'replica' IS DISTINCT FROM $2
  AND NOT EXISTS (SELECT FROM public.workflow_workers f
    WHERE f.metadata->>'replica' = w.metadata->>'replica' AND f.last_heartbeat >= now() - $1 * interval '1 microsecond')
RETURNING project_id::text, coalesce(metadata->>'replica', host, worker_id)`,
		r.deadAfter().Microseconds(), r.cfg.Replica)
	if err != nil {
		return err
	}
	dead := map[string]int{}
	var project, replica string
	if _, err := pgx.ForEachRow(rows, []any{&project, &replica}, func() error {
		dead[replica]++
		return nil
	}); err != nil {
		return err
	}
	for replica, n := range dead {
		r.log.WarnContext(ctx, "marked a dead replica's workers as failed", logkey.OtherReplica, replica, logkey.Projects, n)
	}
	_, err = r.cfg.Pool.Exec(ctx, `
DELETE FROM public.workflow_workers
WHERE status IN ('stopped', 'failed') AND last_heartbeat < now() - $1 * interval '1 microsecond'
  AND metadata ? 'schema' AND metadata->>'replica' <> $2`,
		r.cfg.RowRetention.Microseconds(), r.cfg.Replica)
	return err
}

// takeOver ends what the rows say of an earlier process of this replica's
// name. It comes before the first pass of this one.
func (r *Reconciler) takeOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	tag, err := r.cfg.Pool.Exec(ctx, `
UPDATE public.workflow_workers SET status = 'failed', stopped_at = now(),
  metadata = metadata || '{"error": "the process ended without stopping this worker"}'
WHERE metadata->>'replica' = $1 AND status IN ('starting', 'running', 'stopping')`, r.cfg.Replica)
	if err != nil {
		return fmt.Errorf("take over the rows of an earlier process: %w", err)
	}
	if n := tag.RowsAffected(); n > 0 {
		r.log.InfoContext(ctx, "took over the rows of an earlier process that didn't stop", logkey.Projects, n)
	}
	return nil
}
