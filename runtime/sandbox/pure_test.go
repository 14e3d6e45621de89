package sandbox

import (
	"testing"
	"time"

	"github.com/dop251/goja"
)

// What isn't called leaves behind what a call would have, and is called where somebody has changed what
// it uses.
func TestFunctionsThatAreNotCalledLeaveWhatCallsLeave(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`return ['ab', 'xc', 'd'].map((x) => /([a-c])$/.test(x) ? x : '').join() + RegExp.$1 + RegExp.input`:                                                                                                                                             "ab,xc,cxc",
		`/(q)/.test('q'); return ['a', 'b'].map((x) => /(z)/.test(x)).join() + RegExp.$1`:                                                                                                                                                                "false,falseq",
		`/(q)/.test('q'); return ['a', 'b', 'c'].map((x) => /(b)/.test(x) ? String(x) : x === 'c' ? x + RegExp.$1 : RegExp.$1).join()`:                                                                                                                   "q,b,cb",
		`/(q)/.test('q'); let seen = ''; return ['a', 'b'].map((x) => x === 'a' ? (/(z)/.test(x) ? 1 : 2) : (seen += RegExp.$1)).join() + seen`:                                                                                                          "2,qq",
		`/(q)/.test('q'); return ['xa', 'b'].map((x) => /x(.)/.test(x) ? x : RegExp.$1).join() + [5].map((x) => /(9)/.test(String(x)) || RegExp.$1).join()`:                                                                                              "xa,aa",
		`return ['xa', 'xb'].find((x) => /x(.)/.test(x)) + RegExp.$1`:                                                                                                                                                                                    "xaa",
		`return ['b1', 'a2'].sort((x, y) => /a(.)/.test(x) ? -1 : 1).join() + RegExp.$1`:                                                                                                                                                                 "a2,b12",
		`const one = () => [1, 2].map((x) => /([12])/.test(String(x))).join(); return one() + one() + RegExp.$1`:                                                                                                                                         "true,truetrue,true2",
		`const f = (x) => /a/.test(x), a = ['a', 'b'].map(f).join(); RegExp.prototype.exec = () => ({}); return a + ['a', 'b'].map(f).join()`:                                                                                                            "true,falsetrue,true",
		`const f = (x) => String(x), a = [1, 2].map(f).join(); globalThis.String = (x) => 'mine' + x; return a + [1, 2].map(f).join()`:                                                                                                                   "1,2mine1,mine2",
		`const f = (x) => x.toUpperCase(), a = ['a'].map(f).join(); String.prototype.toUpperCase = () => 'changed'; return a + ['a'].map(f).join() + 'b'.toUpperCase()`:                                                                                  "Achangedchanged",
		`const f = (_, i) => ({ i }), make = () => Array.from({ length: 2 }, f), a = make(); Object.prototype[Symbol.iterator] = function* () { yield 7 }; const b = make(); delete Object.prototype[Symbol.iterator]; return a.length + ' ' + b.length`: "2 1",
		`const f = () => [1, 2].map((x) => x + 1).join('-'), a = f(); Array.prototype.join = () => 'changed'; const b = f(); Array.prototype.map = () => 'mapped'; return a + b + tried(f)`:                                                              "2-3changedTypeError",
		`const f = () => [1, 2].map((x) => x + 1), a = f().join(); Object.defineProperty(Array, Symbol.species, { get() { return Object } }); const b = f(); return a + Array.isArray(b)`:                                                                "2,3false",
		`const f = (x) => x.y.z, lines = (g) => { try { g() } catch (e) { return e.stack.split('\n').length } }; return String(lines(() => [1].map((x) => x.y.z).join(' ')) === lines(() => [1].map(f).join(' ')))`:                                      "true",
	} {
		text = "const tried = (f) => { try { return f() } catch (e) { return e.name } };" + text
		v, f := gatherer(t, services[1], `() => {`+text+`}`)
		err := v.Enter(t.Context(), time.Minute, func() error {
			got, err := f(goja.Undefined())
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
