package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest/race"

	"github.com/dop251/goja"
)

// Not parallel: it measures the heap of the process.
func TestWhoeverHoardsIsEndedAndNobodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the blame is divided by the time that it takes
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
			if peak > limit+1<<30 { // a string of 256 MB that doubles is 768 MB a moment later
				t.Errorf("the heap grew by %d MB before it was noticed", peak>>20)
			}
			runtime.KeepAlive(v)
		})
	}
	close(stop)
	if err := <-neighbours; err != nil {
		t.Errorf("a neighbour was ended: %v", err)
	}
	if turns.Load() == 0 {
		t.Error("the neighbours never ran")
	}
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
