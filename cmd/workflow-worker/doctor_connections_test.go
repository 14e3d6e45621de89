package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/metrics"
	"workflow-worker/runtime"
)

// doctorSays runs the doctor and gives what it found.
func doctorSays(t *testing.T, environment map[string]string) []doctor.Finding {
	t.Helper()
	all := map[string]string{"TEMPORAL_CONFIG_FILE": os.DevNull}
	for k, v := range environment {
		all[k] = v
	}
	_, out, errs := calls(all, "doctor", "--json")
	var told struct{ Checks []doctor.Finding }
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v: %s %s", err, out, errs)
	}
	return told.Checks
}

// finding shows one check of them.
func finding(list []doctor.Finding, id string) string {
	for _, f := range list {
		if f.ID == id {
			return fmt.Sprintf("%+v", f)
		}
	}
	return "no " + id
}

// A server that lets nobody in says why in its own words.
func TestTheDoctorSaysWhatMendsARefusalOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{Settings: map[string]string{"max_connections": "8", "superuser_reserved_connections": "3"}})
	db, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{
		`CREATE ROLE few LOGIN CONNECTION LIMIT 0`, `CREATE ROLE plain LOGIN`, `CREATE DATABASE small CONNECTION LIMIT 0`,
		`CREATE DATABASE closed ALLOW_CONNECTIONS false`, `CREATE DATABASE barred`, `REVOKE CONNECT ON DATABASE barred FROM PUBLIC`,
	} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	at := fmt.Sprintf("127.0.0.1:%d", db.Config().Port)
	for _, tc := range []struct{ url, says string }{
		{"postgres://few@" + at + "/postgres", "ALTER ROLE … CONNECTION LIMIT"},
		{"postgres://plain@" + at + "/small", "ALTER DATABASE … CONNECTION LIMIT"},
		{"postgres://plain@" + at + "/closed", "ALLOW_CONNECTIONS true"},
		{"postgres://plain@" + at + "/barred", "GRANT CONNECT"},
		{"postgres://plain@" + at + "/postgres?nonsense=1", "the parameters of DATABASE_URL"},
		{"postgres://plain@" + at + "/nothing_of_that_name", "CREATE DATABASE"},
	} {
		if list := doctorSays(t, map[string]string{"DATABASE_URL": tc.url}); !failedSaying(list, "database.reachable", tc.says) {
			t.Errorf("%s should say %q: %s", tc.url, tc.says, finding(list, "database.reachable"))
		}
	}
	var taken []*pgx.Conn
	for range 7 {
		if c, err := pgx.Connect(t.Context(), "postgres://plain@"+at+"/postgres"); err == nil {
			taken = append(taken, c)
		}
	}
	if list := doctorSays(t, map[string]string{"DATABASE_URL": "postgres://plain@" + at + "/postgres"}); !failedSaying(list, "database.reachable", "raise max_connections") {
		t.Errorf("with %d connections taken: %s", len(taken), finding(list, "database.reachable"))
	}
	for _, c := range taken {
		_ = c.Close(t.Context())
	}
}

func TestTheDoctorSaysWhatMendsAWrongPassword(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "ours")
	admin := securePostgres(t, a, "hostssl all all all scram-sha-256\n")
	if _, err := admin.Exec(t.Context(), `CREATE ROLE ann LOGIN PASSWORD 'right'`); err != nil {
		t.Fatal(err)
	}
	as := func(password string) string {
		return secureURL(admin, url.UserPassword("ann", password), url.Values{"sslmode": {"require"}})
	}
	eventually(t, "the right one is taken", func() error {
		if list := doctorSays(t, map[string]string{"DATABASE_URL": as("right")}); failedSaying(list, "database.reachable", "") {
			return fmt.Errorf("%s", finding(list, "database.reachable"))
		}
		return nil
	})
	list := doctorSays(t, map[string]string{"DATABASE_URL": as("wrong-one")})
	if !failedSaying(list, "database.reachable", "the password of DATABASE_URL") || strings.Contains(finding(list, "database.reachable"), "wrong-one") {
		t.Error(finding(list, "database.reachable"))
	}
}

func TestTheDoctorSaysWhatMendsPgBouncer(t *testing.T) {
	t.Parallel()
	direct := stacktest.Database(t)
	through := stacktest.Pooler(t, direct, "transaction")
	u, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	unknown := *u
	unknown.User = url.User("nobody_of_that_name")
	away := *u
	away.Path = "/nothing_of_that_name"
	for _, tc := range []struct{ url, says string }{
		{through + "&work_mem=7MB", "ignore_startup_parameters"},
		{unknown.String(), "the pooler's auth_file"},
		{away.String(), "the database's name at the end of DATABASE_URL"},
	} {
		if list := doctorSays(t, map[string]string{"DATABASE_URL": tc.url}); !failedSaying(list, "database.reachable", tc.says) {
			t.Errorf("%s should say %q: %s", tc.url, tc.says, finding(list, "database.reachable"))
		}
	}
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	behind := stacktest.Pooler(t, server.URL("postgres"), "transaction")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := doctorSays(t, map[string]string{"DATABASE_URL": behind}); !failedSaying(list, "database.reachable", "a pooler that doesn't reach its PostgreSQL") {
		t.Error(finding(list, "database.reachable"))
	}
}

// refusingDatabase answers each connection with one refusal, as Supabase's pooler does.
func refusingDatabase(t *testing.T, code, message string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			backend := pgproto3.NewBackend(conn, conn)
			if _, err := backend.ReceiveStartupMessage(); err == nil {
				backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message})
				_ = backend.Flush() // who is gone isn't told
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return "postgres://u@" + listener.Addr().String() + "/postgres?sslmode=disable"
}

func TestTheDoctorSaysWhatMendsARefusalOfSupavisor(t *testing.T) {
	t.Parallel()
	for message, says := range map[string]string{
		"Tenant or user not found":                                 "postgres.PROJECT-REF",
		"(ENOTFOUND) tenant/user postgres.abc not found":           "postgres.PROJECT-REF",
		"Max client connections reached":                           "the pooler's limit",
		"(EMAXCONNSESSION) max clients reached in session mode":    "the pooler's limit",
		"SSL connection is required":                               "sslmode=require",
		"Address not in tenant allow_list: {1, 2, 3, 4}":           "Network Restrictions",
		"connection to database not available (:econnrefused)":     "PostgreSQL behind the pooler",
		"something that nobody has written down, with other words": "DATABASE_URL says where",
	} {
		if list := doctorSays(t, map[string]string{"DATABASE_URL": refusingDatabase(t, "XX000", message)}); !failedSaying(list, "database.reachable", says) {
			t.Errorf("%s should say %q: %s", message, says, finding(list, "database.reachable"))
		}
	}
}

// A URL with what other clients and pgx itself take is no obstacle, also to the stream.
func TestTheDoctorTakesAURLThatServesOtherClients(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	list := doctorSays(t, map[string]string{
		"DATABASE_URL":     db + "&default_query_exec_mode=exec&statement_cache_capacity=10&pool_max_conns=3&pgbouncer=true&gssencmode=disable",
		"TEMPORAL_ADDRESS": stacktest.TemporalAddress(t),
	})
	for _, f := range list {
		if f.Outcome == doctor.Failed && f.Severity == doctor.Fatal || f.Group == "stream" && f.Outcome != doctor.OK {
			t.Errorf("%+v", f)
		}
	}
}

func TestTheDoctorSaysWhatMendsTemporal(t *testing.T) {
	t.Parallel()
	migrated := stacktest.MigratedDatabase(t)
	a := newAuthority(t, "ours")
	pair, err := tls.LoadX509KeyPair(a.issue("temporal", here))
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AddCert(a.cert)
	mutual := newTap(t, grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: known, ClientAuth: tls.RequireAndVerifyClientCert,
	})))
	oldCert, oldKey := a.issue("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	barred := newTap(t, grpc.StreamInterceptor(func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		return status.Error(codes.PermissionDenied, "Request unauthorized.")
	}))
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<html>No.</html>")) // who is gone isn't told
	})
	old := httptest.NewServer(page)
	defer old.Close()
	proxy := httptest.NewUnstartedServer(page)
	proxy.EnableHTTP2 = true
	proxy.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	proxy.StartTLS()
	defer proxy.Close()
	host := func(u string) string { return strings.SplitN(u, "//", 2)[1] }
	port := stacktest.TemporalAddress(t)[strings.LastIndex(stacktest.TemporalAddress(t), ":"):]
	for _, tc := range []struct {
		settings map[string]string
		id, says string
	}{
		{map[string]string{"TEMPORAL_NAMESPACE": "nobody-made-this"}, "temporal.namespace", "namespace create -n nobody-made-this"},
		{map[string]string{"TEMPORAL_NAMESPACE": "nobody-made-this"}, "temporal.namespace", "TEMPORAL_NAMESPACE: default"},
		{map[string]string{"TEMPORAL_API_KEY": "key", "TEMPORAL_TLS": "false", "TEMPORAL_ADDRESS": "0.0.0.0" + port}, "tls.temporal", "can take it"},
		{map[string]string{"TEMPORAL_API_KEY": "key"}, "temporal.reachable", "TEMPORAL_TLS=false"},
		{map[string]string{"TEMPORAL_ADDRESS": "nobody.invalid:7233"}, "temporal.reachable", "the host of TEMPORAL_ADDRESS"},
		{map[string]string{"TEMPORAL_ADDRESS": mutual.address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": a.ca(), "TEMPORAL_TLS_CLIENT_CERT_PATH": oldCert, "TEMPORAL_TLS_CLIENT_KEY_PATH": oldKey}, "temporal.reachable", "renew our certificate"},
		{map[string]string{"TEMPORAL_ADDRESS": mutual.address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": a.ca()}, "temporal.reachable", "TEMPORAL_TLS_CLIENT_CERT_PATH and"},
		{map[string]string{"TEMPORAL_ADDRESS": barred.address}, "temporal.reachable", "doesn't let us in"},
		{map[string]string{"TEMPORAL_ADDRESS": host(old.URL)}, "temporal.reachable", "a web server or a proxy answers there"},
		{map[string]string{"TEMPORAL_ADDRESS": host(proxy.URL), "TEMPORAL_TLS_SERVER_CA_CERT_PATH": a.ca()}, "temporal.reachable", "a web server or a proxy answers there"},
	} {
		environment := map[string]string{"DATABASE_URL": migrated, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t)}
		for k, v := range tc.settings {
			environment[k] = v
		}
		if list := doctorSays(t, environment); !failedSaying(list, tc.id, tc.says) {
			t.Errorf("%v: %s should say %q: %s", tc.settings, tc.id, tc.says, finding(list, tc.id))
		}
	}
}

// Temporal's frontend answers much from its memory while its history service, or the database, hangs.
func TestAFrontendWithNothingBehindItIsntTemporal(t *testing.T) {
	t.Parallel()
	hollow := newTap(t, grpc.StreamInterceptor(func(service any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if strings.HasSuffix(info.FullMethod, "/DescribeWorkflowExecution") || strings.HasSuffix(info.FullMethod, "/GetWorkflowExecutionHistory") {
			<-s.Context().Done()
			return status.FromContextError(s.Context().Err()).Err()
		}
		return next(service, s)
	}))
	environment := map[string]string{"TEMPORAL_ADDRESS": hollow.address, "DATABASE_URL": stacktest.MigratedDatabase(t)}
	list := doctorSays(t, environment)
	if !failedSaying(list, "temporal.executions", "look at Temporal's history service") || failedSaying(list, "temporal.namespace", "") {
		t.Errorf("%s, %s", finding(list, "temporal.executions"), finding(list, "temporal.namespace"))
	}
	code, _, errs := calls(environment, "replay", "--workflow-id", "order-7")
	if code != exitTemporal || !strings.Contains(errs, "frontend answers, and not what is behind it") {
		t.Errorf("replay ends with %d: %s", code, errs)
	}
	c, err := client.Dial(client.Options{HostPort: hollow.address, Logger: runtime.Logger(stacktest.Logger(t))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := metrics.CheckTemporal(c, client.DefaultNamespace)(ctx); err == nil {
		t.Error("health says that all is well")
	}
	nowhere, err := client.NewLazyClient(client.Options{HostPort: "nobody.invalid:7233", Logger: runtime.Logger(stacktest.Logger(t))})
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close()
	if err := metrics.CheckTemporal(nowhere, client.DefaultNamespace)(t.Context()); err == nil || !strings.Contains(err.Error(), "the host of TEMPORAL_ADDRESS has no address") {
		t.Errorf("of a host that there isn't: %v", err)
	}
	if err := metrics.CheckTemporal(stacktest.TemporalClient(t), client.DefaultNamespace)(t.Context()); err != nil {
		t.Errorf("of a Temporal that is well: %v", err)
	}
}
