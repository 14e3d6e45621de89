package steps

import (
	"encoding/json"
	"slices"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/rows"
)

// step is what is known of one step of a run.
type step struct {
	kind, key, name string
	ordinal         int // how many of its kind and name were scheduled before; -1: unknown
	maxAttempts     int // that its retry policy allows, 0: any number; -1: unknown

	scheduled time.Time
	input     *commonpb.Payloads
	// given is the input for whoever looks for secrets in what came of it; known says that it is all
	// of it.
	given *commonpb.Payloads
	known bool

	status                 string
	progress               int // see rows.Step
	attempt                int // 0: unknown
	started, ended, nextAt time.Time
	output                 *commonpb.Payloads
	failure                *failurepb.Failure
	errorType, why         string // of what has no failure

	// told is how the worker said that it ended, at its attempt toldAt: of a step that is open.
	told   string
	toldAt int
}

// How far a step's row has got. What a history says of an end is the last word; before that a later
// attempt counts, and of one attempt what comes later.
const (
	progressPending  = 1
	progressOfRun    = 8 // times the attempt
	progressRunning  = 1
	progressRetrying = 2
	progressFailed   = 3
	progressEnded    = 4
	progressSettled  = 1 << 30
)

func progressOf(attempt, what int) int { return attempt*progressOfRun + what }

func (s *step) size() int {
	n := 400 + len(s.key) + len(s.name)
	n += shown.Bytes(s.input) + shown.Bytes(s.output)
	if s.failure != nil {
		n += 1000 + len(s.failure.GetMessage()) + len(s.failure.GetStackTrace())
	}
	return n
}

// merge takes over from was, which was known before, what s doesn't say; of both the one that is
// further on says how the step is.
func (s *step) merge(was *step) {
	if was.attempt > s.attempt && !was.started.IsZero() || s.started.IsZero() {
		s.started = was.started
	}
	s.attempt = max(s.attempt, was.attempt)
	if was.progress > s.progress {
		s.status, s.progress = was.status, was.progress
		s.ended, s.nextAt, s.output, s.failure, s.errorType, s.why = was.ended, was.nextAt, was.output, was.failure, was.errorType, was.why
	}
	if s.scheduled.IsZero() || !was.scheduled.IsZero() && was.scheduled.Before(s.scheduled) {
		s.scheduled = was.scheduled
	}
	if s.input == nil {
		s.input = was.input
	}
	if !s.known {
		s.given, s.known = was.given, was.known
	}
	if s.ordinal < 0 {
		s.ordinal = was.ordinal
	}
	if s.maxAttempts < 0 {
		s.maxAttempts = was.maxAttempts
	}
	if s.name == "" {
		s.name = was.name
	}
}

// fold makes steps of what a run's history says, and of what its code asks for in between.
type fold struct {
	workflowID, runID, firstRun string
	row, queue                  string // that it was started for, and on
	all                         bool   // timers and children too
	begun                       bool   // it has seen the first event
	over                        bool
	lost                        bool             // something that it told found no place
	seen                        int64            // the last event that was about a step
	counts                      map[string]int   // how many were scheduled, by kind and name
	open                        map[string]*step // those that haven't ended, by kind and key
	events                      map[int64]string // by the event that scheduled them: those of open
	asked                       map[string]bool  // those of open that commands alone tell of
	early                       map[string]bool  // whose event came before their command, of the task before decided
	decided                     int64            // the last event of a task that scheduled anything
	given                       int              // bytes of the inputs that open keeps
	bases                       map[string]bool  // runs that this one was reset from: their steps are void
}

// Inputs of steps that are open are kept up to these sizes.
const (
	maxGiven      = 16 << 10
	maxGivenOfRun = 256 << 10
)

// kept is what may be read later of what passes by: the SDK puts other lists of payloads into its
// messages. It leaves each payload as it is.
func kept(p *commonpb.Payloads) *commonpb.Payloads {
	if p == nil {
		return nil
	}
	return &commonpb.Payloads{Payloads: slices.Clone(p.GetPayloads())}
}

// keptFailure is kept for a failure, which has payloads in many places.
func keptFailure(f *failurepb.Failure) *failurepb.Failure { return proto.CloneOf(f) }

func newFold(workflowID, runID string, all bool) *fold {
	return &fold{workflowID: workflowID, runID: runID, all: all}
}

// asks notes a step that the code asks for.
func (f *fold) asks(s step, emit func(step)) {
	id := s.kind + "/" + s.key
	if f.open[id] != nil && f.asked[id] { // the event of the command
		delete(f.asked, id) // which told of it
		f.open[id].scheduled = s.scheduled
		return
	}
	if f.counts == nil {
		f.counts, f.open, f.events, f.asked = map[string]int{}, map[string]*step{}, map[int64]string{}, map[string]bool{}
	}
	name := s.kind + "/" + s.name
	s.ordinal = f.counts[name]
	if !f.begun {
		s.ordinal = -1
	}
	f.counts[name]++
	s.progress, s.status = progressPending, rows.StepPending
	s.given, s.known = s.input, true
	emit(s)
	s.input = nil
	if n := shown.Bytes(s.given); n > maxGiven || f.given+n > maxGivenOfRun {
		s.given, s.known = nil, false
	} else {
		f.given += n
	}
	f.open[id] = &s
}

// command notes what the code asked for.
func (f *fold) command(c *commandpb.Command, now time.Time, emit func(step)) {
	ask := func(s step) {
		id := s.kind + "/" + s.key
		if f.early[id] { // its event is told by the next task, which doesn't wait for this to be told
			delete(f.early, id)
			return
		}
		s.scheduled = now
		f.asks(s, emit)
		f.asked[id] = true
	}
	switch {
	case c.GetScheduleActivityTaskCommandAttributes() != nil:
		a := c.GetScheduleActivityTaskCommandAttributes()
		ask(step{kind: rows.StepActivity, key: a.GetActivityId(), name: a.GetActivityType().GetName(), input: kept(a.GetInput()), maxAttempts: int(a.GetRetryPolicy().GetMaximumAttempts())})
	case c.GetRecordMarkerCommandAttributes() != nil:
		a := c.GetRecordMarkerCommandAttributes()
		f.marker(a.GetMarkerName(), a.GetDetails(), a.GetFailure(), now, emit)
	case !f.all:
	case c.GetStartTimerCommandAttributes() != nil:
		ask(step{kind: rows.StepTimer, key: c.GetStartTimerCommandAttributes().GetTimerId(), maxAttempts: 1})
	case c.GetStartChildWorkflowExecutionCommandAttributes() != nil:
		a := c.GetStartChildWorkflowExecutionCommandAttributes()
		ask(step{kind: rows.StepChild, key: a.GetWorkflowId(), name: a.GetWorkflowType().GetName(), input: kept(a.GetInput()), maxAttempts: 1})
	}
	switch {
	case c.GetCompleteWorkflowExecutionCommandAttributes() != nil, c.GetFailWorkflowExecutionCommandAttributes() != nil,
		c.GetCancelWorkflowExecutionCommandAttributes() != nil, c.GetContinueAsNewWorkflowExecutionCommandAttributes() != nil:
		f.ends(now, emit)
	}
}

// event notes what the history says.
func (f *fold) event(e *historypb.HistoryEvent, emit func(step)) {
	if began := e.GetWorkflowExecutionStartedEventAttributes(); began != nil {
		f.firstRun, f.begun = began.GetFirstExecutionRunId(), true
		f.row, f.queue = shown.RowOf(began.GetMemo()), began.GetTaskQueue().GetName()
		return
	}
	if e.GetEventId() <= f.seen {
		return
	}
	at := e.GetEventTime().AsTime()
	asks := func(s step, decided int64) {
		id := s.kind + "/" + s.key
		f.seen, s.scheduled = e.GetEventId(), at
		if decided > f.decided {
			f.decided, f.early = decided, nil
		}
		if !f.asked[id] {
			if f.early == nil {
				f.early = map[string]bool{}
			}
			f.early[id] = true
		}
		f.asks(s, emit)
		f.events[e.GetEventId()] = id
	}
	end := func(of int64, how func(s *step)) {
		f.seen = e.GetEventId()
		f.end(of, at, how, emit)
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		a := e.GetActivityTaskScheduledEventAttributes()
		asks(step{kind: rows.StepActivity, key: a.GetActivityId(), name: a.GetActivityType().GetName(), input: kept(a.GetInput()), maxAttempts: int(a.GetRetryPolicy().GetMaximumAttempts())},
			a.GetWorkflowTaskCompletedEventId())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		a := e.GetActivityTaskStartedEventAttributes()
		if s := f.open[f.events[a.GetScheduledEventId()]]; s != nil {
			f.seen, s.started, s.attempt = e.GetEventId(), at, int(a.GetAttempt())
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		a := e.GetActivityTaskCompletedEventAttributes()
		end(a.GetScheduledEventId(), func(s *step) { s.status, s.output = rows.StepCompleted, kept(a.GetResult()) })
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		end(a.GetScheduledEventId(), func(s *step) { s.status, s.failure = rows.StepFailed, keptFailure(a.GetFailure()) })
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		end(a.GetScheduledEventId(), func(s *step) { s.status, s.failure = rows.StepFailed, keptFailure(a.GetFailure()) })
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		end(e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), cancels)
	case enumspb.EVENT_TYPE_MARKER_RECORDED:
		a := e.GetMarkerRecordedEventAttributes()
		if f.marker(a.GetMarkerName(), a.GetDetails(), a.GetFailure(), at, emit) {
			f.seen = e.GetEventId()
		}
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		if a := e.GetWorkflowTaskFailedEventAttributes(); a.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW && a.GetBaseRunId() != f.runID {
			if f.bases == nil {
				f.bases = map[string]bool{}
			}
			f.bases[a.GetBaseRunId()] = true
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		f.ends(at, emit)
	default:
		if f.all {
			f.other(e, asks, end)
		}
	}
}

// other is about timers and children.
func (f *fold) other(e *historypb.HistoryEvent, asks func(s step, decided int64), end func(int64, func(*step))) {
	child := func(initiated int64, status string, failure *failurepb.Failure, output *commonpb.Payloads) {
		end(initiated, func(s *step) { s.status, s.failure, s.output = status, keptFailure(failure), kept(output) })
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_TIMER_STARTED:
		a := e.GetTimerStartedEventAttributes()
		asks(step{kind: rows.StepTimer, key: a.GetTimerId(), maxAttempts: 1}, a.GetWorkflowTaskCompletedEventId())
	case enumspb.EVENT_TYPE_TIMER_FIRED:
		end(e.GetTimerFiredEventAttributes().GetStartedEventId(), func(s *step) { s.status, s.started = rows.StepCompleted, s.scheduled })
	case enumspb.EVENT_TYPE_TIMER_CANCELED:
		end(e.GetTimerCanceledEventAttributes().GetStartedEventId(), func(s *step) {
			cancels(s)
			s.started = s.scheduled
		})
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		a := e.GetStartChildWorkflowExecutionInitiatedEventAttributes()
		asks(step{kind: rows.StepChild, key: a.GetWorkflowId(), name: a.GetWorkflowType().GetName(), input: kept(a.GetInput()), maxAttempts: 1},
			a.GetWorkflowTaskCompletedEventId())
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
		a := e.GetStartChildWorkflowExecutionFailedEventAttributes()
		end(a.GetInitiatedEventId(), func(s *step) {
			s.status, s.errorType, s.why = rows.StepFailed, "start_failed", "it couldn't be started: "+a.GetCause().String()
		})
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
		if s := f.open[f.events[e.GetChildWorkflowExecutionStartedEventAttributes().GetInitiatedEventId()]]; s != nil {
			f.seen, s.started, s.attempt = e.GetEventId(), e.GetEventTime().AsTime(), 1
		}
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		a := e.GetChildWorkflowExecutionCompletedEventAttributes()
		child(a.GetInitiatedEventId(), rows.StepCompleted, nil, a.GetResult())
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
		a := e.GetChildWorkflowExecutionFailedEventAttributes()
		child(a.GetInitiatedEventId(), rows.StepFailed, a.GetFailure(), nil)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
		end(e.GetChildWorkflowExecutionCanceledEventAttributes().GetInitiatedEventId(), cancels)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
		end(e.GetChildWorkflowExecutionTimedOutEventAttributes().GetInitiatedEventId(), func(s *step) {
			s.status, s.errorType, s.why = rows.StepFailed, errorTimeout, "it took longer than its timeout"
		})
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		end(e.GetChildWorkflowExecutionTerminatedEventAttributes().GetInitiatedEventId(), func(s *step) {
			s.status, s.errorType, s.why = rows.StepFailed, "terminated", "it was terminated"
		})
	}
}

// The values of component_executions.error_type that aren't a failure's own.
const (
	errorFailure   = "activity_failure"
	errorTimeout   = "timeout"
	errorCancelled = "cancelled"
	errorEnded     = "execution_ended"
)

func cancels(s *step) { s.status, s.errorType = rows.StepCancelled, errorCancelled }

// end ends the step that an event scheduled.
func (f *fold) end(of int64, at time.Time, how func(*step), emit func(step)) {
	id := f.events[of]
	s := f.open[id]
	if s == nil {
		return // it was scheduled before what is known
	}
	delete(f.open, id)
	delete(f.events, of)
	delete(f.asked, id)
	f.given -= shown.Bytes(s.given)
	s.ended, s.progress = at, progressSettled
	how(s)
	if s.told == s.status && s.toldAt == s.attempt {
		return // nothing that isn't known
	}
	emit(*s)
}

// ended notes what a worker has told of an activity's end.
func (f *fold) ended(key, status string, attempt int) {
	if s := f.open[rows.StepActivity+"/"+key]; s != nil {
		s.told, s.toldAt = status, attempt
	}
}

// ends ends with the run what it didn't wait for.
func (f *fold) ends(at time.Time, emit func(step)) {
	f.over = true
	for _, s := range f.open {
		s.ended, s.progress = at, progressSettled
		s.status, s.errorType, s.why = rows.StepCancelled, errorEnded, "the execution ended before it"
		emit(*s)
	}
	clear(f.open)
	clear(f.events)
	clear(f.asked)
	f.early = nil
}

// marker is about a local activity, of which Temporal knows the end alone.
func (f *fold) marker(name string, details map[string]*commonpb.Payloads, failure *failurepb.Failure, at time.Time, emit func(step)) bool {
	if name != "LocalActivity" {
		return false
	}
	var data struct {
		ActivityID   string
		ActivityType string
		Attempt      int
		Backoff      time.Duration
	}
	if p := details["data"].GetPayloads(); len(p) == 0 || json.Unmarshal(p[0].GetData(), &data) != nil || data.Backoff > 0 {
		return true // another attempt follows
	}
	s := step{
		kind: rows.StepLocalActivity, key: data.ActivityID, name: data.ActivityType, maxAttempts: -1, ordinal: -1, scheduled: at,
		status: rows.StepCompleted, progress: progressSettled, attempt: data.Attempt, ended: at, output: kept(details["result"]), failure: keptFailure(failure),
	}
	if failure != nil {
		s.status = rows.StepFailed
	}
	emit(s)
	return true
}

// errorTypeOf is component_executions.error_type of a failure.
func errorTypeOf(f *failurepb.Failure) string {
	for depth := 0; f != nil && depth < shown.MaxCauses; f, depth = f.GetCause(), depth+1 {
		switch {
		case f.GetTimeoutFailureInfo() != nil:
			return errorTimeout
		case f.GetCanceledFailureInfo() != nil:
			return errorCancelled
		case f.GetApplicationFailureInfo().GetType() != "":
			return f.GetApplicationFailureInfo().GetType()
		}
	}
	return errorFailure
}
