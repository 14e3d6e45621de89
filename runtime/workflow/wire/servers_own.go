package wire

import (
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// ServersOwn tells of a workflow task that a history says has failed or timed out that no worker
// failed it: the server has a workflow look again that ends while something comes which it doesn't
// know of, a termination ends the task that is under way, and so does a reset; and what lay for
// five seconds in the queue of the worker that has the execution in its cache, which may have ended
// or be busy, is given to any other.
func ServersOwn(e *historypb.HistoryEvent) bool {
	switch e.GetWorkflowTaskFailedEventAttributes().GetCause() {
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
		enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
		return true
	}
	return e.GetWorkflowTaskTimedOutEventAttributes().GetTimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}
