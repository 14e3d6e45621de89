package reconcile

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// seed is what a seed file has: fixed ids.
func (h *house) seed(text string) (project, workflow string) {
	h.T.Helper()
	project, workflow = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	h.Exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'shop', 'shop')`, project)
	h.Exec(`INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, 'order-intake', 'x')`, workflow, project)
	h.Exec(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code)
		VALUES ('33333333-3333-4333-8333-333333333333', $1, '1', $2, '')`, workflow, text)
	return project, workflow
}

// admin runs statements on another database of the house's server.
func (h *house) admin(statements ...string) {
	h.T.Helper()
	u, err := url.Parse(h.URL)
	if err != nil {
		h.T.Fatal(err)
	}
	u.Path = "/postgres"
	ctx := context.WithoutCancel(h.T.Context()) // it may be over already
	c, err := pgx.Connect(ctx, u.String())
	if err != nil {
		h.T.Fatal(err)
	}
	defer c.Close(ctx)
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			h.T.Fatalf("%s: %v", s, err)
		}
	}
}

// keeps waits until the database has the text of what is live, as surveys go on.
func (r *replica) keeps(project, workflow, text string) {
	r.h.T.Helper()
	eventually(r.h.T, func() error {
		r.LookAtAll("polling")
		if got := r.runner.serves(project, workflow); got != text {
			return errors.New("serves " + got)
		}
		var kept string
		err := r.h.Pool.QueryRow(r.h.T.Context(), `SELECT coalesce(max(s.workflow_code), '') FROM workflow_live_code l
			JOIN workflow_code_store s USING (project_id, hash) JOIN workflow_live_periods p USING (project_id, hash)
			WHERE l.source_id = $1 AND p.ended_at IS NULL`, workflow).Scan(&kept)
		if err == nil && kept != text {
			err = errors.New("keeps " + kept)
		}
		if err == nil && r.h.row(r.cfg.Replica, project).status != rows.StatusRunning {
			err = errors.New("the row doesn't say running")
		}
		time.Sleep(50 * time.Millisecond)
		return err
	})
}

// A database that is dropped and made again of the same files has every row of
// before with its xmin, and none of what the service kept.
func TestADatabaseMadeAnewFromItsSeedGetsTheCodeThatRuns(t *testing.T) {
	t.Parallel()
	for _, pooler := range []string{"", "transaction"} {
		t.Run("pooler "+pooler, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p, w := h.seed("v1")
			name := h.Pool.Config().ConnConfig.Database
			quoted, seed := pgx.Identifier{name}.Sanitize(), pgx.Identifier{name + "_seed"}.Sanitize()
			xmin := one[string](h, `SELECT string_agg(xmin::text, ',' ORDER BY id) FROM workflow_compiled_code`)
			h.Pool.Reset()
			h.admin("CREATE DATABASE " + seed + " TEMPLATE " + quoted)
			t.Cleanup(func() { h.admin("DROP DATABASE " + seed + " WITH (FORCE)") })
			h.through(pooler, "")
			r := h.work()
			r.keeps(p, w, "v1")
			r.quietDown()
			h.Pool.Reset()
			h.admin("DROP DATABASE "+quoted+" WITH (FORCE)", "CREATE DATABASE "+quoted+" TEMPLATE "+seed)
			eventually(t, func() error { // the first may meet the old connections
				return h.Pool.Ping(t.Context())
			})
			if now := one[string](h, `SELECT string_agg(xmin::text, ',' ORDER BY id) FROM workflow_compiled_code`); now != xmin {
				t.Fatalf("the rows aren't those of before: xmin %s, was %s", now, xmin)
			}
			r.keeps(p, w, "v1")
			if got := r.runner.trace(p); got != "start reload" {
				t.Errorf("calls: %s", got)
			}
			// And it is the new database's rows that count.
			h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2'`)
			r.keeps(p, w, "v2")
		})
	}
}

// Another server at the same address, made by the same steps: same ids, same xmin,
// another text.
func TestAnotherServerAtTheSameAddressIsReadAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	first := stacktest.Postgres(t, stack.PostgresOptions{Port: port})
	h := houseOn(t, first)
	p, w := h.seed("v1")
	xmin := one[string](h, `SELECT xmin::text FROM workflow_compiled_code`)
	r := h.work()
	r.keeps(p, w, "v1")
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := houseOn(t, stacktest.Postgres(t, stack.PostgresOptions{Port: port}))
	second.seed("v2")
	t.Logf("xmin %s, and %s on the other server", xmin, one[string](second, `SELECT xmin::text FROM workflow_compiled_code`))
	r.keeps(p, w, "v2")
}

// Somebody empties the tables that are the service's own.
func TestEmptiedTablesOfOursAreFilledAgain(t *testing.T) {
	t.Parallel()
	for _, tables := range []string{
		"workflow_code_store", "workflow_live_code", "workflow_workers",
		"workflow_code_store, workflow_live_code, workflow_live_periods, workflow_workers, worker_events, workflow_package_bundles",
	} {
		t.Run(tables, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p, w := h.Shop("v1")
			r := h.work(func(c *Config) { c.HeartbeatInterval = 200 * time.Millisecond })
			r.keeps(p, w, "v1")
			r.quietDown()
			h.Exec(`TRUNCATE ` + tables)
			r.keeps(p, w, "v1")
			if events := h.eventsOf(p, rows.EventReloaded); len(events) != 0 {
				t.Errorf("events of a reload without a change: %v", events)
			}
		})
	}
}

// Where the right to read the server's identity was taken away.
func TestADatabaseIsToldApartWithoutTheControlFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Exec(`REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() FROM PUBLIC`)
	h.Exec(`CREATE ROLE without_control LOGIN`)
	t.Cleanup(func() { h.admin(`DROP ROLE without_control`) })
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("without_control")
	db := rowstest.OpenDatabase(t, u.String())
	how, err := rows.ChooseIdentity(t.Context(), rows.DB{Pool: db, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var b pgx.Batch
	var got string
	rows.QueueIdentity(&b, how, &got)
	if err := db.SendBatch(t.Context(), &b); err != nil || got == "" {
		t.Errorf("%q, %v", got, err)
	}
}
