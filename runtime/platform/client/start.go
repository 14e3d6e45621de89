package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// startRequest is the part of a clientRequest that starts an execution. Times are in milliseconds.
type startRequest struct {
	WorkflowType     string                 `json:"workflowType"`
	TaskQueue        string                 `json:"taskQueue"`
	ReusePolicy      string                 `json:"reusePolicy"`
	ConflictPolicy   string                 `json:"conflictPolicy"`
	ExecutionTimeout *float64               `json:"executionTimeout"`
	RunTimeout       *float64               `json:"runTimeout"`
	TaskTimeout      *float64               `json:"taskTimeout"`
	StartDelay       *float64               `json:"startDelay"`
	CronSchedule     string                 `json:"cronSchedule"`
	Retry            *retryRequest          `json:"retry"`
	Memo             map[string]jsonPayload `json:"memo"`
	SearchAttributes map[string]jsonPayload `json:"searchAttributes"`
}

type retryRequest struct {
	InitialInterval        *float64 `json:"initialInterval"`
	MaximumInterval        *float64 `json:"maximumInterval"`
	BackoffCoefficient     float64  `json:"backoffCoefficient"`
	MaximumAttempts        int32    `json:"maximumAttempts"`
	NonRetryableErrorTypes []string `json:"nonRetryableErrorTypes"`
}

// jsonPayload is a payload with its bytes in base64.
type jsonPayload struct {
	Metadata map[string][]byte `json:"metadata"`
	Data     []byte            `json:"data"`
}

func fields(in map[string]jsonPayload) map[string]*commonpb.Payload {
	out := map[string]*commonpb.Payload{}
	for name, p := range in {
		out[name] = &commonpb.Payload{Metadata: p.Metadata, Data: p.Data}
	}
	return out
}

func jsonPayloads(in map[string]*commonpb.Payload) map[string]any {
	out := map[string]any{}
	for name, p := range in {
		metadata := map[string]string{}
		for k, v := range p.GetMetadata() {
			metadata[k] = base64.StdEncoding.EncodeToString(v)
		}
		out[name] = map[string]any{"metadata": metadata, "data": base64.StdEncoding.EncodeToString(p.GetData())}
	}
	return out
}

func milliseconds(ms *float64) *durationpb.Duration {
	if ms == nil {
		return nil
	}
	return durationpb.New(time.Duration(*ms * float64(time.Millisecond)))
}

func (w *workflows) start(ctx context.Context, r clientRequest) (answer, error) {
	if r.TaskQueue != w.taskQueue {
		return answer{}, &refusal{fmt.Sprintf("an activity's client starts workflows on its own project's task queue %q, not on %q", w.taskQueue, r.TaskQueue)}
	}
	request := &workflowservice.StartWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowId: r.WorkflowID, WorkflowType: &commonpb.WorkflowType{Name: r.WorkflowType},
		TaskQueue: &taskqueuepb.TaskQueue{Name: w.taskQueue}, Input: r.args, Identity: w.identity, RequestId: uuid.NewString(),
		WorkflowExecutionTimeout: milliseconds(r.ExecutionTimeout), WorkflowRunTimeout: milliseconds(r.RunTimeout),
		WorkflowTaskTimeout: milliseconds(r.TaskTimeout), WorkflowStartDelay: milliseconds(r.StartDelay), CronSchedule: r.CronSchedule,
	}
	if p := r.Retry; p != nil {
		request.RetryPolicy = &commonpb.RetryPolicy{InitialInterval: milliseconds(p.InitialInterval), MaximumInterval: milliseconds(p.MaximumInterval),
			BackoffCoefficient: p.BackoffCoefficient, MaximumAttempts: p.MaximumAttempts, NonRetryableErrorTypes: p.NonRetryableErrorTypes}
	}
	if len(r.Memo) > 0 {
		request.Memo = &commonpb.Memo{Fields: fields(r.Memo)}
	}
	if len(r.SearchAttributes) > 0 {
		request.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: fields(r.SearchAttributes)}
	}
	if err := w.policies(ctx, r, request); err != nil {
		return answer{}, err
	}
	res, err := w.service.StartWorkflowExecution(ctx, request)
	if err != nil {
		return answer{}, err
	}
	return answer{json: map[string]string{"runId": res.GetRunId()}}, nil
}

// policies sets what is to happen if the id is taken. What would touch the execution that has it is
// done to one of this project alone, and not by the server, which doesn't ask whose it is.
func (w *workflows) policies(ctx context.Context, r clientRequest, request *workflowservice.StartWorkflowExecutionRequest) error {
	reuse, conflict := r.ReusePolicy, r.ConflictPolicy
	if reuse == "TERMINATE_IF_RUNNING" {
		reuse, conflict = "ALLOW_DUPLICATE", "TERMINATE_EXISTING"
	}
	var err error
	if reuse != "" {
		if request.WorkflowIdReusePolicy, err = enumspb.WorkflowIdReusePolicyFromString("WORKFLOW_ID_REUSE_POLICY_" + reuse); err != nil {
			return err
		}
	}
	request.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	switch conflict {
	case "", "FAIL":
		return nil
	case "USE_EXISTING", "TERMINATE_EXISTING":
	default:
		return fmt.Errorf("no conflict policy is named %q", conflict)
	}
	execution, d, err := w.own(ctx, r.WorkflowID, "")
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return nil
	case err != nil:
		return err
	case d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return nil
	case conflict == "USE_EXISTING":
		request.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
		return nil
	}
	_, err = w.service.TerminateWorkflowExecution(ctx, &workflowservice.TerminateWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowExecution: execution, Reason: "another execution takes its id", Identity: w.identity})
	if errors.As(err, &missing) { // closed meanwhile
		return nil
	}
	return err
}

// result waits for the end of an execution, and of those that follow it.
func (w *workflows) result(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	for {
		last, err := w.lastEvent(ctx, execution)
		if err != nil {
			return answer{}, err
		}
		done, next, err := closing(last)
		if next == "" {
			return done, err
		}
		if !r.FollowRuns {
			return answer{}, &closed{kind: "continuedAsNew", reason: "the workflow continued as new", run: next}
		}
		execution = &commonpb.WorkflowExecution{WorkflowId: r.WorkflowID, RunId: next}
	}
}

// lastEvent waits until a run is closed.
func (w *workflows) lastEvent(ctx context.Context, execution *commonpb.WorkflowExecution) (*historypb.HistoryEvent, error) {
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: w.namespace, Execution: execution, WaitNewEvent: true, SkipArchival: true,
		HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
	}
	for {
		res, err := w.service.GetWorkflowExecutionHistory(ctx, request)
		if err != nil {
			return nil, err
		}
		if events := res.GetHistory().GetEvents(); len(events) > 0 {
			return events[len(events)-1], nil
		}
		request.NextPageToken = res.GetNextPageToken()
	}
}

// closing reads the last event of a run: how it ended, or which run goes on.
func closing(e *historypb.HistoryEvent) (done answer, next string, err error) {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		a := e.GetWorkflowExecutionCompletedEventAttributes()
		return first(a.GetResult()), a.GetNewExecutionRunId(), nil
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		a := e.GetWorkflowExecutionFailedEventAttributes()
		return answer{}, a.GetNewExecutionRunId(), &closed{kind: "failed", reason: "the workflow failed", failure: a.GetFailure(), state: a.GetRetryState()}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		a := e.GetWorkflowExecutionTimedOutEventAttributes()
		return answer{}, a.GetNewExecutionRunId(), &closed{kind: "timedOut", reason: "the workflow timed out", state: a.GetRetryState()}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return answer{}, "", &closed{kind: "cancelled", reason: "the workflow was cancelled"}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return answer{}, "", &closed{kind: "terminated", reason: e.GetWorkflowExecutionTerminatedEventAttributes().GetReason()}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return answer{}, e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(), nil
	}
	return answer{}, "", fmt.Errorf("the workflow's history ends with %v", e.GetEventType())
}

func (w *workflows) describe(ctx context.Context, r clientRequest) (answer, error) {
	_, d, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	info := d.GetWorkflowExecutionInfo()
	at := func(t *timestamppb.Timestamp) int64 {
		if t == nil {
			return 0
		}
		return t.AsTime().UnixMilli()
	}
	ids := func(e *commonpb.WorkflowExecution) any {
		if e == nil {
			return nil
		}
		return map[string]string{"workflowId": e.GetWorkflowId(), "runId": e.GetRunId()}
	}
	return answer{json: map[string]any{
		"type": info.GetType().GetName(), "workflowId": info.GetExecution().GetWorkflowId(), "runId": info.GetExecution().GetRunId(),
		"taskQueue": w.taskQueue, "status": statusName(info.GetStatus()), "statusCode": int32(info.GetStatus()),
		"historyLength": info.GetHistoryLength(), "historySize": info.GetHistorySizeBytes(),
		"startTime": at(info.GetStartTime()), "executionTime": at(info.GetExecutionTime()), "closeTime": at(info.GetCloseTime()),
		"memo": jsonPayloads(info.GetMemo().GetFields()), "searchAttributes": jsonPayloads(info.GetSearchAttributes().GetIndexedFields()),
		"parent": ids(info.GetParentExecution()), "root": ids(info.GetRootExecution()),
	}}, nil
}

// statusName is the SDK's word for a status.
func statusName(s enumspb.WorkflowExecutionStatus) string {
	switch s {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return "RUNNING"
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return "COMPLETED"
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		return "FAILED"
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "CANCELLED"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "TERMINATED"
	case enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		return "CONTINUED_AS_NEW"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "TIMED_OUT"
	}
	return "UNKNOWN"
}
