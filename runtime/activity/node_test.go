package activity

import (
	"errors"
	"strings"
	"testing"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
)

func TestNodeModulesThatNeedNoMachine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"assert": {`import assert from 'node:assert'; import { strictEqual } from 'assert/strict';
			export const main = async () => { try { assert.deepStrictEqual({ a: 1 }, { a: 2 }); } catch (e: any) { strictEqual(e.code, 'ERR_ASSERTION'); return e instanceof assert.AssertionError; } };`, `true`},
		"async_hooks": {`import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
			const als = new AsyncLocalStorage<string>();
			export const main = async () => {
				const bound = als.run('bound', () => AsyncResource.bind(() => als.getStore()));
				return als.run('inner', async () => { await Promise.resolve(); return [als.getStore(), bound()]; });
			};`, `["inner","bound"]`},
		"buffer": {`import { Buffer as B, constants } from 'buffer';
			export const main = async () => [B === Buffer, B.from('aé').toString('hex'), constants.MAX_LENGTH > 0];`, `[true,"61c3a9",true]`},
		"crypto hashes": {`import crypto, { createHash, createHmac } from 'node:crypto';
			export const main = async () => {
				const h = createHash('sha256').update('a').update(Buffer.from('xbcx').subarray(1, 3));
				const copy = h.copy();
				return [h.digest('hex'), copy.update('d').digest('base64'), createHash('md5').update('').digest('hex'), createHmac('sha1', 'key').update('data').digest('hex'),
					crypto.hash('sha1', 'abc'), (() => { try { createHash('nope'); } catch (e: any) { return e.message; } })(), (() => { try { h.digest(); } catch (e: any) { return e.code; } })()];
			};`,
			`["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","iNQmb9TmM40TuEX88olXnSCciXgjuSF9o+Fhk28DFYk=","d41d8cd98f00b204e9800998ecf8427e",` +
				`"104152c5bfdca07bc633eebd46199f0255c9f49d","a9993e364706816aba3e25717850c26c9cd0d89d","Digest method not supported","ERR_CRYPTO_HASH_FINALIZED"]`},
		"crypto random": {`import { randomBytes, randomInt, randomUUID, timingSafeEqual, webcrypto } from 'crypto';
			import { promisify } from 'util';
			export const main = async () => {
				const many = Array.from({ length: 200 }, () => randomInt(3, 6));
				return [randomBytes(70000).length, (await promisify(randomBytes)(8) as any).length, [...new Set(many)].sort(), randomUUID().length,
					timingSafeEqual(Buffer.from('a'), Buffer.from('a')), timingSafeEqual(Buffer.from('a'), Buffer.from('b')), webcrypto === (globalThis as any).crypto];
			};`, `[70000,8,[3,4,5],36,true,false,true]`},
		"crypto keys from passwords": {`import { pbkdf2Sync, pbkdf2, hkdfSync } from 'node:crypto';
			export const main = async () => [pbkdf2Sync('password', 'salt', 2, 20, 'sha1').toString('hex'),
				await new Promise((resolve, reject) => pbkdf2('password', 'salt', 1, 20, 'sha1', (e, k) => (e ? reject(e) : resolve(k.toString('hex'))))),
				Buffer.from(hkdfSync('sha256', 'key', 'salt', 'info', 16)).toString('hex')];`,
			`["ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957","0c60c80f961f0e71f3a9b524af6012062fe037a6","9ca0d662557439e3b83365f2da4626d3"]`},
		"crypto ciphers": {`import { createCipheriv, createDecipheriv } from 'node:crypto';
			export const main = async () => {
				const out: unknown[] = [];
				for (const [name, ivLength] of [['aes-256-gcm', 12], ['aes-128-cbc', 16], ['aes-192-ctr', 16]] as const) {
					const key = Buffer.alloc(Number(name.slice(4, 7)) / 8, 1), iv = Buffer.alloc(ivLength, 2);
					const c: any = createCipheriv(name, key, iv);
					if (name.endsWith('gcm')) c.setAAD(Buffer.from('more'));
					const sealed = c.update('secret text', 'utf8', 'hex') + c.final('hex');
					const d: any = createDecipheriv(name, key, iv);
					if (name.endsWith('gcm')) { d.setAAD(Buffer.from('more')); d.setAuthTag(c.getAuthTag()); }
					out.push(sealed.length, d.update(sealed, 'hex', 'utf8') + d.final('utf8'));
				}
				const d: any = createDecipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update('00', 'hex');
				try { d.final(); } catch (e: any) { out.push(e.message); }
				return out;
			};`, `[22,"secret text",32,"secret text",22,"secret text","Unsupported state or unable to authenticate data"]`},
		"crypto signatures": {`import { createSign, createVerify, sign, verify, webcrypto } from 'node:crypto';
			const pem = (der: ArrayBuffer, what: string) => '-----BEGIN ' + what + '-----\n' + Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n') + '\n-----END ' + what + '-----\n';
			export const main = async () => {
				const out: unknown[] = [];
				for (const alg of [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, { name: 'ECDSA', namedCurve: 'P-256' }] as any[]) {
					const pair: any = await webcrypto.subtle.generateKey(alg, true, ['sign', 'verify']);
					const priv = pem(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey), 'PRIVATE KEY'), pub = pem(await webcrypto.subtle.exportKey('spki', pair.publicKey), 'PUBLIC KEY');
					const s = createSign('RSA-SHA256').update('da').update('ta').sign(priv);
					out.push(createVerify('sha256').update('data').verify(pub, s), verify('sha256', Buffer.from('other'), pub, s));
					const p = sign('sha256', Buffer.from('data'), { key: priv, dsaEncoding: 'ieee-p1363' });
					out.push(await webcrypto.subtle.verify({ name: alg.name, hash: 'SHA-256' }, pair.publicKey, p, Buffer.from('data')));
				}
				return out;
			};`, `[true,false,true,true,false,true]`},
		"crypto key objects": {`import crypto, { createSecretKey, createPublicKey, createPrivateKey, generateKeyPairSync, generateKeyPair, KeyObject, sign, verify, constants, publicEncrypt, privateDecrypt, diffieHellman, createHmac } from 'node:crypto';
			import { promisify } from 'node:util';
			export const main = async () => {
				const out: unknown[] = [], data = Buffer.from('data');
				const secret = createSecretKey('key', 'utf8');
				out.push(secret.type, secret.symmetricKeySize, createHmac('sha256', secret).update('x').digest('hex') === createHmac('sha256', 'key').update('x').digest('hex'), secret.export({ format: 'jwk' }).k);
				for (const [kind, options] of [['rsa', { modulusLength: 2048 }], ['ec', { namedCurve: 'prime256v1' }], ['ed25519', {}]] as any[]) {
					const { publicKey, privateKey } = kind === 'ec' ? await promisify(generateKeyPair)(kind, options) as any : generateKeyPairSync(kind, options) as any;
					const alg = kind === 'ed25519' ? null : 'sha256';
					const s = sign(alg, data, privateKey);
					const again = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
					const viaDer = createPublicKey({ key: publicKey.export({ type: 'spki', format: 'der' }), format: 'der', type: 'spki' });
					const viaJwk = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
					out.push(kind, privateKey.asymmetricKeyType, JSON.stringify(publicKey.asymmetricKeyDetails, (_, v) => typeof v === 'bigint' ? String(v) : v), verify(alg, data, viaDer, s), verify(alg, data, viaJwk, s), verify(alg, Buffer.from('x'), viaJwk, s),
						createPublicKey(again).equals(publicKey), privateKey instanceof KeyObject, verify(alg, data, publicKey, sign(alg, data, again)));
					if (kind === 'rsa') {
						const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
						const p = sign('sha256', data, { key: privateKey, ...pss });
						out.push(verify('sha256', data, { key: publicKey, ...pss }, p), verify('sha256', data, publicKey, p), String(privateDecrypt(privateKey, publicEncrypt(publicKey, data))),
							String(privateDecrypt({ key: privateKey, oaepHash: 'sha256' }, publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, data))));
					}
				}
				const a = generateKeyPairSync('x25519') as any, b = generateKeyPairSync('x25519') as any;
				out.push(diffieHellman({ privateKey: a.privateKey, publicKey: b.publicKey }).equals(diffieHellman({ privateKey: b.privateKey, publicKey: a.publicKey })));
				for (const f of [() => (crypto as any).createECDH('prime256v1'), () => createPrivateKey('nonsense'), () => sign('sha256', data, secret as any)]) {
					try { f(); } catch (e: any) { out.push(e.message.slice(0, 40)); }
				}
				return out;
			};`, `["secret",3,true,"a2V5",` +
			`"rsa","rsa","{\"modulusLength\":2048,\"publicExponent\":\"65537\"}",true,true,false,true,true,true,true,false,"data","data",` +
			`"ec","ec","{\"namedCurve\":\"prime256v1\"}",true,true,false,true,true,true,"ed25519","ed25519","{}",true,true,false,true,true,true,true,` +
			`"node:crypto's createECDH isn't here: thi","the key can't be read: PEM of an RSA, EC","Invalid key object type, expected privat"]`},
		"events": {`import EventEmitter, { once, on } from 'node:events';
			class Shop extends EventEmitter {}
			export const main = async () => {
				const shop = new Shop(), heard: unknown[] = [];
				shop.on('order', (n) => heard.push(n));
				shop.once('order', (n) => heard.push('once ' + n));
				setTimeout(() => { shop.emit('order', 1); shop.emit('order', 2); }, 1);
				const [first] = await once(shop, 'order');
				setTimeout(() => { shop.emit('tick', 'a'); shop.emit('tick', 'b'); }, 1);
				const ticks: unknown[] = [];
				for await (const [t] of on(shop, 'tick')) { ticks.push(t); if (ticks.length === 2) break; }
				return [first, heard, ticks, shop.listenerCount('tick'), EventEmitter.EventEmitter === EventEmitter];
			};`, `[1,[1,"once 1",2],["a","b"],0,true]`},
		"path": {`import path, { join } from 'path'; import * as posix from 'node:path/posix';
			export const main = async () => [join('/a', '..', 'b'), path.basename('/x/y.ts', '.ts'), path.resolve('x'), posix.extname('a.tar.gz'), path.parse('/h/f.txt').name];`,
			`["/b","y","/x",".gz","f"]`},
		"querystring": {`import qs from 'querystring'; export const main = async () => [qs.parse('a=1&b=2&a=3'), qs.stringify({ x: ['y', 'z'], w: 'ü' })];`, `[{"a":["1","3"],"b":"2"},"x=y&x=z&w=%C3%BC"]`},
		"stream": {`import { Readable, Transform, Writable, PassThrough, Stream, finished } from 'node:stream'; import { pipeline } from 'stream/promises'; import { text, json } from 'node:stream/consumers';
			import { EventEmitter } from 'events';
			export const main = async () => {
				const out: string[] = [];
				const upper = new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } });
				await pipeline(Readable.from(['a', 'b', 'c']), upper, new Writable({ write(chunk, _, done) { out.push(String(chunk)); setTimeout(done, 1); } }));
				const failed = await pipeline(Readable.from(['x']), new Transform({ transform(_c, _e, done) { done(new RangeError('no')); } }), new PassThrough()).catch((e) => e.name + e.message);
				const mapped = await Readable.from([1, 2, 3]).map((x: number) => x * 2).filter((x: number) => x > 2).toArray();
				const web = Readable.toWeb(Readable.from([Buffer.from('to '), Buffer.from('web')])) as any;
				const back = await text(Readable.fromWeb(new Response('from web').body as any));
				const pushed = new Readable({ read() {} }); pushed.push('{"a":'); pushed.push('1}'); pushed.push(null);
				const ended = new Promise((resolve) => finished(pushed, (e) => resolve(e ?? 'ended')));
				const collected: unknown[] = [];
				await pipeline(new Response('piped').body as any, async function* (source: any) { for await (const c of source) yield String(Buffer.from(c)) + '!'; }, Writable.fromWeb(new WritableStream({ write(c) { collected.push(String(c)); } }) as any));
				return [out.join(''), failed, mapped, await new Response(web).text(), back, await json(pushed), await ended, collected.join(), pushed instanceof Stream, pushed instanceof EventEmitter];
			};`, `["ABC","RangeErrorno",[4,6],"to web","from web",{"a":1},"ended","piped!",true,true]`},
		"zlib": {`import zlib, { gzipSync, gunzipSync, createGzip, createGunzip, brotliCompressSync } from 'node:zlib'; import { promisify } from 'node:util'; import { Readable } from 'stream'; import { pipeline } from 'node:stream/promises'; import { buffer } from 'stream/consumers';
			export const main = async () => {
				const text = 'text '.repeat(1000), out: unknown[] = [];
				for (const [pack, unpack] of [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw'], ['gzip', 'unzip'], ['deflate', 'unzip'], ['brotliCompress', 'brotliDecompress']]) {
					const packed = await promisify((zlib as any)[pack])(text) as any;
					out.push(packed.length < 100 && Buffer.isBuffer(packed) && (zlib as any)[unpack + 'Sync'](packed).toString() === text);
				}
				for (const f of [() => gunzipSync('not gzip at all'), () => gunzipSync(gzipSync(text).subarray(0, 20)), () => zlib.inflateSync(gzipSync('x')), () => gunzipSync(gzipSync(text), { maxOutputLength: 10 })]) {
					try { f(); out.push('?'); } catch (e: any) { out.push(e.code + ' ' + e.message); }
				}
				const gz = createGzip(); const piped = buffer(Readable.from([text, text]).pipe(gz).pipe(createGunzip()));
				return [...out, (await piped).length, zlib.crc32('hello'), gunzipSync(Buffer.from('H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==', 'base64')).toString(), zlib.constants.Z_BEST_SPEED];
			};`, `[true,true,true,true,true,true,"Z_DATA_ERROR incorrect header check","Z_BUF_ERROR unexpected end of file","Z_DATA_ERROR incorrect header check","ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 10 bytes",10000,907060870,"hello",1]`},
		"diagnostics_channel": {`import dc from 'node:diagnostics_channel'; import { AsyncLocalStorage } from 'node:async_hooks';
			export const main = async () => {
				const out: unknown[] = [], c = dc.channel('orders'), t = dc.tracingChannel('pay'), store = new AsyncLocalStorage();
				const hear = (m: any, name: any) => out.push(String(name) + JSON.stringify(m));
				out.push(c.hasSubscribers); c.subscribe(hear); out.push(c.hasSubscribers, dc.channel('orders') === c); c.publish({ n: 1 }); out.push(dc.unsubscribe('orders', hear), dc.hasSubscribers('orders'));
				for (const stage of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) dc.subscribe('tracing:pay:' + stage, (m: any, name: any) => out.push(String(name).slice(8) + (m.error ? ' ' + m.error.message : m.result ?? '')));
				out.push(t.traceSync(function (this: any, x: number) { return this.v + x; }, {}, { v: 1 }, 2));
				try { t.traceSync(() => { throw new Error('no'); }, {}); } catch (e: any) { out.push(e.message); }
				out.push(await t.tracePromise(async () => 5, {}));
				t.traceCallback((x: any, done: any) => done(null, x), 1, {}, null, 7, (e: any, x: any) => out.push('back ' + x));
				t.start.bindStore(store, (m: any) => m.id); out.push(t.traceSync(() => store.getStore(), { id: 'run' }));
				for (const f of [() => dc.channel(1 as any), () => c.subscribe('x' as any), () => dc.tracingChannel(1 as any)]) try { f(); } catch (e: any) { out.push(e.code + ' ' + e.message); }
				return out;
			};`, `[false,true,true,"orders{\"n\":1}",true,false,"pay:start","pay:end3",3,"pay:start","pay:error no","pay:end no","no","pay:start","pay:end","pay:asyncStart5","pay:asyncEnd5",5,"pay:start","pay:asyncStart7","back 7","pay:asyncEnd7","pay:end7","pay:start","pay:endrun","run","ERR_INVALID_ARG_TYPE The \"channel\" argument must be one of type string or symbol. Received type number (1)","ERR_INVALID_ARG_TYPE The \"subscription\" argument must be of type function. Received type string ('x')","ERR_INVALID_ARG_TYPE The \"nameOrChannels\" argument must be of type string or an instance of TracingChannel or Object. Received type number (1)"]`},
		"string_decoder": {`import { StringDecoder } from 'node:string_decoder';
			export const main = async () => { const d = new StringDecoder('utf8'), b = Buffer.from('€'); return [d.write(b.subarray(0, 2)), d.write(b.subarray(2)), d.end()]; };`, `["","€",""]`},
		"timers": {`import { setTimeout as sleep, setInterval } from 'node:timers/promises'; import timers from 'timers';
			export const main = async () => {
				const aborted = sleep(1e6, 'late', { signal: AbortSignal.timeout(5) } as any).catch((e: any) => e.name);
				let n = 0;
				for await (const x of setInterval(1, 'x')) if (++n === 3) break;
				return [await sleep(1, 'value'), await aborted, n, typeof timers.setImmediate];
			};`, `["value","AbortError",3,"function"]`},
		"url": {`import url, { URL as U, fileURLToPath, pathToFileURL } from 'node:url';
			export const main = async () => [url.parse('http://a.b:1/c?d=e#f').query, url.format({ protocol: 'http', host: 'a.b', pathname: '/c' }), url.resolve('/one/two', 'three'),
				U === URL, fileURLToPath('file:///a%20b'), String(pathToFileURL('/a b'))];`, `["d=e","http://a.b/c","/one/three",true,"/a b","file:///a%20b"]`},
		"util": {`import util, { inspect, promisify, format, isDeepStrictEqual, types } from 'node:util';
			export const main = async () => [format('%s is %d', 'x', 5), inspect({ a: [1, { b: new Map([['k', 1]]) }] }), inspect('x'), await promisify((cb: any) => cb(null, 'ok'))(), await promisify(setTimeout)(1, 'slept' as any),
				isDeepStrictEqual({ a: [1] }, { a: [1] }), isDeepStrictEqual({ a: 1 }, { a: '1' }), types.isDate(new Date()), util.inherits !== undefined, new util.TextEncoder().encode('a').length];`,
			`["x is 5","{ a: [ 1, { b: [Map] } ] }","'x'","ok","slept",true,false,true,true,1]`},
		"process": {`import process, { env } from 'node:process'; import { performance as p } from 'perf_hooks'; import c from 'console'; import { ReadableStream as R } from 'stream/web'; import punycode from 'punycode';
			export const main = async () => {
				const order: string[] = []; process.nextTick((x: string) => order.push(x), 'tick'); await null;
				return [env === process.env, order, typeof p.now(), c === console, R === ReadableStream, punycode.toASCII('mañana.com')];
			};`, `[true,["tick"],"number",true,true,"xn--maana-pta.com"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := execute(t, code(t, c.text, CodeOptions{}))
			if err != nil || got != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestNodeModulesOfTheMachineAreRefusedAtLoad(t *testing.T) {
	t.Parallel()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	for name, instead := range map[string]string{
		"node:fs": "there are no files", "fs/promises": "there are no files", "http": "use fetch", "node:https": "use fetch", "net": "through fetch", "child_process": "no processes",
		"worker_threads": "no processes or threads", "vm": "Node's own machinery", "node:os": "nothing of the machine", "node:test": "doesn't exist here", "path/win32": "doesn't exist here",
	} {
		_, err := c.Compile(t.Context(), compile.Source{Name: "charge-card.ts", Kind: compile.Activity, Text: "import 'node:path';\nimport x from '" + name + "';\nexport const main = () => x;"})
		var e *compile.Error
		if !errors.As(err, &e) || e.Line != 2 || !strings.Contains(e.Message, `"`+name+`"`) || !strings.Contains(e.Message, instead) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAPackageThatNeedsTheMachineIsRefusedAtLoad(t *testing.T) {
	t.Parallel()
	// The package's file for Node alone.
	_, err := withPackages(t, "import path from 'node:path';\nimport debug from 'debug/src/node.js';\nexport const main = () => [debug, path];", CodeOptions{}).Check(t.Context())
	var thrown *sandbox.Thrown
	if !errors.As(err, &thrown) || thrown.Line != 2 || thrown.File != "charge-card.ts" || !strings.Contains(thrown.Message, "the npm package debug needs") || !strings.Contains(thrown.Message, "node:tty") {
		t.Errorf("got %v", err)
	}
}
