package replay

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"workflow-worker/runtime/workflow/wire"
)

// Failing tells whether an execution's workflow tasks still fail: false once a task has succeeded,
// and of one that closed, was reset or is not known any more.
func (e *Executions) Failing(ctx context.Context, x Execution) (bool, error) {
	found, err := e.client.DescribeWorkflowExecution(ctx, x.WorkflowID, x.RunID)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("describe execution %s: %w", x.WorkflowID, err)
	}
	if found.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return false, nil
	}
	switch task := found.GetPendingWorkflowTask(); {
	case task == nil:
		return false, nil
	case task.GetAttempt() > 1:
		return true, nil
	}
	// A first attempt: either the execution goes on, or the server began to count anew because
	// something happened to it.
	if found.GetWorkflowExecutionInfo().GetHistoryLength() > maxFailingEvents {
		return true, nil // in doubt it stays; the worker that completes a task of it tells
	}
	return e.lastTaskFailed(ctx, x)
}

// maxFailingEvents bounds the histories that are read to know.
const maxFailingEvents = 2000

// lastTaskFailed looks for the latest outcome of a workflow task. Later attempts of one that failed
// are not in the history.
func (e *Executions) lastTaskFailed(ctx context.Context, x Execution) (failed bool, err error) {
	for ev, err := range e.events(ctx, x) {
		if err != nil {
			return false, fmt.Errorf("read the history of %s: %w", x.WorkflowID, err)
		}
		switch ev.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			failed = false
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			failed = failed || !wire.ServersOwn(ev)
		}
	}
	return failed, nil
}
