package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.yaml.in/yaml/v3"

	"workflow-worker/docker/stack"
)

// The calls speak Temporal's own protocol, so that payloads and failures are seen as the worker
// made them.

func (p *play) service() workflowservice.WorkflowServiceClient {
	return p.stand.client.WorkflowService()
}

// startWith starts an execution, alone or together with a signal or an update, and gives the run's
// id.
func (p *play) startWith(ctx context.Context, req *workflowservice.StartWorkflowExecutionRequest, with *step) (string, error) {
	switch {
	case with == nil:
		resp, err := p.service().StartWorkflowExecution(ctx, req)
		return resp.GetRunId(), err
	case with.Signal != nil:
		name, input, err := p.call(with.Signal)
		if err != nil {
			return "", err
		}
		resp, err := p.service().SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
			Namespace: req.Namespace, WorkflowId: req.WorkflowId, WorkflowType: req.WorkflowType, TaskQueue: req.TaskQueue, Input: req.Input,
			RequestId: req.RequestId, Identity: req.Identity, SignalName: name, SignalInput: input, Memo: req.Memo, SearchAttributes: req.SearchAttributes,
		})
		return resp.GetRunId(), err
	}
	u, err := p.updateRequest(with, &commonpb.WorkflowExecution{WorkflowId: req.WorkflowId})
	if err != nil {
		return "", err
	}
	req.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	// Only accepted: the answer may depend on what the case does next.
	u.WaitPolicy.LifecycleStage = enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
	resp, err := p.service().ExecuteMultiOperation(ctx, &workflowservice.ExecuteMultiOperationRequest{
		Namespace: req.Namespace,
		Operations: []*workflowservice.ExecuteMultiOperationRequest_Operation{
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_StartWorkflow{StartWorkflow: req}},
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{UpdateWorkflow: u}},
		},
	})
	if err != nil {
		return "", err
	}
	runID := resp.GetResponses()[0].GetStartWorkflow().GetRunId()
	ref := &updatepb.UpdateRef{WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: req.WorkflowId, RunId: runID}, UpdateId: u.Request.Meta.UpdateId}
	a := p.poll(ctx, ref)
	return runID, p.check(with, a)
}

// call reads a call's name and arguments.
func (p *play) call(nodes []yaml.Node) (name string, input *commonpb.Payloads, err error) {
	if len(nodes) == 0 {
		return "", nil, errors.New("a call needs a name")
	}
	input, err = p.payloads(nodes[1:])
	return nodes[0].Value, input, err
}

func (p *play) signal(ctx context.Context, w *watch, s *step) error {
	name, input, err := p.call(s.Signal)
	if err != nil {
		return err
	}
	_, err = p.service().SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: p.namespace(), WorkflowExecution: w.execution(), SignalName: name, Input: input, RequestId: uuid.NewString(),
	})
	return err
}

func (w *watch) execution() *commonpb.WorkflowExecution {
	e := &commonpb.WorkflowExecution{WorkflowId: w.id}
	if runs := w.snapshot(); len(runs) > 0 {
		e.RunId = runs[len(runs)-1].id
	}
	return e
}

func (p *play) query(ctx context.Context, e *commonpb.WorkflowExecution, call []yaml.Node) answer {
	name, input, err := p.call(call)
	if err != nil {
		return answer{err: err}
	}
	resp, err := p.service().QueryWorkflow(ctx, &workflowservice.QueryWorkflowRequest{
		Namespace: p.namespace(), Execution: e, Query: &querypb.WorkflowQuery{QueryType: name, QueryArgs: input},
		QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NONE,
	})
	var failed *serviceerror.QueryFailed
	switch {
	case errors.As(err, &failed):
		return answer{failure: plainFailure(failed.Message)}
	case err != nil:
		return answer{err: fmt.Errorf("query %s: %w", name, err)}
	}
	return answer{value: single(resp.GetQueryResult())}
}

func (p *play) updateRequest(s *step, e *commonpb.WorkflowExecution) (*workflowservice.UpdateWorkflowExecutionRequest, error) {
	name, input, err := p.call(s.Update)
	if err != nil {
		return nil, err
	}
	id := s.ID
	if id == "" {
		id = uuid.NewString()
	}
	return &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: p.namespace(), WorkflowExecution: e,
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
		Request:    &updatepb.Request{Meta: &updatepb.Meta{UpdateId: id, Identity: "conformance"}, Input: &updatepb.Input{Name: name, Args: input}},
	}, nil
}

// update sends an update and waits for its answer.
func (p *play) update(ctx context.Context, req *workflowservice.UpdateWorkflowExecutionRequest) answer {
	resp, err := p.service().UpdateWorkflowExecution(ctx, req)
	if err != nil {
		return answer{err: fmt.Errorf("update %s: %w", req.GetRequest().GetInput().GetName(), err)}
	}
	if o := resp.GetOutcome(); o != nil {
		return updateAnswer(o)
	}
	return p.poll(ctx, resp.GetUpdateRef())
}

func (p *play) poll(ctx context.Context, ref *updatepb.UpdateRef) answer {
	for {
		resp, err := p.service().PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
			Namespace: p.namespace(), UpdateRef: ref,
			WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
		})
		if err != nil {
			return answer{err: fmt.Errorf("ask for update %s: %w", ref.GetUpdateId(), err)}
		}
		if o := resp.GetOutcome(); o != nil {
			return updateAnswer(o)
		}
	}
}

func updateAnswer(o *updatepb.Outcome) answer {
	if f := o.GetFailure(); f != nil {
		return answer{failure: failureTree(f)}
	}
	return answer{value: single(o.GetSuccess())}
}

// updateAsync sends an update and returns when the server has it.
func (p *play) updateAsync(ctx context.Context, w *watch, s *step) error {
	req, err := p.updateRequest(s, w.execution())
	if err != nil {
		return err
	}
	done := make(chan answer, 1)
	p.updates[s.Async] = done
	p.work.Go(func() { done <- p.update(ctx, req) })
	ref := &updatepb.UpdateRef{WorkflowExecution: req.WorkflowExecution, UpdateId: req.Request.Meta.UpdateId}
	return stack.WaitFor(ctx, pollPause, func() (bool, error) {
		_, err := p.service().PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
			Namespace: p.namespace(), UpdateRef: ref, WaitPolicy: &updatepb.WaitPolicy{},
		})
		var missing *serviceerror.NotFound
		if errors.As(err, &missing) {
			return len(done) > 0, nil // it may have been answered and forgotten already
		}
		return err == nil, err
	})
}

// settle completes, fails or beats for an activity from outside.
func (p *play) settle(ctx context.Context, w *watch, s *step) error {
	e := w.execution()
	value, given, err := p.want(&s.Result)
	if err != nil {
		return err
	}
	var payloads *commonpb.Payloads
	if given {
		if payloads, err = payloadsOf([]any{value}); err != nil {
			return err
		}
	}
	switch {
	case s.Complete != "":
		_, err = p.service().RespondActivityTaskCompletedById(ctx, &workflowservice.RespondActivityTaskCompletedByIdRequest{
			Namespace: p.namespace(), WorkflowId: e.WorkflowId, RunId: e.RunId, ActivityId: s.Complete, Result: payloads,
		})
	case s.Fail != "":
		_, err = p.service().RespondActivityTaskFailedById(ctx, &workflowservice.RespondActivityTaskFailedByIdRequest{
			Namespace: p.namespace(), WorkflowId: e.WorkflowId, RunId: e.RunId, ActivityId: s.Fail,
			Failure: &failurepb.Failure{Message: "failed from outside", FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
				ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "Outside", NonRetryable: true}}},
		})
	default:
		_, err = p.service().RecordActivityTaskHeartbeatById(ctx, &workflowservice.RecordActivityTaskHeartbeatByIdRequest{
			Namespace: p.namespace(), WorkflowId: e.WorkflowId, RunId: e.RunId, ActivityId: s.Beat, Details: payloads,
		})
	}
	return err
}

// operate is what an operator does to an activity.
func (p *play) operate(ctx context.Context, w *watch, s *step) (err error) {
	e := w.execution()
	switch {
	case s.PauseActivity != "":
		_, err = p.service().PauseActivity(ctx, &workflowservice.PauseActivityRequest{
			Namespace: p.namespace(), Execution: e, Activity: &workflowservice.PauseActivityRequest_Id{Id: s.PauseActivity}})
	case s.UnpauseActivity != "":
		_, err = p.service().UnpauseActivity(ctx, &workflowservice.UnpauseActivityRequest{
			Namespace: p.namespace(), Execution: e, Activity: &workflowservice.UnpauseActivityRequest_Id{Id: s.UnpauseActivity}})
	default:
		_, err = p.service().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
			Namespace: p.namespace(), Execution: e, Activity: &workflowservice.ResetActivityRequest_Id{Id: s.ResetActivity}})
	}
	return err
}

// reset resets the execution to the end of its nth workflow task and follows the new run.
func (p *play) reset(ctx context.Context, w *watch, s *step) error {
	runs := w.snapshot()
	n := 0
	for _, e := range runs[len(runs)-1].events {
		if e.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			continue
		}
		if n++; n == s.Reset {
			resp, err := p.service().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
				Namespace: p.namespace(), WorkflowExecution: w.execution(), Reason: "conformance", RequestId: uuid.NewString(), WorkflowTaskFinishEventId: e.GetEventId(),
			})
			if err == nil {
				p.executions[s.Of] = p.follow(ctx, w.id, resp.GetRunId())
			}
			return err
		}
	}
	return fmt.Errorf("it has %d completed workflow tasks", n)
}
