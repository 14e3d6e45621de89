package upkeep

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

// FailingPolls knows which workers can't ask Temporal for tasks. runtime.Runner is the
// real one.
type FailingPolls interface {
	// FailingPolls gives them by project.
	FailingPolls() map[string]runtime.PollFailure
}

// pollInterval is how often the workers' polls are looked at.
const pollInterval = 2 * time.Second

// PollsConfig is what NewPolls needs. All of it is required.
type PollsConfig struct {
	Trouble *trouble.Log
	Failing FailingPolls
	Running func() int // how many workers run
	// Found is given those that can't, by project.
	Found func(map[string]rows.PollFailure)
}

// Polls tells which workers can't ask Temporal for tasks. It asks neither Temporal nor the
// database.
type Polls struct{ PollsConfig }

// NewPolls returns one that does nothing until Run.
func NewPolls(cfg PollsConfig) *Polls { return &Polls{cfg} }

// Run looks until ctx ends.
func (s *Polls) Run(ctx context.Context) {
	for trouble.Sleep(ctx, pollInterval) {
		s.look(ctx)
	}
}

func (s *Polls) look(ctx context.Context) {
	found := map[string]rows.PollFailure{}
	for id, f := range s.Failing.FailingPolls() {
		found[id] = rows.PollFailure{Since: f.Since.UTC().Truncate(time.Millisecond), Error: rows.Bounded(f.Error)}
	}
	running := s.Running()
	s.Found(found)
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
	s.tell(ctx, "polls", all)
	s.tell(ctx, "some polls", some)
}

func (s *Polls) tell(ctx context.Context, kind string, err error) {
	if err != nil {
		s.Trouble.Fail(ctx, kind, trouble.Fails(kind), err)
	} else {
		s.Trouble.Recover(ctx, kind, "workers can ask Temporal for tasks again")
	}
}
