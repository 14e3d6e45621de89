package compile

import "testing"

// A text with decorators of parameters means those that TypeScript had first; others mean the
// standard's.
func TestParameterDecoratorsAreTypeScriptsOwn(t *testing.T) {
	t.Parallel()
	const log = `const log: any[] = []; const P = (t: any, k: any, i: number) => { log.push([typeof t, k, i].join()) }; `
	for text, want := range map[string]string{
		log + `class A { constructor(@P x: number, @P public y: string) {} m(@P a: any, b: any) {} static s(@P a: any) {} } export const out = log.join(' ')`:                                                                                                                                                                `object,m,0 function,s,0 function,,1 function,,0`,
		log + `function M(t: any, k: string, d: any) { const f = d.value; d.value = function () { return f.call(this) + '!' }; return d } class A { constructor(@P private v: string) {} @M m() { return this.v } w = this.v } export const out = new A('x').m() + new A('y').w`:                                             `x!y`,
		log + `const Inject = (n: string): any => (t: any, k: any, i: number) => log.push(n + i); const Injectable = (): any => (c: any) => { c.tagged = n(c) }; const n = (c: any) => c.name; @Injectable() class S { constructor(@Inject('dep') readonly dep: any) {} } export const out = log.join() + (S as any).tagged`: `dep0S`,
		`const M = (f: any, c: any) => c.kind; const seen: any[] = []; class A { @((f: any, c: any) => { seen.push(c.kind) }) m() {} } export const out = seen.join()`:                                                                                                                                                       `method`,
	} {
		for _, apart := range []bool{false, true} {
			if got, err := compileAndRun(t, compiler(t, apart), text); err != nil || got != want {
				t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
			}
		}
	}
}
