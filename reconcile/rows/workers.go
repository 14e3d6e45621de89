package rows

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
)

// workflow_workers.status.
const (
	StatusStarting = "starting"
	StatusRunning  = "running"
	StatusStopping = "stopping"
	StatusStopped  = "stopped"
	StatusFailed   = "failed"
)

// Statuses are all that workflow_workers.status may say.
func Statuses() []string {
	return []string{StatusStarting, StatusRunning, StatusStopping, StatusStopped, StatusFailed}
}

// workerNamespace makes worker ids of replicas and projects.
var workerNamespace = uuid.MustParse("6a2f41a3-c54c-4ce0-9bd7-3d4a8f0a1c55")

// WorkerID is the same whenever a replica of this name runs this project.
func WorkerID(replica, projectID string) string {
	return uuid.NewSHA1(workerNamespace, []byte(replica+"\x00"+projectID)).String()
}

// Worker is this replica's row of one project in workflow_workers. Only
// the columns named here are ours to write: the Workflow Builder's others, and
// the totals, stay as they are.
type Worker struct {
	WorkerID, ProjectID string
	TaskQueue           string
	Host                string // of this process
	Status              string
	StartedAt           time.Time // zero: never
	StoppedAt           time.Time // zero: not stopped
	Metadata            string
}

const upsertRowSQL = `
INSERT INTO public.workflow_workers (worker_id, project_id, task_queue_name, status, host, process_id,
  started_at, stopped_at, last_heartbeat, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), $9)
ON CONFLICT (worker_id) DO UPDATE SET
  project_id = excluded.project_id, task_queue_name = excluded.task_queue_name, status = excluded.status,
  host = excluded.host, process_id = excluded.process_id, started_at = excluded.started_at,
  stopped_at = excluded.stopped_at, last_heartbeat = excluded.last_heartbeat, metadata = excluded.metadata`

// QueueWorker makes a replica's row say what is.
func QueueWorker(b *pgx.Batch, w Worker) {
	b.Queue(upsertRowSQL, w.WorkerID, w.ProjectID, w.TaskQueue, w.Status, w.Host, strconv.Itoa(os.Getpid()),
		nullTime(w.StartedAt), nullTime(w.StoppedAt), w.Metadata)
}

// EndWorker says of a deleted project's row, if it outlived the project,
// that nothing runs.
func EndWorker(ctx context.Context, db DB, workerID string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
UPDATE public.workflow_workers SET status = 'stopped', stopped_at = now(), last_heartbeat = now()
WHERE worker_id = $1 AND status <> 'stopped'`, workerID)
	if err != nil {
		return fmt.Errorf("write the worker's row: %w", err)
	}
	return nil
}

// OtherWorker is another living replica's row of the project.
type OtherWorker struct {
	Replica string
	Status  string
	Restart string // id of the newest restart request that it started after
	// LastMove is how far it knows the moves.
	LastMove int64
}

// ReadOthers returns other living replicas' rows of a project on which a
// worker is still at work: those but the named one, whose heartbeat isn't older than deadAfter.
func ReadOthers(ctx context.Context, db DB, projectID, worker string, deadAfter time.Duration) ([]OtherWorker, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
SELECT coalesce(metadata->>'replica', host, worker_id), status::text, coalesce(metadata->>'restartRequest', ''),
  coalesce((metadata->>'lastMove')::bigint, 0)
FROM public.workflow_workers
WHERE project_id = $1 AND worker_id <> $2 AND status IN ('starting', 'running', 'stopping')
  AND last_heartbeat > now() - $3 * interval '1 microsecond'
ORDER BY 1`, projectID, worker, deadAfter.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("read the other replicas' rows: %w", err)
	}
	others, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o OtherWorker, err error) {
		err = row.Scan(&o.Replica, &o.Status, &o.Restart, &o.LastMove)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the other replicas' rows: %w", err)
	}
	return others, nil
}

// Alone says whether no other living replica has a worker in the database.
func Alone(ctx context.Context, c *database.Conn, replica string, deadAfter time.Duration) (alone bool, err error) {
	err = c.QueryRow(ctx, `
SELECT NOT EXISTS (SELECT FROM public.workflow_workers
  WHERE status IN ('starting', 'running', 'stopping', 'failed')
    AND last_heartbeat > now() - $2 * interval '1 microsecond'
    AND metadata->>'replica' IS DISTINCT FROM $1)`, replica, deadAfter.Microseconds()).Scan(&alone)
	if err != nil {
		return false, fmt.Errorf("look for other replicas: %w", err)
	}
	return alone, nil
}
