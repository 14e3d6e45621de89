package activities

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type httpResult struct {
	Status     int
	StatusText string
	Data       any
	Headers    map[string]string
}

func loopbackSet(o Options) *Set {
	o.HTTP = HTTPClient(onlyLoopback1())
	return New(o)
}

func request(t *testing.T, s *Set, in map[string]any) (httpResult, error) {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := call(t, s, "httpRequest", string(raw))
	if err != nil {
		return httpResult{}, err
	}
	var r httpResult
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r, nil
}

func TestRequestArrivesAsDescribed(t *testing.T) {
	t.Parallel()
	server := serverAt(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode([]string{
			r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-One"), r.Host, string(body), r.Header.Get("User-Agent")})
	}))
	host := strings.TrimPrefix(server.URL, "http://")
	for name, c := range map[string]struct {
		in   map[string]any
		want []string
	}{
		"defaults":    {map[string]any{"url": server.URL + "/a?b=c"}, []string{"GET", "/a?b=c", "application/json", "", host, "", userAgent}},
		"object body": {map[string]any{"url": server.URL, "method": "post", "body": map[string]any{"a": 1}}, []string{"POST", "/", "application/json", "", host, `{"a":1}`, userAgent}},
		"text body": {map[string]any{"url": server.URL, "method": "PUT", "body": "a=b", "headers": map[string]any{"content-type": "text/plain", "x-one": 1}},
			[]string{"PUT", "/", "text/plain", "1", host, "a=b", userAgent}},
		"null body": {map[string]any{"url": server.URL, "method": "DELETE", "body": nil, "headers": map[string]any{"X-One": nil}}, []string{"DELETE", "/", "application/json", "", host, "", userAgent}},
		"host":      {map[string]any{"url": server.URL, "headers": map[string]any{"host": "example.com", "User-Agent": "me"}}, []string{"GET", "/", "application/json", "", "example.com", "", "me"}},
		"spaces":    {map[string]any{"url": " " + server.URL + "/x y "}, []string{"GET", "/x%20y", "application/json", "", host, "", userAgent}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := request(t, loopbackSet(Options{}), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(r.Data); got != fmt.Sprint(c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryResponseIsAResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
		text    string
		data    any
	}{
		"json": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"n":1e2,"s":"<&>"}`))
		}, 200, "OK", map[string]any{"n": 100.0, "s": "<&>"}},
		"json with a mark":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\xef\xbb\xbf[1]")) }, 200, "OK", []any{1.0}},
		"text":               {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello <b>")) }, 200, "OK", "hello <b>"},
		"broken json":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"a":`)) }, 200, "OK", `{"a":`},
		"not UTF-8":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a\xff")) }, 200, "OK", "a\uFFFD"},
		"empty":              {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, "No Content", ""},
		"not found":          {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "nope", 404) }, 404, "Not Found", "nope\n"},
		"server error":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); _, _ = w.Write([]byte(`{"e":true}`)) }, 503, "Service Unavailable", map[string]any{"e": true}},
		"unheard-of status":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) }, 299, "", ""},
		"redirect to a page": {func(w http.ResponseWriter, r *http.Request) { redirectOnce(w, r) }, 200, "OK", "arrived"},
		"gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(`{"z":1}`))
			_ = z.Close()
		}, 200, "OK", map[string]any{"z": 1.0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serverAt(t, "127.0.0.1", c.handler)
			r, err := request(t, loopbackSet(Options{}), map[string]any{"url": server.URL})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != c.status || strings.TrimPrefix(r.StatusText, "status code 299") != c.text || fmt.Sprint(r.Data) != fmt.Sprint(c.data) {
				t.Errorf("got %+v, want %d %q %v", r, c.status, c.text, c.data)
			}
		})
	}
}

func redirectOnce(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/there" {
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		return
	}
	_, _ = w.Write([]byte("arrived"))
}

func TestHeadersComeBackInLowerCaseAndJoined(t *testing.T) {
	t.Parallel()
	server := serverAt(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-Many", "a")
		w.Header().Add("X-Many", "b")
	}))
	r, err := request(t, loopbackSet(Options{}), map[string]any{"url": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if r.Headers["x-many"] != "a, b" {
		t.Errorf("got %v", r.Headers)
	}
}

func TestSlowResponseIsARetryableTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	for name, handler := range map[string]http.HandlerFunc{
		"no header": func(_ http.ResponseWriter, r *http.Request) { wait(r, release) },
		"half a body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("half"))
			w.(http.Flusher).Flush()
			wait(r, release)
		},
	} {
		server := serverAt(t, "127.0.0.1", handler)
		_, err := request(t, loopbackSet(Options{}), map[string]any{"url": server.URL + "/x?key=secret", "timeout": 50})
		app := wantFailure(t, err, TimeoutErrorType, false)
		if !strings.Contains(app.Message(), "50 ms") || strings.Contains(app.Message(), "secret") {
			t.Errorf("%s: the message should name the time and no query: %s", name, app.Message())
		}
	}
	close(release)
}

func wait(r *http.Request, release chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-release:
	}
}

func TestNetworkErrorsAreRetryable(t *testing.T) {
	t.Parallel()
	dropping := serverAt(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		_ = c.Close()
	}))
	truncating := serverAt(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
	}))
	looping := serverAt(t, "127.0.0.1", http.RedirectHandler("/", http.StatusFound))
	closed := serverAt(t, "127.0.0.1", http.NotFoundHandler())
	closed.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	for name, url := range map[string]string{
		"dropped": dropping.URL, "truncated": truncating.URL, "loop": looping.URL, "refused": closed.URL,
		"no such host": "http://name.invalid/", "unknown authority": untrusted.URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := request(t, loopbackSet(Options{}), map[string]any{"url": url, "method": "POST", "body": "x"})
			app := wantFailure(t, err, NetworkErrorType, false)
			if !strings.HasPrefix(app.Message(), "POST "+url) {
				t.Errorf("the message doesn't say what was tried: %s", app.Message())
			}
		})
	}
}

func TestTLSWithAKnownAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, `"%s"`, r.Proto) }))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	o := onlyLoopback1()
	o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	r, err := request(t, New(Options{HTTP: HTTPClient(o)}), map[string]any{"url": server.URL})
	if err != nil || r.Status != 200 {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestHugeResponseIsCutOffAndPermanent(t *testing.T) {
	t.Parallel()
	endless := func(w io.Writer) {
		chunk := []byte(strings.Repeat("x", 64<<10))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			endless(gzip.NewWriter(w))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serverAt(t, "127.0.0.1", handler)
			_, err := request(t, loopbackSet(Options{MaxResponseBytes: 100_000}), map[string]any{"url": server.URL})
			app := wantFailure(t, err, ResponseTooLargeType, true)
			if !strings.Contains(app.Message(), "100000 bytes") {
				t.Errorf("the message doesn't name the limit: %s", app.Message())
			}
		})
	}
}
