package activity

import (
	"strings"
	"testing"
	"time"

	"workflow-worker/runtime/sandbox"
)

// Not parallel: it measures the heap of the process.
func TestHoardersFailByNameAndNeighboursNoticeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	memory := sandbox.NewMemory(sandbox.MemoryOptions{PerVM: 24 << 20})
	options := CodeOptions{SliceBudget: 9 * time.Second, Sandbox: sandbox.Options{Memory: memory}}
	neighbour := code(t, `
import { ApplicationFailure } from '@temporalio/common';
export async function main() { const a = []; for (let i = 0; i < 1000; i++) a.push({ i }); await null; return a.length + ApplicationFailure.name.length }`, options)
	stop, failed, runs := make(chan struct{}), make(chan error, 1), 0
	go func() {
		for {
			select {
			case <-stop:
				failed <- nil
				return
			default:
			}
			if _, err := execute(t, neighbour); err != nil {
				failed <- err
				return
			}
			runs++
			time.Sleep(5 * time.Millisecond) // what takes all of a processor is charged with a part of what others hoard
		}
	}()
	for name, text := range map[string]string{
		"at once":        `export async function main() { const a = []; for (;;) a.push({ a: a.length }) }`,
		"turn by turn":   `export async function main() { const a = []; for (;;) { for (let i = 0; i < 1000; i++) a.push({ i }); await new Promise((r) => setImmediate(r)) } }`,
		"while it loads": `const a = []; for (;;) a.push({ a: a.length }); export function main() {}`,
		"in vain caught": `export async function main() { const a = []; for (;;) try { for (;;) a.push([1]) } catch {} }`,
		"with buffers":   `export async function main() { const a = []; for (;;) { a.push(Buffer.alloc(1 << 20)); await null } }`,
		"in a timer":     `export async function main() { const a: any[] = []; setInterval(() => { for (let i = 0; i < 10000; i++) a.push({ i }) }, 0); await new Promise(() => {}) }`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := execute(t, code(t, text, options))
			app := wantApplication(t, err, MemoryType, true)
			if !strings.Contains(app.Message(), "25165824") || !strings.Contains(app.Message(), "ACTIVITY_MAX_MEMORY") {
				t.Errorf("the message names no limit: %s", app.Message())
			}
		})
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Errorf("a neighbour was ended: %v", err)
	}
	if runs == 0 {
		t.Error("the neighbour never ran")
	}
}

func TestCPUTimeOfAnExecutionIsLimitedInAll(t *testing.T) {
	t.Parallel()
	_, err := evaluate(t, CodeOptions{SliceBudget: 5 * time.Second, CPUBudget: 100 * time.Millisecond},
		`for (;;) { for (let i = 0; i < 10000; i++); await new Promise((r) => setImmediate(r)) }`)
	if app := wantApplication(t, err, InterruptedType, true); !strings.Contains(app.Message(), "100ms") || !strings.Contains(app.Message(), "ACTIVITY_MAX_CPU_TIME") {
		t.Errorf("got %s", app.Message())
	}
}
