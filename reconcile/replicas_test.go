package reconcile

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
)

// second puts another replica to work on the same database.
func (h *house) second(configure ...func(*Config)) *replica {
	h.T.Helper()
	return h.replica(append([]func(*Config){func(c *Config) { c.Replica, c.Host = "replica-b", "host-b" }}, configure...)...)
}

func TestTwoReplicasRunAProjectWithARowEach(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	a, b := h.work(), h.second().start()
	a.isServing(p, w, "v1")
	b.isServing(p, w, "v1")
	ra, rb := a.isStatus(p, rows.StatusRunning), b.isStatus(p, rows.StatusRunning)
	if ra.meta.Replica != "replica-a" || rb.meta.Replica != "replica-b" {
		t.Errorf("rows of %q and %q", ra.meta.Replica, rb.meta.Replica)
	}
	if n := one[int](h, `SELECT count(DISTINCT worker_id)::int FROM workflow_workers WHERE project_id = $1`, p); n != 2 {
		t.Errorf("%d rows, want one for each replica", n)
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if got := h.row("replica-b", p).status; got != rows.StatusStopped {
		t.Errorf("the stopped replica's row says %s", got)
	}
	if got := h.row("replica-a", p).status; got != rows.StatusRunning || !a.runner.runs(p) {
		t.Errorf("the other's says %s", got)
	}
}

func TestAStopIsCompleteWhenEveryReplicaHasStopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	a, b := h.work(), h.second()
	open := make(gate)
	b.runner.onStop = func(ctx context.Context, _ string) error { return open.wait(ctx) }
	b.start()
	a.isServing(p, w, "v1")
	a.isStatus(p, rows.StatusRunning)
	b.isStatus(p, rows.StatusRunning)

	stop := h.Request(p, "stop")
	a.LookAt(p, time.Now())
	a.isStatus(p, rows.StatusStopped) // a, who alone has heard of it, has claimed it
	b.LookAt(p, time.Now())
	b.isStatus(p, rows.StatusStopping)
	a.LookAt(p, time.Now())
	a.quietDown()
	if got := h.answer(stop); got.status != rows.RequestProcessing {
		t.Errorf("finished while a replica drains: %+v", got)
	}
	close(open)
	if got := h.isAnswered(stop); got.status != rows.RequestCompleted || b.runner.runs(p) {
		t.Errorf("%+v, b still runs: %t", got, b.runner.runs(p))
	}
}

func TestARestartIsCompleteWhenEveryReplicaHasRestarted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	a, b := h.work(), h.second().start()
	a.isStatus(p, rows.StatusRunning)
	b.isStatus(p, rows.StatusRunning)
	restart := h.Request(p, "restart")
	a.LookAt(p, time.Now())
	eventually(t, func() error { return expect(a.runner.trace(p), "start stop start") })
	a.isStatus(p, rows.StatusRunning)
	a.quietDown()
	if got := h.answer(restart); got.status != rows.RequestProcessing {
		t.Errorf("finished before the other replica has heard of it: %+v", got)
	}
	b.LookAt(p, time.Now())
	if got := h.isAnswered(restart); got.status != rows.RequestCompleted {
		t.Errorf("%+v", got)
	}
	if got := b.runner.trace(p); got != "start stop start" {
		t.Errorf("the other replica's calls: %s", got)
	}
	if got := h.row("replica-b", p).meta.RestartRequest; got != restart {
		t.Errorf("its row names %q as its restart", got)
	}
}

func TestAStopThatAReplicaDoesNotFollowFailsWithItsName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	a := h.replica(func(c *Config) { c.RequestDeadline = 300 * time.Millisecond })
	b := h.second()
	var follows atomic.Bool
	b.runner.onStop = func(context.Context, string) error {
		if follows.Load() {
			return nil
		}
		return errors.New("not now")
	}
	a.start()
	b.start()
	a.isStatus(p, rows.StatusRunning)
	b.isStatus(p, rows.StatusRunning)
	stop := h.Request(p, "stop")
	a.LookAt(p, time.Now())
	if got := h.isAnswered(stop); got.status != rows.RequestFailed || !strings.Contains(got.reason, "replica replica-b is still") {
		t.Errorf("%+v", got)
	}
	follows.Store(true)
}

func TestARequestIsFinishedByTheOtherReplicaWhenItsClaimerDies(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	b := h.second(func(c *Config) { c.HeartbeatInterval = 200 * time.Millisecond })
	start := h.Request(p, "start")
	// The claimer: a replica that died right after the claim. Its other rows
	// say that it was alive a moment ago.
	h.Exec(`UPDATE worker_requests SET status = 'processing', started_at = clock_timestamp() WHERE id = $1`, start)
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		VALUES ('dead', $1, 'q', 'running', now(), '{"schema": 1, "replica": "dead"}')`, p)
	b.start()
	b.isStatus(p, rows.StatusRunning)
	eventually(t, func() error {
		b.LookAtAll("resync")
		return expect(h.answer(start).status, rows.RequestCompleted)
	})
	// And the dead replica's row says what it is.
	eventually(t, func() error {
		return expect(one[string](h, `SELECT status FROM workflow_workers WHERE worker_id = 'dead'`), rows.StatusFailed)
	})
	if got := one[string](h, `SELECT metadata->>'error' FROM workflow_workers WHERE worker_id = 'dead'`); !strings.Contains(got, "replica dead is dead: its last heartbeat") {
		t.Errorf("error %q", got)
	}
}

func TestAStopDoesNotWaitForADeadReplica(t *testing.T) {
	t.Parallel()
	h, r, p, _ := serving(t)
	// Not yet marked as failed, but silent for more than three intervals.
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		VALUES ('dead', $1, 'q', 'running', now() - interval '91 seconds', '{"schema": 1, "replica": "dead"}')`, p)
	stop := h.Request(p, "stop")
	r.LookAt(p, time.Now())
	if got := h.isAnswered(stop); got.status != rows.RequestCompleted {
		t.Errorf("%+v", got)
	}
}
