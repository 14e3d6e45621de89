package replay

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// Nobody works on these executions: what is open counts all the same.
func TestExecutionsAreCountedByQueueBeginAndEnd(t *testing.T) {
	t.Parallel()
	temporal := stacktest.TemporalClient(t)
	e := NewExecutions(temporal)
	// A queue's name is free text.
	odd, other := stacktest.TaskQueue(t)+" it's ü %_", stacktest.TaskQueue(t)
	start := func(queue string) client.WorkflowRun {
		t.Helper()
		run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: queue}, "any")
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	wants := func(what string, want int64, queues []string, started, closed time.Time) {
		t.Helper()
		stacktest.Eventually(t, what, func() error {
			n, err := e.Count(t.Context(), queues, started, closed)
			if err == nil && n != want {
				err = fmt.Errorf("%d executions, want %d", n, want)
			}
			return err
		})
	}
	begin := time.Now().Add(-time.Second)
	ended := start(odd)
	start(odd)
	start(other)
	later := time.Now().Add(time.Minute)
	wants("one queue", 2, []string{odd}, later, time.Time{})
	wants("both queues", 3, []string{odd, other}, later, time.Time{})
	wants("before they began", 0, []string{odd, other}, begin, time.Time{})
	if err := temporal.TerminateWorkflow(t.Context(), ended.GetID(), "", "test"); err != nil {
		t.Fatal(err)
	}
	wants("open ones", 1, []string{odd}, later, time.Time{})
	wants("with those closed lately", 2, []string{odd}, later, begin)
	wants("closed long ago", 1, []string{odd}, later, time.Now().Add(time.Hour))
	wants("no queue", 0, nil, later, time.Time{})
	for _, q := range []string{`a"b`, `a\b`} {
		if _, err := e.Count(t.Context(), []string{odd, q}, later, time.Time{}); err == nil {
			t.Errorf("%s: no error, though Temporal finds nothing by that name", q)
		}
	}
	gone := NewExecutions(unreachable(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := gone.Count(ctx, []string{odd}, later, time.Time{}); err == nil {
		t.Error("a server that doesn't answer has no executions")
	}
}

func unreachable(t *testing.T) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestOpenExecutionsAreCountedByTypeAndWhenTheyBegan(t *testing.T) {
	t.Parallel()
	temporal := stacktest.TemporalClient(t)
	e := NewExecutions(temporal)
	queue := stacktest.TaskQueue(t)
	start := func(kind string) client.WorkflowRun {
		t.Helper()
		run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: queue}, kind)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	begun := func(run client.WorkflowRun) time.Time {
		t.Helper()
		d, err := temporal.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
		if err != nil {
			t.Fatal(err)
		}
		return d.GetWorkflowExecutionInfo().GetStartTime().AsTime()
	}
	first, second := start("order-intake"), start("orderIntake")
	start("other")
	at, later := begun(second), time.Now().Add(time.Minute)
	wants := func(what string, want int64, types []string, from, to time.Time) {
		t.Helper()
		stacktest.Eventually(t, what, func() error {
			n, err := e.CountBegun(t.Context(), queue, types, from, to)
			if err == nil && n != want {
				err = fmt.Errorf("%d executions, want %d", n, want)
			}
			return err
		})
	}
	both := []string{"order-intake", "orderIntake"}
	wants("both types", 2, both, begun(first), later)
	wants("one type", 1, both[:1], begun(first), later)
	wants("from its begin on", 1, both, at, later)
	wants("before its begin", 1, both, begun(first), at)
	wants("no type", 0, nil, begun(first), later)
	if _, err := e.CountBegun(t.Context(), queue, []string{`a"b`}, at, later); err == nil {
		t.Error("no error, though Temporal finds nothing by such a name")
	}

	if when, known, err := e.Closed(t.Context(), Execution{WorkflowID: first.GetID(), RunID: first.GetRunID()}); err != nil || !known || !when.IsZero() {
		t.Errorf("an open execution closed at %v, known %v, %v", when, known, err)
	}
	if err := temporal.TerminateWorkflow(t.Context(), first.GetID(), "", "test"); err != nil {
		t.Fatal(err)
	}
	if when, known, err := e.Closed(t.Context(), Execution{WorkflowID: first.GetID(), RunID: first.GetRunID()}); err != nil || !known || when.Before(at.Add(-time.Minute)) {
		t.Errorf("a closed execution closed at %v, known %v, %v", when, known, err)
	}
	if _, known, err := e.Closed(t.Context(), Execution{WorkflowID: first.GetID(), RunID: uuid.NewString()}); err != nil || known {
		t.Errorf("an execution that there isn't is known: %v, %v", known, err)
	}
	wants("without the closed one", 1, both, begun(first), later)
}
