package workflow

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/workflow/wire"
)

// beginAgain has the SDK begin the task under way again, with the whole history and another
// definition, which gets a place in another runtime: what this one had in its runtime is lost, or
// is to be somewhere else. The server notices nothing. It reports whether that is possible; then
// the task must come to an end at once.
func (d *definition) beginAgain() bool {
	ctx, cancel := context.WithTimeout(context.Background(), d.o.ResolveTimeout)
	defer cancel()
	if !d.o.Tasks.Again(ctx, d.x.RunID) {
		return false
	}
	// The end of the execution is what the SDK asks nothing more after, wherever in the history it
	// is. It never leaves the process.
	d.completed, d.beginsAgain = true, true
	d.env.Complete(nil, wire.ErrAgain)
	return true
}

// askAgain answers a query of an execution whose runtime was discarded: by a replay of what there
// is of its history.
func (d *definition) askAgain(name string, args *commonpb.Payloads, header *commonpb.Header) (answer *commonpb.Payloads, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxTaskFactor*d.o.TaskTimeout)
	defer cancel()
	h, err := d.o.Tasks.History(ctx, d.x.RunID)
	if err != nil {
		return nil, err
	}
	asked := false
	t := replayCheck{ctx: ctx, o: d.o, x: d.x, events: h.GetEvents(), code: d.in.code, export: d.export, end: func(again *definition) {
		answer, err = again.query(name, args, header)
		asked = true
	}}
	if t.find(); len(t.tasks) == 0 {
		return nil, errDiscarded
	}
	if failed := t.replay(len(t.tasks) - 1); failed != nil && !asked {
		return nil, failed
	}
	if !asked {
		return nil, errors.New("its replay gave no answer")
	}
	return answer, err
}
