package upkeep

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// KeptCodeReports is told of executions that keep their code although they were to go
// on with other code. It implements runtime.KeptCodeObserver; KeptCode writes what it was
// told into workflow_execution_stays.
type KeptCodeReports struct {
	wake bell.Bell

	mu       sync.Mutex // guards what follows
	pending  map[notTaken][]runtime.KeptCode
	waiting  int // in pending
	notified int // since take
}

// notTaken is code that executions didn't go on with.
type notTaken struct{ projectID, codeOf, to string }

// NewKeptCodeReports returns one that waits for a KeptCode.
func NewKeptCodeReports() *KeptCodeReports {
	return &KeptCodeReports{wake: bell.New(), pending: map[notTaken][]runtime.KeptCode{}}
}

// MaxKeptCode is how many executions are kept of a workflow, and wait to be written.
const MaxKeptCode = 1000

// ExecutionKeptCode implements runtime.KeptCodeObserver.
func (s *KeptCodeReports) ExecutionKeptCode(projectID string, x runtime.KeptCode) {
	s.mu.Lock()
	s.notified++
	if s.waiting < MaxKeptCode {
		k := notTaken{projectID, x.CodeOf, x.To}
		s.pending[k] = append(s.pending[k], x)
		s.waiting++
	}
	s.mu.Unlock()
	s.wake.Ring()
}

func (s *KeptCodeReports) take() (all map[notTaken][]runtime.KeptCode, notified int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, notified = s.pending, s.notified
	s.pending, s.waiting, s.notified = map[notTaken][]runtime.KeptCode{}, 0, 0
	return all, notified
}

// giveBack keeps what couldn't be written for the next time.
func (s *KeptCodeReports) giveBack(k notTaken, list []runtime.KeptCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = list[:min(len(list), max(MaxKeptCode-s.waiting, 0))]
	s.pending[k] = append(list, s.pending[k]...)
	s.waiting += len(list)
}

// KeptCodeConfig is what NewKeptCode needs. All of it is required.
type KeptCodeConfig struct {
	Base
	Reports    *KeptCodeReports
	Executions Executions
	Interval   time.Duration // between two looks whether they are over
	RetryLimit time.Duration // the wait after a failure at most
	// Found is given who keeps its code, by project.
	Found    func(map[string]rows.KeptCodes)
	Observer KeptCodeObserver
}

// KeptCodeObserver is told of executions that keep their code. Its method is cheap and doesn't
// block.
type KeptCodeObserver interface {
	// ExecutionsStayed reports executions that keep their code although they were to
	// go on with other code, because their history doesn't fit it.
	ExecutionsStayed(n int)
}

// KeptCode writes down which executions keep their code, and forgets those that are over.
type KeptCode struct{ KeptCodeConfig }

// NewKeptCode returns one that does nothing until Run.
func NewKeptCode(cfg KeptCodeConfig) *KeptCode { return &KeptCode{cfg} }

// Run works until ctx ends.
func (s *KeptCode) Run(ctx context.Context) {
	gathering{
		Base: s.Base, interval: s.Interval, limit: s.RetryLimit, wake: s.Reports.wake,
		duty: "stays", fails: "which executions keep their code can't be written down", mended: "which executions keep their code is written down again",
		lookDuty: "stays: look", lookFails: "whether executions that keep their code are over can't be asked",
		write: func(ctx context.Context) error { return errors.Join(s.writeReports(ctx), s.publish(ctx)) },
		look:  s.forget,
	}.run(ctx)
}

func (s *KeptCode) writeReports(ctx context.Context) error {
	all, notified := s.Reports.take()
	if notified > 0 {
		s.Observer.ExecutionsStayed(notified)
	}
	var errs []error
	for k, list := range all {
		if err := s.write(ctx, k, list); err != nil {
			s.Reports.giveBack(k, list)
			errs = append(errs, fmt.Errorf("write which executions of project %s keep their code: %w", k.projectID, err))
		}
	}
	return errors.Join(errs...)
}

// notifyAgain is by how much the executions that keep their code must have grown
// in number to be an event again: a crowd is a few lines, however it comes.
const notifyAgain = 10

// write writes executions that stay off one text.
func (s *KeptCode) write(ctx context.Context, k notTaken, list []runtime.KeptCode) error {
	w, err := rows.WriteKeptCode(ctx, s.DB, k.projectID, k.codeOf, k.to, list, MaxKeptCode)
	if err != nil || w.Notified > 0 && w.Executions < w.Notified*notifyAgain {
		return err
	}
	d := rows.KeptCodeDetails{
		Workflow: k.codeOf, Target: rows.CodeRef{Version: w.Version, Hash: k.to}, Executions: w.Executions,
		Example: rows.BrokenExecutions([]replay.BrokenExecution{list[0].BrokenExecution}, 1)[0],
	}
	return rows.WriteKeptCodeEvent(ctx, s.DB, s.Replica, k.projectID, fmt.Sprintf("%d executions of workflow %s keep their code: %s doesn't fit them; %s: %s",
		d.Executions, w.Workflow, d.Target, list[0].WorkflowID, list[0].Problem()), d, notifyAgain)
}

// publish tells who keeps its code.
func (s *KeptCode) publish(ctx context.Context) error {
	found, err := rows.ReadKeptCode(ctx, s.DB)
	if err != nil {
		return err
	}
	s.Found(found)
	return nil
}

// forget asks of those that were not looked at for longest whether they are
// over. When in doubt they stay.
func (s *KeptCode) forget(ctx context.Context) error {
	list, err := rows.ClaimKeptCode(ctx, s.DB, s.Interval/2, maxAsked)
	if err != nil {
		return err
	}
	var over []string
	err = s.askAll(ctx, list, func(ctx context.Context, x replay.Execution) error {
		closed, known, err := s.Executions.Closed(ctx, x)
		if err == nil && (!known || !closed.IsZero()) {
			over = append(over, x.RunID)
		}
		return err
	})
	if len(over) > 0 {
		err = errors.Join(err, rows.RemoveKeptCode(ctx, s.DB, over))
	}
	return err
}
