package rows_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// asRole gives a pool of the service's role with one connection, see [rowstest.House.AsService].
func asRole(h *rowstest.House, mode string) (role string, pool *database.Pool) {
	h.T.Helper()
	role, u := h.AsService()
	pool = inMode(h, u, mode)
	h.T.Cleanup(pool.Close)
	return role, pool
}

// inMode is a pool of one connection that sends its statements in one of pgx's ways.
func inMode(h *rowstest.House, u *url.URL, mode string) *database.Pool {
	h.T.Helper()
	query := u.Query()
	query.Set("default_query_exec_mode", mode)
	u.RawQuery = query.Encode()
	pool, err := database.Open(h.T.Context(), u.String(), database.Options{MaxConns: 1})
	if err != nil {
		h.T.Fatal(err)
	}
	return pool
}

func TestTheProbeNamesEachRightThatIsGone(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	role, pool := asRole(h, "exec")
	if err := rows.Probe(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	check := func(break_, mend string, want ...string) {
		t.Helper()
		h.Exec(break_)
		err := rows.Probe(t.Context(), pool)
		if err == nil || !rows.Unusable(err) {
			t.Errorf("%s: %v", break_, err)
		}
		for _, w := range want {
			if !strings.Contains(fmt.Sprint(err), w) {
				t.Errorf("%s: %v, want %s", break_, err, w)
			}
		}
		h.Exec(mend)
		if err := rows.Probe(t.Context(), pool); err != nil {
			t.Errorf("%s: %v", mend, err)
		}
	}
	grants := rowstest.One[[]string](h, `SELECT array_agg(privilege_type || ' ON public.' || table_name ORDER BY table_name, privilege_type)
		FROM information_schema.role_table_grants WHERE grantee = $1 AND table_schema = 'public'
		AND table_name <> 'project_status'`, role) // for people who ask how projects are; the service doesn't
	if len(grants) < 40 {
		t.Fatalf("grants %v", grants)
	}
	for _, g := range grants {
		command, table, _ := strings.Cut(g, " ON ")
		check("REVOKE "+g+" FROM "+role, "GRANT "+g+" TO "+role, "may not "+command+" "+table)
	}
	check("REVOKE UPDATE (completed_at) ON worker_requests FROM "+role, "GRANT UPDATE (completed_at) ON worker_requests TO "+role, "completed_at")
	check("REVOKE UPDATE (status, error, result, started_at, completed_at) ON worker_requests FROM "+role,
		"GRANT UPDATE (status, error, result, started_at, completed_at) ON worker_requests TO "+role, "may not UPDATE public.worker_requests")
	check("REVOKE USAGE ON SCHEMA public FROM PUBLIC, "+role, "GRANT USAGE ON SCHEMA public TO PUBLIC, "+role, "schema public")
	check("REVOKE USAGE ON SCHEMA workflow_worker FROM "+role, "GRANT USAGE ON SCHEMA workflow_worker TO "+role, "schema workflow_worker")
	check("REVOKE USAGE ON SEQUENCE workflow_worker.worker_events_id FROM "+role, "GRANT USAGE ON SEQUENCE workflow_worker.worker_events_id TO "+role, "worker_events_id")
	check("REVOKE INSERT ON workflow_worker.uncounted FROM "+role, "GRANT INSERT ON workflow_worker.uncounted TO "+role, "may not INSERT workflow_worker.uncounted")
	check("REVOKE SELECT ON workflow_worker.counted_versions FROM "+role, "GRANT SELECT ON workflow_worker.counted_versions TO "+role, "may not SELECT workflow_worker.counted_versions")
	check("REVOKE EXECUTE ON FUNCTION workflow_worker.count_up FROM "+role, "GRANT EXECUTE ON FUNCTION workflow_worker.count_up TO "+role, "may not call the function workflow_worker.count_up")
	check("DROP POLICY "+role+" ON projects", "CREATE POLICY "+role+" ON projects FOR SELECT TO "+role+" USING (true)", "lets role", "SELECT public.projects")
	check("DROP POLICY "+role+" ON workflow_workers", "CREATE POLICY "+role+" ON workflow_workers TO "+role+" USING (true)", "INSERT public.workflow_workers")
	check("ALTER TABLE components RENAME TO gone", "ALTER TABLE gone RENAME TO components", "there is no table public.components")
}

func TestTheProbeSeesReadOnlyAndEmptyDatabases(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	for _, mode := range []string{"cache_statement", "exec", "simple_protocol", "describe_exec"} {
		u, err := url.Parse(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		pool := inMode(h, u, mode)
		defer pool.Close()
		for range 2 {
			if err := rows.Probe(t.Context(), pool); err != nil {
				t.Errorf("%v: %v", mode, err)
			}
		}
		if _, err := pool.Exec(t.Context(), `SET default_transaction_read_only = on`); err != nil {
			t.Fatal(err)
		}
		if err := rows.Probe(t.Context(), pool); !rows.Unusable(err) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%v: %v", mode, err)
		}
	}
	h.Exec(`DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE format('DROP TABLE public.%I CASCADE', t); END LOOP; END $$`)
	if err := rows.Probe(t.Context(), h.DB); !rows.Unusable(err) || !strings.Contains(err.Error(), "there is no table public.") || !strings.Contains(err.Error(), "and 17 more") {
		t.Errorf("%v", err)
	}
	h.DB.Close()
	if err := rows.Probe(t.Context(), h.DB); err == nil || rows.Unusable(err) {
		t.Errorf("a database that doesn't answer: %v", err)
	}
}
