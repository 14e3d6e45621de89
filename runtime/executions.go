package runtime

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Executions answers questions about executions from Temporal's visibility, which lags behind by seconds.
type Executions struct{ client client.Client }

// NewExecutions asks about the client's namespace.
func NewExecutions(c client.Client) *Executions { return &Executions{c} }

// Count gives the number of executions on any of the task queues that began before started and are open, or were closed
// after closed; a zero closed leaves the closed ones out. An execution that nobody works on counts too.
//
// A reset execution began when it was reset.
func (e *Executions) Count(ctx context.Context, taskQueues []string, started, closed time.Time) (int64, error) {
	if len(taskQueues) == 0 {
		return 0, nil
	}
	quoted := make([]string, len(taskQueues))
	for i, q := range taskQueues {
		// Visibility stores such names in a form that no literal of its query language matches: it would find nothing.
		if strings.ContainsAny(q, `"\`) {
			return 0, fmt.Errorf("count the executions on %q: Temporal's visibility can't be asked about a task queue with %q or %q in its name", q, '"', '\\')
		}
		quoted[i] = quote(q)
	}
	ended := "CloseTime IS NULL"
	if !closed.IsZero() {
		ended = fmt.Sprintf("(CloseTime IS NULL OR CloseTime > %s)", quoteTime(closed))
	}
	query := fmt.Sprintf("TaskQueue IN (%s) AND StartTime < %s AND %s", strings.Join(quoted, ", "), quoteTime(started), ended)
	found, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("count the executions on %s: %w", strings.Join(quoted, ", "), err)
	}
	return found.GetCount(), nil
}

// quote makes a literal of Temporal's query language.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func quoteTime(t time.Time) string { return quote(t.UTC().Format(time.RFC3339Nano)) }
