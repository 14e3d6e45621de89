package temporal

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Looks is what says how an execution is.
type Looks interface {
	DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	ListWorkflowExecutions(context.Context, *workflowservice.ListWorkflowExecutionsRequest, ...grpc.CallOption) (*workflowservice.ListWorkflowExecutionsResponse, error)
	GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest, ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error)
}

// CallTimeout bounds a call.
const CallTimeout = 10 * time.Second

// ErrUnknown is of an execution that Temporal doesn't know, or not any more.
var ErrUnknown = errors.New("Temporal doesn't know the execution")

// Describe asks how a run is; without one, how the newest of the id is.
func Describe(ctx context.Context, t Looks, namespace, id, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	found, err := t.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
	})
	if Missing(err) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("describe execution %s: %w", id, err)
	}
	return found, nil
}

// Missing says that Temporal has no such execution. A namespace that isn't there is another matter.
func Missing(err error) bool {
	_, ok := errors.AsType[*serviceerror.NotFound](err)
	return ok
}

// CodeOf is the code of what the server answered; the SDK's connection gives it a type.
func CodeOf(err error) codes.Code { return serviceerror.ToStatus(err).Code() }
