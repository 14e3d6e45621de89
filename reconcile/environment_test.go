package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime/replay"
)

// unlike are a database's settings under which what we write could come out wrong:
// other tables first, other dates, transactions that are refused, time limits.
var unlike = []string{
	`search_path = app, public`, `DateStyle = 'SQL, DMY'`, `IntervalStyle = 'sql_standard'`, `TimeZone = 'America/St_Johns'`, `bytea_output = 'escape'`,
	`extra_float_digits = -10`, `default_transaction_isolation = 'serializable'`, `default_transaction_deferrable = on`, `statement_timeout = '2s'`,
	`lock_timeout = '50ms'`, `idle_in_transaction_session_timeout = '1s'`, `row_security = off`, `client_encoding = 'LATIN1'`,
	`standard_conforming_strings = off`, `escape_string_warning = on`, `xmlbinary = 'hex'`, `array_nulls = off`, `transform_null_equals = on`,
}

// set gives the database settings of its own, for all later connections.
func (h *house) set(settings ...string) {
	h.T.Helper()
	name := pgx.Identifier{h.Pool.Config().ConnConfig.Database}.Sanitize()
	for _, s := range settings {
		h.Exec("ALTER DATABASE " + name + " SET " + s)
	}
}

// namesakes makes empty tables of other people with the names of ours.
func (h *house) namesakes() {
	h.T.Helper()
	h.Exec(`CREATE SCHEMA app`)
	rows, _ := h.Pool.Query(h.T.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'`)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.T.Fatal(err)
	}
	for _, name := range names {
		h.Exec(`CREATE TABLE app.` + name + ` (id integer, other text)`)
	}
}

// through has the service's connections led through a pooler, with an exec mode.
func (h *house) through(pooler, mode string) {
	h.T.Helper()
	direct := h.URL
	if pooler != "" {
		direct = stacktest.Pooler(h.T, direct, pooler)
	}
	u, err := url.Parse(direct)
	if err != nil {
		h.T.Fatal(err)
	}
	q := u.Query()
	if mode != "" {
		q.Set("default_query_exec_mode", mode)
	}
	u.RawQuery = q.Encode()
	h.DB = rowstest.OpenDatabase(h.T, u.String())
}

func TestTheContractHoldsWhateverIsSetAndWhoeverIsBetween(t *testing.T) {
	t.Parallel()
	for _, pooler := range []string{"", "transaction", "session"} {
		for _, mode := range []string{"", "cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
			t.Run(fmt.Sprintf("pooler %s mode %s", pooler, mode), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				h.namesakes()
				h.set(unlike...)
				h.through(pooler, mode)
				contract(t, h)
			})
		}
	}
}

// An empty search_path is what PostgreSQL itself recommends for functions.
func TestTheContractHoldsWithoutASearchPath(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.set(`search_path = ''`, `DateStyle = 'German'`)
	h.through("", "exec")
	contract(t, h)
}

// contract goes through all that is read and written for a project.
func contract(t *testing.T, h *house) {
	t.Helper()
	r := h.replica(func(c *Config) {
		c.HeartbeatInterval = 300 * time.Millisecond
		c.Executions = noExecutions{}
		c.CodeInterval, c.CensusInterval = 200*time.Millisecond, 200*time.Millisecond
	})
	r.runner.onCheck = finds([]string{"a"}, "b")
	r.start()
	p, w := h.Shop(`it's "v1" \ ü`)
	c := h.Component(p, "score", "score v1")
	shared := h.Component("", "mail", "mail v1")
	h.Exec(`UPDATE public.workflows SET definition = jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('data', jsonb_build_object('componentId', $2::text)))) WHERE id = $1`, w, shared)
	r.LookAt(p, time.Now())
	row := r.isStatus(p, rows.StatusRunning)
	if row.meta.Error != "" || len(row.meta.Workflows) != 1 || row.startedAt == nil || time.Since(*row.startedAt).Abs() > time.Hour {
		t.Errorf("the row says %+v", row)
	}
	r.isServing(p, shared, "mail v1")

	h.Exec(`UPDATE public.workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE public.components SET implementation_code = 'BROKEN' WHERE id = $1`, c)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2")
	eventually(t, func() error {
		if got := h.row("replica-a", p); got.meta.Error == "" {
			return errors.New("the row doesn't say that a component is broken")
		}
		return nil
	})
	for _, action := range []string{rows.ActionRestart, rows.ActionStop, rows.ActionStart} {
		request := h.Request(p, action)
		r.LookAt(p, time.Now())
		if a := h.isAnswered(request); a.status != rows.RequestCompleted || a.startedAt == nil || a.completedAt.Before(*a.startedAt) {
			t.Fatalf("%s: %+v", action, a)
		}
	}
	r.isStatus(p, rows.StatusRunning)
	request := h.asks(p, rows.ActionMigrate, w, "", "")
	r.LookAt(p, time.Now())
	if a := h.isAnswered(request); a.status != rows.RequestCompleted || h.result(request).Moved != 1 {
		t.Errorf("migrate: %+v", a)
	}
	var before time.Time
	eventually(t, func() error {
		now := *h.row("replica-a", p).heartbeat
		if before.IsZero() {
			before = now
		}
		if !now.After(before) {
			return errors.New("no heartbeat")
		}
		return nil
	})
	for _, query := range []string{
		`SELECT count(*) > 3 FROM public.worker_events WHERE project_id = $1 AND jsonb_typeof(details) = 'object'`,
		`SELECT count(*) >= 3 FROM public.workflow_code_store WHERE project_id = $1`,
		`SELECT count(*) = 3 FROM public.workflow_live_code WHERE project_id = $1`,
		`SELECT count(*) = 1 FROM public.workflow_live_periods WHERE project_id = $1 AND ended_at IS NULL AND began_at > now() - interval '1 hour'`,
	} {
		if !one[bool](h, query, p) {
			t.Errorf("not so: %s", query)
		}
	}
	statistics := upkeep.NewStatistics(h.DB, time.Hour, stacktest.Logger(t), deafObserver{})
	statistics.ActivityExecuted(p, "score", 20*time.Millisecond, false)
	ended, end := context.WithCancel(t.Context())
	end()
	statistics.Run(ended) // the end writes what was counted
	if !one[bool](h, `SELECT count(*) = 1 FROM public.activity_statistics WHERE project_id = $1 AND avg_duration_ms = 20`, p) {
		t.Error("no statistics")
	}
	stored, err := r.store.GetAll(t.Context(), p, []string{one[string](h, `SELECT hash FROM public.workflow_live_code WHERE source_id = $1`, w)})
	if err != nil || len(stored) != 1 {
		t.Errorf("the stored code: %v, %v", stored, err)
	}
	if err := r.stop(); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if got := h.row("replica-a", p); got.status != rows.StatusStopped || got.stoppedAt == nil {
		t.Errorf("after the shutdown: %+v", got)
	}
	if got := r.seen.get(); got.failed != 0 {
		t.Errorf("%d of %d passes failed", got.failed, got.passes)
	}
}

// noExecutions is a Temporal that has none.
type noExecutions struct{}

func (noExecutions) Count(context.Context, []string, time.Time, time.Time) (int64, error) {
	return 0, nil
}

func (noExecutions) CountBegun(context.Context, string, []string, time.Time, time.Time) (int64, error) {
	return 0, nil
}

func (noExecutions) Closed(context.Context, replay.Execution) (time.Time, bool, error) {
	return time.Time{}, false, nil
}

// A worker whose row can't be written for a while isn't dead: somebody's trigger
// refuses what we say, here, as a full disk or a conflict would.
func TestARowThatCannotBeWrittenHasItsHeartbeat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	a := h.work(func(c *Config) { c.HeartbeatInterval = 400 * time.Millisecond })
	a.isStatus(p, rows.StatusRunning)
	a.quietDown()
	h.Exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$`)
	h.Exec(`CREATE TRIGGER refuse BEFORE UPDATE OF metadata ON workflow_workers FOR EACH ROW EXECUTE FUNCTION refuse()`)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	a.LookAt(p, time.Now())
	a.isServing(p, w, "v2")
	eventually(t, func() error { return expect(a.seen.get().failed > 0, true) })
	b := h.second(func(c *Config) { c.HeartbeatInterval = 400 * time.Millisecond }).start()
	b.quietDown()
	began := one[time.Time](h, `SELECT clock_timestamp()`)
	eventually(t, func() error { // longer than it takes to be called dead
		if since := h.row("replica-a", p).heartbeat.Sub(began); since < 3*a.cfg.deadAfter()/2 {
			return fmt.Errorf("the last heartbeat is of %s after", since)
		}
		return nil
	})
	if got := h.row("replica-a", p); got.status != rows.StatusRunning {
		t.Errorf("a living replica's row says %s: %s", got.status, got.meta.Error)
	}
	h.Exec(`DROP TRIGGER refuse ON workflow_workers`)
	eventually(t, func() error {
		for _, w := range h.row("replica-a", p).meta.Workflows {
			if w.Hash == hashOf("v2\x00") {
				return nil
			}
		}
		return errors.New("the row doesn't say what is live")
	})
}

// Somebody looks at one row in a transaction that stays open.
func TestALockOnOneRowDoesNotMakeAReplicaDead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	q, _ := h.Shop("v1")
	interval := func(c *Config) { c.HeartbeatInterval = 400 * time.Millisecond }
	a := h.work(interval)
	a.isStatus(p, rows.StatusRunning)
	a.isStatus(q, rows.StatusRunning)
	b := h.second(interval).start()
	b.isStatus(p, rows.StatusRunning)
	tx, err := h.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `SELECT FROM workflow_workers WHERE worker_id = $1 FOR UPDATE`, rows.WorkerID("replica-a", p)); err != nil {
		t.Fatal(err)
	}
	began := one[time.Time](h, `SELECT clock_timestamp()`)
	eventually(t, func() error {
		if since := h.row("replica-a", q).heartbeat.Sub(began); since < 3*a.cfg.deadAfter()/2 {
			return fmt.Errorf("the other row's last heartbeat is of %s after", since)
		}
		return nil
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if since := h.row("replica-a", p).heartbeat.Sub(began); since < a.cfg.deadAfter() {
			return fmt.Errorf("the row's last heartbeat is of %s after", since)
		}
		return nil
	})
	for _, project := range []string{p, q} {
		if got := h.row("replica-a", project); got.status != rows.StatusRunning || got.meta.Error != "" {
			t.Errorf("a living replica's row says %s: %s", got.status, got.meta.Error)
		}
	}
}

func (noExecutions) Failing(context.Context, replay.Execution) (bool, error) { return false, nil }
