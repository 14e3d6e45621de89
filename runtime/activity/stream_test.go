package activity

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// serveInPieces sends a body in pieces, each after the former was acknowledged at /ack, as a
// language model's server does with events.
func serveInPieces(t *testing.T, pieces ...string) string {
	t.Helper()
	acks := make(chan struct{})
	return serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ack" {
			select {
			case acks <- struct{}{}:
			case <-r.Context().Done():
			}
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, p := range pieces {
			_, _ = io.WriteString(w, p)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-acks:
			case <-r.Context().Done():
				return
			}
		}
	})
}

func TestPiecesOfABodyArriveBeforeItsEnd(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"reader": `const reader = (await fetch(URL_)).body!.getReader(); const out: string[] = [];
			for (;;) { const { done, value } = await reader.read(); if (done) return out; out.push(new TextDecoder().decode(value)); await fetch(URL_ + '/ack') }`,
		"iteration": `const out: string[] = [];
			for await (const c of (await fetch(URL_)).body as any) { out.push(new TextDecoder().decode(c)); await fetch(URL_ + '/ack') } return out`,
		"pipe": `const out: string[] = [];
			for await (const c of (await fetch(URL_)).body!.pipeThrough(new TextDecoderStream()) as any) { out.push(c); await fetch(URL_ + '/ack') } return out`,
		"tee": `const [a, b] = (await fetch(URL_)).body!.tee(); const out: string[] = [];
			for await (const c of a as any) { out.push(new TextDecoder().decode(c)); await fetch(URL_ + '/ack') }
			return (await new Response(b).text()) === out.join('') ? out : 'not the same'`,
		"clone": `const r = await fetch(URL_), copy = r.clone(); const out: string[] = [];
			for await (const c of r.body as any) { out.push(new TextDecoder().decode(c)); await fetch(URL_ + '/ack') }
			return (await copy.text()) === out.join('') ? out : 'not the same'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serveInPieces(t, "data: one\n\n", "data: zwö\n\n", "data: [DONE]\n\n")
			got, err := evaluate(t, loopback(t), strings.ReplaceAll(body, "URL_", `"`+url+`"`))
			if want := `["data: one\n\n","data: zwö\n\n","data: [DONE]\n\n"]`; err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

// serveMuch writes as fast as it may, and says at /sent how many bytes were taken from it.
func serveMuch(t *testing.T, total int64) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = new(atomic.Int64)
	return serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sent" {
			_, _ = fmt.Fprint(w, sent.Load())
			return
		}
		for piece := make([]byte, 64<<10); sent.Load() < total; {
			n, err := w.Write(piece)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}), sent
}

func TestSlowReaderHoldsTheServerUp(t *testing.T) {
	t.Parallel()
	const total = 256 << 20
	url, sent := serveMuch(t, total)
	o := loopback(t)
	o.MaxResponseBytes = 2 * total
	// The server stands still when what it has sent stays the same for a while.
	_, err := evaluate(t, o, `const reader = (await fetch("`+url+`")).body!.getReader();
		await reader.read();
		for (let last = -1, now = 0, same = 0; same < 10; last = now) {
			await new Promise((r) => setTimeout(r, 10));
			now = Number(await (await fetch("`+url+`/sent")).text());
			same = now === last ? same + 1 : 0;
		}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := sent.Load(); n > total/4 {
		t.Errorf("%d bytes were taken from the server though one piece was read", n)
	}
}

func TestStreamsAreBoundedAndTheConnectionEnds(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 10)
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/closed" {
			select {
			case <-closed:
			case <-r.Context().Done():
			}
			return
		}
		serveEndless(w, r)
		closed <- struct{}{}
	})
	for name, c := range map[string]struct{ body, want string }{
		"size": {`let n = 0; try { for await (const c of (await fetch(URL_)).body as any) n += c.length } catch (e: any) { await fetch(URL_ + '/closed'); return [n <= 1e6, e.name, e.message] }`,
			`[true,"TypeError","fetch failed: the response is larger than 1000000 bytes (ACTIVITY_MAX_RESPONSE_BYTES)"]`},
		"abort": {`const c = new AbortController(); const r = await fetch(URL_, { signal: c.signal }); const reader = r.body!.getReader(); await reader.read();
			c.abort(); await fetch(URL_ + '/closed'); try { await reader.read() } catch (e: any) { return e.name }`, `"AbortError"`},
		"abort of a read that waits": {`const c = new AbortController(); const reader = (await fetch(URL_, { signal: c.signal })).body!.getReader(); setTimeout(() => c.abort(), 5);
			try { for (;;) await reader.read() } catch (e: any) { await fetch(URL_ + '/closed'); return e.name }`, `"AbortError"`},
		"cancel":      {`const r = await fetch(URL_); await r.body!.cancel(); await fetch(URL_ + '/closed'); return r.bodyUsed`, `true`},
		"leaving":     {`for await (const c of (await fetch(URL_)).body as any) break; await fetch(URL_ + '/closed'); return 'left'`, `"left"`},
		"broken pipe": {`try { await (await fetch(URL_)).body!.pipeTo(new WritableStream({ write() { throw new Error('full') } })) } catch (e: any) { await fetch(URL_ + '/closed'); return e.message }`, `"full"`},
	} {
		t.Run(name, func(t *testing.T) {
			o := loopback(t)
			o.MaxResponseBytes = 1_000_000
			if name == "abort of a read that waits" {
				o.MaxResponseBytes = 1 << 40
			}
			got, err := evaluate(t, o, strings.ReplaceAll(c.body, "URL_", `"`+url+`"`))
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestBodyThatBreaksOffRejectsTheRead(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "only this")
		_ = http.NewResponseController(w).Flush()
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	got, err := evaluate(t, loopback(t), `let text = ''; try { for await (const c of (await fetch("`+url+`")).body as any) text += new TextDecoder().decode(c) }
		catch (e: any) { return [text, e.name, e.message, e.cause.code] }`)
	if want := `["only this","TypeError","terminated","UND_ERR_SOCKET"]`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestStreamsAreSentAsTheyCome(t *testing.T) {
	t.Parallel()
	heard := make(chan struct{}, 1)
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/heard":
			select {
			case <-heard:
			case <-r.Context().Done():
			}
		case "/first":
			_, _ = io.ReadFull(r.Body, make([]byte, 5))
			heard <- struct{}{}
			rest, _ := io.ReadAll(r.Body)
			_, _ = fmt.Fprintf(w, "%s %v", rest, r.ContentLength)
		case "/early":
			w.WriteHeader(http.StatusForbidden)
		case "/moved":
			http.Redirect(w, r, "/echo", http.StatusTemporaryRedirect)
		default:
			echo(w, r)
		}
	})
	for name, c := range map[string]struct{ body, want string }{
		"whole": {`const r = await fetch(URL_, { method: 'POST', duplex: 'half', body: ReadableStream.from([bytes('a'), bytes('b')]) } as any); return (await r.json())[4]`, `"ab"`},
		"before its end": {`const s = new ReadableStream({ async start(c) { c.enqueue(bytes('first')); await fetch(URL_ + '/heard'); c.enqueue(bytes('second')); c.close() } });
			return await (await fetch(URL_ + '/first', { method: 'POST', duplex: 'half', body: s } as any)).text()`, `"second -1"`},
		"a generator": {`async function* g() { yield bytes('x'); await null; yield bytes('y') }
			const r = await fetch(URL_, { method: 'PUT', duplex: 'half', body: g() } as any); return (await r.json())[4]`, `"xy"`},
		"a request":       {`const q = new Request(URL_, { method: 'POST', duplex: 'half', body: new Blob(['blob']).stream() } as any); return (await (await fetch(q)).json())[4]`, `"blob"`},
		"from a response": {`const r = await fetch(URL_, { method: 'POST', body: 'from' }); return (await (await fetch(URL_, { method: 'POST', duplex: 'half', body: r.body } as any)).json())[4].includes('"from"')`, `true`},
		"that fails":      {`try { await fetch(URL_, { method: 'POST', duplex: 'half', body: new ReadableStream({ pull() { throw new RangeError('source') } }) } as any) } catch (e: any) { return [e.name, e.message] }`, `["RangeError","source"]`},
		"of text":         {`try { await fetch(URL_, { method: 'POST', duplex: 'half', body: ReadableStream.from(['text']) } as any) } catch (e: any) { return e.name }`, `"TypeError"`},
		"answered early": {`let n = 0, stopped = false; const s = new ReadableStream({ pull(c) { n++; c.enqueue(new Uint8Array(1 << 16)) }, cancel() { stopped = true } });
			let status; try { status = (await fetch(URL_ + '/early', { method: 'POST', duplex: 'half', body: s } as any)).status } catch (e: any) { status = 403 }
			while (!stopped) await new Promise((r) => setTimeout(r, 1)); return status`, `403`},
		"redirected": {`try { await fetch(URL_ + '/moved', { method: 'POST', duplex: 'half', body: ReadableStream.from([bytes('a')]) } as any) } catch (e: any) { return e.message }`, `"fetch failed"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate(t, loopback(t), "const bytes = (t: string) => new TextEncoder().encode(t);\n"+strings.ReplaceAll(c.body, "URL_", `"`+url+`"`))
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestServerThatDoesNotReadHoldsTheSenderUp(t *testing.T) {
	t.Parallel()
	url := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { <-t.Context().Done() }) // a body unread hides that the client left
	got, err := evaluate(t, loopback(t), `let made = 0;
		const c = new AbortController();
		const sent = fetch("`+url+`", { method: 'POST', duplex: 'half', signal: c.signal, body: new ReadableStream({ pull(k) { made += 1 << 16; k.enqueue(new Uint8Array(1 << 16)) } }) } as any).catch((e) => e.name);
		for (let last = -1, same = 0; same < 10; ) { await new Promise((r) => setTimeout(r, 10)); same = made === last ? same + 1 : 0; last = made }
		c.abort();
		return [await sent, made < (64 << 20)]`)
	if want := `["AbortError",true]`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func BenchmarkStreamedFetch(b *testing.B) {
	o := loopback(b)
	url := serve(b, "127.0.0.1", echo)
	benchmark(b, `export async function main() { let n = 0; for await (const c of (await fetch("`+url+`")).body as any) n += c.length; return n }`, o)
}
