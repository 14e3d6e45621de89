package rows

import (
	"time"

	"workflow-worker/runtime"
)

// Ref names a workflow or component.
type Ref struct {
	Kind string // runtime.KindWorkflow or runtime.KindComponent
	ID   string
}

// Source is a workflow or component as far as planning cares.
type Source struct {
	Ref
	Name    string // kebab name of a workflow, name of a component
	Version string // "" for a component
	Digest  string // of everything that the runner is given of it
}

func (s Source) String() string { return s.Kind + " " + s.Name }

// Desired is what the rows say a project should be.
type Desired struct {
	Exists    bool
	Active    bool // projects.is_active
	Name      string
	TaskQueue string
	Isolated  bool // projects.isolation
	Sources   []Source
	// SwitchedOff holds workflows with is_active = false: their owner said so,
	// they didn't vanish.
	SwitchedOff map[Ref]bool
	// Newest is the newest request, the zero value if there is none.
	Newest Request
	// Restart is the newest restart request.
	Restart Mark
	// Moves are the open executions that were told to run other code.
	Moves []runtime.Move
}

// Forbidden says why the project must not run although it may have code.
func (d Desired) Forbidden() string {
	switch {
	case !d.Exists:
		return "project deleted"
	case !d.Active:
		return "project switched off"
	case d.Newest.Action == ActionStop:
		return "stop request " + d.Newest.ID
	}
	return ""
}

// LiveFact is what is known of a workflow's live code beyond the report.
type LiveFact struct {
	Hash   string
	CodeID string    // workflow_compiled_code.id, "" if unknown
	Since  time.Time // also before this process
}
