package operators

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"

	"workflow-worker/runtime/language/nodes"
)

// rewritten runs a text whose operators tell that they were called.
func rewritten(t *testing.T, text string) (calls string, err error) {
	t.Helper()
	tree, err := parser.ParseFile(nil, "", text, 0)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if _, err := Rewrite(tree, text); err != nil {
		return "", err
	}
	program, err := goja.CompileAST(tree, false)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r := goja.New()
	for _, name := range []string{Power, Left, Right, Multiply, Assign, Less, Equal, Element} {
		if err := r.Set(name, func(call goja.FunctionCall) goja.Value {
			calls += strings.Trim(name, "<>") + " "
			return r.ToValue(1)
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = r.RunProgram(program)
	return calls, err
}

func TestOnlyWhatMayBecomeHugeIsRewritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`let a = 2, b = 3; a ** b; a **= b`:                                                                                        "** ** ",
		`let a = 2, b = 3; a << 2; a >> 2; (a | 0) << b; a >>> b; +a << b; ~1 << b`:                                                "",
		`let a = 2n; a << 3n; a >> 5n; a * 10n; 5n * a`:                                                                            "",
		`let a = 2, b = 3; a * b; a *= b`:                                                                                          "",
		`let a = 2n, b = 3n, c = 4; a < b; a == b; c < b; c == b; a < 3; a == null; typeof a == 'x'; a === b`:                      "less equal ",
		`let a = 2, b = 3; a < b; a == b; const c = {}; c[a] = b`:                                                                  "",
		`let b = '2', c = {}; c.b = b; c[1] = 2; c[2] = b; BigInt64Array`:                                                          "[]= ",
		`let a = 2n, b = 3n; a * b; a *= b`:                                                                                        "* * ",
		`let a = BigInt(1), b = 3; (x => x * b)(a)`:                                                                                "* ",
		`const o = { f() { return o; }, x: 1 }; o.x **= 2; o['x'] **= 2; o.f().x **= 2; o.f()['x'] **= 2`:                          "** ** = = ",
		`class A { #x = 1; f() { this.#x **= 2; return this.#x; } } new A().f()`:                                                   "** ",
		`class B { x = 1 } class A extends B { f() { super.y **= 2; } } new A().f()`:                                               "** ",
		`const f = (a, b = a ** a) => b; f(1); const { c = 2 ** c0 } = {}; var c0`:                                                 "** ** ",
		`var c; for (const x of [1 ** 2]) c = x ** x; switch (c ** 1) { case 1 ** 1: }; (function* () { yield 1 ** 1; })().next()`: "** ** ** ** ** ",
	} {
		got, err := rewritten(t, text)
		// What is called with < between its marks is trimmed.
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	got, err := rewritten(t, `let a = 2n, b = 3n; a << b; a >> b; a <<= b`)
	if err != nil || len(strings.Fields(got)) != 0 || strings.Count(got, " ") != 3 {
		t.Errorf("shifts: %q, %v", got, err)
	}
	if _, err := rewritten(t, `class A { #x; static f(a) { return a; } g() { A.f(this).#x **= 2; } }`); !errors.Is(err, ErrPrivate) {
		t.Errorf("a private name of a call's result: %v", err)
	}
}

func TestOnlyLiteralsAndNamesOfBigIntsAreSeen(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ visible, signed bool }{
		`a * 2n`: {true, true}, `0x1fn`: {true, true}, `1_000n`: {true, true}, `(5n)`: {true, true}, `x=0b1n`: {true, true}, `BigInt(1)`: {true, true}, `new BigUint64Array(1)`: {true, true},
		`p.then(f)`: {false, true}, `token`: {false, true}, `const when = then_1n`: {false, true}, `children`: {false, true}, `a1n`: {false, true},
		`x * y`: {false, false}, `in`: {false, false}, `n`: {false, false}, "`${x}1n`": {true, true}, `1name`: {false, false},
	} {
		if v, s := visible(text), Signed(text); v != want.visible || s != want.signed {
			t.Errorf("%s: visible %t, signed %t", text, v, s)
		}
	}
}

func TestALongBigIntIsFound(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", MaxLiteral)
	for text, want := range map[string]int{
		"const x = 1n + " + digits + "n": -1, "const x = 1" + digits + "n;": 10, "x = " + digits + digits: -1, "'" + digits + digits + "'": -1, "1_" + digits + "n": 0,
	} {
		if got := LongLiteral(text); got != want {
			t.Errorf("%.20s: %d, want %d", text, got, want)
		}
	}
}

func TestALongTemplateIsJoinedPieceByPiece(t *testing.T) {
	t.Parallel()
	text := "`a" + strings.Repeat("${1}b", 20) + "`"
	tree, err := parser.ParseFile(nil, "", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrite(tree, text); err != nil {
		t.Fatal(err)
	}
	program, err := goja.CompileAST(tree, false)
	if err != nil {
		t.Fatal(err)
	}
	r := goja.New()
	if err := r.Set(Join, func(a, b string) string { return a + b }); err != nil {
		t.Fatal(err)
	}
	got, err := r.RunProgram(program)
	if want := "a" + strings.Repeat("1b", 20); err != nil || got.String() != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

func TestAFunctionSeesItsOwnNewTarget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`function F() { return new.target === undefined } class A { constructor() { this.x = F() } } new A().x`:                                                            "true",
		`function F() { this.x = new.target === F } new F().x`:                                                                                                             "true",
		`function F() { return new.target ? 'made' : 'called' } F() + typeof new F()`:                                                                                      "calledobject",
		`function F() { if (!new.target) return new F(); this.x = 1 } F().x`:                                                                                               "1",
		`function F() { if (!new.target) return new F(); this.x = 1 } class A { constructor() { this.x = F() } } new A().x.constructor === F`:                              "true",
		`class A { constructor() { this.x = new.target.name } } class B extends A {} new B().x + new A().x`:                                                                "BA",
		`class A {} class B extends A { constructor() { const n = new.target; super(); this.x = n === B } } new B().x`:                                                     "true",
		`class A { constructor() { this.x = this.m() } m() { return new.target === undefined } static s() { return new.target } get g() { return new.target } } new A().x`: "true",
		`const o = { m() { return new.target }, get g() { return new.target }, f: function () { return new.target } }; [o.m(), o.g, o.f(), typeof new o.f()].join()`:       ",,,function",
		`class A { constructor() { this.x = (() => new.target === A)() } } new A().x`:                                                                                      "true",
		`function F() { return (() => new.target)() } class A { constructor() { this.x = F() } } new A().x === undefined && typeof new F()`:                                "function",
		`function F() { this.x = new.target } class D {} Reflect.construct(F, [], D).x === D`:                                                                              "true",
		`function F() { return Reflect.construct(Error, ['m'], new.target) } F.prototype = Object.create(Error.prototype); new F() instanceof F`:                           "true",
		`class A { ['constructor']() { return new.target } static constructor() { return new.target } } String(new A().constructor()) + A.constructor()`:                   "undefinedundefined",
	} {
		tree, err := parser.ParseFile(nil, "", text, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := Rewrite(tree, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		program, err := goja.CompileAST(tree, true)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := goja.New().RunProgram(program); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}

// Of goja alone each of these gives another value of its stack, or panics.
func TestArrowFunctionsHaveTheArgumentsOfTheirFunction(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`function f(a, b) { return (() => arguments[1])() } f(1, 2)`:                                      "2",
		`function f() { const g = () => arguments[0]; return g() + g.name } f(1)`:                         "1g",
		`function f(a) { "use strict"; return (() => () => arguments.length + a + this)()() } f(1, 2)`:    "NaN",
		`function f(a) { "use strict"; a = 5; return (() => arguments[0])() } f(1)`:                       "1",
		`function f(a) { a = 5; return (() => arguments[0])() } f(1)`:                                     "5",
		`function f(a = () => arguments[1], b) { return a() } f(undefined, 2)`:                            "2",
		`function f({a = () => arguments[1]}, b) { return a() + (() => arguments[1])() } f({}, 2)`:        "4",
		`function f(a = 1, ...r) { return [1].map(() => ({arguments}).arguments.length + r[0]) } f(0, 3)`: "5",
		`function f(arguments) { return (() => arguments)() } f(7)`:                                       "7",
		`function f() { let arguments = 3; return (() => arguments)() } f(7)`:                             "3",
		`function f() { { let arguments = 3; } return (() => arguments[0])() } f(7)`:                      "7",
		`class C { constructor() { this.q = (() => arguments[0])() } m() { return (() => arguments[0])() }
			static s() { return (() => arguments[0])() } } [new C(1).q, new C().m(2), C.s(3)].join()`: "1,2,3",
		`class A {} class B extends A { constructor() { (() => super())(); this.q = (() => arguments[0])() } } new B(4).q`: "4",
		`({m() { return [1].map(() => arguments[0])[0] }}).m(8)`:                                                           "8",
		`function* f() { yield (() => arguments[0])() } f(9).next().value`:                                                 "9",
		`var o; async function f() { o = await (async () => { await 1; return arguments[0] })() } f(6); 0`:                 "0",
		`function f() { return (() => { return (function () { return arguments.length })() })() } f(1, 2)`:                 "0",
		`var o = {arguments: 1}; (() => o.arguments)()`:                                                                    "1",
	} {
		tree, err := parser.ParseFile(nil, "", text, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := Rewrite(tree, text); err != nil {
			t.Fatal(err)
		}
		program, err := goja.CompileAST(tree, false)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := goja.New().RunProgram(program); err != nil || got.String() != want {
			t.Errorf("%s gives %v, %v", text, got, err)
		}
	}
}

// Conditions of what leaves a loop or takes variables along are opened, others stay; results are the
// same. (These goja compiles rightly by itself, too.)
func TestConditionsOfWhatConstantsRuleOutAreOpened(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		value  string
		opened int
	}{
		`let v = 1; if (false) { v = [2].map((x) => x)[0]; } v`:                                                 {"1", 1},
		`let v = 0; if (0) { [1].map((x) => v + x); } else { v = 2; } v`:                                        {"2", 1},
		`let v = 1; for (; v < 4; v++) { while (false) { if (v) break; } } v`:                                   {"4", 1},
		`let v = 0; for (; 0;) { v = [1].map((x) => x)[0]; } v`:                                                 {"0", 1},
		`let v = 1; for (let a = 0; a < 3; a++) { const g = () => a; if (!0) { v += g(); } else { v = g; } } v`: {"4", 0},
		`let v = 1; if ("" || null) { v = class {}; } v`:                                                        {"1", 1},
		`let v = 1; while (true) { if (v > 3) break; v++; } v`:                                                  {"4", 0},
		`let v = 1; if (false) { v = 2; } v`:                                                                    {"1", 0},
	} {
		tree, err := parser.ParseFile(nil, "", text, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := Rewrite(tree, text); err != nil {
			t.Fatal(err)
		}
		opened := 0
		nodes.Walk(reflect.ValueOf(tree).Elem().FieldByName("Body"), func(v reflect.Value) bool {
			if v.Kind() == reflect.Pointer {
				if _, ok := v.Interface().(*ast.SequenceExpression); ok {
					opened++
				}
			}
			return true
		})
		if opened != want.opened {
			t.Errorf("%s: %d conditions are opened, want %d", text, opened, want.opened)
		}
		program, err := goja.CompileAST(tree, false)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := goja.New().RunProgram(program); err != nil || got.String() != want.value {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want.value)
		}
	}
}
