package wire

import (
	"context"
	"errors"
	"fmt"
	"iter"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

// MaxEvents is the length of history up to which an execution is tried on other code before it goes
// on with it; a longer one keeps its code. The server itself asks for continue-as-new at 4,096
// events, and ends executions at 51,200.
const MaxEvents = 20_000

// ErrTooLong is of a history that is longer.
var ErrTooLong = fmt.Errorf("the history is longer than %d events, too long to be tried on other code", MaxEvents)

// ReadHistory gathers the events of an execution's history, but at most MaxEvents.
func ReadHistory(workflowID string, events iter.Seq2[*historypb.HistoryEvent, error]) (*historypb.History, error) {
	h := &historypb.History{}
	for e, err := range events {
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", workflowID, err)
		}
		h.Events = append(h.Events, e)
		if len(h.Events) > MaxEvents {
			return nil, ErrTooLong
		}
	}
	return h, nil
}

// eventsOf goes through an execution's history as the server has it.
func eventsOf(ctx context.Context, api workflowservice.WorkflowServiceClient, namespace string, x *commonpb.WorkflowExecution) iter.Seq2[*historypb.HistoryEvent, error] {
	const page = 1000 // the server's own limit; naming one shows that it isn't the SDK who asks
	return func(yield func(*historypb.HistoryEvent, error) bool) {
		req := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: namespace, Execution: x, MaximumPageSize: page}
		for {
			resp, err := api.GetWorkflowExecutionHistory(ctx, req)
			if err == nil && !PlainHistory(resp) {
				err = errors.New("the server sent it in an unknown form")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range resp.GetHistory().GetEvents() {
				if !yield(e, nil) {
					return
				}
			}
			if req.NextPageToken = resp.GetNextPageToken(); len(req.NextPageToken) == 0 {
				return
			}
		}
	}
}

func beginning(events []*historypb.HistoryEvent) *historypb.WorkflowExecutionStartedEventAttributes {
	if len(events) == 0 {
		return nil
	}
	return events[0].GetWorkflowExecutionStartedEventAttributes()
}

// PlainHistory makes events of what the server may send as it has stored it.
func PlainHistory(resp *workflowservice.GetWorkflowExecutionHistoryResponse) bool {
	if resp.GetRawHistory() == nil {
		return resp.GetHistory() != nil
	}
	all := &historypb.History{}
	for _, blob := range resp.GetRawHistory() {
		var some historypb.History
		if blob.GetEncodingType() != enumspb.ENCODING_TYPE_PROTO3 || proto.Unmarshal(blob.GetData(), &some) != nil {
			return false // the SDK can tell what is wrong
		}
		all.Events = append(all.Events, some.GetEvents()...)
	}
	resp.History, resp.RawHistory = all, nil
	return true
}

// ofTheSDK tells the requests by which the SDK reads the history of a task from those of everybody
// else: a client's name a filter, and ours a page size.
func ofTheSDK(r *workflowservice.GetWorkflowExecutionHistoryRequest) bool {
	return r.GetMaximumPageSize() == 0 && !r.GetWaitNewEvent() && r.GetHistoryEventFilterType() == enumspb.HISTORY_EVENT_FILTER_TYPE_UNSPECIFIED
}

// page completes what the SDK reads for a task whose execution isn't in its cache. The last page
// lacks the events that the server hasn't written: those of a task that was made for an update, or
// tried again. The task brought them.
func (t *Tasks) page(req *workflowservice.GetWorkflowExecutionHistoryRequest, resp *workflowservice.GetWorkflowExecutionHistoryResponse) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[req.GetExecution().GetRunId()]
	if r == nil || !PlainHistory(resp) {
		return
	}
	events := resp.GetHistory().GetEvents()
	if began := beginning(events); began != nil {
		r.read(events, began, len(resp.GetNextPageToken()) == 0)
	} else {
		r.known.activities += scheduled(events)
	}
	if len(resp.GetNextPageToken()) > 0 || len(events) == 0 {
		return
	}
	last := events[len(events)-1].GetEventId()
	for _, e := range r.tail {
		if e.GetEventId() == last+1 {
			last++
			resp.History.Events = append(resp.History.Events, e)
		}
	}
}
