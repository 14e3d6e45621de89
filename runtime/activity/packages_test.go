package activity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
)

// withPackages compiles a module as a service does whose MODULES_DIR has what docker/stack/packages
// names.
func withPackages(t testing.TB, text string, o CodeOptions) *Code {
	t.Helper()
	c := compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(c.Close)
	p, err := c.Compile(t.Context(), compile.Source{Name: "charge-card.ts", Kind: compile.Activity, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	o.Sandbox.Probe = c.Probe
	code := NewCode(p, o)
	t.Cleanup(code.Close)
	return code
}

func TestPackagesThatPeopleUse(t *testing.T) {
	race.AtSpeed(t)
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"lodash": {`
			import _ from 'lodash';
			import debounce from 'lodash/debounce';
			import { groupBy } from 'lodash';
			export const main = async () => [_.chunk([1, 2, 3], 2), groupBy(['a', 'bb', 'c'], 'length'), _.template('hi <%= name %>')({ name: 'you' }),
				_.camelCase('some name'), typeof debounce(() => 1)];`,
			`[[[1,2],[3]],{"1":["a","c"],"2":["bb"]},"hi you","someName","function"]`},
		"zod": {`
			import { z } from 'zod';
			const Order = z.object({ id: z.string().uuid(), lines: z.array(z.object({ sku: z.string().min(1), n: z.number().int().positive() })).nonempty(), mail: z.email() });
			export const main = async () => {
				const good = Order.safeParse({ id: '7f1c5f2e-5d0c-4f0b-9c5e-1f1f2d3c4b5a', lines: [{ sku: 'a', n: 1 }], mail: 'a@b.co' });
				const bad = Order.safeParse({ id: 'x', lines: [{ sku: '', n: 0.5 }], mail: 'no' });
				return [good.success, bad.error!.issues.map((i: any) => i.path.join('.'))];
			};`,
			`[true,["id","lines.0.sku","lines.0.n","mail"]]`},
		"date-fns": {`
			import { addBusinessDays, format, parseISO, formatDistance } from 'date-fns';
			import { de } from 'date-fns/locale';
			export const main = async () => {
				const d = parseISO('2026-02-27T10:00:00Z');
				return [format(addBusinessDays(d, 1), "yyyy-MM-dd 'at' HH:mm"), format(d, 'EEEE, d. MMMM', { locale: de }), formatDistance(d, parseISO('2026-03-01T10:00:00Z'))];
			};`,
			`["2026-03-02 at 10:00","Freitag, 27. Februar","2 days"]`},
		"uuid": {`
			import { v4, v5, v7, validate, version } from 'uuid';
			export const main = async () => [validate(v4()), version(v7()), v4() !== v4(), v5('hello', v5.DNS)];`,
			`[true,7,true,"9342d47a-1bab-5709-9869-c840b2eac501"]`},
		"nanoid": {`
			import { nanoid, customAlphabet } from 'nanoid';
			export const main = async () => [nanoid().length, nanoid() !== nanoid(), /^[ab]{8}$/.test(customAlphabet('ab', 8)())];`,
			`[21,true,true]`},
		"csv-parse and split2": {`
			import { parse } from 'csv-parse';
			import { parse as parseSync } from 'csv-parse/sync';
			import split from 'split2';
			import { Readable } from 'node:stream';
			export const main = async () => [parseSync('a,b\n1,"2,3"', { columns: true }), await Readable.from(['a,b\n1', ',2\n']).pipe(parse({ columns: true })).toArray(),
				await Readable.from(['x\ny', 'z\nw']).pipe(split()).toArray()];`,
			`[[{"a":"1","b":"2,3"}],[{"a":"1","b":"2"}],["x","yz","w"]]`},
		"jsonwebtoken": {`
			import jwt from 'jsonwebtoken';
			import { generateKeyPairSync } from 'node:crypto';
			export const main = async () => {
				const out: unknown[] = [(jwt.verify(jwt.sign({ role: 'admin' }, 'secret', { expiresIn: '1h' }), 'secret') as any).role];
				for (const [alg, kind, options] of [['RS256', 'rsa', { modulusLength: 2048 }], ['ES256', 'ec', { namedCurve: 'prime256v1' }]] as any[]) {
					const { publicKey, privateKey } = generateKeyPairSync(kind, options) as any;
					const token = jwt.sign({ alg }, privateKey, { algorithm: alg });
					out.push((jwt.verify(token, publicKey) as any).alg, (jwt.verify(token, publicKey.export({ type: 'spki', format: 'pem' })) as any).alg);
				}
				try { jwt.verify(jwt.sign({}, 'secret'), 'other'); } catch (e: any) { out.push(e.name + ': ' + e.message); }
				return out;
			};`,
			`["admin","RS256","RS256","ES256","ES256","JsonWebTokenError: invalid signature"]`},
		"jose with more keys": {`
			import * as jose from 'jose';
			export const main = async () => {
				const out: unknown[] = [];
				const ed = await jose.generateKeyPair('EdDSA', { extractable: true });
				out.push((await jose.jwtVerify(await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg: 'EdDSA' }).sign(ed.privateKey), await jose.importJWK(await jose.exportJWK(ed.publicKey), 'EdDSA'))).payload.a);
				for (const [alg, enc, options] of [['RSA-OAEP-256', 'A256GCM'], ['ECDH-ES+A128KW', 'A128CBC-HS256', { crv: 'P-256' }], ['ECDH-ES', 'A256CBC-HS512', { crv: 'X25519' }], ['A256KW', 'A128GCM'], ['PBES2-HS256+A128KW', 'A128GCM']] as any[]) {
					const key: any = alg === 'A256KW' ? await jose.generateSecret(alg) : alg.startsWith('PBES2') ? new TextEncoder().encode('password') : await jose.generateKeyPair(alg, options);
					const sealed = await new jose.CompactEncrypt(new TextEncoder().encode('text')).setProtectedHeader({ alg, enc }).encrypt(key.publicKey ?? key);
					const opened = await jose.compactDecrypt(sealed, key.privateKey ?? key, { keyManagementAlgorithms: [alg] });
					out.push(new TextDecoder().decode(opened.plaintext));
				}
				return out;
			};`,
			`[1,"text","text","text","text","text"]`},
		"jose": {`
			import * as jose from 'jose';
			export const main = async () => {
				const secret = new TextEncoder().encode('a secret of at least thirty-two bytes');
				const hs = await new jose.SignJWT({ role: 'admin' }).setProtectedHeader({ alg: 'HS256' }).setIssuer('us').setExpirationTime('2h').sign(secret);
				const { payload } = await jose.jwtVerify(hs, secret, { issuer: 'us' });
				const out: unknown[] = [payload.role];
				for (const alg of ['ES256', 'RS256', 'PS256']) {
					const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
					const token = await new jose.SignJWT({ alg }).setProtectedHeader({ alg }).sign(privateKey);
					const key = await jose.importJWK(await jose.exportJWK(publicKey), alg);
					out.push((await jose.jwtVerify(token, key)).payload.alg);
				}
				const tampered = hs.slice(0, -3) + (hs.endsWith('AAA') ? 'BBB' : 'AAA');
				out.push(await jose.jwtVerify(tampered, secret).catch((e: any) => e.code));
				return out;
			};`,
			`["admin","ES256","RS256","PS256","ERR_JWS_SIGNATURE_VERIFICATION_FAILED"]`},
		"ajv": {`
			import Ajv from 'ajv';
			const validate = new Ajv({ allErrors: true }).compile({ type: 'object', properties: { foo: { type: 'integer' }, bar: { type: 'string', pattern: '^b' } }, required: ['foo'], additionalProperties: false });
			export const main = async () => [validate({ foo: 1, bar: 'bar' }), validate({ bar: 'x', more: 1 }), validate.errors!.map((e) => e.keyword)];`,
			`[true,false,["required","additionalProperties","pattern"]]`},
		"handlebars": {`
			import Handlebars from 'handlebars';
			Handlebars.registerHelper('shout', (s: string) => s.toUpperCase());
			const page = Handlebars.compile('<ul>{{#each items}}<li>{{shout name}} {{@index}}</li>{{else}}none{{/each}}</ul>');
			export const main = async () => [page({ items: [{ name: 'a<b' }] }), page({})];`,
			`["<ul><li>A&lt;B 0</li></ul>","<ul>none</ul>"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := execute(t, withPackages(t, c.text, CodeOptions{}))
			if err != nil || got != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestAxiosGoesThroughFetch(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"method": r.Method, "query": r.URL.RawQuery, "body": string(body), "key": r.Header.Get("X-Key"), "type": r.Header.Get("Content-Type")})
	})
	c := withPackages(t, `
		import axios, { AxiosError } from 'axios';
		export const main = async (url: string) => {
			const api = axios.create({ baseURL: url, headers: { 'X-Key': 'k' }, timeout: 5000 });
			api.interceptors.response.use((r) => ({ ...r, seen: true }) as any);
			const posted: any = await api.post('/orders', { n: 1 }, { params: { a: 'b c' } });
			const got = await api.get('/orders');
			const missing: any = await api.get('/missing').catch((e) => e);
			const aborted: any = await api.get('/x', { signal: AbortSignal.abort() }).catch((e) => e);
			return [posted.status, posted.seen, posted.data, got.data.method, missing instanceof AxiosError, missing.response.status, missing.code, axios.isCancel(aborted)];
		};`, loopback(t))
	got, err := execute(t, c, fmt.Sprintf("%q", url))
	want := `[200,true,{"body":"{\"n\":1}","key":"k","method":"POST","query":"a=b+c","type":"application/json"},"GET",true,404,"ERR_BAD_REQUEST",true]`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	// It is our fetch, with its guard.
	_, err = execute(t, withPackages(t, `import axios from 'axios'; export const main = async () => (await axios.get('http://10.1.2.3/')).data;`, CodeOptions{}))
	if err == nil || !strings.Contains(err.Error(), "10.1.2.3") {
		t.Errorf("a private address: %v", err)
	}
}

func TestSupabaseQueriesPostgREST(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("apikey") != "anon" || r.Header.Get("Authorization") != "Bearer anon":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"message":"no key"}`)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(body)
		case r.URL.Path == "/rest/v1/nothing":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":"42P01","message":"relation \"nothing\" does not exist"}`)
		default:
			_ = json.NewEncoder(w).Encode([]map[string]string{{"path": r.URL.Path, "query": r.URL.RawQuery}})
		}
	})
	c := withPackages(t, `
		import { createClient } from '@supabase/supabase-js';
		export const main = async (url: string) => {
			const db = createClient(url, 'anon', { auth: { persistSession: false } });
			const read = await db.from('orders').select('id,total').eq('state', 'open').order('id').limit(5);
			const written = await db.from('orders').insert({ total: 7 }).select();
			const missing = await db.from('nothing').select();
			return [read.data, written.data, missing.error!.code, missing.status];
		};`, loopback(t))
	got, err := execute(t, c, fmt.Sprintf("%q", url))
	want := `[[{"path":"/rest/v1/orders","query":"select=id%2Ctotal&state=eq.open&order=id.asc&limit=5"}],{"total":7},"42P01",404]`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestOpenAITalksToItsServer(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Stream   bool
			Messages []struct{ Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Header.Get("Authorization") != "Bearer key" || r.URL.Path != "/v1/chat/completions" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"wrong key","type":"invalid_request_error"}}`)
			return
		}
		if asked.Stream {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, word := range []string{"one ", "two ", "three"} {
				fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", word)
				w.(http.Flusher).Flush()
			}
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "c", "choices": []any{map[string]any{"index": 0, "message": map[string]string{"role": "assistant", "content": "you said " + asked.Messages[0].Content}}}})
	})
	c := withPackages(t, `
		import OpenAI from 'openai';
		export const main = async (url: string) => {
			const ai = new OpenAI({ apiKey: 'key', baseURL: url + '/v1', maxRetries: 0 });
			const ask: any = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
			const answer = await ai.chat.completions.create(ask);
			const words: string[] = [];
			for await (const part of await ai.chat.completions.create({ ...ask, stream: true } as any) as any) words.push(part.choices[0].delta.content);
			const wrong = await new OpenAI({ apiKey: 'other', baseURL: url + '/v1', maxRetries: 0 }).chat.completions.create(ask).catch((e: any) => [e.constructor.name, e.status, e.message]);
			return [answer.choices[0].message.content, words, wrong];
		};`, loopback(t))
	got, err := execute(t, c, fmt.Sprintf("%q", url))
	want := `["you said hello",["one ","two ","three"],["AuthenticationError",401,"401 wrong key"]]`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestPackagesAreEvaluatedForEachExecution(t *testing.T) {
	t.Parallel()
	c := withPackages(t, `
		import _ from 'lodash';
		export const main = async () => { const n = (_ as any).n; (_ as any).n = 1; (_ as any).VERSION = 'mine'; return n ?? 'nothing'; };`, CodeOptions{})
	for range 3 {
		if got, err := execute(t, c); err != nil || got != `"nothing"` {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func TestStacksShowTheFramesOfPackages(t *testing.T) {
	t.Parallel()
	_, err := withPackages(t, "import { z } from 'zod';\nfunction mine() {\n  z.string().parse(1);\n}\nmine();\nexport const main = () => 1;", CodeOptions{}).Check(t.Context())
	var thrown *sandbox.Thrown
	if !errors.As(err, &thrown) || thrown.File != "charge-card.ts" || thrown.Line != 3 {
		t.Fatalf("got %+v", thrown)
	}
	for _, frame := range []string{"(zod/v4/", "mine (charge-card.ts:3:"} {
		if !strings.Contains(thrown.Stack, frame) {
			t.Errorf("no %q in %s", frame, thrown.Stack)
		}
	}
}
