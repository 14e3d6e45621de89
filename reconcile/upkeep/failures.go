package upkeep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// FailureReports is told of executions whose workflow tasks fail, and of those that get
// on. It implements runtime.FailureObserver; Failures writes what it was told
// into workflow_execution_failures, which all replicas show.
type FailureReports struct {
	// HideMessages leaves out what failures say, for executions whose failures Temporal sees encrypted
	// alone. It is set before anything is told.
	HideMessages bool

	wake bell.Bell

	mu sync.Mutex // guards what follows
	// known are the executions in the table, and what was told of them last; "" where
	// another replica, or an earlier process, was told.
	known map[string]string
	// pending are those to write, gone those to remove, by run id.
	pending map[string]rows.Failure
	gone    map[string]bool
}

// lastNotified is what makes the same failure at the next attempt no news.
func lastNotified(f rows.Failure) string {
	return rows.DigestOf(f.CodeOf, f.Hash, f.Version, f.Reason, f.Message, fmt.Sprint(f.Line, ":", f.Column))
}

// NewFailureReports returns one that waits for a Failures.
func NewFailureReports() *FailureReports {
	return &FailureReports{
		wake: bell.New(), known: map[string]string{}, pending: map[string]rows.Failure{}, gone: map[string]bool{},
	}
}

const (
	// MaxFailing is how many executions are kept of a workflow.
	MaxFailing = 1000
	// maxPending is how many wait to be written: the next attempt tells again
	// of what found no place.
	maxPending = 5 * MaxFailing
)

// ExecutionFailing implements runtime.FailureObserver.
func (s *FailureReports) ExecutionFailing(projectID string, f runtime.Failing) {
	if s.HideMessages {
		f.Message = "the message is hidden: failures are encrypted (RECORD_VALUES)"
	}
	f.Message = strings.ReplaceAll(rows.Bounded(f.Message), "\x00", "\ufffd")
	row := rows.Failure{ProjectID: projectID, Failing: f}
	s.mu.Lock()
	told, known := s.known[f.RunID]
	news := !known || told != lastNotified(row)
	if news && len(s.pending) < maxPending {
		s.pending[f.RunID], s.known[f.RunID] = row, lastNotified(row)
	}
	delete(s.gone, f.RunID)
	s.mu.Unlock()
	if news {
		s.wake.Ring()
	}
}

// ExecutionGotOn implements runtime.FailureObserver.
func (s *FailureReports) ExecutionGotOn(runID string) {
	s.mu.Lock()
	_, known := s.known[runID]
	if known {
		delete(s.known, runID)
		delete(s.pending, runID)
		s.gone[runID] = true
	}
	s.mu.Unlock()
	if known {
		s.wake.Ring()
	}
}

func (s *FailureReports) take() (pending []rows.Failure, gone []string) {
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
func (s *FailureReports) giveBack(pending []rows.Failure, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range pending {
		if _, newer := s.pending[f.RunID]; !newer && !s.gone[f.RunID] && len(s.pending) < maxPending {
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
func (s *FailureReports) inTable(runs []string) {
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
		s.known[id] = lastNotified(f)
	}
}

// FailuresConfig is what NewFailures needs. All of it is required.
type FailuresConfig struct {
	Base
	Reports    *FailureReports
	Executions Executions
	Interval   time.Duration // between two looks whether they still fail
	RetryLimit time.Duration // the wait after a failure of ours at most
	// Found is given who gets no further, by project.
	Found    func(map[string]rows.FailingByWorkflow)
	Observer FailuresObserver
}

// FailuresObserver is told of executions that get no further. Its method is cheap and doesn't
// block.
type FailuresObserver interface {
	// ExecutionsFailing is the number of open executions of all projects that get no
	// further, because their workflow tasks fail.
	ExecutionsFailing(n int)
}

// Failures writes down which executions get no further, and forgets those that do again, or are
// over.
type Failures struct {
	FailuresConfig
	// notified is what the latest event says, by project and workflow; Run's own.
	notified map[string]rows.Failing
}

// NewFailures returns one that does nothing until Run.
func NewFailures(cfg FailuresConfig) *Failures { return &Failures{cfg, map[string]rows.Failing{}} }

// Run works until ctx ends.
func (s *Failures) Run(ctx context.Context) {
	gathering{
		Base: s.Base, interval: s.Interval, limit: s.RetryLimit, wake: s.Reports.wake,
		duty: "failures", fails: "which executions get no further can't be written down", mended: "which executions get no further is written down again",
		lookDuty: "failures: look", lookFails: "whether executions that got no further do again can't be asked",
		write: func(ctx context.Context) error { return errors.Join(s.writeReports(ctx), s.publish(ctx)) },
		look:  s.forget,
	}.run(ctx)
}

func (s *Failures) writeReports(ctx context.Context) error {
	pending, gone := s.Reports.take()
	if len(pending)+len(gone) == 0 {
		return nil
	}
	if err := rows.WriteFailures(ctx, s.DB, pending, gone, MaxFailing); err != nil {
		s.Reports.giveBack(pending, gone)
		return err
	}
	return nil
}

// publish tells who gets no further, and writes an event where they have become many more.
func (s *Failures) publish(ctx context.Context) error {
	found, runs, err := rows.ReadFailures(ctx, s.DB)
	if err != nil {
		return err
	}
	s.Reports.inTable(runs)
	var errs []error
	for project, all := range found {
		for workflow, f := range all {
			errs = append(errs, s.notify(ctx, project, workflow, f))
		}
	}
	s.Found(found)
	s.Observer.ExecutionsFailing(len(runs))
	return errors.Join(errs...)
}

// notify writes an event about the first execution of a workflow that gets no
// further, and at each tenfold.
func (s *Failures) notify(ctx context.Context, projectID, workflowID string, f rows.Failing) error {
	key := projectID + "/" + workflowID
	if t := s.notified[key]; t.Since.Equal(f.Since) && f.Executions < t.Executions*notifyAgain {
		return nil // without asking
	}
	latest, err := rows.WriteFailingEvent(ctx, s.DB, s.Replica, projectID, workflowID, f, notifyAgain)
	if err != nil {
		return err
	}
	if len(s.notified) > maxPending {
		clear(s.notified)
	}
	s.notified[key] = rows.Failing{Executions: latest, Since: f.Since}
	return nil
}

// forget asks of those that were not looked at for longest whether their
// tasks still fail. When in doubt they do.
func (s *Failures) forget(ctx context.Context) error {
	list, err := rows.ClaimFailures(ctx, s.DB, s.Interval/2, maxAsked)
	if err != nil {
		return err
	}
	return s.askAll(ctx, list, func(ctx context.Context, x replay.Execution) error {
		fails, err := s.Executions.Failing(ctx, x)
		if err == nil && !fails {
			s.Reports.ExecutionGotOn(x.RunID)
		}
		return err
	})
}
