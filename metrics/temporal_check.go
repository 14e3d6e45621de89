package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// CheckTemporal asks whether Temporal answers, whether it has the namespace and lets us in, and whether
// what is behind its frontend answers, too.
func CheckTemporal(c client.Client, namespace string) Check {
	return func(ctx context.Context) error {
		if err := CheckNamespace(c, namespace)(ctx); err != nil {
			return err
		}
		return CheckExecutions(c, namespace)(ctx)
	}
}

// CheckNamespace asks whether Temporal answers, and whether it has the namespace and lets us in: the
// workers' start asks the same.
func CheckNamespace(c client.Client, namespace string) Check {
	return func(ctx context.Context) error {
		if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
			if strings.Contains(err.Error(), noAddress) {
				err = fmt.Errorf("the host of TEMPORAL_ADDRESS has no address: %w", err)
			}
			return refusal(namespace, err)
		}
		found, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		var unimplemented *serviceerror.Unimplemented
		switch {
		case errors.As(err, &unimplemented): // as the SDK sees it, an old server or a proxy
			return nil
		case err != nil:
			return refusal(namespace, err)
		case found.GetNamespaceInfo().GetState() == enumspb.NAMESPACE_STATE_DELETED:
			return Unusable(fmt.Errorf("namespace %q was deleted", namespace))
		}
		return nil
	}
}

// noAddress is what gRPC says of a host whose name nobody knows.
const noAddress = "no children to pick from"

// noExecution is the id of one that there isn't.
const noExecution = "workflow-worker-health"

// CheckExecutions asks for an execution that there isn't. Temporal's frontend answers the others from
// its memory; who says that there is none has asked its history service, and that one the database.
func CheckExecutions(c client.Client, namespace string) Check {
	return func(ctx context.Context) error {
		_, err := c.WorkflowService().DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: noExecution},
		})
		var none *serviceerror.NotFound
		var unimplemented *serviceerror.Unimplemented
		switch {
		case err == nil, errors.As(err, &none), errors.As(err, &unimplemented):
			return nil
		}
		return fmt.Errorf("Temporal's frontend answers, and not what is behind it, which has the executions: %w", refusal(namespace, err))
	}
}

// refusal tells what a server that answers doesn't give from one that doesn't answer.
func refusal(namespace string, err error) error {
	code := status.Code(err)
	var named interface{ Status() *status.Status } // the SDK's errors
	if errors.As(err, &named) {
		code = named.Status().Code()
	}
	switch code {
	case codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.FailedPrecondition:
		return Unusable(fmt.Errorf("namespace %q: %w", namespace, err))
	}
	return err
}
