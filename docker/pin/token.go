package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
)

// ask gives an answer's status and header.
func (r registry) ask(ctx context.Context, url, token string) (status int, header http.Header, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodHead, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	q.Header["Accept"] = []string{"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := r.client.Do(q)
	if err != nil {
		return 0, nil, err
	}
	return answer.StatusCode, answer.Header, answer.Body.Close()
}

var challenge = regexp.MustCompile(`(\w+)="([^"]*)"`)

// token is one for anybody, from where the registry's challenge sends us.
func (r registry) token(ctx context.Context, header string) (string, error) {
	query := url.Values{}
	realm := ""
	for _, m := range challenge.FindAllStringSubmatch(header, -1) {
		if m[1] == "realm" {
			realm = m[2]
		} else {
			query.Set(m[1], m[2])
		}
	}
	if realm == "" {
		return "", fmt.Errorf("the registry's challenge is %q", header)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, realm+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := r.client.Do(q)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	const most = 1 << 20
	var told struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&told); err != nil {
		return "", err
	}
	switch {
	case told.Token != "":
		return told.Token, nil
	case told.AccessToken != "":
		return told.AccessToken, nil
	}
	return "", errors.New("there is none in the answer")
}
