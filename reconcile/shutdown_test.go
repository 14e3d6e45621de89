package reconcile

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

func TestShutdownDrainsAllAndTheRowsSaySo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	broken, _ := h.Shop("BROKEN")
	r := h.replica()
	open := make(gate)
	var stopping atomic.Bool
	r.runner.onStop = func(ctx context.Context, _ string) error {
		stopping.Store(true)
		return open.wait(ctx)
	}
	r.start()
	r.isStatus(p, rows.StatusRunning)
	r.isStatus(broken, rows.StatusFailed)
	r.quietDown()
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	eventually(t, func() error { return expect(stopping.Load(), true) })
	r.isStatus(p, rows.StatusStopping)
	r.LookAt(p, time.Now()) // nobody minds
	r.LookAtAll("late")
	close(open)
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	for _, id := range []string{p, broken} {
		if row := h.row("replica-a", id); row.status != rows.StatusStopped || row.stoppedAt == nil {
			t.Errorf("row after the shutdown: %+v", row)
		}
	}
	if r.runner.runs(p) {
		t.Error("a worker still runs")
	}
}

func TestShutdownGivesUpAStartUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	r := h.replica()
	never := make(gate)
	var starting atomic.Bool
	r.runner.onStart = func(ctx context.Context, _ runtime.Project) error {
		starting.Store(true)
		return never.wait(ctx)
	}
	r.start()
	eventually(t, func() error { return expect(starting.Load(), true) })
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if row := h.row("replica-a", p); row.status != rows.StatusStopped || r.runner.runs(p) {
		t.Errorf("row says %s, runs: %t", row.status, r.runner.runs(p))
	}
}

func TestShutdownStopsWhatAPassUnderWayStarted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	r := h.replica()
	r.runner.store = nil // which would notice that it is too late
	open := make(gate)
	var starting atomic.Bool
	r.runner.onStart = func(context.Context, runtime.Project) error {
		starting.Store(true)
		return open.wait(context.Background()) // too late to give up
	}
	r.start()
	eventually(t, func() error { return expect(starting.Load(), true) })
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	<-r.open.Done()
	close(open)
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := r.runner.trace(p); got != "start stop" {
		t.Errorf("calls: %s; want what was started last to be stopped too", got)
	}
	if row := h.row("replica-a", p); row.status != rows.StatusStopped {
		t.Errorf("row says %s", row.status)
	}
}

// longShutdown leaves a second for the rows: on a busy machine a fifth of one is
// not enough, and they would rightly be given up.
const longShutdown = 5 * time.Second

func TestShutdownKeepsItsDeadlineAndNamesWhatItAbandons(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stuck, _ := h.Shop("stuck")
	deaf, _ := h.Shop("deaf")
	fine, _ := h.Shop("fine")
	r := h.replica(func(c *Config) { c.ShutdownTimeout = longShutdown })
	never := make(gate)
	t.Cleanup(func() { close(never) })
	r.runner.onStop = func(ctx context.Context, id string) error {
		switch id {
		case stuck:
			return never.wait(ctx)
		case deaf: // to its context
			return never.wait(context.Background())
		}
		return nil
	}
	r.start()
	for _, id := range []string{stuck, deaf, fine} {
		r.isStatus(id, rows.StatusRunning)
	}
	r.quietDown()
	err := r.stop()
	if err == nil || !strings.Contains(err.Error(), stuck) || !strings.Contains(err.Error(), deaf) || strings.Contains(err.Error(), fine) {
		t.Errorf("Run returned %v, want the two projects named", err)
	}
	for _, id := range []string{stuck, deaf, fine} {
		if got := h.row("replica-a", id).status; got != rows.StatusStopped {
			t.Errorf("row says %s, want stopped: the process is about to end", got)
		}
	}
}

func TestShutdownNamesAPassThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	r := h.replica(func(c *Config) { c.ShutdownTimeout = longShutdown })
	never := make(gate)
	t.Cleanup(func() { close(never) })
	var starting atomic.Bool
	r.runner.onStart = func(context.Context, runtime.Project) error {
		starting.Store(true)
		return never.wait(context.Background())
	}
	r.start()
	eventually(t, func() error { return expect(starting.Load(), true) })
	if err := r.stop(); err == nil || !strings.Contains(err.Error(), p+" (a pass under way)") {
		t.Errorf("Run returned %v", err)
	}
	if got := h.row("replica-a", p).status; got != rows.StatusStopped {
		t.Errorf("row says %s", got)
	}
}

func TestShutdownWithoutADatabaseEndsInTimeAndSaysSo(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	h := houseOn(t, server)
	p, w := h.Shop("v1")
	r := h.work(func(c *Config) { c.ShutdownTimeout = time.Second })
	r.isServing(p, w, "v1")
	r.isStatus(p, rows.StatusRunning)
	r.quietDown()
	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err == nil || !strings.Contains(err.Error(), "don't say stopped") {
		t.Errorf("Run returned %v", err)
	}
	if r.runner.runs(p) {
		t.Error("the worker wasn't stopped")
	}
}
