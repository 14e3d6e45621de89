package rows_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// countedWrong says where the totals aren't what the rows say, "" nowhere.
const countedWrong = `
WITH e AS (
  SELECT workflow_id, count(*) AS n, count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'completed') AS completed, coalesce(sum(duration_ms), 0) AS ms
  FROM workflow_executions WHERE status IN ('completed', 'failed', 'cancelled') AND temporal_run_id IS NOT NULL GROUP BY workflow_id
),
p AS (SELECT w.project_id, sum(e.n) AS n, sum(e.failed) AS failed, sum(e.ms) AS ms FROM e JOIN workflows w ON w.id = e.workflow_id GROUP BY w.project_id)
SELECT coalesce(string_agg(x.text, '; '), '') FROM (
  SELECT 'workflow ' || concat_ws(' ', s.total_runs, s.successful_runs, s.failed_runs, s.total_duration_ms, 'not', e.n, e.completed, e.failed, e.ms) AS text
  FROM e FULL JOIN workflow_statistics s USING (workflow_id)
  WHERE (s.total_runs, s.successful_runs, s.failed_runs, s.total_duration_ms, s.avg_duration_ms)
    IS DISTINCT FROM (e.n, e.completed, e.failed, e.ms, round(e.ms::numeric / e.n))
  UNION ALL
  SELECT 'project ' || concat_ws(' ', s.total_executions, s.total_failures, q.total_workflow_executions, q.total_execution_duration_ms, 'not', p.n, p.failed, p.n, p.ms)
  FROM p FULL JOIN project_statistics s USING (project_id) JOIN projects q ON q.id = project_id
  WHERE (s.total_executions, s.total_failures, q.total_workflow_executions, q.total_execution_duration_ms) IS DISTINCT FROM (p.n, p.failed, p.n, p.ms)
  UNION ALL
  SELECT 'code ' || concat_ws(' ', c.n, c.failed, 'not', e.n, e.failed)
  FROM e LEFT JOIN (SELECT workflow_id, sum(execution_count) AS n, sum(error_count) AS failed FROM workflow_compiled_code GROUP BY workflow_id) c USING (workflow_id)
  WHERE (c.n, c.failed) IS DISTINCT FROM (e.n, e.failed)
  UNION ALL
  SELECT count(*) || ' notes left' FROM workflow_worker.uncounted HAVING count(*) > 0) x`

func running(h *rowstest.House, workflow string, n int) (ids []string) {
	h.T.Helper()
	return rowstest.One[[]string](h, `WITH i AS (INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, first_run_id, started_at)
		SELECT $1, 'running', 'w', 'r', 'r', now() FROM generate_series(1, $2::int) RETURNING id::text) SELECT array_agg(id) FROM i`, workflow, n)
}

// Replicas end executions and add them up at once, while people write the same rows in an order of
// their own: nobody is in another's way, and all of it is counted once.
func TestReplicasCountTogether(t *testing.T) {
	t.Parallel()
	h, db := house(t)
	var ids []string
	var projects, workflows []string
	for range 4 {
		p, w := h.Shop("v1")
		h.Code(w, "2", "v2")
		projects, workflows = append(projects, p), append(workflows, w)
		ids = append(ids, running(h, w, 60)...)
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var work sync.WaitGroup
	over := make(chan struct{})
	statuses := []string{rows.ExecutionCompleted, rows.ExecutionFailed, rows.ExecutionCancelled}
	var ending sync.WaitGroup
	for replica := range 3 {
		ending.Go(func() { // both replicas tell of each end, which is its end once
			order := rand.Perm(len(ids))
			for len(order) > 0 {
				n := min(len(order), 1+rand.IntN(20))
				var states []rows.ExecutionState
				for _, i := range order[:n] {
					states = append(states, rows.ExecutionState{
						ID: ids[i], TemporalID: "w", RunID: "r", FirstRunID: "r", Status: statuses[i%3], EndedAt: time.Now(), Version: fmt.Sprint(1 + i%2), Activities: -1,
					})
				}
				order = order[n:]
				if err := rows.WriteExecutions(t.Context(), db, states); err != nil {
					t.Errorf("replica %d: %v", replica, err)
				}
			}
		})
		work.Go(func() {
			for {
				if err := rows.CountUp(t.Context(), h.DB); err != nil {
					t.Errorf("replica %d counts: %v", replica, err)
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	work.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			default:
			}
			tx, err := h.Pool.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			_, err = tx.Exec(t.Context(), `UPDATE workflow_compiled_code SET activities_code = 'x' WHERE workflow_id = $1`, workflows[i%4])
			for _, p := range []string{projects[i%4], projects[(i+1)%4]} {
				if err == nil {
					_, err = tx.Exec(t.Context(), `UPDATE projects SET description = 'x' WHERE id = $1`, p)
				}
			}
			if err := errors.Join(err, tx.Commit(t.Context())); err != nil {
				t.Errorf("a person's write: %v", err)
			}
		}
	})
	ending.Wait()
	close(over)
	work.Wait()
	if err := rows.CountUp(t.Context(), h.DB); err != nil {
		t.Error(err)
	}
	if wrong := rowstest.One[string](h, countedWrong); wrong != "" {
		t.Error(wrong)
	}
	if n := rowstest.One[int](h, `SELECT count(*)::int FROM workflow_executions WHERE status IN ('completed', 'failed', 'cancelled')`); n != len(ids) {
		t.Errorf("%d of %d are over", n, len(ids))
	}
}

// Somebody's open transaction on a project, or on code, keeps what belongs to it from being counted
// until it is over, and nothing else.
func TestALockedRowKeepsNothingElseFromBeingCounted(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	locked, w1 := h.Shop("v1")
	_, w2 := h.Shop("v1")
	_, w3 := h.Shop("v1")
	for _, w := range []string{w1, w2, w3} {
		running(h, w, 3)
	}
	h.Exec(`UPDATE workflow_executions SET status = 'completed', duration_ms = 7, completed_at = now()`)
	tx, err := h.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for sql, id := range map[string]string{`SELECT FROM projects WHERE id = $1 FOR UPDATE`: locked, `SELECT FROM workflow_compiled_code WHERE workflow_id = $1 FOR UPDATE`: w2} {
		if _, err := tx.Exec(t.Context(), sql, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.CountUp(t.Context(), h.DB); err != nil {
		t.Fatal(err)
	}
	if got := rowstest.One[[]string](h, `SELECT array_agg(workflow_id::text) FROM workflow_statistics`); len(got) != 1 || got[0] != w3 {
		t.Errorf("counted for %v, want %s", got, w3)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := rows.CountUp(t.Context(), h.DB); err != nil {
		t.Fatal(err)
	}
	if wrong := rowstest.One[string](h, countedWrong); wrong != "" {
		t.Error(wrong)
	}
}

// A pass sees what people wrote, and not what was counted since.
func TestWhatIsCountedIsNoChange(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	p, w := h.Shop("v1")
	counted := func(what string, change func(), noticed bool) {
		t.Helper()
		before := fingerprintOf(h, p, nil)
		change()
		changed := fingerprintOf(h, p, nil)
		for range 2 {
			h.Exec(`UPDATE workflow_executions SET status = 'completed' WHERE id = ANY($1::text[]::uuid[])`, running(h, w, 2))
			if err := rows.CountUp(t.Context(), h.DB); err != nil {
				t.Fatal(err)
			}
			if after := fingerprintOf(h, p, nil); after != changed {
				t.Errorf("%s: the counting is noticed", what)
			}
		}
		if (before != changed) != noticed {
			t.Errorf("%s: noticed is %t", what, before != changed)
		}
	}
	counted("nothing", func() {}, false)
	counted("an edit in place", func() { h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2'`) }, true)
	counted("a project renamed", func() { h.Exec(`UPDATE projects SET name = 'n' WHERE id = $1`, p) }, true)
	if n := rowstest.One[int](h, `SELECT execution_count::int FROM workflow_compiled_code WHERE workflow_id = $1`, w); n != 12 {
		t.Errorf("%d counted", n)
	}
}

// Tasks of activities add up for their project, and for the worker that did them.
func TestActivitiesAddUpForProjectsAndWorkers(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	p, _ := h.Shop("v1")
	for _, replica := range []string{"a", "b"} {
		h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ($1, $2, 'q', 'running')`, rows.WorkerID(replica, p), p)
		for i := range 3 {
			err := rows.AddStatistics(t.Context(), h.DB, rows.ActivityBatch{
				Replica: replica, Projects: []string{p, p, uuid.NewString()}, Names: []string{"x", "y", "x"}, OK: []int64{2, 0, 1}, Failed: []int64{1, int64(i + 1), 1},
				Mean: []float64{10, 100, 1}, P95: []float64{1, 1, 1}, P99: []float64{1, 1, 1}, Last: []time.Time{time.Now(), time.Now(), time.Now()},
			})
			if err = errors.Join(err, rows.CountUp(t.Context(), h.DB)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := rowstest.One[string](h, `SELECT string_agg(concat_ws(' ', total_tasks_completed, total_tasks_failed, avg_task_duration_ms), ', ') FROM workflow_workers`); got != "6 9 46, 6 9 46" {
		t.Errorf("workers: %s", got)
	}
	if n := rowstest.One[int](h, `SELECT total_activity_executions::int FROM projects WHERE id = $1`, p); n != 30 {
		t.Errorf("%d activities of the project", n)
	}
}
