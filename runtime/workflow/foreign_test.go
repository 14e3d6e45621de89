package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commandpb "go.temporal.io/api/command/v1"

	commonpb "go.temporal.io/api/common/v1"

	enumspb "go.temporal.io/api/enums/v1"

	sdkpb "go.temporal.io/api/sdk/v1"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

// beginElsewhere completes an execution's first task as another SDK's worker does.
func (p *project) beginElsewhere(sdk string, commands ...*commandpb.Command) client.WorkflowRun {
	p.t.Helper()
	run := p.startWith(quickTasks, "run")
	api := p.c.WorkflowService()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	task, err := api.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
		Namespace: "default", TaskQueue: &taskqueuepb.TaskQueue{Name: p.queue}, Identity: "12@elsewhere",
	})
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = api.RespondWorkflowTaskCompleted(ctx, &workflowservice.RespondWorkflowTaskCompletedRequest{
		Namespace: "default", TaskToken: task.GetTaskToken(), Commands: commands, Identity: "12@elsewhere",
		SdkMetadata: &sdkpb.WorkflowTaskCompletedMetadata{SdkName: sdk, SdkVersion: "1.24.0"},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return run
}

func timerCommand(after time.Duration) *commandpb.Command {
	return &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_START_TIMER, Attributes: &commandpb.Command_StartTimerCommandAttributes{
		StartTimerCommandAttributes: &commandpb.StartTimerCommandAttributes{TimerId: "1", StartToFireTimeout: durationpb.New(after)},
	}}
}

func markerCommand(name string, details map[string]string) *commandpb.Command {
	m := &commandpb.RecordMarkerCommandAttributes{MarkerName: name, Details: map[string]*commonpb.Payloads{}}
	for k, v := range details {
		m.Details[k] = &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload([]byte(v))}}
	}
	return &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_RECORD_MARKER, Attributes: &commandpb.Command_RecordMarkerCommandAttributes{RecordMarkerCommandAttributes: m}}
}

func TestAnExecutionThatAnotherWorkerBeganIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sdk, says string
		commands  []*commandpb.Command
	}{
		"a timer of Node's":             {"temporal-typescript", "Temporal's TypeScript SDK on Node 1.24.0, 12@elsewhere", []*commandpb.Command{timerCommand(time.Millisecond)}},
		"a patch of Node's":             {"temporal-typescript", "Temporal's TypeScript SDK on Node 1.24.0", []*commandpb.Command{markerCommand("core_patch", map[string]string{"patch-data": `{"id":"p"}`}), timerCommand(time.Millisecond)}},
		"a local activity of Node's":    {"temporal-typescript", "Temporal's TypeScript SDK on Node 1.24.0", []*commandpb.Command{markerCommand("core_local_activity", map[string]string{"data": `{"seq":1}`}), timerCommand(time.Millisecond)}},
		"a side effect of Go's":         {"temporal-go", "Temporal's Go SDK 1.24.0", []*commandpb.Command{markerCommand("SideEffect", map[string]string{"side-effect-id": "1", "data": `"mine"`}), timerCommand(time.Millisecond)}},
		"of an SDK that nobody knows":   {"our-own", "our-own 1.24.0", []*commandpb.Command{timerCommand(time.Millisecond)}},
		"of one that doesn't say whose": {"", "another worker (1.24.0", []*commandpb.Command{timerCommand(time.Millisecond)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unstarted(t)
			p.deploy(`export async function run() { await sleep(1); return 'ours'; }`)
			run := p.beginElsewhere(c.sdk, c.commands...)
			p.startWorker()
			var said string
			p.until("its task failed", func() bool {
				for _, e := range p.history(run).Events {
					if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil {
						said = a.GetFailure().GetMessage()
					}
				}
				return said != ""
			})
			if !strings.HasPrefix(said, "this execution was begun by another worker") || !strings.Contains(said, c.says) || !strings.Contains(said, wire.HintForeign) ||
				!strings.Contains(said, "in workflow type run") {
				t.Error(said)
			}
			if !slices.Contains(p.seen.failures(), wire.ReasonForeign) {
				t.Errorf("reasons %v", p.seen.failures())
			}
			if !p.seen.stuckIn(run.GetRunID()) {
				t.Error("nobody was told that it gets no further")
			}
			// What the hint says: reset to its first task it begins anew, here.
			resp, err := p.c.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
				Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
				WorkflowTaskFinishEventId: 4, Reason: "a test", RequestId: fmt.Sprint(p.queue, name),
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.result(p.c.GetWorkflow(t.Context(), run.GetID(), resp.GetRunId())); got != `"ours"` {
				t.Errorf("reset, it came to %s", got)
			}
			p.forget(run)
		})
	}
}

// forget leaves out of the final replay what is no execution of ours.
func (p *project) forget(run client.WorkflowRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = slices.DeleteFunc(p.runs, func(r client.WorkflowRun) bool { return r.GetRunID() == run.GetRunID() })
}

func TestAQueryOfAnExecutionThatAnotherWorkerRanSaysSo(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]*commandpb.Command{
		"without a pin":          nil,
		"with an unknown marker": markerCommand("core_patch", map[string]string{"patch-data": `{"id":"p"}`}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := unstarted(t)
			p.deploy(`export async function run() { setHandler(defineQuery('q'), () => 1); await sleep(1); }`)
			commands := []*commandpb.Command{{
				CommandType: enumspb.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{
					CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{},
				},
			}}
			if first != nil {
				commands = slices.Insert(commands, 0, first)
			}
			run := p.beginElsewhere("temporal-typescript", commands...)
			p.forget(run)
			p.startWorker()
			_, err := p.tryQuery(run, "q")
			if err == nil || !strings.HasPrefix(err.Error(), "this execution was begun by another worker (Temporal's TypeScript SDK on Node 1.24.0") {
				t.Error(err)
			}
		})
	}
}

func TestOursAreNeverForeign(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function run() { await sleep(1); }`)
	run := p.start("run")
	_ = p.result(run)
	h := p.history(run)
	for i := range h.Events {
		// Before the pin is in the history no task was completed either.
		if f := wire.Foreigner(h.Events[:i+1]); f != nil && h.Events[i].GetWorkflowTaskCompletedEventAttributes() == nil {
			t.Errorf("after %d events it is of %v", i+1, f)
		}
	}
}
