package rows

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// RefreshHeartbeats refreshes the rows of workers, in one statement, and gives their statuses, as
// far as they are there. A row that somebody holds a lock on doesn't keep the others from theirs.
// Without any worker it still tells whether the database answers.
func RefreshHeartbeats(ctx context.Context, db DB, workers []string) (status map[string]string, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	status = map[string]string{}
	if len(workers) == 0 {
		return status, db.Ping(ctx)
	}
	rows, err := db.Query(ctx, `
UPDATE public.workflow_workers w SET last_heartbeat = now()
FROM (SELECT worker_id FROM public.workflow_workers WHERE worker_id = ANY($1::text[]) FOR NO KEY UPDATE SKIP LOCKED) f
WHERE w.worker_id = f.worker_id
RETURNING w.worker_id::text, w.status::text`, workers)
	if err != nil {
		return nil, err
	}
	return status, intoMap(status)(rows)
}

// FailDeadWorkers marks the rows of replicas as failed whose heartbeats are older than deadAfter,
// and counts them by replica.
//
// A replica of which any row is fresh lives, whatever keeps it from the others.
func FailDeadWorkers(ctx context.Context, db DB, replica string, deadAfter time.Duration) (dead map[string]int, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
UPDATE public.workflow_workers w SET status = 'failed', stopped_at = now(), metadata = coalesce(metadata, '{}') || jsonb_build_object(
  'error', 'replica ' || coalesce(metadata->>'replica', host, worker_id) || ' is dead: its last heartbeat was at ' ||
  to_char(last_heartbeat AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
WHERE status IN ('starting', 'running', 'stopping')
  AND last_heartbeat < now() - $1 * interval '1 microsecond' AND metadata->>'replica' IS DISTINCT FROM $2
  AND NOT EXISTS (SELECT FROM public.workflow_workers f
    WHERE f.metadata->>'replica' = w.metadata->>'replica' AND f.last_heartbeat >= now() - $1 * interval '1 microsecond')
RETURNING project_id::text, coalesce(metadata->>'replica', host, worker_id)`,
		deadAfter.Microseconds(), replica)
	if err != nil {
		return nil, err
	}
	dead = map[string]int{}
	var project, of string
	if _, err := pgx.ForEachRow(rows, []any{&project, &of}, func() error {
		dead[of]++
		return nil
	}); err != nil {
		return nil, err
	}
	return dead, nil
}

// RemoveOldWorkers drops rows that nobody has owned for so long: each process with a new name
// leaves one per project.
func RemoveOldWorkers(ctx context.Context, db DB, replica string, retention time.Duration) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
DELETE FROM public.workflow_workers
WHERE status IN ('stopped', 'failed') AND last_heartbeat < now() - $1 * interval '1 microsecond'
  AND metadata ? 'schema' AND metadata->>'replica' <> $2`, retention.Microseconds(), replica)
	return err
}

// TakeOver ends what the rows say of an earlier process of a replica's name, and counts them.
func TakeOver(ctx context.Context, db DB, replica string) (int64, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	tag, err := db.Exec(ctx, `
UPDATE public.workflow_workers SET status = 'failed', stopped_at = now(),
  metadata = metadata || '{"error": "the process ended without stopping this worker"}'
WHERE metadata->>'replica' = $1 AND status IN ('starting', 'running', 'stopping')`, replica)
	if err != nil {
		return 0, fmt.Errorf("take over the rows of an earlier process: %w", err)
	}
	return tag.RowsAffected(), nil
}

// SetStatus says of a replica's workers that they are stopping, or stopped because it shuts down,
// in one statement within ctx.
func SetStatus(ctx context.Context, db DB, replica, status string, workers []string) error {
	_, err := db.Exec(ctx, `
WITH w AS (
  UPDATE public.workflow_workers SET status = $2, last_heartbeat = now(),
    stopped_at = CASE WHEN $2 = 'stopped' THEN coalesce(stopped_at, now()) ELSE stopped_at END
  WHERE worker_id = ANY($1::text[]) AND status <> 'stopped' AND ($2 = 'stopped' OR status IN ('starting', 'running'))
  RETURNING project_id)
INSERT INTO public.worker_events (project_id, replica, kind, message)
SELECT project_id, $3, $4, 'stopped: the replica shuts down' FROM w WHERE $2 = 'stopped'`, workers, status, replica, EventStopped)
	return err
}
