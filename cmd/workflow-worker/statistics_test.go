package main

import (
	"errors"
	"syscall"
	"testing"
)

// totalsAgree says where statistics and totals aren't what the rows say.
func (w *workflow) totalsAgree() error {
	for _, wrong := range w.ids(`
		WITH e AS (SELECT count(*) AS n, count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed, sum(duration_ms) AS ms
			FROM workflow_executions WHERE status IN ('completed', 'failed', 'cancelled') AND temporal_run_id IS NOT NULL)
		SELECT concat_ws(' ', 'the rows say', e.*, 'the workflow', s.total_runs, s.successful_runs, s.failed_runs, s.total_duration_ms, 'its project', p.total_executions, p.total_failures,
			q.total_workflow_executions, q.total_execution_duration_ms, 'its code', c.execution_count, c.error_count)
		FROM e LEFT JOIN workflow_statistics s ON true LEFT JOIN project_statistics p ON true LEFT JOIN projects q ON true LEFT JOIN workflow_compiled_code c ON true
		WHERE (e.n, e.completed, e.failed, e.ms, e.n, e.failed, e.n, e.ms, e.n, e.failed) IS DISTINCT FROM (s.total_runs, s.successful_runs, s.failed_runs, s.total_duration_ms,
			p.total_executions, p.total_failures, q.total_workflow_executions, q.total_execution_duration_ms, c.execution_count, c.error_count)
		UNION ALL
		SELECT concat_ws(' ', 'activities', a.n, 'of the project', q.total_activity_executions, 'of its workers', k.n)
		FROM (SELECT coalesce(sum(execution_count), 0) AS n FROM activity_statistics) a, projects q, (SELECT coalesce(sum(total_tasks_completed + total_tasks_failed), 0) AS n FROM workflow_workers) k
		WHERE (a.n, a.n) IS DISTINCT FROM (q.total_activity_executions, k.n)
		UNION ALL
		SELECT count(*) || ' notes left' FROM workflow_worker.uncounted HAVING count(*) > 0`) {
		return errors.New(wrong)
	}
	return nil
}

// Two replicas end executions, and are killed in between: each execution counts once, everywhere.
// Of activities those count that a replica told of before it died; and all of them if it stops.
func TestStatisticsSayWhatTheRowsSayWhateverDies(t *testing.T) {
	t.Parallel()
	s, w := steppedWorkflow(t)
	services := []*service{s, startService(t, w.db.Config().ConnString())}
	over := func() {
		t.Helper()
		eventually(t, "all executions are over", func() error {
			if open := w.ids(`SELECT id::text || ' is ' || status FROM workflow_executions WHERE status NOT IN ('completed', 'failed', 'cancelled')`); len(open) > 0 {
				return errors.New(open[0])
			}
			return nil
		})
	}
	for round := range 4 {
		for range 10 {
			w.starts(`{"do": "chain"}`, nil)
			w.starts(`{"do": "fails"}`, nil)
		}
		eventually(t, "some have ended", func() error {
			if len(w.ids(`SELECT id::text FROM workflow_executions WHERE status = 'completed' OFFSET $1 LIMIT 1`, 10*round)) == 0 {
				return errors.New("too few yet")
			}
			return nil
		})
		services[round%2].stop(syscall.SIGKILL)
		services[round%2] = startService(t, w.db.Config().ConnString())
	}
	over()
	eventually(t, "the statistics say what the rows say", w.totalsAgree)
	if got := w.ids(`SELECT k.name FROM workflow_statistics s JOIN components k ON k.id = s.most_used_component_id WHERE s.most_used_component_count > 0`); len(got) != 1 {
		t.Errorf("most used is %v", got)
	}

	// What was done last is counted before the end of a replica that is told to stop.
	activities := func() (n int) {
		t.Helper()
		if err := w.db.QueryRow(t.Context(), `SELECT coalesce(sum(execution_count), 0) FROM activity_statistics`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := activities()
	for range 10 {
		w.starts(`{"do": "chain"}`, nil)
	}
	over()
	for _, s := range services {
		s.stop(syscall.SIGTERM)
	}
	if err := w.totalsAgree(); err != nil {
		t.Errorf("after the stop: %v", err)
	}
	if after := activities(); after < before+10 {
		t.Errorf("activities before %d, after %d", before, after)
	}
}
