package rows

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// workflow_replicas.status.
const (
	ReplicaStarting = "starting"
	ReplicaRunning  = "running"
	ReplicaShort    = "short"
	ReplicaDraining = "draining"
	ReplicaStopped  = "stopped"
)

// ReplicaStatuses are all that workflow_replicas.status may say.
func ReplicaStatuses() []string {
	return []string{ReplicaStarting, ReplicaRunning, ReplicaShort, ReplicaDraining, ReplicaStopped}
}

// Self is this replica's row in workflow_replicas.
type Self struct {
	Name, Host      string
	Status          string
	Capacity        float64
	ProjectReplicas int
	Wanted, Running int // projects
	Heartbeat       time.Duration
	StartedAt       time.Time
}

// Replica is a replica's row.
type Replica struct {
	Name            string
	Status          string
	Capacity        float64
	Wanted, Running int           // projects, at its last heartbeat
	Heartbeat       time.Duration // its interval
	Silent          time.Duration // since its last heartbeat
	Since           time.Duration // since it has its status
	Alive           bool          // it has told of itself lately, and no farewell
}

// WriteReplica writes this replica's row, and removes those of replicas that are gone for as long
// as retention. A status that a row has kept through restarts is as old as it was before them.
func WriteReplica(ctx context.Context, db DB, me Self, retention time.Duration) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	b := &pgx.Batch{}
	b.Queue(`
INSERT INTO public.workflow_replicas AS r (name, host, process_id, status, capacity, project_replicas, projects_wanted, projects_running,
  heartbeat_seconds, started_at, last_heartbeat)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())
ON CONFLICT (name) DO UPDATE SET host = excluded.host, process_id = excluded.process_id, status = excluded.status,
  status_since = CASE WHEN r.status = excluded.status THEN r.status_since ELSE now() END,
  capacity = excluded.capacity, project_replicas = excluded.project_replicas, projects_wanted = excluded.projects_wanted,
  projects_running = excluded.projects_running, heartbeat_seconds = excluded.heartbeat_seconds, started_at = excluded.started_at,
  last_heartbeat = excluded.last_heartbeat`,
		me.Name, me.Host, strconv.Itoa(os.Getpid()), me.Status, me.Capacity, me.ProjectReplicas, me.Wanted, me.Running,
		me.Heartbeat.Seconds(), me.StartedAt)
	b.Queue(`DELETE FROM public.workflow_replicas WHERE last_heartbeat < now() - $1 * interval '1 microsecond'`, retention.Microseconds())
	if err := db.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("write the replica's row: %w", err)
	}
	return nil
}

// ReadReplicas reads all replicas' rows but the named one's.
func ReadReplicas(ctx context.Context, db DB, but string) ([]Replica, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
SELECT name, status, capacity, projects_wanted, projects_running, (heartbeat_seconds * 1000000)::bigint, (extract(epoch FROM now() - last_heartbeat) * 1000000)::bigint,
  (extract(epoch FROM now() - status_since) * 1000000)::bigint, workflow_worker.is_alive(status, last_heartbeat, heartbeat_seconds)
FROM public.workflow_replicas WHERE name <> $1 ORDER BY name`, but)
	if err != nil {
		return nil, fmt.Errorf("read the replicas' rows: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Replica, err error) {
		var beat, silent, since int64
		err = row.Scan(&r.Name, &r.Status, &r.Capacity, &r.Wanted, &r.Running, &beat, &silent, &since, &r.Alive)
		r.Heartbeat = time.Duration(beat) * time.Microsecond
		r.Silent, r.Since = time.Duration(silent)*time.Microsecond, time.Duration(since)*time.Microsecond
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the replicas' rows: %w", err)
	}
	return list, nil
}

// ReadRunners says who else runs each of these projects and is heard of: not those that drain, nor
// those that are silent for longer than silent. Replica and worker are looked at at one moment:
// of two that drain at once, at least one sees the other do so.
func ReadRunners(ctx context.Context, db DB, but string, projects []string, silent time.Duration) (map[string][]string, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	return pairs(db.Query(ctx, `
SELECT w.project_id::text, r.name
FROM public.workflow_workers w JOIN public.workflow_replicas r ON r.name = w.metadata->>'replica'
WHERE w.project_id = ANY($1::text[]::uuid[]) AND w.status = 'running' AND r.name <> $2 AND r.status IN ('starting', 'running', 'short')
  AND least(r.last_heartbeat, w.last_heartbeat) > now() - $3 * interval '1 microsecond'`, projects, but, silent.Microseconds()))
}

// ReadRuns says which projects each of these replicas runs.
func ReadRuns(ctx context.Context, db DB, replicas []string) (map[string][]string, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	return pairs(db.Query(ctx, `
SELECT metadata->>'replica', project_id::text FROM public.workflow_workers
WHERE status = 'running' AND metadata->>'replica' = ANY($1::text[])`, replicas))
}

func pairs(rows pgx.Rows, err error) (map[string][]string, error) {
	if err != nil {
		return nil, fmt.Errorf("read who runs projects: %w", err)
	}
	m := map[string][]string{}
	var k, v string
	if _, err := pgx.ForEachRow(rows, []any{&k, &v}, func() error {
		m[k] = append(m[k], v)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read who runs projects: %w", err)
	}
	return m, nil
}
