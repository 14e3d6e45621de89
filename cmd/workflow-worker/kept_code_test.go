package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
)

// turning is a workflow that does something first, and has a task for each signal.
func turning(first, version string) string {
	return strings.Replace(before(first, version, `return '`+version+`';`), "setHandler(defineQuery('version')",
		"setHandler(defineSignal('turn'), () => {});\n setHandler(defineQuery('version')", 1)
}

// Nobody tried the executions before: the code was live already when the row began to want them to
// move.
func TestExecutionsThatKeepTheirCodeAreSeen(t *testing.T) {
	t.Parallel()
	const crowd = 25
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "HEARTBEAT_INTERVAL=1s")
	p := newBuilder(t, db).project()
	p.workflow("kid", `export async function kid() {}`)
	w := p.workflow("flow", turning(oneTimer, "v1"))
	p.running(liveVersion("flow", "1"))
	var runs []client.WorkflowRun
	for range crowd {
		runs = append(runs, p.start("flow"))
	}
	for _, run := range runs {
		p.version(run.GetID(), "", "v1")
	}
	w.edit("2", turning(oneChild, "v2"))
	p.exec(`UPDATE workflows SET versioning_behavior = 'auto_upgrade' WHERE id = $1`, w.id)
	p.running(func(row workerRow) error {
		if f, err := source(row, "flow"); err != nil || f.VersioningBehavior != "auto_upgrade" || len(f.KeptCode) > 0 {
			return fmt.Errorf("%+v, %w", f, err)
		}
		return nil
	})
	turn := func() {
		for _, run := range runs {
			if err := p.temporal.SignalWorkflow(t.Context(), run.GetID(), "", "turn", nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := func(executions int64) rows.KeptCode {
		t.Helper()
		var f rows.SourceState
		p.running(func(row workerRow) (err error) {
			if f, err = source(row, "flow"); err != nil {
				return err
			}
			if len(f.KeptCode) != 1 || f.KeptCode[0].Executions != executions {
				return fmt.Errorf("%+v, want %d executions", f.KeptCode, executions)
			}
			return nil
		})
		return f.KeptCode[0]
	}

	t.Log("the row says how many, of which an example, and why")
	turn()
	stayed := seen(crowd)
	f, err := source(p.running(liveVersion("flow", "2")), "flow")
	if err != nil {
		t.Fatal(err)
	}
	x := stayed.Example
	if stayed.Version != "2" || stayed.Hash != f.Hash || stayed.Since.IsZero() || x.Event == 0 ||
		x.Reason != "the history has a command of kind Timer, and the code doesn't give it" {
		t.Errorf("%+v", stayed)
	}
	if !isOneOf(runs, x.WorkflowID, x.RunID) {
		t.Errorf("the example is %+v", x)
	}

	t.Log("an event or two say it, however many they are")
	var events int
	var message string
	eventually(t, "the event is there", func() error {
		err := p.db.QueryRow(t.Context(), `SELECT count(*), max(message) FROM worker_events WHERE project_id = $1 AND kind = 'stayed'`, p.id).Scan(&events, &message)
		if err == nil && events == 0 {
			err = errors.New("none")
		}
		return err
	})
	if events > 2 || !strings.Contains(message, "executions of workflow flow keep their code: version 2 (") || !strings.Contains(message, x.Reason) {
		t.Errorf("%d events, the last says %q", events, message)
	}
	if _, body, err := s.get("/metrics"); err != nil || !strings.Contains(body, fmt.Sprintf("workflow_worker_executions_stayed_total %d\n", crowd)) {
		t.Errorf("the metric doesn't say it: %v", err)
	}

	t.Log("they are the same after a restart, and once they turned again")
	s.stop(syscall.SIGTERM)
	startService(t, db, "HEARTBEAT_INTERVAL=1s")
	seen(crowd)
	turn()
	for _, run := range runs {
		p.version(run.GetID(), "", "v1")
	}
	if again := seen(crowd); again.Example != stayed.Example || !again.Since.Equal(stayed.Since) {
		t.Errorf("%+v, was %+v", again, stayed)
	}

	t.Log("those that end are forgotten, the others go on with code that fits")
	p.goOn(runs[0].GetID())
	if got := result[string](p, runs[0]); got != "v1" {
		t.Errorf("it ended with %q", got)
	}
	seen(crowd - 1)
	w.edit("3", turning(oneTimer, "v3"))
	p.running(func(row workerRow) error {
		if f, err := source(row, "flow"); err != nil || len(f.KeptCode) > 0 {
			return fmt.Errorf("%+v, %w", f.KeptCode, err)
		}
		return nil
	})
	for _, run := range runs[1:] {
		p.goOn(run.GetID())
	}
	for _, run := range runs[1:] {
		if got := result[string](p, run); got != "v3" {
			t.Errorf("it ended with %q", got)
		}
		p.noFailedTasks(run)
	}
	p.noFailedTasks(runs[0])
}
