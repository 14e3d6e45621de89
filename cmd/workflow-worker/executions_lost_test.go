package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"workflow-worker/docker/stack/stacktest"
)

// A service that asks the wrong namespace ends rows in doubt; the right one makes them right.
func TestWhatAWrongNamespaceDoesntKnowIsFoundAgain(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url)
	w := newBuilder(t, url).project().workflow("order-intake", executedCode)
	ids := w.waiters(2)
	kept, ended := ids[0], ids[1]
	elsewhere := "elsewhere-" + uuid.NewString()
	if _, err := w.temporal.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: elsewhere, WorkflowExecutionRetentionPeriod: durationpb.New(72 * time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	s.stop(syscall.SIGKILL)
	s = startService(t, url, "TEMPORAL_NAMESPACE="+elsewhere)
	for _, id := range ids {
		if got := w.becomes(id, "failed"); !strings.Contains(got.Error, `"Unknown"`) || !got.Ended {
			t.Errorf("%+v", got)
		}
	}
	s.stop(syscall.SIGTERM)
	x, err := w.execution(ended)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.temporal.TerminateWorkflow(t.Context(), x.TemporalID, "", "from outside"); err != nil {
		t.Fatal(err)
	}
	startService(t, url)
	if got := w.becomes(kept, "running"); got.Message != "" || got.Error != "" || got.Ended {
		t.Errorf("%+v", got)
	}
	eventually(t, "the other says how it ended", func() error {
		if got, err := w.execution(ended); err != nil || got.Message != "terminated: from outside" {
			return fmt.Errorf("%+v, %w", got, err)
		}
		return nil
	})
	w.asksOf(kept, "signal", "finish", nil)
	w.becomes(kept, "completed")
}
