package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// found is what the doctor says of a check, whether it failed, and says so and so.
func failedSaying(list []doctor.Finding, id, says string) bool {
	return slices.ContainsFunc(list, func(f doctor.Finding) bool {
		return f.ID == id && f.Outcome == doctor.Failed && slices.ContainsFunc(f.Problems, func(p doctor.Problem) bool {
			return strings.Contains(p.Text+" "+p.Mend, says)
		})
	})
}

// Each set-up is broken in one way, on a server of its own, and mended again: the check of it fails
// while it is broken, and says what mends it.
func TestTheDoctorFindsEachBrokenSetUp(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{Settings: map[string]string{"max_replication_slots": "3", "max_wal_senders": "5", "wal_sender_timeout": "60s"}})
	url := server.URL("postgres")
	if err := migrations.Run(t.Context(), url, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	exec := func(sql string) {
		t.Helper()
		for statement := range strings.SplitSeq(sql, ";;") {
			if _, err := db.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	exec(migrations.RoleSQL() + `;; ALTER ROLE workflow_worker_service PASSWORD 'p'`)
	as := "postgres://workflow_worker_service:p@" + strings.SplitN(strings.SplitN(url, "@", 2)[1], "?", 2)[0]
	empty := t.TempDir()
	base := map[string]string{"DATABASE_URL": as, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
	examine := func(more map[string]string) []doctor.Finding {
		t.Helper()
		environment := map[string]string{}
		for _, m := range []map[string]string{base, more} {
			for k, v := range m {
				environment[k] = v
			}
		}
		args := []string{"doctor", "--json"}
		if more["CODE_RETENTION"] == "" { // it is about the database
			args = append(args, "--skip", "temporal.reachable")
		}
		_, out, errs := calls(environment, args...)
		var told struct{ Checks []doctor.Finding }
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatalf("%v: %s %s", err, out, errs)
		}
		return told.Checks
	}
	for _, f := range examine(nil) {
		if f.Outcome == doctor.Failed {
			t.Errorf("before anything is broken: %+v", f)
		}
	}
	for _, tc := range []struct {
		id, says      string
		breaks, mends string // SQL
		settings      map[string]string
	}{
		{id: "stream.slots", says: "max_replication_slots = 7",
			breaks: `SELECT pg_create_logical_replication_slot('a', 'pgoutput');;SELECT pg_create_logical_replication_slot('b', 'pgoutput')`,
			mends:  `SELECT pg_drop_replication_slot('a'), pg_drop_replication_slot('b')`},
		{id: "stream.room", says: "all 3 replication slots are taken",
			breaks: `SELECT pg_create_logical_replication_slot(n, 'pgoutput') FROM unnest(ARRAY['a', 'b', 'c']::name[]) n`,
			mends:  `SELECT pg_drop_replication_slot(n) FROM unnest(ARRAY['a', 'b', 'c']::name[]) n`},
		{id: "stream.slots", says: "SELECT pg_drop_replication_slot('left')",
			breaks: `SELECT pg_create_logical_replication_slot('left', 'pgoutput')` +
				strings.Repeat(`;;SELECT pg_logical_emit_message(false, 'test', 'x');;SELECT pg_switch_wal()`, 6),
			mends: `SELECT pg_drop_replication_slot('left')`},
		{id: "stream.slots", says: "wal_sender_timeout = '60s'", breaks: `ALTER ROLE workflow_worker_service SET wal_sender_timeout = 0`, mends: `ALTER ROLE workflow_worker_service RESET wal_sender_timeout`},
		{id: "stream.connection", says: "REPLICATION", breaks: `ALTER ROLE workflow_worker_service NOREPLICATION`, mends: `ALTER ROLE workflow_worker_service REPLICATION`},
		{id: "rights.tables", says: "workflow_executions", breaks: `REVOKE UPDATE ON workflow_executions FROM workflow_worker_service`, mends: migrations.RoleSQL()},
		{id: "rights.policies", says: "projects", breaks: `ALTER TABLE projects ENABLE ROW LEVEL SECURITY;;DROP POLICY workflow_worker_service ON projects`, mends: migrations.RoleSQL()},
		{id: "database.primary", says: "read-only", breaks: `ALTER ROLE workflow_worker_service SET default_transaction_read_only = on`, mends: `ALTER ROLE workflow_worker_service RESET default_transaction_read_only`},
		{id: "database.reachable", says: "workflow_worker", breaks: `ALTER ROLE workflow_worker_service NOLOGIN`, mends: `ALTER ROLE workflow_worker_service LOGIN`},
		{id: "settings.modules", says: "npm ci", settings: map[string]string{"MODULES_DIR": empty}},
		{id: "temporal.retention", says: "CODE_RETENTION=", settings: map[string]string{"CODE_RETENTION": "1m"}},
		{id: "stream.connection", says: "REPLICATION_DATABASE_URL", settings: map[string]string{"REPLICATION_DATABASE_URL": "postgres://u@127.0.0.1:1/none"}},
	} {
		if tc.breaks != "" {
			exec(tc.breaks)
		}
		list := examine(tc.settings)
		if !failedSaying(list, tc.id, tc.says) {
			for _, f := range list {
				if f.ID == tc.id || f.Outcome == doctor.Failed {
					t.Errorf("%s %v: %s should fail and say %q: %+v", tc.breaks, tc.settings, tc.id, tc.says, f)
				}
			}
		}
		if tc.mends != "" {
			exec(tc.mends)
			if failedSaying(examine(nil), tc.id, tc.says) {
				t.Errorf("%s: %s still fails", tc.mends, tc.id)
			}
		}
	}

	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	for _, statement := range []string{
		`BEGIN`, `SELECT pg_current_xact_id()`, `PREPARE TRANSACTION 'left behind'`, `BEGIN`, `SELECT pg_current_xact_id()`,
	} {
		if _, err := other.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}

	// What no variable and no statement breaks.
	inAnHour := func(p *doctor.Patient) { p.Now = func() time.Time { return time.Now().Add(time.Hour) } }
	for _, tc := range []struct {
		id, says string
		change   func(*doctor.Patient)
	}{
		{"database.clock", "NTP", inAnHour},
		{"stream.open_transactions", "ROLLBACK PREPARED 'left behind'", inAnHour},
		{"stream.open_transactions", fmt.Sprintf("pg_terminate_backend(%d)", other.PgConn().PID()), inAnHour},
		{"scale.memory", "GOMEMLIMIT", func(p *doctor.Patient) { p.MemoryLimit = 64 << 20 }},
	} {
		p := &doctor.Patient{DatabaseURL: url, ReplicationURL: url, Publications: []string{migrations.Publication}, MemoryLimit: 1 << 40, Now: time.Now}
		tc.change(p)
		list, err := doctor.Examine(t.Context(), p, []string{"temporal.reachable"})
		if err != nil || !failedSaying(list, tc.id, tc.says) {
			t.Errorf("%s: %v %+v", tc.id, err, list)
		}
	}
}

func TestTheDoctorFindsAServerWithoutLogicalDecoding(t *testing.T) {
	t.Parallel()
	url := stacktest.Postgres(t, stack.PostgresOptions{Settings: map[string]string{"wal_level": "replica"}}).URL("postgres")
	p := &doctor.Patient{DatabaseURL: url, ReplicationURL: url, Publications: []string{migrations.Publication}, MemoryLimit: 1 << 40, Now: time.Now}
	list, err := doctor.Examine(t.Context(), p, []string{"temporal.reachable"})
	if err != nil || !failedSaying(list, "stream.wal_level", "ALTER SYSTEM SET wal_level = logical") || !failedSaying(list, "schema.migrated", "never migrated") {
		t.Errorf("%v %+v", err, list)
	}
}

func TestTheDoctorFindsTaskQueuesOfSeveralPartitions(t *testing.T) {
	t.Parallel()
	server := stacktest.Temporal(t, stack.TemporalOptions{DynamicConfig: map[string]string{
		"matching.numTaskqueueReadPartitions": "4", "matching.numTaskqueueWritePartitions": "4",
	}})
	url := stacktest.MigratedDatabase(t)
	newBuilder(t, url).project()
	code, out, errs := calls(map[string]string{"DATABASE_URL": url, "TEMPORAL_ADDRESS": server.Address(), "TEMPORAL_CONFIG_FILE": os.DevNull}, "doctor", "--short")
	if code != exitDone || !strings.Contains(out, "scale.partitions") || !strings.Contains(out, "matching.numTaskqueueReadPartitions") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

// What one check asks for, and what becomes of it, is nothing to the others.
func TestAChecksAbsenceOrDelayIsNothingToTheOthers(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	for range 3 {
		newBuilder(t, url).project()
	}
	examine := func(change func(*doctor.Patient), skip ...string) map[string]doctor.Finding {
		t.Helper()
		p := &doctor.Patient{DatabaseURL: url, ReplicationURL: url, Publications: []string{migrations.Publication}, MemoryLimit: 1 << 40, Now: time.Now}
		p.Temporal.HostPort = stacktest.TemporalAddress(t)
		change(p)
		list, err := doctor.Examine(t.Context(), p, skip)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]doctor.Finding{}
		for _, f := range list {
			found[f.ID] = f
		}
		return found
	}
	little := func(p *doctor.Patient) { p.MemoryLimit = 161 << 20 } // room for one project
	found := examine(little, "scale.polls")
	if f := found["scale.memory"]; f.Outcome != doctor.Failed || !strings.Contains(f.Problems[0].Text, "3 projects") {
		t.Errorf("without the check before: %+v", f)
	}
	if f := found["scale.partitions"]; f.Outcome != doctor.OK {
		t.Errorf("without the check before: %+v", f)
	}
	if f := examine(little, "database.reachable")["scale.partitions"]; f.Outcome != doctor.Skipped || !strings.Contains(f.Reason, "without the database") {
		t.Errorf("without a connection: %+v", f)
	}

	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	for _, sql := range []string{`BEGIN`, `LOCK TABLE projects IN ACCESS EXCLUSIVE MODE`} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	found = examine(func(p *doctor.Patient) { p.CheckTimeout = 2 * time.Second }, "scale.memory")
	if f := found["scale.polls"]; f.Outcome != doctor.Failed || f.Problems[0].Text != "no answer within 2s" {
		t.Errorf("a table that is locked: %+v", f)
	}
	if f := found["tls.database"]; f.Outcome != doctor.Skipped || !strings.Contains(f.Reason, "doesn't leave this machine") {
		t.Errorf("behind a check that was cut off: %+v", f)
	}
}

// A mistake in the settings hides nothing but what it is about.
func TestTheDoctorLooksAtWhatTheSettingsDontSpoil(t *testing.T) {
	t.Parallel()
	right := map[string]string{"DATABASE_URL": stacktest.MigratedDatabase(t), "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
	for _, tc := range []struct {
		name, value         string
		mistake             string
		database, temporals string // outcomes
	}{
		{"LOG_LEVEL", "loud", "LOG_LEVEL", doctor.OK, doctor.OK},
		{"MODULES_DIR", "/nowhere", "MODULES_DIR", doctor.OK, doctor.OK},
		{"DATABASE_URL", "postgres://u:p%@h/d", "%25", doctor.Skipped, doctor.OK},
		{"TEMPORAL_TLS", "yes", "TEMPORAL_TLS", doctor.OK, doctor.Skipped},
		{"TEMPORAL_ADDRESS", "http://localhost:7233", "without http://", doctor.OK, doctor.Skipped},
	} {
		environment := map[string]string{}
		for k, v := range right {
			environment[k] = v
		}
		environment[tc.name] = tc.value
		_, out, errs := calls(environment, "doctor", "--json")
		var told struct{ Checks []doctor.Finding }
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatalf("%v: %s %s", err, out, errs)
		}
		outcomes := map[string]string{}
		for _, f := range told.Checks {
			outcomes[f.ID] = f.Outcome
		}
		if !failedSaying(told.Checks[:1], "settings.valid", tc.mistake) || outcomes["database.reachable"] != tc.database || outcomes["temporal.reachable"] != tc.temporals {
			t.Errorf("%s=%s: %s", tc.name, tc.value, out)
		}
	}
}

// Who can't be reached is told with what mends it, not with what a library says alone.
func TestTheDoctorSaysWhatMendsAConnection(t *testing.T) {
	t.Parallel()
	migrated := stacktest.MigratedDatabase(t)
	db, err := pgx.Connect(t.Context(), migrated)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	role := "barred_" + db.Config().Database
	if _, err := db.Exec(t.Context(), `CREATE ROLE `+role+` LOGIN`); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = db.Exec(context.WithoutCancel(t.Context()), `DROP ROLE `+role) }()
	c := db.Config()
	at := fmt.Sprintf("%s:%d", c.Host, c.Port)
	a := newAuthority(t, "ours")
	pair, err := tls.LoadX509KeyPair(a.issue("temporal", here))
	if err != nil {
		t.Fatal(err)
	}
	secured := newTap(t, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	old, err := tls.LoadX509KeyPair(a.issue("old", func(c *x509.Certificate) { here(c); c.NotAfter = time.Now().Add(-time.Hour) }))
	if err != nil {
		t.Fatal(err)
	}
	expired := newTap(t, grpc.Creds(credentials.NewServerTLSFromCert(&old)))
	admin := securePostgres(t, a, "hostssl all certified all cert\nhostssl all all all trust\n")
	if _, err := admin.Exec(t.Context(), `CREATE ROLE certified LOGIN`); err != nil {
		t.Fatal(err)
	}
	certified := func(by *authority, name string, change func(*x509.Certificate)) string {
		query := url.Values{"sslmode": {"require"}}
		if by != nil {
			cert, key := by.issue(name, func(c *x509.Certificate) { c.Subject.CommonName = name; change(c) })
			query.Set("sslcert", cert)
			query.Set("sslkey", key)
		}
		return secureURL(admin, url.User("certified"), query)
	}
	as := func(*x509.Certificate) {}
	byTLS := func(mode string) string { return secureURL(admin, url.User("postgres"), url.Values{"sslmode": {mode}}) }
	eventually(t, "the server speaks TLS", func() error {
		if code, _, errs := calls(map[string]string{"DATABASE_URL": byTLS("require")}, "migrate", "--status"); code != exitFindings {
			return errors.New(errs)
		}
		return nil
	})
	receiver := newReceiver(t)
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	for _, tc := range []struct {
		settings map[string]string
		id, says string
	}{
		{map[string]string{"DATABASE_URL": "postgres://postgres@nobody.invalid/d"}, "database.reachable", "the host of DATABASE_URL"},
		{map[string]string{"DATABASE_URL": "postgres://postgres@127.0.0.1:1/d"}, "database.reachable", "nobody listens there"},
		{map[string]string{"DATABASE_URL": "postgres://postgres@" + at + "/nobody_made_this"}, "database.reachable", "CREATE DATABASE"},
		{map[string]string{"DATABASE_URL": "postgres://postgres@" + at + "/" + c.Database + "?sslmode=require"}, "database.reachable", "ssl = on"},
		{map[string]string{"DATABASE_URL": "postgres://" + role + "@" + at + "/" + c.Database}, "schema.migrated", "role " + role + " may not see"},
		{map[string]string{"DATABASE_URL": "postgres://" + role + "@" + at + "/" + c.Database}, "schema.migrated", "workflow-worker role"},
		{map[string]string{"DATABASE_URL": "postgres://" + role + "@" + at + "/" + c.Database}, "stream.connection", `ALTER ROLE "` + role + `" REPLICATION`},
		{map[string]string{"DATABASE_URL": byTLS("verify-full")}, "database.reachable", "sslrootcert in DATABASE_URL"},
		{map[string]string{"DATABASE_URL": byTLS("disable")}, "database.reachable", "pg_hba.conf"},
		{map[string]string{"DATABASE_URL": byTLS("require")}, "schema.migrated", "never migrated"},
		{map[string]string{"DATABASE_URL": certified(nil, "", nil)}, "database.reachable", "sslcert and sslkey in DATABASE_URL: pg_hba.conf"},
		{map[string]string{"DATABASE_URL": certified(a, "somebody", as)}, "database.reachable", "whose common name is the user"},
		{map[string]string{"DATABASE_URL": certified(newAuthority(t, "a stranger"), "certified", as)}, "database.reachable", "by an authority in the server's"},
		{map[string]string{"DATABASE_URL": certified(a, "ended", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })}, "database.reachable", "renew our certificate"},
		{map[string]string{"DATABASE_URL": certified(a, "certified", as)}, "schema.migrated", "never migrated"},
		{map[string]string{"TEMPORAL_ADDRESS": expired.address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": a.ca()}, "temporal.reachable", "renew the server's certificate"},
		{map[string]string{"TEMPORAL_TLS": "true"}, "temporal.reachable", "TEMPORAL_TLS=false"},
		{map[string]string{"TEMPORAL_ADDRESS": secured.address}, "temporal.reachable", "TEMPORAL_TLS=true"},
		{map[string]string{"TEMPORAL_ADDRESS": secured.address, "TEMPORAL_TLS": "true"}, "temporal.reachable", "TEMPORAL_TLS_SERVER_CA_CERT_PATH"},
		{map[string]string{"TEMPORAL_ADDRESS": "::1:7233"}, "temporal.reachable", "in brackets, [::1]:7233"},
		{map[string]string{"TEMPORAL_ADDRESS": "[::1]"}, "temporal.reachable", "TEMPORAL_ADDRESS=[::1]:7233"},
		{map[string]string{"TEMPORAL_ADDRESS": "nobody.invalid"}, "temporal.reachable", "nobody.invalid:7233"},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "traces.receiver", "port 4318"},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": elsewhere.URL}, "traces.receiver", "404"},
	} {
		environment := map[string]string{"DATABASE_URL": migrated, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
		for k, v := range tc.settings {
			environment[k] = v
		}
		_, out, errs := calls(environment, "doctor", "--json")
		var told struct{ Checks []doctor.Finding }
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatalf("%v: %s %s", err, out, errs)
		}
		if !failedSaying(told.Checks, tc.id, tc.says) {
			t.Errorf("%v: %s should say %q: %s", tc.settings, tc.id, tc.says, out)
		}
		for _, f := range told.Checks {
			for _, p := range f.Problems {
				if strings.Contains(p.Text, "\n") {
					t.Errorf("%v: %s is told in several lines: %q", tc.settings, f.ID, p.Text)
				}
			}
		}
	}
	environment := map[string]string{"DATABASE_URL": migrated, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.URL + "/otlp"}
	if code, out, errs := calls(environment, "doctor"); code != exitDone || !strings.Contains(out, "ok      traces.receiver") {
		t.Errorf("a receiver that takes them: %d %s %s", code, out, errs)
	}
}
