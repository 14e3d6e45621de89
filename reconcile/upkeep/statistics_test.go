package upkeep

import (
	"context"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations/database"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// nobody hears of troubles.
type nobody struct{}

func (nobody) Trouble(string, bool, error) {}

type statisticsRow struct {
	Count, OK, Failed, Mean int64
	P95, P99                int
}

func readStatistics(t *testing.T, pool *database.Pool, project, name string) (r statisticsRow) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT execution_count, success_count, failure_count, avg_duration_ms, p95_duration_ms, p99_duration_ms
		FROM activity_statistics WHERE project_id = $1 AND activity_name = $2`, project, name).
		Scan(&r.Count, &r.OK, &r.Failed, &r.Mean, &r.P95, &r.P99)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func statisticsPool(t *testing.T) (pool *database.Pool, project string) {
	t.Helper()
	pool, err := database.Open(context.Background(), stacktest.MigratedDatabase(t), database.Options{MaxConns: 8, Name: "workflow-worker", Logger: stacktest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	err = pool.QueryRow(t.Context(), `INSERT INTO projects (name, task_queue_name) VALUES ('p', $1) RETURNING id`, stacktest.TaskQueue(t)).Scan(&project)
	if err != nil {
		t.Fatal(err)
	}
	return pool, project
}

func TestStatisticsAddUpOverReplicas(t *testing.T) {
	t.Parallel()
	pool, project := statisticsPool(t)
	a := NewStatistics(pool, time.Hour, stacktest.Logger(t), nobody{})
	b := NewStatistics(pool, time.Hour, stacktest.Logger(t), nobody{})
	for i := 1; i <= 100; i++ {
		a.ActivityExecuted(project, "send", time.Duration(i)*time.Millisecond, i%10 == 0)
	}
	a.ActivityExecuted("00000000-0000-4000-8000-000000000000", "send", time.Second, false) // its project is gone
	a.flush(t.Context())
	if got, want := readStatistics(t, pool, project, "send"), (statisticsRow{100, 90, 10, 51, 95, 99}); got != want {
		t.Errorf("after one replica: %+v, want %+v", got, want)
	}
	for range 100 {
		b.ActivityExecuted(project, "send", 149*time.Millisecond, false)
	}
	b.flush(t.Context())
	a.flush(t.Context()) // nothing new
	if got, want := readStatistics(t, pool, project, "send"), (statisticsRow{200, 190, 10, 100, 149, 149}); got != want {
		t.Errorf("after two: %+v, want %+v", got, want)
	}
}

func TestCountsThatCannotBeWrittenAreKept(t *testing.T) {
	t.Parallel()
	pool, project := statisticsPool(t)
	s := NewStatistics(pool, time.Hour, stacktest.Logger(t), nobody{})
	s.ActivityExecuted(project, "send", 10*time.Millisecond, false)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.flush(ended)
	s.ActivityExecuted(project, "send", 30*time.Millisecond, true)
	s.flush(t.Context())
	if got, want := readStatistics(t, pool, project, "send"), (statisticsRow{2, 1, 1, 20, 30, 30}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheEndWritesWhatWasCounted(t *testing.T) {
	t.Parallel()
	pool, project := statisticsPool(t)
	s := NewStatistics(pool, time.Hour, stacktest.Logger(t), nobody{})
	s.ActivityExecuted(project, "send", 10*time.Millisecond, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	if got := readStatistics(t, pool, project, "send"); got.Count != 1 {
		t.Errorf("%+v", got)
	}
}
