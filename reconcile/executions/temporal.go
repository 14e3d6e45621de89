package executions

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// Starts is what the starter asks of Temporal. Calls aren't tried again below it: after an answer
// that was lost, another start could begin what has already ended.
type Starts interface {
	StartWorkflowExecution(context.Context, *workflowservice.StartWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.StartWorkflowExecutionResponse, error)
}

// Asks is what requests ask of an execution.
type Asks interface {
	SignalWorkflowExecution(context.Context, *workflowservice.SignalWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.SignalWorkflowExecutionResponse, error)
	UpdateWorkflowExecution(context.Context, *workflowservice.UpdateWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.UpdateWorkflowExecutionResponse, error)
	PollWorkflowExecutionUpdate(context.Context, *workflowservice.PollWorkflowExecutionUpdateRequest, ...grpc.CallOption) (*workflowservice.PollWorkflowExecutionUpdateResponse, error)
	QueryWorkflow(context.Context, *workflowservice.QueryWorkflowRequest, ...grpc.CallOption) (*workflowservice.QueryWorkflowResponse, error)
}

// Ends is what stops an execution, or takes it up elsewhere.
type Ends interface {
	RequestCancelWorkflowExecution(context.Context, *workflowservice.RequestCancelWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.RequestCancelWorkflowExecutionResponse, error)
	TerminateWorkflowExecution(context.Context, *workflowservice.TerminateWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.TerminateWorkflowExecutionResponse, error)
	ResetWorkflowExecution(context.Context, *workflowservice.ResetWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.ResetWorkflowExecutionResponse, error)
	PauseWorkflowExecution(context.Context, *workflowservice.PauseWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.PauseWorkflowExecutionResponse, error)
	UnpauseWorkflowExecution(context.Context, *workflowservice.UnpauseWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.UnpauseWorkflowExecutionResponse, error)
}

// Temporal is all of it: workflowservice.WorkflowServiceClient is one.
type Temporal interface {
	Starts
	temporal.Looks
	Asks
	Ends
}

// Base is what every part works with.
type Base struct {
	DB        rows.DB
	Namespace string
	Identity  string // of this process, for Temporal's histories
	shown.Limits
	Secrets Secrets // may be nil
	Log     *slog.Logger
	Trouble *trouble.Log
}

// refused ends a row that can't be started or followed.
func (b *Base) refused(kind, why string) *rows.ExecutionState {
	state := &rows.ExecutionState{Activities: -1, EndedAt: time.Now()}
	b.Because(&shown.Failure{Type: kind, Message: why, Lost: kind == lostType}).Into(state)
	return state
}

// lostType is the type of the error of rows whose execution Temporal doesn't know.
const lostType = "Unknown"

// describe asks how a run is; without one, how the newest of the id is.
func (b *Base) describe(ctx context.Context, t temporal.Looks, id, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return temporal.Describe(ctx, t, b.Namespace, id, run)
}
