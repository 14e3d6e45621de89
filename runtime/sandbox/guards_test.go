package sandbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// lowered are limits so low that inputs beyond them are harmless to any engine: what is beyond the
// real ones has ended processes (builtins that call each other until Go's stack is full, circles
// and long chains of proxies, deep texts that are evaluated) or held a core for minutes (lengths
// without elements, BigInts, digits).
var lowered = Options{MaxBytes: 16 << 10, MaxDigits: 100, MaxArguments: 100, MaxNative: 50}

// guarded is what a text comes to under these limits.
func guarded(t *testing.T, shared bool, text string) error {
	t.Helper()
	o := lowered
	o.Shared = shared
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v.Enter(context.Background(), time.Minute, func() error {
		_, err := runRewritten(v, text)
		return err
	})
}

// prelude makes what nests: one inside of the other, sixty of them.
const prelude = "const nest = (step, o = 'x') => { for (let i = 0; i < 60; i++) o = step(o); return o; };"

// checkGuards holds that each text is stopped by an error, and that half as much isn't.
func checkGuards(t *testing.T, want, more, less string, texts []string) {
	t.Helper()
	for _, shared := range []bool{false, true} {
		for _, text := range texts {
			if err := guarded(t, shared, more+text); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s (shared: %t): %v, not %q", text, shared, err, want)
			}
			if less == "" {
				continue
			}
			if err := guarded(t, shared, less+text); err != nil && strings.Contains(err.Error(), want) {
				t.Errorf("half of %s (shared: %t): %v", text, shared, err)
			}
		}
	}
}

func TestBuiltinsThatCallEachOtherAreCounted(t *testing.T) {
	t.Parallel()
	checkGuards(t, "50 builtins called each other", prelude, strings.Replace(prelude, "60", "8", 1), []string{
		`'' + nest((o) => ({ toString: ''.trim.bind(o) }))`,
		`'' + nest((o) => ({ valueOf: ''.trim.bind(o), toString: undefined }))`,
		`'' + nest((o) => ({ [Symbol.toPrimitive]: ''.trim.bind(o) }))`,
		`nest((f) => [].forEach.bind([1], f), () => {})()`,
		`nest((f) => [].map.bind([1], f), () => {})()`,
		`nest((o) => Object.defineProperty({}, 'x', { get: Reflect.get.bind(null, o, 'x') }), { x: 1 }).x`,
		`nest((o) => Object.defineProperty({}, 'length', { get: [].pop.bind(o) }), []).length`,
		`nest((o) => Object.defineProperty({}, 'length', { get: [].join.bind(o) }), []).length`,
		`nest((o) => Object.defineProperty({}, 'length', { get: [].at.bind(o, 0) }), []).length`,
		`JSON.stringify(nest((o) => ({ toJSON: JSON.stringify.bind(null, o) })))`,
		`nest((p) => Object.defineProperty({}, 'then', { get: Promise.prototype.catch.bind(p) }), Promise.resolve()).then`,
		`'' + nest((e) => Object.defineProperty(new Error('x'), 'name', { get: Error.prototype.toString.bind(e) }), new Error('x'))`,
		`'' + nest((e) => Object.defineProperty(new Error('x'), 'message', { get: Error.prototype.toString.bind(e) }), new Error('x'))`,
		`nest((r) => Object.defineProperty({ flags: '' }, 'source', { get: RegExp.prototype.toString.bind(r) }), /x/).source`,
		`nest((r) => ({ exec: RegExp.prototype.test.bind(r, 'x') }), /x/).exec()`,
		`nest((o) => Object.defineProperty({}, Symbol.toStringTag, { get: Object.prototype.toString.bind(o) }), {})[Symbol.toStringTag]`,
		`'' + nest((o) => ({ toString: Object.prototype.toLocaleString.bind(o) }), {})`,
		`nest((t) => Object.defineProperty(new Uint8Array(1), 'constructor', { get: t.slice.bind(t) }), new Uint8Array(1)).constructor`,
		`nest((b) => Object.defineProperty(new ArrayBuffer(1), 'constructor', { get: b.slice.bind(b) }), new ArrayBuffer(1)).constructor`,
		`Object.keys(nest((p) => new Proxy({}, { ownKeys: Reflect.ownKeys.bind(null, p) }), {}))`,
		`nest((p) => new Proxy({}, { get: Reflect.get.bind(null, p, 'x') }), { x: 1 }).x`,
		`nest((p) => new Proxy(() => 1, { apply: Reflect.apply.bind(null, p, null, []) }), () => 1)()`,
		`nest((f) => { const m = new Map([[1, 1]]); return m.forEach.bind(m, f); }, () => {})()`,
		`nest((f) => { const s = new Set([1]); return s.forEach.bind(s, f); }, () => {})()`,
		`nest((f) => Array.from.bind(Array, [1], f), () => 1)()`,
		`'' + nest((o) => ({ toString: String.bind(null, o) }))`,
		`+nest((o) => ({ valueOf: Math.abs.bind(null, o) }), 1)`,
		`+nest((o) => ({ valueOf: parseInt.bind(null, o), toString: parseInt.bind(null, o) }), 1)`,
		`'' + nest((o) => ({ toString: encodeURIComponent.bind(null, o) }))`,
		`+nest((o) => ({ valueOf: Date.UTC.bind(null, o) }), 1)`,
		`nest((o) => Object.defineProperty({}, 'x', { set: Reflect.set.bind(null, o, 'x') }), {}).x = 1`,
		`nest((o) => Object.defineProperty({}, 'x', { enumerable: true, get: Object.assign.bind(null, {}, o) }), {}).x`,
		`nest((o) => Object.defineProperty({}, 'x', { enumerable: true, get: Object.entries.bind(null, o) }), {}).x`,
		`nest((f) => Reflect.apply.bind(null, f, null, []), () => 1)()`,
		`nest((f) => Function.prototype.call.bind(f, null), () => 1)()`,
		`nest((f) => f.bind(), () => 1)()`,
		`String(nest((x) => [x], []))`,
		`nest((x) => [x], []).toLocaleString()`,
	})
}

func TestCirclesAndLongChainsOfProxiesAreRefused(t *testing.T) {
	t.Parallel()
	checkGuards(t, "Cyclic __proto__ value", `const t = {}, p = new Proxy(t, {}), h = {}, q = new Proxy({}, h);`, "", []string{
		`Object.setPrototypeOf(t, p)`, `Reflect.setPrototypeOf(t, p)`, `t.__proto__ = p`, `p.__proto__ = new Proxy(t, {})`, `Object.setPrototypeOf(h, q); Object.setPrototypeOf(t, Object.create(p))`,
	})
	checkGuards(t, "a Proxy leads to more than 1000 objects", `const n = 1100;`, `const n = 300;`, []string{
		`let p = {}; for (let i = 0; i < n; i++) p = new Proxy(p, {});`,
		`let p = {}; for (let i = 0; i < n; i++) p = new Proxy({}, p);`,
		`let p = []; for (let i = 0; i < n; i++) p = Proxy.revocable(p, {}).proxy;`,
		`let p = () => 1; for (let i = 0; i < n; i++) p = new Proxy(p, {});`,
	})
}

// What can't be called is said without asking what it is as a text, by which it could lead to itself:
// each of these would be asked fifty times.
func TestWhatIsNoFunctionIsNotAsked(t *testing.T) {
	t.Parallel()
	const asks = `let asked = 0, said = ''; const still = (x) => ++asked < 50 ? x : undefined; const said1 = (f) => { try { f() } catch (e) { said = e.message } return asked + ' ' + said };`
	for text, want := range map[string]string{
		`const o = { get [Symbol.toPrimitive]() { return still(o) } }; said1(() => String(o))`:                        "1 object is not a function",
		`const o = { get [Symbol.toPrimitive]() { return still(o) } }; said1(() => o + 1)`:                            "1 object is not a function",
		"const o = { get [Symbol.toPrimitive]() { return still(o) } }; said1(() => `${o}`)":                           "1 object is not a function",
		`const o = { get [Symbol.toPrimitive]() { return still(o) } }; said1(() => [o].join())`:                       "1 object is not a function",
		`const o = { get [Symbol.toPrimitive]() { return still(o) } }; said1(() => ({})[o])`:                          "1 object is not a function",
		`const p = new Proxy({}, { get: () => still(p) }); said1(() => String(p))`:                                    "1 object is not a function",
		`const p = new Proxy(() => {}, { get: (t, k) => k === Symbol.toPrimitive ? still({}) : 1 }); said1(() => +p)`: "1 object is not a function",
		`const { proxy } = Proxy.revocable({}, { get: () => still(proxy) }); said1(() => proxy > 1)`:                  "1 object is not a function",
		`const p = new Proxy({}, { get get() { return still(p) } }); said1(() => p.x)`:                                "1 '[object Object]' returned for property 'get' of object '#<Object>' is not a function",
		`const p = new Proxy({}, { get has() { return still(p) } }); said1(() => 'x' in p)`:                           "1 '[object Object]' returned for property 'has' of object '#<Object>' is not a function",
		`const p = new Proxy({}, new Proxy({}, { get: () => still({}) })); said1(() => p.x)`:                          "1 '[object Object]' returned for property 'get' of object '#<Object>' is not a function",
		`said1(() => String({ [Symbol.toPrimitive]: 'x' }))`:                                                          `0 string "x" is not a function`,
		`said1(() => String({ [Symbol.toPrimitive]: 5 }))`:                                                            "0 number 5 is not a function",
		`said1(() => { said = String({ [Symbol.toPrimitive]: null }) })`:                                              "0 [object Object]",
	} {
		for _, shared := range []bool{false, true} {
			v, err := New(Options{Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			var got goja.Value
			err = v.Enter(t.Context(), time.Minute, func() (err error) { got, err = runRewritten(v, asks+text); return err })
			if err != nil || got.String() != want {
				t.Errorf("%s (shared: %t): %v, %v; want %s", text, shared, got, err, want)
			}
		}
	}
}

// Proxies' traps find their handler, their symbols and their arguments as the language has it.
func TestTrapsAreCalledAsTheLanguageHasIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`class H { #x = 'own'; get() { return this.#x } } new Proxy({}, new H()).foo`:                                                                                        "own",
		`const h = { get(t, k, r) { return this === h && r === p && t === target && k } }, target = {}, p = new Proxy(target, h); p.foo`:                                     "foo",
		`const p = new Proxy({}, { get: (t, k) => k === Symbol.toPrimitive ? (hint) => hint : 1 }); [p + '', String(p), Number.isNaN(+p)].join()`:                            "default,string,true",
		`const keys = []; const p = new Proxy({}, { get: (t, k) => { keys.push(k) } }); try { p + 1 } catch {} keys.map(String).join()`:                                      "Symbol(Symbol.toPrimitive),valueOf,toString",
		`const p = new Proxy({ [Symbol.toPrimitive]: () => 7 }, {}); p + 1`:                                                                                                  "8",
		`Object.keys(new Proxy({ a: 1 }, { ownKeys: new Proxy(() => ['a'], {}) })).join()`:                                                                                   "a",
		`const h = {}, p = new Proxy({}, h), was = p.x; h.get = () => 1; const is = p.x; delete h.get; [was, is, p.x].join()`:                                                ",1,",
		`[Date.prototype, Symbol.prototype].map((p) => Reflect.ownKeys(p).includes(Symbol.toPrimitive)).join()`:                                                              "true,true",
		`String(new Date(0)).slice(0, 15) + (new Date(0) - 0) + String(Object(Symbol('x')).description)`:                                                                     "Thu Jan 01 19700x",
		`const none = Object.getOwnPropertySymbols(Object.prototype).length; Object.getOwnPropertySymbols(Object.getOwnPropertyDescriptors(Object.prototype)).length + none`: "0",
	} {
		if got, err := run(t, newVM(t), text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestWhatIsMadeByANumberIsBounded(t *testing.T) {
	t.Parallel()
	checkGuards(t, "the limit for one call is 16384", `const n = 5000, s = 'x'.repeat(n);`, `const n = 100, s = 'x'.repeat(n);`, []string{
		`const a = []; a.length = 4 * n; JSON.stringify(a)`,
		`const a = []; a.length = 4 * n; JSON.stringify({ x: [a] }, null, 2)`,
		`JSON.stringify({ toJSON() { const a = []; a.length = 4 * n; return a; } })`,
		`JSON.stringify(1, () => { const a = []; a.length = 4 * n; return a; })`,
		`const a = []; a.length = 4 * n; JSON.stringify({}, a)`,
		`JSON.stringify([s, s, s, s, s])`, `JSON.stringify({ [s]: s, x: Object(s), y: s, z: s })`,
		`let x = [1]; for (let i = 0; i < Math.log2(n); i++) x = [x, x]; JSON.stringify(x)`,
		`let x = [1]; for (let i = 0; i < Math.log2(n); i++) x = { x, y: x }; JSON.stringify(x, ['x', 'y'])`,
		`[s, s, s, s, s].join()`, `String([s, s, s, s, s])`, `''.concat(s, s, s, s, s)`, `String.raw({ raw: [s, s, s, s, s] })`,
		`s.replaceAll('x', s)`, `s.split('')`, `[...s]`, `Array.from(s)`, `s.repeat(10)`, `s.padEnd(4 * n)`,
		"`${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}`", "eval('`' + ('${\"x\".repeat(' + n + ')}').repeat(9) + '`')",
		`const a = []; a.length = n; a.fill(0)`, `const a = []; a.length = n; a.sort()`, `const a = []; a.length = n; [].concat(a)`,
		`const a = []; a.length = n; [a].flat()`, `const a = []; a.length = n; [1].flatMap(() => a)`, `const a = []; a.length = n; Math.max.apply(null, a)`,
		`Reflect.apply(Math.max, null, { length: n })`, `Reflect.construct(Date, { length: n })`,
		`[].keys.call({ length: n }).toArray()`, `new Uint8Array({ length: 4 * n })`, `new Float64Array(n)`, `new ArrayBuffer(4 * n)`,
	})
}

func TestWhatIsSpreadIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`(function () {})(...a)`, `String.fromCharCode(...a)`, `Math.max(...a)`, `new Array(...a)`, `new Date(...a)`,
		`[].push(...a)`, `[].concat(...a)`, `(() => 1)(1, ...a, 2)`, `(() => 1)?.(...a)`, `class A {} new A(...a)`,
		`class A { constructor(...x) {} } class B extends A { constructor() { super(...a); } } new B()`,
		`(() => 1)(...new Set(Object.keys(a)))`, `(() => 1)(...(function* () { yield* a; })())`, `(() => 1)(...new Uint8Array(a))`,
		`(() => 1)(...'x'.repeat(a.length))`, `globalThis.a = a; eval('(() => 1)(...a)')`, `new Function('a', 'return Math.max(...a)')(a)`,
		`(function () { return Math.max(...arguments); }).apply(null, a)`, `({ f() {} }).f(...a)`, `f(...a); function f() {}`, `Symbol(...a)`,
	} {
		checkGuards(t, "a call with 200 arguments: the limit is 100", `const a = new Array(200).fill(65);`, `const a = new Array(50).fill(65);`, []string{text})
	}
}

func TestOfDigitsNoMoreAreReadThanMayBe(t *testing.T) {
	t.Parallel()
	checkGuards(t, "characters; the limit is 100", `const d = '9'.repeat(200);`, `const d = '9'.repeat(50);`, []string{
		`BigInt(d)`, `BigInt({ valueOf: () => d })`, `BigInt.asIntN(64, d)`, `BigInt.asUintN(64, d)`,
		`1n < d`, `d < 1n`, `1n > d`, `1n <= d`, `d >= 1n`, `1n == d`, `d != 1n`, `let x = 1n; x == d`, `let x = 1n; x < d`, `let x = 1n; d < x`,
		`1n < { valueOf: () => d }`, `1n == { toString: () => d }`, `d == { valueOf: () => 1n }`, `const f = () => 1n; f() < d`, `for (; 1n > d;);`,
		`new BigInt64Array([d])`, `new BigUint64Array(new Set([d]))`, `new BigInt64Array({ length: 1, 0: d })`, `BigInt64Array.from([d])`,
		`BigInt64Array.from([1], () => d)`, `BigUint64Array.of(d)`, `new BigInt64Array(1).fill(d)`, `new BigInt64Array(1).with(0, d)`,
		`new BigInt64Array(1).set([d])`, `new BigInt64Array(1).map(() => d)`, `new BigInt64Array(1)[0] = d`, `const a = new BigUint64Array(1); a[0] = d`,
		`new DataView(new ArrayBuffer(8)).setBigInt64(0, d)`, `new DataView(new ArrayBuffer(8)).setBigUint64(0, d)`,
		`globalThis.d = d; eval("globalThis['Big' + 'Int'](1) < d")`, `new Function('a', 'b', 'return a < b')(1n, d)`,
	})
	for text, want := range map[string]string{
		`1n << 5000000n`: "the limit is 4194304", `2n ** 5000000n`: "the limit is 4194304", `let x = 5n; x **= 3000000n`: "the limit is 4194304",
		`const o = { x: 5n }; o.x **= 3000000n`: "the limit is 4194304", `eval('5n ** 3000000n')`: "the limit is 4194304", `BigInt.asUintN(5000000, -1n)`: "the limit is 4194304",
		`let x = 1n << 3000000n; x * x`: "the limit is 4194304", `1n >> -5000000n`: "the limit is 4194304",
		`new Intl.NumberFormat('en').format('9'.repeat(300000))`: "the limit is", `(1n << 1000000n).toLocaleString()`: "the limit is 262144",
		`new Intl.Collator('en', { numeric: true }).compare('1'.repeat(600000), '2')`: "the limit is", `'1'.repeat(600000).localeCompare('2')`: "the limit is",
		`Intl.getCanonicalLocales(Array.from({ length: 60000 }, (_, i) => 'x-' + i))`: "the limit is 262144", `'x'.localeCompare('y', 'en-x-' + 'a-'.repeat(200000) + 'a')`: "the limit is 262144",
		`eval(' '.repeat(5000))`: "the limit is 4096", `new Function(' '.repeat(5000))`: "the limit is 4096",
		`JSON.parse('['.repeat(5100) + ']'.repeat(5100))`: "nests deeper than 5000", `let x = 1; for (let i = 0; i < 5100; i++) x = { x }; JSON.stringify(x)`: "nests deeper than 5000",
	} {
		v, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = v.Enter(t.Context(), time.Minute, func() error { _, err := runRewritten(v, text); return err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", text, err, want)
		}
	}
}

// The same object twice beside each other is no circle, whatever lies between.
func TestAListOfPropertiesKnowsCircles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`const x = { a: 1 }; JSON.stringify({ x, y: x }, ['x', 'y', 'a'])`:                                     `{"x":{"a":1},"y":{"a":1}}`,
		`const x = { a: 1 }; JSON.stringify({ x: [x, { y: x }], y: x }, ['x', 'y', 'a'])`:                      `{"x":[{"a":1},{"y":{"a":1}}],"y":{"a":1}}`,
		`const x = {}; x.y = [{ x }]; let e; try { JSON.stringify(x, ['x', 'y']) } catch (c) { e = c.name } e`: "TypeError",
	} {
		if got, err := run(t, newVM(t), text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}
