package compile

import "testing"

// A var may have the name of what a catch clause caught: it is assigned to, and the function's own
// variable isn't.
func TestVariablesMayHaveTheNameOfWhatIsCaught(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/old/index.js": `exports.f = function () { try { throw 1 } catch (e) { var e = [e, 2] } return typeof e + new Function("try { throw 1 } catch (x) { return x }")() }`,
	})
	for text, want := range map[string]string{
		`let r; try { throw 1 } catch (e) { var e: any = [e, 2]; r = e } export const out = [r, typeof e].join()`:                                                                                           `1,2,undefined`,
		`const r: any[] = []; try { throw 1 } catch (x) { for (var x in { k: 1 }) r.push(x); for (var x = 0, y = 5; x < 2; x++) r.push(x) } export const out = [...r, x, y].join()`:                         `k,0,1,,5`,
		`const r: any[] = []; try { throw 1 } catch (x) { if (r) var x = 7, y = 8; r.push(x, y); { var x; } r.push(x); switch (1) { case 1: var x = 9 } r.push(x) } export const out = [...r, x, y].join()`: `7,8,7,9,,8`,
		`const r: any[] = []; try { throw 1 } catch (x) { l: for (;;) { var x = 2; break l } try { throw 3 } catch (x) { var x = x + 1; r.push(x) } r.push(x) } export const out = [...r, x].join()`:        `4,2,`,
		`const r: any[] = []; try { throw 1 } catch (x) { const f = () => { var x = 5; return x }; var g = function () { var x = 6; return x }; r.push(f(), g(), x) } export const out = r.join()`:          `5,6,1`,
		`let r; try { throw 1 } catch (f) { var f = function () {}; r = f.name } export const out = r`:                                                                                                      `f`,
		`import { f } from 'old'; export const out = f()`: `undefined1`,
	} {
		if got, err := compileAndRun(t, withModules(t, dir), text); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
		}
	}
}
