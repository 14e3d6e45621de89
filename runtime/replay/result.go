package replay

import "workflow-worker/runtime/workflow"

// Execution names one run in Temporal.
type Execution struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"` // "" where the newest run is meant
}

// BrokenExecution is an open execution whose history new code doesn't fit.
type BrokenExecution struct {
	Execution
	EventID int64  // at which history and code part; 0 if unknown
	Reason  string // for people
}

// Problem says where and why new code doesn't fit.
func (x BrokenExecution) Problem() string {
	return (&workflow.Misfit{EventID: x.EventID, Reason: x.Reason}).Error()
}

// Fitting is an execution that could go on with the code that was asked for.
type Fitting struct {
	Execution
	Hash string // of the code that it runs now
}

// Result says what a Check found.
type Result struct {
	// Checked is how many executions were tried.
	Checked int
	// Fit could go on with the code, Broken couldn't: they are those that were tried.
	Fit    []Fitting
	Broken []BrokenExecution
	// Truncated says that there are more executions than were tried.
	Truncated bool
}

// RefusedError is an error for what asking again won't change: the target doesn't compile; the
// execution isn't there, has closed, is on another task queue than the project's, or is of another
// workflow row. Any other error is worth another try.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }
