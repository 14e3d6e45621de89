package rows

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// component_executions.status.
const (
	StepPending   = "pending"
	StepRunning   = "running"
	StepRetrying  = "retrying"
	StepCompleted = "completed"
	StepFailed    = "failed"
	StepCancelled = "cancelled"
)

// component_executions.kind.
const (
	StepActivity      = "activity"
	StepLocalActivity = "local_activity"
	StepTimer         = "timer"
	StepChild         = "child"
)

// What RECORD_STEPS and projects.record_steps may say.
const (
	StepsNone       = "none"
	StepsActivities = "activities"
	StepsAll        = "all"
)

// StepStatuses are all that component_executions.status may say.
func StepStatuses() []string {
	return []string{StepPending, StepRunning, StepRetrying, StepCompleted, StepFailed, StepCancelled}
}

// StepKinds are all that component_executions.kind may say.
func StepKinds() []string { return []string{StepActivity, StepLocalActivity, StepTimer, StepChild} }

// StepModeWords are all that projects.record_steps, and RECORD_STEPS, may say.
func StepModeWords() []string { return []string{StepsNone, StepsActivities, StepsAll} }

// Step is a row of component_executions.
type Step struct {
	ExecutionID, RunID string
	Kind, Key          string // of a run they name the row

	Node, ComponentID, Component string
	Status                       string
	// Progress says how far it has got: a row that is further on keeps what it says.
	Progress                                int
	Attempt                                 int // 0: unknown
	ScheduledAt, StartedAt, EndedAt, NextAt time.Time
	Input, Output                           *string // JSON
	Message, ErrorType                      string
	Expected                                bool
}

// WriteSteps makes rows, and brings them up to date.
func WriteSteps(ctx context.Context, db DB, steps []Step) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
INSERT INTO public.component_executions AS c (id, workflow_execution_id, run_id, kind, temporal_activity_id, node_id, component_id, component_name,
  status, progress, temporal_attempt, retry_count, is_expected_retry, scheduled_at, started_at, completed_at, duration_ms, next_attempt_at,
  input_data, output_data, error_message, error_type, updated_at)
SELECT md5('step ' || s.execution_id || ' ' || s.run_id || ' ' || s.kind || ' ' || s.key)::uuid, e.id, s.run_id, s.kind, left(s.key, 255), left(nullif(s.node, ''), 255),
  k.id, left(nullif(s.component, ''), 255), s.status, s.progress, greatest(1, s.attempt), greatest(0, s.attempt - 1), s.expected, s.scheduled_at, s.started_at, s.ended_at,
  least(2147483647, greatest(0, extract(epoch FROM s.ended_at - s.started_at) * 1000))::integer, s.next_at,
  s.input::jsonb, s.output::jsonb, nullif(s.message, ''), left(nullif(s.error_type, ''), 100), now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[], $10::integer[], $11::boolean[],
  $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[], $18::text[], $19::text[])
  AS s (execution_id, run_id, kind, key, node, component_id, component, status, progress, attempt, expected,
    scheduled_at, started_at, ended_at, next_at, input, output, message, error_type)
JOIN public.workflow_executions e ON e.id = s.execution_id::uuid
LEFT JOIN public.components k ON k.id = nullif(s.component_id, '')::uuid
ORDER BY 1 -- as everybody does, so that nobody waits for each other
ON CONFLICT (id) DO UPDATE SET
  node_id = coalesce(c.node_id, EXCLUDED.node_id), component_id = coalesce(c.component_id, EXCLUDED.component_id),
  component_name = coalesce(c.component_name, EXCLUDED.component_name),
  scheduled_at = least(c.scheduled_at, EXCLUDED.scheduled_at), input_data = coalesce(c.input_data, EXCLUDED.input_data),
  is_expected_retry = CASE WHEN EXCLUDED.progress > c.progress AND EXCLUDED.temporal_attempt >= c.temporal_attempt THEN EXCLUDED.is_expected_retry ELSE c.is_expected_retry END,
  status = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.status ELSE c.status END,
  temporal_attempt = greatest(c.temporal_attempt, EXCLUDED.temporal_attempt), retry_count = greatest(c.retry_count, EXCLUDED.retry_count),
  started_at = CASE WHEN EXCLUDED.progress > c.progress THEN coalesce(EXCLUDED.started_at, c.started_at) ELSE coalesce(c.started_at, EXCLUDED.started_at) END,
  completed_at = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.completed_at ELSE c.completed_at END,
  duration_ms = CASE WHEN EXCLUDED.progress > c.progress
    THEN least(2147483647, greatest(0, extract(epoch FROM EXCLUDED.completed_at - coalesce(EXCLUDED.started_at, c.started_at)) * 1000))::integer ELSE c.duration_ms END,
  next_attempt_at = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.next_attempt_at ELSE c.next_attempt_at END,
  output_data = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.output_data ELSE c.output_data END,
  error_message = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.error_message ELSE c.error_message END,
  error_type = CASE WHEN EXCLUDED.progress > c.progress THEN EXCLUDED.error_type ELSE c.error_type END,
  progress = greatest(c.progress, EXCLUDED.progress), updated_at = now()
WHERE EXCLUDED.progress > c.progress AND NOT (c.completed_at IS NOT NULL AND (c.status, c.temporal_attempt) IS NOT DISTINCT FROM (EXCLUDED.status, EXCLUDED.temporal_attempt))
  OR c.node_id IS NULL AND EXCLUDED.node_id IS NOT NULL OR c.input_data IS NULL AND EXCLUDED.input_data IS NOT NULL
  OR c.component_name IS NULL AND EXCLUDED.component_name IS NOT NULL`, stepArgs(steps)...)
	if err != nil {
		return fmt.Errorf("write steps of executions: %w", err)
	}
	return nil
}

func stepArgs(steps []Step) []any {
	n := len(steps)
	text := func(of func(s *Step) string) []string {
		column := make([]string, n)
		for i := range steps {
			column[i] = strings.ReplaceAll(of(&steps[i]), "\x00", "\ufffd")
		}
		return column
	}
	values := func(of func(s *Step) *string) []*string {
		column := make([]*string, n)
		for i := range steps {
			if v := of(&steps[i]); v != nil {
				clean := withoutNUL(*v)
				column[i] = &clean
			}
		}
		return column
	}
	times := func(of func(s *Step) time.Time) []*time.Time {
		column := make([]*time.Time, n)
		for i := range steps {
			column[i] = nullTime(of(&steps[i]))
		}
		return column
	}
	progress, attempts, expected := make([]int32, n), make([]int32, n), make([]bool, n)
	for i, s := range steps {
		progress[i], attempts[i], expected[i] = int32(s.Progress), int32(s.Attempt), s.Expected //nolint:gosec // both are Temporal's int32
	}
	return []any{
		text(func(s *Step) string { return s.ExecutionID }), text(func(s *Step) string { return s.RunID }), text(func(s *Step) string { return s.Kind }),
		text(func(s *Step) string { return s.Key }), text(func(s *Step) string { return s.Node }), text(func(s *Step) string { return s.ComponentID }),
		text(func(s *Step) string { return s.Component }), text(func(s *Step) string { return s.Status }), progress, attempts, expected,
		times(func(s *Step) time.Time { return s.ScheduledAt }), times(func(s *Step) time.Time { return s.StartedAt }),
		times(func(s *Step) time.Time { return s.EndedAt }), times(func(s *Step) time.Time { return s.NextAt }),
		values(func(s *Step) *string { return s.Input }), values(func(s *Step) *string { return s.Output }),
		text(func(s *Step) string { return Bounded(s.Message) }), text(func(s *Step) string { return s.ErrorType }),
	}
}

// RemoveStepsOf removes the steps of runs that an execution was reset from.
func RemoveStepsOf(ctx context.Context, db DB, executionIDs, runs []string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `DELETE FROM public.component_executions c USING unnest($1::text[], $2::text[]) AS s (execution_id, run_id)
WHERE c.workflow_execution_id = s.execution_id::uuid AND c.run_id = s.run_id`, executionIDs, runs)
	if err != nil {
		return fmt.Errorf("remove steps of runs that were reset: %w", err)
	}
	return nil
}

// CloseStepsOf closes what is open of runs of which Temporal can't tell any more.
func CloseStepsOf(ctx context.Context, db DB, executionID, run, why string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `UPDATE public.component_executions SET status = 'cancelled', error_type = 'unknown', error_message = $3, completed_at = now(), next_attempt_at = NULL, updated_at = now()
WHERE workflow_execution_id = $1::uuid AND run_id = $2 AND status IN ('pending', 'running', 'retrying')`, executionID, run, why)
	if err != nil {
		return fmt.Errorf("close steps of executions: %w", err)
	}
	return nil
}

// StepRun names a run whose row is asked for.
type StepRun struct {
	RunID, WorkflowID, FirstRunID string // FirstRunID may be ""
	Row, TaskQueue                string // as of ExecutionState
}

// StepTarget is a row that a run's steps belong to.
type StepTarget struct {
	RunID                   string
	ExecutionID, WorkflowID string // of rows
}

// ReadStepTargets finds the rows of runs: those alone whose execution the service has seen to be
// the row's.
func ReadStepTargets(ctx context.Context, db DB, runs []StepRun) ([]StepTarget, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	columns := make([][]string, 5)
	for _, r := range runs {
		for i, v := range []string{r.RunID, r.WorkflowID, r.FirstRunID, r.Row, r.TaskQueue} {
			columns[i] = append(columns[i], v)
		}
	}
	rows, err := db.Query(ctx, `
WITH s AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS s (run_id, workflow_id, first_run_id, row_id, task_queue))
SELECT s.run_id, e.id::text, e.workflow_id::text FROM s JOIN workflow_worker.execution_runs r ON r.run_id = s.first_run_id
  JOIN public.workflow_executions e ON e.id = r.execution_id AND e.first_run_id = s.first_run_id
WHERE s.first_run_id <> ''
UNION
SELECT s.run_id, e.id::text, e.workflow_id::text FROM s JOIN workflow_worker.execution_runs r ON r.run_id = s.run_id
  JOIN public.workflow_executions e ON e.id = r.execution_id AND e.temporal_workflow_id = s.workflow_id AND e.status IN ('pending', 'running', 'paused') AND e.temporal_run_id = s.run_id AND e.first_run_id IS NOT NULL
WHERE s.first_run_id = ''
UNION
SELECT s.run_id, x.id::text, x.workflow_id::text FROM s`+startingFor+`
WHERE s.first_run_id = s.run_id`, columns[0], columns[1], columns[2], columns[3], columns[4])
	if err == nil {
		var found []StepTarget
		if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[StepTarget]); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("read whose steps they are: %w", err)
}

// StepNode is a node of a workflow's definition.
type StepNode struct {
	ID, ComponentID, ComponentName, Label string
	RetryPolicy                           *struct {
		Strategy    string
		MaxAttempts int
	}
	Redact json.RawMessage
}

// StepComponent is a component that a workflow can use.
type StepComponent struct {
	ID, Name string
	Redact   json.RawMessage
}

// StepDefinition is what tells how the steps of a workflow's executions are written.
type StepDefinition struct {
	WorkflowID string
	Steps      *string // what the project says, nil for nothing
	Payloads   *bool
	Nodes      []StepNode
	Components []StepComponent
	Redact     []json.RawMessage // what the definition itself names
}

// ReadStepDefinitions reads them for workflows.
func ReadStepDefinitions(ctx context.Context, db DB, workflowIDs []string) ([]StepDefinition, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
SELECT w.id::text, p.record_steps, p.record_payloads, jsonb_build_array(w.definition->'redact', w.definition->'metadata'->'redact', w.definition->'graph'->'redact')::text,
  coalesce(n.nodes, '[]')::text,
  coalesce((SELECT jsonb_agg(jsonb_build_object('ID', k.id, 'Name', k.name, 'Redact', CASE WHEN jsonb_typeof(to_jsonb(k.config_schema)) = 'object' THEN to_jsonb(k.config_schema)->'redact' END)
      ORDER BY k.project_id IS NULL, k.id)
    FROM public.components k WHERE k.project_id = w.project_id
      OR k.project_id IS NULL AND k.id::text IN (SELECT lower(x->>'ComponentID') FROM jsonb_array_elements(n.nodes) AS x)), '[]')::text
FROM public.workflows w JOIN public.projects p ON p.id = w.project_id
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('ID', x->'id'#>>'{}', 'ComponentID', x->'data'->>'componentId', 'ComponentName', x->'data'->>'componentName', 'Label', x->'data'->>'label',
    'RetryPolicy', CASE WHEN jsonb_typeof(x->'data'->'retryPolicy'->'strategy') = 'string' THEN jsonb_build_object('Strategy', x->'data'->'retryPolicy'->'strategy',
      'MaxAttempts', CASE WHEN jsonb_typeof(x->'data'->'retryPolicy'->'maxAttempts') = 'number' THEN least(1000000, floor((x->'data'->'retryPolicy'->>'maxAttempts')::numeric)) END) END,
    'Redact', x->'data'->'redact')) AS nodes
  FROM (SELECT jsonb_path_query(w.definition, '$.nodes[*]') UNION ALL SELECT jsonb_path_query(w.definition, '$.graph.nodes[*]')) AS q (x)
  WHERE jsonb_typeof(x) = 'object') n ON true
WHERE w.id = ANY ($1::text[]::uuid[])`, workflowIDs)
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d StepDefinition, err error) {
		var redact, nodes, components string
		if err := row.Scan(&d.WorkflowID, &d.Steps, &d.Payloads, &redact, &nodes, &components); err != nil {
			return d, err
		}
		if err := json.Unmarshal([]byte(redact), &d.Redact); err != nil {
			return d, fmt.Errorf("definition of workflow %s: %w", d.WorkflowID, err)
		}
		if err := json.Unmarshal([]byte(nodes), &d.Nodes); err != nil {
			return d, fmt.Errorf("nodes of workflow %s: %w", d.WorkflowID, err)
		}
		return d, json.Unmarshal([]byte(components), &d.Components)
	})
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	return found, nil
}

// StepModes are what projects say of their own: whether any wants steps, and whether any wants all.
func StepModes(ctx context.Context, db DB) (some, all bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	err = db.QueryRow(ctx, `SELECT coalesce(bool_or(record_steps <> 'none'), false), coalesce(bool_or(record_steps = 'all'), false)
FROM public.projects WHERE record_steps IS NOT NULL`).Scan(&some, &all)
	if err != nil {
		return false, false, fmt.Errorf("read what is recorded of steps: %w", err)
	}
	return some, all, nil
}

// DueSteps is a run whose steps are to be looked at once more.
type DueSteps struct {
	ExecutionID, RunID, NextRunID string
	TemporalID, WorkflowID        string // "" if the row is gone
}

// SettleSteps forgets due runs whose steps are known to be as they should.
func SettleSteps(ctx context.Context, db DB, runs []string) (settled []string, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `DELETE FROM workflow_worker.steps_due WHERE run_id = ANY ($1::text[]) RETURNING run_id`, runs)
	if err == nil {
		settled, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("settle steps: %w", err)
	}
	return settled, nil
}

// ClaimDueSteps claims runs that have been due for a while.
func ClaimDueSteps(ctx context.Context, db DB, since, lease time.Duration, most int) ([]DueSteps, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
WITH c AS (
  SELECT execution_id, run_id FROM workflow_worker.steps_due
  WHERE since < now() - $1 * interval '1 microsecond' AND (leased_until IS NULL OR leased_until < now())
  ORDER BY since LIMIT $3 FOR UPDATE SKIP LOCKED
),
d AS (
  UPDATE workflow_worker.steps_due d SET leased_until = now() + $2 * interval '1 microsecond' FROM c
  WHERE d.execution_id = c.execution_id AND d.run_id = c.run_id RETURNING d.*
)
SELECT d.execution_id::text, d.run_id, d.next_run_id, coalesce(e.temporal_workflow_id::text, ''), coalesce(e.workflow_id::text, '')
FROM d LEFT JOIN public.workflow_executions e ON e.id = d.execution_id`, since.Microseconds(), lease.Microseconds(), most)
	if err == nil {
		var found []DueSteps
		if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[DueSteps]); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("claim steps that are due: %w", err)
}

// DropDueSteps forgets runs that were claimed, unless something was noted of them meanwhile.
func DropDueSteps(ctx context.Context, db DB, done []DueSteps) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	ids, runs, next := make([]string, len(done)), make([]string, len(done)), make([]string, len(done))
	for i, d := range done {
		ids[i], runs[i], next[i] = d.ExecutionID, d.RunID, d.NextRunID
	}
	_, err := db.Exec(ctx, `DELETE FROM workflow_worker.steps_due d USING unnest($1::text[], $2::text[], $3::text[]) AS s (execution_id, run_id, next_run_id)
WHERE d.execution_id = s.execution_id::uuid AND d.run_id = s.run_id AND d.next_run_id = s.next_run_id`, ids, runs, next)
	if err != nil {
		return fmt.Errorf("drop steps that were due: %w", err)
	}
	return nil
}

// StaleSteps is an execution that is under way and whose steps haven't changed for a while.
type StaleSteps struct {
	ExecutionID, TemporalID, RunID, WorkflowID string
	Open                                       []string // activity ids
}

// ReadStaleSteps reads executions after an id, in its order.
func ReadStaleSteps(ctx context.Context, db DB, after string, unchanged time.Duration, most int) ([]StaleSteps, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
SELECT e.id::text, e.temporal_workflow_id::text, e.temporal_run_id::text, e.workflow_id::text, c.open
FROM public.workflow_executions e
CROSS JOIN LATERAL (SELECT array_agg(c.temporal_activity_id::text) AS open FROM public.component_executions c
  WHERE c.workflow_execution_id = e.id AND c.run_id = e.temporal_run_id AND c.kind = 'activity' AND c.status IN ('pending', 'running', 'retrying')
    AND c.updated_at < now() - $2 * interval '1 microsecond') c
WHERE e.completed_at IS NULL AND e.status IN ('running', 'paused') AND e.first_run_id IS NOT NULL AND e.id > $1::uuid AND c.open IS NOT NULL
ORDER BY e.id LIMIT $3`, after, unchanged.Microseconds(), most)
	if err == nil {
		var found []StaleSteps
		if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[StaleSteps]); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("read steps that haven't changed: %w", err)
}
