package steps

import (
	"math"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/reconcile/rows"
)

// attempt is one of an activity that this process works on.
type attempt struct {
	workflowID, runID string
	key, name         string
	number            int
	began             time.Time
	input             *commonpb.Payloads
	again             func(*failurepb.Failure, time.Time) (next time.Time, ok bool)
}

// maxOpenAttempts bounds what is kept of attempts whose answer never comes by.
const maxOpenAttempts = 20_000

// AttemptBegan implements wire.StepObserver.
func (s *Steps) AttemptBegan(task *workflowservice.PollActivityTaskQueueResponse) {
	if s.off.Load() || task.GetWorkflowExecution().GetWorkflowId() == "" {
		return
	}
	number, now, input := int(task.GetAttempt()), task.GetStartedTime().AsTime(), kept(task.GetInput())
	a := attempt{
		workflowID: task.GetWorkflowExecution().GetWorkflowId(), runID: task.GetWorkflowExecution().GetRunId(), key: task.GetActivityId(), name: task.GetActivityType().GetName(),
		number: number, began: now, input: input,
		again: func(f *failurepb.Failure, at time.Time) (time.Time, bool) { return nextAttempt(task, f, at) },
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.attempts {
		if len(s.attempts) < maxOpenAttempts {
			break
		}
		delete(s.attempts, token)
	}
	s.attempts[string(task.GetTaskToken())] = a
	s.add(a.workflowID, a.runID, step{
		kind: rows.StepActivity, key: a.key, name: a.name, input: input, given: input, known: true, ordinal: -1,
		maxAttempts: int(task.GetRetryPolicy().GetMaximumAttempts()), scheduled: task.GetScheduledTime().AsTime(),
		status: rows.StepRunning, progress: progressOf(number, progressRunning), attempt: number, started: now,
	})
}

// AttemptEnded implements wire.StepObserver.
func (s *Steps) AttemptEnded(token []byte, answer any) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.attempts[string(token)]
	if !ok {
		return
	}
	delete(s.attempts, string(token))
	out := step{
		kind: rows.StepActivity, key: a.key, name: a.name, given: a.input, known: true, ordinal: -1, maxAttempts: -1,
		attempt: a.number, started: a.began, ended: now, progress: progressOf(a.number, progressEnded),
	}
	switch r := answer.(type) {
	case *workflowservice.RespondActivityTaskCompletedRequest:
		out.status, out.output = rows.StepCompleted, kept(r.GetResult())
	case *workflowservice.RespondActivityTaskCanceledRequest:
		cancels(&out)
	case *workflowservice.RespondActivityTaskFailedRequest:
		out.failure = keptFailure(r.GetFailure())
		if next, again := a.again(out.failure, now); again {
			out.status, out.progress, out.nextAt, out.ended = rows.StepRetrying, progressOf(a.number, progressRetrying), next, time.Time{}
		} else {
			out.status, out.progress = rows.StepFailed, progressOf(a.number, progressFailed)
		}
	default:
		return
	}
	if f := s.folds[a.runID]; f != nil && out.status != rows.StepRetrying {
		f.ended(a.key, out.status, a.number)
	}
	s.add(a.workflowID, a.runID, out)
}

// nextAttempt says, as the server does, when an attempt that failed is followed by another. The
// history's word counts in the end.
func nextAttempt(task *workflowservice.PollActivityTaskQueueResponse, f *failurepb.Failure, now time.Time) (next time.Time, ok bool) {
	p := task.GetRetryPolicy()
	if p == nil || p.GetMaximumAttempts() > 0 && task.GetAttempt() >= p.GetMaximumAttempts() {
		return next, false
	}
	app := f.GetApplicationFailureInfo()
	switch {
	case app.GetNonRetryable(), f.GetCanceledFailureInfo() != nil, f.GetTerminatedFailureInfo() != nil, f.GetServerFailureInfo().GetNonRetryable(),
		app != nil && slices.Contains(p.GetNonRetryableErrorTypes(), app.GetType()):
		return next, false
	}
	interval := float64(p.GetInitialInterval().AsDuration()) * math.Pow(max(1, p.GetBackoffCoefficient()), float64(task.GetAttempt()-1))
	if most := float64(p.GetMaximumInterval().AsDuration()); most > 0 {
		interval = min(interval, most)
	}
	wait := time.Duration(min(interval, float64(math.MaxInt64/2)))
	if d := app.GetNextRetryDelay(); d != nil {
		wait = d.AsDuration()
	}
	next = now.Add(wait)
	if most := task.GetScheduleToCloseTimeout().AsDuration(); most > 0 && next.After(task.GetScheduledTime().AsTime().Add(most)) {
		return time.Time{}, false
	}
	return next, true
}
