package workflow

import (
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// explain completes what the SDK by itself found wrong with a task: what ran and what to do about it, as in failures of ours, in place of
// Go's stack.
func (t *Tasks) explain(r *workflowservice.RespondWorkflowTaskFailedRequest) {
	f := r.GetFailure()
	if f == nil || strings.Contains(f.GetMessage(), taskFailureMark) {
		return
	}
	d := t.cached(r.GetTaskToken())
	if d == nil {
		return
	}
	told := &TaskFailure{Reason: ReasonInternal, Message: f.GetMessage()}
	switch r.GetCause() {
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
		told.Reason, told.Hint = ReasonNondeterminism, hintNondeterminism
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE, enumspb.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE:
		told.Reason, told.Hint = ReasonTooLarge, hintTooLarge
	}
	d.report(told)
	f.Message, f.StackTrace, f.Source = told.Error(), "", sourceTypeScript
	if info := f.GetApplicationFailureInfo(); info.GetType() == panicType {
		info.Type, info.NonRetryable = "", false
	}
}

// cached gives the definition that a task ran on; nil if there is none any more.
func (t *Tasks) cached(token []byte) *definition {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[t.open[string(token)].runID]; r != nil {
		return r.cached
	}
	return nil
}
