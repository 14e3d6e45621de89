package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/docker/stack/stacktest"
)

func newVM(t testing.TB) *VM {
	t.Helper()
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run evaluates code; a promise is awaited, as goja drains its jobs before it returns.
func run(t testing.TB, v *VM, code string) (goja.Value, error) {
	t.Helper()
	var out goja.Value
	err := v.Enter(t.Context(), time.Second, func() error {
		value, err := v.Runtime.RunScript("test.ts", code)
		if err != nil {
			return err
		}
		if p, ok := value.Export().(*goja.Promise); ok {
			if value = p.Result(); p.State() != goja.PromiseStateFulfilled {
				return errors.New("promise: " + value.String())
			}
		}
		out = value
		return nil
	})
	return out, err
}

func TestTheLanguagesMissingPartsAreThere(t *testing.T) {
	for code, want := range map[string]string{
		`return typeof Symbol.asyncIterator + typeof Symbol.dispose`:                                                      "symbolsymbol",
		`const r = Promise.withResolvers(); r.resolve(4); return r.promise`:                                               "4",
		`return Promise.try((a) => a + 1, 2)`:                                                                             "3",
		`return JSON.stringify(Object.groupBy([1,2,3], n => n % 2 ? "odd" : "even"))`:                                     `{"odd":[1,3],"even":[2]}`,
		`return Map.groupBy([1,2,3], n => n % 2).get(1).length`:                                                           "2",
		`return Array.fromAsync([Promise.resolve(1), 2]).then(a => a.join())`:                                             "1,2",
		`return new TextDecoder().decode(new TextEncoder().encode("grüße 😀"))`:                                            "grüße 😀",
		`return new TextEncoder().encodeInto("é€", new Uint8Array(4)).written`:                                            "2",
		`try { new TextDecoder("utf-8", {fatal: true}).decode(new Uint8Array([255])) } catch (e) { return e.name }`:       "TypeError",
		`return new TextDecoder().decode(new Uint8Array([239,187,191,97]))`:                                               "a",
		`return btoa("ÿé") + atob("/+k=") + atob("/+k=").length`:                                                          "/+k=ÿé2",
		`return btoa("hi") + atob("aGk=")`:                                                                                "aGk=hi",
		`try { btoa("€") } catch (e) { return e.name }`:                                                                   "InvalidCharacterError",
		`return JSON.parse('{"a":[1]}', (k, v) => v === 1 ? 2 : v).a[0]`:                                                  "2",
		`return new Uint8Array([1,2]) instanceof Uint8Array && new Uint8Array(2).constructor === Uint8Array`:              "true",
		`class B extends Uint8Array {}; const b = new B(3); return b instanceof B && b.length`:                            "3",
		`return new Uint8Array(new ArrayBuffer(8), 2, 3).length + Uint8Array.from([1]).length`:                            "4",
		`const s = new AsyncLocalStorage(); s.run(1, () => 0); return String(s.getStore())`:                               "undefined",
		`const s = new AsyncLocalStorage(); return s.run(1, async () => { await null; await null; return s.getStore() })`: "1",
		`const s = new AsyncLocalStorage(), u = new AsyncLocalStorage();
		 return s.run(1, () => u.run(2, async () => { await 0; return s.getStore() + u.getStore() }))`: "3",
		`const s = new AsyncLocalStorage(); const f = s.run(1, () => AsyncLocalStorage.bind(() => s.getStore())); return f()`: "1",
		`const d = new TextDecoder(), b = new TextEncoder().encode("€");
		 return d.decode(b.slice(0, 2), { stream: true }) + d.decode(b.slice(2))`: "€",
	} {
		if got, err := run(t, newVM(t), "(() => {"+code+"})()"); err != nil || got.String() != want {
			t.Errorf("%s = %v, %v; want %s", code, got, err, want)
		}
	}
}

func TestEverythingEndlessIsInterrupted(t *testing.T) {
	for name, code := range map[string]string{
		"loop":            `while (true) {}`,
		"caught":          `for (;;) { try { for (;;) {} } catch (e) {} finally {} }`,
		"microtasks":      `(async () => { for (;;) await null })()`,
		"promise chain":   `(function f() { Promise.resolve().then(f) })()`,
		"generator":       `for (const x of (function* () { for (;;) yield 1 })());`,
		"growing string":  `let s = "x"; for (;;) { s += "y" }`,
		"replaced toJSON": `JSON.stringify({ toJSON() { for (;;) {} } })`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVM(t)
			started := time.Now()
			err := v.Enter(t.Context(), 50*time.Millisecond, func() error {
				_, err := v.Runtime.RunScript("test.ts", code)
				return err
			})
			var i *Interrupted
			if !errors.As(err, &i) || i.Budget != 50*time.Millisecond || i.Cause != nil {
				t.Fatalf("error = %v", err)
			}
			if time.Since(started) > 20*time.Second {
				t.Errorf("took %v", time.Since(started))
			}
			if name == "loop" && !strings.Contains(i.Stack, "test.ts:1:") {
				t.Errorf("stack = %q", i.Stack)
			}
		})
	}
}

func TestRecursionIsAFailureNotTheEndOfTheProcess(t *testing.T) {
	for name, code := range map[string]string{
		"function":  `(function f(n) { return n && f(n - 1) + 1 })(300)`,
		"map":       `(function f(n) { return n && [n - 1].map(f) })(300)`,
		"toString":  `let n = 300; const o = { toString() { return n-- > 0 ? "" + o : "" } }; "" + o`,
		"proxy":     `let n = 300; const p = new Proxy({}, { get(t, k) { return n-- > 0 ? p[k] : 1 } }); p.x`,
		"stringify": `let n = 300; const o = { toJSON() { return n-- > 0 ? JSON.stringify(o) : 1 } }; JSON.stringify(o)`,
		"sort":      `let n = 300; (function f() { return n-- > 0 ? [2, 1].sort(f) : 0 })()`,
		"replace":   `let n = 300; (function f() { return n-- > 0 ? "a".replace(/a/, f) : "" })()`,
		"class":     `let n = 300; class A { constructor() { if (n-- > 0) new A() } }; new A()`,
		"json":      `JSON.parse("[".repeat(6000) + "]".repeat(6000))`,
	} {
		t.Run(name, func(t *testing.T) {
			v, err := New(Options{CallDepth: 100}) // without a limit, one that has no end takes the whole stack of the process
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run(t, v, code); err == nil {
				t.Error("no error")
			}
			if got, err := run(t, v, `1 + 1`); err != nil || got.ToInteger() != 2 {
				t.Errorf("afterwards: %v, %v", got, err)
			}
		})
	}
}

func TestOneCallCannotTakeAllMemory(t *testing.T) {
	for _, code := range []string{
		`"x".repeat(1e5)`, `"é".padEnd(1e5)`, `"x".padStart(2 ** 17)`, `new ArrayBuffer(1e5)`, `new Uint8Array(1e5)`, `new Float64Array(1e4)`,
		`new Array(1e4).fill(0)`, `Array(1e4).join("xxxxxxxxxx")`, `Array.from({ length: 1e4 })`,
	} {
		if err := guarded(t, false, code); err == nil || !strings.Contains(err.Error(), "the limit for one call is 16384") {
			t.Errorf("%s: error = %v", code, err)
		}
	}
	if got, err := run(t, newVM(t), `"ab".repeat(3) + "x".padStart(3, "-") + [1,2].fill(7).join("+") + new Uint8Array(4).length`); err != nil || got.String() != "ababab--x7+74" {
		t.Errorf("ordinary use: %v, %v", got, err)
	}
}

func TestABacktrackingPatternMatchesALongText(t *testing.T) {
	if got, err := run(t, newVM(t), `/^(?=a)(a|b)*$/.test("ab".repeat(100000))`); err != nil || !got.ToBoolean() {
		t.Errorf("match = %v, %v", got, err)
	}
}

func TestAnEndedContextInterrupts(t *testing.T) {
	v := newVM(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the worker stops")
	err := v.Enter(ctx, time.Minute, func() error {
		time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
		_, err := v.Runtime.RunString(`for (;;) {}`)
		return err
	})
	if !errors.Is(err, why) {
		t.Errorf("error = %v", err)
	}
}

// What waits for a busy machine has ten times its budget on the clock, or as much as the VM's owner
// has.
func TestTheClockEndsWhatGetsNoTimeOfTheProcessor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ most, budget, least time.Duration }{
		"ten times its budget": {0, 20 * time.Millisecond, 200 * time.Millisecond},
		"what its owner has":   {30 * time.Millisecond, time.Minute, 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := New(Options{MostClock: c.most})
			if err != nil {
				t.Fatal(err)
			}
			err = v.Enter(t.Context(), c.budget, func() error {
				stacktest.Eventually(t, "an interrupt", func() error {
					if !v.async.over.Load() {
						return errors.New("none")
					}
					return nil
				})
				_, err := v.Runtime.RunString("1")
				return err
			})
			var i *Interrupted
			if !errors.As(err, &i) || i.Budget != c.budget || i.Clock < c.least || i.Cause != nil {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestALateTimerDoesNotInterruptTheNextEntry(t *testing.T) {
	v := newVM(t)
	for range 200 {
		err := v.Enter(t.Context(), time.Microsecond, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, v, `(() => { let n = 0; for (let i = 0; i < 100; i++) n += i; return n })()`); err != nil {
			t.Fatalf("the next entry: %v", err)
		}
	}
}

func TestStacksHoldTheAuthorsFramesOnly(t *testing.T) {
	v := newVM(t)
	_, err := run(t, v, "function outer() {\n  return [1].map(() => inner());\n}\nfunction inner() {\n  throw new TypeError('no');\n}\nouter()")
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		t.Fatal(err)
	}
	th := v.Describe(ex)
	if th.Message != "TypeError: no" || th.File != "test.ts" || th.Line != 5 {
		t.Errorf("thrown = %+v", th)
	}
	if !strings.HasPrefix(th.Stack, "TypeError: no\n    at inner (test.ts:5:") || strings.Contains(th.Stack, "native") || strings.Contains(th.Stack, "(2)") {
		t.Errorf("stack = %s", th.Stack)
	}
	if got := CleanStack("Error: x\n\tat f (<sdk>:1:2(3))\n\tat g (a.ts:1:2(3))\n\tat b.ts:4:5(6)\n\tat h (native)\n"); got != "Error: x\n    at g (a.ts:1:3)\n    at b.ts:4:6" {
		t.Errorf("cleaned = %q", got)
	}
}

func TestPayloadsConvertAsTemporalsDefaultConverter(t *testing.T) {
	v := newVM(t)
	for code, want := range map[string][2]string{
		`undefined`:                {"binary/null", ""},
		`null`:                     {"json/plain", "null"},
		`({ a: [1, "é"] })`:        {"json/plain", `{"a":[1,"é"]}`},
		`NaN`:                      {"json/plain", "null"},
		`new Date(0)`:              {"json/plain", `"1970-01-01T00:00:00.000Z"`},
		`new Uint8Array([0, 255])`: {"binary/plain", "\x00\xff"},
		`"text"`:                   {"json/plain", `"text"`},
	} {
		var back string
		err := v.Enter(t.Context(), time.Second, func() error {
			value, err := v.Runtime.RunString(code)
			if err != nil {
				return err
			}
			p, err := v.ToPayload(value)
			if err != nil {
				return err
			}
			if e, d := string(p.GetMetadata()["encoding"]), string(p.GetData()); e != want[0] || d != want[1] {
				t.Errorf("%s is %s %q", code, e, d)
			}
			again, err := v.FromPayload(p)
			if err != nil {
				return err
			}
			p2, err := v.ToPayload(again)
			back = string(p2.GetData())
			return err
		})
		if err != nil || back != want[1] {
			t.Errorf("%s there and back: %q, %v", code, back, err)
		}
	}
	for _, code := range []string{`10n`, `(() => 1)`, `Symbol("x")`, `const a = {}; a.a = a; a`} {
		err := v.Enter(t.Context(), time.Second, func() error {
			value, err := v.Runtime.RunString(code)
			if err != nil {
				return err
			}
			_, err = v.ToPayload(value)
			return err
		})
		if !errors.Is(err, ErrNotConvertible) {
			t.Errorf("%s: error = %v", code, err)
		}
	}
	if _, err := v.FromPayload(&commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("odd")}}); err == nil || err.Error() != "unknown encoding: odd" {
		t.Errorf("odd encoding: %v", err)
	}
}

// testdata/format.json holds [expression of an array, what Node 20's util.formatWithOptions makes
// of it in one line].
func TestConsoleLinesReadLikeNodes(t *testing.T) {
	raw, err := os.ReadFile("testdata/format.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]string
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		v := newVM(t)
		var got string
		err := v.Enter(t.Context(), time.Second, func() error {
			value, err := v.Runtime.RunString("(" + c[0] + ")")
			if err != nil {
				return err
			}
			var args []goja.Value
			v.Runtime.ForOf(value, func(a goja.Value) bool { args = append(args, a); return true })
			got = v.Format(args)
			return nil
		})
		if err != nil || got != c[1] {
			t.Errorf("%s\ngot  %s, %v\nNode %s", c[0], got, err, c[1])
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnter(b *testing.B) {
	v := newVM(b)
	for b.Loop() {
		if err := v.Enter(b.Context(), time.Second, func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
