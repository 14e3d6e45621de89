package reconcile

import (
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
)

func TestHeartbeatsKeepAllRowsFresh(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	running, _ := h.Shop("v1")
	broken, _ := h.Shop("BROKEN")
	stopped, _ := h.Shop("v1")
	r := h.work()
	r.isStatus(running, rows.StatusRunning)
	r.isStatus(broken, rows.StatusFailed)
	r.isStatus(stopped, rows.StatusRunning) // one that never ran has no row
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, stopped)
	r.LookAt(stopped, time.Now())
	r.isStatus(stopped, rows.StatusStopped)
	r.quietDown()
	h.Exec(`UPDATE workflow_workers SET last_heartbeat = now() - interval '1 hour'`)
	if err := newHeartbeat(r.Reconciler).Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p, fresh := range map[string]bool{running: true, broken: true, stopped: false} {
		if got := time.Since(*h.row("replica-a", p).heartbeat) < time.Minute; got != fresh {
			t.Errorf("row with status %s has a fresh heartbeat: %t, want %t", h.row("replica-a", p).status, got, fresh)
		}
	}
}

func TestARowThatSomebodyChangedOrDeletedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	q, _ := h.Shop("v1")
	r := h.work()
	r.isStatus(p, rows.StatusRunning)
	r.isStatus(q, rows.StatusRunning)
	r.quietDown()
	h.Exec(`UPDATE workflow_workers SET status = 'failed', stopped_at = now(), metadata = '{}' WHERE project_id = $1`, p) // as a replica does that believes us dead
	h.Exec(`DELETE FROM workflow_workers WHERE project_id = $1`, q)
	if err := newHeartbeat(r.Reconciler).Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{p, q} {
		row := r.isStatus(id, rows.StatusRunning)
		if row.meta.Replica != "replica-a" || len(row.meta.Workflows) != 1 || row.stoppedAt != nil {
			t.Errorf("row: %+v", row)
		}
	}
	if r.runner.trace(p) != "start" || r.runner.trace(q) != "start" {
		t.Error("a row's loss disturbed the worker")
	}
}

func TestOnlyDeadReplicasRowsAreReaped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Project()
	r := h.replica(func(c *Config) { c.HeartbeatInterval = time.Minute })
	row := func(id, status, age, replica string) {
		h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
			VALUES ($1, $2, 'q', $3, now() - $4::text::interval, jsonb_build_object('schema', 1, 'replica', $5::text))`, id, p, status, age, replica)
	}
	row("alive", "running", "2 minutes", "b")
	row("dead-running", "running", "4 minutes", "c")
	row("dead-starting", "starting", "4 minutes", "c")
	row("dead-stopping", "stopping", "4 minutes", "c")
	row("stopped", "stopped", "4 minutes", "c")
	row("mine", "running", "4 minutes", "replica-a")
	row("long-gone", "stopped", "25 hours", "d")
	row("long-gone-mine", "stopped", "25 hours", "replica-a")
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		VALUES ('of-the-node-service', $1, 'q', 'stopped', now() - interval '30 days', '{"version": "1"}')`, p)
	h.Exec(`ALTER TABLE workflow_workers ALTER metadata DROP NOT NULL`) // as in the Workflow Builder's table
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		VALUES ('without-metadata', $1, 'q', 'running', now() - interval '1 hour', NULL)`, p)
	if err := newHeartbeat(r.Reconciler).Reap(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"alive": "running", "dead-running": "failed", "dead-starting": "failed", "dead-stopping": "failed",
		"stopped": "stopped", "mine": "running", "long-gone-mine": "stopped", "of-the-node-service": "stopped", "without-metadata": "failed",
	} {
		if got := one[string](h, `SELECT status FROM workflow_workers WHERE worker_id = $1`, id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	if n := one[int](h, `SELECT count(*)::int FROM workflow_workers WHERE worker_id = 'long-gone'`); n != 0 {
		t.Error("a row that nobody has owned for a day is still there")
	}
}

func TestAProcessThatComesBackTakesItsRowsOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	gone, _ := h.Shop("v1")
	first := h.replica()
	for _, id := range []string{p, gone} { // as after kill -9
		h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
			VALUES ($1, $2, 'q', 'running', now(), '{"schema": 1, "replica": "replica-a"}')`, rows.WorkerID("replica-a", id), id)
	}
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, gone)
	first.start()
	first.isServing(p, w, "v1")
	first.isStatus(p, rows.StatusRunning)
	if row := h.row("replica-a", gone); row.status != rows.StatusFailed || row.meta.Error == "" {
		t.Errorf("the row of what doesn't run any more: %+v", row)
	}
	if n := one[int](h, `SELECT count(*)::int FROM workflow_workers`); n != 2 {
		t.Errorf("%d rows, want the same two", n)
	}
}

func TestColumnsThatAreNotOursStayAsTheyAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Exec(`ALTER TABLE workflow_workers ADD COLUMN notes text NOT NULL DEFAULT 'from the UI', ADD COLUMN colour text`)
	h.Exec(`ALTER TABLE worker_requests ADD COLUMN ticket text NOT NULL DEFAULT 'T-1'`)
	p, w := h.Shop("v1")
	r := h.work()
	r.isStatus(p, rows.StatusRunning)
	h.Exec(`UPDATE workflow_workers SET colour = 'red', notes = 'by hand', total_tasks_completed = 42, total_tasks_failed = 7, port = 99`)
	id := one[string](h, `SELECT id::text FROM workflow_workers`)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2', execution_count = 5 WHERE workflow_id = $1`, w)
	request := h.Request(p, "restart")
	r.LookAt(p, time.Now())
	h.isAnswered(request)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got := one[string](h, `SELECT concat_ws(' ', id, notes, colour, total_tasks_completed, total_tasks_failed, port, status) FROM workflow_workers`); got != id+" by hand red 42 7 99 stopped" {
		t.Errorf("the row is now %q", got)
	}
	if got := one[string](h, `SELECT concat_ws(' ', q.ticket, c.execution_count) FROM worker_requests q, workflow_compiled_code c`); got != "T-1 5" {
		t.Errorf("request and code are now %q", got)
	}
}

func TestHeartbeatsGoOnByThemselves(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	r := h.work(func(c *Config) { c.HeartbeatInterval = 20 * time.Millisecond })
	first := *r.isStatus(p, rows.StatusRunning).heartbeat
	eventually(t, func() error {
		return expect(h.row("replica-a", p).heartbeat.After(first.Add(100*time.Millisecond)), true)
	})
}
