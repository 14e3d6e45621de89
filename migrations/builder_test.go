package migrations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// All that the Workflow Builder had is there afterwards, but for what the
// migrations say they replace.
func TestBuilderKeepsItsRowsAndItsSchema(t *testing.T) {
	t.Parallel()
	d := builderDatabase(t)
	rows, catalog := d.rows(), d.catalog()
	migrated(d)

	if len(rows) < 15 {
		t.Fatalf("only %d rows in the fixture", len(rows))
	}
	// Columns may come beside those that were; none may change or go.
	after := d.rows()
	for id, was := range rows {
		if d.string(`SELECT ($1::jsonb @> $2::jsonb)::text`, after[id], was) != "true" {
			t.Errorf("row %s\nwas    %s\nis now %s", id, was, after[id])
		}
	}

	now := d.catalog()
	for _, line := range difference(catalog, now) {
		switch {
		case slices.ContainsFunc(now, func(is string) bool { return strings.HasPrefix(is, line[2:]+" acl ") }): // a right to it by itself
		case strings.HasPrefix(line, "+"),
			strings.Contains(line, "idx_one_active_worker_per_project"),
			strings.Contains(line, `policy workflow_workers System can manage workers`),
			strings.HasPrefix(line, "- relation workflow_workers"),           // rights taken back
			strings.HasPrefix(line, "- relation workflow_executions"),        // and given by the column
			strings.HasPrefix(line, "- relation component_executions"),       // the service's alone
			strings.HasPrefix(line, "- column component_executions.node_id"), // may be NULL
			strings.Contains(line, "_statistics_most_used_"),                 // lets go of what is deleted
			strings.Contains(line, "_statistics_longest_run_"),
			strings.HasPrefix(line, "- relation workflows r rls true identity d"), // replica identity
			strings.HasPrefix(line, "- relation workflow_compiled_code r rls true identity d"):
		default:
			t.Errorf("lost: %s", line)
		}
	}
}

// rows returns every row of public as JSON, by table and id.
func (d *database) rows() map[string]string {
	d.Helper()
	found := map[string]string{}
	for _, table := range d.strings(`SELECT relname::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
		AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id')`) {
		for _, line := range d.strings(`SELECT to_jsonb(t)::text FROM public.` + table + ` t`) {
			found[table+" "+d.string(`SELECT $1::jsonb ->> 'id'`, line)] = line
		}
	}
	return found
}

func TestBuilderGetsWhatItLacks(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	got := d.strings(`SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND (table_name, column_name) IN (('components', 'project_id'), ('workflows', 'is_active'), ('worker_requests', 'status'))
		ORDER BY 1`)
	if want := []string{"components.project_id", "worker_requests.status", "workflows.is_active"}; !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	if got := d.strings(`SELECT DISTINCT is_active::text FROM workflows`); !slices.Equal(got, []string{"true"}) {
		t.Errorf("workflows that were there have is_active %v, want true", got)
	}
	// Not two indexes of one kind.
	if got := d.strings(`SELECT indexdef FROM pg_indexes WHERE tablename = 'workflows' AND indexdef LIKE '%(project_id)'`); len(got) != 1 {
		t.Errorf("indexes on workflows (project_id): %v, want one", got)
	}
}

// The Workflow Builder's own statements, as its programs send them: its server as
// service_role, its pages as the signed-in user. Publications and replica
// identities make PostgreSQL refuse UPDATE and DELETE where they don't fit.
func TestBuilderStatementsStillWork(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	for _, who := range []struct{ role, user string }{{"service_role", ""}, {"authenticated", annAuth}} {
		t.Run(who.role, func(t *testing.T) {
			s := d.session(t, who.role, who.user)
			workflow, code := uuid.NewString(), uuid.NewString()
			s.must(1, `INSERT INTO workflows (id, kebab_name, display_name, created_by, visibility_id, status_id, task_queue_id, project_id, definition)
				VALUES ($1, 'nightly', 'Nightly', $2, $3, $4, $5, $6, '{}')`, workflow, annUser, private, activeStatus, annQueue, annProject)
			s.must(1, `UPDATE workflows SET definition = '{"nodes": []}', layout = '{"zoom": 2}', updated_at = now() WHERE id = $1`, workflow)
			const insertCode = `INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code, worker_code, package_json, tsconfig_json, compiled_by, is_active)
				VALUES ($1, $2, $3, 'export async function nightly() {}', '', '', '{}', '{}', $4, true)`
			s.must(1, insertCode, code, workflow, "1.0.0", annUser)
			// In place, then a new version beside a deactivated one, then back again.
			s.must(1, `UPDATE workflow_compiled_code SET workflow_code = repeat('// edited', 10000), compiled_at = now() WHERE id = $1`, code)
			s.must(1, `UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, workflow)
			s.must(1, insertCode, uuid.NewString(), workflow, "1.0.1", annUser)
			s.must(2, `UPDATE workflow_compiled_code SET is_active = (id = $2) WHERE workflow_id = $1`, workflow, code)
			s.must(1, `DELETE FROM workflow_compiled_code WHERE workflow_id = $1 AND NOT is_active`, workflow)

			component := uuid.NewString()
			s.must(1, `INSERT INTO components (id, name, display_name, version, created_by, visibility_id, implementation_language, implementation_code)
				VALUES ($1, 'notify', 'Notify', '1.0.0', $2, $3, 'typescript', 'export async function notify() {}')`, component, annUser, private)
			s.must(1, `UPDATE components SET implementation_code = '// new', project_id = $2 WHERE id = $1`, component, annProject)

			// Another project of hers, and the workflow moved there.
			other := uuid.NewString()
			s.must(1, `INSERT INTO projects (id, name, created_by, task_queue_name) VALUES ($1, 'Second', $2, 'ann-second')`, other, annUser)
			s.must(1, `UPDATE workflows SET project_id = $2 WHERE id = $1`, workflow, other)
			s.must(1, `UPDATE projects SET is_active = false, task_queue_name = 'ann-renamed', updated_at = now() WHERE id = $1`, other)

			request := uuid.NewString()
			s.must(1, `INSERT INTO worker_requests (id, project_id, action, requested_by) VALUES ($1, $2, 'restart', $3)`, request, annProject, annUser)
			if who.role == "service_role" {
				s.must(1, `UPDATE worker_requests SET status = 'completed', completed_at = now() WHERE id = $1`, request)
				s.must(1, `DELETE FROM worker_requests WHERE id = $1`, request)
				s.must(1, `UPDATE workflow_workers SET last_heartbeat = now() WHERE project_id = $1`, annProject)
			}
			s.must(1, `DELETE FROM workflows WHERE id = $1`, workflow)

			// Deleting a project takes all its rows along, and leaves others' alone.
			s.must(1, `DELETE FROM projects WHERE id = $1`, annProject)
			s.end("RESET ROLE")
			for _, query := range []string{
				`SELECT count(*)::text FROM workflows WHERE project_id = $1`,
				`SELECT count(*)::text FROM components WHERE project_id = $1`,
				`SELECT count(*)::text FROM workflow_workers WHERE project_id = $1`,
				`SELECT count(*)::text FROM activity_statistics WHERE project_id = $1`,
			} {
				if n := s.string(query, annProject); n != "0" {
					t.Errorf("%s: %s rows left", query, n)
				}
				if n := s.string(query, benProject); n == "0" && !strings.Contains(query, "components") {
					t.Errorf("%s: Ben's rows are gone too", query)
				}
			}
			if n := s.string(`SELECT count(*)::text FROM workflow_compiled_code WHERE workflow_id = $1`, annWorkflow); n != "0" {
				t.Errorf("%s rows of compiled code left", n)
			}
		})
	}
}

func TestSeveralReplicasMayServeOneProject(t *testing.T) {
	t.Parallel()
	for name, uniqueness := range map[string]string{
		"as the Workflow Builder has it": `SELECT 1`,
		"as a constraint":                `ALTER TABLE workflow_workers ADD CONSTRAINT one_per_project UNIQUE (project_id)`,
		"with the status":                `CREATE UNIQUE INDEX one_per_status ON workflow_workers (status, project_id)`,
		"by task queue":                  `CREATE UNIQUE INDEX one_per_queue ON workflow_workers (task_queue_name) WHERE status = 'running'`,
		"worker_id not unique":           `ALTER TABLE workflow_workers DROP CONSTRAINT workflow_workers_worker_id_key`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := builderDatabase(t)
			d.exec(uniqueness)
			migrated(d)
			const insert = `INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ($1, $2, 'ann-queue', 'running')
				ON CONFLICT (worker_id) DO UPDATE SET status = excluded.status`
			d.exec(insert, "replica-1", annProject)
			d.exec(insert, "replica-2", annProject)
			d.exec(insert, "replica-2", annProject)
			if n := d.string(`SELECT count(*)::text FROM workflow_workers WHERE project_id = $1 AND status = 'running'`, annProject); n != "3" {
				t.Errorf("%s running workers of one project, want 3", n)
			}
		})
	}
}

func TestStatusAllowsWhatWeWriteAndWhatWasAllowed(t *testing.T) {
	t.Parallel()
	for name, narrow := range map[string]string{
		"check": `ALTER TABLE workflow_workers DROP CONSTRAINT workflow_workers_status_check;
			ALTER TABLE workflow_workers ADD CONSTRAINT known_status CHECK (status IN ('idle', 'running', 'stopped'))`,
		"two checks": `ALTER TABLE workflow_workers ADD CONSTRAINT known_status CHECK (status IN ('idle', 'running'));
			ALTER TABLE workflow_workers DROP CONSTRAINT workflow_workers_status_check;
			ALTER TABLE workflow_workers ADD CONSTRAINT short_status CHECK (length(status) < 5 OR status = 'running')`,
		"enum": `ALTER TABLE workflow_workers DROP CONSTRAINT workflow_workers_status_check;
			DROP INDEX idx_one_active_worker_per_project;
			CREATE TYPE worker_status AS ENUM ('idle', 'running');
			ALTER TABLE workflow_workers ALTER COLUMN status TYPE worker_status USING status::worker_status`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := builderDatabase(t)
			d.exec(narrow)
			migrated(d)
			for _, status := range []string{"starting", "running", "stopping", "stopped", "failed", "idle"} {
				d.exec(`UPDATE workflow_workers SET status = $1`, status)
			}
			if _, err := d.conn.Exec(t.Context(), `UPDATE workflow_workers SET status = 'nonsense'`); err == nil {
				t.Error("any status is allowed now")
			}
		})
	}
}

// worker_requests that are there already, of an older version of ours or of somebody else, take the
// newer actions.
func TestActionsThatWeKnowAreAllowedBesideThoseThatWere(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{
		"ours of before": `text NOT NULL CHECK (action IN ('start', 'stop', 'restart'))`,
		"wider":          `text NOT NULL CHECK (action IN ('start', 'stop', 'restart', 'pause'))`,
		"unbounded":      `text NOT NULL`,
		"enum":           `worker_action NOT NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := emptyDatabase(t)
			d.exec(`CREATE TYPE worker_action AS ENUM ('start', 'stop')`)
			d.exec(`CREATE TABLE worker_requests (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), project_id uuid NOT NULL,
				action ` + action + `, status text NOT NULL DEFAULT 'pending')`)
			d.exec(`INSERT INTO worker_requests (project_id, action) VALUES (gen_random_uuid(), 'stop')`)
			migrated(d)
			for _, action := range []string{"start", "stop", "restart", "migrate", "check"} {
				d.exec(`UPDATE worker_requests SET action = '` + action + `', result = '{}'`)
			}
			_, err := d.conn.Exec(t.Context(), `UPDATE worker_requests SET action = 'nonsense'`)
			if (err == nil) != (name == "unbounded") {
				t.Errorf("an action that nobody knows: %v", err)
			}
			if name == "wider" {
				d.exec(`UPDATE worker_requests SET action = 'pause'`)
			}
		})
	}
}

func TestAProjectSaysWhetherItsCodeSharesRuntimes(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	if got := d.strings(`SELECT DISTINCT coalesce(isolation, 'NULL') FROM projects`); !slices.Equal(got, []string{"NULL"}) {
		t.Errorf("projects that were there have isolation %v, want NULL", got)
	}
	d.exec(`UPDATE projects SET isolation = 'project'`)
	if _, err := d.conn.Exec(t.Context(), `UPDATE projects SET isolation = 'process'`); err == nil {
		t.Error("any isolation is allowed")
	}
}

func TestAWorkflowSaysWhatNewCodeMeansForItsExecutions(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	if got := d.strings(`SELECT DISTINCT coalesce(versioning_behavior, 'NULL') FROM workflows`); !slices.Equal(got, []string{"NULL"}) {
		t.Errorf("workflows that were there have versioning_behavior %v, want NULL", got)
	}
	d.exec(`UPDATE workflows SET versioning_behavior = 'auto_upgrade' WHERE id = $1`, annWorkflow)
	d.exec(`UPDATE workflows SET versioning_behavior = 'pinned' WHERE id = $1`, annWorkflow)
	if _, err := d.conn.Exec(t.Context(), `UPDATE workflows SET versioning_behavior = 'sometimes'`); err == nil {
		t.Error("any behaviour is allowed")
	}
}
