package compile

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestTextsThatMayChangeBuiltinsAreTold(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	t.Cleanup(c.Close)
	for text, want := range map[string]bool{
		`export const main = () => 1`: false,
		`class A { static x = 1; constructor() { this.y = 2; } y; } A.x = 3; export const main = () => new A()`:                   false,
		`export const main = (o: any) => { const m = new Map(); m.set(1, Object.assign({}, o)); return Math.max(o.x, 1) === 1 }`:  false,
		`import { log } from '@temporalio/activity'; export const main = () => { if (Number.MAX_VALUE == 1) log.info('') }`:       false,
		`export const main = (e: Error) => { const error: any = e; error.code = 1; const list = new Uint8Array(1); list[0] = 1 }`: false,
		`(Array.prototype as any).last = 1`:                                        true,
		`({} as any).__proto__.x = 1`:                                              true,
		`Object.setPrototypeOf({}, null)`:                                          true,
		`Object.assign(Math, { twice: 1 })`:                                        true,
		`Object.defineProperty(Date, 'now', { value: 1 })`:                         true,
		`Object.defineProperties(Array . from, {})`:                                true,
		`(Math as any).x = 1; Math.random = () => 4`:                               true,
		`JSON['parse'] ??= null`:                                                   true,
		`Date.now += 1`:                                                            true,
		`globalThis.Date = null`:                                                   true,
		`export const main = () => Buffer.from('x')`:                               true,
		`import { createHash } from 'node:crypto'; export const main = createHash`: true,
		`export const main = (s: string) => /(a)/.test(s) && RegExp.$1`:            true,
		`export const main = (s: string) => new RegExp(s).test(s)`:                 false,
		`new Function('return 1')()`:                                               true,
	} {
		p, err := c.Compile(t.Context(), Source{Name: "a.ts", Kind: Activity, Text: text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if p.WantsOwnBuiltins != want {
			t.Errorf("%s: %v, want %v", text, p.WantsOwnBuiltins, want)
		}
	}
}

// asExpression says the same as wantsOwnBuiltins.
var asExpression = regexp.MustCompile(`\b(?:prototype|__proto__|setPrototypeOf|getPrototypeOf|__define[GS]etter__|Buffer|eval|Function)\b` +
	`|\b(?:globalThis|global|self|Reflect|Intl|Math|JSON|Atomics|Object|Array|String|Number|Boolean|BigInt|Symbol|Date|RegExp|Promise|Proxy|Map|Set|WeakMap|WeakSet|WeakRef|\w*Error|\w+Array|ArrayBuffer|DataView|Iterator)` +
	`\s*(?:\.\s*\w+|\[[^\]]*\])\s*(?:[-+*/%&|^?]|\*\*|<<|>>|>>>|&&|\|\||\?\?)?=[^=>]` +
	`|\bRegExp\s*[.\[]` +
	`|\b(?:assign|define\w+)\s*\(\s*[A-Z]\w*\s*[,.]`)

func TestBuiltinsAreFoundAsByARegularExpression(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"prototype", "__proto__", "__defineGetter__", "Buffer", "eval", "Function", "Math", "Array", "Uint8Array", "Error", "TypeError", "RegExp", "JSON",
		"Object", "assign", "define", "defineProperty", "self", "x", "é", "_", "1", ".", "[", "]", "(", ",", "=", "==", "=>", "+", "**", ">>", ">>>", "&&", "??", "|",
		"<", " ", " ", "\n", "\v", "'a'",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		if text := b.String(); wantsOwnBuiltins(text) != asExpression.MatchString(text) {
			t.Fatalf("%q: %v", text, wantsOwnBuiltins(text))
		}
	}
}
