package activity

import (
	"sync"
	"sync/atomic"
	"testing"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/cores"
)

// Of one project's components that compute for long so many do at once as leave a core; the others
// have their turns, too.
func TestWhatComputesForLongTakesTurns(t *testing.T) {
	t.Parallel()
	var inside, most atomic.Int32
	o := CodeOptions{Turns: cores.NewOfOne(func() bool { return false }), Entered: func(*compile.Program, string, string) func() {
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
}
