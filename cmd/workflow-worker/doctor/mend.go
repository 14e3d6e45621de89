package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// mendOfDatabase is what mends a connection that wasn't made.
func (p *Patient) mendOfDatabase(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		if mend := mendOfRefusal(refused); mend != "" {
			return mend
		}
	}
	var lookup *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &lookup):
		return "the host of DATABASE_URL"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "a way to that network; a host that has an IPv6 address alone (Supabase's direct connection) takes IPv6 here, an IPv4 address of its own, or the pooler in session mode"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the host and port of DATABASE_URL: nobody listens there (in a container localhost is the container itself)"
	case errors.As(err, &authority):
		return "sslrootcert in DATABASE_URL: the file with the authority of the server's certificate"
	case errors.As(err, &name):
		return "the host of DATABASE_URL as the server's certificate names it"
	case errors.As(err, &invalid):
		return "renew the server's certificate"
	// The server says so, but that may be lost with the connection.
	case strings.Contains(err.Error(), "tls: expired certificate"), p.databaseCertificateEnded():
		return "renew our certificate, in sslcert of DATABASE_URL: it has ended"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "ssl = on on the server; sslmode=disable where nobody else is on the way"
	case strings.Contains(err.Error(), "failed to receive message: timeout"):
		return "what is behind DATABASE_URL's host and port takes the connection and doesn't answer: a pooler that doesn't reach its PostgreSQL, or no PostgreSQL at all"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "let this machine through: a firewall, a security group or the provider's list of networks drops what we send; or the host and port of DATABASE_URL"
	}
	return "DATABASE_URL says where, and as whom: what answers there may be no PostgreSQL"
}

// mendOfRefusal is what mends that PostgreSQL, or a pooler before it, doesn't let us in. PgBouncer and
// Supabase's Supavisor have one code for all that is their own, and say the rest in words.
func mendOfRefusal(refused *pgconn.PgError) string {
	text := strings.ToLower(refused.Message)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case says("tenant or user not found", "tenant/user", "no tenant identifier"):
		return "the user of DATABASE_URL as Supabase's pooler wants it, postgres.PROJECT-REF, and the host of the project's own region"
	case says("allow_list"):
		return "let this machine's address in: Supabase's Network Restrictions"
	case says("valid client certificate"):
		// One of an authority that the server doesn't name isn't even sent.
		return "sslcert and sslkey in DATABASE_URL: pg_hba.conf asks for a certificate of ours, by an authority in the server's ssl_ca_file"
	case says("certificate authentication failed"):
		return "a certificate in sslcert whose common name is the user of DATABASE_URL; or a map of both in pg_ident.conf"
	case says("ssl connection is required", "ssl required"):
		return "sslmode=require in DATABASE_URL, or better verify-full"
	case says("for role") && refused.Code == "53300":
		return "ALTER ROLE … CONNECTION LIMIT -1   -- as a superuser; each replica takes up to 14 connections"
	case says("for database") && refused.Code == "53300":
		return "ALTER DATABASE … CONNECTION LIMIT -1   -- as its owner; each replica takes up to 14 connections"
	case says("emaxconn", "max client connections", "max clients", "no more connections allowed"):
		return "raise the pooler's limit (pool size, max_client_conn: each replica takes up to 14 connections), or its transaction mode for DATABASE_URL"
	case says("unsupported startup parameter"):
		return "that parameter out of DATABASE_URL, or into PgBouncer's ignore_startup_parameters"
	case says("no such database"), refused.Code == "08P01" && says("database") && says("does not exist"):
		return "the database's name at the end of DATABASE_URL, or in the pooler's [databases]"
	case says("no such user", `"trust" authentication failed`):
		return "the user of DATABASE_URL in the pooler's auth_file, or an auth_query"
	case says("server login has been failing", "cannot connect to server", "server login failed", "query_wait_timeout", "client_login_timeout", "econnrefused", "connection to database not available"):
		return "PostgreSQL behind the pooler: the pooler answers and doesn't reach it; its log says why"
	}
	switch refused.Code {
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return "the user and the password of DATABASE_URL; pg_hba.conf on the server says who may come from where"
	case "3D000": // invalid_catalog_name
		return "the database's name at the end of DATABASE_URL, or CREATE DATABASE"
	case "42501": // insufficient_privilege
		return "GRANT CONNECT ON DATABASE … TO …   -- as its owner"
	case "42704": // undefined_object
		return "the parameters of DATABASE_URL: PostgreSQL doesn't know that one"
	case "55000": // object_not_in_prerequisite_state
		return "ALTER DATABASE … ALLOW_CONNECTIONS true, or another database in DATABASE_URL"
	case "53300": // too_many_connections
		return "raise max_connections (each replica takes up to 14), or a pooler in DATABASE_URL"
	case "57P03": // cannot_connect_now
		return "wait: it is starting, stopping or recovering"
	}
	return ""
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
	case noPort != nil && strings.Contains(p.address(), ":") && !strings.HasPrefix(p.address(), "["):
		return "TEMPORAL_ADDRESS: an IPv6 address is written in brackets, [::1]:7233"
	case noPort != nil:
		return "TEMPORAL_ADDRESS=" + p.address() + ":7233: without a port it is 443"
	case says("looked like an HTTP/1.1 header", "HTTP status code", "content-type \"text/"):
		return "TEMPORAL_ADDRESS: a web server or a proxy answers there; Temporal's own port is 7233, not that of its UI, and a proxy has to pass gRPC on"
	case says("first record does not look like a TLS handshake"):
		return "TEMPORAL_TLS=false: what answers there speaks no TLS"
	case says("tls: expired certificate"), p.ended(p.Temporal.ConnectionOptions.TLS):
		return "renew our certificate, in TEMPORAL_TLS_CLIENT_CERT_PATH: it has ended"
	case errors.As(err, &denied), says("Unauthenticated", "Unauthorized", "unauthorized"):
		return "TEMPORAL_API_KEY, or a client certificate: it answers, and doesn't let us in"
	// What a server says before it ends the connection may be lost with it.
	case says("certificate required", "bad certificate", "handshake failure", "unknown certificate authority"),
		p.Temporal.ConnectionOptions.TLS != nil && says("broken pipe", "connection reset by peer"):
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

// databaseCertificateEnded tells whether the one that we show PostgreSQL is too old. pgx reads it when
// it is asked for, and shows it to nobody else.
func (p *Patient) databaseCertificateEnded() bool {
	at, err := url.Parse(p.DatabaseURL)
	if err != nil {
		return false
	}
	text, err := os.ReadFile(at.Query().Get("sslcert"))
	if err != nil {
		return false
	}
	block, _ := pem.Decode(text)
	return block != nil && p.ended(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{block.Bytes}}}})
}

// ended tells whether the certificate that we show is too old.
func (p *Patient) ended(config *tls.Config) bool {
	if config == nil {
		return false
	}
	own := config.Certificates
	if config.GetClientCertificate != nil {
		c, err := config.GetClientCertificate(&tls.CertificateRequestInfo{})
		if err != nil {
			return false
		}
		own = []tls.Certificate{*c}
	}
	return slices.ContainsFunc(own, func(c tls.Certificate) bool {
		leaf := c.Leaf
		if leaf == nil && len(c.Certificate) > 0 {
			leaf, _ = x509.ParseCertificate(c.Certificate[0]) // none, if it can't be read
		}
		return leaf != nil && p.Now().After(leaf.NotAfter)
	})
}

// mendOfNamespace is what mends that a namespace isn't to be had.
func (p *Patient) mendOfNamespace(ctx context.Context, err error) string {
	var denied *serviceerror.PermissionDenied
	if errors.As(err, &denied) || strings.Contains(err.Error(), "nauthenticated") {
		return "TEMPORAL_NAMESPACE (Temporal Cloud's end in the account's id: NAME.ACCOUNT), or an API key or a certificate that this namespace lets in"
	}
	mend := "temporal operator namespace create -n " + p.namespace()
	const most = 5
	found, err := p.temporal.WorkflowService().ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: most + 1})
	if err != nil { // not everybody may ask
		return mend
	}
	var names []string
	for _, n := range found.GetNamespaces() {
		if name := n.GetNamespaceInfo().GetName(); name != "temporal-system" && len(names) < most {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		mend += "   # or one that is there in TEMPORAL_NAMESPACE: " + strings.Join(names, ", ")
	}
	return mend
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
