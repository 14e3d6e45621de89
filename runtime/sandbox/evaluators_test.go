package sandbox

import (
	"errors"
	"strings"
	"testing"
)

func TestTextsThatCodeEvaluatesAreBounded(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		for _, code := range []string{
			`eval(" ".repeat(N))`,
			`(0, eval)(" ".repeat(N))`,
			`globalThis["eval"](" ".repeat(N))`,
			`new Function(" ".repeat(N))`,
			`Function("a", " ".repeat(N))`,
			`Function.apply(null, ["return " + " ".repeat(N)])`,
			`(() => 1).constructor(" ".repeat(N))`,
			`Object.getPrototypeOf(Math.max).constructor(" ".repeat(N))`,
			`(async () => 1).constructor(" ".repeat(N))`,
			`new ((function* () {}).constructor)(" ".repeat(N))`,
			`new (class extends Function {})(" ".repeat(N))`,
			`Reflect.construct(Function, [" ".repeat(N)])`,
			`Object.getPrototypeOf(Function)?.constructor(" ".repeat(N))`,
			`let n = 0; new Function({ toString: () => n++ ? " ".repeat(N) : "" })(); "none" + "x".repeat(-1)`,
		} {
			v, err := New(Options{Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := run(t, v, "globalThis.N = 5000; "+code); err == nil || !strings.Contains(err.Error(), "RangeError") {
				t.Errorf("%s gave %v, %v", code, got, err)
			}
		}
	}
	v, err := New(Options{Probe: func(text string) error {
		if strings.Contains(text, "bad") {
			return errors.New("it is bad")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := run(t, v, `
		const long = " ".repeat(1e5);
		const refused = (f) => { try { return f(); } catch (e) { return e.message; } };
		JSON.stringify([
			eval("1 + 1"), eval(5), new Function("a", "b", "return a + b")(1, 2), Function("return this")() === globalThis,
			new Function(long + "return 3")(), eval(long + "4"), refused(() => eval(long + "bad")),
			(() => 1) instanceof Function, (() => 1).constructor === Function, Function.name, Function.length, Function.prototype.constructor === Function,
			typeof (async () => {}).constructor("return 1"), refused(() => new Function("}")) !== 1,
		])`)
	want := `[2,5,3,true,3,4,"eval of a text of 100003 bytes: it is bad",true,true,"Function",1,true,"function",true]`
	if err != nil || got.String() != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

func TestTextsThatCodeEvaluatesMayNameMembersLikeKeywords(t *testing.T) {
	t.Parallel()
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := run(t, v, `
		const A = eval("(class { get = 1; static set = 2; #async = 3; sum() { return this.get + this.#async } })");
		const B = new Function("n", "return class { get = /x{1}/.test('x') ? n : 0;set=2;#get=3; p() { return this.#get }}")(7);
		JSON.stringify([new A().sum(), A.set, new B().get, new B().set, new B().p(), String(A).includes("get = 1")])`)
	if want := `[4,2,7,2,3,true]`; err != nil || got.String() != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}
