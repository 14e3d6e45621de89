package compile

import "testing"

// As in Node, of which each gives "ok".
func TestClassMembersMayBeNamedLikeKeywords(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/plain/index.js": "class A { get = 1; static set = 2; #get = 3; async = 4; static = 5; of = 6; #set\n get p() { return this.#get + (this.#set ?? 7) } }\nmodule.exports = { sum: () => { const a = new A(); return a.get + A.set + a.async + a.static + a.of + a.p } }",
	})
	for _, text := range []string{
		`class A { get: number = 1; set = 2; async = 3; static = 4; accessor = 5; of = 6; readonly get2 = 7 } const a = new A(); export const out = a.get + a.set + a.async + a.static + a.accessor + a.of + a.get2 === 28 ? 'ok' : a`,
		`class A { get; set: string; async?: number; static; accessor; declare; readonly; abstract; type; of } export const out = Object.keys(new A()).join() === 'get,set,async,static,accessor,declare,readonly,abstract,type,of' ? 'ok' : Object.keys(new A())`,
		"class A {\n  get = 1\n  set\n  = 2\n  async\n  of\n  #get = 3\n}\nexport const out = Object.keys(new A()).join() === 'get,set,async,of' ? 'ok' : 'nok'",
		`class A { #get = 1; #set = 2; #async: number = 3; #static = 4; #of; static #get2 = 6; sum() { this.#get++; return this.#get + this.#set + this.#async + this.#static + A.#get2 + (#get in this ? 1 : 0) } } export const out = new A().sum() === 18 ? 'ok' : 'nok'`,
		`class A { static get = 1; static set: number; static async = 3; static static = 4; static accessor = 5 } export const out = A.get + A.async + A.static + A.accessor === 13 && 'set' in A ? 'ok' : 'nok'`,
		`class A { private get = 1; protected readonly set = 2; public static async = 3; declare static: number; public get x() { return this.get + this.set } } export const out = new A().x + A.async === 6 ? 'ok' : 'nok'`,
		`class A { get() { return 1 } set(v = 2) { return v } async() { return 3 } static() { return 4 } static static() { return 5 } accessor() { return 6 } get get2() { return 7 } static async async() {} *of() { yield 1 } } const a = new A(); export const out = a.get() + a.set() + a.async() + a.static() + A.static() + a.accessor() + a.get2 + [...a.of()].length === 29 ? 'ok' : 'nok'`,
		`class A { get get() { return 1 } set set(v: number) { this.got = v } got = 0; get set() { return 2 } static get static() { return 3 } get async() { return 4 } get #get() { return 5 } p() { return this.#get } } const a = new A(); a.set = 6; export const out = a.get + a.set + A.static + a.async + a.p() + a.got === 21 ? 'ok' : 'nok'`,
		`class A { get = () => this.set; set = async () => 1; async = class {}; } const a = new A(); export const out = a.get.name + a.set.name + a.async.name === 'getsetasync' ? 'ok' : a.get.name`,
		`class A { 'get' = 1; ['set'] = 2; "async"() { return 3 } } const a = new A(); export const out = a.get + a.set + a.async() === 6 ? 'ok' : 'nok'`,
		`const { get = 1, set = 2, async = 3, static: st = 4, ...of } = {} as any; const o = { get, set, async, of, static: st, accessor: 5 }; export const out = Object.keys(o).join() === 'get,set,async,of,static,accessor' && o.get + st === 5 ? 'ok' : o`,
		`const async = (async: number) => async + 1; const of = [1], get = 1; for (const type of of) get + type; export const out = async(get) === 2 ? 'ok' : 'nok'`,
		"const get = 1; export const out = `\n  get = 1;\n  static #set = ${get};\n` === '\\n  get = 1;\\n  static #set = 1;\\n' && String(class { get = 1 }).includes('get = 1') ? 'ok' : 'nok'",
		`import { sum } from 'plain'; export const out = sum() === 28 ? 'ok' : sum()`,
	} {
		if got, err := compileAndRun(t, withModules(t, dir), text); err != nil || got != "ok" {
			t.Errorf("%s:\n got %s, %v", text, got, err)
		}
	}
}

// Columns stay where they are.
func TestErrorsAfterKeywordsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	_, err := compiler(t, false).Compile(t.Context(), workflow("class A { get = 1; #set = 2; r = /(/ }\nexport const x = 1;"))
	if err == nil || err.Error() != "order-intake.ts:1:34: Invalid regular expression: /(/: Unterminated group" {
		t.Errorf("got %v", err)
	}
}
