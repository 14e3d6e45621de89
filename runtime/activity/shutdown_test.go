package activity

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack/stacktest"
)

// A worker that stops tells its activities at once, gives them their grace, and cuts off those that
// go on.
func TestOnAServerAWorkersEndIsToldAndThenEnforced(t *testing.T) {
	t.Parallel()
	type word struct {
		text string
		at   time.Time
	}
	for name, c := range map[string]struct {
		body, ends string
		grace      time.Duration
	}{
		"who cleans up":  {`await say('cleaned up');`, "cleaned up", time.Minute},
		"who goes on":    {`for (;;) await new Promise((r) => setTimeout(r, 10));`, "", 100 * time.Millisecond},
		"who is a loop":  {`for (;;);`, "", 100 * time.Millisecond},
		"who is waiting": {`await fetch(URL_ + '/never');`, "", 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := make(chan word, 10)
			url := serve(t, "127.0.0.1", func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/never" {
					<-r.Context().Done()
					return
				}
				b, _ := io.ReadAll(r.Body)
				words <- word{string(b), time.Now()}
			})
			o := loopback(t)
			o.Grace, o.SliceBudget = c.grace, 9*time.Second
			code := code(t, `import { sleep } from '@temporalio/activity';
const URL_ = "`+url+`", say = (text: string) => fetch(URL_, { method: 'POST', body: text });
export async function main() {
  await say('started');
  try { await sleep('1 hour') } catch (e: any) { await say(e.message) }
  `+c.body+`
}`, o)
			cl, err := client.Dial(client.Options{
				HostPort: stacktest.TemporalAddress(t), Logger: quiet{}, DataConverter: passPayloads{converter.GetDefaultDataConverter()}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cl.Close)
			queue := stacktest.TaskQueue(t)
			w := worker.New(cl, queue, worker.Options{WorkerStopTimeout: time.Minute})
			w.RegisterActivityWithOptions(func(ctx context.Context, args *commonpb.Payloads) (*commonpb.Payloads, error) {
				return code.Execute(ctx, "main", args)
			}, activity.RegisterOptions{Name: "chargeCard"})
			w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
				ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Hour})
				return workflow.ExecuteActivity(ctx, "chargeCard", jsonArgs()).Get(ctx, nil)
			}, workflow.RegisterOptions{Name: "order"})
			if err := w.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := cl.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue, WorkflowRunTimeout: time.Minute}, "order"); err != nil {
				t.Fatal(err)
			}
			next := func() word {
				t.Helper()
				return stacktest.Next(t, "it says more", words)
			}
			if got := next(); got.text != "started" {
				t.Fatalf("got %v", got)
			}
			stopped := time.Now()
			w.Stop()
			took := time.Since(stopped)
			notified := next()
			if notified.text != "WORKER_SHUTDOWN" || notified.at.Sub(stopped) > 10*time.Second {
				t.Errorf("it was notified of %q after %v", notified.text, notified.at.Sub(stopped))
			}
			if c.ends != "" {
				if got := next(); got.text != c.ends {
					t.Errorf("got %q", got.text)
				}
			}
			// A minute is what the worker would wait for an activity that isn't cut off.
			if took > 30*time.Second {
				t.Errorf("the worker took %v to stop", took)
			}
		})
	}
}
