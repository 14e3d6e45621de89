package workflow

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"workflow-worker/runtime/compile"
)

// sharing gives n codes that share runtimes.
func sharing(t testing.TB, n int, o RuntimesOptions) (*Runtimes, []*Code) {
	t.Helper()
	s := NewRuntimes(o)
	t.Cleanup(s.Close)
	var codes []*Code
	for range n {
		codes = append(codes, NewCode(smallProgram(t), CodeOptions{Runtimes: s}))
	}
	return s, codes
}

func smallProgram(t testing.TB) *compile.Program {
	t.Helper()
	comp := compile.New(compile.Config{})
	t.Cleanup(comp.Close)
	p, err := comp.Compile(t.Context(), compile.Source{Name: "small.ts", Kind: compile.Workflow, Text: `export async function small() {}`})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCodesShareRuntimesWhichAreDroppedWhenIdle(t *testing.T) {
	t.Parallel()
	s, codes := sharing(t, 2, RuntimesOptions{Shared: 2, Idle: time.Millisecond})
	a, same := codes[0].acquire("1", false), codes[1].acquire("2", false)
	if a != same {
		t.Error("an idle runtime was not shared")
	}
	a.busy.Add(1)
	b := codes[0].acquire("3", false)
	b.busy.Add(2)
	third := codes[1].acquire("4", false)
	if b == a || third != a {
		t.Error("busy runtimes: one more should have been made, then the less busy one shared")
	}
	s.pool.release(a, codes[0])
	waitUntil(t, "the code's module is gone where it has no execution", func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		return a.homes[codes[0]] == nil && a.homes[codes[1]] != nil
	})
	s.pool.release(a, codes[1])
	s.pool.release(a, codes[1])
	s.pool.release(b, codes[0])
	waitUntil(t, "the idle runtimes are gone", func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		return len(s.pool.machines) == 0
	})
	codes[0].Close()
	if _, err := codes[0].Check(t.Context()); err != nil {
		t.Errorf("a closed code: %v", err)
	}
	if n := len(codes[0].own.machines); n != 0 {
		t.Errorf("a closed code keeps %d runtimes", n)
	}
}

func TestAWornRuntimeTakesNoMoreExecutions(t *testing.T) {
	t.Parallel()
	_, codes := sharing(t, 1, RuntimesOptions{Shared: 1})
	first := codes[0].acquire("1", false)
	first.placed = maxPlaced - 1
	last := codes[0].acquire("2", false)
	if next := codes[0].acquire("3", false); last != first || next == first {
		t.Error("the runtime wasn't replaced after its last execution")
	}
}

func TestWhatMayNotShareHasRuntimesOfItsOwn(t *testing.T) {
	t.Parallel()
	program := smallProgram(t)
	s, codes := sharing(t, 1, RuntimesOptions{Shared: 1})
	shared := codes[0].acquire("1", false)
	for name, c := range map[string]*Code{
		"limits":   NewCode(program, CodeOptions{Runtimes: s, CallDepth: 100}),
		"isolated": NewCode(program, CodeOptions{Runtimes: s, Isolated: true}),
		"none":     NewCode(program, CodeOptions{}),
	} {
		a, b := c.acquire("1", false), c.acquire("2", false)
		if a == shared || a != b || a.shared {
			t.Errorf("%s: its runtime is shared with another code, or not with its own", name)
		}
	}
	c := NewCode(program, CodeOptions{Runtimes: s})
	before := c.acquire("1", false)
	c.keepApart()
	if after := c.acquire("2", false); before != shared || after == shared {
		t.Error("code that showed that it must not share does")
	}
	c = NewCode(program, CodeOptions{Runtimes: s, Isolated: true})
	c.Isolate(false)
	if c.acquire("1", false) != shared {
		t.Error("code that isn't isolated any more is apart")
	}
	codes[0].suspects.add("bad")
	if one, two := c.acquire("bad", false), codes[0].acquire("bad", false); one == shared || two == shared || one == two {
		t.Error("an execution that was cut off isn't alone, on whatever code")
	}
	if c.acquire("1", true) == shared {
		t.Error("an unproven replay lives beside executions")
	}
}

func TestCodeThatTakesMoreThanItsShareIsToldApart(t *testing.T) {
	t.Parallel()
	c := NewCode(smallProgram(t), CodeOptions{})
	now := time.Unix(1e9, 0)
	const often, rarely = 10 * time.Millisecond, 20 * time.Millisecond
	for i := range 1000 {
		if now = now.Add(rarely * 4); c.takesMuch(rarely, now) {
			t.Fatalf("a quarter of the time is too much, after %d", i)
		}
	}
	n := 0
	for ; n < 1000 && !c.takesMuch(often, now); n++ {
		now = now.Add(often)
	}
	if took := time.Duration(n) * often; took < fairBurst || took > 2*fairBurst {
		t.Errorf("all of the time is too much after %v", took)
	}
}

func TestACodeThatNeedsARuntimeTakesTheSpareOne(t *testing.T) {
	t.Parallel()
	s, codes := sharing(t, 2, RuntimesOptions{Shared: 1})
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	spare := s.ready
	if v := codes[0].acquire("1", false); v != spare || codes[1].acquire("1", false) != spare {
		t.Error("the spare runtime isn't the shared one")
	}
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	spare = s.ready
	if codes[0].acquire("1", true) != spare {
		t.Error("the spare runtime isn't the code's own")
	}
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	c := NewCode(codes[0].program, CodeOptions{Runtimes: s, CallDepth: 100})
	defer c.Discard()
	if _, err := c.Check(t.Context()); err != nil || s.ready == nil {
		t.Error("code with limits of its own took the spare runtime", err)
	}
}

func TestClosedRuntimesMakeNoSpare(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := NewRuntimes(RuntimesOptions{})
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	if s.take().vm == nil {
		t.Error("there was none")
	}
	s.Close() // with the timer for the next one set
	if err := s.Fill(); err != nil || s.ready != nil || s.take().vm != nil {
		t.Error("there is one", err)
	}
	goleak.VerifyNone(t, before)
}

func TestALockIsNotWaitedForWhereSomebodyHoldsIt(t *testing.T) {
	t.Parallel()
	l := newLock()
	if !l.lockPatiently() {
		t.Fatal("a free lock isn't had")
	}
	l.begin(-2 * patience)
	if l.lockPatiently() {
		t.Error("a held lock was had")
	}
	l.begin(time.Hour) // is loading
	had := make(chan bool)
	go func() { had <- l.lockPatiently() }()
	l.Unlock()
	if !<-had {
		t.Error("who waits doesn't get what becomes free")
	}
}

// An execution that comes back after its code was discarded leaves nothing of it in a runtime that
// others go on using.
func TestDiscardedCodeLeavesNothingInASharedRuntime(t *testing.T) {
	t.Parallel()
	_, codes := sharing(t, 2, RuntimesOptions{Shared: 1})
	stays, in := codes[0].newInstance("1", false), codes[1].newInstance("2", false)
	defer stays.close()
	codes[1].Discard()
	if err := in.enter(t.Context(), loadTimeout, noHost{}, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	in.close()
	v := stays.machine
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	if in.machine != v || len(v.modules)+len(v.globals) > 0 {
		t.Errorf("%d modules and %d executions are left", len(v.modules), len(v.globals))
	}
}
