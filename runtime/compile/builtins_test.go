package compile

import "testing"

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
