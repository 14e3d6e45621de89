package reconcile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/migrations/database"
)

// workerRow is this replica's row of one project in workflow_workers. Only
// the columns named here are ours to write: the Workflow Builder's others, and
// the totals, stay as they are.
type workerRow struct {
	workerID, projectID string
	taskQueue           string
	status              string
	startedAt           time.Time // zero: never
	stoppedAt           time.Time // zero: not stopped
	metadata            string
}

const upsertRowSQL = `
INSERT INTO public.workflow_workers (worker_id, project_id, task_queue_name, status, host, process_id,
  started_at, stopped_at, last_heartbeat, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), $9)
ON CONFLICT (worker_id) DO UPDATE SET
  project_id = excluded.project_id, task_queue_name = excluded.task_queue_name, status = excluded.status,
  host = excluded.host, process_id = excluded.process_id, started_at = excluded.started_at,
  stopped_at = excluded.stopped_at, last_heartbeat = excluded.last_heartbeat, metadata = excluded.metadata`

func (r *Reconciler) queueRow(b *pgx.Batch, w workerRow) {
	b.Queue(upsertRowSQL, w.workerID, w.projectID, w.taskQueue, w.status, r.cfg.Host, strconv.Itoa(os.Getpid()),
		nullTime(w.startedAt), nullTime(w.stoppedAt), w.metadata)
}

// writeRecord brings the record's row, and what is live, to the database, as
// far as they aren't there yet. status overrides the record's own while an
// action is about to be taken.
func (r *Reconciler) writeRecord(ctx context.Context, rec *record, taskQueue, status string) error {
	text, err := rec.metadata(r.cfg.Replica).encode()
	if err != nil {
		return err
	}
	row := workerRow{
		workerID: rec.workerID, projectID: rec.id, taskQueue: taskQueue, status: status,
		startedAt: rec.startedAt, stoppedAt: rec.stoppedAt, metadata: text,
	}
	key := digestOf(row.taskQueue, row.status, row.startedAt.String(), row.stoppedAt.String(), row.metadata)
	if key == rec.rowWritten && !rec.liveStale && len(rec.events) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	b := &pgx.Batch{}
	r.queueRow(b, row)
	if rec.liveStale {
		queueLiveCode(b, rec.id, row.taskQueue, rec.report, rec.live)
		if err := queuePeriods(b, rec.id, row.taskQueue, rec.report); err != nil {
			return err
		}
	}
	if err := r.queueEvents(b, rec.id, rec.events); err != nil {
		return err
	}
	if err := r.cfg.Pool.SendBatch(ctx, b); err != nil {
		if isForeignKeyViolation(err) { // deleted since it was read; the next look finds that
			rec.fingerprint = ""
			return nil
		}
		return fmt.Errorf("write the worker's row: %w", err)
	}
	r.quiet.Recover(ctx, "write", "projects' states are written again")
	rec.rowWritten, rec.liveStale, rec.events = key, false, nil
	return nil
}

// writeStopped says of a deleted project's row, if it outlived the project,
// that nothing runs.
func (r *Reconciler) writeStopped(ctx context.Context, workerID string) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	_, err := r.cfg.Pool.Exec(ctx, `
UPDATE public.workflow_workers SET status = 'stopped', stopped_at = now(), last_heartbeat = now()
WHERE worker_id = $1 AND status <> 'stopped'`, workerID)
	if err != nil {
		return fmt.Errorf("write the worker's row: %w", err)
	}
	return nil
}

// readOthers returns other living replicas' rows of a project on which a
// worker is still at work.
func (r *Reconciler) readOthers(ctx context.Context, projectID string) ([]otherWorker, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, `
SELECT coalesce(metadata->>'replica', host, worker_id), status::text, coalesce(metadata->>'restartRequest', ''),
  coalesce((metadata->>'lastMove')::bigint, 0)
FROM public.workflow_workers
WHERE project_id = $1 AND worker_id <> $2 AND status IN ('starting', 'running', 'stopping')
  AND last_heartbeat > now() - $3 * interval '1 microsecond'
ORDER BY 1`, projectID, workerID(r.cfg.Replica, projectID), r.deadAfter().Microseconds())
	if err != nil {
		return nil, fmt.Errorf("read the other replicas' rows: %w", err)
	}
	others, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o otherWorker, err error) {
		err = row.Scan(&o.replica, &o.status, &o.restart, &o.lastMove)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the other replicas' rows: %w", err)
	}
	return others, nil
}

// alone says whether no other living replica has a worker in the database.
func (r *Reconciler) alone(ctx context.Context, c *database.Conn) (alone bool, err error) {
	err = c.QueryRow(ctx, `
SELECT NOT EXISTS (SELECT FROM public.workflow_workers
  WHERE status IN ('starting', 'running', 'stopping', 'failed')
    AND last_heartbeat > now() - $2 * interval '1 microsecond'
    AND metadata->>'replica' IS DISTINCT FROM $1)`, r.cfg.Replica, r.deadAfter().Microseconds()).Scan(&alone)
	if err != nil {
		return false, fmt.Errorf("look for other replicas: %w", err)
	}
	return alone, nil
}

// deadAfter is the age at which a heartbeat means that its replica is dead.
func (r *Reconciler) deadAfter() time.Duration { return 3 * r.cfg.HeartbeatInterval }

func isForeignKeyViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23503"
}

func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
