package runtime

import (
	"context"
	"errors"
)

// Check asks which open executions of a workflow row could go on with other code of it.
type Check struct {
	WorkflowID string // workflows.id
	// Target is the code; it needn't be live, nor stored. Without a hash it gets one, with the npm packages that there are now.
	Target StoredCode
	// Name is the row's kebab name.
	Name string
	// Execution is the one to try; the zero value means all open ones.
	Execution Execution
}

// CheckResult says what a Check found.
type CheckResult struct {
	// Target is the code as it has to be kept, with Packages, before any execution can be moved to it.
	Target   StoredModule
	Packages []StoredPackages

	Checked int
	// Fit could go on with the target, Broken couldn't.
	Fit    []Fitting
	Broken []BrokenExecution
	// Truncated says that there are more executions than were tried. Those that run the target already, or were told to
	// (Project.Moves), are passed over, so that asking again gets further.
	Truncated bool
}

// RefusedError is Check's error for what asking again won't change: the target doesn't compile; the execution isn't there, has
// closed, is on another task queue than the project's, or is of another workflow row. Any other error is worth another try.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Fitting is an execution that could go on with the code that was asked for.
type Fitting struct {
	Execution
	Hash string // of the code that it runs now
}

// Check replays the histories of executions against other code. It changes nothing.
func (r *Runner) Check(_ context.Context, projectID string, _ Check) (CheckResult, error) {
	if r.running(projectID) == nil {
		return CheckResult{}, ErrNotRunning
	}
	return CheckResult{}, errors.New("executions can't be checked against other code yet")
}
