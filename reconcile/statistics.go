package reconcile

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/trouble"
)

// recentDurations is how many durations of an activity its percentiles are of.
const recentDurations = 1000

// Statistics counts executions of activities and adds them to
// activity_statistics. Counts and means add up over replicas and restarts; the
// percentiles are of the last thousand executions of the replica that wrote
// last.
type Statistics struct {
	pool     *database.Pool
	interval time.Duration
	quiet    *trouble.Log

	mu     sync.Mutex // guards counts
	counts map[activityKey]*activityCounts
}

type activityKey struct{ projectID, name string }

// activityCounts are an activity's numbers: those since the last flush, and
// its recent durations.
type activityCounts struct {
	ok, failed int64
	total      time.Duration
	last       time.Time
	recent     []time.Duration // a ring once it is full
	next       int
}

// NewStatistics makes a Statistics that writes every interval.
func NewStatistics(pool *database.Pool, interval time.Duration, log *slog.Logger, o trouble.Observer) *Statistics {
	return &Statistics{pool: pool, interval: interval, quiet: trouble.NewLog(log, 10*time.Second).Telling(o), counts: map[activityKey]*activityCounts{}}
}

// ActivityExecuted counts one attempt of an activity. It returns at once.
func (s *Statistics) ActivityExecuted(projectID, name string, took time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := activityKey{projectID, name}
	c := s.counts[key]
	if c == nil {
		c = &activityCounts{}
		s.counts[key] = c
	}
	if failed {
		c.failed++
	} else {
		c.ok++
	}
	c.total += took
	c.last = time.Now()
	if len(c.recent) < recentDurations {
		c.recent = append(c.recent, took)
	} else {
		c.recent[c.next] = took
		c.next = (c.next + 1) % recentDurations
	}
}

// Run writes until ctx ends, and once more then, for at most five seconds.
func (s *Statistics) Run(ctx context.Context) {
	for trouble.Sleep(ctx, s.interval) {
		s.flush(ctx)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.flush(last)
}

// flush adds what was counted since the last time. What can't be written is
// kept for the next.
func (s *Statistics) flush(ctx context.Context) {
	b := s.take()
	if len(b.projects) == 0 {
		return
	}
	if _, err := s.pool.Exec(ctx, addStatistics, b.projects, b.names, b.ok, b.failed, b.mean, b.p95, b.p99, b.last); err != nil {
		s.giveBack(b)
		s.quiet.Fail(ctx, "statistics", "activity_statistics can't be written; the counts are kept", err)
		return
	}
	s.quiet.Recover(ctx, "statistics", "activity_statistics are written again")
}

// A project that is gone has no statistics. Two replicas may add to one row at
// once: the update adds to what it finds.
const addStatistics = `
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

// batch is one flush, a column each.
type batch struct {
	projects, names []string
	ok, failed      []int64
	mean, p95, p99  []float64
	last            []time.Time
}

// take gives what was counted since the last time and begins anew. Activities
// that rested in between are forgotten.
func (s *Statistics) take() batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b batch
	for key, c := range s.counts {
		n := c.ok + c.failed
		if n == 0 {
			delete(s.counts, key)
			continue
		}
		sorted := slices.Sorted(slices.Values(c.recent))
		b.projects, b.names = append(b.projects, key.projectID), append(b.names, key.name)
		b.ok, b.failed = append(b.ok, c.ok), append(b.failed, c.failed)
		b.mean = append(b.mean, milliseconds(c.total/time.Duration(n)))
		b.p95, b.p99 = append(b.p95, milliseconds(percentile(sorted, 95))), append(b.p99, milliseconds(percentile(sorted, 99)))
		b.last = append(b.last, c.last)
		c.ok, c.failed, c.total = 0, 0, 0
	}
	return b
}

func (s *Statistics) giveBack(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.projects {
		c := s.counts[activityKey{b.projects[i], b.names[i]}]
		if c == nil { // forgotten while the write failed
			continue
		}
		c.ok += b.ok[i]
		c.failed += b.failed[i]
		c.total += time.Duration(b.mean[i] * float64(b.ok[i]+b.failed[i]) * float64(time.Millisecond))
	}
}

// percentile gives the smallest value that p percent of them don't exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
