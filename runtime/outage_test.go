package runtime

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// The SDK alone gives an answer up after ten seconds: this activity would run again after its hour.
func TestAnActivityThatEndsWhileTemporalIsAwayIsNotRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	o := stack.TemporalOptions{Headless: true, Port: port, DBFile: filepath.Join(t.TempDir(), "temporal.db")}
	server := stacktest.Temporal(t, o)
	b := newBench(t)
	log := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	if b.temporal, err = client.Dial(client.Options{HostPort: server.Address(), Logger: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.temporal.Close)
	r := b.replicaWith(func(c *Config) {
		o, tasks := ClientOptions(client.Options{HostPort: server.Address(), Logger: log})
		if c.Client, err = client.Dial(o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Client.Close)
		c.Tasks = tasks
	})
	b.project.Components = []Component{{ID: "slow", Name: "slow", Language: "typescript", Code: `
export async function slow(): Promise<string> { await new Promise((r) => setTimeout(r, 5_000)); return 'done'; }`}}
	b.row("waits", "1", "", `import { proxyActivities } from '@temporalio/workflow';
const { slow } = proxyActivities<{ slow(): Promise<string> }>({ startToCloseTimeout: '1 hour' });
export async function waits(): Promise<string> { return slow(); }`)
	r.look()
	run := b.start("waits")
	b.until("the activity runs", func() error {
		d, err := b.temporal.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
		if err != nil {
			return err
		}
		if p := d.GetPendingActivities(); len(p) != 1 || p[0].GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED {
			return fmt.Errorf("pending are %v", p)
		}
		return nil
	})
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Longer than the activity and the SDK's tries together.
	time.Sleep(18 * time.Second)
	stacktest.Temporal(t, o)
	if got := b.result(run); got != "done" {
		t.Errorf("%q", got)
	}
	for _, e := range b.events(run) {
		if a := e.GetActivityTaskStartedEventAttributes(); e.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED && a.GetAttempt() != 1 {
			t.Errorf("it ran %d times", a.GetAttempt())
		}
	}
}
