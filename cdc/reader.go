package cdc

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// reader is one small connection that reads what is visible and whose the keys are.
// It belongs to one goroutine.
type reader struct {
	config  *pgx.ConnConfig
	renew   func(c *pgconn.Config, replication bool) // nil: not
	timeout time.Duration
	conn    *pgx.Conn // nil while there is none
}

// look is what one read found.
type look struct {
	snapshot snapshot
	// workflows and components: the projects of the keys asked for. They are read
	// after the snapshot, so for every transaction visible in it they are right.
	workflows, components map[string][]string
	// refused is why the server wouldn't tell those, nil if it did.
	refused error
}

const (
	snapshotQuery = `SELECT pg_current_snapshot()::text`

	workflowsQuery = `SELECT id::text, project_id::text FROM public.workflows
		WHERE id = ANY ($1::uuid[]) AND project_id IS NOT NULL`

	// componentsQuery finds who runs a component now. Our own table says so.
	componentsQuery = `SELECT source_id::text, project_id::text FROM public.workflow_live_code
		WHERE source_kind = 'component' AND source_id = ANY ($1::uuid[])`

	// referrersQuery finds whose definitions name a component, in either of the
	// places where the UI keeps nodes.
	referrersQuery = `SELECT DISTINCT w.project_id::text
		FROM unnest($1::text[]) AS c (id)
		CROSS JOIN LATERAL (SELECT jsonb_build_object('nodes', jsonb_build_array(
			jsonb_build_object('data', jsonb_build_object('componentId', c.id)))) AS node) AS p
		JOIN public.workflows w ON w.definition @> p.node OR w.definition @> jsonb_build_object('graph', p.node)
		WHERE w.project_id IS NOT NULL`
)

// look reads a snapshot and, in the same round trip, the projects of keys. The error
// is the connection's: nothing is known, try again.
func (r *reader) look(ctx context.Context, workflows, components []string) (look, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.connect(ctx); err != nil {
		return look{}, err
	}
	var batch pgx.Batch
	batch.Queue(snapshotQuery)
	if len(workflows) > 0 {
		batch.Queue(workflowsQuery, workflows)
	}
	if len(components) > 0 {
		batch.Queue(componentsQuery, components)
	}
	results := r.conn.SendBatch(ctx, &batch)
	defer results.Close()

	var text string
	if err := results.QueryRow().Scan(&text); err != nil {
		return look{}, fmt.Errorf("read snapshot: %w", err)
	}
	var found look
	var err error
	if found.snapshot, err = parseSnapshot(text); err != nil {
		return look{}, err
	}
	if len(workflows) > 0 {
		found.workflows, found.refused = projectsOf(results)
	}
	if len(components) > 0 && found.refused == nil {
		found.components, found.refused = projectsOf(results)
	}
	if found.refused != nil && r.conn.IsClosed() {
		return look{}, fmt.Errorf("read projects of changed rows: %w", found.refused)
	}
	return found, nil
}

func projectsOf(results pgx.BatchResults) (map[string][]string, error) {
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	projects := map[string][]string{}
	var key, project string
	_, err = pgx.ForEachRow(rows, []any{&key, &project}, func() error {
		projects[key] = append(projects[key], project)
		return nil
	})
	return projects, err
}

// referrers reads the projects whose definitions name one of the components. It may
// have to read every definition.
func (r *reader) referrers(ctx context.Context, components []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	rows, err := r.conn.Query(ctx, referrersQuery, components)
	if err != nil {
		return nil, fmt.Errorf("read who refers to a component: %w", err)
	}
	projects, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read who refers to a component: %w", err)
	}
	return projects, nil
}

// publications says what the publications lack, nil if nothing.
func (r *reader) publications(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.connect(ctx); err != nil {
		return err
	}
	return checkPublications(ctx, r.conn.PgConn(), names)
}

// connect makes a new connection where there is none or it is broken.
func (r *reader) connect(ctx context.Context) error {
	if r.conn != nil && !r.conn.IsClosed() {
		return nil
	}
	r.close()
	config := r.config.Copy()
	if r.renew != nil {
		r.renew(&config.Config, false)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	r.conn = conn
	return nil
}

func (r *reader) close() {
	if r.conn != nil {
		closeConn(r.conn.PgConn(), closeWait)
		r.conn = nil
	}
}
