package reconcile

import (
	"maps"
	"sync"
)

// totals are sums over the cards, for the observer.
type totals struct {
	observer Observer

	telling sync.Mutex // makes the observer see them in their order

	mu     sync.Mutex     // guards what follows
	counts map[string]int // cards by status
	broken int
}

func newTotals(o Observer) *totals { return &totals{observer: o, counts: map[string]int{}} }

// count adds a card, or takes it away.
func (t *totals) count(c card, by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken += by * c.broken
	t.counts[c.status] += by
	if t.counts[c.status] == 0 {
		delete(t.counts, c.status)
	}
}

func (t *totals) of(status string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[status]
}

func (t *totals) tell() {
	t.telling.Lock()
	defer t.telling.Unlock()
	t.mu.Lock()
	counts, broken := maps.Clone(t.counts), t.broken
	t.mu.Unlock()
	t.observer.ProjectsByStatus(counts)
	t.observer.CompileErrors(broken)
}
