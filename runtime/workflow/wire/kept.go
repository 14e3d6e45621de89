package wire

import (
	"context"
	"log/slog"

	"workflow-worker/runtime/logkey"
)

// RunInfo names one run and its workflow type.
type RunInfo struct{ ID, RunID, Type string }

// Kept is a run of a workflow that is in the SDK's cache. Its methods are called from the
// connection's goroutines; they are cheap and don't block.
type Kept interface {
	// Code says what it runs on, and what people call that; ok is false if there is nothing yet, or
	// nothing any more.
	Code() (title string, last LastCode, ok bool)
	// Moves says to which code it is to go on with at its next task; false if it stays, or can't be
	// moved now.
	Moves() (hash string, moves bool)
	// Failed is what its task failed with, by its own account; nil if it knows of nothing.
	Failed() *TaskFailure
	// Report takes what the SDK found wrong with its task, completes it, and tells of it.
	Report(f *TaskFailure)
}

// Observer counts. Its method is cheap and doesn't block.
type Observer interface {
	// WorkflowTaskFailed counts failed workflow tasks by one of the Reasons.
	WorkflowTaskFailed(reason string)
}

// Project is who hears of the executions of one project.
type Project struct {
	Logger   *slog.Logger
	Observer Observer
	Ends     TaskEnds
}

// Report counts a failed task and logs it.
func (p Project) Report(ctx context.Context, x RunInfo, f *TaskFailure) {
	p.Observer.WorkflowTaskFailed(f.Reason)
	p.Logger.WarnContext(ctx, "a workflow task failed", logkey.Workflow, f.WorkflowType, logkey.WorkflowID, x.ID, logkey.RunID, x.RunID,
		logkey.Reason, f.Reason, logkey.Error, f)
}
