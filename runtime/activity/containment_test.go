package activity

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

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
			app := wantApplication(t, err, InterruptedType, true)
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

// Thousands of executions with timers, requests and promises left behind, one after the other and at once.
func TestExecutionsLeaveNothingBehind(t *testing.T) {
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
	})
	before := goleak.IgnoreCurrent()
	o := loopback(t)
	o.Warm = 2
	c := NewCode(program(t, `
export async function main(i: number) {
  (globalThis as any).kept = new Array(1000).fill(i);
  setInterval(() => {}, 1); setTimeout(() => {}, 1e6); new Promise(() => {});
  if (i % 50 === 0) { await fetch("`+url+`"); fetch("`+url+`/hang"); }
  if (i % 7 === 0) await new Promise((r) => setTimeout(r, 0));
  if (i % 100 === 1) throw new Error('x');
  return i;
}`), o)
	run := func(n int) {
		done := make(chan struct{})
		for worker := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				for i := worker; i < n; i += 4 {
					_, _ = c.Execute(t.Context(), "main", jsonArgs(strconv.Itoa(i)))
				}
			}()
		}
		for range 4 {
			<-done
		}
	}
	run(300)
	small := heapBytes()
	run(2000)
	if large := heapBytes(); large > small+8<<20 {
		t.Errorf("the heap grew from %d KB to %d KB", small>>10, large>>10)
	}
	c.Close()
	o.HTTP.CloseIdleConnections()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestReadyRuntimesAreDroppedWhenIdle(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = () => 1`, CodeOptions{Idle: 200 * time.Millisecond, Warm: 3})
	for made := false; !made; {
		if _, err := execute(t, c); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		made = len(c.ready)+c.making > 0
		c.mu.Unlock()
	}
	for dropped := false; !dropped; {
		c.mu.Lock()
		dropped = len(c.ready) == 0 && c.making == 0
		c.mu.Unlock()
		runtime.Gosched()
	}
	if _, err := execute(t, c); err != nil {
		t.Errorf("an execution after idling: %v", err)
	}
}

func TestClosedCodeStillRunsWhatIsAskedOfIt(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = () => 1`, CodeOptions{})
	c.Close()
	if got, err := execute(t, c); err != nil || got != "1" {
		t.Errorf("got %s, %v", got, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ready)+c.making > 0 {
		t.Error("closed code keeps runtimes ready")
	}
}
