package encryption

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// failureType is of tasks that fail because of their payloads.
const failureType = "PayloadCodecError"

// because is what a task fails with. It holds nothing of a payload, so it is encrypted by nobody:
// the codec may be what is away.
func because(err error) *failurepb.Failure {
	return &failurepb.Failure{
		Message: "the payloads of this task can't be encrypted or decrypted, it is tried again: " + err.Error(), Source: "workflow-worker",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: failureType}},
	}
}

// refuse gives a workflow task back that can't be read. The first attempt is answered at once and
// the later ones time out, as the SDK does it: the server waits longer from time to time. While the
// codec is away there are none, as nobody asks for them.
func (x call) refuse(namespace, identity string, task *workflowservice.PollWorkflowTaskQueueResponse, err error) error {
	if len(task.GetTaskToken()) == 0 {
		return nil
	}
	if task.GetQuery() != nil {
		return x.send(workflowservice.WorkflowService_RespondQueryTaskCompleted_FullMethodName, &workflowservice.RespondQueryTaskCompletedRequest{
			Namespace: namespace, TaskToken: task.GetTaskToken(), CompletedType: enumspb.QUERY_RESULT_TYPE_FAILED, ErrorMessage: because(err).GetMessage(),
		}, &workflowservice.RespondQueryTaskCompletedResponse{})
	}
	if isUnreadable(err) && task.GetAttempt() > 1 {
		return nil
	}
	return x.failWorkflowTask(namespace, identity, task.GetTaskToken(), err)
}

func (x call) failWorkflowTask(namespace, identity string, token []byte, err error) error {
	return x.send(workflowservice.WorkflowService_RespondWorkflowTaskFailed_FullMethodName, &workflowservice.RespondWorkflowTaskFailedRequest{
		Namespace: namespace, Identity: identity, TaskToken: token, Cause: enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, Failure: because(err),
	}, &workflowservice.RespondWorkflowTaskFailedResponse{})
}

func (x call) failActivityTask(namespace, identity string, token []byte, err error) error {
	if len(token) == 0 {
		return nil
	}
	return x.send(workflowservice.WorkflowService_RespondActivityTaskFailed_FullMethodName, &workflowservice.RespondActivityTaskFailedRequest{
		Namespace: namespace, Identity: identity, TaskToken: token, Failure: because(err),
	}, &workflowservice.RespondActivityTaskFailedResponse{})
}

// maxHeld is how long an activity's task is held at most.
const maxHeld = 10 * time.Minute

// decodeActivity decrypts an activity's task. While the codec is away it is held for half of what
// it may take: its failure is one of the attempts that the code allowed.
func (c *Connection) decodeActivity(ctx context.Context, taskQueue string, task *workflowservice.PollActivityTaskQueueResponse) error {
	ctx = context.WithoutCancel(ctx) // of the poll, which is over
	until := time.Now().Add(holdable(task))
	for {
		err := c.decode(ctx, task)
		if err == nil || isUnreadable(err) || !time.Now().Before(until) {
			return err
		}
		timer := time.NewTimer(min(askAgain, time.Until(until)))
		select {
		case <-timer.C:
		case <-c.tasks.PollsEnd(taskQueue): // its worker is about to stop
			timer.Stop()
			return err
		}
	}
}

func holdable(task *workflowservice.PollActivityTaskQueueResponse) time.Duration {
	d := maxHeld
	for _, t := range []time.Duration{task.GetStartToCloseTimeout().AsDuration(), task.GetHeartbeatTimeout().AsDuration()} {
		if t > 0 {
			d = min(d, t/2)
		}
	}
	return d
}
