package shown

import (
	"cmp"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

// RowOf is the id of the row that an execution says it was started for, "" if it says none.
func RowOf(m *commonpb.Memo) string { return wire.RowOf(m) }

// End is how a run ended, for its row.
type End struct {
	Status  string
	Output  *string // JSON
	Message string
	Error   *string // JSON
}

// Into has a state say so.
func (e End) Into(s *rows.ExecutionState) {
	s.Status, s.Output, s.Message, s.Error = e.Status, e.Output, e.Message, e.Error
}

func (l Limits) completed(result *commonpb.Payloads) End {
	return End{Status: rows.ExecutionCompleted, Output: Values(result, l.MaxValue)}
}

func (l Limits) failed(f *failurepb.Failure) End {
	told := l.Failure(f)
	if told == nil {
		told = &Failure{Type: "Error", Message: "it failed"}
	}
	return End{Status: rows.ExecutionFailed, Message: told.First(), Error: told.JSON(l.MaxValue)}
}

func (l Limits) cancelled(details *commonpb.Payloads) End {
	told := &Failure{Type: "Cancelled"}
	if d := Values(details, l.MaxValue); d != nil {
		told.Details = []byte(*d)
	}
	return End{Status: rows.ExecutionCancelled, Error: told.JSON(l.MaxValue)}
}

// Because ends a row with words of the service's own, or of Temporal's.
func (l Limits) Because(f *Failure) End {
	return End{Status: rows.ExecutionFailed, Message: f.First(), Error: f.JSON(l.MaxValue)}
}

// ByCommand is how a run ends by the last command of its code; ok is false if another run follows,
// or may.
func (l Limits) ByCommand(c *commandpb.Command, from *wire.Origin) (e End, ok bool) {
	if from == nil || from.Cron {
		return End{}, false
	}
	switch {
	case c.GetCompleteWorkflowExecutionCommandAttributes() != nil:
		return l.completed(c.GetCompleteWorkflowExecutionCommandAttributes().GetResult()), true
	case c.GetCancelWorkflowExecutionCommandAttributes() != nil:
		return l.cancelled(c.GetCancelWorkflowExecutionCommandAttributes().GetDetails()), true
	case c.GetFailWorkflowExecutionCommandAttributes() != nil && !from.Retry:
		return l.failed(c.GetFailWorkflowExecutionCommandAttributes().GetFailure()), true
	}
	return End{}, false
}

// ByEvent is how a run ended by its history's last event; next is the run that follows, "" if none.
func (l Limits) ByEvent(e *historypb.HistoryEvent) (out End, next string, ok bool) {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		a := e.GetWorkflowExecutionCompletedEventAttributes()
		return l.completed(a.GetResult()), a.GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		a := e.GetWorkflowExecutionFailedEventAttributes()
		return l.failed(a.GetFailure()), a.GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return l.cancelled(e.GetWorkflowExecutionCanceledEventAttributes().GetDetails()), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return l.Because(&Failure{Type: "TimedOut", Message: "it took longer than its timeout"}), e.GetWorkflowExecutionTimedOutEventAttributes().GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		a := e.GetWorkflowExecutionTerminatedEventAttributes()
		f := &Failure{Type: "Terminated", Message: "terminated: " + cmp.Or(a.GetReason(), "no reason given"), Identity: a.GetIdentity()}
		if d := Values(a.GetDetails(), l.MaxValue); d != nil {
			f.Details = []byte(*d)
		}
		return l.Because(f), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return End{}, e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(), true
	}
	return End{}, "", false
}
