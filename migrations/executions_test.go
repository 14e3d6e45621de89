package migrations_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
)

const annExecution = "a0000000-0000-4000-8000-000000000007"

// executionsOf has an execution of Ann's and one of Ben's, over and under way.
func executionsOf(d *database) *database {
	for _, workflow := range []string{annWorkflow, benWorkflow} {
		d.exec(`INSERT INTO workflow_executions (id, workflow_id, status, output) VALUES (replace($1::text, '005', '007')::uuid, $1::uuid, 'completed', '"secret"')
			ON CONFLICT (id) DO NOTHING`, workflow)
		d.exec(`INSERT INTO workflow_executions (id, workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES (replace($1::text, '005', '008')::uuid, $1::uuid, 'running', 'w', 'r')`, workflow)
		d.exec(`INSERT INTO workflow_execution_requests (execution_id, action) VALUES (replace($1::text, '005', '008')::uuid, 'cancel')`, workflow)
	}
	return d
}

func TestUsersStartAndReadExecutionsOfTheirOwnOnly(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		executionsOf(d)
		const (
			annRunning, benRunning = "a0000000-0000-4000-8000-000000000008", "b0000000-0000-4000-8000-000000000008"
			insert                 = `INSERT INTO workflow_executions (id, workflow_id, status, input) VALUES ($1, $2, $3, '{}')`
		)
		ann := d.session(t, "authenticated", annAuth)
		if got := ann.strings(`SELECT DISTINCT workflow_id::text FROM workflow_executions`); !slices.Equal(got, []string{annWorkflow}) {
			t.Errorf("Ann sees executions of %v", got)
		}
		if got := ann.strings(`SELECT execution_id::text FROM workflow_execution_requests`); !slices.Equal(got, []string{annRunning}) {
			t.Errorf("Ann sees requests about %v", got)
		}
		// As the contract's page has it for supabase-js.
		row := ann.string(`INSERT INTO workflow_executions (workflow_id, status, input) VALUES ($1, 'pending', '{"name": "Ann"}') RETURNING id::text`, annWorkflow)
		ann.must(1, `SELECT status, output, error_message, error FROM workflow_executions WHERE id = $1`, row)
		ann.must(1, `INSERT INTO workflow_execution_requests (execution_id, action, name, args) VALUES ($1, 'signal', 'approve', '["Ann"]')`, row)
		d.exec(`DELETE FROM workflow_execution_requests WHERE execution_id = $1`, row)
		mine, built := uuid.NewString(), uuid.NewString()
		ann.must(1, insert, mine, annWorkflow, "pending")
		ann.must(1, insert, built, annWorkflow, "building")
		ann.must(1, `UPDATE workflow_executions SET status = 'pending', options = '{}' WHERE id = $1`, built)
		ann.refused(insert, uuid.NewString(), benWorkflow, "pending")
		ann.refused(insert, uuid.NewString(), uuid.NewString(), "pending")
		for _, status := range []string{"running", "completed", "failed", "cancelled", "paused"} {
			ann.refused(insert, uuid.NewString(), annWorkflow, status)
		}
		ann.forbidden(`INSERT INTO workflow_executions (workflow_id, status, output) VALUES ($1, 'pending', '1')`, annWorkflow)
		ann.forbidden(`INSERT INTO workflow_executions (workflow_id, status, temporal_run_id) VALUES ($1, 'pending', 'r')`, annWorkflow)
		ann.forbidden(`INSERT INTO workflow_executions (workflow_id, status, first_run_id) VALUES ($1, 'pending', 'r')`, annWorkflow)
		ann.forbidden(`INSERT INTO workflow_executions (workflow_id, status, claimed_at) VALUES ($1, 'pending', now())`, annWorkflow)
		ann.refused(`INSERT INTO workflow_executions (workflow_id, status, created_by) VALUES ($1, 'pending', $2)`, annWorkflow, benUser)
		ann.forbidden(`UPDATE workflow_executions SET output = '1'`)
		ann.forbidden(`UPDATE workflow_executions SET temporal_workflow_id = 'other'`)
		ann.forbidden(`UPDATE workflow_executions SET workflow_id = $1`, benWorkflow)
		for _, id := range []string{mine, annRunning, annExecution, benRunning} {
			ann.refused(`UPDATE workflow_executions SET status = 'cancelled' WHERE id = $1`, id)
		}
		ann.forbidden(`TRUNCATE workflow_executions`)
		ann.refused(`DELETE FROM workflow_executions WHERE workflow_id = $1`, benWorkflow)

		const ask = `INSERT INTO workflow_execution_requests (execution_id, action, name, args) VALUES ($1, $2, 'x', '[1]')`
		for _, action := range []string{"cancel", "terminate", "signal", "update", "query", "reset", "pause", "unpause"} {
			ann.must(1, ask, annRunning, action)
			ann.refused(ask, benRunning, action)
		}
		ann.refused(ask, uuid.NewString(), "cancel")
		ann.refused(`INSERT INTO workflow_execution_requests (execution_id, action, requested_by) VALUES ($1, 'cancel', $2)`, annRunning, benAuth)
		ann.forbidden(`INSERT INTO workflow_execution_requests (execution_id, action, status) VALUES ($1, 'cancel', 'completed')`, annRunning)
		ann.forbidden(`INSERT INTO workflow_execution_requests (execution_id, action, requested_at) VALUES ($1, 'cancel', now())`, annRunning)
		ann.forbidden(`UPDATE workflow_execution_requests SET status = 'completed'`)
		ann.forbidden(`DELETE FROM workflow_execution_requests`)

		visitor := d.session(t, "anon", "")
		for _, table := range []string{"workflow_executions", "workflow_execution_requests"} {
			visitor.forbidden(`SELECT * FROM ` + table)
			visitor.forbidden(`DELETE FROM ` + table)
		}
		visitor.forbidden(insert, uuid.NewString(), annWorkflow, "pending")
		visitor.forbidden(ask, annRunning, "cancel")

		backend := d.session(t, "service_role", "")
		backend.must(1, `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', 'w', 'r')`, benWorkflow)
		backend.must(1, `UPDATE workflow_executions SET status = 'completed', output = '1' WHERE id = $1`, annRunning)
		backend.must(1, `INSERT INTO workflow_execution_requests (execution_id, action) VALUES ($1, 'cancel')`, benRunning)
	})
}

// What the service keeps of executions beside their rows is nobody's to see or to change, and is right
// whoever writes the rows.
func TestWhatIsKeptBesideExecutionsIsTheServicesAlone(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		executionsOf(d)
		const benCompleted = "b0000000-0000-4000-8000-000000000007"
		mine := uuid.NewString()
		kept := func(what, want string) {
			t.Helper()
			if got := d.string(`SELECT concat((SELECT string_agg(reason, ' ') FROM workflow_worker.executions_due WHERE execution_id = $1),
				(SELECT string_agg(run_id, ' ') FROM workflow_worker.execution_runs WHERE execution_id = $1))`, mine); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		for _, s := range []*session{d.session(t, "authenticated", annAuth), d.session(t, "anon", ""), d.session(t, "service_role", "")} {
			for _, table := range d.strings(`SELECT relname::text FROM pg_class WHERE relnamespace = 'workflow_worker'::regnamespace AND relkind = 'r'`) {
				s.forbidden(`SELECT FROM workflow_worker.` + table)
				s.forbidden(`DELETE FROM workflow_worker.` + table)
				s.forbidden(`INSERT INTO workflow_worker.` + table + ` DEFAULT VALUES`)
			}
			s.forbidden(`SELECT workflow_worker.count_up(1, 1)`)
		}

		// By an upsert, which reads before it is refused, no row of somebody else's is touched.
		ann := d.session(t, "authenticated", annAuth)
		const upsert = `INSERT INTO workflow_executions (id, workflow_id, status) VALUES ($1, $2, 'pending') ON CONFLICT (id) DO `
		ann.refused(upsert+`UPDATE SET status = 'pending'`, benCompleted, annWorkflow)
		ann.refused(upsert+`NOTHING`, benCompleted, annWorkflow)

		backend := connect(t, d.url)
		as := func(role, user, statement string, args ...any) {
			t.Helper()
			tx, err := backend.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []string{`SELECT set_config('request.jwt.claims', '{"sub": "` + user + `"}', true)`, `SET LOCAL ROLE ` + role} {
				if _, err := tx.Exec(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			tag, err := tx.Exec(t.Context(), statement, args...)
			if err != nil || tag.RowsAffected() != 1 {
				t.Errorf("%s: %v, %v", statement, tag, err)
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		as("authenticated", annAuth, `INSERT INTO workflow_executions (id, workflow_id, status) VALUES ($1, $2, 'building')`, mine, annWorkflow)
		kept("it is built", "")
		as("authenticated", annAuth, `UPDATE workflow_executions SET status = 'pending', completed_at = 'infinity' WHERE id = $1 AND status = 'building'`, mine)
		kept("it waits", "start")
		as("service_role", annAuth, `UPDATE workflow_executions SET status = 'running', temporal_workflow_id = 'w', temporal_run_id = 'r' WHERE id = $1`, mine)
		kept("somebody else has started it", "look")
		as("service_role", annAuth, `UPDATE workflow_executions SET first_run_id = 'r' WHERE id = $1`, mine)
		kept("its run is known", "r")
		as("service_role", annAuth, `DELETE FROM workflow_executions WHERE id = $1`, mine)
		kept("it is gone", "")
	})
}

func TestUsersReadStepsOfTheirOwnExecutionsOnly(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		executionsOf(d)
		d.exec(`DELETE FROM component_executions`)
		d.exec(`INSERT INTO component_executions (workflow_execution_id, node_id, status, kind) SELECT id, 'n', 'running', 'activity' FROM workflow_executions`)
		ann := d.session(t, "authenticated", annAuth)
		const owners = `SELECT DISTINCT e.workflow_id::text FROM component_executions c JOIN workflow_executions e ON e.id = c.workflow_execution_id`
		if got := ann.strings(owners); !slices.Equal(got, []string{annWorkflow}) {
			t.Errorf("Ann sees steps of %v", got)
		}
		if n := ann.string(`SELECT (count(*) > 0)::text FROM component_executions`); n != "true" {
			t.Error("Ann sees no steps")
		}
		ann.must(1, `SELECT node_id, status, input_data, output_data, error_message, retry_count FROM component_executions WHERE workflow_execution_id = $1 ORDER BY started_at`, annExecution)
		if n := ann.string(`SELECT count(*)::text FROM component_executions WHERE workflow_execution_id IN ('b0000000-0000-4000-8000-000000000007', 'b0000000-0000-4000-8000-000000000008')`); n != "0" {
			t.Errorf("Ann sees %s of Ben's steps", n)
		}
		ann.forbidden(`INSERT INTO component_executions (workflow_execution_id, node_id, status) VALUES ($1, 'n', 'completed')`, annExecution)
		ann.forbidden(`UPDATE component_executions SET output_data = '1'`)
		ann.forbidden(`DELETE FROM component_executions`)
		ann.forbidden(`TRUNCATE component_executions`)
		visitor := d.session(t, "anon", "")
		visitor.forbidden(`SELECT * FROM component_executions`)
		visitor.forbidden(`DELETE FROM component_executions`)
		backend := d.session(t, "service_role", "")
		backend.must(1, `UPDATE component_executions SET status = 'completed' WHERE workflow_execution_id = $1`, annExecution)
	})
}

// Another shape of the table: what it requires and a step may lack isn't required any more, and its
// check allows what the service writes.
func TestAnotherShapeOfStepsIsAdopted(t *testing.T) {
	t.Parallel()
	d := builderDatabase(t)
	d.exec(`DROP TABLE component_executions`)
	d.exec(`CREATE TABLE component_executions (
		id uuid PRIMARY KEY DEFAULT gen_random_uuid(), workflow_execution_id uuid NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
		component_name text NOT NULL, status varchar(20) NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'skipped')),
		started_at timestamptz NOT NULL, input jsonb)`)
	migrated(d)
	for _, status := range []string{"pending", "running", "retrying", "completed", "failed", "cancelled", "skipped"} {
		d.exec(`INSERT INTO component_executions (workflow_execution_id, node_id, status, run_id, kind) VALUES ($1, 'n', $2, 'r', 'activity')`, annExecution, status)
	}
	if _, err := d.conn.Exec(t.Context(), `INSERT INTO component_executions (workflow_execution_id, status) VALUES ($1, 'nonsense')`, annExecution); err == nil {
		t.Error("any status is allowed now")
	}
}

// What ends, or goes on as another run, is noted with it, once; the service's own notes of a start
// aren't.
func TestEndsNoteTheStepsThatAreDue(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	due := func(what string, want ...string) {
		t.Helper()
		if got := d.strings(`SELECT run_id || ' ' || next_run_id FROM workflow_worker.steps_due ORDER BY 1`); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		d.exec(`DELETE FROM workflow_worker.steps_due`)
	}
	d.exec(`DELETE FROM workflow_executions`)
	d.exec(`INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, 'pending')`, annWorkflow)
	d.exec(`UPDATE workflow_executions SET claimed_at = now(), temporal_workflow_id = 'w'`)
	d.exec(`UPDATE workflow_executions SET status = 'running', first_run_id = 'r1', temporal_run_id = 'r1'`)
	due("it began")
	d.exec(`UPDATE workflow_executions SET status = 'running', temporal_run_id = 'r2'`)
	due("it goes on", "r1 r2")
	d.exec(`UPDATE workflow_executions SET status = 'completed', temporal_run_id = 'r2'`)
	due("it is over", "r2 ")
	d.exec(`UPDATE workflow_executions SET status = 'completed', output = '1'`)
	due("it is still over")
	d.exec(`INSERT INTO workflow_executions (workflow_id, status, first_run_id, temporal_run_id) VALUES ($1, 'failed', 'r3', 'r3')`, annWorkflow)
	due("one that was recorded", "r3 ")
}

// Before its second migration of executions the Workflow Builder's table knew neither who asked
// nor rows that wait.
func TestTheFirstShapeOfExecutionsIsAdopted(t *testing.T) {
	t.Parallel()
	d := builderDatabase(t)
	d.exec(`DROP TABLE workflow_executions CASCADE`)
	d.exec(`CREATE TABLE workflow_executions (
		id uuid PRIMARY KEY DEFAULT gen_random_uuid(), workflow_id uuid NOT NULL REFERENCES workflows (id),
		temporal_workflow_id varchar(255) NOT NULL, temporal_run_id varchar(255) NOT NULL,
		status varchar(50) NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled', 'timed_out')),
		started_at timestamptz NOT NULL, completed_at timestamptz, duration_ms integer, input jsonb, output jsonb, error_message text,
		activities_executed integer DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now())`)
	d.exec(`INSERT INTO workflow_executions (workflow_id, temporal_workflow_id, temporal_run_id, status, started_at) VALUES ($1, 'w', 'r', 'timed_out', now())`, annWorkflow)
	migrated(d)
	if got := d.string(`SELECT status FROM workflow_executions`); got != "timed_out" {
		t.Errorf("the row that was there says %s", got)
	}
	for _, status := range []string{"pending", "building", "running", "completed", "failed", "cancelled", "paused", "timed_out"} {
		d.exec(`INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, $2)`, annWorkflow, status)
	}
	if _, err := d.conn.Exec(t.Context(), `INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, 'nonsense')`, annWorkflow); err == nil {
		t.Error("any status is allowed now")
	}
}

// What the service is told by: one message for each statement that gives it something to do, and
// none for its own.
func TestTheStreamTellsOfExecutionsThatWait(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	d.exec(`SELECT pg_create_logical_replication_slot('keys', 'pgoutput', true)`)
	told := func(what, want string, n int) {
		t.Helper()
		count := d.string(`SELECT count(*)::text FROM pg_logical_slot_get_binary_changes('keys', NULL, NULL,
			'proto_version', '1', 'publication_names', 'workflow_worker,workflow_worker_requests', 'messages', 'true')
			WHERE get_byte(data, 0) = ascii('M') AND position($1::bytea IN data) > 0`, []byte(want))
		if wanted := []string{"0", "1", "2"}[n]; count != wanted {
			t.Errorf("%s: %s messages of %q, want %s", what, count, want, wanted)
		}
	}
	const insert = `INSERT INTO workflow_executions (workflow_id, status) SELECT $1, $2 FROM generate_series(1, 3)`
	d.exec(insert, annWorkflow, "pending")
	told("three rows that wait", "executions", 1)
	d.exec(insert, annWorkflow, "building")
	told("rows that are built", "executions", 0)
	d.exec(`UPDATE workflow_executions SET status = 'pending' WHERE id IN (SELECT id FROM workflow_executions WHERE status = 'building' LIMIT 1)`)
	told("one is built", "executions", 1)
	d.exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', 'w', 'r')`, annWorkflow)
	told("started by somebody else", "executions", 1)
	d.exec(`UPDATE workflow_executions SET claimed_at = now() WHERE status = 'pending'`)
	d.exec(`UPDATE workflow_executions SET status = 'running', first_run_id = 'r' WHERE status = 'pending'`)
	d.exec(`UPDATE workflow_executions SET status = 'completed', output = '1'`)
	told("our own writes", "executions", 0)
	d.exec(`INSERT INTO workflow_execution_requests (execution_id, action) SELECT $1, 'cancel' FROM generate_series(1, 3)`, annExecution)
	told("three requests", "requests", 1)
	d.exec(`UPDATE workflow_execution_requests SET status = 'completed'`)
	told("our answer", "requests", 0)
}
