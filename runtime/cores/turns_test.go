package cores

import (
	"context"
	"errors"
	"testing"
	"time"
)

func beside() bool { return false }

// known is the habit of code that awaits soon.
func known() *Habit {
	var h Habit
	for range knownEntries {
		h.took(time.Millisecond)
	}
	return &h
}

// has begins what must not wait.
func has(t *testing.T, p *Turns, kind Kind, h *Habit) (end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	end, err := p.Begin(ctx, kind, h, 0)
	if err != nil {
		t.Fatalf("it waits: %v", err)
	}
	return end
}

// waits begins what has to wait for others.
func waits(t *testing.T, p *Turns, kind Kind, h *Habit, patience time.Duration) <-chan error {
	t.Helper()
	l := &p.lanes[kind]
	waiting := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(l.waiting)
	}
	before := waiting()
	out := make(chan error, 1)
	go func() {
		end, err := p.Begin(t.Context(), kind, h, patience)
		if err == nil {
			defer end()
		}
		out <- err
	}()
	for waiting() == before {
		time.Sleep(time.Millisecond)
	}
	return out
}

func TestLongEntriesOfOneProjectWaitForEachOther(t *testing.T) {
	t.Parallel()
	p := NewOfOne(beside)
	end := has(t, p, Workflow, &Habit{})
	first := waits(t, p, Workflow, &Habit{}, 0)
	second := waits(t, p, Workflow, &Habit{}, 0)
	has(t, p, Workflow, known())()          // what awaits soon waits for nobody
	has(t, p, Activity, &Habit{})()         // nor does the other kind
	has(t, NewOfOne(beside), 0, &Habit{})() // nor another project
	select {
	case err := <-first:
		t.Fatalf("two computed at once, %v", err)
	case err := <-second:
		t.Fatalf("two computed at once, %v", err)
	default:
	}
	end()
	for _, w := range []<-chan error{first, second} {
		if err := <-w; err != nil {
			t.Error(err)
		}
	}
	has(t, p, Workflow, &Habit{})()
	if !p.Rests() {
		t.Error("somebody has a turn still")
	}
}

func TestWhoIsGoneWaitsForNoTurn(t *testing.T) {
	t.Parallel()
	p := NewOfOne(beside)
	end := has(t, p, Workflow, &Habit{})
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	if _, err := p.Begin(gone, Workflow, &Habit{}, 0); err == nil || err.Error() != "gone" {
		t.Errorf("error %v", err)
	}
	if len(p.lanes[Workflow].waiting) != 0 {
		t.Error("who is gone still waits")
	}
	end()
}

// Of those that can't wait for longer one more computes at once; the others are told, and never more
// do at once than that.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	p := NewOfOne(beside)
	end := has(t, p, Workflow, &Habit{})
	const patience = 300 * time.Millisecond
	overdue, err := p.Begin(t.Context(), Workflow, &Habit{}, patience)
	if err != nil {
		t.Fatalf("no turn for who waits for long: %v", err)
	}
	if _, err := p.Begin(t.Context(), Workflow, &Habit{}, patience); !errors.Is(err, ErrNone) {
		t.Errorf("a third at once, error %v", err)
	}
	overdue()
	end()
	has(t, p, Workflow, &Habit{})()
}

func TestAProjectThatIsAloneTakesNoTurns(t *testing.T) {
	t.Parallel()
	p := NewOfOne(func() bool { return true })
	for range 100 {
		has(t, p, Workflow, &Habit{})
	}
	has(t, nil, Workflow, &Habit{})()
}

// Many short entries that take more than the project's share take turns as well.
func TestShortEntriesThatTakeMuchTakeTurns(t *testing.T) {
	t.Parallel()
	p := NewOfOne(beside)
	has(t, p, Workflow, known())
	has(t, p, Activity, known())
	for range 50 {
		p.Took(known(), longEntry-time.Millisecond)
	}
	end := has(t, p, Workflow, known())
	next := waits(t, p, quick, known(), 0)
	has(t, p, Workflow, &Habit{})() // long ones are apart
	end()
	if err := <-next; err != nil {
		t.Error(err)
	}
	p.mu.Lock()
	p.takenAt = p.takenAt.Add(-time.Minute)
	p.mu.Unlock()
	if p.takesMuch() || p.Long() {
		t.Error("that isn't forgotten")
	}
}

func TestCodeIsKnownByWhatItDid(t *testing.T) {
	t.Parallel()
	var h Habit
	for range knownEntries {
		if h.Short() {
			t.Fatal("it is known too soon")
		}
		h.took(time.Millisecond)
	}
	if !h.Short() {
		t.Error("it isn't known")
	}
	p := NewOfOne(beside)
	if p.Took(&h, longEntry); h.Short() || !p.Long() {
		t.Error("it computed for long")
	}
	if h.long = time.Now().Add(-2 * longRemembered); !h.Short() {
		t.Error("that isn't forgotten")
	}
}
