// Package cores shares the processor's cores among projects: it has code that computes for long wait
// for its like of the same project.
//
// Go shares time among goroutines, not among projects: ten that compute have others wait ten times as
// long, at each of the dozen steps that a small task takes. So of one project's long entries into
// JavaScript so many are under way at once that a core is left, while code of other projects runs. An
// entry that is short waits for nobody, unless all that the project's take together is too much.
//
// It is a leaf: it imports nothing of ours, and knows neither JavaScript nor Temporal.
package cores

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

const (
	// longEntry is what an entry into JavaScript takes of the processor at least that counts as
	// long: a good part of what Go gives a goroutine before it looks at others, many times over.
	longEntry = 50 * time.Millisecond
	// knownEntries is how many entries code must have made before it is known not to compute for long.
	knownEntries = 20
	// longRemembered is for how long after such an entry code counts as such that does.
	longRemembered = time.Minute
	// burst is what a project's code may take at once beyond its share of the cores, and mostBurst how
	// much of that is remembered: after some seconds without it is like any other.
	burst, mostBurst = 500 * time.Millisecond, 3 * time.Second
)

// ErrNone is for who waited for a turn as long as it could.
var ErrNone = errors.New("other code of the project computes for long, and there was no turn")

// Kind is of what computes: the one kind doesn't wait for the other, whose turns may be longer.
type Kind int

// The kinds.
const (
	Workflow Kind = iota
	Activity
	quick // short entries of either, of a project that takes too much in all
	kinds
)

// Turns are those of one project; nil has no limit. Safe for concurrent use.
type Turns struct {
	most  int
	share float64
	alone func() bool

	mu    sync.Mutex // guards what follows
	lanes [kinds]lane
	// taken is what its code took of the processor, less its share of the time up to takenAt.
	taken   time.Duration
	takenAt time.Time
	long    time.Time // its last long entry
}

// lane is those who wait for each other.
type lane struct {
	taken   int
	waiting []*waiter // who has waited for longest first
}

type waiter struct {
	turn chan struct{}
	// overdue is set once it has waited for so long that there may be one more at once.
	overdue bool
}

// New makes a project's. alone tells that no other uses the cores; it doesn't block.
func New(alone func() bool) *Turns {
	return ofMost(max(1, runtime.GOMAXPROCS(0)-1), alone)
}

// NewOfOne makes one in which one computes at once, whatever the machine.
func NewOfOne(alone func() bool) *Turns { return ofMost(1, alone) }

func ofMost(most int, alone func() bool) *Turns {
	return &Turns{most: most, share: float64(most) / 2, alone: alone}
}

// Begin waits until it is the caller's turn, by what is known of its code; end is to be called once it
// is over. Where patience isn't 0, it is the longest that the caller can wait, and after half of it
// there may be one more at once. The error is ErrNone or ctx's.
func (t *Turns) Begin(ctx context.Context, kind Kind, h *Habit, patience time.Duration) (end func(), err error) {
	if t == nil || t.alone() {
		return func() {}, nil
	}
	if h.Short() {
		if !t.takesMuch() {
			return func() {}, nil
		}
		kind = quick
	}
	l := &t.lanes[kind]
	t.mu.Lock()
	if l.taken < t.most {
		l.taken++
		t.mu.Unlock()
		return func() { t.end(l) }, nil
	}
	w := &waiter{turn: make(chan struct{})}
	l.waiting = append(l.waiting, w)
	t.mu.Unlock()
	if t.wait(ctx, l, w, patience) {
		return func() { t.end(l) }, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, x := range l.waiting {
		if x == w {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, ErrNone
		}
	}
	return func() { t.end(l) }, nil // it came at the same moment
}

// wait tells whether the turn came in time.
func (t *Turns) wait(ctx context.Context, l *lane, w *waiter, patience time.Duration) bool {
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience / 2)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-w.turn:
			return true
		case <-ctx.Done():
			return false
		case <-late:
		}
		t.mu.Lock()
		again := w.overdue
		w.overdue = true
		t.admit(l)
		t.mu.Unlock()
		if again {
			return false
		}
		rest := time.NewTimer(patience / 2)
		defer rest.Stop()
		late = rest.C
	}
}

// end gives a turn back.
func (t *Turns) end(l *lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.taken--
	t.admit(l)
}

// admit gives turns to those who have waited for longest. With mu held.
func (t *Turns) admit(l *lane) {
	for len(l.waiting) > 0 {
		most := t.most
		if l.waiting[0].overdue {
			most++
		}
		if l.taken >= most {
			return
		}
		l.taken++
		close(l.waiting[0].turn)
		l.waiting = l.waiting[1:]
	}
}

// Took notes what an entry of code took of the processor.
func (t *Turns) Took(h *Habit, cpu time.Duration) {
	h.took(cpu)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.decay(now)
	t.taken = min(t.taken+cpu, mostBurst)
	if cpu >= longEntry {
		t.long = now
	}
}

// decay takes off what the project might take meanwhile. With mu held.
func (t *Turns) decay(now time.Time) {
	t.taken = max(0, t.taken-time.Duration(t.share*float64(now.Sub(t.takenAt))))
	t.takenAt = now
}

// takesMuch tells whether the project's code takes more than its share by now.
func (t *Turns) takesMuch() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decay(time.Now())
	return t.taken > burst
}

// Long tells whether some code of the project computed for long lately.
func (t *Turns) Long() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.long.IsZero() && time.Since(t.long) < longRemembered
}

// Rests tells that nobody has a turn nor waits for one, and that nothing is left to be remembered.
func (t *Turns) Rests() bool {
	if t.Long() || t.takesMuch() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.lanes {
		if l.taken > 0 || len(l.waiting) > 0 {
			return false
		}
	}
	return true
}

// Habit is for how long some code computes at once. Its zero value knows nothing yet. Safe for
// concurrent use.
type Habit struct {
	mu      sync.Mutex // guards what follows
	entries int
	long    time.Time // the last entry that was
}

// Short tells that the code hasn't computed for long lately, as far as is known.
func (h *Habit) Short() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entries >= knownEntries && (h.long.IsZero() || time.Since(h.long) > longRemembered)
}

// took notes what an entry took.
func (h *Habit) took(cpu time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = min(h.entries+1, knownEntries)
	if cpu >= longEntry {
		h.long = time.Now()
	}
}
