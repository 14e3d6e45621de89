package reconcile

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

func TestStartStopAndRestartByRequest(t *testing.T) {
	t.Parallel()
	h, r, p, _ := serving(t)
	for _, tt := range []struct {
		action, calls, status string
	}{
		{"start", "start", rows.StatusRunning},
		{"restart", "start stop start", rows.StatusRunning},
		{"stop", "start stop start stop", rows.StatusStopped},
		{"stop", "start stop start stop", rows.StatusStopped},
		{"start", "start stop start stop start", rows.StatusRunning},
		{"stop", "start stop start stop start stop", rows.StatusStopped},
		{"restart", "start stop start stop start stop start", rows.StatusRunning},
	} {
		id := h.Request(p, tt.action)
		r.LookAt(p, time.Now())
		a := h.isAnswered(id)
		if a.status != rows.RequestCompleted || a.reason != "" || a.startedAt == nil || a.completedAt == nil || a.completedAt.Before(*a.startedAt) {
			t.Errorf("%s: %+v", tt.action, a)
		}
		// Complete means that it is so, not that it will be.
		if got := r.runner.trace(p); got != tt.calls {
			t.Errorf("when %s is complete the calls are %s, want %s", tt.action, got, tt.calls)
		}
		if row := h.row("replica-a", p); row.status != tt.status {
			t.Errorf("when %s is complete the row says %s, want %s", tt.action, row.status, tt.status)
		}
	}
}

func TestAStoppedProjectStaysStoppedThroughChangesAndRestarts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	first := h.work()
	first.isServing(p, w, "v1")
	stop := h.Request(p, "stop")
	first.LookAt(p, time.Now())
	h.isAnswered(stop)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	first.LookAt(p, time.Now())
	first.quietDown()
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := h.work()
	second.LookAt(p, time.Now())
	eventually(t, func() error { return expect(second.seen.get().passes > 0, true) })
	second.quietDown()
	if first.runner.runs(p) || second.runner.trace(p) != "" {
		t.Error("a stopped project came back by itself")
	}
	start := h.Request(p, "start")
	second.LookAt(p, time.Now())
	h.isAnswered(start)
	if got := second.runner.serves(p, w); got != "v2" {
		t.Errorf("serves %q", got)
	}
}

func TestRequestsThatCannotBeFulfilledSayWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.work()
	off, _ := h.Shop("v1")
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, off)
	broken, _ := h.Shop("BROKEN")
	empty := h.Project()
	unknown := uuid.NewString()
	for _, tt := range []struct {
		name, project, action, status, reason string
	}{
		{"unknown project", unknown, "start", rows.RequestFailed, "no such project"},
		{"unknown project, stop", unknown, "stop", rows.RequestFailed, "no such project"},
		{"no code", empty, "start", rows.RequestFailed, "no active code"},
		{"no code, restart", empty, "restart", rows.RequestFailed, "no active code"},
		{"no code, stop", empty, "stop", rows.RequestCompleted, ""},
		{"switched off", off, "start", rows.RequestFailed, "is_active is false"},
		{"switched off, stop", off, "stop", rows.RequestCompleted, ""},
		{"broken code", broken, "start", rows.RequestFailed, "order-intake.ts:3:7: unexpected BROKEN"},
	} {
		id := h.Request(tt.project, tt.action)
		r.LookAtAll("resync") // a request is found without a hint
		if a := h.isAnswered(id); a.status != tt.status || !strings.Contains(a.reason, tt.reason) || a.completedAt == nil {
			t.Errorf("%s: %s, %q; want %s, %q", tt.name, a.status, a.reason, tt.status, tt.reason)
		}
	}
}

func TestSupersededRequestsAreFinishedWithTheNewest(t *testing.T) {
	t.Parallel()
	h, r, p, _ := serving(t)
	r.quietDown()
	stop, start, restart := h.Request(p, "stop"), h.Request(p, "start"), h.Request(p, "restart")
	last := h.Request(p, "start")
	r.LookAt(p, time.Now())
	for id, want := range map[string]string{stop: rows.RequestFailed, start: rows.RequestCompleted, restart: rows.RequestCompleted, last: rows.RequestCompleted} {
		if a := h.isAnswered(id); a.status != want {
			t.Errorf("%s: %s (%s), want %s", id, a.status, a.reason, want)
		}
	}
	if a := h.answer(stop); !strings.Contains(a.reason, "superseded by the newer start request "+last) {
		t.Errorf("reason %q", a.reason)
	}
	if got := r.runner.trace(p); got != "start stop start" {
		t.Errorf("calls: %s, want one restart", got)
	}
}

func TestAStartRequestWaitsForTemporalUntilItsDeadline(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica(func(c *Config) { c.RequestDeadline = 400 * time.Millisecond })
	var back atomic.Bool
	r.runner.onStart = func(context.Context, runtime.Project) error {
		if back.Load() {
			return nil
		}
		return errors.New("connection refused")
	}
	id := h.Request(p, "start")
	r.start()
	eventually(t, func() error { return expect(h.answer(id).status, rows.RequestProcessing) })
	if a := h.isAnswered(id); a.status != rows.RequestFailed || !strings.Contains(a.reason, "connection refused") || !strings.Contains(a.reason, "keeps trying") {
		t.Errorf("%+v", a)
	}
	back.Store(true)
	r.isServing(p, w, "v1")
}

func TestARequestWhoseClaimerDiedIsPickedUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	// Claimed long ago, by whom nobody knows; and just now, by a process that
	// is gone, while nobody else lives.
	for _, ago := range []string{"1 hour", "0 seconds"} {
		id := h.Request(p, "start")
		h.Exec(`UPDATE worker_requests SET status = 'processing', started_at = now() - $2::text::interval WHERE id = $1`, id, ago)
		r := h.work()
		if a := h.isAnswered(id); a.status != rows.RequestCompleted {
			t.Errorf("claimed %s ago: %+v", ago, a)
		}
		r.isServing(p, w, "v1")
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFreshClaimOfALivingReplicaIsItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	// Another replica lives, and has claimed the request.
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		VALUES ('b', $1, 'q', 'running', now(), '{"replica": "replica-b"}')`, h.Project())
	id := h.Request(p, "start")
	h.Exec(`UPDATE worker_requests SET status = 'processing', started_at = clock_timestamp() WHERE id = $1`, id)
	r := h.work()
	r.isServing(p, w, "v1") // its meaning is everybody's
	r.LookAt(p, time.Now())
	r.quietDown()
	if a := h.answer(id); a.status != rows.RequestProcessing {
		t.Errorf("finished another's request: %+v", a)
	}
	// Its claimer stays silent: after the lease it is anybody's.
	h.Exec(`UPDATE worker_requests SET started_at = now() - interval '91 seconds' WHERE id = $1`, id)
	r.LookAtAll("resync")
	if a := h.isAnswered(id); a.status != rows.RequestCompleted {
		t.Errorf("%+v", a)
	}
}
