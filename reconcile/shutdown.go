package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime/logkey"
)

// errClosing ends starts and reloads that are under way when the shutdown begins.
var errClosing = errors.New("the service is shutting down")

// shutdown ends all work: no new passes; every project's worker drains, one
// whose pass is under way after that; then the rows say stopped. A part of the
// time is kept for the rows: they matter most when the workers don't end.
func (r *Reconciler) shutdown(life context.Context, end context.CancelFunc, work *sync.WaitGroup) error {
	deadline := time.Now().Add(r.cfg.ShutdownTimeout)
	forRows := min(r.cfg.ShutdownTimeout/5, 3*time.Second)
	ctx, cancel := context.WithDeadline(life, deadline.Add(-forRows))
	defer cancel()

	r.mu.Lock()
	r.close(errClosing)
	projects := map[string]chan struct{}{} // with the pass under way, or nil
	workers := map[string]string{}         // worker ids of rows that don't say stopped
	for id, c := range r.cards {
		projects[id] = nil
		if c.status != rows.StatusStopped || !c.rowWritten { // or may not
			workers[id] = c.workerID
		}
	}
	for id, pass := range r.inflight {
		projects[id] = pass
		workers[id] = rows.WorkerID(r.cfg.Replica, id)
	}
	r.mu.Unlock()
	r.queue.shutDown()
	r.log.InfoContext(ctx, "shutting down", logkey.Projects, len(projects), logkey.Deadline, r.cfg.ShutdownTimeout)

	var failed error
	if err := r.writeShutdown(ctx, rows.StatusStopping, workers); err != nil {
		r.quiet.Fail(ctx, "database", "writing that workers are stopping failed", err)
	}
	abandoned := r.stopAll(ctx, projects, work)
	end() // what is still under way is abandoned

	rowCtx, cancelRows := context.WithDeadline(context.WithoutCancel(life), deadline)
	defer cancelRows()
	if err := r.writeShutdown(rowCtx, rows.StatusStopped, workers); err != nil {
		failed = fmt.Errorf("shutdown: the rows of %d workers don't say stopped: %w", len(workers), err)
	}
	if len(abandoned) > 0 {
		failed = errors.Join(failed, fmt.Errorf("shutdown: abandoned after %s: %s", r.cfg.ShutdownTimeout, strings.Join(abandoned, ", ")))
	}
	return failed
}

// stopAll drains every project at once and returns those that weren't done in
// time, with what they were at.
func (r *Reconciler) stopAll(ctx context.Context, projects map[string]chan struct{}, work *sync.WaitGroup) (abandoned []string) {
	type outcome struct {
		id   string
		done bool
	}
	outcomes := make(chan outcome, len(projects))
	for id, pass := range projects {
		go func() {
			outcomes <- outcome{id, r.stopOne(ctx, id, pass)}
		}()
	}
	left := map[string]bool{}
	for id := range projects {
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
			abandoned = append(abandoned, "project "+id+" ("+undone(projects[id])+")")
		}
		break
	}
	slices.Sort(abandoned)

	idle := make(chan struct{})
	go func() {
		work.Wait()
		r.drains.Wait()
		r.checks.Wait()
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
func (r *Reconciler) stopOne(ctx context.Context, id string, pass chan struct{}) bool {
	if pass != nil && !ended(ctx, pass) {
		return false
	}
	r.mu.Lock()
	d := r.cards[id].drain
	r.mu.Unlock()
	if d != nil { // it is being stopped already
		return ended(ctx, d.done)
	}
	if !slices.Contains(r.cfg.Runner.Running(), id) {
		return true
	}
	err := r.stopWorker(ctx, id)
	if err != nil && ctx.Err() == nil {
		r.log.WarnContext(ctx, "a worker didn't stop cleanly", logkey.Project, id, logkey.Error, err)
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

// writeShutdown sets the status of this replica's rows, in one statement, and
// tries again until ctx ends.
func (r *Reconciler) writeShutdown(ctx context.Context, status string, workers map[string]string) error {
	var ids []string
	for _, id := range workers {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	for failures := 0; ; failures++ {
		err := rows.SetStatus(ctx, r.db, r.cfg.Replica, status, ids)
		if err == nil {
			return nil
		}
		if status == rows.StatusStopping || !trouble.Sleep(ctx, r.backoff(failures)) {
			return err
		}
	}
}
