package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// Stays is told of executions that keep their code although they were to go on
// with other code. It implements runtime.StayObserver; the Reconciler writes what
// it was told into workflow_execution_stays.
type Stays struct {
	wake chan struct{}

	mu      sync.Mutex // guards what follows
	pending map[stayed][]runtime.Stay
	waiting int // in pending
	told    int // since take
}

// stayed is code that executions didn't go on with.
type stayed struct{ projectID, codeOf, to string }

// NewStays returns one that waits for a Reconciler.
func NewStays() *Stays {
	return &Stays{wake: make(chan struct{}, 1), pending: map[stayed][]runtime.Stay{}}
}

const (
	// maxStays is how many executions are kept of a workflow, and wait to be written.
	maxStays = 1000
	// gatherStays is how long what else comes is waited for: who wakes a crowd
	// wakes it at once.
	gatherStays = 300 * time.Millisecond
)

// ExecutionStayed implements runtime.StayObserver.
func (s *Stays) ExecutionStayed(projectID string, x runtime.Stay) {
	s.mu.Lock()
	s.told++
	if s.waiting < maxStays {
		k := stayed{projectID, x.CodeOf, x.To}
		s.pending[k] = append(s.pending[k], x)
		s.waiting++
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Stays) take() (all map[stayed][]runtime.Stay, told int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, told = s.pending, s.told
	s.pending, s.waiting, s.told = map[stayed][]runtime.Stay{}, 0, 0
	return all, told
}

// giveBack keeps what couldn't be written for the next time.
func (s *Stays) giveBack(k stayed, list []runtime.Stay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = list[:min(len(list), max(maxStays-s.waiting, 0))]
	s.pending[k] = append(list, s.pending[k]...)
	s.waiting += len(list)
}

// watchStays writes down, until ctx ends, which executions keep their code, and
// forgets those that are over.
func (r *Reconciler) watchStays(ctx context.Context) {
	for {
		next := r.cfg.CensusInterval
		err := errors.Join(r.writeStays(ctx), r.publishStays(ctx))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.quiet.Fail(ctx, "stays", "which executions keep their code can't be written down", err)
			next = min(r.cfg.CensusInterval, r.cfg.BackoffLimit)
		default:
			r.quiet.Recover(ctx, "stays", "which executions keep their code is written down again")
		}
		due := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-r.cfg.Stays.wake:
			trouble.Sleep(ctx, gatherStays)
		case <-due.C:
			if err := r.forgetStays(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "stays: look", "whether executions that keep their code are over can't be asked", err)
			}
		}
		due.Stop()
	}
}

func (r *Reconciler) writeStays(ctx context.Context) error {
	all, told := r.cfg.Stays.take()
	if told > 0 {
		r.cfg.Observer.ExecutionsStayed(told)
	}
	var errs []error
	for k, list := range all {
		if err := r.writeStayed(ctx, k, list); err != nil {
			r.cfg.Stays.giveBack(k, list)
			errs = append(errs, fmt.Errorf("write which executions of project %s keep their code: %w", k.projectID, err))
		}
	}
	return errors.Join(errs...)
}

// tellAgain is by how much the executions that keep their code must have grown
// in number to be an event again: a crowd is a few lines, however it comes.
const tellAgain = 10

// rows.WriteKeptCode writes executions that stay off one text.
func (r *Reconciler) writeStayed(ctx context.Context, k stayed, list []runtime.Stay) error {
	w, err := rows.WriteKeptCode(ctx, r.db, k.projectID, k.codeOf, k.to, list, maxStays)
	if err != nil || w.Notified > 0 && w.Executions < w.Notified*tellAgain {
		return err
	}
	d := rows.KeptCodeDetails{
		Workflow: k.codeOf, Target: rows.CodeRef{Version: w.Version, Hash: k.to}, Executions: w.Executions,
		Example: rows.BrokenExecutions([]runtime.BrokenExecution{list[0].BrokenExecution}, 1)[0],
	}
	return rows.WriteEvents(ctx, r.db, r.cfg.Replica, k.projectID, rows.Event{
		Kind: rows.EventStayed,
		Message: rows.Bounded(fmt.Sprintf("%d executions of workflow %s keep their code: %s doesn't fit them; %s: %s",
			d.Executions, w.Workflow, d.Target, list[0].WorkflowID, list[0].Problem())),
		Details: d,
	})
}

// publishStays tells the passes over the projects here who keeps its code.
func (r *Reconciler) publishStays(ctx context.Context) error {
	found, err := rows.ReadKeptCode(ctx, r.db)
	if err != nil {
		return err
	}
	r.mu.Lock()
	before := r.stays
	r.stays = found
	var here []string
	for id := range r.records { // not cards: a first pass may be under way
		if !maps.EqualFunc(before[id], found[id], slices.Equal[[]rows.KeptCode]) {
			here = append(here, id)
		}
	}
	r.mu.Unlock()
	for _, id := range here {
		r.queue.resync(id) // the pass writes the row anew
	}
	return nil
}

// maxStaysChecked is how many executions that keep their code one look asks
// Temporal about.
const maxStaysChecked = 100

// forgetStays asks of those that were not looked at for longest whether they are
// over. When in doubt they stay.
func (r *Reconciler) forgetStays(ctx context.Context) error {
	list, err := rows.ClaimKeptCode(ctx, r.db, r.cfg.CensusInterval/2, maxStaysChecked)
	if err != nil {
		return err
	}
	var over []string
	var errs []error
	for _, x := range list {
		asked, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
		closed, known, err := r.cfg.Executions.Closed(asked, x)
		cancel()
		if err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
			continue
		}
		if !known || !closed.IsZero() {
			over = append(over, x.RunID)
		}
	}
	if len(over) > 0 {
		errs = append(errs, rows.RemoveKeptCode(ctx, r.db, over))
	}
	return errors.Join(errs...)
}
