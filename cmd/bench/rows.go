package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/docker/stack"
)

// rows writes what the Workflow Builder's UI writes, and reads what comes back.
type rows struct{ pool *pgxpool.Pool }

// project is one project with one workflow row and one component.
type project struct {
	id, workflowID, codeID string
	taskQueue              string
}

func newProject() project {
	id := uuid.NewString()
	return project{id: id, workflowID: uuid.NewString(), codeID: uuid.NewString(), taskQueue: "bench-" + id}
}

func (p project) remark() string { return "\n// project " + p.id + "\n" }

// add inserts n projects in one transaction and says when it was committed: the
// moment before the commit was asked for. Each project's texts are its own, since
// equal ones might share memory in the service, which real projects' don't.
func (r *rows) add(ctx context.Context, n int, code string) (added []project, committed time.Time, err error) {
	tx, err := r.pool.Begin(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing to do after Commit
	var batch pgx.Batch
	for range n {
		p := newProject()
		batch.Queue(`INSERT INTO projects (id, name, task_queue_name) VALUES ($1, $2, $3)`, p.id, "Bench "+p.id[:8], p.taskQueue)
		batch.Queue(`INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, 'version-of', 'Version')`, p.workflowID, p.id)
		batch.Queue(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code) VALUES ($1, $2, '1.0.0', $3)`, p.codeID, p.workflowID, code+p.remark())
		batch.Queue(`INSERT INTO components (project_id, name, implementation_language, implementation_code) VALUES ($1, 'echo', 'typescript', $2)`, p.id, echoComponent+p.remark())
		added = append(added, p)
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, time.Time{}, fmt.Errorf("insert projects: %w", err)
	}
	committed = time.Now()
	return added, committed, tx.Commit(ctx)
}

// addComponent inserts one more component of a project.
func (r *rows) addComponent(ctx context.Context, p project, name, code string) error {
	_, err := r.pool.Exec(ctx, `INSERT INTO components (project_id, name, implementation_language, implementation_code) VALUES ($1, $2, 'typescript', $3)`,
		p.id, name, code+p.remark())
	if err != nil {
		return fmt.Errorf("insert component %s: %w", name, err)
	}
	return nil
}

// change replaces the text of a project's workflow in place, as the UI does.
func (r *rows) change(ctx context.Context, p project, version, code string) (committed time.Time, err error) {
	tx, err := r.pool.Begin(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing to do after Commit
	if _, err := tx.Exec(ctx, `UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, p.codeID, version, code); err != nil {
		return time.Time{}, fmt.Errorf("change code: %w", err)
	}
	committed = time.Now()
	return committed, tx.Commit(ctx)
}

// waitRunning waits until n workers' rows say running and returns when that was seen.
func (r *rows) waitRunning(ctx context.Context, n int) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("%d projects do not run after two minutes", n))
	defer cancel()
	// Each look costs the database what it costs to start half a project.
	every := 10 * time.Millisecond
	if n >= 100 {
		every = 50 * time.Millisecond
	}
	err := stack.WaitFor(ctx, every, func() (bool, error) {
		var running int
		err := r.pool.QueryRow(ctx, `SELECT count(*) FROM workflow_workers WHERE status = 'running'`).Scan(&running)
		return running >= n, err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("%w; %s", err, r.complaint(context.WithoutCancel(ctx)))
	}
	return time.Now(), nil
}

// complaint is what the workers' rows say is wrong, for an error message.
func (r *rows) complaint(ctx context.Context) string {
	var status, metadata string
	err := r.pool.QueryRow(ctx, `SELECT status, left(metadata::text, 600) FROM workflow_workers
		WHERE status <> 'running' OR metadata ? 'error' ORDER BY updated_at DESC LIMIT 1`).Scan(&status, &metadata)
	if err != nil {
		return "no worker's row says why"
	}
	return fmt.Sprintf("a worker's row says %s: %s", status, metadata)
}

// liveSince is when the service says that a version of p's workflow went live.
func (r *rows) liveSince(ctx context.Context, p project, version string) (since time.Time, err error) {
	const query = `SELECT (source->>'since')::timestamptz FROM workflow_workers, jsonb_array_elements(metadata->'workflows') AS source
		WHERE project_id = $1 AND status = 'running' AND source->>'version' = $2`
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fmt.Errorf("no worker's row names version %s as live", version))
	defer cancel()
	err = stack.WaitFor(ctx, 2*time.Millisecond, func() (bool, error) {
		found, err := r.pool.Query(ctx, query, p.id, version)
		if err != nil {
			return false, err
		}
		times, err := pgx.CollectRows(found, pgx.RowTo[time.Time])
		if len(times) > 0 {
			since = times[0]
		}
		return len(times) > 0, err
	})
	return since, err
}
