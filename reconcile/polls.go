package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// Polls knows which workers can't ask Temporal for tasks. runtime.Runner is the
// real one.
type Polls interface {
	// FailingPolls gives them by project.
	FailingPolls() map[string]runtime.PollFailure
}

// pollInterval is how often the workers' polls are looked at.
const pollInterval = 2 * time.Second

// watchPolls tells, until ctx ends, the rows and the observer which workers can't
// ask Temporal for tasks. It asks neither Temporal nor the database.
func (r *Reconciler) watchPolls(ctx context.Context) {
	for trouble.Sleep(ctx, pollInterval) {
		r.lookAtPolls(ctx)
	}
}

func (r *Reconciler) lookAtPolls(ctx context.Context) {
	found := map[string]rows.PollFailure{}
	for id, f := range r.cfg.Polls.FailingPolls() {
		found[id] = rows.PollFailure{Since: f.Since.UTC().Truncate(time.Millisecond), Error: rows.Bounded(f.Error)}
	}
	var changed []string
	r.mu.Lock()
	before := r.polls
	r.polls = found
	running := 0
	for id, c := range r.cards {
		if c.status == rows.StatusRunning {
			running++
		}
		if before[id] != found[id] {
			changed = append(changed, id)
		}
	}
	r.mu.Unlock()
	for _, id := range changed {
		r.queue.resync(id) // the pass writes the row anew
	}
	var some, all error
	if len(found) > 0 {
		first := found[slices.Sorted(maps.Keys(found))[0]]
		err := fmt.Errorf("%d of %d, since %s: %s", len(found), max(running, len(found)), first.Since.Format(time.RFC3339), first.Error)
		if len(found) >= running {
			all = err
		} else {
			some = err
		}
	}
	r.tellPolls(ctx, "polls", all)
	r.tellPolls(ctx, "some polls", some)
}

func (r *Reconciler) tellPolls(ctx context.Context, kind string, err error) {
	if err != nil {
		r.quiet.Fail(ctx, kind, trouble.Fails(kind), err)
	} else {
		r.quiet.Recover(ctx, kind, "workers can ask Temporal for tasks again")
	}
}
