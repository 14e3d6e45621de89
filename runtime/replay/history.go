package replay

import (
	"context"
	"errors"
	"iter"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/runtime/workflow/wire"
)

// history reads a history to its end.
func (e *Executions) history(ctx context.Context, x wire.RunInfo) (*historypb.History, error) {
	return wire.ReadHistory(x.ID, e.events(ctx, Execution{WorkflowID: x.ID, RunID: x.RunID}))
}

// events goes through a history as Temporal gives it.
func (e *Executions) events(ctx context.Context, x Execution) iter.Seq2[*historypb.HistoryEvent, error] {
	return func(yield func(*historypb.HistoryEvent, error) bool) {
		events := e.client.GetWorkflowHistory(ctx, x.WorkflowID, x.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			if ev, err := events.Next(); !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// closed reports whether a history has its last event.
func closed(h *historypb.History) bool {
	if len(h.GetEvents()) == 0 {
		return false
	}
	switch h.GetEvents()[len(h.GetEvents())-1].GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	}
	return false
}

// History gives one execution, open or closed, and its history. With no run id it is the newest
// run.
func (e *Executions) History(ctx context.Context, x Execution) (wire.RunInfo, *historypb.History, error) {
	h, err := wire.ReadHistory(x.WorkflowID, e.events(ctx, x))
	if err != nil {
		return wire.RunInfo{}, nil, err
	}
	found, _, err := Told(h)
	found.ID = x.WorkflowID
	return found, h, err
}

// Told is what a history tells of its execution; its workflow id is not in it in every version of
// the server.
func Told(h *historypb.History) (x wire.RunInfo, taskQueue string, err error) {
	if len(h.GetEvents()) == 0 {
		return x, "", errors.New("the history has no events")
	}
	began := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	if began == nil {
		return x, "", errors.New("the history doesn't begin with the execution's start")
	}
	x = wire.RunInfo{ID: began.GetWorkflowId(), RunID: began.GetOriginalExecutionRunId(), Type: began.GetWorkflowType().GetName()}
	return x, began.GetTaskQueue().GetName(), nil
}
