package activity

import (
	"context"
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// onServer runs a workflow that calls the module's "main" on a real server, and gives what it got.
// steps may signal "cancel".
func onServer(t *testing.T, c *Code, o workflow.ActivityOptions, steps func(client.Client, client.WorkflowRun)) (string, error) {
	t.Helper()
	cl, err := client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(t), Logger: quiet{}, DataConverter: passPayloads{converter.GetDefaultDataConverter()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	queue := stacktest.TaskQueue(t)
	w := worker.New(cl, queue, worker.Options{
		DefaultHeartbeatThrottleInterval: 100 * time.Millisecond, MaxHeartbeatThrottleInterval: 100 * time.Millisecond})
	w.RegisterActivityWithOptions(func(ctx context.Context, args *commonpb.Payloads) (*commonpb.Payloads, error) {
		return c.Execute(ctx, "main", args)
	}, activity.RegisterOptions{Name: "chargeCard"})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) (string, error) {
		ctx, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, o))
		workflow.Go(ctx, func(ctx workflow.Context) {
			workflow.GetSignalChannel(ctx, "cancel").Receive(ctx, nil)
			cancel()
		})
		var out *commonpb.Payloads
		if err := workflow.ExecuteActivity(ctx, "chargeCard", jsonArgs(`{"amount":5}`)).Get(ctx, &out); err != nil {
			return "", err
		}
		return string(out.GetPayloads()[0].GetData()), nil
	}, workflow.RegisterOptions{Name: "order"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	run, err := cl.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue, WorkflowRunTimeout: time.Minute}, "order")
	if err != nil {
		t.Fatal(err)
	}
	if steps != nil {
		steps(cl, run)
	}
	var out string
	return out, run.Get(ctx, &out)
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func TestOnAServerFailuresKeepTheirFieldsAndCauses(t *testing.T) {
	t.Parallel()
	_, err := onServer(t, code(t, `
import { ApplicationFailure } from '@temporalio/common';
export async function main(input: any) {
  throw ApplicationFailure.create({ message: 'declined ' + input.amount, type: 'CardDeclined', nonRetryable: true, details: [{ code: 51 }],
    cause: new RangeError('limit') });
}`, CodeOptions{}), workflow.ActivityOptions{StartToCloseTimeout: time.Minute}, nil)
	app := wantApplication(t, err, "CardDeclined", true)
	var details struct{ Code int }
	if err := app.Details(&details); err != nil || app.Message() != "declined 5" || details.Code != 51 {
		t.Errorf("got %q, %+v, %v", app.Message(), details, err)
	}
	if cause := errors.Unwrap(app); cause == nil || cause.Error() != "limit" {
		t.Errorf("got cause %v", cause)
	}
}

func TestOnAServerTheNextAttemptFindsTheLastHeartbeat(t *testing.T) {
	t.Parallel()
	c := code(t, `
import { activityInfo, heartbeat } from '@temporalio/activity';
export async function main() {
  const { attempt, heartbeatDetails } = activityInfo();
  if (attempt === 1) {
    for (let page = 1; page <= 3; page++) heartbeat({ page });
    throw new Error('try again');
  }
  return JSON.stringify({ attempt, heartbeatDetails });
}`, CodeOptions{})
	got, err := onServer(t, c, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Millisecond}}, nil)
	if want := `"{\"attempt\":2,\"heartbeatDetails\":{\"page\":3}}"`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestOnAServerCancellationArrivesWithTheNextHeartbeat(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{}, 1)
	url := serve(t, "127.0.0.1", notify(waiting))
	_, err := onServer(t, code(t, `
import { heartbeat, sleep } from '@temporalio/activity';
export async function main() {
  await fetch("`+url+`");
  setInterval(() => heartbeat(), 10);
  await sleep('1 hour');
}`, loopback(t)), workflow.ActivityOptions{StartToCloseTimeout: time.Minute, WaitForCancellation: true},
		func(cl client.Client, run client.WorkflowRun) {
			<-waiting
			if err := cl.SignalWorkflow(t.Context(), run.GetID(), run.GetRunID(), "cancel", nil); err != nil {
				t.Error(err)
			}
		})
	var canceled *temporal.CanceledError
	if !errors.As(err, &canceled) {
		t.Errorf("got %v (%T)", err, err)
	}
}

func TestOnAServerSomebodyElseCompletes(t *testing.T) {
	t.Parallel()
	token := make(chan string, 1)
	url := serve(t, "127.0.0.1", receive(token))
	got, err := onServer(t, code(t, `
import { activityInfo, CompleteAsyncError } from '@temporalio/activity';
export async function main() {
  await fetch("`+url+`", { method: 'POST', body: activityInfo().taskToken });
  throw new CompleteAsyncError();
}`, loopback(t)), workflow.ActivityOptions{StartToCloseTimeout: time.Minute}, func(cl client.Client, _ client.WorkflowRun) {
		taskToken := []byte(<-token)
		for { // until the worker has reported that it won't
			err := cl.CompleteActivity(t.Context(), taskToken, jsonArgs(`"from outside"`), nil)
			if err == nil {
				return
			}
			if t.Context().Err() != nil {
				t.Error(err)
				return
			}
		}
	})
	if err != nil || got != `"from outside"` {
		t.Errorf("got %s, %v", got, err)
	}
}
