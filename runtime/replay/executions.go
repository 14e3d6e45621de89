package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Executions answers questions about executions from Temporal's visibility, which lags behind by
// seconds.
type Executions struct{ client client.Client }

// NewExecutions asks about the client's namespace.
func NewExecutions(c client.Client) *Executions { return &Executions{c} }

// Count gives the number of executions on any of the task queues that began before started and are
// open, or were closed after closed; a zero closed leaves the closed ones out. An execution that
// nobody works on counts too.
//
// A reset execution began when it was reset.
func (e *Executions) Count(ctx context.Context, taskQueues []string, started, closed time.Time) (int64, error) {
	if len(taskQueues) == 0 {
		return 0, nil
	}
	quoted, err := quoteAll("a task queue", taskQueues)
	if err != nil {
		return 0, fmt.Errorf("count executions: %w", err)
	}
	ended := "CloseTime IS NULL"
	if !closed.IsZero() {
		ended = fmt.Sprintf("(CloseTime IS NULL OR CloseTime > %s)", quoteTime(closed))
	}
	query := fmt.Sprintf("TaskQueue IN (%s) AND StartTime < %s AND %s", quoted, quoteTime(started), ended)
	found, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("count the executions on %s: %w", quoted, err)
	}
	return found.GetCount(), nil
}

// CountBegun gives the number of open executions of any of the workflow types on the task queue
// that began at from or later, and before to.
func (e *Executions) CountBegun(ctx context.Context, taskQueue string, types []string, from, to time.Time) (int64, error) {
	if len(types) == 0 {
		return 0, nil
	}
	queue, err := quoteAll("a task queue", []string{taskQueue})
	if err != nil {
		return 0, fmt.Errorf("count executions: %w", err)
	}
	quoted, err := quoteAll("a workflow type", types)
	if err != nil {
		return 0, fmt.Errorf("count executions: %w", err)
	}
	query := fmt.Sprintf("TaskQueue = %s AND WorkflowType IN (%s) AND StartTime >= %s AND StartTime < %s AND CloseTime IS NULL",
		queue, quoted, quoteTime(from), quoteTime(to))
	found, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("count the executions of %s on %s: %w", quoted, queue, err)
	}
	return found.GetCount(), nil
}

// Closed tells when an execution closed, zero if it is open. One that Temporal doesn't know is not
// known: its retention is over.
func (e *Executions) Closed(ctx context.Context, x Execution) (at time.Time, known bool, err error) {
	found, err := e.client.DescribeWorkflowExecution(ctx, x.WorkflowID, x.RunID)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, fmt.Errorf("describe execution %s: %w", x.WorkflowID, err)
	}
	if closed := found.GetWorkflowExecutionInfo().GetCloseTime(); closed != nil {
		at = closed.AsTime()
	}
	return at, true, nil
}

// quoteAll makes a list of literals. Visibility stores names with some characters in a form that no
// literal of its query language matches: it would find nothing.
func quoteAll(what string, names []string) (string, error) {
	quoted := make([]string, len(names))
	for i, n := range names {
		if strings.ContainsAny(n, `"\`) {
			return "", fmt.Errorf("Temporal's visibility can't be asked about %s with %q or %q in its name: %q", what, '"', '\\', n)
		}
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", "), nil
}

// quote makes a literal of Temporal's query language.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func quoteTime(t time.Time) string { return quote(t.UTC().Format(time.RFC3339Nano)) }
