package activity

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"workflow-worker/activities"
)

// serve starts a server on a loopback address.
func serve(t testing.TB, ip string, h http.HandlerFunc) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("this machine has no %s: %v", ip, err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	w.Header().Set("X-Answer", "42")
	_ = json.NewEncoder(w).Encode([]any{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Ask"), string(body)})
}

func TestFetchSendsAndReceives(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", echo)
	for name, c := range map[string]struct{ body, want string }{
		"get":          {`const r = await fetch(URL_ + '/a?b=c#d'); return [r.status, r.ok, r.statusText, r.url === URL_ + '/a?b=c', r.redirected, r.type, await r.json()]`, `[200,true,"OK",true,false,"basic",["GET","/a?b=c","","",""]]`},
		"post json":    {`const r = await fetch(URL_, {method: 'post', body: JSON.stringify({a: 1}), headers: {'Content-Type': 'application/json', 'X-Ask': 'é'}}); return (await r.json()).slice(2)`, `["application/json","\ufffd","{\"a\":1}"]`},
		"url object":   {`const r = await fetch(new URL('/p', URL_)); return (await r.json())[1]`, `"/p"`},
		"request":      {`const r = await fetch(new Request(URL_, {method: 'PUT', body: 'x'})); return (await r.json())`, `["PUT","/","text/plain;charset=UTF-8","","x"]`},
		"form":         {`const r = await fetch(URL_, {method: 'POST', body: new URLSearchParams({a: 'b c'})}); return (await r.json()).slice(2)`, `["application/x-www-form-urlencoded;charset=UTF-8","","a=b+c"]`},
		"bytes":        {`const r = await fetch(URL_, {method: 'POST', body: new Uint8Array([104, 105])}); return (await r.json())[4]`, `"hi"`},
		"headers":      {`const r = await fetch(URL_); return [r.headers.get('x-answer'), r.headers.getSetCookie()]`, `["42",["a=1","b=2"]]`},
		"array buffer": {`const r = await fetch(URL_, {method: 'POST', body: ''}); return (await r.arrayBuffer()).byteLength > 10`, `true`},
		"clone":        {`const r = await fetch(URL_); const c = r.clone(); return (await r.text()) === (await c.text())`, `true`},
		"at once":      {`const all = await Promise.all(Array.from({length: 20}, (_, i) => fetch(URL_ + '/' + i).then((r) => r.json()))); return all.map((a) => a[1]).join('')`, `"/0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19"`},
		"unread":       {`for (let i = 0; i < 200; i++) await fetch(URL_, {method: 'POST', body: 'x'.repeat(1000)}); return 1`, `1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := loopback(t)
			got, err := evaluate(t, o, strings.ReplaceAll(c.body, "URL_", `"`+url+`"`))
			if err != nil {
				t.Fatal(err)
			}
			if got = strings.ReplaceAll(got, "\uFFFD", `\ufffd`); got != c.want { // the header's one byte for é
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFetchFollowsRedirectsAsAsked(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			_, _ = fmt.Fprint(w, r.Method)
			return
		}
		http.Redirect(w, r, "/there", http.StatusFound)
	})
	for name, c := range map[string]struct{ init, want string }{
		"follow": {`{}`, `[200,true,true,"GET"]`},
		"post":   {`{method: 'POST', body: 'x'}`, `[200,true,true,"GET"]`},
		"manual": {`{redirect: 'manual'}`, `[302,false,false,""]`},
		"error":  {`{redirect: 'error'}`, `["TypeError","unexpected redirect"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate(t, loopback(t), `try {
				const r = await fetch("`+url+`/", `+c.init+`);
				const text = await r.text();
				return [r.status, r.redirected, r.url.endsWith('/there'), r.status === 200 ? text : ''];
			} catch (e: any) { return [e.name, e.cause.message] }`)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFetchCanBeAborted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"by a controller": {`const c = new AbortController(); fetch(URL_ + '/began').then(() => c.abort()); await fetch(URL_, {signal: c.signal})`, `["AbortError",20]`},
		"by a reason":     {`const c = new AbortController(); fetch(URL_ + '/began').then(() => c.abort(new RangeError('r'))); await fetch(URL_, {signal: c.signal})`, `["RangeError",null]`},
		"by any":          {`const c = new AbortController(); fetch(URL_ + '/began').then(() => c.abort()); await fetch(URL_, {signal: AbortSignal.any([c.signal])})`, `["AbortError",20]`},
		"in the body":     {`const c = new AbortController(); const r = await fetch(URL_ + '/half', {signal: c.signal}); setTimeout(() => c.abort(), 10); await r.text()`, `["AbortError",20]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, ended := make(chan struct{}), make(chan struct{})
			url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/began" {
					<-began
					return
				}
				if r.URL.Path == "/half" {
					_, _ = fmt.Fprint(w, "half")
					_ = http.NewResponseController(w).Flush()
				}
				close(began)
				<-r.Context().Done()
				close(ended)
			})
			got, err := evaluate(t, loopback(t), `try {`+strings.ReplaceAll(c.body, "URL_", `"`+url+`"`)+`} catch (e: any) { return [e.name, e.code] }`)
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
			<-ended // the server saw the client go
		})
	}
}

func TestFetchTimesOutBySignal(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", waitForClient)
	got, err := evaluate(t, loopback(t), `try { await fetch("`+url+`", {signal: AbortSignal.timeout(20)}) } catch (e: any) { return [e.name, e.code] }`)
	if err != nil || got != `["TimeoutError",23]` {
		t.Errorf("got %s, %v", got, err)
	}
	_, err = evaluate(t, loopback(t), `await fetch("`+url+`", {signal: AbortSignal.timeout(20)})`)
	if app := wantApplication(t, err, "DOMException", false); app.Message() != "The operation was aborted due to timeout" {
		t.Errorf("got %s", app.Message())
	}
}

func TestFetchWithAnAbortedSignalSendsNothing(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	url := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { asked <- struct{}{} })
	got, err := evaluate(t, loopback(t), `try { await fetch("`+url+`", {signal: AbortSignal.abort('before')}) } catch (e) { return e }`)
	if err != nil || got != `"before"` || len(asked) > 0 {
		t.Errorf("got %s, %v; %d requests", got, err, len(asked))
	}
}

func TestFetchFailuresAreTypeErrorsWithACause(t *testing.T) {
	t.Parallel()
	dropping := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		_ = c.Close()
	})
	truncating := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
	})
	endless := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for {
			if _, err := z.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	for name, c := range map[string]struct{ url, message, cause string }{
		"dropped":       {dropping, "fetch failed", "EOF"},
		"truncated":     {truncating, "terminated", "unexpected EOF"},
		"too large":     {endless, "fetch failed", "the response is larger than 1048576 bytes (ACTIVITY_MAX_RESPONSE_BYTES)"},
		"no such host":  {"http://name.invalid/", "fetch failed", "name.invalid"},
		"bad authority": {untrusted.URL, "fetch failed", "certificate"},
		"scheme":        {"ftp://127.0.0.1/", "fetch failed", `unknown scheme "ftp"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := loopback(t)
			o.MaxResponseBytes = 1 << 20
			_, err := evaluate(t, o, `const r = await fetch("`+c.url+`"); await r.text()`)
			app := wantApplication(t, err, "TypeError", false)
			cause := failureOf(t, err).GetCause().GetMessage()
			if !strings.HasPrefix(app.Message(), c.message) || !strings.Contains(cause, c.cause) {
				t.Errorf("got %q caused by %q, want a cause like %q", app.Message(), cause, c.cause)
			}
		})
	}
}

func TestRefusedAddressIsPermanentAndNamesTheSetting(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 10)
	private := serve(t, "127.0.0.2", func(http.ResponseWriter, *http.Request) { reached <- struct{}{} })
	public := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, private, http.StatusFound) })
	for name, body := range map[string]string{
		"direct":         `await fetch("` + private + `")`,
		"by a redirect":  `await fetch("` + public + `")`,
		"wrapped":        `try { await fetch("` + private + `") } catch (e) { throw new Error('wrapped', { cause: e }) }`,
		"metadata":       `await fetch("http://169.254.169.254/latest/meta-data/")`,
		"by a host name": `await fetch("http://localhost:9/")`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := evaluate(t, loopbackIf(t, name != "by a host name"), body)
			app := wantApplication(t, err, activities.AddressNotAllowedType, true)
			if f := failureOf(t, err); !strings.Contains(f.GetMessage()+f.GetCause().GetMessage(), activities.AllowPrivateSetting) {
				t.Errorf("the setting isn't named: %s", app.Message())
			}
		})
	}
	t.Run("caught", func(t *testing.T) {
		t.Parallel()
		got, err := evaluate(t, loopback(t), `try { await fetch("`+private+`") } catch (e) { return 'caught' }`)
		if err != nil || got != `"caught"` {
			t.Errorf("got %s, %v", got, err)
		}
	})
	if len(reached) > 0 {
		t.Error("the private server was reached")
	}
}

func loopbackIf(t *testing.T, yes bool) CodeOptions {
	if yes {
		return loopback(t)
	}
	return CodeOptions{}
}

func TestTooManyRequestsAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", waitForClient)
	o := loopback(t)
	o.MaxRequests = 3
	_, err := evaluate(t, o, `await Promise.all(Array.from({length: 10}, () => fetch("`+url+`")))`)
	wantApplication(t, err, "TypeError", false)
	if cause := failureOf(t, err).GetCause().GetMessage(); cause != "more than 3 requests are under way (ACTIVITY_MAX_REQUESTS)" {
		t.Errorf("got cause %q", cause)
	}
}

func waitForClient(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// notify says that a request came.
func notify(came chan<- struct{}) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { came <- struct{}{} }
}

// receive hands on the body of a request.
func receive(body chan<- string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body <- string(b)
	}
}
