package upkeep

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// recentDurations is how many durations of an activity its percentiles are of.
const recentDurations = 1000

// Statistics counts executions of activities and adds them to
// activity_statistics. Counts and means add up over replicas and restarts; the
// percentiles are of the last thousand executions of the replica that wrote
// last. With the same beat it has added up what is noted of executions of workflows.
type Statistics struct {
	// Replica names this process, as its workers' rows do. Not changed while Run works.
	Replica string

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
		s.countUp(ctx)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.flush(last)
	s.countUp(last)
}

// countUp has added up what was noted, by this replica or another.
func (s *Statistics) countUp(ctx context.Context) {
	if err := rows.CountUp(ctx, s.pool); err != nil {
		s.quiet.Fail(ctx, "totals", "statistics and totals can't be written; what is to be added to them is kept", err)
		return
	}
	s.quiet.Recover(ctx, "totals", "statistics and totals are written again")
}

// flush adds what was counted since the last time. What can't be written is
// kept for the next.
func (s *Statistics) flush(ctx context.Context) {
	b := s.take()
	if len(b.Projects) == 0 {
		return
	}
	if err := rows.AddStatistics(ctx, s.pool, b); err != nil {
		s.giveBack(b)
		s.quiet.Fail(ctx, "statistics", "activity_statistics can't be written; the counts are kept", err)
		return
	}
	s.quiet.Recover(ctx, "statistics", "activity_statistics are written again")
}

// take gives what was counted since the last time and begins anew. Activities
// that rested in between are forgotten.
func (s *Statistics) take() rows.ActivityBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := rows.ActivityBatch{Replica: s.Replica}
	for key, c := range s.counts {
		n := c.ok + c.failed
		if n == 0 {
			delete(s.counts, key)
			continue
		}
		sorted := slices.Sorted(slices.Values(c.recent))
		b.Projects, b.Names = append(b.Projects, key.projectID), append(b.Names, key.name)
		b.OK, b.Failed = append(b.OK, c.ok), append(b.Failed, c.failed)
		b.Mean = append(b.Mean, milliseconds(c.total/time.Duration(n)))
		b.P95, b.P99 = append(b.P95, milliseconds(percentile(sorted, 95))), append(b.P99, milliseconds(percentile(sorted, 99)))
		b.Last = append(b.Last, c.last)
		c.ok, c.failed, c.total = 0, 0, 0
	}
	return b
}

func (s *Statistics) giveBack(b rows.ActivityBatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Projects {
		c := s.counts[activityKey{b.Projects[i], b.Names[i]}]
		if c == nil { // forgotten while the write failed
			continue
		}
		c.ok += b.OK[i]
		c.failed += b.Failed[i]
		c.total += time.Duration(b.Mean[i] * float64(b.OK[i]+b.Failed[i]) * float64(time.Millisecond))
	}
}

// percentile gives the smallest value that p percent of them don't exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
