package rows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
	"workflow-worker/runtime"
)

// ProjectStatus is a row of the view project_status, for people and programs.
type ProjectStatus struct {
	ProjectID         string         `json:"project_id"`
	Name              string         `json:"name"`
	TaskQueue         string         `json:"task_queue_name"`
	ShouldRun         bool           `json:"should_run"`
	Status            string         `json:"status"`
	ReplicasRunning   int            `json:"replicas_running"`
	ReplicasAlive     int            `json:"replicas_alive"`
	Error             string         `json:"error,omitempty"`
	Errors            int            `json:"errors"`
	Warnings          int            `json:"warnings"`
	FailingExecutions int64          `json:"failing_executions"`
	Live              []LiveWorkflow `json:"live"`
	LastReloadAt      *time.Time     `json:"last_reload_at,omitempty"`
	LastReloadCause   string         `json:"last_reload_cause,omitempty"`
	LastHeartbeat     *time.Time     `json:"last_heartbeat,omitempty"`
}

// LiveWorkflow is a workflow's live version.
type LiveWorkflow struct {
	Workflow string     `json:"workflow"`
	Version  string     `json:"version"`
	Since    *time.Time `json:"since,omitempty"`
}

// Well says that a project is as its rows want it.
func (p ProjectStatus) Well() bool {
	if !p.ShouldRun {
		return p.Status == StatusStopped
	}
	return p.Status == StatusRunning && p.Error == "" && p.Errors == 0 && p.FailingExecutions == 0
}

const projectStatusSQL = `
SELECT project_id::text, name, task_queue_name, should_run, status, replicas_running, replicas_alive, coalesce(error, ''), errors, warnings,
  failing_executions::bigint, live, last_reload_at, coalesce(last_reload_cause, ''), last_heartbeat
FROM public.project_status WHERE $1 = '' OR project_id::text = lower($1) OR name = $1 OR task_queue_name = $1
ORDER BY name, project_id`

// ReadProjectStatus says how projects are: the one of an id, a name or a task queue, or, for "",
// all.
func ReadProjectStatus(ctx context.Context, db DB, project string) ([]ProjectStatus, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	found, err := db.Query(ctx, projectStatusSQL, project)
	if err != nil {
		return nil, fmt.Errorf("read project_status: %w", err)
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (p ProjectStatus, err error) {
		err = row.Scan(&p.ProjectID, &p.Name, &p.TaskQueue, &p.ShouldRun, &p.Status, &p.ReplicasRunning, &p.ReplicasAlive, &p.Error, &p.Errors, &p.Warnings,
			&p.FailingExecutions, &p.Live, &p.LastReloadAt, &p.LastReloadCause, &p.LastHeartbeat)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read project_status: %w", err)
	}
	return list, nil
}

// ErrNoProject is that of a project that isn't there.
var ErrNoProject = errors.New("there is no such project")

// ProjectIDs gives the ids of projects: the one of an id, a name or a task queue, or, for "", all.
// More than one of a name is an error, which tells the ids.
func ProjectIDs(ctx context.Context, db DB, project string) ([]string, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	found, err := db.Query(ctx, `SELECT id::text FROM public.projects
WHERE $1 = '' OR id::text = lower($1) OR name = $1 OR task_queue_name = $1 ORDER BY 1`, project)
	if err != nil {
		return nil, fmt.Errorf("look for project %q: %w", project, err)
	}
	ids, err := pgx.CollectRows(found, pgx.RowTo[string])
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for project %q: %w", project, err)
	case project != "" && len(ids) == 0:
		return nil, fmt.Errorf("project %q: %w", project, ErrNoProject)
	case project != "" && len(ids) > 1:
		return nil, fmt.Errorf("project %q is more than one: name one of the ids %s", project, strings.Join(ids, ", "))
	}
	return ids, nil
}

// ReadProject gives what a project's rows say that it should serve.
func ReadProject(ctx context.Context, pool *database.Pool, id string) (runtime.Project, error) {
	b := &pgx.Batch{}
	glanced := QueueGlance(b, PlainIdentity, id, nil)
	answer := QueueSnapshot(b, id, false)
	if err := pool.SendBatch(ctx, b); err != nil {
		return runtime.Project{}, fmt.Errorf("read project %s: %w", id, err)
	}
	return answer(glanced()).Project, nil
}
