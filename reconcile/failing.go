package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// Failures is told of executions whose workflow tasks fail, and of those that get
// on. It implements runtime.FailureObserver; the Reconciler writes what it was told
// into workflow_execution_failures, which all replicas show.
type Failures struct {
	wake chan struct{}

	mu sync.Mutex // guards what follows
	// known are the executions in the table, and what was told of them last; "" where
	// another replica, or an earlier process, was told.
	known map[string]string
	// pending are those to write, gone those to remove, by run id.
	pending map[string]rows.Failure
	gone    map[string]bool
}

// lastTold is what makes the same failure at the next attempt no news.
func lastTold(f rows.Failure) string {
	return rows.DigestOf(f.CodeOf, f.Hash, f.Version, f.Reason, f.Message, fmt.Sprint(f.Line, ":", f.Column))
}

// NewFailures returns one that waits for a Reconciler.
func NewFailures() *Failures {
	return &Failures{
		wake: make(chan struct{}, 1), known: map[string]string{}, pending: map[string]rows.Failure{}, gone: map[string]bool{},
	}
}

const (
	// maxFailing is how many executions are kept of a workflow.
	maxFailing = 1000
	// maxFailingPending is how many wait to be written: the next attempt tells again
	// of what found no place.
	maxFailingPending = 5 * maxFailing
)

// ExecutionFailing implements runtime.FailureObserver.
func (s *Failures) ExecutionFailing(projectID string, f runtime.Failing) {
	f.Message = strings.ReplaceAll(rows.Bounded(f.Message), "\x00", "\ufffd")
	row := rows.Failure{ProjectID: projectID, Failing: f}
	s.mu.Lock()
	told, known := s.known[f.RunID]
	news := !known || told != lastTold(row)
	if news && len(s.pending) < maxFailingPending {
		s.pending[f.RunID], s.known[f.RunID] = row, lastTold(row)
	}
	delete(s.gone, f.RunID)
	s.mu.Unlock()
	if news {
		s.awake()
	}
}

// ExecutionGotOn implements runtime.FailureObserver.
func (s *Failures) ExecutionGotOn(runID string) {
	s.mu.Lock()
	_, known := s.known[runID]
	if known {
		delete(s.known, runID)
		delete(s.pending, runID)
		s.gone[runID] = true
	}
	s.mu.Unlock()
	if known {
		s.awake()
	}
}

func (s *Failures) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Failures) take() (pending []rows.Failure, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.pending {
		pending = append(pending, f)
	}
	for id := range s.gone {
		gone = append(gone, id)
	}
	s.pending, s.gone = map[string]rows.Failure{}, map[string]bool{}
	return pending, gone
}

// giveBack keeps what couldn't be written, unless there is newer.
func (s *Failures) giveBack(pending []rows.Failure, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range pending {
		if _, newer := s.pending[f.RunID]; !newer && !s.gone[f.RunID] && len(s.pending) < maxFailingPending {
			s.pending[f.RunID] = f
		}
	}
	for _, id := range gone {
		if _, newer := s.pending[id]; !newer {
			s.gone[id] = true
		}
	}
}

// inTable takes over which executions the table has.
func (s *Failures) inTable(runs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.known
	s.known = make(map[string]string, len(runs))
	for _, id := range runs {
		if !s.gone[id] {
			s.known[id] = before[id]
		}
	}
	for id, f := range s.pending {
		s.known[id] = lastTold(f)
	}
}

// watchFailures writes down, until ctx ends, which executions get no further, and
// forgets those that do again, or are over.
func (r *Reconciler) watchFailures(ctx context.Context) {
	for {
		next := r.cfg.CensusInterval
		err := errors.Join(r.writeFailures(ctx), r.publishFailures(ctx))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.quiet.Fail(ctx, "failures", "which executions get no further can't be written down", err)
			next = min(r.cfg.CensusInterval, r.cfg.BackoffLimit)
		default:
			r.quiet.Recover(ctx, "failures", "which executions get no further is written down again")
		}
		due := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-r.cfg.Failures.wake:
			trouble.Sleep(ctx, gatherStays)
		case <-due.C:
			if err := r.forgetFailures(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "failures: look", "whether executions that got no further do again can't be asked", err)
			}
		}
		due.Stop()
	}
}

func (r *Reconciler) writeFailures(ctx context.Context) error {
	pending, gone := r.cfg.Failures.take()
	if len(pending)+len(gone) == 0 {
		return nil
	}
	if err := rows.WriteFailures(ctx, r.db, pending, gone, maxFailing); err != nil {
		r.cfg.Failures.giveBack(pending, gone)
		return err
	}
	return nil
}

// publishFailures tells the passes over the projects here who gets no further, and
// writes an event where they have become many more.
func (r *Reconciler) publishFailures(ctx context.Context) error {
	found, runs, err := rows.ReadFailures(ctx, r.db)
	if err != nil {
		return err
	}
	r.cfg.Failures.inTable(runs)
	var errs []error
	for project, all := range found {
		for workflow, f := range all {
			errs = append(errs, r.tellFailing(ctx, project, workflow, f))
		}
	}
	r.mu.Lock()
	before := r.failing
	r.failing = found
	var here []string
	for id := range r.records { // not cards: a first pass may be under way
		if !maps.Equal(before[id], found[id]) {
			here = append(here, id)
		}
	}
	r.mu.Unlock()
	for _, id := range here {
		r.queue.resync(id) // the pass writes the row anew
	}
	r.cfg.Observer.ExecutionsFailing(len(runs))
	return errors.Join(errs...)
}

// tellFailing writes an event about the first execution of a workflow that gets no
// further, and at each tenfold.
func (r *Reconciler) tellFailing(ctx context.Context, projectID, workflowID string, f rows.Failing) error {
	key := projectID + "/" + workflowID
	if t := r.toldFailing[key]; t.Since.Equal(f.Since) && f.Executions < t.Executions*tellAgain {
		return nil // without asking
	}
	name, before, err := rows.NotifiedOfFailing(ctx, r.db, projectID, workflowID, f.Since)
	if err != nil {
		return err
	}
	if before == 0 || f.Executions >= before*tellAgain {
		if err := rows.WriteEvents(ctx, r.db, r.cfg.Replica, projectID, rows.Event{
			Kind: rows.EventFailing, Message: rows.Bounded(f.Problem(cmp.Or(name, f.Example.Type))), Details: rows.FailingDetails{Workflow: workflowID, Failing: f},
		}); err != nil {
			return err
		}
		before = f.Executions
	}
	if len(r.toldFailing) > maxFailingPending {
		clear(r.toldFailing)
	}
	r.toldFailing[key] = rows.Failing{Executions: before, Since: f.Since}
	return nil
}

// forgetFailures asks of those that were not looked at for longest whether their
// tasks still fail. When in doubt they do.
func (r *Reconciler) forgetFailures(ctx context.Context) error {
	list, err := rows.ClaimFailures(ctx, r.db, r.cfg.CensusInterval/2, maxStaysChecked)
	if err != nil {
		return err
	}
	var errs []error
	for _, x := range list {
		asked, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
		fails, err := r.cfg.Executions.Failing(asked, x)
		cancel()
		if err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
			continue
		}
		if !fails {
			r.cfg.Failures.ExecutionGotOn(x.RunID)
		}
	}
	return errors.Join(errs...)
}

// stuck is the one line on executions that get no further, "" if there are none.
func (rec *record) stuck() string {
	if len(rec.failing) == 0 || rec.status() != rows.StatusRunning {
		return ""
	}
	var first rows.Failing
	name := ""
	for id, f := range rec.failing {
		if name != "" && !f.Since.Before(first.Since) {
			continue
		}
		first, name = f, f.Example.Type
		for _, s := range rec.report.Sources {
			if s.Kind == runtime.KindWorkflow && s.ID == id {
				name = s.Name
			}
		}
	}
	return first.Problem(name)
}
