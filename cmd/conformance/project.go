package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/docker/stack"
)

// callActivity is the workflow through which activities are called. Its name can't be a case's.
const callActivity = "callActivity"

const callActivityText = `import { scheduleActivity, scheduleLocalActivity } from '@temporalio/workflow';
export async function callActivity(name: string, { local, ...options }: any, ...args: unknown[]): Promise<unknown> {
  const given = { startToCloseTimeout: '30s', retry: { maximumAttempts: 1 }, cancellationType: 'WAIT_CANCELLATION_COMPLETED', ...options };
  if (!local) return scheduleActivity(name, args, given);
  const { heartbeatTimeout, ...rest } = given;
  return scheduleLocalActivity(name, args, rest);
}
`

// host is a worker that cases run on, ours or Temporal's own.
type host interface {
	// taskQueue of a group.
	taskQueue(g *group) string
	// toggle stops or starts the group's worker.
	toggle(ctx context.Context, g *group, action string) error
	// reload writes a row anew and waits until it is live.
	reload(ctx context.Context, g *group, kind, name, text string) error
	// row waits until what the worker says of a row is as wanted.
	row(ctx context.Context, g *group, kind, name string, accept func(map[string]any) error) error
	// broken says why a row isn't live; "" if it is.
	broken(g *group, kind, name string) string
	// replay says how an execution's code differs from its history when it runs again from scratch.
	replay(ctx context.Context, g *group, w *watch) error
}

// projects are the groups as rows: the service's host.
type projects struct {
	pool *pgxpool.Pool
	of   map[*group]*project
}

type project struct {
	id, queue string
	codes     map[string]string // workflow_compiled_code's ids by workflow's name
	sources   map[string]source // what the worker's row said first, by kind and name
	replayer  *replayer
}

// source is a workflow's or component's entry in the worker's row.
type source struct {
	Name    string         `json:"name"`
	Version string         `json:"version"`
	Hash    string         `json:"hash"`
	Error   map[string]any `json:"error"`
	Warning map[string]any `json:"warning"`
}

// The kinds of rows, as the worker's row has them.
const (
	workflowRows  = "workflows"
	componentRows = "components"
)

func (p *projects) taskQueue(g *group) string { return p.of[g].queue }

func (p *projects) replay(_ context.Context, g *group, w *watch) error {
	for _, r := range w.snapshot() {
		if err := p.of[g].replayer.replay(w.id, r); err != nil {
			return fmt.Errorf("the replay of its history: %w", err)
		}
	}
	return nil
}

// insert writes a group's rows in one transaction.
func (p *projects) insert(ctx context.Context, g *group) error {
	pr := &project{id: uuid.NewString(), queue: "conformance-" + uuid.NewString(), codes: map[string]string{}}
	pr.replayer = newReplayer(p.pool, pr.id)
	p.of[g] = pr
	languages, beside := map[string]string{}, map[string]string{}
	for _, c := range g.Cases {
		languages[c.Name], beside[c.Name] = c.Language, c.ActivitiesCode
	}
	workflows := g.rowsOf(kindWorkflows)
	if g.Kind == kindActivities {
		workflows[callActivity] = callActivityText
	}
	var batch pgx.Batch
	batch.Queue(`INSERT INTO projects (id, name, task_queue_name, is_active) VALUES ($1, $2, $3, $4)`, pr.id, g.Title, pr.queue, !g.Dormant)
	for _, name := range slices.Sorted(maps.Keys(workflows)) {
		id := uuid.NewString()
		pr.codes[name] = uuid.NewString()
		batch.Queue(`INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, $3, $3)`, id, pr.id, name)
		batch.Queue(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code) VALUES ($1, $2, '1', $3, $4)`,
			pr.codes[name], id, workflows[name], beside[name])
	}
	components := g.rowsOf(kindActivities)
	for _, name := range slices.Sorted(maps.Keys(components)) {
		language := languages[name]
		if language == "" {
			language = "typescript"
		}
		batch.Queue(`INSERT INTO components (project_id, name, implementation_language, implementation_code) VALUES ($1, $2, $3, $4)`,
			pr.id, name, language, components[name])
	}
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("insert the rows of %s: %w", g.file, err)
		}
		return nil
	})
}

// awaitRunning waits until the worker runs, and notes which of its rows are broken.
func (p *projects) awaitRunning(ctx context.Context, g *group) error {
	pr := p.of[g]
	rows := len(pr.codes) + len(g.rowsOf(kindActivities))
	return p.look(ctx, g, func(sources map[string]source) error {
		if len(sources) < rows {
			return fmt.Errorf("its row tells of %d rows of %d", len(sources), rows)
		}
		pr.sources = sources
		return nil
	})
}

// look waits until the project's worker runs and accept likes what its row says.
func (p *projects) look(ctx context.Context, g *group, accept func(map[string]source) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var last error
	err := stack.WaitFor(ctx, 20*time.Millisecond, func() (bool, error) {
		var status string
		var text []byte
		err := p.pool.QueryRow(ctx, `SELECT status, metadata FROM workflow_workers WHERE project_id = $1 ORDER BY updated_at DESC LIMIT 1`, p.of[g].id).Scan(&status, &text)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			last = errors.New("its worker has no row")
			return false, nil
		case err != nil:
			return false, err
		case status != "running":
			last = fmt.Errorf("its worker is %s: %s", status, text)
			return false, nil
		}
		sources, err := readSources(text)
		if err != nil {
			return false, err
		}
		last = accept(sources)
		return last == nil, nil
	})
	if err != nil && last != nil {
		err = last
	}
	if err != nil {
		return fmt.Errorf("project of %s: %w", g.file, err)
	}
	return nil
}

func readSources(metadata []byte) (map[string]source, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(metadata, &m); err != nil {
		return nil, err
	}
	out := map[string]source{}
	for _, kind := range []string{workflowRows, componentRows} {
		var list []source
		if err := json.Unmarshal(m[kind], &list); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", kind, metadata, err)
		}
		for _, s := range list {
			out[kind+"/"+s.Name] = s
		}
	}
	return out, nil
}

func (p *projects) broken(g *group, kind, name string) string {
	s, ok := p.of[g].sources[kind+"/"+name]
	switch {
	case !ok:
		return "the worker's row doesn't name it"
	case s.Error != nil:
		return show(s.Error)
	}
	return ""
}

func (p *projects) row(ctx context.Context, g *group, kind, name string, accept func(map[string]any) error) error {
	return p.look(ctx, g, func(sources map[string]source) error {
		s := sources[kind+"/"+name]
		m := map[string]any{"name": s.Name, "version": s.Version, "live": s.Hash != ""}
		if s.Error != nil {
			m["error"] = s.Error
		}
		if s.Warning != nil {
			m["warning"] = s.Warning
		}
		return accept(m)
	})
}

func (p *projects) toggle(ctx context.Context, g *group, action string) error {
	pr := p.of[g]
	if pr.sources == nil { // dormant until now
		if _, err := p.pool.Exec(ctx, `UPDATE projects SET is_active = true WHERE id = $1`, pr.id); err != nil {
			return err
		}
		return p.awaitRunning(ctx, g)
	}
	id := uuid.NewString()
	if _, err := p.pool.Exec(ctx, `INSERT INTO worker_requests (id, project_id, action) VALUES ($1, $2, $3)`, id, pr.id, action); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("the request to %s was not answered", action))
	defer cancel()
	return stack.WaitFor(ctx, 20*time.Millisecond, func() (bool, error) {
		var status, reason string
		err := p.pool.QueryRow(ctx, `SELECT status, coalesce(error, '') FROM worker_requests WHERE id = $1`, id).Scan(&status, &reason)
		if err == nil && status == "failed" {
			err = errors.New(reason)
		}
		return status == "completed", err
	})
}

func (p *projects) reload(ctx context.Context, g *group, kind, name, text string) error {
	pr := p.of[g]
	if kind == componentRows {
		before := ""
		if err := p.look(ctx, g, func(s map[string]source) error { before = s[kind+"/"+name].Hash; return nil }); err != nil {
			return err
		}
		_, err := p.pool.Exec(ctx, `UPDATE components SET implementation_code = $3 WHERE project_id = $1 AND name = $2`, pr.id, name, text)
		if err != nil {
			return err
		}
		return p.look(ctx, g, func(s map[string]source) error {
			if now := s[kind+"/"+name]; now.Hash == before && now.Error == nil {
				return fmt.Errorf("%s still runs its old text", name)
			}
			return nil
		})
	}
	version := uuid.NewString()
	if _, err := p.pool.Exec(ctx, `UPDATE workflow_compiled_code SET workflow_code = $2, version = $3 WHERE id = $1`, pr.codes[name], text, version); err != nil {
		return err
	}
	return p.look(ctx, g, func(s map[string]source) error {
		now := s[kind+"/"+name]
		if now.Version != version && now.Error["version"] != version {
			return fmt.Errorf("%s still runs version %s", name, now.Version)
		}
		return nil
	})
}
