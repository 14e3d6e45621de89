package workflow

import (
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	sdkworkflow "go.temporal.io/sdk/workflow"

	"workflow-worker/runtime/workflow/protocol"
)

// loneEnvironment is as much of the SDK as a waiting execution needs: for measuring what we hold,
// not what the SDK does.
type loneEnvironment struct {
	bindings.WorkflowEnvironment
	info sdkworkflow.Info
}

func (e *loneEnvironment) WorkflowInfo() *sdkworkflow.Info { return &e.info }
func (e *loneEnvironment) Now() time.Time                  { return time.Unix(1e9, 0) }
func (e *loneEnvironment) IsReplaying() bool               { return false }
func (e *loneEnvironment) RegisterCancelHandler(func())    {}
func (e *loneEnvironment) GetFailureConverter() converter.FailureConverter {
	return temporal.GetDefaultFailureConverter()
}
func (e *loneEnvironment) RegisterSignalHandler(func(string, *commonpb.Payloads, *commonpb.Header) error) {
}
func (e *loneEnvironment) RegisterQueryHandler(func(string, *commonpb.Payloads, *commonpb.Header) (*commonpb.Payloads, error)) {
}
func (e *loneEnvironment) RegisterUpdateHandler(func(string, string, *commonpb.Payloads, *commonpb.Header, bindings.UpdateCallbacks)) {
}
func (e *loneEnvironment) SideEffect(f func() (*commonpb.Payloads, error), callback bindings.ResultHandler, _ string, _ protocol.Groups) {
	callback(f())
}

func (e *loneEnvironment) NewTimer(time.Duration, sdkworkflow.TimerOptions, protocol.Groups, bindings.ResultHandler) *bindings.TimerID {
	return &bindings.TimerID{}
}

func waitingDefinition(t testing.TB, p *project) *definition {
	t.Helper()
	return waitingFor(t, p, "waits")
}

func waitingFor(t testing.TB, p *project, workflowType string) *definition {
	t.Helper()
	d := begun(p, workflowType)
	d.OnWorkflowTaskStarted(0)
	return d
}

// begun gives a definition whose first task is to come.
func begun(p *project, workflowType string) *definition {
	d := NewFactory(p.opts).NewWorkflowDefinition().(*definition)
	e := &loneEnvironment{info: sdkworkflow.Info{WorkflowType: sdkworkflow.Type{Name: workflowType}, WorkflowStartTime: time.Unix(1e9, 0)}}
	d.Execute(e, nil, nil)
	return d
}
