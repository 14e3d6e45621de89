package executions

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

// rowOf is the id of the row that an execution was started for, "" if it wasn't.
func rowOf(found *workflowservice.DescribeWorkflowExecutionResponse) string {
	return wire.RowOf(found.GetWorkflowExecutionInfo().GetMemo())
}

func queueOf(found *workflowservice.DescribeWorkflowExecutionResponse) string {
	return cmp.Or(found.GetExecutionConfig().GetTaskQueue().GetName(), found.GetWorkflowExecutionInfo().GetTaskQueue())
}

// maxRuns is how many runs of a chain are followed in one go.
const maxRuns = 1000

// state asks Temporal how the chain of a first run is, from a run that is known of it.
func (b *Base) state(ctx context.Context, t temporal.Looks, id, run, first string) (rows.ExecutionState, error) {
	// The newest run of the id is usually of this chain.
	found, err := b.describe(ctx, t, id, "")
	if err == nil && found.GetWorkflowExecutionInfo().GetFirstRunId() == first {
		run = found.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	} else if err != nil && !errors.Is(err, temporal.ErrUnknown) {
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
func (b *Base) readEnd(ctx context.Context, t temporal.Looks, s *rows.ExecutionState) (next string, err error) {
	q := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: b.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: s.TemporalID, RunId: s.RunID}, MaximumPageSize: 1000,
	}
	s.Activities = 0
	var last *historypb.HistoryEvent
	for {
		page, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
		answer, err := t.GetWorkflowExecutionHistory(page, q)
		cancel()
		if temporal.Missing(err) {
			return "", temporal.ErrUnknown
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
	e, next, ok := b.ByEvent(last)
	if !ok {
		return "", fmt.Errorf("the history of %s has no end yet", s.TemporalID)
	}
	e.Into(s)
	return next, nil
}
