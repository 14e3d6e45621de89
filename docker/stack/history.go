package stack

import (
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// ServersOwn tells of a workflow task that a history says has failed that no worker failed it: the
// server has a workflow look again that ends while something comes which it doesn't know of, a
// termination ends the task that is under way, and so does a reset.
func ServersOwn(failed *historypb.HistoryEvent) bool {
	switch failed.GetWorkflowTaskFailedEventAttributes().GetCause() {
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
		enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
		return true
	}
	return false
}
