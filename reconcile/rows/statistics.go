package rows

import (
	"context"
	"fmt"
	"time"

	"workflow-worker/migrations/database"
)

// ActivityBatch has numbers of activities to add, a column each.
type ActivityBatch struct {
	Replica         string // whose workers did them
	Projects, Names []string
	OK, Failed      []int64
	Mean, P95, P99  []float64
	Last            []time.Time
}

// A project that is gone has no statistics. Two replicas may add to one row at
// once: the update adds to what it finds. What they come to in the totals of their
// projects and workers is noted with them, for CountUp.
const addStatisticsSQL = `
WITH n AS (
    SELECT n.* FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[], $9::text[])
        AS n (project_id, activity_name, ok, failed, mean, p95, p99, last, worker_id)
    JOIN public.projects p ON p.id = n.project_id
),
noted AS (
    INSERT INTO workflow_worker.uncounted (project_id, worker_id, tasks_completed, tasks_failed, duration_ms)
    SELECT project_id, worker_id, sum(ok), sum(failed), round(sum(mean * (ok + failed))::numeric) FROM n GROUP BY project_id, worker_id
)
INSERT INTO public.activity_statistics AS s (project_id, activity_name, execution_count, success_count, failure_count,
    avg_duration_ms, p95_duration_ms, p99_duration_ms, last_executed_at)
SELECT project_id, activity_name, ok + failed, ok, failed, round(mean::numeric), round(p95::numeric), round(p99::numeric), last FROM n
ON CONFLICT (project_id, activity_name) DO UPDATE SET
    execution_count = s.execution_count + excluded.execution_count,
    success_count = s.success_count + excluded.success_count,
    failure_count = s.failure_count + excluded.failure_count,
    avg_duration_ms = round((s.avg_duration_ms::numeric * s.execution_count + excluded.avg_duration_ms::numeric * excluded.execution_count)
        / (s.execution_count + excluded.execution_count)),
    p95_duration_ms = excluded.p95_duration_ms,
    p99_duration_ms = excluded.p99_duration_ms,
    last_executed_at = greatest(s.last_executed_at, excluded.last_executed_at)`

// AddStatistics adds to activity_statistics.
func AddStatistics(ctx context.Context, pool *database.Pool, b ActivityBatch) error {
	workers := make([]string, len(b.Projects))
	for i, project := range b.Projects {
		workers[i] = WorkerID(b.Replica, project)
	}
	_, err := pool.Exec(ctx, addStatisticsSQL, b.Projects, b.Names, b.OK, b.Failed, b.Mean, b.P95, b.P99, b.Last, workers)
	return err
}

// countAtOnce is how much CountUp adds up in one transaction.
const countAtOnce = 10_000

// CountUp adds up, in the statistics of workflows and projects and in the totals, what executions
// and activities have noted since, whichever replica wrote it: once each, whatever dies, and
// without a wait for rows that somebody has a lock on. Those are for the next time.
func CountUp(ctx context.Context, pool *database.Pool) error {
	for {
		var n int64
		if err := pool.QueryRow(ctx, `SELECT workflow_worker.count_up($1)`, countAtOnce).Scan(&n); err != nil {
			return fmt.Errorf("add up what has ended: %w", err)
		}
		if n < countAtOnce {
			return nil
		}
	}
}
