package wire

import (
	"context"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// explain completes what the SDK by itself found wrong with a task: what ran and what to do about
// it, as in failures of ours, in place of Go's stack.
func (t *Tasks) explain(r *workflowservice.RespondWorkflowTaskFailedRequest) {
	f := r.GetFailure()
	if f == nil {
		return
	}
	k, _ := t.cached(r.GetTaskToken())
	switch {
	case strings.Contains(f.GetMessage(), failureMark):
		if k != nil {
			if failed := k.Failed(); failed != nil {
				failed.complete(f)
			}
		}
		return
	case k == nil:
		t.explainForeign(r)
		return
	}
	failure := &TaskFailure{Reason: ReasonInternal, Message: f.GetMessage()}
	switch r.GetCause() {
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
		failure.Reason, failure.Hint = ReasonNondeterminism, HintNondeterminism
	case enumspb.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE, enumspb.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE:
		failure.Reason, failure.Hint = ReasonTooLarge, HintTooLarge
	}
	k.Report(failure)
	failure.replace(f)
}

// replace puts a failure of ours in the place of the SDK's.
func (failure *TaskFailure) replace(f *failurepb.Failure) {
	f.Message, f.StackTrace, f.Source = failure.Error(), "", SourceTypeScript
	if info := f.GetApplicationFailureInfo(); info.GetType() == panicType {
		info.Type, info.NonRetryable = "", false
	}
}

// complete adds to the failure that the server gets what a panic's text can't hold: the thrown
// error's class and its causes.
func (failure *TaskFailure) complete(f *failurepb.Failure) {
	f.Cause = failure.Cause
	if info := f.GetApplicationFailureInfo(); info != nil && failure.Type != "" && info.GetType() == "" {
		info.Type = failure.Type
	}
}

// explainForeign says whose an execution is whose history the SDK gave up before there was a
// definition: it knows the markers of no other SDK.
func (t *Tasks) explainForeign(r *workflowservice.RespondWorkflowTaskFailedRequest) {
	t.mu.Lock()
	known := t.runs[t.open[string(r.GetTaskToken())].runID]
	if known == nil || known.foreign == nil {
		t.mu.Unlock()
		return
	}
	failure := known.foreign.Failure()
	x := RunInfo{ID: known.id.GetWorkflowId(), RunID: known.id.GetRunId(), Type: known.began.GetWorkflowType().GetName()}
	p, watched := t.watched[known.began.GetTaskQueue().GetName()]
	t.mu.Unlock()
	failure.WorkflowType = x.Type
	if watched {
		p.Report(context.Background(), x, failure)
		p.Ends.TaskFailed(x, failure)
	}
	failure.replace(r.GetFailure())
}

// explainQuery does the same for a query that came to nothing.
func (t *Tasks) explainQuery(r *workflowservice.RespondQueryTaskCompletedRequest) {
	if r.GetCompletedType() != enumspb.QUERY_RESULT_TYPE_FAILED {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.runs[t.open[string(r.GetTaskToken())].runID]; known != nil && known.foreign != nil {
		failure := known.foreign.Failure()
		r.ErrorMessage, r.Failure = failure.Message+"\n"+failure.Hint, nil
	}
}
