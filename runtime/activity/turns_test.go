package activity

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/runtime/compile"
)

func beside() bool { return false }

// Of one project's components that compute for long so many do at once as leave a core; the others
// have their turns, too, and what is known to await soon waits for none.
func TestWhatComputesForLongTakesTurns(t *testing.T) {
	t.Parallel()
	turns := NewTurns(beside)
	turns.most = 1
	var inside, most atomic.Int32
	o := CodeOptions{Turns: turns, Entered: func(*compile.Program, string, string) func() {
		most.Store(max(most.Load(), inside.Add(1)))
		return func() { inside.Add(-1) }
	}}
	c := code(t, `export async function main() {
  for (let i = 0; i < 3; i++) { const end = performance.now() + 100; while (performance.now() < end); await new Promise((r) => setTimeout(r, 1)); }
  return 'done';
}`, o)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := execute(t, c); err != nil || got != `"done"` {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d computed at once", most.Load())
	}
	if turns.taken != 0 || len(turns.waiting) != 0 {
		t.Errorf("%d turns are taken, %d wait", turns.taken, len(turns.waiting))
	}

	// The turn is taken, and isn't given back.
	if end := turns.begin(t.Context()); end == nil {
		t.Fatal("no turn")
	}
	quick := code(t, `export async function main() { return 'quick'; }`, CodeOptions{Turns: turns})
	for range knownEntries {
		quick.habit.took(time.Millisecond)
	}
	if got, err := execute(t, quick); err != nil || got != `"quick"` {
		t.Errorf("what awaits soon: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if end := turns.begin(ctx); end != nil {
			t.Error("it has a turn that is another's")
		}
	}()
	cancel()
	<-ended
	if len(turns.waiting) != 0 {
		t.Error("who is gone still waits")
	}
}

func TestAProjectThatIsAloneTakesNoTurns(t *testing.T) {
	t.Parallel()
	turns := NewTurns(func() bool { return true })
	for range 100 {
		if end := turns.begin(t.Context()); end != nil {
			t.Fatal("it waits for its turn")
		}
	}
	if end := (*Turns)(nil).begin(t.Context()); end != nil {
		t.Error("there is a turn without turns")
	}
}

func TestAComponentIsKnownByWhatItDid(t *testing.T) {
	t.Parallel()
	var h habit
	for range knownEntries {
		if h.short() {
			t.Fatal("it is known too soon")
		}
		h.took(time.Millisecond)
	}
	if !h.short() {
		t.Error("it isn't known")
	}
	if h.took(longEntry); h.short() {
		t.Error("it computed for long")
	}
	if h.long = time.Now().Add(-2 * longRemembered); !h.short() {
		t.Error("that isn't forgotten")
	}
}
