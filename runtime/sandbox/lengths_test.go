package sandbox

import (
	"strings"
	"testing"
)

// In goja none of these can be interrupted, and where the length is the largest that there may be,
// some end the process: there is nothing in the arrays but their length.
func TestALengthAloneHoldsNothingUp(t *testing.T) {
	const long = `const a = []; a.length = 5000; const o = { length: 5000 }; let asked = 0;
		const liar = { get length() { return asked++ ? 5000 : 1; } }; `
	for _, code := range []string{
		`a.indexOf(1)`, `a.lastIndexOf(1)`, `a.includes(1)`, `a.sort()`, `a.map((x) => x)`, `a.forEach((x) => x)`, `a.reverse()`, `a.shift()`,
		`a.unshift(1)`, `a.splice(0, 1)`, `a.slice()`, `[].concat(a)`, `a.concat(1)`, `a.flat()`, `a.find((x) => x)`, `a.every((x) => x)`,
		`a.reduce((x) => x)`, `a.copyWithin(1, 0)`, `a.toSorted()`, `a.toLocaleString()`, `[...a]`, `new Set(a)`,
		`Math.max.apply(null, a)`, `Math.max.apply(null, o)`, `Reflect.apply(Math.max, null, o)`, `Reflect.construct(Date, o)`,
		`String.raw({ raw: o })`, `Array.prototype.indexOf.call(o, 1)`, `Array.prototype.slice.call(o)`, `Array.prototype.map.call(o, (x) => x)`,
	} {
		if err := guarded(t, false, long+code); err == nil || !strings.Contains(err.Error(), "the limit for one call is 16384") {
			t.Errorf("%s: error = %v", code, err)
		}
	}
	for _, code := range []string{
		`Math.max.apply(null, liar)`, `Array.prototype.indexOf.call(liar, 1)`, `Array.prototype.map.call(liar, (x) => x)`,
		`let n = 0; Array.prototype.includes.call(new Proxy([], { get: (t, k) => (k === 'length' ? (n++ ? 5000 : 1) : t[k]) }), 1)`,
		`if (a.push(1) !== 5001) throw 1`,
	} {
		if err := guarded(t, false, long+code); err != nil {
			t.Errorf("%s: error = %v", code, err)
		}
	}
}

func TestArraysAreAsEverBelowTheLimit(t *testing.T) {
	for _, code := range []string{
		`Math.max.apply(null, [1, 3, 2]) === 3`, `Math.max.apply(null, { length: 2, 0: 4, 1: 5 }) === 5`, `Math.max.apply() === -Infinity`,
		"String.raw`a${1}\\n` === 'a1\\\\n'", `BigInt.asUintN(8, 257n) === 1n && BigInt.asIntN(8, 255n) === -1n && BigInt.asIntN.length === 2`,
		`Reflect.apply(Math.min, null, new Uint8Array([3, 2])) === 2`, `Reflect.construct(Array, [1, 2]).length === 2`,
		`(function () { return arguments.length; }).apply(null, (function () { return arguments; })(1, 2)) === 2`,
		`class A { constructor() { this.t = new.target; } } class B {} Reflect.construct(A, [], B).t === B`,
		`[...[1, 2], ...new Set([3])].join() === '1,2,3'`, `Array.prototype[Symbol.iterator] === Array.prototype.values`,
		`[].concat([1], 2, [[3]]).length === 3`, `[].concat({ length: 1e12 }).length === 1`,
		`Array.prototype.concat.call(new Proxy([1], {}), 2).length === 2`, `new Proxy([1, 2], {}).map((x) => x * 2).join() === '2,4'`, `Array.prototype.map.call('ab', (x) => x + x).join() === 'aa,bb'`,
		`[3, 1, 2].sort().reverse().slice(1).indexOf(1) === 1`, `[].map.name === 'map' && [].map.length === 1 && [].sort.length === 1`,
		`(() => { try { [].reduce((x) => x); } catch (e) { return e instanceof TypeError; } })()`,
		`(() => { try { [1].map(() => { throw new Error('x'); }); } catch (e) { return !/sandbox|lengths/.test(e.stack); } })()`,
		`(() => { try { Reflect.apply(Math.max, null, 1); } catch (e) { return e instanceof TypeError; } })()`,
	} {
		if got, err := run(t, newVM(t), code); err != nil || !got.ToBoolean() {
			t.Errorf("%s: %v, %v", code, got, err)
		}
	}
}
