// Command pin asks the registry what a Dockerfile's base images are at this moment, and writes their
// digests behind their tags: what is built then doesn't change when somebody moves a tag. The tags
// stay, for people and for who proposes newer ones.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pin DOCKERFILE")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], registry{client: http.DefaultClient, base: "https://registry-1.docker.io"}); err != nil {
		fmt.Fprintln(os.Stderr, "pin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, r registry) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pinned, err := pin(string(text), func(image, tag string) (string, error) { return r.digest(ctx, image, tag) })
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(pinned), 0o644)
}

// from is a line of a base image from Docker's registry: what is before the name, the name, the tag,
// and the digest.
var from = regexp.MustCompile(`(?m)^(FROM(?: --\S+)* )([a-z0-9][a-z0-9._/-]*):([\w.-]+)(@sha256:[0-9a-f]{64})?`)

// pin asks for each image once.
func pin(text string, digest func(image, tag string) (string, error)) (string, error) {
	found := map[string]string{}
	for _, m := range from.FindAllStringSubmatch(text, -1) {
		name := m[2] + ":" + m[3]
		if found[name] != "" {
			continue
		}
		d, err := digest(m[2], m[3])
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		found[name] = d
	}
	return from.ReplaceAllStringFunc(text, func(line string) string {
		m := from.FindStringSubmatch(line)
		return m[1] + m[2] + ":" + m[3] + "@" + found[m[2]+":"+m[3]]
	}), nil
}

// registry is one that speaks the distribution protocol and gives tokens to anybody, as Docker's.
type registry struct {
	client *http.Client
	base   string
}

// digest is that of the index of all platforms.
func (r registry) digest(ctx context.Context, image, tag string) (string, error) {
	if !strings.Contains(image, "/") {
		image = "library/" + image
	}
	url := r.base + "/v2/" + image + "/manifests/" + tag
	status, header, err := r.ask(ctx, url, "")
	if err != nil {
		return "", err
	}
	if status == http.StatusUnauthorized {
		token, err := r.token(ctx, header.Get("WWW-Authenticate"))
		if err != nil {
			return "", fmt.Errorf("get a token: %w", err)
		}
		if status, header, err = r.ask(ctx, url, token); err != nil {
			return "", err
		}
	}
	d := header.Get("Docker-Content-Digest")
	if status != http.StatusOK || !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(d) {
		return "", fmt.Errorf("the registry answers %d, digest %q", status, d)
	}
	return d, nil
}
