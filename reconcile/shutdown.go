package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime/logkey"
)

// errClosing ends starts and reloads that are under way when the shutdown begins.
var errClosing = errors.New("the service is shutting down")

// shutdown ends all work: no new passes; every project's worker drains, one whose pass is under way
// after that; then the rows say stopped. A part of the time is kept for the rows: they matter most
// when the workers don't end.
type shutdown struct {
	upkeep.Base
	runner  Runner
	began   time.Time
	timeout time.Duration
	backoff func(failures int) time.Duration
	// draining is the stop of a project that was under way already; nil if none is.
	draining func(projectID string) *drain
	// idle waits for what is under way.
	idle func()

	projects map[string]chan struct{} // with the pass under way, or nil
	workers  map[string]string        // worker ids of rows that don't say stopped
}

// handOver has other replicas take the projects over, for a part of the time that the way out may
// take: what is under way needs the rest.
func (r *Reconciler) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ShutdownTimeout/3)
	defer cancel()
	r.places.handOver(ctx)
}

// HandedOver is closed once the way out has begun and nothing is left to hand over to other
// replicas: until then what changes is still followed.
func (r *Reconciler) HandedOver() <-chan struct{} { return r.handed }

// beginShutdown has nothing started any more. The way out was asked for at began.
func (r *Reconciler) beginShutdown(began time.Time, work *sync.WaitGroup) *shutdown {
	s := &shutdown{
		Base: base(r), runner: r.runner, began: began, timeout: r.cfg.ShutdownTimeout, backoff: r.cfg.backoff,
		draining: func(id string) *drain {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.cards[id].drain
		},
		idle: func() {
			work.Wait()
			r.drains.Wait()
			r.checks.work.Wait()
		},
		projects: map[string]chan struct{}{}, workers: map[string]string{},
	}
	defer r.queue.shutDown()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.close(errClosing)
	for id, c := range r.cards {
		s.projects[id] = nil
		if c.status != rows.StatusStopped || !c.rowWritten { // or may not
			s.workers[id] = c.workerID
		}
	}
	for id, pass := range r.inflight {
		s.projects[id] = pass
		s.workers[id] = rows.WorkerID(r.cfg.Replica, id)
	}
	return s
}

// finish brings it to its end, within its time. end ends life, the context of what is under way.
func (s *shutdown) finish(life context.Context, end context.CancelFunc) error {
	deadline := s.began.Add(s.timeout)
	forRows := min(s.timeout/5, 3*time.Second)
	ctx, cancel := context.WithDeadline(life, deadline.Add(-forRows))
	defer cancel()
	s.Log.InfoContext(ctx, "shutting down", logkey.Projects, len(s.projects), logkey.Deadline, s.timeout.Milliseconds())

	var failed error
	if err := s.writeStatus(ctx, rows.StatusStopping); err != nil {
		s.Trouble.Fail(ctx, "database", "writing that workers are stopping failed", err)
	}
	abandoned := s.stopAll(ctx)
	end() // what is still under way is abandoned

	rowCtx, cancelRows := context.WithDeadline(context.WithoutCancel(life), deadline)
	defer cancelRows()
	if err := s.writeStatus(rowCtx, rows.StatusStopped); err != nil {
		failed = fmt.Errorf("shutdown: the rows of %d workers don't say stopped: %w", len(s.workers), err)
	}
	if len(abandoned) > 0 {
		failed = errors.Join(failed, fmt.Errorf("shutdown: abandoned after %s: %s", s.timeout, strings.Join(abandoned, ", ")))
	}
	return failed
}

// stopAll drains every project at once and returns those that weren't done in
// time, with what they were at.
func (s *shutdown) stopAll(ctx context.Context) (abandoned []string) {
	type outcome struct {
		id   string
		done bool
	}
	outcomes := make(chan outcome, len(s.projects))
	for id, pass := range s.projects {
		go func() {
			outcomes <- outcome{id, s.stopOne(ctx, id, pass)}
		}()
	}
	left := map[string]bool{}
	for id := range s.projects {
		left[id] = true
	}
	// stopOne ends with ctx if the runner heeds it; the runner's own code isn't
	// trusted with the deadline.
	for len(left) > 0 {
		select {
		case o := <-outcomes:
			if o.done {
				delete(left, o.id)
			}
			continue
		case <-ctx.Done():
		}
		for id := range left {
			abandoned = append(abandoned, "project "+id+" ("+undone(s.projects[id])+")")
		}
		break
	}
	slices.Sort(abandoned)

	idle := make(chan struct{})
	go func() {
		s.idle()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	return abandoned
}

// undone says what a project was at when the time was over.
func undone(pass chan struct{}) string {
	if pass != nil {
		select {
		case <-pass:
		default:
			return "a pass under way"
		}
	}
	return "draining"
}

// stopOne waits for the pass over a project, then stops its worker; false
// means that ctx ended before that was done.
func (s *shutdown) stopOne(ctx context.Context, id string, pass chan struct{}) bool {
	if pass != nil && !ended(ctx, pass) {
		return false
	}
	if d := s.draining(id); d != nil { // it is being stopped already
		return ended(ctx, d.done)
	}
	if !slices.Contains(s.runner.Running(), id) {
		return true
	}
	err := s.runner.Stop(ctx, id)
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "a worker didn't stop cleanly", logkey.Project, id, logkey.Error, err)
	}
	return err == nil || ctx.Err() == nil
}

// ended waits for a channel to be closed; false means that ctx ended first.
func ended(ctx context.Context, c chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// writeStatus sets the status of this replica's rows, in one statement, and
// tries again until ctx ends.
func (s *shutdown) writeStatus(ctx context.Context, status string) error {
	ids := slices.Collect(maps.Values(s.workers))
	if len(ids) == 0 {
		return nil
	}
	for failures := 0; ; failures++ {
		err := rows.SetStatus(ctx, s.DB, s.Replica, status, ids)
		if err == nil {
			return nil
		}
		if status == rows.StatusStopping || !trouble.Sleep(ctx, s.backoff(failures)) {
			return err
		}
	}
}
