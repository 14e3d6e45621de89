package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
)

// web is what activities talk to: a server on 127.0.0.1, which they may reach, one on 127.0.0.2,
// which they may not, and one with a certificate that nobody signed.
type web struct {
	url, secureURL, privateURL string
	servers                    []*httptest.Server
}

func startWeb() (*web, error) {
	w := &web{}
	private, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		return nil, fmt.Errorf("listen on a second loopback address: %w", err)
	}
	open, secure, hidden := httptest.NewUnstartedServer(w.mux()), httptest.NewUnstartedServer(w.mux()), httptest.NewUnstartedServer(w.mux())
	// Handshakes that fail are what a case wants.
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	_ = hidden.Listener.Close()
	hidden.Listener = private
	open.Start()
	secure.StartTLS()
	hidden.Start()
	w.servers = []*httptest.Server{open, secure, hidden}
	w.url, w.secureURL, w.privateURL = open.URL, secure.URL, hidden.URL
	return w, nil
}

func (w *web) stop() {
	for _, s := range w.servers {
		s.CloseClientConnections()
		s.Close()
	}
}

func (w *web) mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/echo", echo)
	m.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		w.WriteHeader(code)
		if code != http.StatusNoContent && code != http.StatusNotModified {
			fmt.Fprintf(w, `{"code":%d}`, code)
		}
	})
	m.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("code"))
		http.Redirect(w, r, r.FormValue("to"), max(code, http.StatusFound))
	})
	m.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	m.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.FormValue("ms"))
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
			fmt.Fprint(w, "late")
		case <-r.Context().Done():
		}
	})
	m.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		chunk := bytesOf(64 << 10)
		for n > 0 {
			k, err := w.Write(chunk[:min(n, len(chunk))])
			if err != nil {
				return
			}
			n -= k
		}
	})
	m.HandleFunc("/drop", func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	m.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		if c, rw, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
			_ = rw.Flush()
			_ = c.Close()
		}
	})
	for path, packed := range map[string]struct {
		coding string
		writer func(io.Writer) io.WriteCloser
	}{
		"/gzip":        {"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		"/deflate":     {"deflate", func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
		"/deflate-raw": {"deflate", func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 1); return f }},
		"/br":          {"br", func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }},
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", packed.coding)
			w.Header().Set("X-Asked", r.Header.Get("Accept-Encoding"))
			z := packed.writer(w)
			_, _ = io.WriteString(z, strings.Repeat("zipped ", 100))
			_ = z.Close()
		})
	}
	m.HandleFunc("/chunks", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 5 {
			fmt.Fprintf(w, "chunk %d\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	})
	m.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		fmt.Fprint(w, `{"text":"añ😀","n":1}`)
	})
	m.HandleFunc("/text", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, r.FormValue("say"))
	})
	return m
}

func bytesOf(n int) []byte { return bytes.Repeat([]byte{'b'}, n) }

// echo tells what was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	headers := map[string]string{}
	for name := range r.Header {
		switch name {
		// What each client chooses for itself.
		case "User-Agent", "Accept-Encoding", "Accept", "Accept-Language", "Sec-Fetch-Mode", "Connection", "Content-Length":
		default:
			headers[strings.ToLower(name)] = r.Header.Get(name)
		}
	}
	answer := map[string]any{"method": r.Method, "path": r.URL.RequestURI(), "headers": headers}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		delete(headers, "content-type")
		form := map[string]string{}
		if err := r.ParseMultipartForm(1 << 20); err == nil {
			for name, values := range r.MultipartForm.Value {
				form[name] = strings.Join(values, ",")
			}
			for name, files := range r.MultipartForm.File {
				form[name] = files[0].Filename + ":" + files[0].Header.Get("Content-Type")
			}
		}
		answer["form"] = form
	} else if body, err := io.ReadAll(r.Body); err == nil {
		answer["body"] = string(body)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
