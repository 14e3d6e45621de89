package keywords

import (
	"strings"
	"testing"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// Each evaluates to "ok", as in Node.
var valid = []string{
	`const a = '\u{10FFFF}', b = ` + "`\\u{10FFFF}x${1}`" + `, c = { "\u{10FFFF}": '\u{10FFFE}' }; ok(a.codePointAt(0) === 0x10FFFF && b === a + "x1" && c[a].codePointAt(0) === 0x10FFFE && a.length === 2)`,
	`class A { get = '\u{10FFFF}'; set = "ü\u{1F600}\u{10FFFF}get = 1" }; const a = new A(); ok(a.get.codePointAt(0) === 0x10FFFF && a.set.codePointAt(3) === 0x10FFFF && a.set.endsWith("get = 1"))`,
	"class A { get = 1; set = 2; async = 3; static = 4; of = 5 }; const a = new A(); ok(a.get + a.set + a.async + a.static + a.of === 15)",
	"class A { get; set; async; static }; ok(Object.keys(new A()).join() === 'get,set,async,static')",
	"class A { static get = 1; static set = 2; static async = 3; static static = 4 }; ok(A.get + A.set + A.async + A.static === 10)",
	"class A { #get = 1; #set = 2; #async = 3; #static = 4; sum() { this.#get += 1; return this.#get + this.#set + this.#async + this.#static + (#get in this ? 1 : 0) } }; ok(new A().sum() === 12)",
	"class A { static #get = 1; static #set = 2; static sum() { return A.#get + A.#set } }; ok(A.sum() === 3)",
	"class A { #get; #set; f() { return this.#get === this.#set } }; ok(new A().f())",
	"class A {get=1;set=2}; ok(new A().get + new A().set === 3)",
	"class A {set}; class B {get}; class C {async}; ok('set' in new A() && 'get' in new B() && 'async' in new C())",
	"class A {#get}; class B {static get}; class C {static async}; ok('get' in B && 'async' in C)",
	"class A { get\tx() { return 1 } get get() { return 2 } set set(v) { this.v = v } get set() { return 3 } static get static() { return 4 } get async() { return 5 } get #get() { return 6 } p() { return this.#get } }; const a = new A(); a.set = 9; ok(a.x + a.get + a.set + A.static + a.async + a.p() + a.v === 30)",
	"class A { get() { return 1 } set() { return 2 } async() { return 3 } static() { return 4 } static get() { return 5 } static static() { return 6 } #set() { return 7 } p() { return this.#set() } }; const a = new A(); ok(a.get() + a.set() + a.async() + a.static() + A.get() + A.static() + a.p() === 28)",
	"class A { *get() { yield 1 } *set() {} async async() {} static async get() {} static *async() {} }; ok([...new A().get()][0] === 1 && new A().async() instanceof Promise)",
	"class A { async\nget() { return 1 } }; ok('async' in new A() && new A().get() === 1)",
	"class A { get\nx() { return 1 } }; ok(new A().x === 1)",
	"class A { ['get'] = 1; 'set' = 2; 'async'() { return 3 } }; const a = new A(); ok(a.get + a.set + a.async() === 6)",
	"const get = 1, set = 2, async = 3; const o = { get, set, async }; ok(o.get + o.set + o.async === 6)",
	"const { get = 1, set = 2, async = 3, static: st = 4 } = {}; ok(get + set + async + st === 10)",
	"let get, set, async; ({ get, set, async = 3 } = { get: 1, set: 2 }); get = get + 1; ok(get + set + async === 7)",
	"const o = { get: 1, set: 2, async: 3, static: 4, of: 5 }; ok(o.get + o.set + o.async + o.static + o.of === 15)",
	"const o = { get() { return 1 }, set() { return 2 }, async() { return 3 }, get a() { return 4 }, async b() {}, get get2() { return 5 } }; ok(o.get() + o.set() + o.async() + o.a + o.get2 === 15)",
	"const f = async => async + 1; const g = async (x) => x; const async = (x) => x; ok(f(1) === 2 && async(1) === 1 && g(1) instanceof Promise)",
	"const get = 1; ok(`\n  get = 1;\n  static #set = ${get};` === '\\n  get = 1;\\n  static #set = 1;')",
	"class A { get = 'get = 1; ü'; f() { return `set = \\ud800 ${this.get} get = 2` } }; ok(new A().f() === 'set = \\ud800 get = 1; ü get = 2')",
	"class A { get = 1; f() { return 2 } }; ok(String(A) === 'class A { get = 1; f() { return 2 } }' && String(new A().f) === 'f() { return 2 }')",
	"class A { get = /get = [0-9]/; }; ok(new A().get.test('get = 1') && new A().get.source === 'get = [0-9]')",
	"class A { $$$ = 1; get = 2; $$A = 3 }; ok(Object.keys(new A()).join() === '$$$,get,$$A')",
	"class A { set = () => {}; get = class {}; async = function () {} }; const a = new A(); ok(a.set.name + a.get.name + a.async.name === 'setgetasync')",
}

func TestContextualKeywordsAreNamesWhereTheyAre(t *testing.T) {
	for _, text := range valid {
		d := Disguise(text)
		if len(d.Text) != len(text) {
			t.Errorf("%s: has another length as %s", text, d.Text)
		}
		tree, err := parser.ParseFile(nil, "", d.Text, 0)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		d.Reveal(tree)
		p, err := goja.CompileAST(tree, true)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r, said := goja.New(), false
		_ = r.Set("ok", func(b bool) { said = b })
		if _, err := r.RunProgram(p); err != nil || !said {
			t.Errorf("%s: %v, %v", text, said, err)
		}
	}
}

func TestWhatIsWrongStaysWrong(t *testing.T) {
	for _, text := range []string{"class A { get 1 = 2 }", "class A { get x = 1 }", "class A { set }}", "get x", "class A { async x = 1 }", "({ get = 1 })"} {
		d := Disguise(text)
		tree, err := parser.ParseFile(nil, "", d.Text, 0)
		if err == nil {
			d.Reveal(tree)
			_, err = goja.CompileAST(tree, true)
		}
		if err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// A text that has every name is left as it is, in little time.
func TestATextMayHaveAllNames(t *testing.T) {
	const letters = "$_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for _, x := range letters {
		for _, y := range letters {
			b.WriteString("$" + string(x) + string(y) + " ")
		}
	}
	b.WriteString(";set = 1")
	if d := Disguise(b.String()); d.Text != b.String() {
		t.Error("a name was found")
	}
}
