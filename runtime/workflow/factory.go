package workflow

import (
	bindings "go.temporal.io/sdk/internalbindings"

	"workflow-worker/runtime/logkey"
)

// NewFactory makes the factory that a worker registers with RegisterDynamicWorkflow: it serves
// every workflow type that the resolver knows.
func NewFactory(o Options) bindings.WorkflowDefinitionFactory {
	o = o.withDefaults()
	o.Logger = o.Logger.With(logkey.Project, o.ProjectID)
	o.Tasks.Watch(o.TaskQueue, o.hears())
	return factory{o}
}

type factory struct{ o Options }

func (f factory) NewWorkflowDefinition() bindings.WorkflowDefinition {
	return &definition{o: f.o}
}
