package migrations_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
)

// fill gives a Supabase database whose tables are all ours the same two people as
// testdata/builder.sql has.
func fill(d *database) *database {
	d.exec(`INSERT INTO auth.users (id) VALUES ($1), ($2)`, annAuth, benAuth)
	for _, p := range []struct{ user, project, workflow, code, component string }{
		{annAuth, annProject, annWorkflow, annCode, annComponent},
		{benAuth, benProject, benWorkflow, benCode, benComponent},
	} {
		d.exec(`INSERT INTO projects (id, name, created_by, task_queue_name) VALUES ($1::uuid, 'x', $2, $1::text)`, p.project, p.user)
		d.exec(`INSERT INTO workflows (id, project_id, kebab_name) VALUES ($1, $2, 'order-intake')`, p.workflow, p.project)
		d.exec(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code) VALUES ($1, $2, '1', 'secret')`, p.code, p.workflow)
		d.exec(`INSERT INTO components (id, project_id, name) VALUES ($1, $2, 'greet')`, p.component, p.project)
		d.exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ($1::text, $1::uuid, 'q', 'running')`, p.project)
		d.exec(`INSERT INTO activity_statistics (project_id, activity_name) VALUES ($1, 'greet')`, p.project)
	}
	return d
}

// addOurRows adds what no Workflow Builder writes.
func addOurRows(d *database) *database {
	for _, project := range []string{annProject, benProject} {
		d.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'start')`, project)
		d.exec(`INSERT INTO workflow_code_store (project_id, hash, kind, workflow_code) VALUES ($1, 'h', 'workflow', 'secret')`, project)
		d.exec(`INSERT INTO worker_events (project_id, replica, kind, message) VALUES ($1, 'r', 'started', 'secret')`, project)
		d.exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $1, 'h')`, project)
		d.exec(`INSERT INTO workflow_execution_moves (project_id, run_id, execution_id, workflow_id, hash) VALUES ($1, 'r', 'secret', $1, 'h')`, project)
		d.exec(`INSERT INTO workflow_execution_stays (project_id, run_id, execution_id, workflow_id, from_hash, hash, reason) VALUES ($1, 'r', 'secret', $1, 'f', 'h', 'x')`, project)
		d.exec(`INSERT INTO workflow_execution_failures (project_id, run_id, execution_id, workflow_type, reason, message) VALUES ($1, 'r', 'secret', 't', 'x', 'm')`, project)
		d.exec(`INSERT INTO workflow_live_periods (project_id, workflow_id, hash, task_queue) VALUES ($1, $1, 'h', 'secret')`, project)
	}
	return d
}

// onSupabase runs f on both kinds of Supabase database: one whose tables are all
// ours, owned by auth.uid(), and the Workflow Builder's, owned by way of users.
func onSupabase(t *testing.T, f func(t *testing.T, d *database)) {
	t.Run("our tables", func(t *testing.T) {
		t.Parallel()
		f(t, addOurRows(fill(migratedSupabase(t))))
	})
	t.Run("the Workflow Builder's", func(t *testing.T) {
		t.Parallel()
		f(t, addOurRows(migratedBuilder(t)))
	})
}

func TestUsersSeeTheirOwnProjectsRowsOnly(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		for user, project := range map[string]string{annAuth: annProject, benAuth: benProject} {
			s := d.session(t, "authenticated", user)
			for _, query := range []string{
				`SELECT id::text FROM projects`,
				`SELECT project_id::text FROM workflows`,
				`SELECT project_id::text FROM workflow_workers`,
				`SELECT project_id::text FROM activity_statistics`,
				`SELECT project_id::text FROM worker_requests`,
				`SELECT project_id::text FROM worker_events`,
				`SELECT w.project_id::text FROM workflow_compiled_code c JOIN workflows w ON w.id = c.workflow_id`,
				`SELECT project_id::text FROM components WHERE project_id IS NOT NULL UNION ALL SELECT $1::text LIMIT 1`,
			} {
				args := []any{}
				if query[len(query)-1] == '1' {
					args = append(args, project)
				}
				if got := s.strings(query, args...); !slices.Equal(got, []string{project}) {
					t.Errorf("%s\nfound %v, want only %s", query, got, project)
				}
			}
		}
		stranger := d.session(t, "authenticated", uuid.NewString())
		for _, table := range []string{"projects", "workflow_workers", "worker_requests", "activity_statistics", "workflow_compiled_code"} {
			if n := stranger.string(`SELECT count(*)::text FROM ` + table); n != "0" {
				t.Errorf("a user without projects sees %s rows of %s", n, table)
			}
		}
	})
}

func TestTheRegistryIsReadOnlyForUsers(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		for _, s := range []*session{d.session(t, "authenticated", annAuth), d.session(t, "anon", "")} {
			s.forbidden(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ('forged', $1, 'q', 'running')`, annProject)
			s.forbidden(`UPDATE workflow_workers SET status = 'failed'`)
			s.forbidden(`DELETE FROM workflow_workers`)
			s.forbidden(`TRUNCATE workflow_workers`)
			s.forbidden(`INSERT INTO worker_events (project_id, replica, kind, message) VALUES ($1, 'r', 'started', 'forged')`, annProject)
			s.forbidden(`UPDATE worker_events SET message = ''`)
			s.forbidden(`DELETE FROM worker_events`)
			s.forbidden(`SELECT name FROM workflow_replicas`)
			s.forbidden(`SELECT code FROM workflow_quarantine`)
			s.forbidden(`SELECT hash FROM workflow_quarantined_executions`)
		}
	})
}

func TestRequestsAreForOwnProjectsAndCantBeForged(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		// What projects name their owner by: auth.uid() itself, or the id in users.
		annID, benID := annAuth, benAuth
		if d.string(`SELECT coalesce(to_regclass('public.users')::text, '')`) != "" {
			annID, benID = annUser, benUser
		}
		s := d.session(t, "authenticated", annAuth)
		s.must(1, `INSERT INTO worker_requests (project_id, action) VALUES ($1, 'restart')`, annProject)
		s.must(1, `INSERT INTO worker_requests (id, project_id, action, status, requested_by) VALUES ($1, $2, 'stop', 'pending', $3)`, uuid.NewString(), annProject, annID)

		s.must(1, `INSERT INTO worker_requests (project_id, action, workflow_id, execution_workflow_id, execution_run_id, target_version)
			VALUES ($1, 'migrate', $2, 'order-1', 'r', '1.0.1')`, annProject, annWorkflow)
		s.must(1, `INSERT INTO worker_requests (project_id, action, workflow_id) VALUES ($1, 'check', $2)`, annProject, annWorkflow)

		s.refused(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'stop')`, benProject)
		s.refused(`INSERT INTO worker_requests (project_id, action, workflow_id) VALUES ($1, 'migrate', $2)`, benProject, annWorkflow)
		s.forbidden(`INSERT INTO worker_requests (project_id, action, result) VALUES ($1, 'check', '{}')`, annProject)
		s.refused(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'stop')`, uuid.NewString())
		s.refused(`INSERT INTO worker_requests (project_id, action, status) VALUES ($1, 'stop', 'completed')`, annProject)
		s.must(1, `INSERT INTO worker_requests (project_id, action, requested_by) VALUES ($1, 'stop', auth.uid())`, annProject)
		s.must(1, `INSERT INTO worker_requests (project_id, action, requested_by) VALUES ($1, 'stop', $2)`, annProject, annAuth)
		s.refused(`INSERT INTO worker_requests (project_id, action, requested_by) VALUES ($1, 'stop', $2)`, annProject, benID)
		s.refused(`INSERT INTO worker_requests (project_id, action, requested_by) VALUES ($1, 'stop', $2)`, annProject, benAuth)
		s.forbidden(`INSERT INTO worker_requests (project_id, action, requested_at) VALUES ($1, 'stop', now() + interval '1 year')`, annProject)
		s.forbidden(`INSERT INTO worker_requests (project_id, action, error) VALUES ($1, 'stop', 'no')`, annProject)
		s.forbidden(`UPDATE worker_requests SET status = 'completed'`)
		s.forbidden(`DELETE FROM worker_requests`)
		s.forbidden(`TRUNCATE worker_requests`)
	})
}

// Code in a project's rows runs with the project's rights.
func TestNobodyPutsCodeIntoAStrangersProject(t *testing.T) {
	t.Parallel()
	t.Run("our tables", func(t *testing.T) {
		t.Parallel()
		s := fill(migratedSupabase(t)).session(t, "authenticated", benAuth)
		s.must(1, `INSERT INTO components (project_id, name) VALUES ($1, 'mine')`, benProject)
		s.must(1, `INSERT INTO workflows (project_id, kebab_name, versioning_behavior) VALUES ($1, 'mine', 'auto_upgrade')`, benProject)
		s.refused(`INSERT INTO components (project_id, name) VALUES ($1, 'httpRequest')`, annProject)
		s.refused(`INSERT INTO components (name, implementation_code) VALUES ('shared', 'for all')`)
		s.refused(`UPDATE components SET project_id = $1`, annProject)
		s.refused(`INSERT INTO workflows (project_id, kebab_name) VALUES ($1, 'trojan')`, annProject)
		s.refused(`UPDATE workflows SET project_id = $1`, annProject)
		s.refused(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) VALUES ($1, '9', 'evil')`, annWorkflow)
		s.refused(`UPDATE workflow_compiled_code SET workflow_code = 'evil' WHERE id = $1`, annCode)
		s.refused(`UPDATE workflow_compiled_code SET workflow_id = $1`, annWorkflow)
		s.refused(`UPDATE projects SET created_by = $1`, annAuth)
		s.refused(`DELETE FROM projects WHERE id = $1`, annProject)
	})
	t.Run("the Workflow Builder's", func(t *testing.T) {
		t.Parallel()
		s := migratedBuilder(t).session(t, "authenticated", benAuth)
		const component = `INSERT INTO components (name, display_name, version, created_by, visibility_id, implementation_code, project_id)
			VALUES ($1, '', '1', $2, $3, 'evil', $4)`
		s.must(1, component, "mine", benUser, private, benProject)
		s.must(1, component, "shared", benUser, private, nil)
		s.refused(component, "httpRequest", benUser, private, annProject)
		s.refused(`UPDATE components SET project_id = $1 WHERE created_by = $2`, annProject, benUser)
		const workflow = `INSERT INTO workflows (kebab_name, display_name, created_by, visibility_id, status_id, task_queue_id, project_id, definition)
			VALUES ($1, '', $2, $3, $4, $5, $6, '{}')`
		s.must(1, workflow, "mine", benUser, private, activeStatus, annQueue, benProject)
		s.refused(workflow, "trojan", benUser, private, activeStatus, annQueue, annProject)
		s.refused(`UPDATE workflows SET project_id = $1 WHERE created_by = $2`, annProject, benUser)
	})
}

func TestStoredCodeIsForNoUser(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		for _, s := range []*session{d.session(t, "authenticated", annAuth), d.session(t, "anon", "")} {
			for _, table := range []string{"workflow_code_store", "workflow_package_bundles", "workflow_live_code", "workflow_execution_moves", "workflow_execution_stays", "workflow_execution_failures", "workflow_live_periods", "workflow_worker.schema_version", "workflow_worker.contract_tables"} {
				s.forbidden(`SELECT * FROM ` + table)
				s.forbidden(`DELETE FROM ` + table)
			}
			s.forbidden(`SELECT workflow_worker.own_projects()`)
			s.forbidden(`SELECT workflow_worker.current_user_id()`)
		}
	})
}

// Whatever the migrations make, now or later: nothing of it is open to visitors.
func TestAllThatWeMakeIsClosedToAnon(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		ours := d.strings(`SELECT 'public.' || table_name FROM workflow_worker.contract_tables WHERE created_here OR table_name = 'workflow_workers'
			UNION ALL SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'workflow_worker' AND c.relkind IN ('r', 'v', 'm', 'p', 'f')`)
		if len(ours) < 5 {
			t.Fatalf("found only %v", ours)
		}
		for _, table := range ours {
			if d.string(`SELECT (has_table_privilege('anon', $1, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
				OR has_any_column_privilege('anon', $1, 'SELECT, INSERT, UPDATE, REFERENCES'))::text`, table) != "false" {
				t.Errorf("%s is open to anon", table)
			}
			if d.string(`SELECT has_table_privilege('authenticated', $1, 'TRUNCATE, REFERENCES, TRIGGER')::text`, table) != "false" {
				t.Errorf("%s: authenticated has more than rows", table)
			}
			if d.string(`SELECT (relrowsecurity OR relnamespace = 'workflow_worker'::regnamespace)::text FROM pg_class WHERE oid = $1::regclass`, table) != "true" {
				t.Errorf("%s has no row level security", table)
			}
		}
		for _, schema := range []string{"anon", "authenticated", "service_role"} {
			if d.string(`SELECT has_schema_privilege($1, 'workflow_worker', 'USAGE, CREATE')::text`, schema) != "false" {
				t.Errorf("schema workflow_worker is open to %s", schema)
			}
		}
		const functions = `SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'workflow_worker'::regnamespace`
		if len(d.strings(functions)) != 17 {
			t.Errorf("functions %v, want 17", d.strings(functions))
		}
		// What a view's readers call is anybody's who has the schema: its body was read when it was made.
		if got := d.strings(functions + ` AND p.prosqlbody IS NULL AND (has_function_privilege('anon', p.oid, 'EXECUTE') OR proconfig IS NULL)`); len(got) > 0 {
			t.Errorf("open to anon, or without a search_path of their own: %v", got)
		}
	})
}

// On the Workflow Builder's database nothing new appears in public but tables and two views, which
// have the rights of whoever asks: functions there would be served by the API.
func TestNothingButTablesAndTwoViewsIsAddedToPublic(t *testing.T) {
	t.Parallel()
	const inPublic = `
SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'relation ' || oid::regclass || ' ' || relkind::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'r') ORDER BY 1`
	d := builderDatabase(t)
	before := d.strings(inPublic)
	migrated(d)
	if diff := difference(before, d.strings(inPublic)); !slices.Equal(diff, []string{"+ relation activities_needing_attention v", "+ relation project_status v"}) {
		t.Errorf("public has now: %v", diff)
	}
	for _, view := range []string{"project_status", "activities_needing_attention"} {
		if got := d.string(`SELECT reloptions::text FROM pg_class WHERE oid = $1::regclass`, view); got != "{security_invoker=true}" {
			t.Errorf("%s has the rights of its owner: %s", view, got)
		}
	}
}

// Plain PostgreSQL: the owner works as ever, and row level security is on.
func TestPlainPostgresHasNoPoliciesAndItsOwnerWorks(t *testing.T) {
	t.Parallel()
	d := migratedEmpty(t)
	if got := d.strings(`SELECT tablename || ' ' || policyname FROM pg_policies`); len(got) > 0 {
		t.Errorf("policies %v", got)
	}
	if got := d.strings(`SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity`); len(got) > 0 {
		t.Errorf("no row level security on %v", got)
	}
	d.exec(`INSERT INTO projects (name, task_queue_name) VALUES ('x', 'x')`)
}
