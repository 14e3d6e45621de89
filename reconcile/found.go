package reconcile

import (
	"maps"
	"slices"
	"sync"

	"workflow-worker/reconcile/rows"
)

// found is what goes on beside the passes has found out about the projects, for the passes to
// show. Its values are replaced, never changed.
type found struct {
	census   *findings[rows.Census]
	keptCode *findings[rows.KeptCodes]
	failing  *findings[rows.FailingByWorkflow]
	polls    *findings[rows.PollFailure]
	waiting  *findings[[]rows.Quarantined]
}

// foundOf is what was found out about one project.
type foundOf struct {
	census   rows.Census
	keptCode rows.KeptCodes
	failing  rows.FailingByWorkflow
	polls    rows.PollFailure // zero: they don't fail
	waiting  []rows.Quarantined
}

func newFound() found {
	return found{
		census:   &findings[rows.Census]{same: rows.Census.Equal},
		keptCode: &findings[rows.KeptCodes]{same: func(a, b rows.KeptCodes) bool { return maps.EqualFunc(a, b, slices.Equal[[]rows.KeptCode]) }},
		failing:  &findings[rows.FailingByWorkflow]{same: func(a, b rows.FailingByWorkflow) bool { return maps.Equal(a, b) }},
		polls:    &findings[rows.PollFailure]{same: func(a, b rows.PollFailure) bool { return a == b }},
		waiting:  &findings[[]rows.Quarantined]{same: slices.Equal[[]rows.Quarantined]},
	}
}

// of gives what was found out about a project.
func (f found) of(id string) foundOf {
	return foundOf{census: f.census.of(id), keptCode: f.keptCode.of(id), failing: f.failing.of(id), polls: f.polls.of(id), waiting: f.waiting.of(id)}
}

// forget drops what was counted of a project that is gone: one of the same id begins anew.
func (f found) forget(id string) { f.census.forget(id) }

// findings are one kind of it.
type findings[T any] struct {
	same func(a, b T) bool

	mu        sync.Mutex // guards byProject
	byProject map[string]T
}

func (f *findings[T]) of(id string) T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byProject[id]
}

func (f *findings[T]) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byProject, id)
}

// replace takes over new findings and names the projects of which they are others than before.
func (f *findings[T]) replace(by map[string]T) (changed []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, now := range by {
		if !f.same(f.byProject[id], now) {
			changed = append(changed, id)
		}
	}
	for id, was := range f.byProject {
		var none T
		if _, still := by[id]; !still && !f.same(was, none) {
			changed = append(changed, id)
		}
	}
	f.byProject = by
	return changed
}
