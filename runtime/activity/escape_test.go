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
			return [p.binding, p.dlopen, p.mainModule, p._linkedBinding, ...['exit', 'reallyExit', 'abort', 'kill', 'chdir'].filter((n) => { try { p[n](0); return true } catch { return false } }), p.env.ACTIVITY_TEST_SECRET, p.env.PATH, p.env.DATABASE_URL].filter((x) => x != null).map(String).join()`,
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
		"import()": `const got: string[] = []; for (const n of ['node:fs', 'fs', 'file:///etc/passwd', 'data:text/javascript,export default 1']) try { await new Function('n', 'return import(n)')(n); got.push(n) } catch {} return got.join()`,
		"require by another name": `const got: string[] = []; for (const n of ['fs', 'node:fs', 'child_process', 'net', 'vm', 'module', 'worker_threads', '/etc/passwd', '../../etc/passwd', 'file:///etc/passwd'])
			try { (require as any)(n); got.push(n) } catch {} return got.join()`,
		"require's properties":             `const r = require as any; return [r.cache, r.main, r.resolve, r.extensions, (module as any).children, (module as any).parent, (module as any).paths, (module as any).constructor?._load].filter(Boolean).map(String).join()`,
		"generators of generators":         `const G = Object.getPrototypeOf(function* () {}).constructor as any; return [...new G('yield typeof __host; yield typeof host')()].join('').replaceAll('undefined', '')`,
		"a host function as a constructor": `const got: string[] = []; for (const f of [fetch, setTimeout, atob, console.log, crypto.subtle.digest, process.cwd, (globalThis as any).structuredClone]) try { const o: any = Reflect.construct(Object, [], f as any); if (o.constructor?.constructor !== Function && o.constructor !== Object && typeof o.constructor === 'object') got.push(String(o)) } catch {} return got.join()`,
		"prototypes of what hosts return": `const seen: string[] = []; const known = new Set([Object.prototype, Function.prototype, Array.prototype, Promise.prototype, ArrayBuffer.prototype, Uint8Array.prototype, Error.prototype, null]);
			const url = new URL('http://a/b'), r = new Response('x'), bytes = await r.arrayBuffer(), t = setTimeout(() => {}, 0), key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
			for (const o of [url, url.searchParams, r, r.headers, bytes, t, key, process, process.env, performance, console, crypto, crypto.subtle] as any[]) for (let p = Object.getPrototypeOf(o); p && !known.has(p); p = Object.getPrototypeOf(p))
				if (p.constructor && Object.getPrototypeOf(p.constructor) !== Function.prototype && typeof Object.getPrototypeOf(p.constructor) !== 'function') seen.push(String(p.constructor));
			return seen.join()`,
		"__proto__ of host objects": `const before = ({} as any).polluted; for (const o of [process.env, process, console, performance, crypto] as any[]) try { o.__proto__ = { polluted: 1 } } catch {} (process as any).__proto__.__proto__; return [before, ({} as any).polluted].filter(Boolean).join()`,
		"getters on arguments": `let got = ''; const spy = (n: string) => new Proxy(function () {} as any, { get: (t, k) => { if (typeof k === 'string' && /host|goja|send|print/i.test(k)) got += n + k; return k === Symbol.toPrimitive ? () => '1' : k === 'length' ? 0 : undefined }, apply: (t, self, args) => { for (const a of args) if (a && typeof a === 'object' && ('send' in a || 'startTimer' in a)) got += 'host'; return '' } });
			for (const f of [(x: any) => fetch(x), (x: any) => new URL(x), (x: any) => new Headers(x), (x: any) => setTimeout(() => {}, x), (x: any) => console.log(x), (x: any) => structuredClone(x), (x: any) => crypto.subtle.digest(x, x), (x: any) => new Blob([x]), (x: any) => atob(x), (x: any) => new TextDecoder(x), (x: any) => new Response(x), (x: any) => new ReadableStream(x)])
				try { await f(spy('x')) } catch {}
			return got`,
		"thenables": `let got = ''; const then = { then(resolve: any, reject: any) { for (const f of [resolve, reject]) { const names = Object.getOwnPropertyNames(f).filter((n) => !['length', 'name'].includes(n)); got += names.join(); } resolve(1) } };
			await then; await Promise.resolve(then); await fetch(then as any).catch(() => {}); return got`,
		"what await calls with": `let got = ''; const was = Promise.prototype.then; Promise.prototype.then = function (a: any, b: any) { for (const f of [a, b]) if (typeof f === 'function') got += Object.getOwnPropertyNames(f).filter((n) => !/^(length|name|prototype)$/.test(n)).join(); return was.call(this, a, b) } as any;
			await crypto.subtle.digest('SHA-256', new Uint8Array(1)); await fetch('http://127.0.0.1:1/').catch(() => {}); await new Response('x').text(); Promise.prototype.then = was; return got`,
		"proxies around host objects": `const got: string[] = []; for (const o of [process, console, crypto, performance] as any[]) { const p = new Proxy(o, {}); for (const k of Reflect.ownKeys(p)) try { const v = p[k]; if (v && typeof v === 'object' && 'startTimer' in v) got.push(String(k)) } catch {} }
			try { new Proxy(fetch, {}).call({}, 'http://[::1]/') } catch (e: any) { got.push(e.message) } return got.join()`,
		"symbols of host objects": `return [fetch, process, console, crypto, crypto.subtle, performance, new Response('x'), new URL('http://a/'), setTimeout(() => {}, 0), (globalThis as any).Buffer].flatMap((o: any) => Object.getOwnPropertySymbols(o)).map(String).filter((n) => !/^Symbol\(Symbol\.(toStringTag|species|iterator|asyncIterator|toPrimitive|hasInstance)\)$/.test(n)).join()`,
		"tampering before the platform is loaded": `const seen: any[] = []; const { apply } = Reflect; const note = (x: any) => { if (x && (typeof x === 'object' || typeof x === 'function')) seen[seen.length] = x };
			for (const [o, n] of [[Object, 'entries'], [Object, 'keys'], [Object, 'freeze'], [Object, 'create'], [Object, 'assign'], [Reflect, 'construct'], [Reflect, 'apply'], [Array, 'from'], [Function.prototype, 'bind'], [Function.prototype, 'apply'], [Array.prototype, 'push'], [Array.prototype, 'forEach'], [Symbol, 'for'], [JSON, 'stringify'], [Map.prototype, 'set'], [WeakMap.prototype, 'set'], [Promise.prototype, 'then']] as any) {
				const was = o[n]; o[n] = function (...a: any[]) { note(this); for (let i = 0; i < a.length; i++) note(a[i]); return apply(was, this, a) };
			}
			void [process.env, performance.now(), new Blob(['x']), new FormData(), new MessageChannel(), new URL('http://a/?b=c').searchParams.get('b'), crypto.randomUUID(), new ReadableStream(), new Request('http://a/', { method: 'POST', body: 'x' })];
			await new Response('x').text(); await fetch('http://127.0.0.1:1/').catch(() => {});
			return seen.some((x) => { try { return ['startTimer', 'print', 'send', 'chunk', 'randomUUID', 'coder'].some((k) => Object.hasOwn(x, k) && x !== crypto) } catch { return false } }) ? 'host' : ''`,
		"the SDK's insides": `const a = require('@temporalio/activity') as any; const c = a.Context.current(); const found: string[] = [];
			for (const o of [a, c, c.info, c.log, a.asyncLocalStorage]) for (const k of Reflect.ownKeys(o)) { let v: any; try { v = o[k] } catch { continue } if (v && typeof v === 'object' && ('heartbeat' in v && 'common' in v || '__host' in v)) found.push(String(k)) }
			return found.join()`,
		"a message of an error of ours": `const texts: string[] = []; const tries: any[] = [() => (fetch as any)(), () => new (globalThis as any).CryptoKey(), () => new (Response as any)('x', { status: 1 }), () => (globalThis as any).structuredClone(Symbol()), () => new TextDecoder('x'), () => (require as any)(['f', 's'].join('')), () => new ReadableStream({ type: 'x' } as any), () => new URL('x')];
			for (const f of tries) try { await f() } catch (e: any) { texts.push(String(e?.message), String(e?.stack)) }
			return texts.join('\n').split('\n').filter((l) => /\.go\b|0x[0-9a-f]{6}|goroutine|runtime\/|panic|\/(work|tmp|root|home)\//.test(l)).join()`,
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
