package wire

import (
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

func TestServersOwn(t *testing.T) {
	t.Parallel()
	failed := func(cause enumspb.WorkflowTaskFailedCause) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowTaskFailedEventAttributes{
			WorkflowTaskFailedEventAttributes: &historypb.WorkflowTaskFailedEventAttributes{Cause: cause},
		}}
	}
	timedOut := func(kind enumspb.TimeoutType) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowTaskTimedOutEventAttributes{
			WorkflowTaskTimedOutEventAttributes: &historypb.WorkflowTaskTimedOutEventAttributes{TimeoutType: kind},
		}}
	}
	for name, c := range map[string]struct {
		event *historypb.HistoryEvent
		want  bool
	}{
		"code threw":                   {failed(enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE), false},
		"code parted from the history": {failed(enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR), false},
		"something came meanwhile":     {failed(enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND), true},
		"terminated":                   {failed(enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND), true},
		"reset":                        {failed(enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW), true},
		"taken and not answered":       {timedOut(enumspb.TIMEOUT_TYPE_START_TO_CLOSE), false},
		"taken by nobody":              {timedOut(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START), true},
	} {
		if got := ServersOwn(c.event); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
