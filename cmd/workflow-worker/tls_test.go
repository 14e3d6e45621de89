package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// authority signs certificates for a test.
type authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.sign(name, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	a.write("ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) ca() string { return filepath.Join(a.dir, "ca.pem") }

func (a *authority) sign(name string, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	change(c)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed, key
}

// issue writes a certificate and its key, and gives their paths.
func (a *authority) issue(name string, change func(*x509.Certificate)) (cert, key string) {
	a.t.Helper()
	c, k := a.sign(name, change)
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", c.Raw), a.write(name+".key", "EC PRIVATE KEY", der)
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func here(c *x509.Certificate) {
	c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
}

// securePostgres is a server that speaks TLS only, with these lines for pg_hba.conf.
func securePostgres(t *testing.T, a *authority, hba string) *pgx.Conn {
	t.Helper()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	var dir string
	if err := admin.QueryRow(t.Context(), `SHOW data_directory`).Scan(&dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	cert, key := a.issue("postgres", here)
	for name, path := range map[string]string{"server.crt": cert, "server.key": key, "root.crt": a.ca(), "pg_hba.conf": ""} {
		text := []byte(hba)
		if path != "" {
			if text, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(to, text, 0o600), os.Chown(to, int(owner.Uid), int(owner.Gid))); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{`ALTER SYSTEM SET ssl = on`, `ALTER SYSTEM SET ssl_ca_file = 'root.crt'`, `SELECT pg_reload_conf()`} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return admin
}

// secureURL is the server's URL with TLS.
func secureURL(admin *pgx.Conn, user *url.Userinfo, query url.Values) string {
	u := url.URL{Scheme: "postgres", User: user, Host: fmt.Sprintf("127.0.0.1:%d", admin.Config().Port), Path: "/postgres", RawQuery: query.Encode()}
	return u.String()
}

func TestPostgreSQLIsVerifiedAndGetsAClientCertificate(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t, "ours"), newAuthority(t, "a stranger")
	admin := securePostgres(t, a, "hostssl all all 127.0.0.1/32 cert\n")
	cert, key := a.issue("postgres-client", func(c *x509.Certificate) { c.Subject.CommonName = "postgres" })
	query := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {a.ca()}, "sslcert": {cert}, "sslkey": {key}}
	db := secureURL(admin, url.User("postgres"), query)
	eventually(t, "the server speaks TLS", func() error {
		if code, _, errs := calls(map[string]string{"DATABASE_URL": db}, "migrate"); code != exitDone {
			return errors.New(errs)
		}
		return nil
	})
	for what, q := range map[string]url.Values{
		"without TLS":              {"sslmode": {"disable"}},
		"another authority":        {"sslmode": {"verify-full"}, "sslrootcert": {stranger.ca()}, "sslcert": {cert}, "sslkey": {key}},
		"no certificate of ours":   {"sslmode": {"verify-full"}, "sslrootcert": {a.ca()}},
		"the system's authorities": {"sslmode": {"verify-full"}, "sslcert": {cert}, "sslkey": {key}},
	} {
		if code, _, errs := calls(map[string]string{"DATABASE_URL": secureURL(admin, url.User("postgres"), q)}, "migrate"); code != exitDatabase {
			t.Errorf("%s: %d %s", what, code, errs)
		}
	}
	s := startService(t, db)
	eventually(t, "it streams by TLS, too", s.health(http.StatusOK, `"status":"ok"`, `"mode":"streaming"`))
}

// A certificate that ends soon is told before it has ended.
func TestTheDoctorTellsOfCertificatesThatEndSoon(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "ours")
	cert, key := a.issue("temporal", func(c *x509.Certificate) { here(c); c.NotAfter = time.Now().Add(10 * 24 * time.Hour) })
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	proxy := newTap(t, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	_, out, errs := calls(map[string]string{
		"DATABASE_URL": stacktest.MigratedDatabase(t), "TEMPORAL_ADDRESS": proxy.address, "TEMPORAL_CONFIG_FILE": os.DevNull,
		"TEMPORAL_TLS_SERVER_CA_CERT_PATH": a.ca(),
	}, "doctor", "--json")
	var told struct{ Checks []doctor.Finding }
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v %s %s", err, out, errs)
	}
	if !slices.ContainsFunc(told.Checks, func(f doctor.Finding) bool {
		return f.ID == "tls.temporal" && f.Outcome == doctor.Failed && strings.Contains(f.Problems[0].Text, "in 9 days")
	}) {
		t.Errorf("no word of it in %s", out)
	}
	if !slices.ContainsFunc(told.Checks, func(f doctor.Finding) bool { return f.ID == "temporal.namespace" && f.Outcome == doctor.OK }) {
		t.Errorf("Temporal isn't reached by TLS: %s", out)
	}
}

// Temporal behind mutual TLS and an API key, a real PostgreSQL behind TLS and a password: all
// secrets come from files and are replaced under the running service, and none is ever shown.
func TestSecretsAreReplacedWithoutARestartAndNeverShown(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "ours")
	serverCert, serverKey := a.issue("temporal", here)
	pair, err := tls.LoadX509KeyPair(serverCert, serverKey)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(a.ca())
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca)
	var key atomic.Pointer[string]
	first, second := "hidden-key-1", "hidden-key-2"
	key.Store(&first)
	var admitted atomic.Int64
	proxy := newTap(t,
		grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12})),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			md, _ := metadata.FromIncomingContext(stream.Context())
			if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+*key.Load() {
				return status.Error(codes.Unauthenticated, "the key is wrong")
			}
			admitted.Add(1)
			return handle(srv, stream)
		}))
	clientCert, clientKey := a.issue("client", func(*x509.Certificate) {})

	admin := securePostgres(t, a, "hostssl all service 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n")
	exec := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE ROLE service LOGIN SUPERUSER PASSWORD 'hidden-password-1'`)
	tlsQuery := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {a.ca()}}
	dir := t.TempDir()
	write := func(name, text string) string { return file(t, dir, name, text) }
	urlFile := write("url", secureURL(admin, url.UserPassword("service", "hidden-password-1"), tlsQuery)+"\n")
	keyFile := write("key", first+"\n")
	s := startService(t, "",
		"DATABASE_URL_FILE="+urlFile, "TEMPORAL_ADDRESS="+proxy.address, "TEMPORAL_API_KEY_FILE="+keyFile, "LOG_LEVEL=debug",
		"TEMPORAL_TLS_SERVER_CA_CERT_PATH="+a.ca(), "TEMPORAL_TLS_CLIENT_CERT_PATH="+clientCert, "TEMPORAL_TLS_CLIENT_KEY_PATH="+clientKey)
	eventually(t, "it streams", s.health(http.StatusOK, `"status":"ok"`, `"mode":"streaming"`))
	shown := []string{}
	look := func() {
		for _, path := range []string{"/health", "/health/ready", "/metrics"} {
			_, body, err := s.get(path)
			if err != nil {
				t.Error(err)
			}
			shown = append(shown, body)
		}
	}
	look()

	t.Log("the database's password")
	write("url", secureURL(admin, url.UserPassword("service", "hidden-password-2"), tlsQuery))
	exec(`ALTER ROLE service PASSWORD 'hidden-password-2'`)
	exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'`)
	b := newBuilder(t, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", admin.Config().Port))
	p := b.project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	eventually(t, "it streams again", s.health(http.StatusOK, `"status":"ok"`, `"mode":"streaming"`))
	look()

	t.Log("the database's password, and nobody tells")
	exec(`ALTER ROLE service PASSWORD 'hidden-password-3'`)
	exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'`)
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"database.reachable"`))
	look()
	write("url", secureURL(admin, url.UserPassword("service", "hidden-password-3"), tlsQuery))
	eventually(t, "it is well again", s.health(http.StatusOK, `"status":"ok"`))

	t.Log("Temporal's key")
	key.Store(&second)
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"temporal.usable"`))
	look()
	write("key", second)
	eventually(t, "it is well again", s.health(http.StatusOK, `"status":"ok"`))
	if got := run[int](p, "one"); got != 1 || admitted.Load() == 0 {
		t.Errorf("one = %d, %d calls", got, admitted.Load())
	}
	look()

	s.signal(syscall.SIGQUIT) // Go tells all that its goroutines do
	<-s.Done()
	if !strings.Contains(s.output(), "goroutine ") {
		t.Error("it didn't crash")
	}
	clientKeyText, err := os.ReadFile(clientKey)
	if err != nil {
		t.Fatal(err)
	}
	secretLines := strings.Split(strings.TrimSpace(string(clientKeyText)), "\n")
	for _, text := range append(shown, s.output()) {
		for _, secret := range []string{"hidden-", secretLines[1]} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("a secret is shown: …%s…", text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}
