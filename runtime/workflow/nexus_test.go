package workflow

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nexus-rpc/sdk-go/nexus"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/temporalnexus"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/tracing"
)

// nexusEndpoint starts a Go worker with a Nexus service "svc", and makes an endpoint that leads to
// it.
func (p *project) nexusEndpoint() string {
	p.t.Helper()
	queue := stacktest.TaskQueue(p.t)
	w := worker.New(p.c, queue, worker.Options{})
	service := nexus.NewService("svc")
	slow := func(ctx workflow.Context, wait time.Duration) (string, error) {
		return "slept", workflow.Sleep(ctx, wait)
	}
	failing := func(workflow.Context, string) (string, error) {
		return "", temporal.NewNonRetryableApplicationError("no luck", "BadLuck", nil, 7)
	}
	stubborn := func(ctx workflow.Context, wait time.Duration) (string, error) {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		return "came to its end", workflow.Sleep(ctx, wait)
	}
	options := func(_ context.Context, _ any, o nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
		return client.StartWorkflowOptions{ID: o.RequestID, TaskQueue: queue}, nil
	}
	if err := service.Register(
		nexus.NewSyncOperation("echo", func(_ context.Context, in map[string]any, o nexus.StartOperationOptions) (map[string]any, error) {
			in["header"] = o.Header.Get("x-test")
			return in, nil
		}),
		nexus.NewSyncOperation("fail", func(context.Context, string, nexus.StartOperationOptions) (string, error) {
			return "", nexus.NewOperationFailedErrorf("refused: %w", errors.New("the root"))
		}),
		nexus.NewSyncOperation("bad", func(context.Context, string, nexus.StartOperationOptions) (string, error) {
			return "", nexus.NewHandlerErrorf(nexus.HandlerErrorTypeBadRequest, "not like this")
		}),
		temporalnexus.NewWorkflowRunOperation("slow", slow, func(ctx context.Context, in time.Duration, o nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
			return options(ctx, in, o)
		}),
		temporalnexus.NewWorkflowRunOperation("failing", failing, func(ctx context.Context, in string, o nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
			return options(ctx, in, o)
		}),
		temporalnexus.NewWorkflowRunOperation("stubborn", stubborn, func(ctx context.Context, in time.Duration, o nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
			return options(ctx, in, o)
		}),
	); err != nil {
		p.t.Fatal(err)
	}
	w.RegisterNexusService(service)
	w.RegisterWorkflowWithOptions(slow, workflow.RegisterOptions{Name: "slow"})
	w.RegisterWorkflowWithOptions(failing, workflow.RegisterOptions{Name: "failing"})
	w.RegisterWorkflowWithOptions(stubborn, workflow.RegisterOptions{Name: "stubborn"})
	if err := w.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(w.Stop)
	name := "e" + strings.NewReplacer("/", "-", "_", "-").Replace(queue)
	_, err := p.c.OperatorService().CreateNexusEndpoint(p.t.Context(), &operatorservice.CreateNexusEndpointRequest{Spec: &nexuspb.EndpointSpec{
		Name: name,
		Target: &nexuspb.EndpointTarget{Variant: &nexuspb.EndpointTarget_Worker_{
			Worker: &nexuspb.EndpointTarget_Worker{Namespace: "default", TaskQueue: queue},
		}},
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	return name
}

func TestNexusOperations(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
import { service, operation, HandlerError } from 'nexus-rpc';
import { NexusOperationFailure } from '@temporalio/common';
const svc = service('svc', {
  echo: operation<any, any>(), fail: operation<string, string>(), bad: operation<string, string>(), slow: operation<number, string>(),
  failing: operation<string, string>(), stubborn: operation<number, string>(),
});
const call = (endpoint: string) => wf.createNexusServiceClient({ endpoint, service: svc });
const told = (e: any): any => e && [e.name, e.message, e.operation ?? e.type, ...(e.cause ? [told(e.cause)] : [])];
const caught = async (f: () => Promise<any>) => { try { return await f(); } catch (e) { return told(e); } };
const ms = 1e6;

export async function sync(endpoint: string) {
  const handle = await call(endpoint).startOperation('echo', { a: 1 }, { summary: 'says it again', scheduleToCloseTimeout: '20s' });
  return [handle.service, handle.operation, handle.token ?? null, await handle.result()];
}
export async function async(endpoint: string) {
  const handle = await call(endpoint).startOperation('slow', 10 * ms);
  return [typeof handle.token, handle.token!.length > 0, await handle.result()];
}
export async function failures(endpoint: string) {
  const c = call(endpoint), out = [];
  out.push(await caught(() => c.executeOperation('fail', 'x')));
  out.push(await caught(() => c.executeOperation('failing', 'x')));
  out.push(await caught(() => c.executeOperation('slow', 60e3 * ms, { scheduleToCloseTimeout: '500ms' })));
  let bad: any;
  try { await c.executeOperation('bad', 'x'); } catch (e) { bad = e; }
  return [...out, told(bad), bad.cause instanceof HandlerError, bad instanceof NexusOperationFailure];
}
export async function thrown(endpoint: string) { await call(endpoint).executeOperation('failing', 'x'); }
async function cancelled(endpoint: string, cancellationType: any, name: any, input: any) {
  const scope = new CancellationScope();
  const handle = await scope.run(() => call(endpoint).startOperation(name, input, { cancellationType }));
  await sleep(1);
  scope.cancel();
  let e: any;
  try { return await handle.result(); } catch (x) { e = x; }
  return [e.name, e.message, e.cause.name, isCancellation(e), e.operationToken === handle.token];
}
export async function cancellations(endpoint: string) {
  return Promise.all([
    ...['TRY_CANCEL', 'ABANDON', 'WAIT_CANCELLATION_COMPLETED', undefined].map((type) => cancelled(endpoint, type, 'slow', 60e3 * ms)),
    cancelled(endpoint, 'WAIT_CANCELLATION_REQUESTED', 'stubborn', 60e3 * ms), // else the end might come first
  ]);
}
export async function stubborn(endpoint: string) { return cancelled(endpoint, 'WAIT_CANCELLATION_COMPLETED', 'stubborn', 200 * ms); }
export async function beforeSent(endpoint: string) {
  const scope = new CancellationScope();
  const started = scope.run(() => call(endpoint).startOperation('slow', ms));
  scope.cancel();
  return caught(() => started);
}
`)
	endpoint := p.nexusEndpoint()
	cancelled := func(message string) string {
		return `["NexusOperationFailure","` + message + `","CancelledFailure",true,true]`
	}
	failed := func(operation, cause string) string {
		return `["NexusOperationFailure","nexus operation completed unsuccessfully","` + operation + `",` + cause + "]"
	}
	for _, c := range []struct{ name, result, events string }{
		{"sync", `["svc","echo",null,{"a":1,"header":""}]`, "Started MarkerRecorded NexusOperationScheduled NexusOperationCompleted Completed"},
		{"async", `["string",true,"slept"]`, "Started MarkerRecorded NexusOperationScheduled NexusOperationStarted NexusOperationCompleted Completed"},
		{"stubborn", `"came to its end"`, ""},
		{"beforeSent", `["NexusOperationFailure","Nexus Operation cancelled before scheduled","slow",["CancelledFailure","",null]]`, "Started MarkerRecorded Completed"},
		{"cancellations", "[" + strings.Join([]string{
			cancelled("Nexus operation cancelled after starting"), cancelled("Nexus operation cancelled after starting"),
			cancelled("nexus operation completed unsuccessfully"), cancelled("nexus operation completed unsuccessfully"),
			cancelled("Nexus operation cancellation request completed"),
		}, ",") + "]", ""},
		{"failures", "[" + failed("fail", `["ApplicationFailure","the root",""]`) + "," + failed("failing", `["ApplicationFailure","no luck","BadLuck"]`) + "," +
			failed("slow", `["TimeoutFailure","operation timed out",null]`) + "," +
			failed("bad", `["HandlerError","handler error (BAD_REQUEST): ","BAD_REQUEST",["ApplicationFailure","","NexusFailure"]]`) + ",true,true]", ""},
	} {
		run := p.start(c.name, endpoint)
		got, err := p.outcome(run)
		if err != nil || got != c.result {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
		if events := p.events(run); c.events != "" && events != c.events {
			t.Errorf("%s: events %s", c.name, events)
		}
		if replayed := replayedResult(t, p, run); replayed != got {
			t.Errorf("%s: replayed %s", c.name, replayed)
		}
		if c.name != "sync" {
			continue
		}
		for _, e := range p.history(run).Events {
			if a := e.GetNexusOperationScheduledEventAttributes(); a != nil && (string(e.GetUserMetadata().GetSummary().GetData()) != `"says it again"` ||
				a.GetScheduleToCloseTimeout().AsDuration() != 20*time.Second) {
				t.Errorf("scheduled %v with %v", a, e.GetUserMetadata())
			}
		}
	}
	_, err := p.outcome(p.start("thrown", endpoint))
	var op *temporal.NexusOperationError
	var app *temporal.ApplicationError
	if !errors.As(err, &op) || op.Operation != "failing" || !errors.As(op, &app) || app.Type() != "BadLuck" {
		t.Errorf("thrown: %#v", err)
	}
}

// An operation carries the task's trace, as Temporal's own interceptors write it.
func TestANexusOperationCarriesTheTrace(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: receiver.URL})
	if err != nil {
		t.Fatal(err)
	}
	p := unstarted(t)
	p.opts.Tracer = tracer
	p.deploy(`
import { service, operation } from 'nexus-rpc';
const svc = service('svc', { echo: operation<any, any>() });
export async function call(endpoint: string) {
  return await wf.createNexusServiceClient({ endpoint, service: svc }).executeOperation('echo', {});
}`)
	p.startWorker()
	run := p.start("call", p.nexusEndpoint())
	if _, err := p.outcome(run); err != nil {
		t.Fatal(err)
	}
	carried := ""
	for _, e := range p.history(run).Events {
		if a := e.GetNexusOperationScheduledEventAttributes(); a != nil {
			carried = a.GetNexusHeader()["traceparent"]
		}
	}
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(carried) {
		t.Errorf("traceparent: %q", carried)
	}
	p.stopWorker()
	if err := tracer.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
