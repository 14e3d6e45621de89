package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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

	// What no variable and no statement breaks.
	for _, tc := range []struct {
		id, says string
		change   func(*doctor.Patient)
	}{
		{"database.clock", "NTP", func(p *doctor.Patient) { p.Now = func() time.Time { return time.Now().Add(time.Hour) } }},
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
