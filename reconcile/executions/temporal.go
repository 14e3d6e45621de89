package executions

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// Starts is what the starter asks of Temporal. Calls aren't tried again below it: after an answer
// that was lost, another start could begin what has already ended.
type Starts interface {
	StartWorkflowExecution(context.Context, *workflowservice.StartWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.StartWorkflowExecutionResponse, error)
}

// Looks is what says how an execution is.
type Looks interface {
	DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	ListWorkflowExecutions(context.Context, *workflowservice.ListWorkflowExecutionsRequest, ...grpc.CallOption) (*workflowservice.ListWorkflowExecutionsResponse, error)
	GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest, ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error)
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
	Looks
	Asks
	Ends
}

// Base is what every part works with.
type Base struct {
	DB        rows.DB
	Namespace string
	Identity  string // of this process, for Temporal's histories
	MaxValue  int    // bytes of a value that a row takes; a note of its size is written instead of more, and of hideValues instead of all
	// HideFailures leaves out what failures say.
	HideFailures bool
	Log          *slog.Logger
	Trouble      *trouble.Log
}

// refused ends a row that can't be started or followed.
func (b *Base) refused(kind, why string) *rows.ExecutionState {
	state := &rows.ExecutionState{Activities: -1, EndedAt: time.Now()}
	b.because(&failure{Type: kind, Message: why, Lost: kind == lostType}).into(state)
	return state
}

// lostType is the type of the error of rows whose execution Temporal doesn't know.
const lostType = "Unknown"

// callTimeout bounds a call of Temporal.
const callTimeout = 10 * time.Second

// bell wakes a loop; it holds one ring.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

// Ring never blocks.
func (b bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// wait waits for a ring, or so long; false means that ctx ended.
func (b bell) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b:
		return ctx.Err() == nil
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	return min(250*time.Millisecond<<min(failures, 10), 15*time.Second)
}

// codeOf is the code of what the server answered; the SDK's connection gives it a type.
func codeOf(err error) codes.Code { return serviceerror.ToStatus(err).Code() }
