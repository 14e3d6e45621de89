package replay

import (
	"context"
	"fmt"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
)

func TestASampleHasTheNewestAndTheOldestExecutions(t *testing.T) {
	t.Parallel()
	temporal, queue := stacktest.TemporalClient(t), stacktest.TaskQueue(t)
	e := NewExecutions(temporal)
	const n = 12
	var runs []client.WorkflowRun
	for range n {
		run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: queue}, "turns")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = temporal.TerminateWorkflow(context.Background(), run.GetID(), run.GetRunID(), "the test is over")
		})
		runs = append(runs, run)         // nobody works on them
		time.Sleep(5 * time.Millisecond) // visibility counts in milliseconds
	}
	stacktest.Eventually(t, "visibility knows all", func() error {
		found, err := e.newest(t.Context(), queue, []string{"turns"}, 100)
		if err == nil && len(found.found) != n {
			err = fmt.Errorf("%d of %d", len(found.found), n)
		}
		return err
	})
	found, err := e.sample(t.Context(), queue, []string{"turns"}, 3)
	if err != nil || !found.more || len(found.found) < 4 || len(found.found) > 6 {
		t.Fatalf("found %+v, %v", found, err)
	}
	for i, want := range []client.WorkflowRun{runs[n-1], runs[n-2], runs[n-3]} {
		if found.found[i].RunID != want.GetRunID() {
			t.Errorf("%d is not the newest", i)
		}
	}
	if last := found.found[len(found.found)-1]; last.RunID != runs[0].GetRunID() {
		t.Error("the oldest isn't among them")
	}
	all, err := e.sample(t.Context(), queue, []string{"turns"}, n)
	if err != nil || all.more || len(all.found) != n {
		t.Errorf("all: %+v, %v", all, err)
	}
}
