package executions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// recordAtOnce rows are made in one statement.
const recordAtOnce = 50

// maxParents bounds how many executions are remembered whose children had rows made.
const maxParents = 1000

// Recorder makes rows for executions that have none, where all are to be recorded. What it knows
// from a worker it completes from the history: with what, by whom and when it was started.
type Recorder struct {
	Base
	Temporal temporal.Looks
	// All is Follower.All.
	All bool
	// Doubt is Follower.Doubt.
	Doubt func(firstRun string)

	bell bell.Bell

	mu      sync.Mutex // guards what follows
	held    int        // bytes
	waiting map[string]rows.ExecutionState
	parents map[string]string // first runs, by run
}

// NewRecorder returns one that does nothing until Run; f tells it what has no row.
func NewRecorder(b Base, t temporal.Looks, f *Follower) *Recorder {
	r := &Recorder{
		Base: b, Temporal: t, All: f.All, Doubt: f.Doubt, bell: bell.New(), waiting: map[string]rows.ExecutionState{}, parents: map[string]string{},
	}
	f.Record = r.record
	return r
}

// record has a row made soon, unless there is one by then.
func (r *Recorder) record(s rows.ExecutionState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, twice := r.waiting[s.FirstRunID]; twice {
		r.held -= was.Size()
		s = merged(s, was)
	} else if r.held > maxHeld {
		return
	}
	r.held += s.Size()
	r.waiting[s.FirstRunID] = s
	r.bell.Ring()
}

// giveBack keeps what is to be tried again, unless there is newer.
func (r *Recorder) giveBack(batch []rows.ExecutionState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range batch {
		if newer, ok := r.waiting[s.FirstRunID]; ok {
			r.held -= newer.Size()
			s = merged(newer, s)
		}
		r.held += s.Size()
		r.waiting[s.FirstRunID] = s
	}
}

// merged is a state with what an earlier one says and it doesn't.
func merged(s, earlier rows.ExecutionState) rows.ExecutionState {
	e := entry{ExecutionState: s}
	e.merge(&entry{ExecutionState: earlier})
	return e.ExecutionState
}

// Run works until ctx ends, and writes then what it knows.
func (r *Recorder) Run(ctx context.Context) {
	failures, failing := 0, false
	for r.bell.Wait(ctx, turn) {
		err := r.pass(ctx, true)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failing = true
			r.Trouble.Fail(ctx, "records", "executions that have no row can't be recorded; they wait", err)
			bell.Pause(ctx, bell.Backoff(failures))
			failures++
			r.bell.Ring()
		case failing:
			failures, failing = 0, false
			r.Trouble.Recover(ctx, "records", "executions that have no row are recorded again")
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.pass(last, false); err != nil {
		r.Log.WarnContext(last, "executions that have no row could not be recorded in the end", logkey.Error, err)
	}
}

// pass makes all rows that wait; complete: what Temporal has to say is waited for.
func (r *Recorder) pass(ctx context.Context, complete bool) error {
	for {
		batch := r.take()
		if len(batch) == 0 {
			return nil
		}
		if err := r.write(ctx, batch, complete); err != nil {
			r.giveBack(batch)
			return err
		}
	}
}

func (r *Recorder) take() (batch []rows.ExecutionState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for first, s := range r.waiting {
		if len(batch) == recordAtOnce {
			break
		}
		batch = append(batch, s)
		delete(r.waiting, first)
		r.held -= s.Size()
	}
	return batch
}

func (r *Recorder) write(ctx context.Context, batch []rows.ExecutionState, complete bool) error {
	missing, changed, err := rows.Unrecorded(ctx, r.DB, r.All, batch)
	if err != nil {
		return err
	}
	// Made meanwhile. What is newest isn't ours to say: others write that row, too.
	for _, s := range changed {
		r.Doubt(s.FirstRunID)
	}
	if len(missing) == 0 {
		return nil
	}
	if err := r.complete(ctx, missing); err != nil && complete {
		return err
	}
	if err := r.withhold(ctx, missing); err != nil {
		return err
	}
	if err := r.isolated(ctx, missing, func(ctx context.Context, s []rows.ExecutionState) error {
		return rows.RecordExecutions(ctx, r.DB, r.All, s)
	}); err != nil {
		return err
	}
	var families []string
	for _, s := range missing {
		families = append(families, s.FirstRunID)
		if s.ParentRunID != "" {
			families = append(families, s.ParentRunID)
		}
	}
	return rows.AdoptChildren(ctx, r.DB, families)
}

// complete asks Temporal about each, a few at once.
func (r *Recorder) complete(ctx context.Context, list []rows.ExecutionState) error {
	var (
		work sync.WaitGroup
		mu   sync.Mutex // guards errs
		errs []error
	)
	free := make(chan struct{}, sweepAtOnce)
	for i := range list {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			if err := r.ask(ctx, &list[i]); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	work.Wait()
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// ask completes one. The input is that of the first run, as it is of rows that were started.
func (r *Recorder) ask(ctx context.Context, s *rows.ExecutionState) error {
	began, err := r.began(ctx, s.TemporalID, s.FirstRunID)
	if errors.Is(err, temporal.ErrUnknown) && s.RunID != s.FirstRunID { // Temporal keeps later runs for longer
		began, err = r.began(ctx, s.TemporalID, s.RunID)
	}
	if errors.Is(err, temporal.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	a := began.GetWorkflowExecutionStartedEventAttributes()
	s.StartedAt, s.Input = began.GetEventTime().AsTime(), shown.Values(a.GetInput(), r.MaxValue)
	s.ParentRunID = ""
	if p := a.GetParentWorkflowExecution(); p != nil && (a.GetParentWorkflowNamespace() == "" || a.GetParentWorkflowNamespace() == r.Namespace) {
		s.ParentRunID, err = r.firstOf(ctx, p)
	}
	return err
}

// began reads the event by which a run started.
func (r *Recorder) began(ctx context.Context, id, run string) (*historypb.HistoryEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
	defer cancel()
	page, err := r.Temporal.GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: r.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}, MaximumPageSize: 1,
	})
	if temporal.Missing(err) {
		return nil, temporal.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read how %s began: %w", id, err)
	}
	events := page.GetHistory().GetEvents()
	if len(events) == 0 || events[0].GetWorkflowExecutionStartedEventAttributes() == nil {
		return nil, temporal.ErrUnknown
	}
	return events[0], nil
}

// firstOf names the first run of an execution's chain.
func (r *Recorder) firstOf(ctx context.Context, x *commonpb.WorkflowExecution) (string, error) {
	r.mu.Lock()
	first := r.parents[x.GetRunId()]
	r.mu.Unlock()
	if first != "" {
		return first, nil
	}
	found, err := r.describe(ctx, r.Temporal, x.GetWorkflowId(), x.GetRunId())
	switch {
	case errors.Is(err, temporal.ErrUnknown):
		return x.GetRunId(), nil
	case err != nil:
		return "", err
	}
	first = firstRun(found)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parents) >= maxParents {
		clear(r.parents)
	}
	r.parents[x.GetRunId()] = first
	return first, nil
}
