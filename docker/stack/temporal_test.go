package stack_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack"
)

func TestTemporalServesItsNamespaceAndUIUntilStopped(t *testing.T) {
	t.Parallel()
	server := startTemporal(t, stack.TemporalOptions{Namespace: "farm"})
	c, err := client.Dial(client.Options{HostPort: server.Address(), Namespace: "farm"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "nobody-polls"}, "any"); err != nil {
		t.Errorf("start a workflow as soon as the server is said to be ready: %v", err)
	}
	// One partition: that is what the server tells about the queue.
	parts, err := c.WorkflowService().ListTaskQueuePartitions(t.Context(), &workflowservice.ListTaskQueuePartitionsRequest{
		Namespace: "farm", TaskQueue: &taskqueue.TaskQueue{Name: "nobody-polls"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(parts.WorkflowTaskQueuePartitions); n != 1 {
		t.Errorf("a task queue has %d partitions, want 1", n)
	}
	response, err := http.Get(server.UIAddress())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("web UI: %s", response.Status)
	}

	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", server.Address()); err == nil {
		conn.Close()
		t.Errorf("somebody still listens on %s", server.Address())
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

func TestTemporalKeepsItsStateInAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	server := startTemporal(t, stack.TemporalOptions{DBFile: file, Headless: true})
	c, err := client.Dial(client.Options{HostPort: server.Address()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "kept", TaskQueue: "nobody-polls"}, "any")
	c.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	server = startTemporal(t, stack.TemporalOptions{DBFile: file, Headless: true})
	if c, err = client.Dial(client.Options{HostPort: server.Address()}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.DescribeWorkflowExecution(t.Context(), "kept", ""); err != nil {
		t.Error(err)
	}
	if server.UIAddress() != "" {
		t.Errorf("headless, with a UI at %s", server.UIAddress())
	}
}

func startTemporal(t *testing.T, o stack.TemporalOptions) *stack.Temporal {
	t.Helper()
	server, err := stack.StartTemporal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}
