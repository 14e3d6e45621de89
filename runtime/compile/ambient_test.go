package compile

import "testing"

// What Temporal's bundler (swc) makes of the same texts.
func TestConstEnumsAreInlined(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`declare const enum E { A = 1, B, C = 'x', D = 1 << 4, F = B + 10, G = -3, H = 1.5 } export const out = JSON.stringify([E.A, E.B, E.C, E.D, E.F, E.G, E.H])`:                                                                   `[1,2,"x",16,12,-3,1.5]`,
		"declare const enum E { A = 1, 'b c' = 'two', \"d\" = 3 } export const out = [E['A'], E['b c'], E[`A`], E.d, `${E.A}!`].join()":                                                                                                `1,two,1,3,1!`,
		`export declare const enum E { A = 'e' } export const out = E.A`:                                                                                                                                                               `e`,
		`declare const enum E { A } declare const enum E { B = 7 } export const out = E.A + E.B`:                                                                                                                                       `7`,
		`const enum E { A = 1, B, C = 'x' } const enum E { X = 100 } export const out = E.B + E['X'] + E.C`:                                                                                                                            `102x`,
		`export const enum E { A = 7 } export const out = E.A + typeof E`:                                                                                                                                                              `7object`,
		`const enum R { A = 2 } declare const enum E { B = R.A + 1, C = A2.Z } declare const enum A2 { Z = 9 } enum S { Y = R.A } export const out = [E.B, S.Y].join()`:                                                                `3,2`,
		`declare namespace N { const enum E { A = 5 } namespace M { export const enum F { B = 'deep' } } function f(): void; } export const out = [N.E.A, N.M.F.B].join()`:                                                             `5,deep`,
		`declare namespace N.M { const enum E { A = 6 } } export const out = N.M.E.A`:                                                                                                                                                  `6`,
		`namespace N { export declare const enum E { A = 8 } export const enum F { A = 9 } export const r = E.A + F.A } export const out = [N.r, N.E.A, N.F.A, N.E['A']].join()`:                                                       `17,8,9,8`,
		`namespace N { declare const enum E { A = 8 } export function f() { return () => E.A } } export const out = N.f()()`:                                                                                                           `8`,
		`function f() { declare const enum L { A = 1, B } return [L.A, L.B].join() } export const out = f()`:                                                                                                                           `1,2`,
		`declare const enum E { A = 1 } function f(x = E.A, { y = E['A'] } = {} as any) { switch (x) { case E.A: return [x, y, { [E.A]: 1, a: E.A }] } } export const out = JSON.stringify(f())`:                                       `[1,1,{"1":1,"a":1}]`,
		`declare const enum E { A = 1 } class K { static s = E.A; f = E.A; g = E.A + this.n; constructor(readonly n = E.A) {} } export const out = JSON.stringify([new K(), K.s])`:                                                     `[{"n":1,"f":1,"g":2},1]`,
		"// declare const enum X { A = 1 }\ndeclare const enum E { /* A = 2 */ A = 1, // }\n B } const s = 'declare const enum E { A = 5 }', r = /[/}\"']/, n = 4 / 2 / 1; export const out = [E.A, E.B, s.length, r.flags, n].join()": `1,2,30,,2`,
		"const t = `${'declare const enum E { A = 3 }'} ${`}`}`; declare const enum E { A = 4 } export const out = E.A + t.length":                                                                                                     `36`,
		`declare const enum E { A = 1 } export const out = typeof E`:                                                                                                                                                                   `undefined`,
		`declare const enum E { A = 1 } export const out = E.A.toFixed(1) + E.A.constructor.name`:                                                                                                                                      `1.0Number`,
		`declare enum E { A = 3 } declare const enum F { A = 1 } let said = F.A + ''; try { said += E.A } catch (e: any) { said += e.message } export const out = said`:                                                                `1E is not defined`,
		`declare global { const enum G { A = 5 } } declare const enum F { A = 1 } let said = F.A + ''; try { said += G.A } catch (e: any) { said += e.message } export const out = said`:                                               `1G is not defined`,
		`declare const declare: any, enums: any; declare const enum E { A = 1 } export const out = ((E: any) => E.A)({ A: 5 })`:                                                                                                        `5`,
	} {
		if got, err := compileAndRun(t, compiler(t, false), text); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
		}
	}
}
