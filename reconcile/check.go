package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/replay"
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

// checks are what check and migrate requests ask for: executions' histories are replayed on other
// code, each request on a goroutine of its own.
type checks struct {
	checksConfig
	slots chan struct{} // bounds how many are made at once
	work  sync.WaitGroup
}

type checksConfig struct {
	upkeep.Base
	Store    *rows.CodeStore
	Runner   Runner
	Observer Observer
	// Open ends when the shutdown begins; what is under way ends with it.
	Open context.Context
	// Deadline is how long a request is tried; Backoff the wait after so many failures.
	Deadline time.Duration
	Backoff  func(failures int) time.Duration
	// Over asks for the pass over the project that goes on from here, NotRunning says to it that
	// the project's worker isn't there.
	Over, NotRunning func(projectID string)
}

func newChecks(c checksConfig) *checks {
	return &checks{checksConfig: c, slots: make(chan struct{}, maxChecks)}
}

// begin begins the check that a request asks for.
func (s *checks) begin(ctx context.Context, projectID string, q rows.Request) *check {
	c := &check{request: q, done: make(chan struct{})}
	s.Log.InfoContext(ctx, "checking executions against other code", logkey.Project, projectID, logkey.Request, q.ID, logkey.Action, q.Action)
	s.work.Go(func() {
		defer s.Over(projectID)
		defer close(c.done)
		s.answer(s.Open, projectID, q)
	})
	return c
}

// answer tries to answer a request until that worked, the deadline is over, or ctx ends. What
// isn't answered then is taken on again: by this process, or by whoever comes after it.
func (s *checks) answer(ctx context.Context, projectID string, q rows.Request) {
	deadline := time.Now().Add(s.Deadline)
	for failures := 0; ; failures++ {
		err := s.try(ctx, projectID, q)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.Is(err, runtime.ErrNotRunning):
			// What becomes of the request is for a pass to say.
			s.NotRunning(projectID)
			trouble.Sleep(ctx, s.Backoff(0))
			return
		case time.Now().After(deadline):
			out := outcome{status: rows.RequestFailed, reason: fmt.Sprintf("not done within %s: %s", s.Deadline, rows.Bounded(err.Error()))}
			if err = s.finish(ctx, projectID, q, "", rows.CodeRef{}, out); err == nil {
				return
			}
		}
		s.Trouble.Fail(ctx, "check", "a check of executions against other code failed", err, logkey.Project, projectID, logkey.Request, q.ID)
		if !trouble.Sleep(ctx, s.Backoff(failures)) {
			return
		}
	}
}

// try makes one attempt. Its error is worth another one.
func (s *checks) try(ctx context.Context, projectID string, q rows.Request) (err error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer recovered(ctx, s.Log, projectID, &err)
	var out outcome
	name, code, err := rows.FindTarget(ctx, s.DB, projectID, q.Ask)
	var target rows.CodeRef
	var found runtime.CheckResult
	if err == nil {
		found, err = s.Runner.Check(ctx, projectID, runtime.Check{WorkflowID: q.Ask.WorkflowID, Name: name, Target: code, Execution: q.Ask.Execution})
		target = rows.CodeRef{Version: code.Version, Hash: found.Target.Hash}
		out = weigh(q, target, found)
	}
	var refused *replay.RefusedError
	switch {
	case errors.As(err, &refused):
		out = outcome{status: rows.RequestFailed, reason: rows.Bounded(refused.Reason)}
	case err != nil:
		return err
	}
	if len(out.moves) > 0 {
		// Before any execution can ask for it.
		if err := s.keepTarget(ctx, projectID, found); err != nil {
			return err
		}
	}
	return s.finish(ctx, projectID, q, name, target, out)
}

// keepTarget puts the code that executions are to move to into the store, with
// the queue on which they are.
func (s *checks) keepTarget(ctx context.Context, projectID string, found runtime.CheckResult) error {
	ctx, cancel := s.DB.Within(ctx)
	defer cancel()
	if err := s.Store.PutPackages(ctx, found.Packages); err != nil {
		return err
	}
	if err := s.Store.Put(ctx, projectID, []runtime.StoredModule{found.Target}); err != nil {
		return err
	}
	return rows.NoteTarget(ctx, s.DB, projectID, found.Target.Hash)
}

// finish writes what came of a check. A request that moved executions stays open until
// everybody has heard, see judgeAsk.
func (s *checks) finish(ctx context.Context, projectID string, q rows.Request, name string, target rows.CodeRef, out outcome) error {
	status := out.status
	if len(out.moves) > 0 {
		status = rows.RequestProcessing
	}
	written, err := rows.WriteChecked(context.WithoutCancel(ctx), s.DB, s.Replica, projectID, rows.Checked{
		Request: q, Target: target, Status: status, Reason: out.reason, Result: out.result, Moves: out.moves,
		Events: out.events(q, name, target, status),
	})
	if err != nil {
		return err
	}
	if written {
		if out.result != nil && out.result.Breaks > 0 {
			s.Observer.GateRefused(refusedRequest)
		}
		s.Log.InfoContext(ctx, "checked executions against other code", logkey.Project, projectID, logkey.Request, q.ID,
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
