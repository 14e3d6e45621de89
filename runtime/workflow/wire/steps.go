package wire

import (
	"context"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// StepObserver hears of the steps of all executions that pass by. Its methods are called for every
// task; they are cheap and don't block, and keep none of the messages that they are given, but single
// payloads: the SDK changes the messages, and the lists of payloads in them, afterwards.
type StepObserver interface {
	// EventsReceived tells what is in a run's history, in its order. They begin anew with the first
	// event where the SDK begins again with the run.
	EventsReceived(x *commonpb.WorkflowExecution, events []*historypb.HistoryEvent)
	// CommandsTaken tells what the code asked for in a task, once the server has taken it.
	CommandsTaken(x *commonpb.WorkflowExecution, commands []*commandpb.Command)
	// AttemptBegan tells of an activity's attempt before the SDK has it.
	AttemptBegan(task *workflowservice.PollActivityTaskQueueResponse)
	// AttemptEnded tells of the answer that the server has taken: a request that completes, fails or
	// cancels it.
	AttemptEnded(token []byte, answer any)
}

// ObserveSteps has an observer told. It is for before the first task.
func (t *Tasks) ObserveSteps(o StepObserver) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = o
}

// stepsTaken prepares to tell what a task's answer asked for.
func (t *Tasks) stepsTaken(r *workflowservice.RespondWorkflowTaskCompletedRequest) (taken func(*workflowservice.RespondWorkflowTaskCompletedResponse)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, ok := t.open[string(r.GetTaskToken())]
	run := t.runs[o.runID]
	if t.steps == nil || !ok || o.query || run == nil {
		return func(*workflowservice.RespondWorkflowTaskCompletedResponse) {}
	}
	steps, x := t.steps, run.id
	return func(answer *workflowservice.RespondWorkflowTaskCompletedResponse) {
		steps.CommandsTaken(x, r.GetCommands())
		for _, eager := range answer.GetActivityTasks() {
			steps.AttemptBegan(eager)
		}
	}
}

func (t *Tasks) stepObserver() StepObserver {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.steps
}

func (t *Tasks) attemptBegan(task *workflowservice.PollActivityTaskQueueResponse) {
	if o := t.stepObserver(); o != nil && len(task.GetTaskToken()) > 0 {
		o.AttemptBegan(task)
	}
}

// deliverAttempt gives an attempt's answer to the server, and tells of it.
func (t *Tasks) deliverAttempt(ctx context.Context, method string, answer interface{ GetTaskToken() []byte }, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := deliver(ctx, method, answer, reply, cc, invoke, opts...)
	if o := t.stepObserver(); o != nil && err == nil {
		o.AttemptEnded(answer.GetTaskToken(), answer)
	}
	return err
}
