package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/api/serviceerror"
)

// mendOfDatabase is what mends a connection that wasn't made.
func mendOfDatabase(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01", "28000": // invalid_password, invalid_authorization_specification
			return "the user and the password of DATABASE_URL; pg_hba.conf on the server says who may come from where"
		case "3D000": // invalid_catalog_name
			return "the database's name at the end of DATABASE_URL, or CREATE DATABASE"
		case "53300": // too_many_connections
			return "raise max_connections (each replica takes up to 13), or a pooler in DATABASE_URL"
		case "57P03": // cannot_connect_now
			return "wait: it is starting, stopping or recovering"
		}
	}
	var lookup *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &lookup):
		return "the host of DATABASE_URL"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "a way to that network; a host that has an IPv6 address alone takes IPv6 here, or a pooler with an IPv4 address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the host and port of DATABASE_URL: nobody listens there (in a container localhost is the container itself)"
	case errors.As(err, &authority):
		return "sslrootcert in DATABASE_URL: the file with the authority of the server's certificate"
	case errors.As(err, &name):
		return "the host of DATABASE_URL as the server's certificate names it"
	case errors.As(err, &invalid):
		return "renew the server's certificate"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "ssl = on on the server; sslmode=disable where nobody else is on the way"
	}
	return "DATABASE_URL says where, and as whom"
}

// mendOfTemporal is what mends that Temporal doesn't answer.
func (p *Patient) mendOfTemporal(ctx context.Context, err error) string {
	const otherwise = "TEMPORAL_ADDRESS, TEMPORAL_TLS… and TEMPORAL_API_KEY say where and how"
	var denied *serviceerror.PermissionDenied
	text := err.Error()
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	_, _, noPort := net.SplitHostPort(p.address())
	secured := p.Temporal.ConnectionOptions.TLS != nil || p.Temporal.Credentials != nil
	switch {
	case noPort != nil:
		return "TEMPORAL_ADDRESS=" + p.address() + ":7233: without a port it is 443"
	case says("first record does not look like a TLS handshake"):
		return "TEMPORAL_TLS=false: what answers there speaks no TLS"
	case errors.As(err, &denied), says("Unauthenticated", "Unauthorized", "unauthorized"):
		return "TEMPORAL_API_KEY, or a client certificate: it answers, and doesn't let us in"
	case says("certificate required", "bad certificate", "handshake failure", "unknown certificate authority"):
		return "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, of an authority that the server knows"
	case says("certificate has expired"):
		return "renew the server's certificate"
	case says("signed by unknown authority"):
		return "TEMPORAL_TLS_SERVER_CA_CERT_PATH: the file with the authority of the server's certificate"
	case says("certificate is valid for", "doesn't contain any IP SANs"):
		return "TEMPORAL_TLS_SERVER_NAME: the name in the server's certificate"
	case !secured && speaksTLS(ctx, p.address()):
		return "TEMPORAL_TLS=true: what answers there speaks TLS"
	}
	return otherwise
}

// speaksTLS tells what is there from what it says. Nothing is sent to it but the greeting.
func speaksTLS(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }() // it was only asked
	met := false
	c := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
		InsecureSkipVerify: true, //nolint:gosec // who it is doesn't matter
		VerifyConnection:   func(tls.ConnectionState) error { met = true; return nil },
	})
	_ = c.HandshakeContext(ctx) // it may want a certificate of ours after all
	return met
}
