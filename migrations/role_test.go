package migrations_test

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

const serviceRole = "workflow_worker_service"

// What the service does, as its role: on the Workflow Builder's database, whose
// policies ask tables that the role may not read, and on plain PostgreSQL.
func TestTheServicesRoleCanDoItsWork(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]func(testing.TB) *database{
		"builder": func(t testing.TB) *database { return migratedBuilder(t).withRole() },
		"plain": func(t testing.TB) *database {
			d := migratedEmpty(t).withRole()
			d.exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'a', 'a'), ($2, 'b', 'b')`, annProject, benProject)
			d.exec(`INSERT INTO workflows (project_id, kebab_name) VALUES ($1, 'w'), ($2, 'w')`, annProject, benProject)
			d.exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) SELECT id, '1', '' FROM workflows`)
			d.exec(`INSERT INTO components (project_id, name) VALUES ($1, 'c'), (NULL, 'shared')`, annProject)
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := d(t)
			request := uuid.NewString()
			d.exec(`INSERT INTO worker_requests (id, project_id, action) VALUES ($1, $2, 'restart')`, request, annProject)
			d.exec(`CREATE TABLE IF NOT EXISTS users (id uuid)`)

			if err := migrations.Run(t.Context(), d.as(serviceRole), stacktest.Logger(t)); err != nil {
				t.Errorf("Run with nothing pending: %v", err)
			}
			if _, err := migrations.Status(t.Context(), d.as(serviceRole)); err != nil {
				t.Errorf("Status: %v", err)
			}

			s := d.session(t, serviceRole, "")
			for _, table := range []string{"projects", "workflows", "workflow_compiled_code", "components"} {
				if n := s.string(`SELECT count(*)::text FROM ` + table); n != "2" {
					t.Errorf("sees %s rows of %s, want both", n, table)
				}
			}
			s.must(1, `UPDATE worker_requests q SET status = 'processing', started_at = coalesce(q.started_at, clock_timestamp())
				FROM (SELECT id FROM worker_requests WHERE status = 'pending' FOR UPDATE SKIP LOCKED) c WHERE q.id = c.id`)
			s.must(1, `UPDATE worker_requests SET status = 'failed', error = 'no code', result = '{}', completed_at = now() WHERE id = $1`, request)
			const upsert = `INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, host, process_id, last_heartbeat, metadata)
				VALUES ('r1', $1, 'a', 'starting', 'h', '1', now(), '{}') ON CONFLICT (worker_id) DO UPDATE SET status = excluded.status`
			s.must(1, upsert, annProject)
			s.must(1, upsert, annProject)
			s.must(1, `UPDATE workflow_workers SET last_heartbeat = now() WHERE worker_id = 'r1'`)
			s.must(1, `DELETE FROM workflow_workers WHERE worker_id = 'r1'`)
			const replica = `INSERT INTO workflow_replicas (name, status) VALUES ('r1', 'starting')
				ON CONFLICT (name) DO UPDATE SET status = 'running', last_heartbeat = now()`
			s.must(1, replica)
			s.must(1, replica) // which rings
			s.must(1, `DELETE FROM workflow_replicas WHERE name = 'r1'`)
			const store = `INSERT INTO workflow_code_store (project_id, hash, kind, workflow_code) VALUES ($1, 'h', 'workflow', 'x')
				ON CONFLICT (project_id, hash) DO UPDATE SET last_used_at = now()`
			s.must(1, store, annProject)
			s.must(1, store, annProject)
			s.must(1, `UPDATE workflow_code_store SET superseded_at = now(), checked_at = now(), task_queues = array_append(task_queues, 'q')`)
			s.must(1, `DELETE FROM workflow_code_store WHERE superseded_at IS NOT NULL`)
			s.must(1, `INSERT INTO worker_events (project_id, replica, kind, message) VALUES ($1, 'r', 'started', 'm')`, annProject)
			s.must(1, `DELETE FROM worker_events WHERE project_id = $1 AND id <= (SELECT max(id) FROM worker_events)`, annProject)
			const statistics = `INSERT INTO activity_statistics AS s (project_id, activity_name, execution_count) VALUES ($1, 'role', 1)
				ON CONFLICT (project_id, activity_name) DO UPDATE SET execution_count = s.execution_count + 1`
			s.must(1, statistics, annProject)
			s.must(1, statistics, annProject)
			s.must(1, `INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $1, 'h')`, annProject)
			s.must(1, `UPDATE workflow_live_code SET hash = 'i', code_id = $1`, annProject)
			s.must(1, `INSERT INTO workflow_execution_moves (project_id, run_id, execution_id, workflow_id, hash) VALUES ($1, 'r', 'e', $1, 'h')`, annProject)
			s.must(1, `UPDATE workflow_execution_moves SET hash = 'i', seq = DEFAULT, closed_at = now(), checked_at = now()`)
			s.must(1, `DELETE FROM workflow_execution_moves`)
			s.must(1, `INSERT INTO workflow_execution_stays (project_id, run_id, execution_id, workflow_id, from_hash, hash, reason) VALUES ($1, 'r', 'e', $1, 'f', 'h', 'x')`, annProject)
			s.must(1, `UPDATE workflow_execution_stays SET hash = 'i', checked_at = now()`)
			s.must(1, `DELETE FROM workflow_execution_stays`)
			s.must(1, `INSERT INTO workflow_execution_failures (project_id, run_id, execution_id, workflow_type, reason, message) VALUES ($1, 'r', 'e', 't', 'x', 'm')`, annProject)
			s.must(1, `UPDATE workflow_execution_failures SET message = 'n', checked_at = now()`)
			s.must(1, `DELETE FROM workflow_execution_failures`)
			s.must(1, `INSERT INTO workflow_package_bundles (hash, kind, names, code) VALUES ('b', 'workflow', '{lodash}', 'x')`)
			s.must(1, `INSERT INTO workflow_code_store (project_id, hash, kind, packages) VALUES ($1, 'b', 'workflow', 'b')`, annProject)
			s.must(1, `UPDATE workflow_package_bundles SET last_used_at = now()`)
			s.must(1, `DELETE FROM workflow_code_store WHERE hash = 'b'`)
			s.must(1, `DELETE FROM workflow_package_bundles`)
			s.must(1, `INSERT INTO workflow_live_periods (project_id, workflow_id, hash, task_queue) VALUES ($1, $1, 'h', 'q')`, annProject)
			s.must(1, `UPDATE workflow_live_periods SET ended_at = now(), executions = 3, counted_at = now()`)
			s.must(1, `DELETE FROM workflow_live_periods`)
			s.must(1, `DELETE FROM workflow_live_code`)
			execution := uuid.NewString()
			d.exec(`INSERT INTO workflow_executions (id, workflow_id, status) SELECT $1, id, 'pending' FROM workflows LIMIT 1`, execution)
			d.exec(`INSERT INTO workflow_execution_requests (execution_id, action) VALUES ($1, 'cancel')`, execution)
			s.must(1, `UPDATE workflow_executions SET claimed_at = now(), leased_until = now(), temporal_workflow_id = 'w'
				WHERE id IN (SELECT id FROM workflow_executions WHERE status = 'pending' FOR NO KEY UPDATE SKIP LOCKED)`)
			s.must(1, `UPDATE workflow_executions SET status = 'completed', temporal_run_id = 'r', first_run_id = 'r', output = '1', error = NULL, error_message = NULL,
				started_at = now(), completed_at = now(), duration_ms = 1, activities_executed = 1, code_version = '1', code_hash = 'h', attempt = 1 WHERE id = $1`, execution)
			s.must(1, `INSERT INTO workflow_executions (workflow_id, status, first_run_id) SELECT id, 'running', 'q' FROM workflows LIMIT 1`)
			s.must(1, `UPDATE workflow_execution_requests SET status = 'completed', result = '1', error = NULL, started_at = now(), completed_at = now(),
				leased_until = NULL, run_id = 'r', delivered_at = now() WHERE execution_id = $1`, execution)
			s.must(1, `DELETE FROM workflow_execution_requests WHERE execution_id = $1`, execution)
			s.must(1, `DELETE FROM workflow_executions WHERE id = $1`, execution)
			s.must(1, `INSERT INTO workflow_worker.uncounted (project_id, worker_id, tasks_completed, tasks_failed, duration_ms) VALUES ($1, 'r1', 2, 1, 30)`, annProject)
			if n := s.string(`SELECT workflow_worker.count_up(100)::text`); n != "2" {
				t.Errorf("%s notes were added up, want the execution's and the activities'", n)
			}
			s.must(0, `SELECT stands_for FROM workflow_worker.counted_versions WHERE version = ''`)
			if n := s.string(`SELECT total_activity_executions::text FROM projects WHERE id = $1`, annProject); n != "3" {
				t.Errorf("%s activities in all, want 3", n)
			}
		})
	}
}

func TestTheServicesRoleCanDoNothingElse(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t).withRole()
	s := d.session(t, serviceRole, "")
	s.forbidden(`SELECT * FROM users`)
	s.forbidden(`SELECT * FROM auth.users`)
	s.forbidden(`SELECT * FROM task_queues`)
	for _, table := range []string{"projects", "workflows", "workflow_compiled_code", "components"} {
		s.forbidden(`DELETE FROM ` + table)
		s.forbidden(`UPDATE ` + table + ` SET id = id`)
		s.forbidden(`INSERT INTO ` + table + ` DEFAULT VALUES`)
		s.forbidden(`TRUNCATE ` + table + ` CASCADE`)
	}
	s.forbidden(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'stop')`, annProject)
	s.forbidden(`DELETE FROM worker_requests`)
	s.forbidden(`UPDATE worker_requests SET action = 'stop'`)
	s.forbidden(`UPDATE worker_requests SET project_id = $1`, annProject)
	s.forbidden(`DELETE FROM activity_statistics`)
	s.forbidden(`UPDATE workflow_executions SET input = '1'`)
	s.forbidden(`UPDATE workflow_executions SET workflow_id = $1`, annWorkflow)
	s.forbidden(`UPDATE workflow_execution_requests SET action = 'terminate'`)
	s.forbidden(`INSERT INTO workflow_execution_requests (execution_id, action) VALUES ($1, 'cancel')`, annExecution)
	s.forbidden(`UPDATE worker_events SET message = ''`)
	s.forbidden(`INSERT INTO workflow_worker.schema_version (version_id, is_applied) VALUES (99, true)`)
	s.forbidden(`UPDATE workflow_statistics SET total_runs = 1`)
	s.forbidden(`UPDATE project_statistics SET total_executions = 1`)
	s.forbidden(`DELETE FROM workflow_worker.uncounted`)
	s.forbidden(`UPDATE workflow_worker.counted_versions SET version = ''`)
	s.forbidden(`CREATE TABLE public.mine ()`)
	s.forbidden(`CREATE SCHEMA mine`)
	s.forbidden(`ALTER PUBLICATION workflow_worker SET (publish = 'insert')`)

	attributes := d.string(`SELECT concat_ws(' ', rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin) FROM pg_roles WHERE rolname = $1`, serviceRole)
	if attributes != "f f f f t t" {
		t.Errorf("superuser, bypassrls, createrole, createdb, replication, login: %s", attributes)
	}
	if got := d.strings(`SELECT roleid::regrole::text FROM pg_auth_members WHERE member = $1::regrole`, serviceRole); len(got) > 0 {
		t.Errorf("is a member of %v", got)
	}
	if got := d.strings(`SELECT DISTINCT table_schema || '.' || table_name FROM information_schema.role_table_grants
		WHERE grantee = $1 UNION SELECT table_schema || '.' || table_name FROM information_schema.role_column_grants WHERE grantee = $1 ORDER BY 1`, serviceRole); len(got) != len(contractTables)+5 {
		t.Errorf("has rights on %v, want the tables of the contract but two of statistics, schema_version, steps_due, executions_due, execution_runs, uncounted, counted_versions and project_status", got)
	}
}

// The change stream, by the service's role, or by one that has REPLICATION and
// nothing else.
func TestTheStreamNeedsReplicationOnly(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t).withRole()
	streamer := "stream_" + d.name
	d.exec(`CREATE ROLE ` + streamer + ` LOGIN REPLICATION`)
	t.Cleanup(func() { d.exec(`DROP ROLE ` + streamer) })
	for _, role := range []string{serviceRole, streamer} {
		c := d.stream(role)
		d.exec(`UPDATE projects SET description = $1 WHERE id = $2`, role, annProject)
		for {
			message, err := c.ReceiveMessage(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", role, err)
			}
			if data, ok := message.(*pgproto3.CopyData); ok && bytes.Contains(data.Data, []byte(annProject)) {
				break
			}
		}
	}
	s := d.session(t, streamer, "")
	s.forbidden(`SELECT * FROM projects`)
	s.forbidden(`SELECT * FROM workflow_code_store`)
}

// stream begins to stream both publications from a temporary slot.
func (d *database) stream(role string) *pgconn.PgConn {
	d.Helper()
	config, err := pgconn.ParseConfig(d.as(role))
	if err != nil {
		d.Fatal(err)
	}
	config.RuntimeParams["replication"] = "database"
	c, err := pgconn.ConnectConfig(d.Context(), config)
	if err != nil {
		d.Fatalf("%s: %v", role, err)
	}
	d.Cleanup(func() { _ = c.Close(context.WithoutCancel(d.Context())) })
	slot, err := pglogrepl.CreateReplicationSlot(d.Context(), c, randomName(), "pgoutput", pglogrepl.CreateReplicationSlotOptions{Temporary: true})
	if err != nil {
		d.Fatalf("%s: temporary slot: %v", role, err)
	}
	at, err := pglogrepl.ParseLSN(slot.ConsistentPoint)
	if err != nil {
		d.Fatal(err)
	}
	names := migrations.Publication + "," + migrations.RequestsPublication
	err = pglogrepl.StartReplication(d.Context(), c, slot.SlotName, at,
		pglogrepl.StartReplicationOptions{PluginArgs: []string{"proto_version '1'", "publication_names '" + names + "'"}})
	if err != nil {
		d.Fatalf("%s: start: %v", role, err)
	}
	return c
}

// The tables' owner, no superuser, runs the role's SQL as often as he likes: on PostgreSQL 15 the
// role comes without REPLICATION, and the one notice says what a superuser has to run.
func TestTheRolesSQLRunsAsAnOwnerWhoIsNoSuperuser(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{}) // roles are the server's
	super := connect(t, server.URL("postgres"))
	for _, sql := range []string{`CREATE ROLE landlord LOGIN CREATEROLE`, `CREATE DATABASE house OWNER landlord`} {
		if _, err := super.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	config, err := pgx.ParseConfig(server.URL("house"))
	if err != nil {
		t.Fatal(err)
	}
	config.User = "landlord"
	var notices []string
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	u, err := url.Parse(server.URL("house"))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("landlord")
	if err := migrations.Run(t.Context(), u.String(), nil); err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	for range 2 {
		if _, err := owner.Exec(t.Context(), migrations.RoleSQL()); err != nil {
			t.Fatal(err)
		}
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "a superuser must run ALTER ROLE workflow_worker_service REPLICATION") {
		t.Errorf("notices: %q", notices)
	}
}
