package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack/stacktest"
)

// The service does all of its work through PgBouncer, whatever exec mode its URL
// names, on a database whose settings are unlike ours and which it migrates itself.
func TestTheServiceWorksThroughPgBouncerInEveryMode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	for _, pooler := range []string{"transaction", "session"} {
		for _, mode := range []string{"", "cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
			t.Run(fmt.Sprintf("%s pooling, mode %s", pooler, mode), func(t *testing.T) {
				t.Parallel()
				direct := stacktest.Database(t)
				setUnlike(t, direct)
				through, err := url.Parse(stacktest.Pooler(t, direct, pooler))
				if err != nil {
					t.Fatal(err)
				}
				if mode != "" {
					q := through.Query()
					q.Set("default_query_exec_mode", mode)
					through.RawQuery = q.Encode()
				}
				worksAll(t, direct, through.String())
			})
		}
	}
}

// The same without a pooler.
func TestTheServiceWorksWhateverTheDatabaseHasSet(t *testing.T) {
	t.Parallel()
	direct := stacktest.Database(t)
	setUnlike(t, direct)
	worksAll(t, direct, direct)
}

// setUnlike gives a database settings under which much would come out wrong, and
// somebody else's tables of our names.
func setUnlike(t *testing.T, databaseURL string) {
	t.Helper()
	b := newBuilder(t, databaseURL)
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(`CREATE SCHEMA app`)
	for _, table := range []string{"projects", "workflows", "components", "worker_requests", "workflow_workers", "workflow_code_store"} {
		b.exec(`CREATE TABLE app.` + table + ` (id integer, other text)`)
	}
	for _, setting := range []string{
		`search_path = app, public`, `DateStyle = 'German'`, `TimeZone = 'Asia/Kolkata'`, `default_transaction_isolation = 'serializable'`,
		`client_encoding = 'LATIN1'`, `standard_conforming_strings = off`, `bytea_output = 'escape'`, `statement_timeout = '10s'`,
	} {
		b.exec(`ALTER DATABASE ` + config.Database + ` SET ` + setting)
	}
}

// worksAll has a service do what it is for: the rows are written directly, the
// service reads and writes them as it was told to.
func worksAll(t *testing.T, direct, through string) {
	t.Helper()
	s := startService(t, through, "REPLICATION_DATABASE_URL="+direct, "RESYNC_INTERVAL=1h", "LOG_LEVEL=info")
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", "public") // the UI's own
	q.Set("default_transaction_isolation", "read committed")
	q.Set("client_encoding", "UTF8")
	q.Set("DateStyle", "ISO")
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	p := newBuilder(t, u.String()).project()
	p.component("double", `export async function double(n: number) { return 2 * n }`)
	w := p.workflow("add", `import { proxyActivities } from '@temporalio/workflow';
		const { double } = proxyActivities({ startToCloseTimeout: '1 minute' });
		export async function add(n: number) { return 'ü' + (await double(n) + 1) }`)
	p.running(liveVersion("add", "1"))
	p.returns("add", "ü7", 3)
	p.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, `export async function add(n: number) { return 'v2' }`)
	p.running(liveVersion("add", "2"))
	p.returns("add", "v2", 3)
	for _, action := range []string{"restart", "stop", "start"} {
		if status, reason := p.request(action); status != "completed" {
			t.Errorf("%s: %s, %s", action, status, reason)
		}
	}
	p.running(liveVersion("add", "2"))
	eventually(t, "the statistics are written", func() error {
		var n int
		err := p.db.QueryRow(t.Context(), `SELECT execution_count FROM activity_statistics WHERE project_id = $1 AND activity_name = 'double'`, p.id).Scan(&n)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d executions", n)
		}
		return err
	})
	eventually(t, "health is well", s.health(http.StatusOK, `"status":"ok"`, `"streaming"`))
	began := time.Now()
	if code := s.stop(syscall.SIGTERM); code != 0 || time.Since(began) > 25*time.Second {
		t.Errorf("ended with %d after %s", code, time.Since(began))
	}
	if got, err := p.worker(); err != nil || got.Status != "stopped" {
		t.Errorf("after the end: %+v, %v", got, err)
	}
	for _, wrong := range []string{"SQLSTATE", "prepared statement \\\""} { // as PostgreSQL names one
		if strings.Contains(s.output(), wrong) {
			t.Errorf("%s in the log:\n%s", wrong, s.output())
		}
	}
}

// returns runs an execution and wants its result.
func (p *project) returns(name, want string, args ...any) {
	p.t.Helper()
	var got string
	if err := p.start(name, args...).Get(p.t.Context(), &got); err != nil || got != want {
		p.t.Fatalf("%s returned %q, %v; want %q", name, got, err, want)
	}
}
