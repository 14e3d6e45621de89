package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
)

const (
	settleTurn, dueTurn = time.Second, 2 * time.Second
	// Runs that are due for so long are read: nobody who saw them is there any more.
	dueAge, dueLease = 4 * time.Second, time.Minute
	dueAtOnce        = 50
	historiesAtOnce  = 4
	// maxStale executions are asked about in one turn; the next goes on behind them.
	maxStale = 200
	// maxNextRuns is how many runs are followed from one that a row showed to the one that it shows.
	maxNextRuns = 100
)

// Settle makes right what is over, and what hasn't changed for long, until ctx ends.
func (s *Steps) Settle(ctx context.Context) {
	failures := 0
	var looked, turned time.Time
	after := rows.NoID
	for wait := time.Duration(0); bell.Pause(ctx, wait); {
		wait = settleTurn
		err := s.settle(ctx)
		if err == nil && time.Since(turned) >= dueTurn {
			turned = time.Now()
			err = errors.Join(s.modes(ctx), s.due(ctx))
		}
		if err == nil && time.Since(looked) >= s.Interval && !s.off.Load() {
			looked = time.Now()
			after, err = s.stale(ctx, after)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Trouble.Fail(ctx, "settle", "steps of executions can't be looked at once more; they are later", err)
			wait = bell.Backoff(failures)
			failures++
		default:
			failures = 0
			s.Trouble.Recover(ctx, "settle", "steps of executions are looked at again")
		}
	}
}

// modes reads what projects say of their own.
func (s *Steps) modes(ctx context.Context) error {
	some, all, err := rows.StepModes(ctx, s.DB)
	if err != nil {
		return err
	}
	s.off.Store(s.Settings.Record == rows.StepsNone && !some)
	s.all.Store(s.Settings.Record == rows.StepsAll || all)
	return nil
}

// settle forgets the runs that this process saw to their end.
func (s *Steps) settle(ctx context.Context) error {
	s.mu.Lock()
	maps.DeleteFunc(s.settled, func(_ string, at time.Time) bool { return time.Since(at) > settledFor })
	runs := slices.Collect(maps.Keys(s.settled))
	s.mu.Unlock()
	if len(runs) == 0 {
		return nil
	}
	for part := range slices.Chunk(runs, 1000) {
		done, err := rows.SettleSteps(ctx, s.DB, part)
		if err != nil {
			return err
		}
		s.mu.Lock()
		for _, run := range done {
			delete(s.settled, run)
		}
		s.mu.Unlock()
	}
	return nil
}

// due reads the histories of runs that nobody settled.
func (s *Steps) due(ctx context.Context) error {
	for {
		batch, err := rows.ClaimDueSteps(ctx, s.DB, dueAge, dueLease, dueAtOnce)
		if err != nil || len(batch) == 0 {
			return err
		}
		var mu sync.Mutex // guards done and failed
		var done []rows.DueSteps
		var failed error
		s.each(len(batch), func(i int) {
			err := s.dueRun(ctx, batch[i])
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done = append(done, batch[i])
			} else if failed == nil {
				failed = err
			}
		})
		if err := rows.DropDueSteps(ctx, s.DB, done); err != nil {
			return err
		}
		if failed != nil {
			return failed // the others are claimed again when their lease is over
		}
	}
}

// each calls f for each of so many, a few at once.
func (s *Steps) each(n int, f func(int)) {
	var work sync.WaitGroup
	free := make(chan struct{}, historiesAtOnce)
	for i := range n {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			f(i)
		})
	}
	work.Wait()
}

// dueRun makes the steps of a run right, and of those that followed it up to the one that its row
// shows.
func (s *Steps) dueRun(ctx context.Context, d rows.DueSteps) error {
	t := rows.StepTarget{ExecutionID: d.ExecutionID, WorkflowID: d.WorkflowID, RunID: d.RunID}
	if wanted, err := s.wanted(ctx, t); err != nil || !wanted || d.TemporalID == "" {
		return err
	}
	for range maxNextRuns {
		next := ""
		if d.NextRunID != "" {
			var err error
			if next, err = s.nextOf(ctx, d.TemporalID, t.RunID); err != nil && !errors.Is(err, temporal.ErrUnknown) {
				return err
			}
			if err == nil && next == "" { // it was reset: its steps are the other run's, as far as they count
				t.RunID, d.NextRunID = d.NextRunID, ""
			}
		}
		err := s.read(ctx, t, d.TemporalID)
		if errors.Is(err, temporal.ErrUnknown) {
			return rows.CloseStepsOf(ctx, s.DB, t.ExecutionID, t.RunID, "Temporal doesn't know this run any more: how it ended can't be told")
		}
		if err != nil {
			return err
		}
		if next == "" || next == d.NextRunID {
			return nil
		}
		t.RunID = next
	}
	return nil
}

// nextOf gives the run that followed one, "" if none did.
func (s *Steps) nextOf(ctx context.Context, workflowID, run string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
	defer cancel()
	answer, err := s.Temporal.GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: s.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: run},
		HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
	})
	if temporal.Missing(err) {
		return "", temporal.ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("read the end of %s: %w", workflowID, err)
	}
	events := answer.GetHistory().GetEvents()
	if len(events) == 0 {
		return "", nil
	}
	_, next, _ := s.ByEvent(events[len(events)-1])
	return next, nil
}

// wanted says whether any steps of a workflow's executions are.
func (s *Steps) wanted(ctx context.Context, t rows.StepTarget) (bool, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if t.WorkflowID == "" {
		return false, nil
	}
	if err := s.define(ctx, []string{t.WorkflowID}); err != nil {
		return false, err
	}
	d := s.definitions[t.WorkflowID]
	if d == nil {
		return false, nil
	}
	record, _ := s.wants(d)
	return record != rows.StepsNone, nil
}

// read reads a run's history and writes its steps.
func (s *Steps) read(ctx context.Context, t rows.StepTarget, workflowID string) error {
	f := newFold(workflowID, t.RunID, true)
	p := &pendingRun{workflowID: workflowID, runID: t.RunID, steps: map[string]*step{}}
	size := 0
	emit := func(one step) {
		id := one.kind + "/" + one.key
		if was := p.steps[id]; was != nil {
			size -= was.size()
			one.merge(was)
		}
		size += one.size()
		p.steps[id] = &one
	}
	q := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: s.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: t.RunID}, MaximumPageSize: 500,
	}
	for {
		page, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
		answer, err := s.Temporal.GetWorkflowExecutionHistory(page, q)
		cancel()
		switch {
		case temporal.Missing(err), temporal.CodeOf(err) == codes.InvalidArgument && err != nil:
			return temporal.ErrUnknown
		case err != nil:
			return fmt.Errorf("read the history of %s: %w", workflowID, err)
		}
		for _, e := range answer.GetHistory().GetEvents() {
			f.event(e, emit)
		}
		q.NextPageToken = answer.GetNextPageToken()
		if over := len(q.NextPageToken) == 0; over || size > maxStepBytes {
			p.bases = slices.Collect(maps.Keys(f.bases))
			if err := s.writeOf(ctx, t, p); err != nil || over {
				return err
			}
			clear(p.steps)
			size = 0
		}
	}
}

// writeOf writes the steps of a run whose row is known.
func (s *Steps) writeOf(ctx context.Context, t rows.StepTarget, p *pendingRun) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.define(ctx, []string{t.WorkflowID}); err != nil {
		return err
	}
	for _, base := range p.bases {
		if err := rows.RemoveStepsOf(ctx, s.DB, []string{t.ExecutionID}, []string{base}); err != nil {
			return err
		}
	}
	var list []rows.Step
	for _, one := range p.steps {
		if row, ok := s.rowOf(t, t.RunID, one); ok {
			list = append(list, row)
		}
	}
	return s.writeRows(ctx, list)
}

// stale asks Temporal about steps that are under way and haven't changed for long. It gives where
// the next turn goes on.
func (s *Steps) stale(ctx context.Context, after string) (next string, err error) {
	list, err := rows.ReadStaleSteps(ctx, s.DB, after, s.Interval, maxStale)
	if err != nil || len(list) == 0 {
		return rows.NoID, err
	}
	errs := make([]error, len(list))
	s.each(len(list), func(i int) { errs[i] = s.ask(ctx, list[i]) })
	next = list[len(list)-1].ExecutionID
	if len(list) < maxStale {
		next = rows.NoID
	}
	return next, errors.Join(errs...)
}

// ask brings the open steps of an execution up to date.
func (s *Steps) ask(ctx context.Context, x rows.StaleSteps) error {
	found, err := temporal.Describe(ctx, s.Temporal, s.Namespace, x.TemporalID, x.RunID)
	if errors.Is(err, temporal.ErrUnknown) {
		return nil // the sweeper finds out
	}
	if err != nil {
		return err
	}
	t := rows.StepTarget{RunID: x.RunID, ExecutionID: x.ExecutionID, WorkflowID: x.WorkflowID}
	p := &pendingRun{workflowID: x.TemporalID, runID: x.RunID, steps: map[string]*step{}}
	open := map[string]bool{}
	for _, a := range found.GetPendingActivities() {
		open[a.GetActivityId()] = true
		if one, ok := pendingStep(a); ok {
			p.steps[one.kind+"/"+one.key] = &one
		}
	}
	if slices.ContainsFunc(x.Open, func(key string) bool { return !open[key] }) {
		err := s.read(ctx, t, x.TemporalID) // some ended, and whoever saw it isn't there any more
		if errors.Is(err, temporal.ErrUnknown) {
			err = nil
		}
		return err
	}
	return s.writeOf(ctx, t, p)
}

// pendingStep is how an activity is that Temporal says is under way.
func pendingStep(a *workflowpb.PendingActivityInfo) (one step, ok bool) {
	one = step{
		kind: rows.StepActivity, key: a.GetActivityId(), name: a.GetActivityType().GetName(), ordinal: -1, maxAttempts: int(a.GetMaximumAttempts()),
	}
	attempt := int(a.GetAttempt())
	switch {
	case a.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED:
		one.status, one.attempt, one.progress = rows.StepRunning, attempt, progressOf(attempt, progressRunning)
		one.started = a.GetLastStartedTime().AsTime()
	case attempt > 1 && a.GetLastFailure() != nil:
		one.status, one.attempt, one.progress = rows.StepRetrying, attempt-1, progressOf(attempt-1, progressRetrying)
		one.failure = a.GetLastFailure()
		if at := a.GetNextAttemptScheduleTime(); at != nil {
			one.nextAt = at.AsTime()
		}
		if at := a.GetLastStartedTime(); at != nil {
			one.started = at.AsTime()
		}
	default:
		return one, false
	}
	return one, true
}
