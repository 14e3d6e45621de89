package sandbox

import (
	"testing"
	"time"

	"github.com/dop251/goja"
)

func TestStacksAndOrdersOfExecutionsFromBeforeStayAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, now, before string }{
		{`JSON.stringify({ a: 1, 1: 2 }, ["a", "1"])`, `{"a":1,"1":2}`, `{"1":2,"a":1}`},
		{`JSON.stringify({ b: [{ 4294967295: 1, 7: 2, a: 3 }] }, ["a", "b", "7", "4294967295"], 1).replace(/\s/g, "")`, `{"b":[{"a":3,"7":2,"4294967295":1}]}`, `{"b":[{"7":2,"a":3,"4294967295":1}]}`},
		{`JSON.stringify({ a: 1, b: 2 }, ["b", "a"])`, `{"b":2,"a":1}`, `{"b":2,"a":1}`},
		{`(function f() { return new Error("x").stack })()`, "Error: x\n    at f (there.ts:1:25)\n    at there.ts:1:48", "Error: x\n\tat f (there.ts:1:24(7))\n\tat there.ts:1:47(2)\n"},
		{`(function f(n) { return n ? f(n - 1) : RangeError("x").stack.split("\n").length })(30)`, "11", "35"},
		{`try { null.x } catch (e) { e.stack.split("\n")[1].trim() }`, "at there.ts:1:13", "at there.ts:1:12(3)"},
		{`const e = new Error("x"); e.name = "Named"; e.message = "later"; e.stack.split("\n")[0]`, "Named: later", "Named: later"},
		{`const e = new Error("x"); e.stack; e.message = "later"; e.stack.split("\n")[0]`, "Error: x", "Error: x"},
		{`const e = Object.freeze(new Error("x")); e.stack.split("\n")[0] + e.stack.split("\n")[0]`, "Error: xError: x", "Error: xError: x"},
		{`const e = new Error("x"); e.stack = "mine"; e.stack`, "mine", "mine"},
		{`const e = new Error("x"); delete e.stack; String(e.stack)`, "undefined", "undefined"},
		{`Object.create(new TypeError("x")).stack.split("\n")[0]`, "TypeError: x", "TypeError: x"},
		{`const e = new Error("x"); [Object.keys(e), Object.getOwnPropertyNames(e), "stack" in e, JSON.stringify({ ...e })].join()`, ",stack,message,true,{}", ",stack,message,true,{}"},
		{`const get = Object.getOwnPropertyDescriptor(new Error("x"), "stack").get; get ? [Object.isFrozen(get), String(get.call({})), String(get.call(5))].join() : "data"`, "true,undefined,undefined", "data"},
	} {
		program, err := Compile("there.ts", c.code)
		if err != nil {
			t.Fatal(err)
		}
		for former, want := range map[bool]string{false: c.now, true: c.before} {
			v, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got goja.Value
			err = v.Enter(t.Context(), time.Minute, func() (err error) {
				v.Former.Elsewhere = former
				got, err = v.Runtime.RunProgram(program)
				return err
			})
			if err != nil || got.String() != want {
				t.Errorf("%s, before: %v: got %q, %v, want %q", c.code, former, got, err, want)
			}
		}
	}
}
