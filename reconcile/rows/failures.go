package rows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// Failing are executions that are open and get no further, because their workflow
// tasks fail.
type Failing struct {
	// Executions are those that were found, at most 1,000.
	Executions int64            `json:"executions"`
	Since      time.Time        `json:"since"`
	Example    FailingExecution `json:"example"` // that has failed for longest
	Name       string           `json:"-"`       // of the workflow, "" if no row has it
}

// FailingExecution is one of them. Version and Hash are of the code that it runs,
// absent if it got none; File, Line and Column of the author's line.
type FailingExecution struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"`
	Type       string `json:"type"`
	Version    string `json:"version,omitempty"`
	Hash       string `json:"hash,omitempty"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
}

// Problem says where and what.
func (x FailingExecution) Problem() string {
	message, _, _ := strings.Cut(x.Message, "\n")
	if x.Line == 0 {
		return message
	}
	return fmt.Sprintf("%s:%d:%d: %s", x.File, x.Line, x.Column, message)
}

// Problem says of which workflow, how many they are and what is wrong with one.
func (f Failing) Problem(name string) string {
	return fmt.Sprintf("%d executions of workflow %s get no further, their tasks fail; %s: %s", f.Executions, name, f.Example.WorkflowID, f.Example.Problem())
}

// FailingByWorkflow are the executions of a project that get no further, by workflows.id; ""
// are those of types that no row serves.
type FailingByWorkflow map[string]Failing

// Of gives those of a workflow; nil if there are none.
func (f FailingByWorkflow) Of(workflowID string) *Failing {
	if x, ok := f[workflowID]; ok {
		return &x
	}
	return nil
}

// Others gives those of no workflow in the list.
func (f FailingByWorkflow) Others(list []SourceState) *Failing {
	var out *Failing
	for id, x := range f {
		if slices.ContainsFunc(list, func(s SourceState) bool { return s.ID == id }) {
			continue
		}
		switch {
		case out == nil:
			out = &x
		case x.Since.Before(out.Since):
			x.Executions += out.Executions
			out = &x
		default:
			out.Executions += x.Executions
		}
	}
	return out
}

// Failure is an execution to be written.
type Failure struct {
	ProjectID string
	runtime.Failing
}

// insertFailureSQL keeps the table bounded. One that is there already is only said
// anew.
const insertFailureSQL = `
INSERT INTO public.workflow_execution_failures AS f (project_id, run_id, execution_id, workflow_type, workflow_id, hash, version, reason, message,
  file, line, column_number)
SELECT $1::uuid, $2, $3, $4, nullif($5, '')::uuid, $6, $7, $8, $9, $10, $11, $12
WHERE $13 > (SELECT count(*) FROM public.workflow_execution_failures
  WHERE project_id = $1::uuid AND workflow_id IS NOT DISTINCT FROM nullif($5, '')::uuid AND run_id <> $2)
ON CONFLICT (project_id, run_id) DO UPDATE SET
  workflow_id = excluded.workflow_id, hash = excluded.hash, version = excluded.version, reason = excluded.reason, message = excluded.message,
  file = excluded.file, line = excluded.line, column_number = excluded.column_number`

const deleteFailuresSQL = `DELETE FROM public.workflow_execution_failures WHERE run_id = ANY ($1::text[])`

// WriteFailures writes executions that get no further, at most so many of a workflow, and removes
// those that do again.
func WriteFailures(ctx context.Context, db DB, pending []Failure, gone []string, most int) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	b := &pgx.Batch{}
	for _, f := range pending {
		b.Queue(insertFailureSQL, f.ProjectID, f.RunID, f.WorkflowID, f.Type, f.CodeOf, f.Hash, f.Version, f.Reason, f.Message,
			f.File, f.Line, f.Column, most)
	}
	if len(gone) > 0 {
		b.Queue(deleteFailuresSQL, gone)
	}
	if err := db.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("write which executions get no further: %w", err)
	}
	return nil
}

const failuresSQL = `
SELECT f.project_id::text, coalesce(f.workflow_id::text, ''), coalesce(w.kebab_name::text, ''), f.noted_at, f.execution_id, f.run_id, f.workflow_type,
  f.version, f.hash, f.reason, f.message, f.file, f.line, f.column_number
FROM public.workflow_execution_failures f LEFT JOIN public.workflows w ON w.id = f.workflow_id ORDER BY f.noted_at, f.run_id`

// ReadFailures reads who gets no further, by project, and the run ids.
func ReadFailures(ctx context.Context, db DB) (found map[string]FailingByWorkflow, runs []string, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, failuresSQL)
	if err != nil {
		return nil, nil, fmt.Errorf("read which executions get no further: %w", err)
	}
	found = map[string]FailingByWorkflow{}
	var project, workflow, name string
	var since time.Time
	var x FailingExecution
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &name, &since, &x.WorkflowID, &x.RunID, &x.Type, &x.Version, &x.Hash,
		&x.Reason, &x.Message, &x.File, &x.Line, &x.Column}, func() error {
		if found[project] == nil {
			found[project] = FailingByWorkflow{}
		}
		f, more := found[project][workflow]
		if !more {
			f = Failing{Since: since.UTC(), Example: x, Name: name}
		}
		f.Executions++
		found[project][workflow] = f
		runs = append(runs, x.RunID)
		return nil
	}); err != nil {
		return nil, nil, fmt.Errorf("read which executions get no further: %w", err)
	}
	return found, runs, nil
}

// WriteFailingEvent writes the event that executions of a workflow get no further, unless the latest
// since they began to fail says more than a so-manieth of them; and gives how many that says.
func WriteFailingEvent(ctx context.Context, db DB, replica, projectID, workflowID string, f Failing, times int64) (latest int64, err error) {
	return matter{
		kind: EventFailing, projectID: projectID, key: workflowID,
		same: `coalesce(e.details->>'workflow', '') = $8 AND e.occurred_at >= $9`, args: []any{workflowID, f.Since},
	}.tell(ctx, db, replica, f.Problem(cmp.Or(f.Name, f.Example.Type)), FailingDetails{Workflow: workflowID, Failing: f}, f.Executions, times)
}

// ClaimFailures claims executions that get no further, to ask whether they still don't.
func ClaimFailures(ctx context.Context, db DB, age time.Duration, most int) ([]replay.Execution, error) {
	return claim[replay.Execution](ctx, db, turns{
		what: "executions that get no further", table: "workflow_execution_failures", key: []string{"project_id", "run_id"},
		looked: "checked_at", returning: "s.execution_id, s.run_id",
	}, age, most)
}
