package compile

import (
	"testing"
)

// What Temporal's bundler for TypeScript (swc) makes of the same text, as JSON.
func TestParameterPropertiesComeBeforeFields(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`class Loud { tag = 'x' + this.note; constructor(readonly note: string) {} } export const out = JSON.stringify(new Loud('n'))`:                                                                                                           `{"note":"n","tag":"xn"}`,
		`class Loud { tag = 'x' + this.note; constructor(readonly note: string) {} } export const out = new Loud('n').tag`:                                                                                                                       `xn`,
		`class A { v = [this.a, this.b, this.c, this.d, this.e]; constructor(public a: number, private b: number, protected c: number, readonly d = a + b, public readonly e?: number) {} } export const out = JSON.stringify(new A(1, 2, 3).v)`: `[1,2,3,3,null]`,
		// Derived classes.
		`class B { constructor(public id: string) {} } class A extends B { tag = this.id + this.note; constructor(readonly note: string) { super('b'); } } export const out = JSON.stringify(new A('n'))`:                                                                         `{"id":"b","note":"n","tag":"bn"}`,
		`class B { set s(v: any) { throw new Error('set') } m() { return 1 } } class A extends B { s = this.n; t = (this as any).x; x = 1; constructor(override readonly n: number) { const k = 1; super(); (this as any).k = k; } } export const out = JSON.stringify(new A(3))`: `{"n":3,"s":3,"x":1,"k":1}`,
		`class B { id = 0; constructor() { this.id++ } } class A extends B { u = this.w + this.id; constructor(public w = 1, more?: boolean) { if (more) { super() } else { super() } } } export const out = JSON.stringify([new A(), new A(5, true)])`:                           `[{"id":1,"w":1,"u":2},{"id":1,"w":5,"u":6}]`,
		`class B { constructor(readonly x: number) {} } class A extends B { y = this.x + this.z; constructor(readonly z = 2) { const s = super(40); s.toString() } } export const out = JSON.stringify(new A())`:                                                                  `{"x":40,"z":2,"y":42}`,
		`class B { foo() { return 1 } } class A extends B { a = (super.foo)() + this.n; constructor(public n: number) { super() } } export const out = new A(2).a`:                                                                                                                `3`,
		// All fields are there before the first is initialized.
		`class B { foo(): any { return 1 } } class A extends B { a = typeof this.foo; foo = () => 2; constructor(public n: number) { super() } } export const out = new A(2).a`: `undefined`,
		`class A { a = Object.keys(this).join(); b; declare c: number; d!: string; abstract; constructor(public n: number) {} } export const out = new A(2).a`:                  `n,a,b,d,abstract`,
		// Names of the constructor hide nothing.
		`let outer = 'outer'; class A { k = outer; constructor(outer: string, public z = outer) { let k = 1; k++; } } export const out = JSON.stringify(new A('p'))`:                          `{"z":"p","k":"outer"}`,
		`function make(n: number) { const v = n * 2; return class { f = () => [v, this.v, n]; constructor(public v: string) {} } } export const out = JSON.stringify(new (make(3))('s').f())`: `[6,"s",3]`,
		// What a parameter is when the constructor's body begins.
		`class R { k = this.a; constructor(private a: string, b = (() => a)()) { a = 'changed'; } } export const out = JSON.stringify(new R('x'))`: `{"a":"x","k":"x"}`,
		// Private, computed and odd names.
		`class A { #p = this.n + 1; static #q = 5; get p() { return this.#p + A.#q } constructor(readonly n: number) {} } export const out = new A(1).p`:                                                     `7`,
		`class A { [Symbol.toStringTag] = 'A' + this.n; ['x' + 1] = this.n; 'a b' = this.n; 7 = this.n; constructor(readonly n: number) {} } export const out = String(new A(1)) + JSON.stringify(new A(1))`: `[object A1]{"7":1,"n":1,"x1":1,"a b":1}`,
		`class A { get = this.set; constructor(readonly set: number) {} } export const out = JSON.stringify(new A(1))`:                                                                                       `{"set":1,"get":1}`,
		`class A { async = this.of; constructor(public get: number, public of: number) {} } export const out = JSON.stringify(new A(1, 2))`:                                                                  `{"get":1,"of":2,"async":2}`,
		// Names that are computed, once for each class.
		"let n = 0; const key = () => 'c' + n++; class A { [key()] = this.n; [`t${n}`] = this.n; [key()]: number; constructor(readonly n: number) {} } export const out = JSON.stringify([new A(1), new A(2), n])":                                                             `[{"n":1,"c0":1,"t1":1},{"n":2,"c0":2,"t1":2},2]`,
		`const mix = (k: any) => class { [k('a')] = this.n; constructor(public n: number) {} }; const X = mix((s: any) => s + 1), Y = mix((s: any) => s + 2); export const out = JSON.stringify([new X(1), new Y(2), new X(3)])`:                                               `[{"n":1,"a1":1},{"n":2,"a2":2},{"n":3,"a1":3}]`,
		`const made: any[] = []; for (const i of [1, 2]) { class L { ['k'.concat('' + i)] = this.n; constructor(public n: number) {} } made.push(L); } export const out = JSON.stringify(made.map((L) => new L(5)))`:                                                           `[{"n":5,"k1":5},{"n":5,"k2":5}]`,
		`class B { [String('b')] = this.x; constructor(public x: number) {} } class A extends B { [String('a')] = this.y; constructor(public y: number) { super(y + 1) } } export const out = JSON.stringify(new A(1))`:                                                        `{"x":2,"b":2,"y":1,"a":1}`,
		`function f(C = class { [String('k')] = this.n; constructor(public n: number) {} }) { return new C(3) } switch (1) { case 1: class S { [String('s')] = this.n; constructor(public n: number) {} } var s = new S(1) } export const out = JSON.stringify([f(), f(), s])`: `[{"n":3,"k":3},{"n":3,"k":3},{"n":1,"s":1}]`,
		// Statics keep their time, and what follows the properties its place.
		`const seen: any[] = []; class A { static s = seen.push('static'); static { seen.push('block') } f = seen.push('field ' + this.n); constructor(public n: number) { seen.push('body ' + this.f) } } new A(1); export const out = seen.join()`: `static,block,field 1,body 3`,
		// Expressions, generics, nesting, subclasses.
		`const A = class<T> { v = this.w; constructor(public w: T) {} }; export const out = JSON.stringify(new A(3))`:                                                                                                                                         `{"w":3,"v":3}`,
		`export default class { v = this.w; constructor(public w: number) {} } export const out = 1`:                                                                                                                                                          `1`,
		`class O { inner = new (class { x = this.y; constructor(public y: number) {} })(this.n); constructor(readonly n: number) {} } export const out = JSON.stringify(new O(4))`:                                                                            `{"n":4,"inner":{"y":4,"x":4}}`,
		`abstract class S<T> { list: T[] = [this.first]; abstract q: number; constructor(protected readonly first: T, ...rest: T[]) { this.list.push(...rest) } } class D extends S<number> { q = 3 } export const out = JSON.stringify(new D(1, 2))`:         `{"first":1,"list":[1,2],"q":3}`,
		`class Failed extends Error { label = this.code + ':' + this.message; constructor(readonly code: number, message: string) { super(message) } } const e = new Failed(7, 'm'); export const out = e.label + (e instanceof Failed) + e.constructor.name`: `7:mtrueFailed`,
		// Decorators, accessors.
		`const seen: any[] = []; function d(_: any, c: any) { return (v: any) => (seen.push(c.name), v) } class A { @d f = this.n; constructor(public n: number) {} } export const out = JSON.stringify(new A(1)) + seen.length`: `{"n":1,"f":1}1`,
		`class A { accessor f = this.n + 1; constructor(public n: number) {} } export const out = new A(1).f`:                                                                                                                    `2`,
		// What somebody wrote out is what it is.
		`class A { constructor(w: number) { this.w = w } w; v = this.w } export const out = JSON.stringify([new A(3), 'v' in new A(1)])`:               `[{"w":3},true]`,
		`class A { constructor(w: number) { this.w = w } w: number; v = this.w ?? 'none' } export const out = JSON.stringify(new A(3))`:                `{"w":3,"v":"none"}`,
		`class A { w: number; v = this.w ?? 'none'; constructor(w: number, public z = 1) { this.w = w } } export const out = JSON.stringify(new A(3))`: `{"z":1,"w":3,"v":"none"}`,
		// Fields without an initializer are there; those that are only declared aren't.
		`class B { get y() { return 'base' } } class A extends B { x; declare z: string; y = 1 as any } export const out = JSON.stringify([Object.keys(new A()), new A().y])`: `[["x","y"],1]`,
	} {
		got, err := compileAndRun(t, compiler(t, false), text)
		if err != nil || got != want {
			t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
		}
	}
}

// A text that was stored keeps its settings, and so its hash.
func TestStoredTextsKeepTheirSettings(t *testing.T) {
	t.Parallel()
	text := `class Loud { tag = 'x' + this.note; constructor(readonly note: string) {} } export const out = new Loud('n').tag`
	for settings, want := range map[string]string{FirstSettings: "xundefined", "": "xn", SettingsVersion: "xn"} {
		for _, apart := range []bool{false, true} {
			p, err := compiler(t, apart).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: text, Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := evaluate(p); err != nil || got != want {
				t.Errorf("settings %q: %s, %v, want %s", settings, got, err, want)
			}
		}
	}
	first := Source{Name: "order-intake.ts", Kind: Workflow, Text: "export const x = 1", Settings: FirstSettings}
	if got := first.Hash(); got != "b92333337f1a42971670a443e11f3bc5860624508cb3109382c1ddfef1127734" {
		t.Errorf("the hash of a stored text was another: %s", got)
	}
}

func TestPackagesInTypeScriptHaveTheirPropertiesFirst(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/typed/package.json":  `{"main": "src/index.ts"}`,
		"node_modules/typed/src/index.ts":  "import { helper } from './helper';\nexport class Loud<T = string> {\n  tag = helper('x') + this.note;\n  none;\n  #p = this.note;\n  get p() { return this.#p }\n  constructor(\n    readonly note: T) {}\n  static fail() { throw new Error('at its line') }\n}",
		"node_modules/typed/src/helper.ts": "export const helper = (s: string): string => s.toUpperCase()",
		"node_modules/typed/enums.ts":      "export declare const enum Size { Small = 1, Large = 'l' }\ndeclare const enum Odd { A = Size.Small << 2 } // declare const enum\nexport const v = [Size.Large, Odd.A, 'declare const enum'].join()\nexport class P { v = this.n + Size.Small; constructor(readonly n: number) {} }",
		"node_modules/kept/index.js":       "exports.Loud = class { get = 1; #set = 2; tag = this.note; constructor(note) { this.note = note } set() { return this.#set } }",
	})
	for text, want := range map[string]string{
		`import { Loud } from 'typed'; export const out = JSON.stringify(new Loud('n')) + new Loud('m').p + Loud.name`:                                      `{"note":"n","tag":"Xn"}mLoud`,
		`import { v, P } from 'typed/enums'; export const out = v + JSON.stringify(new P(1))`:                                                               `l,4,declare const enum{"n":1,"v":2}`,
		`import { Loud } from 'kept'; export const out = JSON.stringify(new Loud('n')) + new Loud('m').set()`:                                               `{"get":1,"note":"n"}2`,
		`import { Loud } from 'typed'; let at; try { Loud.fail() } catch (e: any) { at = e.stack.includes('typed/src/index.ts:9:') } export const out = at`: `true`,
	} {
		if got, err := compileAndRun(t, withModulesApart(t, dir), text); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
		}
	}
}
