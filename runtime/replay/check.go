package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"

	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Check asks which open executions could go on with other code.
type Check struct {
	// ProjectID is for the log, TaskQueue is the project's.
	ProjectID, TaskQueue string
	// Types are the workflow types that are looked at.
	Types []string
	// Execution is the only one to try, if it isn't zero.
	Execution Execution
	// Sample is how many of the newest and how many of the oldest are tried; 0 means maxTried, the
	// oldest first: they are the likeliest to be on other code.
	Sample int
	// Code is what they would go on with, Serves the export that a workflow type means in it.
	Code   *workflow.Code
	Serves func(workflowType string) (export string, err error)
	// TaskTimeout is how long JavaScript may run within one workflow task.
	TaskTimeout time.Duration
	// PassOver names executions that needn't be looked at; nil for none.
	PassOver func(x Execution) bool
	// Concerns is asked which executions are meant, before their code is tried; last names what ran
	// last.
	Concerns func(x Execution, last wire.LastCode) bool
}

const (
	// maxTried bounds the executions of one request.
	maxTried = 500
	// maxListed bounds those among which they are found.
	maxListed = 10_000
	// checkTimeout bounds one execution's replay: a workflow task isn't given longer.
	checkTimeout = 5 * time.Second
)

// Check replays them one after the other. When ctx's time is over, the result has what was found
// until then.
func (e *Executions) Check(ctx context.Context, c Check) (Result, error) {
	var out Result
	open, err := e.find(ctx, c)
	if err != nil {
		return out, err
	}
	out.Truncated = open.more
	for _, x := range open.found {
		if ctx.Err() != nil || out.Checked == maxTried {
			out.Truncated = true
			break
		}
		if c.PassOver != nil && c.PassOver(Execution{WorkflowID: x.ID, RunID: x.RunID}) {
			continue
		}
		if err := e.checkOne(ctx, c, x, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// find finds those to try.
func (e *Executions) find(ctx context.Context, c Check) (openExecutions, error) {
	switch {
	case c.Execution != Execution{}:
		x, err := e.open(ctx, c.TaskQueue, c.Types, c.Execution)
		return openExecutions{found: []wire.RunInfo{x}}, err
	case c.Sample > 0:
		return e.sample(ctx, c.TaskQueue, c.Types, c.Sample)
	}
	out, err := e.newest(ctx, c.TaskQueue, c.Types, maxListed)
	slices.Reverse(out.found)
	return out, err
}

// checkOne adds what becomes of one execution. Its error is Temporal's.
func (e *Executions) checkOne(ctx context.Context, c Check, x wire.RunInfo, out *Result) error {
	history, err := e.history(ctx, x)
	if err != nil {
		return out.unless(ctx, err)
	}
	named := Execution{WorkflowID: x.ID, RunID: x.RunID}
	last, begun := wire.LastCodeOf(history.GetEvents())
	if closed(history) || !begun || !c.Concerns(named, last) {
		return nil
	}
	err = c.replay(ctx, x, history)
	late := ctx.Err() != nil
	misfit := &workflow.Misfit{}
	switch {
	case err == nil:
		out.Fit = append(out.Fit, Fitting{named, last.Hash})
	case late:
		out.Truncated = true
		return nil //nolint:nilerr // as above
	case errors.As(err, &misfit):
		out.Broken = append(out.Broken, BrokenExecution{named, misfit.EventID, misfit.Reason})
	default: // it took too long
		out.Broken = append(out.Broken, BrokenExecution{Execution: named, Reason: fmt.Sprintf("can't be tried: %v", err)})
	}
	out.Checked++
	return nil
}

// unless leaves out an execution whose history can't be tried; an error that is Temporal's comes
// back.
func (out *Result) unless(ctx context.Context, err error) error {
	var gone *serviceerror.NotFound
	late := ctx.Err() != nil
	switch {
	case errors.As(err, &gone): // visibility lags behind
		return nil
	case late, errors.Is(err, wire.ErrTooLong):
		out.Truncated = true
		return nil //nolint:nilerr // what was found until then counts
	}
	return err
}

func (c Check) replay(ctx context.Context, x wire.RunInfo, history *historypb.History) error {
	export, err := c.Serves(x.Type)
	if err != nil {
		return &workflow.Misfit{Reason: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return workflow.CheckReplay(ctx, workflow.Options{ProjectID: c.ProjectID, TaskQueue: c.TaskQueue, TaskTimeout: c.TaskTimeout}, x, history, c.Code, export)
}
