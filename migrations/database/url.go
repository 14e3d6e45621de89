package database

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// CheckURL says which part of a URL of PostgreSQL is wrong, nil if none is. It connects to nothing,
// and repeats neither user nor password.
func CheckURL(text string) error {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || (scheme != "postgres" && scheme != "postgresql") {
		return errors.New("it must begin with postgres://")
	}
	_, err := pgxpool.ParseConfig(Understood(text)) // as Open does
	if err == nil {
		if hasOddHost(rest) { // pgx takes any port: a password with a "?" looks like one
			return brokenURL(rest, ErrURL)
		}
		return checkParameters(text)
	}
	u, parseErr := url.Parse(text)
	if parseErr != nil {
		return brokenURL(rest, err)
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		if err := checkHost(host); err != nil {
			return err
		}
	}
	q := u.Query()
	if mode := q.Get("sslmode"); mode != "" && !slices.Contains(sslModes, mode) {
		return fmt.Errorf("sslmode is %q, must be %s", mode, strings.Join(sslModes, ", "))
	}
	if err := checkTLSFiles(q.Get("sslrootcert"), q.Get("sslcert"), q.Get("sslkey")); err != nil {
		return err
	}
	return unreadable(err)
}

// brokenURL tells what Go's parser stumbled over, without its words: they quote.
func brokenURL(rest string, err error) error {
	authority := rest
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		userinfo := rest[:i]
		user, password, hasPassword := strings.Cut(userinfo, ":")
		part, value := "user", user
		if hasPassword && !badEscape(user) && !strings.ContainsAny(user, "/?# ") {
			part, value = "password", password
		}
		switch {
		case badEscape(value):
			return fmt.Errorf(`the %s has a "%%" that begins no escape: a percent sign is written %%25`, part)
		case strings.ContainsAny(value, "/?#@[] "):
			at := strings.IndexAny(value, "/?#@[] ")
			return fmt.Errorf("the %s has a %q: in a URL that is written %s", part, value[at:at+1], fmt.Sprintf("%%%02X", value[at]))
		}
		authority = rest[i+1:]
	}
	hosts, _, _ := strings.Cut(authority, "/")
	for host := range strings.SplitSeq(hosts, ",") {
		if err := checkHost(host); err != nil {
			return err
		}
	}
	if badEscape(authority) {
		return errors.New(`what comes after the host has a "%" that begins no escape: a percent sign is written %25`)
	}
	return unreadable(err)
}

// hasOddHost says that what stands where the hosts do are none.
func hasOddHost(rest string) bool {
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	for host := range strings.SplitSeq(authority[strings.LastIndex(authority, "@")+1:], ",") {
		if checkHost(host) != nil {
			return true
		}
	}
	return false
}

func badEscape(s string) bool {
	_, err := url.PathUnescape(s)
	return err != nil
}

func checkHost(host string) error {
	name, port := host, ""
	if i := strings.LastIndex(host, ":"); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
	}
	if strings.ContainsAny(name, " \t") {
		return fmt.Errorf("the host %q has a space", host)
	}
	if strings.Contains(name, ":") && !bracketed(name) {
		return fmt.Errorf("the host %q can't be read: an IPv6 address is written [::1]", host)
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("the port is %q, must be 1 to 65535", port)
		}
	}
	return nil
}

// bracketed says whether a host is an IPv6 address as a URL has it, perhaps with a zone.
func bracketed(name string) bool {
	address, begins := strings.CutPrefix(name, "[")
	address, ends := strings.CutSuffix(address, "]")
	address, _, _ = strings.Cut(address, "%")
	return begins && ends && net.ParseIP(address) != nil
}

func checkTLSFiles(root, cert, key string) error {
	if root != "" && root != "system" {
		text, err := os.ReadFile(root)
		if err != nil {
			return fmt.Errorf("sslrootcert can't be read: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(text) {
			return fmt.Errorf("sslrootcert: %s has no certificate in PEM form", root)
		}
	}
	if (cert == "") != (key == "") {
		return errors.New("sslcert and sslkey must be given together")
	}
	for _, f := range []struct{ name, path string }{{"sslcert", cert}, {"sslkey", key}} {
		if f.path == "" {
			continue
		}
		if _, err := os.ReadFile(f.path); err != nil {
			return fmt.Errorf("%s can't be read: %w", f.name, err)
		}
	}
	return nil
}

// unreadable is pgx's own complaint without the URL, which it quotes.
func unreadable(err error) error {
	inner := errors.Unwrap(err)
	var quoting *url.Error
	if inner == nil || errors.As(inner, &quoting) || strings.Contains(inner.Error(), "://") {
		return ErrURL
	}
	return inner
}
