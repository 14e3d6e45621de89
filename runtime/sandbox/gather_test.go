package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/language/features"
)

// gatheringRow tells the rows of the language's answers that are about what is gathered.
const gatheringRow = "const w = 'x'.repeat(600)"

func TestWhatIsGatheredIsWhatTheLanguageHas(t *testing.T) {
	t.Parallel()
	rows, err := features.Answers()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, where := range services {
		v, err := New(Options{Shared: where.Shared, Memory: NewMemory(MemoryOptions{PerVM: 256 << 20})})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range rows {
			if !strings.Contains(a.Code, gatheringRow) {
				continue
			}
			checked++
			err := v.Enter(t.Context(), time.Minute, func() error {
				got, err := runRewritten(v, `(() => { "use strict"; try { return String(`+a.Code+`); } catch (e) { return '!' + e.name; } })()`)
				if err == nil && got.String() != a.Here {
					t.Errorf("%s: %s gives %s, not %s", where.Name, a.Code, got, a.Here)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %s: %v", where.Name, a.Code, err)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d rows", checked)
	}
}

// What code changes of the builtins is asked, as it always was.
func TestWhoeverChangesHowArraysAreIteratedIsAsked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Array.prototype[Symbol.iterator] = function* () { yield 'changed'; }; const [a] = [1]; const o = []; for (const x of [1]) o.push(x); return [...[1]] + a + o`: "changedchangedchanged",
		`const p = Object.getPrototypeOf([].values()); p.next = () => ({ done: true }); let n = 0; for (const x of [1]) n++; return [...[1]].length + n`:               `0`,
		`Object.defineProperty(Array.prototype, Symbol.iterator, { get() { return function* () { yield 'got'; }; } }); return [...[1, 2]][0]`:                          "got",
		`delete Array.prototype[Symbol.iterator]; try { return [...[1]].length; } catch (e) { return e.name; }`:                                                        "TypeError",
		`Array.prototype[1] = 'inherited'; const q = [1, , 3]; q.shift(); return q[0] + Object.keys(q)`:                                                                "inherited0,1",
		`Object.prototype[1] = 'inherited'; const q = [1, , 3]; q.unshift(0); return q[2] + Object.keys(q)`:                                                            "inherited0,1,2,3",
		`Object.setPrototypeOf(Array.prototype, { 0: 'far' }); const q = [, 2]; return q.shift() + q.length`:                                                           "far1",
		`Array.prototype.constructor = { [Symbol.species]: function () { return { mine: true }; } }; return [1, 2].splice(0, 1).mine`:                                  "true",
		`Object.defineProperty(Array, Symbol.species, { get() { return function () { return { mine: true }; }; } }); return [1, 2].splice(0, 1).mine`:                  "true",
		`let o; Object.getPrototypeOf([].values()).return = function () { o = this; return {}; }; for (const x of [1, 2]) break; o.x = 1; return o.x + o.next().value`: "3",
	} {
		v := newVM(t)
		err := v.Enter(t.Context(), time.Minute, func() error {
			got, err := runRewritten(v, `(() => { `+text+` })()`)
			if err == nil && got.String() != want {
				t.Errorf("%s gives %s, not %s", text, got, want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Twice as many rows make twice as many bytes, where copying all of them each time would make four
// times as many. Not parallel: it counts what the process allocates.
func TestWhatIsGatheredGrowsWithItsLength(t *testing.T) {
	const rows = 8000
	for _, where := range services {
		for name, text := range map[string]string{
			"+=":              `(n) => { let s = ''; for (let i = 0; i < n; i++) s += 'row ' + i + ', and its text\n'; return s.length }`,
			"+":               `(n) => { let s = ''; for (let i = 0; i < n; i++) s = s + 'row ' + i + ', and its text\n'; return s.length }`,
			"template":        "(n) => { let s = ''; for (let i = 0; i < n; i++) s = `${s}row ${i}, and its text\n`; return s.length }",
			"property":        `(n) => { const o = { s: '' }; for (let i = 0; i < n; i++) o.s += 'row ' + i + ', and its text\n'; return o.s.length }`,
			"element":         `(n) => { const o = ['']; for (let i = 0; i < n; i++) o[0] += 'row ' + i + ', and its text\n'; return o[0].length }`,
			"alphabets":       `(n) => { let s = ''; for (let i = 0; i < n; i++) s += (i % 7 ? 'row ' : 'größer ') + i + ', and its text\n'; return s.length }`,
			"objects":         `(n) => { let s = ''; for (let i = 0; i < n; i++) s += [i, 'and its text\n']; return s.length }`,
			"several at once": `(n) => { const s = ['', '', '']; for (let i = 0; i < n; i++) s[i % 3] += 'row ' + i + ', and its text\n'; return s[0].length }`,
			"of parts":        `(n) => { const part = (i) => { let p = 'x'.repeat(600); for (let k = 0; k < 3; k++) p += i; return p; }; let s = ''; for (let i = 0; i < n / 10; i++) s += part(i); return s.length }`,
			"unshift":         `(n) => { const q = []; for (let i = 0; i < n; i++) q.unshift(i) }`,
		} {
			v, f := gatherer(t, where, text)
			allocated := func(n int) (bytes float64) {
				err := v.Enter(t.Context(), time.Minute, func() error {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					_, err := f(goja.Undefined(), v.Runtime.ToValue(n))
					runtime.ReadMemStats(&after)
					bytes = float64(after.TotalAlloc - before.TotalAlloc)
					return err
				})
				if err != nil {
					t.Fatalf("%s: %s: %v", where.Name, name, err)
				}
				return bytes
			}
			allocated(100)
			if once, twice := allocated(rows), allocated(2*rows); twice > 2.8*once {
				t.Errorf("%s: %s of %d makes %.0f bytes, of %d %.0f", where.Name, name, rows, once, 2*rows, twice)
			}
		}
	}
}

// Moving all items each time would take minutes.
func TestListsAreTakenAtTheirFrontsWithoutMovingTheRest(t *testing.T) {
	race.AtSpeed(t)
	t.Parallel()
	for _, where := range services {
		for name, text := range map[string]string{
			"shift":  `() => { const q = []; for (let i = 0; i < 100000; i++) q.push(i); let n = 0; while (q.length) n += q.shift(); return n }`,
			"splice": `() => { const q = []; for (let i = 0; i < 100000; i++) q.push(i); let n = 0; while (q.length) n += q.splice(0, 1)[0]; return n }`,
			"both":   `() => { const q = []; for (let i = 0; i < 100000; i++) q.unshift(i); let n = 0; while (q.length) { n += q.pop(); q.unshift(0); q.shift(); } return n }`,
		} {
			v, f := gatherer(t, where, text)
			err := v.Enter(t.Context(), 9*time.Second, func() error {
				n, err := f(goja.Undefined())
				if err == nil && n.ToInteger() != 100000*99999/2 {
					t.Errorf("%s: %s: %v", where.Name, name, n)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %s: %v", where.Name, name, err)
			}
		}
	}
}

// A text that grows is charged before it does, and what ends the loop names its line.
func TestATextThatGrowsIsChargedBeforeAndNamesItsLine(t *testing.T) {
	t.Parallel()
	const limit = 16 << 20
	for _, step := range []string{"s += s", "s = `${s}${s}`", "s = `${s}, ${s}`", "s = 'x' + s + s", "o.s += o.s", "s += u; u += u"} {
		v, err := New(Options{Memory: NewMemory(MemoryOptions{PerVM: limit})})
		if err != nil {
			t.Fatal(err)
		}
		err = v.Enter(t.Context(), time.Minute, func() error {
			_, err := runRewritten(v, fmt.Sprintf("let s = 'x'.repeat(1000), u = 'ä'.repeat(1000); const o = { s };\n\nfor (;;) {\n  %s\n}", step))
			return err
		})
		var over *MemoryError
		var ended *Interrupted
		if !errors.As(err, &over) || !errors.As(err, &ended) || !strings.Contains(ended.Stack, "hostile.ts:4") && !strings.Contains(ended.Stack, "hostile.ts:3") {
			t.Errorf("%s: %v", step, err)
		}
	}
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = v.Enter(t.Context(), 50*time.Millisecond, func() error {
		_, err := runRewritten(v, "let n = 0;\nfor (let i = 0; ; i++) {\n  let s = '';\n  for (let k = 0; k < 1000; k++)\n    s += i;\n}")
		return err
	})
	var ended *Interrupted
	if !errors.As(err, &ended) || !strings.Contains(ended.Stack, "hostile.ts:5") && !strings.Contains(ended.Stack, "hostile.ts:4") {
		t.Errorf("a loop of +=: %v", err)
	}
}

// byChance does things to texts and lists that a seed chooses, and gives what they came to.
const byChance = `(seed) => {
	const next = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >> 8) % n; };
	let hash = 0;
	const see = (x) => { const s = String(x); for (let i = 0; i < s.length; i += 1 + (s.length >> 6)) hash = (hash * 31 + s.charCodeAt(i)) | 0; hash = (hash * 31 + s.length) | 0; };
	const t = ['', 'x'.repeat(511), 'y'.repeat(600), 'ä'.repeat(511), 'é'.repeat(700), 'z'], old = [];
	const bits = ['', 'a', 'ß', 7, -1.5, null, { toString() { return t[next(6)].slice(0, 9); } }, 'b'.repeat(520), 'ö'.repeat(520), [1, 2]];
	for (let n = 0; n < 400; n++) {
		const i = next(6), j = next(6), k = next(6), b = bits[next(bits.length)];
		switch (next(9)) {
		case 0: case 1: case 2: t[i] += b; break;
		case 3: t[i] = t[j] + t[k]; break;
		case 4: t[i] = t[i] + t[j] + b; break;
		case 5: t[i] = ` + "`${t[i]}${b}${t[k]}`" + `; break;
		case 6: t[i] = ` + "`${b}${t[j]}${b}`" + `; break;
		case 7: t[i] = t[j].slice(0, next(t[j].length + 1)); break;
		case 8: t[i] = b + t[j]; break;
		}
		if (t[i].length > 6000) t[i] = t[i].slice(0, next(3000));
		if (next(5) == 0) old.push(t[i]);
	}
	t.forEach(see); old.forEach(see);
	let q = [], r = [];
	for (let n = 0; n < 400; n++) {
		const x = next(1000);
		switch (next(16)) {
		case 0: case 1: case 2: q.push(x, x + 1, x + 2); break;
		case 3: case 4: see(q.shift()); break;
		case 5: case 6: q.unshift(x); break;
		case 7: q.unshift(x, x); see(q.pop()); break;
		case 8: see(q.splice(0, next(3))); break;
		case 9: see(q.splice(next(q.length + 1), next(3), ...r.slice(0, next(4)))); break;
		case 10: q.length = next(q.length + 2); break;
		case 11: if (q.length) q[next(q.length)] = n; break;
		case 12: if (q.length) delete q[next(q.length)]; break;
		case 13: r = [...q, x, ...r.slice(0, 5)]; [q, r] = [r, q]; break;
		case 14: { const [a, b = 'none', ...c] = q; see([a, b, c.length, c]); break; }
		case 15: for (const y of q) { see(y); if (y === x) break; } see(Math.max(0, ...q.filter((y) => y > 0))); break;
		}
		if (q.length > 300) q = q.slice(next(200));
		see(q.length);
	}
	see(q); see(r); see(Object.keys(q));
	return hash;
}`

func TestWhatIsGatheredByChanceIsWhatGojaGives(t *testing.T) {
	t.Parallel()
	native := goja.New()
	value, err := native.RunString(byChance)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _ := goja.AssertFunction(value)
	for _, where := range services {
		v, ours := gatherer(t, where, byChance)
		for seed := range 10 {
			want, err := theirs(goja.Undefined(), native.ToValue(seed))
			if err != nil {
				t.Fatal(err)
			}
			err = v.Enter(t.Context(), time.Minute, func() error {
				got, err := ours(goja.Undefined(), v.Runtime.ToValue(seed))
				if err == nil && got.ToInteger() != want.ToInteger() {
					t.Errorf("%s: seed %d gives %v, not %v", where.Name, seed, got, want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: seed %d: %v", where.Name, seed, err)
			}
		}
	}
}
