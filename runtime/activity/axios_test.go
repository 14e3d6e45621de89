package activity

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/compile"
)

// tell answers what it was asked, in the ways that its paths name.
func tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
	switch r.URL.Path {
	case "/slow":
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
		return
	case "/redirect":
		http.Redirect(w, r, "/json?from=redirect", http.StatusFound)
		return
	case "/again":
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		return
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"zipped":true}`)
		_ = z.Close()
		return
	case "/bytes":
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte{0, 1, 2, 254, 255})
		return
	case "/long":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, strings.Repeat("long ", 10_000))
		return
	case "/cut":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	case "/drip":
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	case "/gone":
		panic(http.ErrAbortHandler)
	case "/none":
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if s := r.URL.Query().Get("status"); s != "" {
		var status int
		_, _ = fmt.Sscan(s, &status)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	}
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	w.Header().Set("X-Given", "given")
	w.Header().Set("Content-Type", "application/json")
	got := map[string]any{"method": r.Method, "query": r.URL.RawQuery, "type": r.Header.Get("Content-Type"), "auth": r.Header.Get("Authorization"),
		"accept": r.Header.Get("Accept"), "agent": strings.Split(r.Header.Get("User-Agent"), "/")[0], "length": r.ContentLength}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data; boundary=") {
		got["type"], got["length"] = "multipart", r.ContentLength > 0
		parts := map[string]string{}
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			got["error"] = err.Error()
		} else {
			for name, values := range r.MultipartForm.Value {
				parts[name] = strings.Join(values, ",")
			}
			for name, files := range r.MultipartForm.File {
				f, _ := files[0].Open()
				text, _ := io.ReadAll(f)
				_ = f.Close()
				parts[name] = files[0].Filename + " " + files[0].Header.Get("Content-Type") + " " + string(text)
			}
		}
		got["form"] = parts
	} else if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		got["body"] = string(body)
	}
	_ = json.NewEncoder(w).Encode(got)
}

// axiosCases hold what axios does in Node.
const clientHead = `
const caught = (p) => p.then(() => ({ message: 'no error' }), (e) => e);
const told = (e) => [e.constructor.name, e.code ?? e.name, e.message.replace(/:\d{4,5}/g, ':port')];
`

// axiosCases are what axios gives in Node 20.
var axiosCases = map[string]struct{ text, want string }{
	"form": {`
		const f = new FormData(); f.append('a', '1'); f.append('a', '2'); f.append('file', new File(['text'], 'x.txt', { type: 'text/plain' }));
		return [(await axios.post(url + '/', f)).data, (await axios.postForm(url + '/', { b: 'c', d: { e: 1 } })).data, (await axios.put(url + '/', { x: 1 }, { headers: { 'Content-Type': 'multipart/form-data' } })).data];`,
		`[{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","form":{"a":"1,2","file":"x.txt text/plain text"},"length":true,"method":"POST","query":"","type":"multipart"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","form":{"b":"c","d[e]":"1"},"length":true,"method":"POST","query":"","type":"multipart"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","form":{"x":"1"},"length":true,"method":"PUT","query":"","type":"multipart"}]`},
	"form-data": {`
		const f = new FormDataPackage(); f.append('a', '1'); f.append('file', Buffer.from('text'), { filename: 'x.txt', contentType: 'text/plain' });
		const g = new FormDataPackage(); g.append('b', '2');
		return [(await axios.post(url + '/', f)).data, (await axios.post(url + '/', g, { headers: g.getHeaders() })).data];`,
		`[{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","form":{"a":"1","file":"x.txt text/plain text"},"length":true,"method":"POST","query":"","type":"multipart"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","form":{"b":"2"},"length":true,"method":"POST","query":"","type":"multipart"}]`},
	"bodies": {`
		const all = [{ n: 1 }, 'text', new URLSearchParams({ a: 'b c' }), Buffer.from('bytes'), new Uint8Array([65, 66]).buffer, undefined, null, [1, 2]];
		const out = []; for (const b of all) out.push((await axios.post(url + '/', b)).data); out.push((await axios.delete(url + '/', { data: { d: 1 } })).data); return out;`,
		`[{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"{\"n\":1}","length":7,"method":"POST","query":"","type":"application/json"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"text","length":4,"method":"POST","query":"","type":"application/x-www-form-urlencoded"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"a=b+c","length":5,"method":"POST","query":"","type":"application/x-www-form-urlencoded;charset=utf-8"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"bytes","length":5,"method":"POST","query":"","type":"application/x-www-form-urlencoded"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"AB","length":2,"method":"POST","query":"","type":"application/x-www-form-urlencoded"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","length":0,"method":"POST","query":"","type":"application/x-www-form-urlencoded"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","length":0,"method":"POST","query":"","type":"application/x-www-form-urlencoded"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"[1,2]","length":5,"method":"POST","query":"","type":"application/json"},{"accept":"application/json, text/plain, */*","agent":"axios","auth":"","body":"{\"d\":1}","length":7,"method":"DELETE","query":"","type":"application/json"}]`},
	"streamed bodies": {`
		const { Readable } = await import('node:stream');
		return [(await axios.post(url + '/', Readable.from(['one ', 'two']))).data.body, (await axios.post(url + '/', Readable.from([Buffer.alloc(200000, 65)]), { headers: { 'Content-Length': '200000' } })).data.length, (await axios.post(url + '/', Readable.from(Array(5).fill('x'.repeat(20000))))).data.body.length];`,
		`["one two",200000,100000]`},
	"timeout": {`
		const e = await caught(axios.get(url + '/slow', { timeout: 50 }));
		const c = await caught(axios.get(url + '/slow', { timeout: 50, transitional: { clarifyTimeoutError: true } }));
		const n = await caught(axios.get(url + '/slow', { timeout: 50, maxRedirects: 0 }));
		const m = await caught(axios.get(url + '/slow', { timeout: 50, timeoutErrorMessage: 'mine' }));
		return [told(e), told(c), told(n), told(m)];`,
		`[["AxiosError","ECONNABORTED","timeout of 50ms exceeded"],["AxiosError","ETIMEDOUT","timeout of 50ms exceeded"],["AxiosError","ECONNABORTED","timeout of 50ms exceeded"],["AxiosError","ECONNABORTED","mine"]]`},
	"errors": {`
		const out = [];
		for (const s of [400, 404, 429, 500, 503]) { const e = await caught(axios.get(url + '/?status=' + s)); out.push([told(e), e.response.status, e.response.statusText, e.response.headers['retry-after'], e.response.data.method]); }
		out.push(told(await caught(axios.get('http://127.0.0.1:1/'))), told(await caught(axios.get(url + '/gone'))), told(await caught(axios.get(url + '/cut'))),
			told(await caught(axios.get('nothing://x'))), told(await caught(axios.get('/relative'))), told(await caught(axios.get(url + '/again'))));
		return out;`,
		`[[["AxiosError","ERR_BAD_REQUEST","Request failed with status code 400"],400,"Bad Request","7","GET"],[["AxiosError","ERR_BAD_REQUEST","Request failed with status code 404"],404,"Not Found","7","GET"],[["AxiosError","ERR_BAD_REQUEST","Request failed with status code 429"],429,"Too Many Requests","7","GET"],[["AxiosError","ERR_BAD_RESPONSE","Request failed with status code 500"],500,"Internal Server Error","7","GET"],[["AxiosError","ERR_BAD_RESPONSE","Request failed with status code 503"],503,"Service Unavailable","7","GET"],["AxiosError","ECONNREFUSED","connect ECONNREFUSED 127.0.0.1:1"],["AxiosError","ECONNRESET","socket hang up"],["AxiosError","ECONNRESET","socket hang up"],["AxiosError","ERR_BAD_REQUEST","Unsupported protocol nothing:"],["TypeError","ERR_INVALID_URL","Invalid URL"],["AxiosError","ERR_FR_TOO_MANY_REDIRECTS","Maximum number of redirects exceeded"]]`},
	"cause": {`
		const e = await caught(axios.get('http://127.0.0.1:1/')); return [e.cause?.code, e.cause?.syscall, e.cause?.address, e.cause?.port, e.errno, e.syscall, e.request !== undefined, e.response === undefined, e.toJSON().code];`,
		`["ECONNREFUSED","connect","127.0.0.1",1,null,null,true,true,"ECONNREFUSED"]`},
	"headers": {`
		const r = await axios.get(url + '/'); return [r.status, r.statusText, r.headers['x-given'], r.headers['X-Given'] ?? null, r.headers.get('X-Given'), r.headers['set-cookie'], r.headers['content-type'], r.headers.date, typeof r.headers['content-length']];`,
		`[200,"OK","given",null,"given",["a=1","b=2"],"application/json","Thu, 01 Jan 2026 00:00:00 GMT","string"]`},
	"limits": {`
		return [told(await caught(axios.get(url + '/long', { maxContentLength: 1000 }))), told(await caught(axios.post(url + '/', 'x'.repeat(2000), { maxBodyLength: 1000 }))), (await axios.get(url + '/long', { maxContentLength: 50000 })).data.length];`,
		`[["AxiosError","ERR_BAD_RESPONSE","maxContentLength size of 1000 exceeded"],["AxiosError","ERR_BAD_REQUEST","Request body larger than maxBodyLength limit"],50000]`},
	"auth and params": {`
		return [(await axios.get(url + '/', { auth: { username: 'me', password: 'pä:ss' }, params: { a: 'b c', l: [1, 2], d: new Date(0), o: { p: 1 }, n: null } })).data,
		(await axios.get(url.replace('http://', 'http://user:word@') + '/')).data.auth, (await axios.get(url + '/', { params: { l: [1, 2] }, paramsSerializer: { indexes: null } })).data.query];`,
		`[{"accept":"application/json, text/plain, */*","agent":"axios","auth":"Basic bWU6cMOkOnNz","length":0,"method":"GET","query":"a=b+c&l%5B%5D=1&l%5B%5D=2&d=1970-01-01T00:00:00.000Z&o%5Bp%5D=1","type":""},"Basic dXNlcjp3b3Jk","l=1&l=2"]`},
	"response types": {`
		const b = (await axios.get(url + '/bytes', { responseType: 'arraybuffer' })).data;
		const s = (await axios.get(url + '/long', { responseType: 'stream' })).data; let n = 0; for await (const c of s) n += c.length;
		const t = (await axios.get(url + '/', { responseType: 'text' })).data;
		return [Buffer.isBuffer(b), [...b], n, typeof s.pipe, typeof t, (await axios.get(url + '/none')).data, (await axios.get(url + '/gzip')).data, (await axios.head(url + '/')).data,
			(await axios.get(url + '/bytes', { responseType: 'blob' })).data.constructor.name, (await axios.get(url + '/gzip', { decompress: false, responseType: 'arraybuffer' })).data.subarray(0, 2).toString('hex')];`,
		`[true,[0,1,2,254,255],50000,"function","string","",{"zipped":true},"","String","1f8b"]`},
	"redirects": {`
		const r = await axios.get(url + '/redirect'); const m = await caught(axios.get(url + '/redirect', { maxRedirects: 0 }));
		return [r.data.query, r.request.res.responseUrl.slice(url.length), told(m), m.response.status, m.response.headers.location, (await axios.post(url + '/redirect', { a: 1 })).data.method];`,
		`["from=redirect","/json?from=redirect",["AxiosError","ERR_BAD_RESPONSE","Request failed with status code 302"],302,"/json?from=redirect","GET"]`},
	"cancel": {`
		const c = new AbortController(); setTimeout(() => c.abort(), 30);
		const e = await caught(axios.get(url + '/slow', { signal: c.signal }));
		const already = await caught(axios.get(url + '/', { signal: AbortSignal.abort() }));
		const source = axios.CancelToken.source(); setTimeout(() => source.cancel('enough'), 30);
		const t = await caught(axios.get(url + '/slow', { cancelToken: source.token }));
		const late = new AbortController(); const r = await axios.get(url + '/drip', { responseType: 'stream', signal: late.signal });
		return [told(e), axios.isCancel(e), e.name, told(already), told(t), await new Promise((resolve) => { r.data.on('error', (x) => resolve(told(x))); late.abort(); })];`,
		`[["CanceledError","ERR_CANCELED","canceled"],true,"CanceledError",["CanceledError","ERR_CANCELED","canceled"],["CanceledError","ERR_CANCELED","enough"],["CanceledError","ERR_CANCELED","canceled"]]`},
	"status": {`
		return [(await axios.get(url + '/?status=404', { validateStatus: () => true })).status, told(await caught(axios.get(url + '/?status=204', { validateStatus: (s) => s === 200 })))];`,
		`[404,["AxiosError","ERR_BAD_RESPONSE","Request failed with status code 204"]]`},
	"progress": {`
		const up = []; const down = []; await axios.post(url + '/', 'x'.repeat(1000), { onUploadProgress: (e) => up.push(e.loaded), onDownloadProgress: (e) => down.push(e.loaded > 0) });
		return [up.at(-1), down.at(-1)];`,
		`[1000,true]`},
	"interceptors and defaults": {`
		const api = axios.create({ baseURL: url, headers: { common: { Authorization: 'Bearer t' } } });
		api.interceptors.request.use((c) => { c.headers.set('X-A', 'b'); c.params = { ...c.params, seen: 1 }; return c; });
		api.interceptors.response.use(undefined, (e) => ({ handled: e.code }));
		return [(await api.get('/')).data, await api.get('/?status=500'), axios.defaults.adapter, (await api.request({ method: 'patch', url: '/', data: { p: 1 }, transformRequest: [(d) => JSON.stringify({ ...d, q: 2 })] })).data];`,
		`[{"accept":"application/json, text/plain, */*","agent":"axios","auth":"Bearer t","length":0,"method":"GET","query":"seen=1","type":""},{"handled":"ERR_BAD_RESPONSE"},["xhr","http","fetch"],{"accept":"application/json, text/plain, */*","agent":"axios","auth":"Bearer t","body":"{\"p\":1,\"q\":2}","length":13,"method":"PATCH","query":"seen=1","type":"application/x-www-form-urlencoded"}]`},
}

func TestAxiosIsThatOfNode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	url := serve(t, "127.0.0.1", tell)
	c := packagesCompiler(t)
	for name, one := range axiosCases {
		asInNode(t, c, name, "import axios from 'axios';\nimport FormDataPackage from 'form-data';\n"+clientHead+
			"\nexport const main = async (url) => {\n"+one.text+"\n};\n", url, one.want)
	}
}

// What has to be its own connection in Node is an error: it would go another way than it says.
func TestRequestsOfPackagesTakeTheServicesOwnWay(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", tell)
	asInNode(t, packagesCompiler(t), "proxies and sockets", `import axios from 'axios';
import HttpsProxyAgent from 'https-proxy-agent';
`+clientHead+`
export const main = async (url) => [
  told(await caught(axios.get(url + '/', { proxy: { host: '127.0.0.1', port: 9 } }))),
  told(await caught(axios.get(url + '/', { httpAgent: HttpsProxyAgent('http://127.0.0.1:9'), proxy: false }))),
  told(await caught(axios.get(url + '/', { socketPath: '/run/some.sock' }))),
];`, url, `[["AxiosError","ERR_METHOD_NOT_IMPLEMENTED","the path \"http://127.0.0.1:port/\" is for a proxy, which can't be used here"],`+
		`["AxiosError","ERR_METHOD_NOT_IMPLEMENTED","activities have no sockets: requests with an agent or a connection of one's own can't be made"],`+
		`["AxiosError","ERR_METHOD_NOT_IMPLEMENTED","activities have no sockets: requests with an agent or a connection of one's own can't be made"]]`)
}

// packagesCompiler makes a bundle once for all components of a test.
func packagesCompiler(t *testing.T) *compile.Compiler {
	t.Helper()
	c := compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(c.Close)
	return c
}

// asInNode runs a component that uses nothing that Node doesn't have, whose answer Node gave.
func asInNode(t *testing.T, c *compile.Compiler, name, text, url, want string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		p, err := c.Compile(t.Context(), compile.Source{Name: "charge-card.ts", Kind: compile.Activity, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		o := loopback(t)
		o.Sandbox.Probe = c.Probe
		code := NewCode(p, o)
		t.Cleanup(code.Close)
		got, err := execute(t, code, fmt.Sprintf("%q", url))
		if err != nil || got != want {
			t.Errorf("\n got %s, %v\nwant %s", got, err, want)
		}
	})
}
