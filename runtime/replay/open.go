package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/runtime/workflow/wire"
)

// openExecutions are some of those that run.
type openExecutions struct {
	found []wire.RunInfo
	more  bool // there are others
}

// openQuery asks for the open executions of the types on a task queue.
func openQuery(taskQueue string, types []string) (string, error) {
	queue, err := quoteAll("a task queue", []string{taskQueue})
	if err != nil {
		return "", err
	}
	names, err := quoteAll("a workflow type", types)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("TaskQueue = %s AND ExecutionStatus = 'Running' AND WorkflowType IN (%s)", queue, names), nil
}

// newest gives the youngest open executions of the types, at most limit.
func (e *Executions) newest(ctx context.Context, taskQueue string, types []string, limit int) (openExecutions, error) {
	query, err := openQuery(taskQueue, types)
	if err != nil {
		return openExecutions{}, err
	}
	return e.list(ctx, query, limit)
}

func (e *Executions) list(ctx context.Context, query string, limit int) (out openExecutions, err error) {
	req := &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: int32(min(limit, 1000)) + 1} //nolint:gosec // small
	for {
		resp, err := e.client.ListWorkflow(ctx, req)
		if err != nil {
			return out, fmt.Errorf("list the open executions: %w", err)
		}
		for _, x := range resp.GetExecutions() {
			if len(out.found) == limit {
				out.more = true
				return out, nil
			}
			out.found = append(out.found, wire.RunInfo{ID: x.GetExecution().GetWorkflowId(), RunID: x.GetExecution().GetRunId(), Type: x.GetType().GetName()})
		}
		if req.NextPageToken = resp.GetNextPageToken(); len(req.NextPageToken) == 0 {
			return out, nil
		}
	}
}

// sample gives the n youngest and about the n oldest open executions. Visibility lists the youngest
// first, in every store of Temporal's, and sorts in no other way: the oldest are found by counting
// those that began before a time.
func (e *Executions) sample(ctx context.Context, taskQueue string, types []string, n int) (openExecutions, error) {
	query, err := openQuery(taskQueue, types)
	if err != nil {
		return openExecutions{}, err
	}
	out, err := e.list(ctx, query, 2*n)
	if err != nil || !out.more {
		return out, err
	}
	before, err := e.few(ctx, query, n)
	if err != nil {
		return openExecutions{}, err
	}
	old, err := e.list(ctx, query+" AND StartTime < "+quoteTime(before), n)
	out.found = out.found[:n]
	for _, x := range old.found {
		if !slices.Contains(out.found, x) {
			out.found = append(out.found, x)
		}
	}
	return out, err
}

// few finds a time before which between one and n executions began.
func (e *Executions) few(ctx context.Context, query string, n int) (time.Time, error) {
	const (
		steps  = 24 // enough to part what began within a second of each other in 100 days
		oldest = 10 * 365 * 24 * time.Hour
	)
	now := time.Now()
	none, many := oldest, time.Duration(0) // ages
	for age := time.Minute; age < oldest; age *= 8 {
		count, err := e.began(ctx, query, now.Add(-age))
		if err != nil {
			return now, err
		}
		if count == 0 {
			none = age
			break
		}
		if many = age; count <= int64(n) {
			return now.Add(-age), nil
		}
	}
	for range steps {
		age := (none + many) / 2
		count, err := e.began(ctx, query, now.Add(-age))
		switch {
		case err != nil:
			return now, err
		case count == 0:
			none = age
		case count <= int64(n):
			return now.Add(-age), nil
		default:
			many = age
		}
	}
	return now.Add(-many), nil // they began together
}

func (e *Executions) began(ctx context.Context, query string, before time.Time) (int64, error) {
	resp, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query + " AND StartTime < " + quoteTime(before)})
	if err != nil {
		return 0, fmt.Errorf("count the open executions: %w", err)
	}
	return resp.GetCount(), nil
}

// open looks at one execution. With no run id it is the newest run.
func (e *Executions) open(ctx context.Context, taskQueue string, types []string, x Execution) (wire.RunInfo, error) {
	refuse := func(why string) (wire.RunInfo, error) {
		return wire.RunInfo{}, &RefusedError{fmt.Sprintf("execution %s %s", x.WorkflowID, why)}
	}
	resp, err := e.client.DescribeWorkflowExecution(ctx, x.WorkflowID, x.RunID)
	var gone *serviceerror.NotFound
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &gone) || errors.As(err, &invalid) {
		return refuse(fmt.Sprintf("can't be found: %v", err))
	}
	if err != nil {
		return wire.RunInfo{}, fmt.Errorf("look at execution %s: %w", x.WorkflowID, err)
	}
	info := resp.GetWorkflowExecutionInfo()
	found := wire.RunInfo{ID: x.WorkflowID, RunID: info.GetExecution().GetRunId(), Type: info.GetType().GetName()}
	switch {
	case info.GetCloseTime() != nil:
		return refuse("has closed")
	case info.GetTaskQueue() != taskQueue:
		return refuse(fmt.Sprintf("is on task queue %q, not on the project's (%q)", info.GetTaskQueue(), taskQueue))
	case !slices.Contains(types, found.Type):
		return refuse(fmt.Sprintf("is of workflow type %q, which isn't this workflow's", found.Type))
	}
	return found, nil
}
