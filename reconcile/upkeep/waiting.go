package upkeep

import (
	"context"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// Quarantine knows who isn't tried because of how its code ended processes. cell.Cells is the real
// one.
type Quarantine interface {
	// Quarantined gives executions, and projects themselves, by project.
	Quarantined() map[string][]runtime.Suspect
}

// Waiting has rows show who waits. It asks neither Temporal nor the database.
type Waiting struct {
	in    Quarantine
	found func(map[string][]rows.Quarantined)
}

// NewWaiting returns one that does nothing until Run; found is given those who wait, by project.
func NewWaiting(in Quarantine, found func(map[string][]rows.Quarantined)) *Waiting {
	return &Waiting{in, found}
}

// Run looks until ctx ends.
func (w *Waiting) Run(ctx context.Context) {
	for trouble.Sleep(ctx, pollInterval) {
		found := map[string][]rows.Quarantined{}
		for id, list := range w.in.Quarantined() {
			found[id] = rows.NewQuarantined(list)
		}
		w.found(found)
	}
}
