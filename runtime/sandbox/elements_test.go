package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language/linear"
)

// What goes through the elements of a large typed array gives what it gives of a small one.
func TestPropertiesOfLargeTypedArraysAreAsOfSmallOnes(t *testing.T) {
	t.Parallel()
	const text = `(n) => {
		const make = () => {
			const t = new Uint16Array(n); t[0] = 7; t[n - 1] = 9;
			t.b = 1; t.a = 2; t[Symbol.for('s')] = 3;
			Object.defineProperty(t, 'hidden', { value: 4 }); Object.defineProperty(t, Symbol.for('h'), { value: 5 });
			Object.defineProperty(t, 'length2', { enumerable: true, get() { return this.length > n; } });
			return t;
		};
		const t = make();
		const show = (x) => [x.length - n, ...x.slice(0, 2), ...x.slice(n - 1)].map((v) => typeof v === 'symbol' ? v.description : JSON.stringify(v)).join(' ');
		const object = (o) => show(Reflect.ownKeys(o)) + ' ' + o[0] + o[n - 1] + o.a + o.b + o[Symbol.for('s')] + o.length2;
		const { b, ...one } = { ...t };
		const plain = new Uint16Array(n); plain[n - 1] = 9; plain.b = 1; plain.a = 2; plain[Symbol.for('s')] = 3; plain[Symbol.for('k')] = 4;
		Object.defineProperty(plain, 'hidden', { value: 4 });
		const { a, 0: zero, [Symbol.for('s')]: s, ...left } = plain;
		let names = 0; for (const name in t) names++;
		const d = Object.getOwnPropertyDescriptors(t);
		let thrown; try { Object.assign(Object.freeze({}), t) } catch (e) { thrown = e.name }
		const gone = make(); gone.buffer.transfer();
		return [show(Object.keys(t)), show(Object.getOwnPropertyNames(t)), show(Reflect.ownKeys(t)), show(Object.values(t)), show(Object.entries(t)), object({ ...t }), object(one),
			show(Reflect.ownKeys(left)) + left[1] + left[n - 1] + left.b, (({ ...all }) => object(all))(plain),
			object(Object.assign({ z: 1 }, { y: 1 }, t, { a: 5 }, make())), show(Reflect.ownKeys(d)) + JSON.stringify([d[0], d[n - 1], d.hidden, d.a]) + typeof d.length2.get, names - n, thrown,
			Object.values(gone).join(), Object.keys({ ...gone }).join()].join('\n').replaceAll(String(n - 1), 'last');
	}`
	v := newVM(t)
	small, err := runTuned(t, v, `(`+text+`)(5000)`)
	if err != nil {
		t.Fatal(err)
	}
	large, err := runTuned(t, v, `(`+text+`)(70000)`)
	if err != nil {
		t.Fatal(err)
	}
	if small.String() != large.String() {
		t.Errorf("of a small one:\n%s\nof a large one:\n%s", small, large)
	}
	if !strings.Contains(small.String(), "hidden") {
		t.Errorf("got %s", small)
	}
}

// runTuned evaluates code as that of rows is.
func runTuned(t *testing.T, v *VM, code string) (out goja.Value, err error) {
	t.Helper()
	program, err := Compile("test.ts", code)
	if err != nil {
		t.Fatal(err)
	}
	err = v.Enter(t.Context(), 10*time.Second, func() error {
		out, err = v.Runtime.RunProgram(program)
		return err
	})
	return out, err
}

// refusing is a budget that so many claims are left of.
type refusing struct{ left int }

func (r *refusing) Claim(int64) bool { r.left--; return r.left >= 0 }

func TestWhatGoesThroughElementsStopsWhereTheBudgetEnds(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`Object.keys(t)`: "undefined", `Object.getOwnPropertyNames(t)`: "undefined", `Reflect.ownKeys(t)`: "undefined",
		`Object.values(t)`: "undefined", `Object.entries(t)`: "undefined", `Object.getOwnPropertyDescriptors(t)`: "undefined",
		`Object.keys({ ...t }).length`:                       "2048",
		`(Object.assign(into, t), Object.keys(into).length)`: "2048",
		`(({ a, ...rest }) => Object.keys(rest).length)(t)`:  "2048",
	} {
		v := newVM(t)
		if _, err := run(t, v, `var t = new Uint8Array(100000), into = {};`); err != nil {
			t.Fatal(err)
		}
		budget := refusing{2}
		var err error
		if v.async.linear, err = linear.NewState(v.Runtime, &budget); err != nil {
			t.Fatal(err)
		}
		if got, err := runTuned(t, v, expression); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v; want %s", expression, got, err, want)
		}
	}
}

// goja makes the names of what a proxy leads to in one step, which nothing interrupts: there is no
// first of them where the budget has no room for all.
func TestNamesOfElementsThroughAProxyAreClaimedBefore(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		`Object.keys(p)`, `Object.getOwnPropertyNames(p)`, `Reflect.ownKeys(p)`, `Object.values(p)`, `Object.entries(p)`, `Object.assign({}, p)`,
		`Object.getOwnPropertyDescriptors(p)`, `({ ...p })`, `(({ a, ...rest }) => rest)(p)`, `(() => { for (const name in p) break })()`,
	} {
		v := newVM(t)
		if _, err := run(t, v, `var p = new Proxy(new Proxy(new Uint8Array(100000), {}), {});`); err != nil {
			t.Fatal(err)
		}
		budget := refusing{}
		var err error
		if v.async.linear, err = linear.NewState(v.Runtime, &budget); err != nil {
			t.Fatal(err)
		}
		if got, err := runTuned(t, v, expression); err != nil || budget.left != -1 {
			t.Errorf("%s: %v, %v, %d claims", expression, got, err, -budget.left)
		}
	}
	v := newVM(t)
	if got, err := runTuned(t, v, `(() => {
		const p = new Proxy(new Uint8Array(70000), { get: (t, name) => t[name], has: () => false });
		let n = 0; for (const name in p) n++;
		const { a, 1: one, ...rest } = p;
		return [Object.keys(p).length, n, Object.keys(rest).length, Object.keys({ ...p }).length].join();
	})()`); err != nil || got.String() != "70000,70000,69999,70000" {
		t.Errorf("%v, %v", got, err)
	}
}
