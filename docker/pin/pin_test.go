package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBaseImagesGetTheDigestsThatTheRegistryTells(t *testing.T) {
	t.Parallel()
	first, second := "sha256:"+strings.Repeat("a1", 32), "sha256:"+strings.Repeat("b2", 32)
	asked := map[string]int{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write([]byte(`{"token":"for ` + q.URL.Query().Get("scope") + ` of ` + q.URL.Query().Get("service") + `"}`))
	})
	mux.HandleFunc("HEAD /v2/{owner}/{name}/manifests/{tag}", func(w http.ResponseWriter, q *http.Request) {
		image := q.PathValue("owner") + "/" + q.PathValue("name")
		if q.Header.Get("Authorization") != "Bearer for repository:"+image+":pull of r" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+server.URL+`/token",service="r",scope="repository:`+image+`:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		asked[image+":"+q.PathValue("tag")]++
		d, known := map[string]string{"library/golang:1.26.8-bookworm": first, "library/node:22.1.0-slim": second}[image+":"+q.PathValue("tag")]
		if !known || len(q.Header["Accept"]) != 2 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Docker-Content-Digest", d)
	})
	file := filepath.Join(t.TempDir(), "Dockerfile")
	given := "FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS one\nFROM node:22.1.0-slim@sha256:" + strings.Repeat("0", 64) + " AS two\n" +
		"FROM golang:1.26.8-bookworm\nFROM scratch\nCOPY --from=one /FROM /x\n"
	if err := os.WriteFile(file, []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	r := registry{client: server.Client(), base: server.URL}
	if err := run(t.Context(), file, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm@" + first + " AS one\nFROM node:22.1.0-slim@" + second + " AS two\n" +
		"FROM golang:1.26.8-bookworm@" + first + "\nFROM scratch\nCOPY --from=one /FROM /x\n"
	if string(text) != want || asked["library/golang:1.26.8-bookworm"] != 1 {
		t.Errorf("%s\n%v", text, asked)
	}

	if err := os.WriteFile(file, []byte("FROM nobody/knows:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), file, r); err == nil || !strings.Contains(err.Error(), "nobody/knows:1: the registry answers 404") {
		t.Errorf("an unknown image: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "FROM nobody/knows:1\n" {
		t.Errorf("the file was changed: %q, %v", text, err)
	}
}
