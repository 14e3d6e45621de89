// Package client is getClient() of activities: it starts, signals, queries, updates, describes and
// ends executions of the activity's own project, and refuses all others.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dop251/goja"
	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"google.golang.org/protobuf/encoding/protojson"

	"workflow-worker/activities"
	"workflow-worker/runtime/platform"
)

// workflows is what getClient() of an activity talks to the server with. It reaches executions on
// the activity's own task queue, which is the project's, and no others: who runs where is asked
// before anything is done, and what is done is done to the run that was asked about.
type workflows struct {
	platform.Host
	mostBytes int

	service   workflowservice.WorkflowServiceClient
	namespace string
	taskQueue string
	identity  string
}

// Host is what the client's JavaScript is given. running is the activity's context; mostBytes
// bounds the arguments of one call.
func Host(h platform.Host, running context.Context, mostBytes int) (map[string]any, error) {
	if running == nil || !activity.IsActivity(running) {
		return nil, errors.New("getClient() needs a worker's connection: this activity runs without")
	}
	info := activity.GetInfo(running)
	w := &workflows{
		Host: h, mostBytes: mostBytes,
		service:   activity.GetClient(running).WorkflowService(),
		namespace: info.Namespace, taskQueue: info.TaskQueue,
		identity: fmt.Sprintf("activity %s of %s", info.ActivityID, info.WorkflowExecution.ID),
	}
	return map[string]any{
		"taskQueue": info.TaskQueue,
		"call":      func(call goja.FunctionCall) goja.Value { w.call(call); return goja.Undefined() },
	}, nil
}

// call does one call of the client beside JavaScript: method, request as JSON, arguments, resolve,
// reject.
func (w *workflows) call(call goja.FunctionCall) {
	resolve, reject := platform.Callback(call.Argument(3)), platform.Callback(call.Argument(4))
	fail := func(err error) { w.Loop().Post(func() error { return reject(platform.Object(w, problemOf(err))) }) }
	var request clientRequest
	if err := json.Unmarshal([]byte(call.Argument(1).String()), &request); err != nil {
		fail(fmt.Errorf("read the client's request: %w", err))
		return
	}
	var err error
	if request.args, err = w.payloads(call.Argument(2)); err != nil {
		fail(err)
		return
	}
	method := w.method(call.Argument(0).String())
	if !w.Requests().Open() {
		fail(fmt.Errorf("more than %d requests are under way (%s)", w.Requests().Most, activities.MaxRequestsSetting))
		return
	}
	end := w.Loop().Expect()
	w.Background(func() {
		answer, err := method(w.Context(), request)
		end(func() error {
			w.Requests().Close()
			if err != nil {
				return reject(platform.Object(w, problemOf(err)))
			}
			value := goja.Undefined()
			switch {
			case answer.payload != nil:
				if value, err = w.VM().FromPayload(answer.payload); err != nil {
					return reject(platform.Object(w, problemOf(err)))
				}
			case answer.json != nil:
				text, err := json.Marshal(answer.json)
				if err != nil {
					return err
				}
				value = w.VM().Runtime.ToValue(string(text))
			}
			return resolve(value)
		})
	})
}

// payloads converts a list of arguments.
func (w *workflows) payloads(v goja.Value) (*commonpb.Payloads, error) {
	list, ok := v.(*goja.Object)
	if !ok {
		return nil, nil
	}
	out := &commonpb.Payloads{}
	size := 0
	for i := range int(list.Get("length").ToInteger()) {
		p, err := w.VM().ToPayload(list.Get(fmt.Sprint(i)))
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		if size += len(p.GetData()); size > w.mostBytes {
			return nil, fmt.Errorf("the arguments have more than %d bytes (%s)", w.mostBytes, activities.MaxResultSetting)
		}
		out.Payloads = append(out.Payloads, p)
	}
	return out, nil
}

// answer is what a call came to: a payload, something to be read as JSON, or neither.
type answer struct {
	payload *commonpb.Payload
	json    any
}

// clientRequest is what ts/common/client.ts asks for.
type clientRequest struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"`
	Name       string `json:"name"`     // of a signal, a query, an update
	UpdateID   string `json:"updateId"` // made here if empty
	Stage      string `json:"stage"`    // of an update: ACCEPTED or COMPLETED
	Reason     string `json:"reason"`
	FollowRuns bool   `json:"followRuns"`
	startRequest

	args *commonpb.Payloads
}

func (w *workflows) method(name string) func(context.Context, clientRequest) (answer, error) {
	method, ok := map[string]func(context.Context, clientRequest) (answer, error){
		"start": w.start, "signal": w.signal, "query": w.query, "update": w.update, "updateResult": w.updateResult,
		"result": w.result, "cancel": w.cancel, "terminate": w.terminate, "describe": w.describe,
	}[name]
	if !ok {
		return func(context.Context, clientRequest) (answer, error) {
			return answer{}, fmt.Errorf("no method %q", name)
		}
	}
	return method
}

// own finds the run that a request is about, and refuses those of others.
func (w *workflows) own(ctx context.Context, id, run string) (*commonpb.WorkflowExecution, *workflowservice.DescribeWorkflowExecutionResponse, error) {
	d, err := w.service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: w.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
	})
	if err != nil {
		return nil, nil, err
	}
	if d.GetExecutionConfig().GetTaskQueue().GetName() != w.taskQueue {
		return nil, nil, &refusal{fmt.Sprintf("workflow %q doesn't run on this project's task queue %q: an activity's client reaches the workflows of its own project alone",
			id, w.taskQueue)}
	}
	return d.GetWorkflowExecutionInfo().GetExecution(), d, nil
}

// refusal is what isn't this project's.
type refusal struct{ message string }

func (e *refusal) Error() string { return e.message }

func (w *workflows) signal(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	_, err = w.service.SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowExecution: execution, SignalName: r.Name, Input: r.args, Identity: w.identity, RequestId: uuid.NewString()})
	return answer{json: map[string]string{"runId": execution.GetRunId()}}, err
}

func (w *workflows) cancel(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	_, err = w.service.RequestCancelWorkflowExecution(ctx, &workflowservice.RequestCancelWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowExecution: execution, Identity: w.identity, RequestId: uuid.NewString()})
	return answer{}, err
}

func (w *workflows) terminate(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	_, err = w.service.TerminateWorkflowExecution(ctx, &workflowservice.TerminateWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowExecution: execution, Reason: r.Reason, Identity: w.identity})
	return answer{}, err
}

func (w *workflows) query(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	res, err := w.service.QueryWorkflow(ctx, &workflowservice.QueryWorkflowRequest{
		Namespace: w.namespace, Execution: execution, Query: &querypb.WorkflowQuery{QueryType: r.Name, QueryArgs: r.args}})
	if err != nil {
		return answer{}, err
	}
	return first(res.GetQueryResult()), nil
}

// first is the one value of a result; none is undefined.
func first(p *commonpb.Payloads) answer {
	if len(p.GetPayloads()) == 0 {
		return answer{}
	}
	return answer{payload: p.GetPayloads()[0]}
}

func (w *workflows) update(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	if r.UpdateID == "" {
		r.UpdateID = uuid.NewString()
	}
	stage := enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
	if r.Stage == "COMPLETED" {
		stage = enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
	}
	request := &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: w.namespace, WorkflowExecution: execution, WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: stage},
		Request: &updatepb.Request{
			Meta:  &updatepb.Meta{UpdateId: r.UpdateID, Identity: w.identity},
			Input: &updatepb.Input{Name: r.Name, Args: r.args},
		}}
	for { // the server answers also when the wait was too long for it
		res, err := w.service.UpdateWorkflowExecution(ctx, request)
		if err != nil {
			return answer{}, err
		}
		if res.GetOutcome() != nil && (stage == enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED || res.GetOutcome().GetFailure() != nil) {
			return outcome(res.GetOutcome())
		}
		if res.GetStage() >= stage {
			return answer{json: map[string]string{"updateId": r.UpdateID, "runId": execution.GetRunId()}}, nil
		}
	}
}

func (w *workflows) updateResult(ctx context.Context, r clientRequest) (answer, error) {
	execution, _, err := w.own(ctx, r.WorkflowID, r.RunID)
	if err != nil {
		return answer{}, err
	}
	for {
		res, err := w.service.PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
			Namespace: w.namespace, UpdateRef: &updatepb.UpdateRef{WorkflowExecution: execution, UpdateId: r.UpdateID}, Identity: w.identity,
			WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED}})
		if err != nil {
			return answer{}, err
		}
		if res.GetOutcome() != nil {
			return outcome(res.GetOutcome())
		}
	}
}

func outcome(o *updatepb.Outcome) (answer, error) {
	if f := o.GetFailure(); f != nil {
		return answer{}, &closed{kind: "updateFailed", failure: f}
	}
	return first(o.GetSuccess()), nil
}

// closed is an execution, or an update, that ended in another way than with a result.
type closed struct {
	kind    string // as ts/common/client.ts names it
	reason  string
	failure *failurepb.Failure
	state   enumspb.RetryState
	run     string // that went on
}

func (e *closed) Error() string { return e.reason }

// problemOf describes an error for ts/common/client.ts.
func problemOf(err error) map[string]any {
	var end *closed
	var missing *serviceerror.NotFound
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	var query *serviceerror.QueryFailed
	var no *refusal
	out := map[string]any{"kind": "service", "message": err.Error()}
	switch {
	case errors.As(err, &end):
		out["kind"], out["runId"], out["retryState"] = end.kind, end.run, int(end.state)
		if end.failure != nil {
			if text, err := (protojson.MarshalOptions{UseEnumNumbers: true}).Marshal(end.failure); err == nil {
				out["failure"] = string(text)
			}
		}
	case errors.As(err, &missing):
		out["kind"] = "notFound"
	case errors.As(err, &started):
		out["kind"] = "alreadyStarted"
	case errors.As(err, &query):
		out["kind"] = "queryFailed"
	case errors.As(err, &no):
		out["code"] = "PERMISSION_DENIED"
	}
	return out
}
