package executions

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

// end is how a run ended, for its row.
type end struct {
	status  string
	output  *string
	message string
	err     *string
}

func (e end) into(s *rows.ExecutionState) {
	s.Status, s.Output, s.Message, s.Error = e.status, e.output, e.message, e.err
}

func (b *Base) completed(result *commonpb.Payloads) end {
	return end{status: rows.ExecutionCompleted, output: values(result, b.MaxValue)}
}

func (b *Base) failed(f *failurepb.Failure) end {
	told := b.failureOf(f)
	if told == nil {
		told = &failure{Type: "Error", Message: "it failed"}
	}
	return end{status: rows.ExecutionFailed, message: told.first(), err: told.json(b.MaxValue)}
}

func (b *Base) cancelled(details *commonpb.Payloads) end {
	told := &failure{Type: "Cancelled"}
	if d := values(details, b.MaxValue); d != nil {
		told.Details = []byte(*d)
	}
	return end{status: rows.ExecutionCancelled, err: told.json(b.MaxValue)}
}

// because ends a row with words of the service's own, or of Temporal's.
func (b *Base) because(f *failure) end {
	return end{status: rows.ExecutionFailed, message: f.first(), err: f.json(b.MaxValue)}
}

// byCommand is how a run ends by the last command of its code; ok is false if another run follows,
// or may.
func (b *Base) byCommand(c *commandpb.Command, from *wire.Origin) (e end, ok bool) {
	if from == nil || from.Cron {
		return end{}, false
	}
	switch {
	case c.GetCompleteWorkflowExecutionCommandAttributes() != nil:
		return b.completed(c.GetCompleteWorkflowExecutionCommandAttributes().GetResult()), true
	case c.GetCancelWorkflowExecutionCommandAttributes() != nil:
		return b.cancelled(c.GetCancelWorkflowExecutionCommandAttributes().GetDetails()), true
	case c.GetFailWorkflowExecutionCommandAttributes() != nil && !from.Retry:
		return b.failed(c.GetFailWorkflowExecutionCommandAttributes().GetFailure()), true
	}
	return end{}, false
}

// byEvent is how a run ended by its history's last event; next is the run that follows, "" if none.
func (b *Base) byEvent(e *historypb.HistoryEvent) (out end, next string, ok bool) {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		a := e.GetWorkflowExecutionCompletedEventAttributes()
		return b.completed(a.GetResult()), a.GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		a := e.GetWorkflowExecutionFailedEventAttributes()
		return b.failed(a.GetFailure()), a.GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return b.cancelled(e.GetWorkflowExecutionCanceledEventAttributes().GetDetails()), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return b.because(&failure{Type: "TimedOut", Message: "it took longer than its timeout"}), e.GetWorkflowExecutionTimedOutEventAttributes().GetNewExecutionRunId(), true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		a := e.GetWorkflowExecutionTerminatedEventAttributes()
		f := &failure{Type: "Terminated", Message: "terminated: " + cmp.Or(a.GetReason(), "no reason given"), Identity: a.GetIdentity()}
		if d := values(a.GetDetails(), b.MaxValue); d != nil {
			f.Details = []byte(*d)
		}
		return b.because(f), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return end{}, e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(), true
	}
	return end{}, "", false
}

// errUnknown is of an execution that Temporal doesn't know, or not any more.
var errUnknown = errors.New("Temporal doesn't know the execution")

// describe asks how a run is; without one, how the newest of the id is.
func (b *Base) describe(ctx context.Context, t Looks, id, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found, err := t.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: b.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
	})
	if missing(err) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("describe execution %s: %w", id, err)
	}
	return found, nil
}

// missing says that Temporal has no such execution. A namespace that isn't there is another matter.
func missing(err error) bool {
	_, ok := errors.AsType[*serviceerror.NotFound](err)
	return ok
}

// rowOf is the id of the row that an execution was started for, "" if it wasn't.
func rowOf(found *workflowservice.DescribeWorkflowExecutionResponse) string {
	data := string(found.GetWorkflowExecutionInfo().GetMemo().GetFields()[memoKey].GetData())
	if len(data) < 2 {
		return ""
	}
	return data[1 : len(data)-1]
}

func queueOf(found *workflowservice.DescribeWorkflowExecutionResponse) string {
	return cmp.Or(found.GetExecutionConfig().GetTaskQueue().GetName(), found.GetWorkflowExecutionInfo().GetTaskQueue())
}

// maxRuns is how many runs of a chain are followed in one go.
const maxRuns = 1000

// state asks Temporal how the chain of a first run is, from a run that is known of it.
func (b *Base) state(ctx context.Context, t Looks, id, run, first string) (rows.ExecutionState, error) {
	// The newest run of the id is usually of this chain.
	found, err := b.describe(ctx, t, id, "")
	if err == nil && found.GetWorkflowExecutionInfo().GetFirstRunId() == first {
		run = found.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	} else if err != nil && !errors.Is(err, errUnknown) {
		return rows.ExecutionState{}, err
	}
	for range maxRuns {
		if found, err = b.describe(ctx, t, id, run); err != nil {
			return rows.ExecutionState{}, err
		}
		info := found.GetWorkflowExecutionInfo()
		s := rows.ExecutionState{TemporalID: id, RunID: run, FirstRunID: first, Activities: -1, StartedAt: info.GetStartTime().AsTime()}
		if run != first {
			s.StartedAt = found.GetWorkflowExtendedInfo().GetOriginalStartTime().AsTime()
		}
		switch info.GetStatus() {
		case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
			s.Status = rows.ExecutionRunning
			return s, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
			s.Status = rows.ExecutionPaused
			return s, nil
		}
		next, err := b.readEnd(ctx, t, &s)
		if err != nil {
			return s, err
		}
		if next == "" {
			s.EndedAt = info.GetCloseTime().AsTime()
			return s, nil
		}
		run = next
	}
	return rows.ExecutionState{}, fmt.Errorf("execution %s has more than %d runs", id, maxRuns)
}

// readEnd reads a closed run's history for what its row says, and gives the run that follows.
func (b *Base) readEnd(ctx context.Context, t Looks, s *rows.ExecutionState) (next string, err error) {
	q := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: b.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: s.TemporalID, RunId: s.RunID}, MaximumPageSize: 1000,
	}
	s.Activities = 0
	var last *historypb.HistoryEvent
	for {
		page, cancel := context.WithTimeout(ctx, callTimeout)
		answer, err := t.GetWorkflowExecutionHistory(page, q)
		cancel()
		if missing(err) {
			return "", errUnknown
		}
		if err != nil {
			return "", fmt.Errorf("read the history of %s: %w", s.TemporalID, err)
		}
		for _, e := range answer.GetHistory().GetEvents() {
			last = e
			switch {
			case e.GetActivityTaskScheduledEventAttributes() != nil:
				s.Activities++
			case e.GetWorkflowTaskCompletedEventAttributes() != nil:
				if code := wire.ReadLabel(e.GetWorkflowTaskCompletedEventAttributes().GetIdentity()); code.Hash != "" {
					s.Hash = code.Hash
				}
			case e.GetWorkflowExecutionStartedEventAttributes() != nil:
				s.Attempt = int(e.GetWorkflowExecutionStartedEventAttributes().GetAttempt())
			}
		}
		if q.NextPageToken = answer.GetNextPageToken(); len(q.NextPageToken) == 0 {
			break
		}
	}
	e, next, ok := b.byEvent(last)
	if !ok {
		return "", fmt.Errorf("the history of %s has no end yet", s.TemporalID)
	}
	e.into(s)
	return next, nil
}
