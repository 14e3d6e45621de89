package sandbox

import (
	"errors"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// Builtins are capped when code first asks for them: there must be no way to one that wasn't.
func TestNoWayLeadsToAnUncappedBuiltin(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		`new Uint8Array(N)`,
		`new (new ArrayBuffer(1).constructor)(N)`,
		`new (new Uint8Array(1).buffer.constructor)(N)`,
		`new (new Uint8Array(1).constructor)(N)`,
		`new (new Float64Array(1).map((x) => x).constructor)(N)`,
		`new (Object.getPrototypeOf(Uint8Array))(N)`,
		`new (Uint8Array.prototype.constructor)(N)`,
		`new (class extends Uint8Array {})(N)`,
		`new (class extends ArrayBuffer {})(N)`,
		`new (ArrayBuffer[Symbol.species])(N)`,
		`new (Uint8Array[Symbol.species])(N)`,
		`Reflect.construct(Uint8Array, [N], Object)`,
		`new (Object.getOwnPropertyDescriptor(globalThis, "Uint8Array")?.value ?? Uint8Array)(N)`,
		`delete globalThis.Uint8Array; new (new Int8Array(1).constructor)(N)`,
		`new Int8Array({ length: N })`,
		`Uint8Array.from({ length: N })`,
		`Object.getPrototypeOf(Uint8Array).from.call(Uint8Array, { length: N })`,
		`new Function("return this")().Uint8Array.from({ length: N })`,
		`(0, eval)("new Uint16Array(N)")`,
		`"x".repeat(N)`,
		`"".repeat.call("x", N)`,
		`"x".padEnd(N)`,
		`(function* () {}).constructor("return 'x'.padStart(N)")().next()`,
		`[].constructor.from({ length: N })`,
		`Object.getPrototypeOf([]).fill.call(Array(N), 0)`,
		`JSON.parse('"' + "x".repeat(N / 4) + "x".repeat(N / 4) + "x".repeat(N / 4) + '"')`,
		`Object.getOwnPropertyDescriptor(JSON, "parse").value('"' + "x".repeat(N / 4) + "x".repeat(N / 4) + "x".repeat(N / 4) + '"')`,
	} {
		if got, err := run(t, cappedVM(t), "const N = 2 ** 21; globalThis.N = N;"+code); err == nil {
			t.Errorf("%s gave %v", code, got)
		}
	}
}

// cappedVM allows a megabyte.
func cappedVM(t *testing.T) *VM {
	v, err := New(Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What was checked must be what the builtin works with, whatever an object answers when it's asked
// again.
func TestASizeIsReadOnce(t *testing.T) {
	t.Parallel()
	const then = `const then = (first, rest) => { let i = 0; return () => (i++ ? rest : first) };
const N = { valueOf: then(1, 2 ** 21) }, items = { get length() { return this.n() }, n: then(1, 2 ** 21) };`
	for _, code := range []string{
		`new Int8Array(items).length`,
		`new Int8Array(Object.defineProperty({}, "length", { get: then(1, 2 ** 21) })).length`,
		`new ArrayBuffer(N).byteLength`,
		`"x".repeat(N).length`,
		`"x".padStart(N).length`,
		`"x".padEnd(N).length`,
		`"".repeat.call({ toString: then("", "x".repeat(1000)) }, 2 ** 12).length`,
		`Array.from(items).length`,
		`JSON.parse({ toString: then('"x"', '"' + "x".repeat(2 ** 19) + '"') }).length`,
	} {
		if got, err := run(t, cappedVM(t), then+code); err != nil || got.ToInteger() > 1 {
			t.Errorf("%s = %v, %v", code, got, err)
		}
	}
}

func TestGlobalsLookAsIfTheyHadAlwaysBeenThere(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`return typeof Map + typeof Temporal + ("Set" in globalThis) + ("Nope" in globalThis)`:                  "functionundefinedtruefalse",
		`Map; return JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, "Map"))`:                        `{"writable":true,"enumerable":false,"configurable":true}`,
		`JSON; Math; return Object.keys(globalThis).join()`:                                                     "",
		`return Map === Map && Map === globalThis.Map && new Map().constructor === Map`:                         "true",
		`return new Uint8Array(1).constructor === Uint8Array && new ArrayBuffer(1).constructor === ArrayBuffer`: "true",
		`return Uint8Array.name + Uint8Array.BYTES_PER_ELEMENT + ArrayBuffer.isView(new Uint8Array(1))`:         "Uint8Array1true",
		`return new Uint8Array([1, 2, 3]).slice(1).join() + new ArrayBuffer(8).slice(2).byteLength`:             "2,36",
		`return new Uint8Array(new ArrayBuffer(8), 2, 3).length + Uint8Array.from([1, 2], (x) => x + 1).join()`: "32,3",
		`Map; delete globalThis.Map; return typeof Map`:                                                         "undefined",
		`Map = 1; return Map`:            "1",
		`globalThis.Map = 1; return Map`: "1",
		`var e; try { undefined = 1; NaN = 1 } catch (x) { e = x } return undefined + String(NaN) + e`:                                  "undefinedNaNundefined",
		`return Object.prototype.toString.call(globalThis) + (globalThis === globalThis.globalThis) + (this === globalThis)`:            "[object global]truetrue",
		`return (function () { return this })() === globalThis`:                                                                         "true",
		`(0, eval)("var x = 1; function f() { return x }"); return f() + globalThis.x`:                                                  "2",
		`return [1].values().map.name + [1].values().map.length + "".padStart.length + JSON.parse.name + atob.name`:                     "map12parseatob",
		`return Object.getOwnPropertyNames(String.prototype).filter(n => /repeat|isWell/.test(n)).length`:                               "2",
		`try { null.x } catch (e) { return e instanceof TypeError && e instanceof Error && e.constructor === TypeError }`:               "true",
		`return TypeError.captureStackTrace === Error.captureStackTrace && typeof TypeError.captureStackTrace`:                          "function",
		`return Symbol.asyncIterator === Symbol.asyncIterator && String(Symbol.dispose)`:                                                "Symbol(Symbol.dispose)",
		`return (async () => {}).constructor("return typeof Promise.any")().then(x => x)`:                                               "function",
		`return Array.from({ length: 3, 1: "b" }, (x, i) => x ?? i).join() + Array.from(new Set([1])).join() + Array.from("ab").join()`: "0,b,21a,b",
		`return class A extends Array {}.from([1, 2]).constructor.name`:                                                                 "A",
		`return "ab".repeat(2) + "5".padStart(3, "0") + [3, 1].toSorted().join("-") + Array(2).fill(7).join()`:                          "abab0051-37,7",
		`try { String.prototype.repeat.call(null, 1) } catch (e) { return e.name }`:                                                     "TypeError",
		`return JSON.stringify(JSON.parse('{"a":[1,{"b":null}]}', (k, x) => x === 1 ? 2 : x)) + JSON.parse(null)`:                       `{"a":[2,{"b":null}]}null`,
		`return new Date(0).toString()`: "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)",
		`return new TextDecoder().decode(new TextEncoder().encode("é")) + btoa(atob("YQ=="))`: "éYQ==",
	} {
		if got, err := run(t, newVM(t), "(function () {"+code+"})()"); err != nil || text(got) != want {
			t.Errorf("%s = %v, %v; want %s", code, got, err, want)
		}
	}
}

// text is a value's, or that of what a promise was fulfilled with.
func text(value goja.Value) string {
	if p, ok := value.Export().(*goja.Promise); ok {
		value = p.Result()
	}
	return value.String()
}

// What is made late is made by code that runs after the author's own.
func TestWhatIsMadeLateNeedsNoTamperedBuiltin(t *testing.T) {
	t.Parallel()
	const tamper = `const { ownKeys } = Reflect;
for (const o of [Object, Reflect, Array.prototype, Function.prototype, String.prototype]) for (const n of ownKeys(o)) {
  if (n === "caller" || n === "arguments") continue;
  if (typeof o[n] === "function" && typeof n === "string" && n !== "toString" && n !== "constructor" && n !== "valueOf") o[n] = () => { throw new Error("tampered " + String(n)) };
}
`
	for _, code := range []string{
		`new Uint8Array(2).length`, `JSON.parse("[1]").length`, `String(new Date(0))`, `typeof Symbol.dispose`, `new RegExp("a").lastIndex`, `new ArrayBuffer(1).byteLength`,
	} {
		if _, err := run(t, newVM(t), "(() => {"+tamper+"return "+code+"})()"); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestALoopInsideTheLibraryIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		`[1].values().map(() => { for (;;); }).toArray()`,
		`Promise.try(() => { for (;;); })`,
		`Array.from({ length: 2 }, () => { for (;;); })`,
		`new Uint8Array({ get length() { for (;;); } })`,
		`try { [1].values().forEach(() => { for (;;); }) } catch {} finally { for (;;); }`,
	} {
		v := newVM(t)
		err := v.Enter(t.Context(), 50*time.Millisecond, func() error {
			_, err := v.Runtime.RunString(code)
			return err
		})
		var interrupted *Interrupted
		if !errors.As(err, &interrupted) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
