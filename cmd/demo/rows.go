package main

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed code/*.ts
var code embed.FS

// Fixed ids, so that a second run finds the rows of the first.
const (
	projectID   = "d0d0d0d0-0000-4000-8000-000000000001"
	componentID = "d0d0d0d0-0000-4000-8000-000000000002"
)

// version is one row of workflow_compiled_code.
type version struct {
	id, name, file string
	change         string // against the version before
}

// workflow is one row of workflows and its versions. The rows are what the
// Workflow Builder writes.
type workflow struct {
	id, kebabName, displayName, definition string
	versions                               []version
}

var workflows = []workflow{
	{
		id: "d0d0d0d0-0000-4000-8000-000000000010", kebabName: "order-intake", displayName: "Order intake",
		definition: `{"nodes": [{"id": "price", "type": "activity", "data": {"componentId": "` + componentID + `"}}]}`,
		versions: []version{
			{id: "d0d0d0d0-0000-4000-8000-000000000011", name: "1.0.0", file: "code/order-intake-1.ts"},
			{id: "d0d0d0d0-0000-4000-8000-000000000012", name: "1.1.0", file: "code/order-intake-2.ts", change: "a discount"},
		},
	},
	{
		id: "d0d0d0d0-0000-4000-8000-000000000020", kebabName: "approval", displayName: "Approval",
		definition: `{"nodes": []}`,
		versions: []version{
			{id: "d0d0d0d0-0000-4000-8000-000000000021", name: "1.0.0", file: "code/approval-1.ts"},
			{id: "d0d0d0d0-0000-4000-8000-000000000022", name: "1.1.0", file: "code/approval-2.ts", change: "two approvals instead of one"},
		},
	},
	{
		id: "d0d0d0d0-0000-4000-8000-000000000030", kebabName: "order-batch", displayName: "Order batch",
		definition: `{"nodes": []}`,
		versions: []version{
			{id: "d0d0d0d0-0000-4000-8000-000000000031", name: "1.0.0", file: "code/order-batch-1.ts"},
		},
	},
}

// writeProject writes everything but the code.
func writeProject(ctx context.Context, db *pgx.Conn, taskQueue string) error {
	component, err := code.ReadFile("code/price-order.ts")
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		const project = `
INSERT INTO projects (id, name, task_queue_name) VALUES ($1, 'Demo', $2)
ON CONFLICT (id) DO UPDATE SET is_active = true`
		if _, err := tx.Exec(ctx, project, projectID, taskQueue); err != nil {
			return fmt.Errorf("write the project: %w", err)
		}
		const componentRow = `
INSERT INTO components (id, project_id, name, display_name, implementation_language, implementation_code)
VALUES ($1, $2, 'priceOrder', 'Price an order', 'typescript', $3)
ON CONFLICT (id) DO UPDATE SET implementation_code = excluded.implementation_code, is_active = true`
		if _, err := tx.Exec(ctx, componentRow, componentID, projectID, string(component)); err != nil {
			return fmt.Errorf("write the component: %w", err)
		}
		const workflowRow = `
INSERT INTO workflows (id, project_id, kebab_name, display_name, definition) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, is_active = true`
		for _, w := range workflows {
			if _, err := tx.Exec(ctx, workflowRow, w.id, projectID, w.kebabName, w.displayName, w.definition); err != nil {
				return fmt.Errorf("write workflow %s: %w", w.kebabName, err)
			}
		}
		return nil
	})
}

// activate makes a version the current one as the Workflow Builder does: one
// transaction puts the others out of use, a later one brings this one in.
func activate(ctx context.Context, db *pgx.Conn, w workflow, v version) error {
	const retire = `UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1 AND is_active AND id <> $2`
	if _, err := db.Exec(ctx, retire, w.id, v.id); err != nil {
		return fmt.Errorf("retire the other versions of %s: %w", w.kebabName, err)
	}
	text, err := code.ReadFile(v.file)
	if err != nil {
		return err
	}
	const insert = `
INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, is_active) VALUES ($1, $2, $3, $4, true)
ON CONFLICT (id) DO UPDATE SET workflow_code = excluded.workflow_code, is_active = true, compiled_at = now()`
	if _, err := db.Exec(ctx, insert, v.id, w.id, v.name, string(text)); err != nil {
		return fmt.Errorf("write %s %s: %w", w.kebabName, v.name, err)
	}
	return nil
}
