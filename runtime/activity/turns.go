package activity

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// longEntry is what an entry into JavaScript takes of the processor at least that counts as
	// long: a good part of what Go gives a goroutine before it looks at others, many times over.
	longEntry = 50 * time.Millisecond
	// knownEntries is how many entries a component must have made before it is known not to compute
	// for long.
	knownEntries = 20
	// longRemembered is for how long after such an entry a component counts as one that does.
	longRemembered = time.Minute
)

// Turns share the processor's cores with other projects: of one project's components that compute for
// long without an await so many do so at once that a core is left. Go shares the time among
// goroutines, not among projects: ten that compute have others wait ten times as long, at each of the
// dozen steps that a small task takes. What awaits soon waits for nobody here. They are of one project; nil
// has no limit. Safe for concurrent use.
type Turns struct {
	most  int
	alone func() bool

	mu      sync.Mutex // guards what follows
	taken   int
	waiting []chan struct{}
}

// NewTurns are those of one project. alone tells that no other uses the cores.
func NewTurns(alone func() bool) *Turns {
	return &Turns{most: max(1, runtime.GOMAXPROCS(0)-1), alone: alone}
}

// begin waits until it is the caller's turn, or ctx ends. end is nil if there is none to end.
func (t *Turns) begin(ctx context.Context) (end func()) {
	if t == nil || t.alone() {
		return nil
	}
	t.mu.Lock()
	if t.taken < t.most {
		t.taken++
		t.mu.Unlock()
		return t.end
	}
	turn := make(chan struct{})
	t.waiting = append(t.waiting, turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return t.end
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, w := range t.waiting {
		if w == turn {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			return nil
		}
	}
	return t.end // it came at the same moment
}

// end hands the turn to who has waited for longest.
func (t *Turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.taken--
		return
	}
	close(t.waiting[0])
	t.waiting = t.waiting[1:]
}

// habit is how long a component computes without an await.
type habit struct {
	mu      sync.Mutex // guards what follows
	entries int
	long    time.Time // the last entry that was
}

// short tells that it hasn't done so for long, as far as is known.
func (h *habit) short() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entries >= knownEntries && (h.long.IsZero() || time.Since(h.long) > longRemembered)
}

// took notes what an entry took.
func (h *habit) took(cpu time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = min(h.entries+1, knownEntries)
	if cpu >= longEntry {
		h.long = time.Now()
	}
}
