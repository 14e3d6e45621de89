package rows

import (
	"context"
	"time"

	"workflow-worker/migrations/database"
)

// ActivityBatch has numbers of activities to add, a column each.
type ActivityBatch struct {
	Projects, Names []string
	OK, Failed      []int64
	Mean, P95, P99  []float64
	Last            []time.Time
}

// A project that is gone has no statistics. Two replicas may add to one row at
// once: the update adds to what it finds.
const addStatisticsSQL = `
WITH n AS (
    SELECT n.* FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[])
        AS n (project_id, activity_name, ok, failed, mean, p95, p99, last)
    JOIN public.projects p ON p.id = n.project_id
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
	_, err := pool.Exec(ctx, addStatisticsSQL, b.Projects, b.Names, b.OK, b.Failed, b.Mean, b.P95, b.P99, b.Last)
	return err
}
