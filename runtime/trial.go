package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"

	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// trial asks which open executions could go on with a module.
type trial struct {
	projectID string
	taskQueue string
	types     []string
	execution Execution // if it isn't zero, the only one
	// sample is how many of the newest and how many of the oldest are tried; 0 means maxTried, the oldest first: they are the
	// likeliest to be on other code.
	sample int
	module *module
	// passOver names executions that needn't be looked at; nil for none.
	passOver func(x Execution) bool
	// concerns is asked which executions are meant, before their code is tried; ran names what ran last.
	concerns func(x Execution, ran wire.LastCode) bool
}

const (
	// maxTried bounds the executions of one request.
	maxTried = 500
	// maxListed bounds those among which they are found.
	maxListed = 10_000
	// trialTimeout bounds one execution's replay: a workflow task isn't given longer.
	trialTimeout = 5 * time.Second
)

// try replays them one after the other. When ctx's time is over, the result has what was found until then.
func (r *Runner) try(ctx context.Context, t trial) (CheckResult, error) {
	var out CheckResult
	open, err := r.executions(ctx, t)
	if err != nil {
		return out, err
	}
	out.Truncated = open.more
	for _, x := range open.found {
		if ctx.Err() != nil || out.Checked == maxTried {
			out.Truncated = true
			break
		}
		if t.passOver != nil && t.passOver(Execution{WorkflowID: x.ID, RunID: x.RunID}) {
			continue
		}
		if err := r.tryOne(ctx, t, x, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (r *Runner) executions(ctx context.Context, t trial) (openExecutions, error) {
	e := NewExecutions(r.cfg.Client)
	switch {
	case t.execution != Execution{}:
		x, err := e.open(ctx, t.taskQueue, t.types, t.execution)
		return openExecutions{found: []wire.Execution{x}}, err
	case t.sample > 0:
		return e.sample(ctx, t.taskQueue, t.types, t.sample)
	}
	out, err := e.newest(ctx, t.taskQueue, t.types, maxListed)
	slices.Reverse(out.found)
	return out, err
}

// tryOne adds what becomes of one execution. Its error is Temporal's.
func (r *Runner) tryOne(ctx context.Context, t trial, x wire.Execution, out *CheckResult) error {
	history, err := r.history(ctx, x)
	if err != nil {
		return out.unless(ctx, err)
	}
	named := Execution{WorkflowID: x.ID, RunID: x.RunID}
	ran, begun := wire.LastCodeOf(history.GetEvents())
	if closed(history) || !begun || !t.concerns(named, ran) {
		return nil
	}
	err = r.fits(ctx, t, x, history)
	late := ctx.Err() != nil
	misfit := &workflow.Misfit{}
	switch {
	case err == nil:
		out.Fit = append(out.Fit, Fitting{named, ran.Hash})
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

// unless leaves out an execution whose history can't be tried; an error that is Temporal's comes back.
func (out *CheckResult) unless(ctx context.Context, err error) error {
	var gone *serviceerror.NotFound
	late := ctx.Err() != nil
	switch {
	case errors.As(err, &gone): // visibility lags behind
		return nil
	case late, errors.Is(err, errTooLong):
		out.Truncated = true
		return nil //nolint:nilerr // what was found until then counts
	}
	return err
}

func (r *Runner) fits(ctx context.Context, t trial, x wire.Execution, history *historypb.History) error {
	export, err := t.module.serves(x.Type)
	if err != nil {
		return &workflow.Misfit{Reason: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	return workflow.Fits(ctx, workflow.Options{ProjectID: t.projectID, TaskQueue: t.taskQueue, TaskTimeout: r.cfg.WorkflowTaskTimeout}, x, history, t.module.workflow, export)
}

var errTooLong = fmt.Errorf("the history is longer than %d events, too long to be tried on other code", wire.MaxEvents)

func (r *Runner) history(ctx context.Context, x wire.Execution) (*historypb.History, error) {
	h := &historypb.History{}
	events := r.cfg.Client.GetWorkflowHistory(ctx, x.ID, x.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", x.ID, err)
		}
		h.Events = append(h.Events, e)
		if len(h.Events) > wire.MaxEvents {
			return nil, errTooLong
		}
	}
	return h, nil
}

// closed reports whether a history has its last event.
func closed(h *historypb.History) bool {
	if len(h.GetEvents()) == 0 {
		return false
	}
	switch h.GetEvents()[len(h.GetEvents())-1].GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	}
	return false
}
