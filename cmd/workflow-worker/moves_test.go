package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
)

// asks makes a check or migrate request about the workflow and waits for the answer; execution and
// target may be "".
func (w *workflow) asks(action, execution, target string) (status, reason string, result rows.Result) {
	w.t.Helper()
	id := uuid.NewString()
	w.exec(`INSERT INTO worker_requests (id, project_id, action, workflow_id, execution_workflow_id, target_version)
		VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''))`, id, w.project.id, action, w.id, execution, target)
	var found []byte
	eventually(w.t, action+" is answered", func() error {
		err := w.db.QueryRow(w.t.Context(), `SELECT status, coalesce(error, ''), coalesce(result, '{}') FROM worker_requests WHERE id = $1`, id).
			Scan(&status, &reason, &found)
		if err == nil && status != "completed" && status != "failed" {
			err = errors.New(status)
		}
		return err
	})
	if err := json.Unmarshal(found, &result); err != nil {
		w.t.Fatal(err)
	}
	return status, reason, result
}

// superseded waits until the row says how many executions are on which older versions.
func (w *workflow) superseded(want string) {
	w.t.Helper()
	w.running(func(row workerRow) error {
		s, err := source(row, w.name)
		var words []string
		for _, old := range s.Superseded {
			words = append(words, fmt.Sprintf("%s: %d", old.Version, old.Executions))
		}
		if got := strings.Join(words, ", "); err == nil && got != want {
			err = fmt.Errorf("superseded %q, want %q", got, want)
		}
		return err
	})
}

// answers waits until a query on the execution is answered, whatever the answer.
func (p *project) answers(id string) {
	p.t.Helper()
	eventually(p.t, "a query is answered", func() error {
		_, err := p.temporal.QueryWorkflow(p.t.Context(), id, "", "version")
		return err
	})
}

// before is a workflow that does something, tells its version, and does something else after the
// signal "go".
func before(first, version, then string) string {
	return strings.Replace(flow("flow", version, then), "let go = false;", first+"\n let go = false;", 1)
}

// visible waits until Temporal's visibility has so many open executions of the project.
func (p *project) visible(n int64) {
	p.t.Helper()
	eventually(p.t, "visibility has the executions", func() error {
		found, err := p.temporal.CountWorkflow(p.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Query: fmt.Sprintf("TaskQueue = '%s' AND ExecutionStatus = 'Running'", p.taskQueue),
		})
		if err == nil && found.GetCount() != n {
			err = fmt.Errorf("%d executions", found.GetCount())
		}
		return err
	})
}

const oneTimer, oneChild = `await sleep(1);`, `await executeChild('kid');`

func TestMigrateMovesARunningExecutionAndBack(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "REMOVAL_GRACE=100ms")
	p := newBuilder(t, db).project()
	w := p.workflow("flow", before(oneTimer, "v1", `return 'v1';`))
	p.running(liveVersion("flow", "1"))
	moves, stays, back := p.start("flow"), p.start("flow"), p.start("flow")
	for _, run := range []string{moves.GetID(), stays.GetID(), back.GetID()} {
		p.version(run, "", "v1")
	}
	w.edit("2", before(oneTimer, "v2", `await sleep(1); return 'v2';`))
	late := p.start("flow")
	p.version(late.GetID(), "", "v2")

	t.Log("a check says what would fit, and moves nothing")
	p.visible(4)
	if status, reason, result := w.asks("check", "", ""); status != "completed" || result.Fits != 3 || result.Breaks != 0 || result.Target.Version != "2" {
		t.Errorf("%s, %s, %+v", status, reason, result)
	}
	p.version(moves.GetID(), "", "v1")

	w.superseded("1: 3")

	t.Log("migrate moves the one that is named")
	for _, run := range []string{moves.GetID(), back.GetID()} {
		if status, reason, result := w.asks("migrate", run, "2"); status != "completed" || result.Moved != 1 {
			t.Fatalf("%s, %s, %+v", status, reason, result)
		}
	}
	p.version(stays.GetID(), "", "v1")
	w.superseded("1: 1")

	t.Log("a move outlives the process")
	s.stop(syscall.SIGKILL)
	s = startService(t, db, "REMOVAL_GRACE=100ms")
	for _, run := range []string{moves.GetID(), stays.GetID(), back.GetID(), late.GetID()} {
		p.answers(run) // so that Temporal forgets the process that is gone
	}
	p.goOn(moves.GetID())
	if got := result[string](p, moves); got != "v2" {
		t.Errorf("the execution that moved ended with %q", got)
	}

	t.Log("a rollback is a move to what was before")
	for _, run := range []string{back.GetID(), late.GetID()} {
		if status, reason, result := w.asks("migrate", run, "1"); status != "completed" || result.Moved != 1 || result.Target.Version != "1" {
			t.Fatalf("%s, %s, %+v", status, reason, result)
		}
		p.goOn(run)
	}
	p.goOn(stays.GetID())
	if a, b, c := result[string](p, back), result[string](p, late), result[string](p, stays); a != "v1" || b != "v1" || c != "v1" {
		t.Errorf("the executions that went back, and the one that stayed, ended with %q, %q, %q", a, b, c)
	}
	p.noFailedTasks(moves)
	p.noFailedTasks(back)
	p.noFailedTasks(late)
	p.noFailedTasks(stays)
	if strings.Contains(s.output(), "panic") {
		t.Error("the service panicked")
	}
}

func TestAMigrateThatWouldBreakIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("kid", `export async function kid() {}`)
	w := p.workflow("flow", before(oneTimer, "v1", `return 'v1';`))
	p.running(liveVersion("flow", "1"))
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	w.edit("2", before(oneChild, "v2", `return 'v2';`))
	status, reason, found := w.asks("migrate", run.GetID(), "")
	if status != "failed" || !strings.Contains(reason, "it doesn't fit version 2") {
		t.Errorf("%s: %s", status, reason)
	}
	if len(found.Broken) != 1 || found.Broken[0].WorkflowID != run.GetID() || found.Broken[0].RunID != run.GetRunID() || found.Broken[0].Event == 0 || found.Broken[0].Reason == "" {
		t.Errorf("%+v", found)
	}
	for what, tt := range map[string]struct{ execution, target, reason string }{
		"an unknown execution": {"nobody", "", "nobody"},
		"an unknown version":   {run.GetID(), "7", `workflow flow has no version "7"; there are: 2`},
	} {
		if status, reason, _ := w.asks("migrate", tt.execution, tt.target); status != "failed" || !strings.Contains(reason, tt.reason) {
			t.Errorf("%s: %s, %s", what, status, reason)
		}
	}
	stranger := newBuilder(t, db).project()
	other := stranger.workflow("flow", before(oneTimer, "v1", `return 'v1';`))
	stranger.running(liveVersion("flow", "1"))
	if status, reason, _ := other.asks("migrate", run.GetID(), ""); status != "failed" || !strings.Contains(reason, "task queue") {
		t.Errorf("another project's execution: %s, %s", status, reason)
	}
	p.goOn(run.GetID())
	if got := result[string](p, run); got != "v1" {
		t.Errorf("the execution ended with %q", got)
	}
	p.noFailedTasks(run)
}

func TestExecutionsOfAnAutoUpgradeWorkflowTakeNewCodeThatFits(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("kid", `export async function kid() {}`)
	w := p.workflow("flow", before(oneTimer, "v1", `return 'v1';`))
	p.exec(`UPDATE workflows SET versioning_behavior = 'auto_upgrade' WHERE id = $1`, w.id)
	p.running(func(row workerRow) error {
		if f, err := source(row, "flow"); err != nil || f.VersioningBehavior != "auto_upgrade" {
			return fmt.Errorf("%+v, %w", f, err)
		}
		return nil
	})
	run := p.start("flow")
	p.version(run.GetID(), "", "v1")
	p.visible(1)

	t.Log("code that doesn't fit isn't live, and the row says whom it would break")
	p.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, before(oneChild, "v2", `return 'v2';`))
	refused := func(row workerRow) error {
		f, err := source(row, "flow")
		if err == nil && (f.Error == nil || len(f.Error.Broken) == 0) {
			err = fmt.Errorf("%+v", f)
		}
		return err
	}
	f, err := source(p.running(refused), "flow")
	if err != nil {
		t.Fatal(err)
	}
	if b := f.Error.Broken[0]; f.Version != "1" || f.Error.Version != "2" || b.WorkflowID != run.GetID() || b.RunID != run.GetRunID() || b.Event == 0 || b.Reason == "" {
		t.Errorf("%+v, %+v", f, f.Error)
	}
	var events int
	if err := p.db.QueryRow(t.Context(), `SELECT count(*) FROM worker_events WHERE project_id = $1 AND kind = 'refused_by_gate'`, p.id).Scan(&events); err != nil || events == 0 {
		t.Errorf("%d events, %v", events, err)
	}
	if _, body, err := s.get("/metrics"); err != nil || !strings.Contains(body, `workflow_worker_gate_refusals_total{of="edit"} 1`) {
		t.Errorf("the refusal isn't counted: %v", err)
	}
	p.version(run.GetID(), "", "v1")

	t.Log("a restart doesn't let it in either")
	s.stop(syscall.SIGKILL)
	startService(t, db)
	if f, err := source(p.running(refused), "flow"); err != nil || f.Version != "1" {
		t.Errorf("%+v, %v", f, err)
	}
	p.version(run.GetID(), "", "v1")

	t.Log("mended by patched(), it is live, and the execution goes on with it")
	mended := before(`if (patched('kid-instead')) { await executeChild('kid'); } else { await sleep(1); }`, "v3", `await executeChild('kid'); return 'v3';`)
	w.edit("3", strings.Replace(mended, "import {", "import { patched,", 1))
	p.running(func(row workerRow) error {
		if f, err := source(row, "flow"); err != nil || f.Error != nil {
			return fmt.Errorf("%+v, %w", f.Error, err)
		}
		return nil
	})
	p.goOn(run.GetID())
	if got := result[string](p, run); got != "v3" {
		t.Errorf("the execution ended with %q", got)
	}
	p.noFailedTasks(run)
	fresh := p.start("flow")
	p.goOn(fresh.GetID())
	if got := result[string](p, fresh); got != "v3" {
		t.Errorf("a new execution ended with %q", got)
	}
}
