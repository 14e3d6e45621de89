package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

// builder writes rows as the Workflow Builder's UI does, and reads what comes back.
type builder struct {
	t  testing.TB
	db *pgxpool.Pool
}

func newBuilder(t testing.TB, databaseURL string) *builder {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &builder{t, pool}
}

func (b *builder) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

// project is one project's rows.
type project struct {
	*builder
	id        string
	taskQueue string
	temporal  client.Client
	timedOut  *atomic.Int64 // workflow tasks, of those that noFailedTasks looked at; nil: none may
}

func (b *builder) project() *project {
	b.t.Helper()
	p := &project{builder: b, id: uuid.NewString(), taskQueue: stacktest.TaskQueue(b.t), temporal: stacktest.TemporalClient(b.t), timedOut: new(atomic.Int64)}
	b.exec(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, $2, $3)`, p.id, b.t.Name(), p.taskQueue)
	return p
}

// workflow is one workflow's rows.
type workflow struct {
	*project
	id, name, codeID string
}

// workflow inserts a workflow with its first version, in one transaction.
func (p *project) workflow(name, code string) *workflow {
	p.t.Helper()
	w := &workflow{p, uuid.NewString(), name, ""}
	err := pgx.BeginFunc(p.t.Context(), p.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(p.t.Context(), `INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, $3, $3)`, w.id, p.id, name); err != nil {
			return err
		}
		return tx.QueryRow(p.t.Context(), `INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) VALUES ($1, '1', $2) RETURNING id`, w.id, code).Scan(&w.codeID)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return w
}

func (p *project) component(name, code string) string {
	p.t.Helper()
	id := uuid.NewString()
	p.exec(`INSERT INTO components (id, project_id, name, implementation_language, implementation_code) VALUES ($1, $2, $3, 'typescript', $4)`, id, p.id, name, code)
	return id
}

// request asks for a start, stop or restart and waits for the answer: status and error.
func (p *project) request(action string) (status, reason string) {
	p.t.Helper()
	id := uuid.NewString()
	p.exec(`INSERT INTO worker_requests (id, project_id, action) VALUES ($1, $2, $3)`, id, p.id, action)
	eventually(p.t, action+" is answered", func() error {
		err := p.db.QueryRow(p.t.Context(), `SELECT status, coalesce(error, '') FROM worker_requests WHERE id = $1`, id).Scan(&status, &reason)
		if err == nil && status != "completed" && status != "failed" {
			err = errors.New(status)
		}
		return err
	})
	return status, reason
}

// workerRow is what the UI sees of a worker.
type workerRow struct {
	WorkerID, Status string
	StartedAt        *time.Time
	Metadata         rows.Metadata
}

// worker reads the project's newest worker row.
func (p *project) worker() (workerRow, error) {
	var w workerRow
	var metadata []byte
	err := p.db.QueryRow(p.t.Context(), `SELECT worker_id, status, started_at, metadata FROM workflow_workers WHERE project_id = $1 ORDER BY updated_at DESC LIMIT 1`, p.id).
		Scan(&w.WorkerID, &w.Status, &w.StartedAt, &metadata)
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal(metadata, &w.Metadata)
}

// running waits for the worker to run and for f to accept its row.
func (p *project) running(f func(workerRow) error) workerRow {
	p.t.Helper()
	var w workerRow
	eventually(p.t, "the worker runs as wanted", func() (err error) {
		if w, err = p.worker(); err != nil {
			return err
		}
		if w.Status != "running" {
			return fmt.Errorf("status %s: %+v", w.Status, w.Metadata)
		}
		if f != nil {
			return f(w)
		}
		return nil
	})
	return w
}

// source finds a workflow or component in the metadata.
func source(w workerRow, name string) (rows.SourceState, error) {
	for _, s := range append(w.Metadata.Workflows, w.Metadata.Components...) {
		if s.Name == name {
			return s, nil
		}
	}
	return rows.SourceState{}, fmt.Errorf("%q is not in %+v", name, w.Metadata)
}

// liveVersion accepts rows on which the workflow's live version is as given.
func liveVersion(name, version string) func(workerRow) error {
	return func(w workerRow) error {
		s, err := source(w, name)
		if err == nil && s.Version != version {
			err = fmt.Errorf("version %q of %s is live, not %q (%+v)", s.Version, name, version, s.Error)
		}
		return err
	}
}

// start begins an execution.
func (p *project) start(workflowType string, args ...any) client.WorkflowRun {
	p.t.Helper()
	run, err := p.temporal.ExecuteWorkflow(p.t.Context(), client.StartWorkflowOptions{
		ID: workflowType + "-" + uuid.NewString(), TaskQueue: p.taskQueue, WorkflowExecutionTimeout: 5 * time.Minute,
	}, workflowType, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return run
}

// result waits for an execution's result.
func result[T any](p *project, run client.WorkflowRun) T {
	p.t.Helper()
	var out T
	ctx, cancel := context.WithTimeout(p.t.Context(), 90*time.Second)
	defer cancel()
	if err := run.Get(ctx, &out); err != nil {
		p.t.Fatalf("execution %s: %v\n%s", run.GetID(), err, p.describe(run))
	}
	return out
}

// run executes a workflow to its end.
func run[T any](p *project, workflowType string, args ...any) T {
	p.t.Helper()
	return result[T](p, p.start(workflowType, args...))
}

func (p *project) history(run client.WorkflowRun) []*historypb.HistoryEvent {
	p.t.Helper()
	var out []*historypb.HistoryEvent
	events := p.temporal.GetWorkflowHistory(context.WithoutCancel(p.t.Context()), run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			p.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// describe tells a failed test where an execution stands.
func (p *project) describe(run client.WorkflowRun) string {
	var out string
	for _, e := range p.history(run) {
		out += e.GetEventType().String()
		if f := e.GetWorkflowTaskFailedEventAttributes(); f != nil {
			out += ": " + f.GetFailure().GetMessage()
		}
		if f := e.GetActivityTaskFailedEventAttributes(); f != nil {
			out += ": " + f.GetFailure().GetMessage()
		}
		out += "\n"
	}
	return out
}

// lostTasks is how many workflow tasks of a project Temporal may lose in a test: it gives one to a
// poll that ends at that moment now and then, and it is given again once its time is over. What the
// service itself lets hang would be more.
const lostTasks = 2

// noFailedTasks checks that no worker failed a workflow task of the execution.
func (p *project) noFailedTasks(run client.WorkflowRun) {
	p.t.Helper()
	for _, e := range p.history(run) {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			if wire.ServersOwn(e) {
				continue
			}
			if e.GetWorkflowTaskTimedOutEventAttributes() != nil && p.timedOut != nil && p.timedOut.Add(1) <= lostTasks {
				p.t.Logf("a workflow task of execution %s was not answered in its time", run.GetID())
				continue
			}
			p.t.Errorf("%s in execution %s:\n%s", e.GetEventType(), run.GetID(), p.describe(run))
			return
		}
	}
}
