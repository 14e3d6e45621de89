package runtime

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/activities"
	"workflow-worker/docker/stack/stacktest"
)

// Whatever ends an attempt, its code is notified within a second of the server's or the worker's
// knowing, however far apart its own heartbeats are; the rest of the bound is for machines that do
// much else.
func TestAnActivityIsNotifiedWithinASecondOfWhyItEnds(t *testing.T) {
	t.Parallel()
	const bound = 8 * time.Second
	for name, c := range map[string]struct {
		options, want string
		end           func(*replica, client.WorkflowRun) error
	}{
		"cancelled": {"", "CANCELLED cancelRequested", func(r *replica, run client.WorkflowRun) error {
			return r.temporal.CancelWorkflow(t.Context(), run.GetID(), "")
		}},
		"paused": {"", "PAUSED paused", func(r *replica, run client.WorkflowRun) error {
			_, err := r.temporal.WorkflowService().PauseActivity(t.Context(), &workflowservice.PauseActivityRequest{
				Namespace: "default", Execution: &commonpb.WorkflowExecution{WorkflowId: run.GetID()}, Activity: &workflowservice.PauseActivityRequest_Id{Id: "1"},
			})
			return err
		}},
		"timed out": {"startToCloseTimeout: '2s', ", "TIMED_OUT timedOut", nil},
		"terminated": {"", "NOT_FOUND notFound", func(r *replica, run client.WorkflowRun) error {
			return r.temporal.TerminateWorkflow(t.Context(), run.GetID(), "", "enough")
		}},
		"the worker stops": {"", "WORKER_SHUTDOWN workerShutdown", func(r *replica, _ client.WorkflowRun) error {
			go r.stop()
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type word struct {
				text string
				at   time.Time
			}
			words := make(chan word, 10)
			s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				words <- word{string(b), time.Now()}
			}))
			t.Cleanup(s.Close)
			b := newBench(t)
			b.project.Components = []Component{{ID: "1", Name: "waits", Language: "typescript", Code: `
import { cancellationDetails, heartbeat, sleep } from '@temporalio/activity';
const say = (body: string) => fetch('` + s.URL + `', { method: 'POST', body });
export async function waits() {
  const beats = setInterval(() => heartbeat(), 50);
  await say('started ' + Date.now());
  try { await sleep('1 hour'); } catch (e: any) {
    const details: any = cancellationDetails();
    await say(e.message + ' ' + Object.keys(details).filter((k) => details[k] === true));
  }
  clearInterval(beats);
}`}}
			b.row("calls", "1", "", `
import { proxyActivities } from '@temporalio/workflow';
const { waits } = proxyActivities<any>({ `+c.options+`scheduleToCloseTimeout: '1 minute', heartbeatTimeout: '20s', cancellationType: 'WAIT_CANCELLATION_COMPLETED', retry: { maximumAttempts: 1 } });
export async function calls() { await waits(); }`)
			r := b.replicaWith(func(c *Config) {
				c.HTTP = activities.GuardOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
				c.StopTimeout = 10 * time.Second
			})
			r.look()
			run := b.start("calls")
			next := func() word {
				t.Helper()
				return stacktest.Next(t, "it is notified", words)
			}
			began := next()
			if !strings.HasPrefix(began.text, "started") {
				t.Fatal(began)
			}
			ends := began.at.Add(2 * time.Second)
			if c.end != nil {
				time.Sleep(1200 * time.Millisecond) // so that heartbeats are throttled
				if err := c.end(r, run); err != nil {
					t.Fatal(err)
				}
				ends = time.Now()
			}
			if notified := next(); notified.text != c.want || notified.at.Sub(ends) > bound {
				t.Errorf("it was notified of %q after %v, want %q", notified.text, notified.at.Sub(ends), c.want)
			} else {
				t.Log(fmt.Sprint(notified.text, " after ", notified.at.Sub(ends)))
			}
		})
	}
}
