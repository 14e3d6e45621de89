package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"

	"github.com/dop251/goja"
)

// Not parallel: it measures the heap of the process.
func TestWhoeverHoardsIsEndedAndNobodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the blame is divided by the time that it takes
	// Who keeps what is an estimate, which may be wrong once.
	if err := hoardBesideNeighbours(t); err != nil {
		t.Logf("a neighbour was ended: %v", err)
		if err := hoardBesideNeighbours(t); err != nil {
			t.Errorf("a neighbour was ended, twice in a row: %v", err)
		}
	}
}

// hoardBesideNeighbours has each kind of code that hoards ended. The error is what a neighbour was ended
// with.
func hoardBesideNeighbours(t *testing.T) error {
	t.Helper()
	const limit = 64 << 20
	m := NewMemory(MemoryOptions{PerVM: limit})
	stop := make(chan struct{})
	neighbours := make(chan error, 1)
	var turns atomic.Int64
	const rounds = 5000
	go func() { // small and many, as activities are, and one that lives long and makes garbage
		long, err := New(Options{Memory: m})
		for n := 0; err == nil; n++ {
			select {
			case <-stop:
				neighbours <- nil
				return
			default:
			}
			var short *VM
			if short, err = New(Options{Memory: m}); err != nil {
				break
			}
			for _, v := range []*VM{short, long} {
				if err = runProgram(v, fmt.Sprintf(`{ const a = []; for (let i = 0; i < %d; i++) a.push({ i }); a.length }`, rounds)); err != nil {
					break
				}
			}
			short.Release()
			turns.Add(1)
			time.Sleep(20 * time.Millisecond) // as code that awaits: it is not to take all of a processor
		}
		neighbours <- err
	}()
	for name, text := range map[string]string{
		"array":        `const a = []; for (;;) a.push([a.length]);`,
		"objects":      `const a = []; for (let i = 0; ; i++) a.push({ i, name: 'n' + i });`,
		"string":       `let s = 'x'; for (;;) s += s;`,
		"map":          `const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]);`,
		"buffers":      `const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));`,
		"closures":     `const a = []; for (let i = 0; ; i++) a.push(() => i);`,
		"bigints":      `const a = []; for (let i = 1n; ; i <<= 1n) a.push(i);`,
		"sparse array": `const a = []; for (let i = 0; ; i += 5000) a[i] = { i };`,
		"JSON":         `const a = []; const t = JSON.stringify(new Array(1000).fill({ a: 1 })); for (;;) a.push(JSON.parse(t));`,
		"microtasks":   `const f = () => { Promise.resolve().then(f); Promise.resolve().then(f) }; f();`,
	} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			before := readHeap()
			v, err := New(Options{Memory: m, MaxBytes: limit})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err = runProgram(v, text)
			peak := readHeap().objects - before.live
			took := time.Since(began)
			v.Release()
			var over *MemoryError
			if !errors.As(err, &over) || over.Bytes <= limit {
				t.Fatalf("got %v (%T) after %v, %d MB", err, err, took, peak>>20)
			}
			t.Logf("charged %d MB, heap grew by %d MB, took %v", over.Bytes>>20, peak>>20, took)
			if peak > limit+2<<30 { // a string of 512 MB that doubles is 1.5 GB a moment later
				t.Errorf("the heap grew by %d MB before it was noticed", peak>>20)
			}
			runtime.KeepAlive(v)
		})
	}
	close(stop)
	err := <-neighbours
	if err == nil && turns.Load() == 0 {
		t.Error("the neighbours never ran")
	}
	return err
}

func runProgram(v *VM, text string) error {
	p, err := goja.Compile("hog.js", text, true)
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	return v.Enter(context.Background(), 9*time.Second, func() error {
		_, err := v.Runtime.RunProgram(p)
		return err
	})
}

// Not parallel: it measures the heap of the process.
func TestAProcessShortOfMemoryLetsGoBeforeItEndsAnybody(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the detector takes memory of its own
	const filled = 128 << 20
	runtime.GC()
	process := readHeap().live + filled
	cached := make([]byte, filled) // what can be made again
	var asked atomic.Int64
	m := NewMemory(MemoryOptions{Process: process, Relieve: func(bytes int64) int64 {
		if asked.Add(1) > 1 {
			return 0
		}
		if bytes <= 0 {
			t.Errorf("asked for %d bytes", bytes)
		}
		cached = nil
		return filled
	}})
	v, err := New(Options{Memory: m})
	if err != nil {
		t.Fatal(err)
	}
	// It takes some 40 MB, and looks around for a while.
	err = runProgram(v, `const a = []; for (let i = 0; i < 2e5; i++) a.push({ i }); let n = 0; for (let i = 0; i < 3e6; i++) n += a[i % a.length].i;`)
	if err != nil {
		t.Errorf("it was ended: %v", err)
	}
	if asked.Load() == 0 {
		t.Error("nothing was let go of")
	}
	runtime.KeepAlive(cached)
	// Now there is nothing more.
	err = runProgram(v, `for (;;) a.push({ a });`)
	var over *MemoryError
	if !errors.As(err, &over) || !over.Shared || over.Limit != process {
		t.Errorf("got %v", err)
	}
	v.Release()
}

// What lasts is not ended for the sum of many estimates.
func TestWhatLastsIsEndedForOneEntryAlone(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{})
	lasting, other := m.Account(Budget{Bytes: 100 << 20, Lasting: true}), m.Account(Budget{Bytes: 100 << 20})
	charge := func(a *Account, bytes float64) (ended bool) {
		e, over := m.enter(a, cpuClock{}, func(error) { ended = true })
		if over != nil {
			return true
		}
		defer m.leave(e)
		m.mu.Lock()
		defer m.mu.Unlock()
		a.charged += bytes
		m.judge()
		return ended
	}
	for range 4 {
		if charge(lasting, 30<<20) {
			t.Fatal("it was ended for what many entries took")
		}
	}
	if !lasting.Doubtful() {
		t.Error("nobody doubts it")
	}
	for range 3 {
		if charge(other, 30<<20) {
			t.Fatal("it was ended within its budget")
		}
	}
	if !charge(other, 30<<20) {
		t.Error("what doesn't last wasn't ended")
	}
	other.Close()
	m.settled = settling // what it kept is gone
	if !charge(lasting, 60<<20) {
		t.Error("it wasn't ended for what one entry took")
	}
	lasting.Close()
	if n := len(m.accounts); n > 0 {
		t.Errorf("%d accounts are left", n)
	}
}

// A look may come between a forced collection's end and that of its sweep: what VMs did since then
// is still theirs, and one collection isn't two of those that an ended one's neighbours are given.
func TestACollectionIsSettledOnce(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{})
	a := m.Account(Budget{Bytes: 1 << 30})
	if _, err := m.enter(a, cpuClock{}, func(error) {}); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := heapState{cycles: m.cycles + 1, live: m.live, cpu: m.cpu}
	m.settleNew(h)
	m.ended = &Account{of: m, closed: true}
	a.weight = 5 << 20
	m.settleNew(h)
	if a.weight != 5<<20 || m.settled != 0 {
		t.Errorf("after one collection: weight %v, %d collections counted", a.weight, m.settled)
	}
	h.cycles++
	h.live += 5 << 20
	h.cpu += time.Millisecond
	m.settleNew(h)
	if a.charged == 0 || m.settled != 1 {
		t.Errorf("after two: charged with %v, %d collections counted", a.charged, m.settled)
	}
}

// Where there was nothing to let go of there may be something later, though the process is short of
// memory all the while.
func TestReliefIsAskedForAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	m := NewMemory(MemoryOptions{Process: 1, Relieve: func(int64) int64 {
		asked.Add(1)
		return 0
	}})
	look := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.judge()
	}
	// Each time the collection behind it is waited for, too: it judges again.
	wait := func(times int64) {
		t.Helper()
		stacktest.Eventually(t, "relief", func() error {
			m.mu.Lock()
			defer m.mu.Unlock()
			if n := asked.Load(); n != times || m.relieving || !m.resting.After(m.relieved) {
				return fmt.Errorf("asked for %d times", n)
			}
			return nil
		})
	}
	m.live = 2
	look()
	wait(1)
	look()
	if n := asked.Load(); n != 1 {
		t.Errorf("it was asked for %d times at once", n)
	}
	m.mu.Lock()
	m.relieved = m.relieved.Add(-reliefPause)
	m.mu.Unlock()
	look()
	wait(2)
}
