package workflow

import (
	"context"
	"time"

	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/workflow/wire"
)

const (
	// mostWait is how long an entry waits for its turn among its project's that compute for long: of
	// the server's ten seconds for a task, or for a query, its own one has to be left.
	mostWait = 8 * time.Second
	// waitShare is the part of another timeout that is waited for likewise.
	waitShare = 0.8
	noTurn    = "other executions of the project compute for long, and this one had no turn"
	hintTurn  = "Nothing is wrong with this execution: it is tried again. Workflow code must return to Temporal between steps, and leave to activities what takes long."
)

// turn waits for the execution's turn. What it waits is neither JavaScript's time nor the task's; for
// a task it is bounded in all. A replay waits once: what it goes through took no longer before.
func (d *definition) turn() (over func(), err error) {
	if d.replaying && d.hadTurn && !d.o.unproven {
		return func() {}, nil
	}
	most := mostWait
	if timeout := d.env.WorkflowInfo().WorkflowTaskTimeout; timeout > 0 {
		most = time.Duration(waitShare * float64(timeout))
	}
	began := time.Now()
	over, err = d.in.turn(context.Background(), max(most-d.waited, time.Millisecond))
	d.waited += time.Since(began)
	d.hadTurn = err == nil
	return over, err
}

// turn waits for the instance's turn, as long as patience lasts. The error is a failure of the task. A
// replay that tries code goes on without one: it says whether the code fits, and nothing else.
func (in *instance) turn(ctx context.Context, patience time.Duration) (over func(), err error) {
	over, err = in.code.opts.Turns.Begin(ctx, cores.Workflow, &in.code.habit, patience)
	switch {
	case err == nil:
		return over, nil
	case in.unproven:
		return func() {}, nil
	}
	return nil, &wire.TaskFailure{Reason: wire.ReasonNoTurn, Message: noTurn, Hint: hintTurn}
}
