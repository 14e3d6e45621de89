package compile

import (
	"strings"
	"testing"
)

// What Temporal's bundler (webpack) makes of the same texts and packages.
func TestImportsOfCommonJSAreWhatItExports(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/fn/index.js":       `module.exports = function (x) { return "called " + x + (this === globalThis) }; module.exports.named = 1; module.exports.self = function () { return this === module.exports };`,
		"node_modules/es/index.js":       `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = function () { return "def" }; exports.named = 2;`,
		"node_modules/object/index.js":   `module.exports = { a: 1, get b() { return this.a + 1 }, m() { return this.a } };`,
		"node_modules/both/index.js":     `module.exports = function () { return "fn" }; module.exports.default = function () { return "own default" };`,
		"node_modules/null/index.js":     `module.exports = null;`,
		"node_modules/text/index.js":     `module.exports = "text";`,
		"node_modules/map/index.js":      `module.exports = new Map([[1, 2]]);`,
		"node_modules/cls/index.js":      `module.exports = class K { #k = 1; get k() { return this.#k } static s = 2 };`,
		"node_modules/esfn/index.js":     `module.exports = function () { return "esfn" }; module.exports.__esModule = true; module.exports.default = module.exports; module.exports.x = 1;`,
		"node_modules/real/package.json": `{"type": "module", "exports": "./index.js"}`,
		"node_modules/real/index.js":     `export default () => "real"; export let n = 1; export const more = () => { n++ };`,
		"node_modules/frozen/index.js":   `module.exports = Object.freeze(() => "frozen");`,
		"node_modules/late/index.js":     `exports.start = () => { exports.later = () => "later" };`,
	})
	for text, want := range map[string]string{
		`import * as fn from 'fn'; export const out = fn(1)`:                                                                                                                  `called 1true`,
		`import * as fn from 'fn'; export const out = [typeof fn, fn.named, Object.keys(fn), fn.self(), fn.default(2)].join()`:                                                `function,1,named,self,true,called 2true`,
		`import * as fn from 'fn'; import d, { named, default as d2, missing } from 'fn'; export const out = [fn === d, d === d2, named, missing, d(3)].join()`:               `true,true,1,,called 3true`,
		`import d, * as fn from 'fn'; export const out = [fn(1), d(2), fn === d].join()`:                                                                                      `called 1true,called 2true,true`,
		`import fn = require('fn'); export const out = fn(1)`:                                                                                                                 `called 1true`,
		`const fn = require('fn'); export const out = fn(1)`:                                                                                                                  `called 1true`,
		`import * as fn from 'fn'; export const out = [1, 2].map(fn as any).join() + JSON.stringify({ fn: typeof { fn }.fn })`:                                                `called 1true,called 2true{"fn":"function"}`,
		`import * as fn from 'fn'; function inner(fn: any) { return fn.default + fn.named } export const out = inner({ default: 5, named: 6 })`:                               `11`,
		`import * as fn from 'fn'; export const out = ((fn: any) => { { const named = fn; return named.default } })({ default: 5 })`:                                          `5`,
		`import * as es from 'es'; import d, { named } from 'es'; export const out = [typeof es, es.default(), d(), es.named, named, Object.keys(es).sort()].join()`:          `object,def,def,2,2,default,named`,
		`import * as o from 'object'; import d from 'object'; export const out = [o.a, o.b, o.m(), d.m(), o.default === d, Object.keys(o).sort()].join()`:                     `1,2,1,1,true,a,b,default,m`,
		`import * as both from 'both'; import d from 'both'; export const out = [both(), d(), both.default()].join()`:                                                         `fn,fn,fn`,
		`import * as n from 'null'; import d from 'null'; export const out = [n === null, d === null].join()`:                                                                 `true,true`,
		`import * as s from 'text'; import d from 'text'; export const out = [s, d, s.length].join()`:                                                                         `text,text,4`,
		`import * as m from 'map'; import d from 'map'; export const out = [m.get(1), d.get(1), m.size].join()`:                                                               `2,2,1`,
		`import * as K from 'cls'; import D, { s } from 'cls'; export const out = [new K().k, new D() instanceof K, new (class extends K { x = this.k })().x, K.s, s].join()`: `1,true,1,2,2`,
		`import * as f from 'esfn'; import d, { x } from 'esfn'; export const out = [f(), d(), f.default(), x].join()`:                                                        `esfn,esfn,esfn,1`,
		`import * as r from 'real'; import d, { n, more } from 'real'; more(); r.more(); export const out = [d(), r.default(), n, r.n, Object.keys(r).sort()].join()`:         `real,real,3,3,default,more,n`,
		`import * as f from 'frozen'; import d from 'frozen'; export const out = f() + d()`:                                                                                   `frozenfrozen`,
		`import * as l from 'late'; l.start(); export const out = (l as any).later()`:                                                                                         `later`,
		`export * as ns from 'fn'; export { default as again, named } from 'fn'; export * from 'object'; export const out = 1`:                                                `1`,
		`import * as fn from 'fn'; const f = fn.default ?? fn; export const out = f(1)`:                                                                                       `called 1true`,
		`import { self } from 'fn'; import * as fn from 'fn'; export const out = [self(), fn.self(), fn['self']()].join()`:                                                    `false,true,true`,
	} {
		if got, err := compileAndRun(t, withModules(t, dir), text); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v, want %s", text, got, err, want)
		}
	}
	// What ends like eval.
	if got, err := compileAndRun(t, withModules(t, dir), `import * as fn from 'fn'; const retrieval = (x: any) => x; export const out = fn(retrieval(1))`); err != nil || got != "called 1true" {
		t.Errorf("beside retrieval: %s, %v", got, err)
	}
	// Stored texts have what esbuild makes of them.
	p, err := withModules(t, dir).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: `import * as fn from 'fn'; export const out = typeof fn`, Settings: FirstSettings})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := evaluate(p); err != nil || got != "object" {
		t.Errorf("with the first settings: %s, %v", got, err)
	}
}

// An ES module that says so gets what a CommonJS module exports as its default, as in Node and with
// Temporal's bundler; also where it is the file that a text imports.
func TestPackagesKnowWhetherTheyAreESModules(t *testing.T) {
	t.Parallel()
	const code = `import es from 'es'; export const kind = () => typeof es + typeof es.default; export default kind`
	dir := folder(t, map[string]string{
		"node_modules/es/index.js":            `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = function () { return "def" };`,
		"node_modules/typed/index.js":         code,
		"node_modules/typed/package.json":     `{"type": "module"}`,
		"node_modules/plain/index.js":         code,
		"node_modules/plain/package.json":     `{"module": "index.js"}`,
		"node_modules/mjs/lib.mjs":            code,
		"node_modules/mjs/lib.js":             `exports.kind = () => "lib.js"`,
		"node_modules/inner/sub/index.js":     code,
		"node_modules/inner/sub/package.json": `{"type": "module"}`,
		"node_modules/inner/index.js":         `exports.kind = require("./sub").kind`,
	})
	for name, want := range map[string]string{
		"typed": "objectfunction", "plain": "functionundefined", "mjs/lib.mjs": "objectfunction", "mjs/lib.js": "lib.js", "mjs/lib": "lib.js",
		"inner": "objectfunction", "inner/sub": "objectfunction",
	} {
		if got, err := compileAndRun(t, withModules(t, dir), `import { kind } from '`+name+`'; export const out = kind()`); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	p, err := withModules(t, dir).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: `import d from 'typed'; export const out = d()`})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := evaluate(p); err != nil || got != "objectfunction" {
		t.Errorf("the default: %s, %v", got, err)
	}
	if strings.Contains(p.Packages.Code, dir) {
		t.Error("the bundle says where the folder was")
	}
}
