package activity

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/sandbox"
)

type interrupts struct{ n atomic.Int32 }

func (i *interrupts) JSInterrupted(string) { i.n.Add(1) }

func TestCodeThatDoesNotYieldIsCutOffWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"loop":            "while (true) {}",
		"microtasks":      "for (;;) await null",
		"promises":        "await (function f(): any { return Promise.resolve().then(f) })()",
		"caught":          "for (;;) { try { for (;;) {} } catch {} finally {} }",
		"expression":      "return /((a+)+)+$/.test('a'.repeat(28) + 'b')",
		"caught match":    "for (;;) { try { /(a|a)*\\1$/.test('a'.repeat(28) + 'b') } catch {} }",
		"timer's loop":    "await new Promise((r) => setTimeout(r, 1)); for (;;);",
		"getter":          "const o = { get then() { for (;;); } }; return o",
		"toJSON":          "return { toJSON() { for (;;); } }",
		"error's getter":  "const e = new Error('x'); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e",
		"proxy's handler": "throw new Proxy(new Error('x'), { get() { for (;;); } })",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen interrupts
			_, err := evaluate(t, CodeOptions{SliceBudget: 50 * time.Millisecond, Observer: &seen}, body)
			// On a machine that is busy the clock may be the first.
			app := wantApplication(t, err, InterruptedType, !strings.Contains(err.Error(), "too busy"))
			if !strings.Contains(app.Message(), "50ms") {
				t.Errorf("the message doesn't name the limit: %s", app.Message())
			}
			// A storm of promises may be cut off between two of the author's functions.
			storm := name == "microtasks" || name == "promises"
			if stack := failureOf(t, err).GetStackTrace(); !storm && !strings.Contains(stack, "charge-card.ts:") {
				t.Errorf("the stack doesn't say where: %q", stack)
			}
			if seen.n.Load() == 0 {
				t.Error("the observer wasn't told")
			}
		})
	}
}

func TestModuleThatDoesNotEndIsReportedAtCheck(t *testing.T) {
	t.Parallel()
	c := code(t, "export const main = () => 1;\nfor (;;);", CodeOptions{SliceBudget: 50 * time.Millisecond})
	if _, err := c.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "50ms") {
		t.Errorf("got %v", err)
	}
	_, err := execute(t, c)
	wantApplication(t, err, LoadErrorType, true)
}

func TestOversizedResultIsPermanentAndNamesTheLimit(t *testing.T) {
	t.Parallel()
	_, err := evaluate(t, CodeOptions{MaxResultBytes: 1000}, `return 'x'.repeat(2000)`)
	if app := wantApplication(t, err, ResultTooLargeType, true); !strings.Contains(app.Message(), "1000") {
		t.Errorf("got %s", app.Message())
	}
}

func TestHugeAllocationsAreRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`return 'x'.repeat(2 ** 40)`, `return new ArrayBuffer(1e12)`, `return new Blob(['x'.repeat(2 ** 40)])`, `crypto.getRandomValues(new Uint8Array(1e12))`} {
		_, err := evaluate(t, CodeOptions{Sandbox: sandbox.Options{MaxBytes: 1 << 20}}, body)
		wantApplication(t, err, "RangeError", false)
	}
}

func TestNothingOfOneExecutionIsSeenByTheNext(t *testing.T) {
	t.Parallel()
	c := code(t, `
import { Context } from '@temporalio/activity';
let calls = 0;
export async function main() {
  const g = globalThis as any;
  const seen = [calls, g.leak, (Array.prototype as any).leak, ({} as any).leak, typeof g.fetch, JSON.stringify([1]), (Context as any).leak, process.env.leak];
  calls++;
  g.leak = (Array.prototype as any).leak = (Object.prototype as any).leak = (Context as any).leak = 1;
  try { (process.env as any).leak = 1 } catch {}
  g.fetch = 5;
  Promise.prototype.then = Array.prototype.map = Object.keys = (() => { throw new Error('tampered') }) as any;
  setInterval(() => { calls++; }, 1);
  new Promise(() => {});
  return seen;
}`, CodeOptions{})
	for range 20 {
		got, err := execute(t, c)
		if err != nil {
			t.Fatal(err)
		}
		if got != `[0,null,null,null,"function","[1]",null,null]` {
			t.Fatalf("got %s", got)
		}
	}
}

func TestProcessEnvironmentShowsOnlyWhatIsAllowed(t *testing.T) {
	t.Setenv("ACTIVITY_TEST_SECRET", "secret")
	got, err := evaluate(t, CodeOptions{Env: map[string]string{"REGION": "eu"}}, `
		const g = globalThis as any;
		return [process.env, process.env.ACTIVITY_TEST_SECRET, process.env.PATH, typeof g.require, typeof g.module, typeof g.Deno, typeof g.Bun, g.process.argv, g.process.cwd()]`)
	if want := `[{"REGION":"eu"},null,null,"undefined","undefined","undefined","undefined",[],"/"]`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// Ten thousand executions with timers, requests, promises, listeners and tampering left behind, one
// after the other and at once: none sees anything of another, and heap and goroutines are as
// before.
func TestTenThousandExecutionsLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
	})
	for name, tampering := range map[string]string{
		"on runtimes of their own": `(Array.prototype as any).kept = i; Object.defineProperty(Object.prototype, 'kept', { value: i });
  Promise.prototype.then = Array.prototype.map = Object.keys = (() => { throw new Error('tampered') }) as any;`,
		"on machines": ``,
	} {
		t.Run(name, func(t *testing.T) { leavesNothingBehind(t, url, tampering) })
	}
}

func leavesNothingBehind(t *testing.T, url, tampering string) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	o := loopback(t)
	o.Warm = 2
	c := NewCode(program(t, `
let calls = 0;
const storage = new (globalThis as any).AsyncLocalStorage();
export async function main(i: number) {
  const g = globalThis as any;
  const seen = [calls++, g.kept, ([] as any).kept, ({} as any).kept, storage.getStore(), (Symbol.for('kept') as any).description === 'kept' ? 0 : 1]
    .filter((x) => x !== 0 && x !== undefined);
  g.kept = new Array(1000).fill(i);
  storage.enterWith(i);
  const timers = setInterval(() => { calls++; }, 1); setTimeout(() => { g.kept = 'late'; }, 1e6); new Promise(() => {});
  if (+timers !== 1) seen.push('a timer of another');
  new EventTarget().addEventListener('x', () => {}); AbortSignal.timeout(1e6);
  if (i % 50 === 0) { await fetch("`+url+`"); fetch("`+url+`/hang").catch(() => {}); }
  if (i % 200 === 0) new ReadableStream({ pull(c) { c.enqueue(1) } }).getReader().read();
  if (i % 7 === 0) await new Promise((r) => setTimeout(r, 0));
  `+tampering+`
  if (i % 100 === 1) throw new Error('x');
  return seen;
}`), o)
	run := func(n int) {
		done := make(chan struct{})
		for worker := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				for i := worker; i < n; i += 4 {
					out, err := c.Execute(t.Context(), "main", jsonArgs(strconv.Itoa(i)))
					if err != nil && i%100 != 1 || err == nil && string(out.Payloads[0].Data) != "[]" {
						t.Errorf("execution %d: %v, %v", i, out, err)
						return
					}
				}
			}()
		}
		for range 4 {
			<-done
		}
	}
	warmUp, executions := 500, 10_000
	if race.Enabled { // each takes eight times as long; `make test` runs all of them without the detector
		warmUp, executions = 100, 300
	}
	run(warmUp)
	small, few := heapBytes(), runtime.NumGoroutine()
	run(executions)
	if large := heapBytes(); large > small+4<<20 {
		t.Errorf("the heap grew from %d KB to %d KB", small>>10, large>>10)
	}
	if many := runtime.NumGoroutine(); many > few+20 {
		t.Errorf("there were %d goroutines, now there are %d", few, many)
	}
	c.Close()
	o.HTTP.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// kept counts the runtimes that a code has for its next executions.
func (c *Code) kept() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ready) + c.making + len(c.machines) + c.building
}

func TestReadyRuntimesAreDroppedWhenIdle(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"runtimes made ahead": `export const main = () => 1; main.prototype`,
		"machines":            `export const main = () => 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := code(t, text, CodeOptions{Idle: 200 * time.Millisecond, Warm: 3, MachineAfter: 1})
			stacktest.Eventually(t, "a runtime for the next execution", func() error {
				if _, err := execute(t, c); err != nil {
					t.Fatal(err)
				}
				if c.kept() == 0 {
					return errors.New("none")
				}
				return nil
			})
			dropsAll(t, c)
			if _, err := execute(t, c); err != nil {
				t.Errorf("an execution after idling: %v", err)
			}
		})
	}
}

// dropsAll waits until nothing is kept for the next execution.
func dropsAll(t *testing.T, c *Code) {
	t.Helper()
	stacktest.Eventually(t, "nothing kept", func() error {
		if n := c.kept(); n > 0 {
			return fmt.Errorf("%d runtimes are", n)
		}
		return nil
	})
}

// On a busy machine a runtime can be ready only when its code has idled for long.
func TestRuntimesThatTookLongToMakeAreDroppedToo(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*Code){
		"runtimes made ahead": func(c *Code) { c.making++; c.makeReady() },
		"machines":            func(c *Code) { c.building++; c.makeMachine() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := code(t, `export const main = () => 1`, CodeOptions{Idle: time.Millisecond})
			c.wg.Add(1)
			make(c)
			dropsAll(t, c)
		})
	}
}

func TestClosedCodeStillRunsWhatIsAskedOfIt(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = () => 1`, CodeOptions{})
	c.Close()
	if got, err := execute(t, c); err != nil || got != "1" {
		t.Errorf("got %s, %v", got, err)
	}
	if c.kept() > 0 {
		t.Error("closed code keeps runtimes ready")
	}
}
