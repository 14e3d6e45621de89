package activity

import (
	"strings"
	"testing"
)

// Each body tries one way out. It returns what it got hold of, and nothing is the only good answer.
func TestThereIsNoWayOutOfTheSandbox(t *testing.T) {
	t.Setenv("ACTIVITY_TEST_SECRET", "hunter2")
	for name, body := range map[string]string{
		"constructor's constructor": `const p = [].constructor.constructor('return this.process')(); return JSON.stringify(p.env)`,
		"Function":                  `return Function('return typeof require + typeof module + typeof __host + typeof host')().replaceAll('undefined', '')`,
		"indirect eval":             `return (0, eval)('typeof require + typeof __host').replaceAll('undefined', '')`,
		"async constructor":         `return (await (async () => {}).constructor('return typeof require')()).replace('undefined', '')`,
		"generator's constructor":   `return (function* () {}).constructor('yield typeof require')().next().value.replace('undefined', '')`,
		"process": `const p = process as any;
			return [p.binding, p.dlopen, p.mainModule, p._linkedBinding, p.kill, p.exit && null, p.env.ACTIVITY_TEST_SECRET, p.env.PATH, p.env.DATABASE_URL].filter((x) => x != null).map(String).join()`,
		"process.env's prototype": `const e = process.env as any; return [e.constructor?.env, e.__proto__?.PATH, Object.getPrototypeOf(e)?.HOME].filter(Boolean).join()`,
		"names of a host":         `return ['require', 'module', 'Deno', 'Bun', 'Go', 'goja', '__host', 'host', 'WebAssembly', 'java', 'load', 'read', 'print', 'importScripts', 'quit'].filter((n) => (globalThis as any)[n] !== undefined).join()`,
		"the global's prototype": `let o = globalThis as any; const found: string[] = [];
			for (o = Object.getPrototypeOf(o); o; o = Object.getPrototypeOf(o)) found.push(...Object.getOwnPropertyNames(o).filter((n) => /host|send|platform|load/i.test(n)));
			return found.join()`,
		"a caller":                  `function f() { return (f as any).caller } try { return f() ?? '' } catch { return '' }`,
		"the arguments of a caller": `try { return (fetch as any).arguments ?? '' } catch { return '' }`,
		"a stack": `const stacks = [new Error().stack];
			for (const f of [() => new URL('%'), () => crypto.getRandomValues(1 as any), () => atob('!'), () => structuredClone(() => 1), () => setTimeout(1 as any), () => JSON.parse('{')]) try { f() } catch (e: any) { stacks.push(e.stack) }
			try { await crypto.subtle.importKey('pkcs8', new Uint8Array(1), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']) } catch (e: any) { stacks.push(e.stack) }
			try { await fetch('http://127.0.0.1:1/') } catch (e: any) { stacks.push(e.stack, e.cause?.stack) }
			return stacks.join('\n').split('\n').filter((l) => /\.go\b|\/work|\/root|\/home|\/tmp|workflow-worker|goja/.test(l)).join()`,
		"prepareStackTrace": `let got = ''; (Error as any).prepareStackTrace = (_: any, frames: any) => { got = String(frames?.[0]?.getThis?.() ?? ''); return '' }; new Error().stack; return got`,
		"Go's methods on host objects": `const found: string[] = [];
			for (const o of [fetch, crypto, crypto.subtle, process, process.env, console, performance, URL, setTimeout(() => {}, 0), new Response('x'), atob, (globalThis as any).AsyncLocalStorage])
				for (let p: any = o; p && p !== Object.prototype && p !== Function.prototype; p = Object.getPrototypeOf(p)) found.push(...Object.getOwnPropertyNames(p).filter((n) => /^[A-Z][a-z]+[A-Z]|^(Close|Do|Call|Export|Get|Set|Run)$/.test(n)));
			return found.join()`,
		"tampered builtins see the host": `const seen: any[] = []; const { apply } = Reflect;
			for (const [o, n] of [[Map.prototype, 'get'], [Map.prototype, 'set'], [WeakMap.prototype, 'get'], [Array.prototype, 'map'], [Object, 'defineProperty'], [Function.prototype, 'call']] as any) {
				const was = o[n]; o[n] = function (...a: any[]) { seen.push(this, ...a); return apply(was, this, a) };
			}
			new Headers({ a: 'b' }); new Response('x'); setTimeout(() => {}, 0); console.log('x'); await crypto.subtle.digest('SHA-256', new Uint8Array(1));
			return seen.some((x) => x && typeof x === 'object' && ('startTimer' in x || 'print' in x || 'send' in x || 'subtle' in x && x !== crypto)) ? 'host' : ''`,
		"a setter for what the host will set": `let got = ''; for (const n of ['id', 'message', 'headers', 'env', 'startTimer', 'send'])
				Object.defineProperty(Object.prototype, n, { set(v) { got += n + typeof v }, configurable: true });
			setTimeout(() => {}, 0); console.log(1); void process.env; try { await fetch('http://127.0.0.1:1/') } catch {}
			return got`,
		"files":                  `try { return await (await fetch('file:///etc/passwd')).text() } catch { return '' }`,
		"a private address":      `const got: string[] = []; for (const u of ['http://127.0.0.1/', 'http://[::1]/', 'http://0/', 'http://2130706433/', 'http://0x7f.1/', 'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/']) try { await fetch(u); got.push(u) } catch (e: any) { if (!/not set|fetch failed/.test(e.message)) got.push(e.message) } return got.join()`,
		"another execution":      `return [Symbol.for('kept'), (globalThis as any).kept].filter((x) => typeof x === 'string').join()`,
		"a key that may not out": `const k: any = await crypto.subtle.importKey('raw', new Uint8Array([1, 2, 3]), 'HKDF', false, ['deriveBits']); return Object.getOwnPropertyNames(k).filter((n) => !['type', 'extractable', 'algorithm', 'usages'].includes(n)).join()`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := evaluate(t, CodeOptions{}, body)
			if err != nil {
				t.Fatalf("the attempt itself failed: %v", err)
			}
			if strings.Contains(got, "hunter2") || (got != `""` && got != `"{}"`) {
				t.Errorf("got hold of %s", got)
			}
		})
	}
}
