package activity

import (
	"context"
	"net/http"
	"testing"
	"time"

	"workflow-worker/runtime/sandbox"
)

// Whatever kind of thing one component does beside it, another one is served on, and the one ends by
// itself or by a limit.
func TestHostileKindsDontHarmANeighbour(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	neighbours := `
import { sleep } from '@temporalio/activity';
export async function main(n: number) { await sleep(1); return [n, Buffer.from('ab').toString('hex'), /a(b+)/.exec('abb')![1]].join(); }`
	for kind, body := range map[string]string{
		"recursion through builtins":  `const deep = (n: number): any => [n].map(() => JSON.stringify({ toJSON: () => 'x'.replace('x', () => String(deep(n + 1))) })); return deep(0);`,
		"recursion through a sort":    `const deep = (): any => [2, 1].sort(() => { deep(); return 0; }); deep();`,
		"recursion through a proxy":   `const p: any = new Proxy({}, { get: (_t, name) => p[String(name) + 'x'] }); return p.a;`,
		"a pattern without end":       `return /((a+)+)+$/.test('a'.repeat(28) + 'b');`,
		"a generator without end":     `const g = function* () { for (let i = 0; ; i++) yield i; }; let last = 0; for (const i of g()) last = i; return last;`,
		"an iterator in a spread":     `const g = function* () { for (;;) yield 1; }; return [...g()].length;`,
		"a getter at conversion":      `return { get a(): any { for (;;); } };`,
		"a proxy as the result":       `return new Proxy({}, { ownKeys() { for (;;); } });`,
		"a getter of what is thrown":  `throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } });`,
		"huge numbers":                `let b = 1n; for (;;) b = b * b + 3n;`,
		"thousands of timers":         `for (let i = 0; ; i++) setTimeout(() => {}, 1e6);`,
		"timers that go on":           `setInterval(() => {}, 0); await new Promise(() => {});`,
		"thousands of lines":          `for (let i = 0; i < 20000; i++) console.log('line ' + i); for (;;);`,
		"promises without end":        `for (;;) await null;`,
		"a flood of ticks":            `const f = (): void => { process.nextTick(f); process.nextTick(() => {}); }; f(); await new Promise(() => {});`,
		"a result too large":          `return 'x'.repeat(5 << 20);`,
		"a failure of megabytes":      `throw new Error('x'.repeat(5 << 20));`,
		"requests without end":        `await Promise.all(Array.from({ length: 500 }, () => fetch('` + url + `')));`,
		"names through a proxy":       `return Object.keys(new Proxy(new Uint8Array(4 << 20), {})).length;`,
		"what ignores its cancelling": `for (;;) { try { await new Promise((r) => setTimeout(r, 1)); } catch {} }`,
		"events without end":          `const e = new EventTarget(); e.addEventListener('x', () => { e.dispatchEvent(new Event('x')); }); e.dispatchEvent(new Event('x')); for (;;);`,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := loopback(t)
			o.SliceBudget, o.CPUBudget, o.MaxRequests = 100*time.Millisecond, 300*time.Millisecond, 10
			o.Sandbox.Memory, o.Sandbox.MaxBytes = sandbox.NewMemory(sandbox.MemoryOptions{PerVM: 64 << 20}), 32<<20
			o.Grace = 100 * time.Millisecond
			hostile := code(t, "export async function main(): Promise<any> {\n"+body+"\n}", o)
			calm := loopback(t)
			calm.Sandbox.Memory = o.Sandbox.Memory
			neighbour := code(t, neighbours, calm)
			ended := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_, err := hostile.Execute(ctx, "main", jsonArgs())
				ended <- err
			}()
			served := 0
			limit := time.After(time.Minute)
			for over := false; !over || served < 3; {
				select {
				case err := <-ended:
					over = true
					if err == nil || len(err.Error()) > 1<<20 {
						t.Errorf("it ended with %.1000v", err)
					}
				case <-limit:
					t.Fatal("it came to no end")
				default:
				}
				if got, err := execute(t, neighbour, "7"); err != nil || got != `"7,6162,bb"` {
					t.Fatalf("its neighbour: %s, %v", got, err)
				}
				if served++; served == 20 {
					cancel() // what waits for nothing, or goes on by itself, has to be told
				}
			}
		})
	}
}
