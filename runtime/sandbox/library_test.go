package sandbox

import "testing"

func TestTheYoungerLibraryIsThere(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`return (1234567.891).toLocaleString("en-US") + " " + (-0.5).toLocaleString() + " " + (1e6).toLocaleString() + " " + 1234n.toLocaleString()`:            "1,234,567.891 -0.5 1,000,000 1,234",
		`return (1.0005).toLocaleString() + " " + (999.9996).toLocaleString() + " " + (0).toLocaleString() + " " + (1e-9).toLocaleString()`:                     "1.001 1,000 0 0",
		`const d = new Date(Date.UTC(2024, 0, 2, 15, 4, 5)); return d.toLocaleDateString("en-US", { timeZone: "UTC" }) + " " + d.toLocaleString().slice(0, 15)`: "1/2/2024 1/2/2024, 3:04:",
		`try { (1).toLocaleString("ar-EG") } catch (e) { return e.name + e.message.slice(0, 24) }`:                                                              "RangeErrorthe locale \"ar-EG\" is no",
		`try { new Date(0).toLocaleString("en-US", { timeZone: "Asia/Nowhere" }) } catch (e) { return e.name }`:                                                 "RangeError",
		`return ["a10", "a9", "a09b"].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).join() + "b".localeCompare("a")`:                         "a9,a09b,a101",
		`return "\ud83d!".isWellFormed() + " " + "😀".isWellFormed() + " " + "\ud83d!".toWellFormed().charCodeAt(0)`:                                             "false true 65533",
		`return JSON.parse('"\\ud83d"').charCodeAt(0)`:                                                                                                   "55357",
		`return JSON.parse('{"\\udc00":["\\ud83d\\ude00","a\\\\ud83d","x\\uD83Dy"]}')["\udc00"].map(s => s.length).join()`:                               "2,7,3",
		`return JSON.parse('["\\ud83d", 1]', (k, v) => v === 1 ? undefined : v).length`:                                                                  "2",
		`return JSON.parse('"\ud83d"').charCodeAt(0) + "," + JSON.parse('"\\ufffd"').charCodeAt(0)`:                                                      "55357,65533",
		`return new RegExp("^\\p{L}+$", "u").test("éà") + " " + RegExp("\\p{Lu}", "u").test("a")`:                                                        "true false",
		`try { new RegExp("\\p{Nope}", "u") } catch (e) { return e.name }`:                                                                               "SyntaxError",
		`return /a/.constructor === RegExp && /a/ instanceof RegExp && RegExp(/a/) instanceof RegExp && RegExp.prototype === Object.getPrototypeOf(/a/)`: "true",
		`class R extends RegExp { x() { return 1 } } return new R("a").x() + new R("a", "g").flags`:                                                      "1g",
		`return "a1b2".split(/\d/).join() + "a,b".split(new RegExp(",", "u")).length + [..."aa".matchAll(/a/g)].length`:                                  "a,b,22",
		`return RegExp.escape("a.b-c") + new RegExp(RegExp.escape("(*)")).test("(*)")`:                                                                   `\x61\.b\x2dctrue`,
		`const o = {}; Error.captureStackTrace(o); return typeof o.stack + Error.stackTraceLimit`:                                                        "string10",
		`return Math.sumPrecise([1e308, 0.1, 0.2, -1e308].slice(1, 3)) + Math.sumPrecise([])`:                                                            "0.30000000000000004",
		`return [1,2,3].values().map(x => x * 2).filter(x => x > 2).toArray().join()`:                                                                    "4,6",
		`return Iterator.from({ next() { return { done: this.n > 2, value: this.n++ } }, n: 0 }).drop(1).take(1).toArray().join()`:                       "1",
		`let closed = 0; const it = { __proto__: Iterator.prototype, next: () => ({ done: false, value: 1 }), return() { closed++; return {} } };
		 it.take(2).toArray(); it.some(x => x); it.map(x => x).return(); for (const x of it.filter(Boolean)) break; return closed`: "4",
		`return [[1], [2, 3]].values().flatMap(x => x).reduce((a, b) => a + b) + new Set([1, 2]).values().find(x => x > 1)`:                                             "8",
		`return new Map([[1, 2]]).entries().toArray().length + (function* () { yield 1 })().every(x => x === 1)`:                                                        "2",
		`class M extends Iterator { next() { return { done: true } } } return new M().toArray().length + String(new M() instanceof Iterator)`:                           "0true",
		`const o = []; { const s = new DisposableStack(); s.defer(() => o.push(1)); s.adopt(2, x => o.push(x)); s.dispose(); s.dispose() } return o.join()`:             "2,1",
		`const s = new AsyncDisposableStack(); let d = 0; s.use({ async [Symbol.asyncDispose]() { d++ } }); return s.disposeAsync().then(() => d + String(s.disposed))`: "1true",
	} {
		for _, shared := range []bool{false, true} {
			v, err := New(Options{Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := run(t, v, "(() => {"+code+"})()"); err != nil || got.String() != want {
				t.Errorf("%s = %v, %v; want %s (shared: %v)", code, got, err, want, shared)
			}
		}
	}
}
