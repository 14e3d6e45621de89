package activity

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"workflow-worker/activities"
)

var encoders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"x-gzip":  func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"raw": func(w io.Writer) io.WriteCloser {
		f, _ := flate.NewWriter(w, 9)
		return f
	},
	"br": func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
}

func encode(t testing.TB, coding string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := encoders[coding](&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFetchUndoesEncodingsAsNodeDoes(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("some text, ", 1000))
	url := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		body := text
		for _, coding := range r.URL.Query()["with"] {
			body = encode(t, coding, body)
		}
		for _, h := range r.URL.Query()["header"] {
			w.Header().Add("Content-Encoding", h)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Header().Set("Asked", r.Header.Get("Accept-Encoding"))
		if r.URL.Query().Has("empty") {
			w.Header().Del("Content-Length")
			return
		}
		_, _ = w.Write(body)
	})
	plain := fmt.Sprintf("%d some text", len(text))
	for query, want := range map[string]string{
		"":                                    plain + " null",
		"with=gzip&header=gzip":               plain + " gzip",
		"with=gzip&header=X-GZIP":             plain + " X-GZIP",
		"with=deflate&header=deflate":         plain + " deflate",
		"with=raw&header=deflate":             plain + " deflate",
		"with=br&header=br":                   plain + " br",
		"with=gzip&with=br&header=gzip,%20br": plain + " gzip, br",
		"with=deflate&with=gzip&header=deflate&header=gzip": plain + " deflate, gzip",
		"header=zstd":       plain + " zstd",
		"empty&header=gzip": "0  gzip",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate(t, loopback(t), `const r = await fetch('`+url+`/?`+query+`'); const t = await r.text();
				if (r.headers.get('asked') !== 'gzip, deflate') throw new Error(r.headers.get('asked'));
				return t.length + ' ' + t.slice(0, 9) + ' ' + r.headers.get('content-encoding');`)
			if err != nil || got != `"`+want+`"` {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
		})
	}
	got, err := evaluate(t, loopback(t), `const asked = async (headers: any) => (await fetch('`+url+`', { method: 'HEAD', headers })).headers.get('asked');
		return [await asked({ 'accept-encoding': 'br' }), await asked({ range: 'bytes=0-1' })];`)
	if err != nil || got != `["br","identity"]` {
		t.Errorf("got %s, %v", got, err)
	}
	for query, want := range map[string]string{"header=gzip": "terminated", "header=br": "terminated", "with=gzip" + strings.Repeat("&header=gzip", 6): "fetch failed"} {
		_, err := evaluate(t, loopback(t), `await (await fetch('`+url+`/?`+query+`')).text()`)
		if app := wantApplication(t, err, "TypeError", false); app.Message() != want {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

func TestFetchAsksForBrotliOverTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}))
	t.Cleanup(s.Close)
	o := loopback(t)
	o.HTTP.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	if got, err := evaluate(t, o, `return (await fetch('`+s.URL+`')).text()`); err != nil || got != `"br, gzip, deflate"` {
		t.Errorf("got %s, %v", got, err)
	}
}

// A body of some kilobytes that becomes a gigabyte costs what is read of it and no more.
func TestFetchUndoesABombOnlyAsFarAsItIsRead(t *testing.T) {
	t.Parallel()
	for coding := range encoders {
		t.Run(coding, func(t *testing.T) {
			t.Parallel()
			read := make(chan int64, 1)
			url := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
				header := map[string]string{"raw": "deflate"}[coding]
				if header == "" {
					header = coding
				}
				w.Header().Set("Content-Encoding", header)
				z := encoders[coding](w)
				n, size := int64(0), int64(1<<30)
				if coding == "br" { // makes so little of it that the socket holds it all, and takes its time
					size = 32 << 20
				}
				for n < size {
					m, err := z.Write(make([]byte, 1<<20))
					n += int64(m)
					if err != nil {
						break
					}
				}
				read <- n
			})
			o := loopback(t)
			o.MaxResponseBytes = 1 << 20
			_, err := evaluate(t, o, `await (await fetch('`+url+`')).text()`)
			if app := wantApplication(t, err, "TypeError", false); !strings.Contains(app.Message(), activities.MaxResponseSetting) {
				t.Error(err)
			}
			if n := <-read; n >= 1<<30 {
				t.Errorf("all of it was taken")
			}
		})
	}
}
