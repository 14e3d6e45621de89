package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

// check is the work on a check or migrate request, on a goroutine of its own:
// replaying histories takes as long as it takes, and neither the project's other
// requests nor other projects wait for it.
type check struct {
	request rows.Request
	done    chan struct{} // closed when it is over
}

func (c *check) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// maxChecks is how many checks a process makes at once: each takes a core.
const maxChecks = 2

func (r *Reconciler) beginCheck(ctx context.Context, rec *record, q rows.Request) {
	c := &check{request: q, done: make(chan struct{})}
	rec.check = c
	id := rec.id
	r.log.InfoContext(ctx, "checking executions against other code", logkey.Project, id, logkey.Request, q.ID, logkey.Action, q.Action)
	r.checks.Go(func() {
		defer r.queue.hint(id, time.Time{}) // the next pass goes on from here
		defer close(c.done)
		r.answer(r.open, id, q)
	})
}

// answer tries to answer a request until that worked, RequestDeadline is over,
// or ctx ends. What isn't answered then is taken on again: by this process, or
// by whoever comes after it.
func (r *Reconciler) answer(ctx context.Context, projectID string, q rows.Request) {
	deadline := time.Now().Add(r.cfg.RequestDeadline)
	for failures := 0; ; failures++ {
		err := r.tryToAnswer(ctx, projectID, q)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.Is(err, runtime.ErrNotRunning):
			// What becomes of the request is for a pass to say.
			r.mu.Lock()
			n := r.notes[projectID]
			n.suspect = true
			r.notes[projectID] = n
			r.mu.Unlock()
			trouble.Sleep(ctx, r.cfg.BackoffBase)
			return
		case time.Now().After(deadline):
			out := outcome{status: rows.RequestFailed, reason: fmt.Sprintf("not done within %s: %s", r.cfg.RequestDeadline, rows.Bounded(err.Error()))}
			if err = r.finishCheck(ctx, projectID, q, "", rows.CodeRef{}, out); err == nil {
				return
			}
		}
		r.quiet.Fail(ctx, "check", "a check of executions against other code failed", err, logkey.Project, projectID, logkey.Request, q.ID)
		if !trouble.Sleep(ctx, r.backoff(failures)) {
			return
		}
	}
}

// tryToAnswer makes one attempt. Its error is worth another one.
func (r *Reconciler) tryToAnswer(ctx context.Context, projectID string, q rows.Request) (err error) {
	select {
	case r.checkSlots <- struct{}{}:
		defer func() { <-r.checkSlots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer r.recovered(ctx, projectID, &err)
	var out outcome
	name, code, err := rows.FindTarget(ctx, r.db, projectID, q.Ask)
	var target rows.CodeRef
	var found runtime.CheckResult
	if err == nil {
		found, err = r.runCheck(ctx, projectID, runtime.Check{WorkflowID: q.Ask.WorkflowID, Name: name, Target: code, Execution: q.Ask.Execution})
		target = rows.CodeRef{Version: code.Version, Hash: found.Target.Hash}
		out = weigh(q, target, found)
	}
	var refused *runtime.RefusedError
	switch {
	case errors.As(err, &refused):
		out = outcome{status: rows.RequestFailed, reason: rows.Bounded(refused.Reason)}
	case err != nil:
		return err
	}
	if len(out.moves) > 0 {
		// Before any execution can ask for it.
		if err := r.keepTarget(ctx, projectID, found); err != nil {
			return err
		}
	}
	return r.finishCheck(ctx, projectID, q, name, target, out)
}

func (r *Reconciler) runCheck(ctx context.Context, projectID string, c runtime.Check) (runtime.CheckResult, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CheckTimeout)
	defer cancel()
	return r.cfg.Runner.Check(ctx, projectID, c)
}

// keepTarget puts the code that executions are to move to into the store, with
// the queue on which they are.
func (r *Reconciler) keepTarget(ctx context.Context, projectID string, found runtime.CheckResult) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	if err := r.store.PutPackages(ctx, found.Packages); err != nil {
		return err
	}
	if err := r.store.Put(ctx, projectID, []runtime.StoredModule{found.Target}); err != nil {
		return err
	}
	return rows.NoteTarget(ctx, r.db, projectID, found.Target.Hash)
}

// finishCheck writes what came of a check. A request that moved executions stays open until
// everybody has heard, see judgeAsk.
func (r *Reconciler) finishCheck(ctx context.Context, projectID string, q rows.Request, name string, target rows.CodeRef, out outcome) error {
	status := out.status
	if len(out.moves) > 0 {
		status = rows.RequestProcessing
	}
	written, err := rows.WriteChecked(context.WithoutCancel(ctx), r.db, r.cfg.Replica, projectID, rows.Checked{
		Request: q, Target: target, Status: status, Reason: out.reason, Result: out.result, Moves: out.moves,
		Events: out.events(q, name, target, status),
	})
	if err != nil {
		return err
	}
	if written {
		if out.result != nil && out.result.Breaks > 0 {
			r.cfg.Observer.GateRefused(refusedRequest)
		}
		r.log.InfoContext(ctx, "checked executions against other code", logkey.Project, projectID, logkey.Request, q.ID,
			logkey.Moved, len(out.moves), logkey.Status, out.status, logkey.Reason, out.reason)
	}
	return nil
}

func (o outcome) events(q rows.Request, name string, target rows.CodeRef, status string) (events []rows.Event) {
	if n := len(o.moves); n > 0 {
		events = append(events, rows.Event{
			Kind:    rows.EventMigrated,
			Message: rows.Bounded(fmt.Sprintf("moved %d executions of workflow %s to %s; %d don't fit", n, name, target, o.result.Breaks)),
			Details: rows.MigratedDetails{Request: q.ID, Workflow: q.Ask.WorkflowID, Target: target, Moved: n, Broken: o.result.Breaks},
		})
	}
	if status != rows.RequestProcessing {
		message := q.Action + " request " + status
		if o.reason != "" {
			message += ": " + o.reason
		}
		events = append(events, rows.Event{Kind: rows.EventRequestDone, Message: rows.Bounded(message), Details: rows.RequestDetails{Request: q.ID, Action: q.Action, Status: status}})
	}
	return events
}
