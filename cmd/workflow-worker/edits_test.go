package main

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
)

var edits = flag.Int("edits", 60, "edits in the storm of one each 100 ms; for a minute of it: make test PKGS=./cmd/workflow-worker TESTFLAGS='-run Storm -edits 600'")

// Somebody who edits all the time: the newest version wins in the end, and what runs meanwhile
// never notices.
func TestAStormOfEditsEndsOnTheNewestAndFailsNoTask(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	w := p.workflow("versioned-flow", versioned("v0"))
	before := p.running(nil)
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() { p.keepBusy(stop) })
	every := time.NewTicker(100 * time.Millisecond) // the rate of the storm
	defer every.Stop()
	for i := 1; i <= *edits; i++ {
		<-every.C
		p.exec(`UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, w.codeID, fmt.Sprint(i), versioned(fmt.Sprintf("v%d", i)))
	}
	after := p.running(liveVersion("versioned-flow", fmt.Sprint(*edits)))
	close(stop)
	load.Wait() // which checks that no task failed
	if got, want := run[string](p, "versionedFlow", false), fmt.Sprintf("v%d Processed: v%[1]d", *edits); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !after.StartedAt.Equal(*before.StartedAt) {
		t.Error("the worker was restarted")
	}
	if strings.Contains(s.output(), "a project can't take its new code") {
		t.Error("a reload failed")
	}
}

// One transaction that edits 200 workflows of a project is one change: one reload, and the new code
// everywhere. The same as 200 transactions is fewer reloads than that. What runs meanwhile goes on.
func TestABulkEditIsOneChange(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	const rows = 200
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	p.exec(`
		WITH w AS (INSERT INTO workflows (project_id, kebab_name) SELECT $1, 'flow-' || i FROM generate_series(1, $2::int) i RETURNING id, kebab_name)
		INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code)
		SELECT id, '1', 'export default async function flow() { return "' || kebab_name || ' v1" }' FROM w`, p.id, rows)
	all := func(version string) func(workerRow) error {
		return func(w workerRow) error {
			n := 0
			for _, s := range w.Metadata.Workflows {
				if s.Version == version && s.Error == nil && strings.HasPrefix(s.Name, "flow-") {
					n++
				}
			}
			if n != rows {
				return fmt.Errorf("%d workflows are live in version %s", n, version)
			}
			return nil
		}
	}
	waits := p.workflow("waits", flow("waits", "v1", `return 'v1';`))
	p.running(all("1"))
	p.running(liveVersion("waits", "1"))
	open := p.start("waits")
	p.version(open.GetID(), "", "v1")
	reloads := func() (n int) {
		t.Helper()
		if err := p.db.QueryRow(t.Context(), `SELECT count(*) FROM worker_events WHERE project_id = $1 AND kind = 'reloaded'`, p.id).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := reloads()
	p.exec(`UPDATE workflow_compiled_code c SET version = '2', workflow_code = replace(workflow_code, 'v1', 'v2')
		FROM workflows w WHERE w.id = c.workflow_id AND w.project_id = $1`, p.id)
	p.running(all("2"))
	for _, name := range []string{"flow-1", "flow-100", "flow-200"} {
		if got := run[string](p, name); got != name+" v2" {
			t.Errorf("%s = %q", name, got)
		}
	}
	if n := reloads() - before; n != 1 {
		t.Errorf("%d reloads for one edit", n)
	}
	for i := range rows {
		p.exec(`UPDATE workflow_compiled_code c SET version = '3', workflow_code = replace(workflow_code, 'v2', 'v3')
			FROM workflows w WHERE w.id = c.workflow_id AND w.project_id = $1 AND w.kebab_name = 'flow-' || $2::int`, p.id, i+1)
	}
	waits.edit("3", flow("waits", "v3", `return 'v3';`))
	p.running(all("3"))
	for _, name := range []string{"flow-1", "flow-100", "flow-200"} {
		if got := run[string](p, name); got != name+" v3" {
			t.Errorf("%s = %q", name, got)
		}
	}
	if n := reloads() - before; n >= rows {
		t.Errorf("%d reloads for %d edits", n, rows)
	}
	p.goOn(open.GetID())
	if got := result[string](p, open); got != "v1" {
		t.Errorf("the open execution ended with %q", got)
	}
	p.undisturbed(open)
}
