package workflow

import (
	"log/slog"
	"testing"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	bindings "go.temporal.io/sdk/internalbindings"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// replayedResult replays a run's history and gives the result that the replay came to, which the
// SDK doesn't compare.
func replayedResult(t testing.TB, p *project, run client.WorkflowRun) string {
	t.Helper()
	result, err := p.resultOfReplay(workflow.Execution{ID: run.GetID(), RunID: run.GetRunID()}, p.history(run))
	if err != nil {
		t.Error(err)
	}
	return result
}

func (p *project) resultOfReplay(x workflow.Execution, h *historypb.History) (string, error) {
	o := p.opts
	o.Tasks = wire.NewTasks()
	defer o.Tasks.Replay(x.RunID, h.Events)()
	spy := &resultSpy{factory: NewFactory(o)}
	r := worker.NewWorkflowReplayer()
	r.RegisterDynamicWorkflow(bindings.WorkflowDefinitionFactory(spy), workflow.DynamicRegisterOptions{})
	err := r.ReplayWorkflowHistoryWithOptions(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: x})
	return spy.result, err
}

// resultSpy stands between the SDK and a definition to see what it completes with.
type resultSpy struct {
	factory bindings.WorkflowDefinitionFactory
	result  string
}

func (s *resultSpy) NewWorkflowDefinition() bindings.WorkflowDefinition {
	return &spiedDefinition{s.factory.NewWorkflowDefinition(), s}
}

type spiedDefinition struct {
	bindings.WorkflowDefinition
	spy *resultSpy
}

func (d *spiedDefinition) Execute(env bindings.WorkflowEnvironment, h *commonpb.Header, in *commonpb.Payloads) {
	d.WorkflowDefinition.Execute(&spiedEnvironment{env, d.spy}, h, in)
}

type spiedEnvironment struct {
	bindings.WorkflowEnvironment
	spy *resultSpy
}

func (e *spiedEnvironment) Complete(result *commonpb.Payloads, err error) {
	if p := result.GetPayloads(); len(p) == 1 {
		e.spy.result = string(p[0].GetData())
	}
	e.WorkflowEnvironment.Complete(result, err)
}
