package reconcile

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// asRole gives a pool of a role with the rights of migrations.RoleSQL, whose name is the test's own: roles are the server's.
func (h *house) asRole(mode string) (role string, pool *database.Pool) {
	h.t.Helper()
	role = "service_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	sql := strings.ReplaceAll(migrations.RoleSQL(), "workflow_worker_service", role)
	h.exec(strings.ReplaceAll(sql, "LOGIN REPLICATION", "LOGIN PASSWORD 'probe'"))
	u, err := url.Parse(h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	u.User = url.UserPassword(role, "probe")
	pool = h.inMode(u, mode)
	h.t.Cleanup(func() {
		pool.Close()
		_, _ = h.pool.Exec(h.t.Context(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
	})
	return role, pool
}

// inMode is a pool of one connection that sends its statements in one of pgx's ways.
func (h *house) inMode(u *url.URL, mode string) *database.Pool {
	h.t.Helper()
	query := u.Query()
	query.Set("default_query_exec_mode", mode)
	u.RawQuery = query.Encode()
	pool, err := database.Open(h.t.Context(), u.String(), database.Options{MaxConns: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	return pool
}

func TestTheProbeNamesEachRightThatIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	role, pool := h.asRole("exec")
	if err := rows.Probe(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	check := func(break_, mend string, want ...string) {
		t.Helper()
		h.exec(break_)
		err := rows.Probe(t.Context(), pool)
		if err == nil || !rows.Unusable(err) {
			t.Errorf("%s: %v", break_, err)
		}
		for _, w := range want {
			if !strings.Contains(fmt.Sprint(err), w) {
				t.Errorf("%s: %v, want %s", break_, err, w)
			}
		}
		h.exec(mend)
		if err := rows.Probe(t.Context(), pool); err != nil {
			t.Errorf("%s: %v", mend, err)
		}
	}
	grants := one[[]string](h, `SELECT array_agg(privilege_type || ' ON public.' || table_name ORDER BY table_name, privilege_type)
		FROM information_schema.role_table_grants WHERE grantee = $1 AND table_schema = 'public'`, role)
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
	check("DROP POLICY "+role+" ON projects", "CREATE POLICY "+role+" ON projects FOR SELECT TO "+role+" USING (true)", "lets role", "SELECT public.projects")
	check("DROP POLICY "+role+" ON workflow_workers", "CREATE POLICY "+role+" ON workflow_workers TO "+role+" USING (true)", "INSERT public.workflow_workers")
	check("ALTER TABLE components RENAME TO gone", "ALTER TABLE gone RENAME TO components", "there is no table public.components")
}

func TestTheProbeSeesReadOnlyAndEmptyDatabases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, mode := range []string{"cache_statement", "exec", "simple_protocol", "describe_exec"} {
		u, err := url.Parse(h.url)
		if err != nil {
			t.Fatal(err)
		}
		pool := h.inMode(u, mode)
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
	h.exec(`DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE format('DROP TABLE public.%I CASCADE', t); END LOOP; END $$`)
	if err := rows.Probe(t.Context(), h.db); !rows.Unusable(err) || !strings.Contains(err.Error(), "there is no table public.") || !strings.Contains(err.Error(), "and 11 more") {
		t.Errorf("%v", err)
	}
	h.db.Close()
	if err := rows.Probe(t.Context(), h.db); err == nil || rows.Unusable(err) {
		t.Errorf("a database that doesn't answer: %v", err)
	}
}

// What the probe can't foresee shows when it fails.
func TestWhatFailsIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.shop("v1")
	r := h.replica(func(c *Config) { c.HeartbeatInterval = 200 * time.Millisecond }).start()
	r.isServing(p, w, "v1")
	h.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$`)
	for _, c := range []struct{ table, fails string }{
		{"workflow_workers", trouble.Fails("heartbeat")}, {"workflow_workers", trouble.Fails("write")}, {"worker_requests", trouble.Fails("requests")},
	} {
		h.exec(`CREATE TRIGGER refuse BEFORE UPDATE ON ` + c.table + ` FOR EACH ROW EXECUTE FUNCTION refuse()`)
		if c.fails == trouble.Fails("write") {
			h.exec(`UPDATE workflow_compiled_code SET workflow_code = workflow_code || ' '`)
			r.LookAtAll("test")
		}
		if c.table == "worker_requests" {
			h.request(p, "start")
			r.LookAtAll("test")
		}
		eventually(t, func() error { return expect(r.seen.get().troubles[c.fails], true) })
		h.exec(`DROP TRIGGER refuse ON ` + c.table)
		eventually(t, func() error { return expect(r.seen.get().troubles[c.fails], false) })
	}
}
