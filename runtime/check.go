package runtime

import (
	"context"
	"fmt"
	"slices"

	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow/wire"
)

// What a replay check says; the room replay has it.
type (
	Execution       = replay.Execution
	BrokenExecution = replay.BrokenExecution
	Fitting         = replay.Fitting
	RefusedError    = replay.RefusedError
)

// Check asks which open executions of a workflow row could go on with other code of it.
type Check struct {
	WorkflowID string // workflows.id
	// Target is the code; it needn't be live, nor stored. Without a hash it gets one, with the npm
	// packages that there are now.
	Target StoredCode
	// Name is the row's kebab name.
	Name string
	// Execution is the one to try; the zero value means all open ones.
	Execution Execution
}

// CheckResult says what a Check found.
type CheckResult struct {
	// Target is the code as it has to be kept, with Packages, before any execution can be moved to
	// it.
	Target   StoredModule
	Packages []StoredPackages

	Checked int
	// Fit could go on with the target, Broken couldn't.
	Fit    []Fitting
	Broken []BrokenExecution
	// Truncated says that there are more executions than were tried. Those that run the target
	// already, or were told to (Project.Moves), are passed over, so that asking again gets further.
	Truncated bool
}

// Check replays the histories of executions against other code. It changes nothing. If ctx's time
// is over, the result has what was found until then.
func (r *Runner) Check(ctx context.Context, projectID string, c Check) (CheckResult, error) {
	pr := r.running(projectID)
	if pr == nil {
		return CheckResult{}, ErrNotRunning
	}
	target, err := pr.targetOf(ctx, c)
	if err != nil {
		return CheckResult{}, err
	}
	l := pr.live.Load()
	served := []*module{target}
	if current := l.find(KindWorkflow, c.WorkflowID); current != nil {
		served = append(served, current)
	}
	found, err := replay.NewExecutions(r.cfg.Client).Check(ctx, replay.Check{
		ProjectID: projectID, TaskQueue: pr.taskQueue, Types: typesOf(served...), Execution: c.Execution,
		Code: target.workflow, Serves: target.serves, TaskTimeout: r.cfg.WorkflowTaskTimeout,
		PassOver: func(x Execution) bool { return l.moves[x.RunID] == target.stored.Hash },
		Concerns: func(x Execution, last wire.LastCode) bool {
			// One that was told to go elsewhere, and hasn't yet, may be told to stay.
			return last.Hash != target.stored.Hash || l.moves[x.RunID] != ""
		},
	})
	out := CheckResult{Target: target.stored, Checked: found.Checked, Fit: found.Fit, Broken: found.Broken, Truncated: found.Truncated}
	for _, p := range target.packages {
		out.Packages = append(out.Packages, storedPackages(p))
	}
	return out, err
}

// targetOf builds the code that is asked about, or finds it.
func (p *project) targetOf(ctx context.Context, c Check) (*module, error) {
	for _, m := range append(slices.Clone(p.live.Load().modules), p.old.all()...) {
		if m.workflow != nil && m.stored.Hash == c.Target.Hash {
			return m, nil
		}
	}
	m, err := p.r.buildWorkflow(ctx, p.id, StoredModule{
		Hash: c.Target.Hash, Kind: KindWorkflow, WorkflowID: c.WorkflowID, Name: c.Name, Version: c.Target.Version,
		Code: c.Target.Code, ActivitiesCode: c.Target.ActivitiesCode, Packages: c.Target.Packages, ActivitiesPackages: c.Target.ActivitiesPackages,
	}, "")
	if err != nil && isTextsFault(ctx, err) {
		return nil, &RefusedError{Reason: fmt.Sprintf("version %s can't be run: %v", c.Target.Version, err)}
	}
	return m, err
}
