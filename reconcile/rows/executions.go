package rows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// workflow_executions.status.
const (
	ExecutionPending   = "pending"
	ExecutionBuilding  = "building"
	ExecutionRunning   = "running"
	ExecutionCompleted = "completed"
	ExecutionFailed    = "failed"
	ExecutionCancelled = "cancelled"
	ExecutionPaused    = "paused"
)

// ExecutionStatuses are all that workflow_executions.status may say.
func ExecutionStatuses() []string {
	return []string{
		ExecutionPending, ExecutionBuilding, ExecutionRunning, ExecutionCompleted, ExecutionFailed, ExecutionCancelled, ExecutionPaused,
	}
}

// Start is a row of workflow_executions that is to be started, claimed by this replica.
type Start struct {
	ID, ProjectID, KebabName, TaskQueue string
	TemporalID                          string // "" if what it is to be is longer than the column
	Input                               *string
	InputBytes                          int
	Options                             *string
	OptionsBytes                        int
	ClaimedAt                           time.Time
	// Again says that somebody set about it before, and may have started it.
	Again bool
}

// startColumns are those of Start, of a row e and what was picked, c. Its parameters: $1 the lease,
// $2 the bytes of input that are read at most. Of options Temporal takes no more than two megabytes.
const startColumns = `e.id::text, c.project_id::text, left(c.kebab_name, 1000)::text, c.task_queue_name::text, coalesce(e.temporal_workflow_id::text, ''),
  CASE WHEN octet_length(e.input::text) <= $2 THEN e.input::text END, coalesce(octet_length(e.input::text), 0), 
  CASE WHEN octet_length(e.options::text) <= 2000000 THEN e.options::text END, coalesce(octet_length(e.options::text), 0), e.claimed_at, e.claimed_at < now()`

// temporalID is what an execution is to be called: as the row says, else its options, else by its
// key. The Workflow Builder's column takes 255 characters.
const temporalID = `(SELECT CASE WHEN length(x.id) <= 255 THEN x.id END FROM (SELECT
  coalesce(nullif(e.temporal_workflow_id::text, ''), nullif(e.options->>'workflowId', ''), left(c.kebab_name, 200) || '-' || e.id) AS id) x)`

// ClaimStarts claims rows that wait for their start: at most so many, and of a project at most so
// many, none of those that are busy; those that wait for longest come first. What they are to be called is in the row before
// anything is asked of Temporal. So is the lease: a replica of an earlier release, which knows of no
// other place, goes on with what is left behind, and keeps off what isn't.
func ClaimStarts(ctx context.Context, db DB, lease time.Duration, maxInput, most, perProject int, busy []string) ([]Start, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
WITH RECURSIVE w (workflow_id) AS ( -- which workflows have any, one step in the index for each
  (SELECT workflow_id FROM workflow_worker.executions_due WHERE reason = 'start' AND leased_until IS NULL ORDER BY workflow_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.workflow_id FROM workflow_worker.executions_due d
          WHERE d.reason = 'start' AND d.leased_until IS NULL AND d.workflow_id > w.workflow_id ORDER BY d.workflow_id LIMIT 1)
  FROM w WHERE w.workflow_id IS NOT NULL
),
waiting AS (
  SELECT x.id, x.created_at, p.id AS project_id, f.kebab_name, p.task_queue_name
  FROM w JOIN public.workflows f ON f.id = w.workflow_id JOIN public.projects p ON p.id = f.project_id AND p.id <> ALL (coalesce($5::text[], '{}')::uuid[])
  CROSS JOIN LATERAL (SELECT e.id, d.created_at FROM workflow_worker.executions_due d JOIN public.workflow_executions e ON e.id = d.execution_id
    WHERE d.workflow_id = w.workflow_id AND d.reason = 'start' AND d.leased_until IS NULL AND e.status = 'pending' AND e.claimed_at IS NULL
    -- The row first, as everybody does who writes it.
    ORDER BY d.created_at, d.execution_id LIMIT $4 FOR NO KEY UPDATE OF e SKIP LOCKED) x
),
c AS (
  SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY project_id ORDER BY created_at, id) AS turn FROM waiting) t
  WHERE turn <= $4 ORDER BY turn, created_at LIMIT $3
),
leased AS (
  UPDATE workflow_worker.executions_due d SET leased_until = now() + $1 * interval '1 microsecond' FROM c WHERE d.execution_id = c.id
)
UPDATE public.workflow_executions e SET claimed_at = now(), leased_until = now() + $1 * interval '1 microsecond', temporal_workflow_id = `+temporalID+`
FROM c WHERE e.id = c.id AND e.status = 'pending'
RETURNING `+startColumns, lease.Microseconds(), maxInput, most, perProject, busy)
	return collectStarts(rows, err)
}

// ClaimAbandonedStarts claims rows whose start somebody set about, and whose lease is over: at most so
// many, and of a project at most so many, none of those that are busy; in turns of the projects, as far
// as the thousand that wait for longest tell.
func ClaimAbandonedStarts(ctx context.Context, db DB, lease time.Duration, maxInput, most, perProject int, busy []string) ([]Start, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
WITH abandoned AS (
  SELECT d.execution_id, d.workflow_id, d.leased_until FROM workflow_worker.executions_due d
  WHERE d.reason = 'start' AND d.leased_until < now() ORDER BY d.leased_until LIMIT 1000
),
turns AS (
  SELECT a.execution_id, a.leased_until, p.id AS project_id, f.kebab_name, p.task_queue_name,
    row_number() OVER (PARTITION BY p.id ORDER BY a.leased_until, a.execution_id) AS turn
  FROM abandoned a JOIN public.workflows f ON f.id = a.workflow_id JOIN public.projects p ON p.id = f.project_id AND p.id <> ALL (coalesce($5::text[], '{}')::uuid[])
),
c AS (
  SELECT e.id, t.project_id, t.kebab_name, t.task_queue_name
  FROM turns t JOIN workflow_worker.executions_due d ON d.execution_id = t.execution_id
  JOIN public.workflow_executions e ON e.id = d.execution_id AND e.status = 'pending' AND e.claimed_at IS NOT NULL
  WHERE t.turn <= $4 AND d.reason = 'start' AND d.leased_until < now() AND (e.leased_until IS NULL OR e.leased_until < now())
  ORDER BY t.turn, t.leased_until LIMIT $3 FOR NO KEY UPDATE OF e, d SKIP LOCKED
),
leased AS (
  UPDATE workflow_worker.executions_due d SET leased_until = now() + $1 * interval '1 microsecond' FROM c WHERE d.execution_id = c.id
)
UPDATE public.workflow_executions e SET leased_until = now() + $1 * interval '1 microsecond', temporal_workflow_id = `+temporalID+`
FROM c WHERE e.id = c.id
RETURNING `+startColumns, lease.Microseconds(), maxInput, most, perProject, busy)
	return collectStarts(rows, err)
}

func collectStarts(rows pgx.Rows, err error) ([]Start, error) {
	if err != nil {
		return nil, fmt.Errorf("claim executions to start: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Start])
	if err != nil {
		return nil, fmt.Errorf("claim executions to start: %w", err)
	}
	return found, nil
}

// GiveBackStarts ends the leases of rows that couldn't be started, after a while; why is what the
// rows say until then, "" for nothing new.
func GiveBackStarts(ctx context.Context, db DB, ids []string, after time.Duration, why string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
WITH given AS (
  UPDATE workflow_worker.executions_due SET leased_until = now() + $2 * interval '1 microsecond'
  WHERE execution_id = ANY($1::text[]::uuid[]) AND leased_until IS NOT NULL
)
UPDATE public.workflow_executions SET leased_until = now() + $2 * interval '1 microsecond', error_message = coalesce(nullif($3, ''), error_message)
WHERE id = ANY($1::text[]::uuid[]) AND status = 'pending' AND claimed_at IS NOT NULL`, ids, after.Microseconds(), plain(why))
	if err != nil {
		return fmt.Errorf("give back executions to start: %w", err)
	}
	return nil
}

// ExecutionState is what Temporal says of an execution, for its row.
type ExecutionState struct {
	// ID is the row's, "" where only the chain of runs is known.
	ID string
	// Was is the run that the row named when Temporal was asked; the row is left alone if it names
	// another by now. "" doesn't ask.
	Was string

	TemporalID, RunID, FirstRunID string
	Status                        string
	StartedAt, EndedAt            time.Time // zero: unknown, not yet
	Output                        *string   // JSON
	Message                       string
	Error                         *string // JSON
	Activities                    int     // -1: unknown
	Version, Hash                 string
	Attempt                       int

	// Of one that may have no row yet: the workflow whose code it runs, and the first run of the
	// execution whose child it is.
	CodeOf, ParentRunID string
	Input               *string

	// Row is the row that the execution says it was started for, TaskQueue where it was started: a
	// row that waits for that start is the execution's.
	Row, TaskQueue string
}

// Over says whether the execution has ended.
func (s ExecutionState) Over() bool {
	return s.Status == ExecutionCompleted || s.Status == ExecutionFailed || s.Status == ExecutionCancelled
}

// Size is about how much memory it takes.
func (s ExecutionState) Size() int {
	n := 512 + len(s.Message)
	for _, v := range []*string{s.Output, s.Error, s.Input} {
		if v != nil {
			n += len(*v)
		}
	}
	return n
}

// statesFrom is the parameters of a batch as rows s.
const statesFrom = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
  $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[])
  WITH ORDINALITY AS s (id, was, workflow_id, run_id, first_run_id, status, started_at, ended_at,
    output, message, error, activities, version, hash, attempt, code_of, parent_run_id, input, row_id, task_queue, n)`

// writeStates writes rows e that belong to states s. A row that is over is written again only for a
// run that it doesn't name yet, a reset's, or if nobody could tell how it ended. One that says all of
// it already isn't written. Of one that never began the start stays as it is: the Workflow Builder's
// table has one from the row's beginning, and none may be NULL there.
const writeStates = `
UPDATE public.workflow_executions e SET
  status = s.status, temporal_workflow_id = coalesce(nullif(s.workflow_id, ''), e.temporal_workflow_id), temporal_run_id = coalesce(nullif(s.run_id, ''), e.temporal_run_id),
  first_run_id = coalesce(nullif(s.first_run_id, ''), e.first_run_id),
  started_at = CASE WHEN e.status = 'pending' THEN coalesce(s.started_at, CASE WHEN s.run_id <> '' THEN now() ELSE e.started_at END) ELSE coalesce(e.started_at, s.started_at) END,
  completed_at = s.ended_at,
  duration_ms = least(2147483647, greatest(0, extract(epoch FROM s.ended_at
    - CASE WHEN e.status = 'pending' THEN coalesce(s.started_at, now()) ELSE coalesce(CASE WHEN isfinite(e.started_at) THEN e.started_at END, s.started_at) END) * 1000))::integer,
  output = s.output::jsonb, error_message = nullif(s.message, ''), error = s.error::jsonb,
  activities_executed = CASE WHEN s.activities >= 0 THEN s.activities ELSE e.activities_executed END,
  code_version = coalesce(nullif(s.version, ''), (SELECT c.version FROM public.workflow_code_store c WHERE c.hash = s.hash AND c.version <> '' LIMIT 1), e.code_version),
  code_hash = coalesce(nullif(s.hash, ''), e.code_hash), attempt = coalesce(nullif(s.attempt, 0), e.attempt)
FROM ` + statesFrom

// LostKey marks, in workflow_executions.error, a row that ended because Temporal didn't know its
// execution. Authors' failures can't have it.
const LostKey = "lost"

// lostExecution says that of a row e.
const lostExecution = `(e.status = 'failed' AND e.error ? '` + LostKey + `')`

// startingFor are rows x whose start is on its way, and that s says it is the execution of: of the id
// that the start was to have, on the project's task queue.
const startingFor = `
JOIN public.workflow_executions x ON x.id = nullif(s.row_id, '')::uuid AND x.status = 'pending' AND x.first_run_id IS NULL AND x.claimed_at IS NOT NULL
  AND x.temporal_workflow_id = s.workflow_id
JOIN public.workflows w ON w.id = x.workflow_id JOIN public.projects p ON p.id = w.project_id AND p.task_queue_name = s.task_queue`

const (
	byID = `
WHERE e.id = s.id::uuid AND (s.was = '' OR e.temporal_run_id = s.was)
  AND (e.status IN ('pending', 'running', 'paused') OR ` + lostExecution + ` OR s.run_id <> '' AND e.temporal_run_id IS DISTINCT FROM s.run_id)
  AND NOT (e.status = 'running' AND s.hash = '' AND (s.status, s.run_id, s.first_run_id) IS NOT DISTINCT FROM (e.status::text, e.temporal_run_id::text, e.first_run_id))
RETURNING s.n`
	byChain = ` CROSS JOIN LATERAL (
  SELECT r.execution_id FROM workflow_worker.execution_runs r WHERE r.run_id = s.first_run_id
  UNION
  SELECT x.id FROM (SELECT s.*) s` + startingFor + `
) t
WHERE e.id = t.execution_id AND (e.first_run_id = s.first_run_id OR e.first_run_id IS NULL)
  AND (e.status IN ('pending', 'running', 'paused') OR ` + lostExecution + ` OR e.temporal_run_id IS DISTINCT FROM s.run_id)
  AND NOT (e.status = 'running' AND (s.status, s.run_id, s.hash) IS NOT DISTINCT FROM (e.status::text, e.temporal_run_id::text, e.code_hash))
RETURNING s.n`
)

func stateArgs(states []ExecutionState) []any {
	n := len(states)
	text := func(of func(s *ExecutionState) string) []string {
		column := make([]string, n)
		for i := range states {
			column[i] = strings.ReplaceAll(of(&states[i]), "\x00", "\ufffd") // which no text of PostgreSQL's holds
		}
		return column
	}
	json := func(of func(s *ExecutionState) *string) []*string {
		column := make([]*string, n)
		for i := range states {
			if v := of(&states[i]); v != nil {
				clean := withoutNUL(*v)
				column[i] = &clean
			}
		}
		return column
	}
	started, ended := make([]*time.Time, n), make([]*time.Time, n)
	activities, attempts := make([]int64, n), make([]int64, n)
	for i, s := range states {
		started[i], ended[i] = nullTime(s.StartedAt), nullTime(s.EndedAt)
		activities[i], attempts[i] = int64(s.Activities), int64(s.Attempt)
	}
	return []any{
		text(func(s *ExecutionState) string { return s.ID }), text(func(s *ExecutionState) string { return s.Was }),
		text(func(s *ExecutionState) string { return s.TemporalID }), text(func(s *ExecutionState) string { return s.RunID }),
		text(func(s *ExecutionState) string { return s.FirstRunID }), text(func(s *ExecutionState) string { return s.Status }), started, ended,
		json(func(s *ExecutionState) *string { return s.Output }), text(func(s *ExecutionState) string { return Bounded(s.Message) }),
		json(func(s *ExecutionState) *string { return s.Error }), activities,
		text(func(s *ExecutionState) string { return s.Version }), text(func(s *ExecutionState) string { return s.Hash }), attempts,
		text(func(s *ExecutionState) string { return s.CodeOf }), text(func(s *ExecutionState) string { return s.ParentRunID }),
		json(func(s *ExecutionState) *string { return s.Input }),
		text(func(s *ExecutionState) string { return s.Row }), text(func(s *ExecutionState) string { return s.TaskQueue }),
	}
}

// WriteExecutions writes states of rows that are named by their ids.
func WriteExecutions(ctx context.Context, db DB, states []ExecutionState) error {
	_, err := writeExecutions(ctx, db, writeStates+byID, states)
	return err
}

// WriteChains writes states of rows that are named by their first run, and says which of the states
// belong to no row, or to one that didn't need them.
func WriteChains(ctx context.Context, db DB, states []ExecutionState) (without []ExecutionState, err error) {
	written, err := writeExecutions(ctx, db, writeStates+byChain, states)
	if err != nil {
		return nil, err
	}
	for i, s := range states {
		if !written[i] {
			without = append(without, s)
		}
	}
	return without, nil
}

// writeExecutions says which states, by their places, were written. Replicas may tell of the same
// executions at once: each writes them in one order, and whoever loses all the same, since the
// server plans as it likes, writes again.
func writeExecutions(ctx context.Context, db DB, sql string, states []ExecutionState) (written map[int]bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	order := make([]int, len(states))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(states[a].ID, states[b].ID), cmp.Compare(states[a].FirstRunID, states[b].FirstRunID))
	})
	ordered := make([]ExecutionState, len(states))
	for n, i := range order {
		ordered[n] = states[i]
	}
	const most = 5
	for tries := 1; ; tries++ {
		rows, err := db.Query(ctx, sql, stateArgs(ordered)...)
		var found []int64
		if err == nil {
			found, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		if deadlock := new(pgconn.PgError); errors.As(err, &deadlock) && deadlock.Code == deadlockDetected && tries < most {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("write executions: %w", err)
		}
		written = make(map[int]bool, len(found))
		for _, n := range found {
			written[order[n-1]] = true
		}
		return written, nil
	}
}

// deadlockDetected is PostgreSQL's error code.
const deadlockDetected = "40P01"

// unrecorded says of a state s that there is no row of it, also none whose start is on its way.
const unrecorded = `NOT EXISTS (SELECT FROM workflow_worker.execution_runs r WHERE r.run_id = s.first_run_id)
  AND NOT EXISTS (SELECT FROM workflow_worker.executions_due d JOIN public.workflow_executions e ON e.id = d.execution_id
    WHERE e.temporal_workflow_id = s.workflow_id AND e.first_run_id IS NULL)`

// recordable is the workflow of a state s, where its project, or else the service's setting ($1),
// wants all recorded.
const recordable = `
JOIN public.workflows w ON w.id = nullif(s.code_of, '')::uuid
JOIN public.projects p ON p.id = w.project_id AND coalesce(p.record_executions, CASE WHEN $%d THEN 'all' ELSE 'rows' END) = 'all'`

// Unrecorded says which executions are to be recorded and have no row, and which have one that says
// something else.
func Unrecorded(ctx context.Context, db DB, all bool, states []ExecutionState) (missing, changed []ExecutionState, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	a := stateArgs(states)
	found, err := db.Query(ctx, `
SELECT s.n, NOT EXISTS (SELECT FROM workflow_worker.execution_runs r WHERE r.run_id = s.first_run_id)
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS s (workflow_id, run_id, first_run_id, status, code_of, n)`+
		fmt.Sprintf(recordable, 1)+`
WHERE (`+unrecorded+`) OR EXISTS (SELECT FROM workflow_worker.execution_runs r JOIN public.workflow_executions e ON e.id = r.execution_id
  WHERE r.run_id = s.first_run_id AND e.first_run_id = s.first_run_id AND (e.temporal_run_id::text, e.status::text) IS DISTINCT FROM (s.run_id, s.status))`, all, a[2], a[3], a[4], a[5], a[15])
	if err != nil {
		return nil, nil, fmt.Errorf("look for executions without a row: %w", err)
	}
	var n int64
	var none bool
	_, err = pgx.ForEachRow(found, []any{&n, &none}, func() error {
		if none {
			missing = append(missing, states[n-1])
		} else {
			changed = append(changed, states[n-1])
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look for executions without a row: %w", err)
	}
	return missing, changed, nil
}

// RecordExecutions makes rows for executions that are to be recorded and have none. A row's id
// follows from the first run: two replicas make one.
func RecordExecutions(ctx context.Context, db DB, all bool, states []ExecutionState) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
INSERT INTO public.workflow_executions (id, workflow_id, temporal_workflow_id, temporal_run_id, first_run_id, status, started_at, completed_at, duration_ms,
  output, error_message, error, activities_executed, code_version, code_hash, attempt, input, parent_run_id, claimed_at)
SELECT md5('workflow execution ' || s.first_run_id)::uuid, w.id, s.workflow_id, s.run_id, s.first_run_id, s.status, coalesce(s.started_at, now()), s.ended_at,
  least(2147483647, greatest(0, extract(epoch FROM s.ended_at - coalesce(s.started_at, now())) * 1000))::integer,
  s.output::jsonb, nullif(s.message, ''), s.error::jsonb, greatest(0, s.activities), nullif(s.version, ''), nullif(s.hash, ''), nullif(s.attempt, 0), s.input::jsonb,
  nullif(s.parent_run_id, ''), now()
FROM `+statesFrom+fmt.Sprintf(recordable, 21)+`
WHERE s.first_run_id <> '' AND `+unrecorded+`
ON CONFLICT (id) DO NOTHING`, append(stateArgs(states), all)...)
	if err != nil {
		return fmt.Errorf("record executions: %w", err)
	}
	return nil
}

// AdoptChildren has rows say whose children they are, whichever row was there first: of the first
// runs given, as parents; nil: of what was made in the last hour. The parent is of the same project.
func AdoptChildren(ctx context.Context, db DB, parents []string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
UPDATE public.workflow_executions c SET parent_id = p.id
FROM workflow_worker.execution_runs r, public.workflow_executions p, public.workflows pw, public.workflows cw
WHERE c.parent_id IS NULL AND c.parent_run_id IS NOT NULL AND r.run_id = c.parent_run_id AND p.id = r.execution_id AND p.first_run_id = c.parent_run_id
  AND CASE WHEN $1::text[] IS NULL THEN c.created_at > now() - interval '1 hour' ELSE c.parent_run_id = ANY($1) END
  AND pw.id = p.workflow_id AND cw.id = c.workflow_id AND pw.project_id = cw.project_id`, parents)
	if err != nil {
		return fmt.Errorf("find the parents of executions: %w", err)
	}
	return nil
}

// Unwritable says whether a statement failed by the values that it brought: another try is no use.
func Unwritable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code[:2] == "22" || pg.Code[:2] == "23" || pg.Code[:2] == "54")
}

// OpenExecution is a row of an execution that isn't over, as far as the row knows.
type OpenExecution struct {
	ID, TemporalID, RunID, FirstRunID, TaskQueue string
	Status                                       string
	StartedAt                                    time.Time
	WorkflowID                                   string // of rows
}

// NoID is before every id: who reads in their order begins after it.
const NoID = "00000000-0000-0000-0000-000000000000"

// looks are the rows whose execution is to be found out.
const looks = `JOIN workflow_worker.executions_due d ON d.execution_id = e.id WHERE d.reason = 'look' AND d.execution_id > $1::uuid `

// ReadOpenExecutions reads rows after an id, in its order. unknown: only those that the service
// hasn't looked at yet.
func ReadOpenExecutions(ctx context.Context, db DB, after string, unknown bool, most int) ([]OpenExecution, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	if unknown {
		return readOpen(ctx, db, looks+`AND e.status IN ('running', 'paused') AND e.first_run_id IS NULL ORDER BY d.execution_id LIMIT $2`, after, most)
	}
	return readOpen(ctx, db, `WHERE e.completed_at IS NULL AND e.status IN ('running', 'paused') AND e.id > $1::uuid ORDER BY e.id LIMIT $2`, after, most)
}

// ReadReopenedExecutions reads rows after an id, in its order, that somebody made pending although
// they have begun: they don't begin again.
func ReadReopenedExecutions(ctx context.Context, db DB, after string, most int) ([]OpenExecution, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	return readOpen(ctx, db, looks+`AND e.status = 'pending' AND e.first_run_id IS NOT NULL ORDER BY d.execution_id LIMIT $2`, after, most)
}

// ReadLostExecutions reads rows after an id, in its order, that ended because Temporal didn't know
// their execution.
func ReadLostExecutions(ctx context.Context, db DB, after string, most int) ([]OpenExecution, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	return readOpen(ctx, db, `WHERE e.completed_at IS NOT NULL AND `+lostExecution+` AND e.id > $1::uuid ORDER BY e.id LIMIT $2`, after, most)
}

// ReadExecution reads a row, whatever its status; ok is false if there is none.
func ReadExecution(ctx context.Context, db DB, id string) (x OpenExecution, ok bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	found, err := readOpen(ctx, db, `WHERE e.id = $1::uuid`, id)
	if err != nil || len(found) == 0 {
		return x, false, err
	}
	return found[0], true, nil
}

// ReadChains reads the rows of first runs.
func ReadChains(ctx context.Context, db DB, firstRuns []string) ([]OpenExecution, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	return readOpen(ctx, db, `JOIN workflow_worker.execution_runs r ON r.execution_id = e.id WHERE r.run_id = ANY($1::text[]) AND e.first_run_id = r.run_id`, firstRuns)
}

// readOpen reads rows. A start that somebody else wrote may be at no time that there is, or be still to
// come: then it was long ago, so that the row is looked at.
func readOpen(ctx context.Context, db DB, where string, args ...any) ([]OpenExecution, error) {
	rows, err := db.Query(ctx, `
SELECT e.id::text, coalesce(e.temporal_workflow_id::text, ''), coalesce(e.temporal_run_id::text, ''), coalesce(e.first_run_id, ''), p.task_queue_name::text,
  e.status::text, (SELECT CASE WHEN t BETWEEN '2000-01-01' AND now() + interval '1 minute' THEN t ELSE '2000-01-01' END FROM (SELECT coalesce(e.started_at, e.created_at)) x (t)), e.workflow_id::text
FROM public.workflow_executions e JOIN public.workflows w ON w.id = e.workflow_id JOIN public.projects p ON p.id = w.project_id
`+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenExecution])
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	return found, nil
}

// ReadWorkflowsOf finds the workflows of states' rows, as far as there are rows: of those of the
// list, by their place in states.
func ReadWorkflowsOf(ctx context.Context, db DB, states []ExecutionState, list []int) (map[int]string, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	ids, firsts := make([]string, len(list)), make([]string, len(list))
	for n, i := range list {
		ids[n], firsts[n] = cmp.Or(states[i].ID, states[i].Row), states[i].FirstRunID
	}
	rows, err := db.Query(ctx, `
WITH s AS (SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (id, first_run_id, n))
SELECT s.n, e.workflow_id::text FROM s JOIN public.workflow_executions e ON e.id = s.id::uuid WHERE s.id <> ''
UNION ALL
SELECT s.n, e.workflow_id::text FROM s JOIN workflow_worker.execution_runs r ON r.run_id = s.first_run_id JOIN public.workflow_executions e ON e.id = r.execution_id
WHERE s.id = ''`, ids, firsts)
	if err != nil {
		return nil, fmt.Errorf("read the workflows of executions: %w", err)
	}
	found := map[int]string{}
	var n int64
	var workflow string
	if _, err := pgx.ForEachRow(rows, []any{&n, &workflow}, func() error {
		found[list[n-1]] = workflow
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read the workflows of executions: %w", err)
	}
	return found, nil
}

// NoteWork makes what is noted beside the rows right again: of what is open, whatever wrote it past
// the triggers (a restore does).
func NoteWork(ctx context.Context, db DB) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `
WITH e AS (
  SELECT *, CASE WHEN status = 'pending' AND first_run_id IS NULL THEN 'start' WHEN status = 'pending' OR status IN ('running', 'paused') AND first_run_id IS NULL THEN 'look' END AS due
  FROM (SELECT id, workflow_id, status::text, created_at, claimed_at, first_run_id, temporal_run_id::text FROM public.workflow_executions
    WHERE completed_at IS NULL AND status IN ('pending', 'running', 'paused')) e
),
due AS (
  INSERT INTO workflow_worker.executions_due (execution_id, reason, workflow_id, created_at, leased_until)
  SELECT id, due, workflow_id, coalesce(created_at, now()), CASE WHEN due = 'start' AND claimed_at IS NOT NULL THEN now() END FROM e
  WHERE due IS NOT NULL AND NOT EXISTS (SELECT FROM workflow_worker.executions_due d WHERE d.execution_id = e.id)
  ON CONFLICT DO NOTHING
),
stranded AS ( -- claimed by who noted it in the row alone, an earlier release
  UPDATE workflow_worker.executions_due d SET leased_until = now() FROM public.workflow_executions x
  WHERE x.id = d.execution_id AND d.reason = 'start' AND d.leased_until IS NULL AND x.claimed_at < now() - interval '1 minute'
),
done AS (
  DELETE FROM workflow_worker.executions_due d WHERE NOT EXISTS (SELECT FROM public.workflow_executions x WHERE x.id = d.execution_id
    AND (x.status = 'pending' OR x.status IN ('running', 'paused') AND x.first_run_id IS NULL))
)
INSERT INTO workflow_worker.execution_runs (run_id, execution_id)
SELECT DISTINCT u.run, e.id FROM e, unnest(ARRAY[e.first_run_id, e.temporal_run_id]) AS u (run)
WHERE e.first_run_id IS NOT NULL AND u.run IS NOT NULL
  AND NOT EXISTS (SELECT FROM workflow_worker.execution_runs r WHERE r.run_id = u.run AND r.execution_id = e.id)
ON CONFLICT DO NOTHING`)
	if err != nil {
		return fmt.Errorf("note which executions are to be looked after: %w", err)
	}
	return nil
}

// ReadArguments reads what states' rows were asked to do, of those of the list, by their place in
// states: input and arguments, as far as there are.
func ReadArguments(ctx context.Context, db DB, states []ExecutionState, list []int) (map[int][]string, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	ids, firsts := make([]string, len(list)), make([]string, len(list))
	for n, i := range list {
		ids[n], firsts[n] = cmp.Or(states[i].ID, states[i].Row), states[i].FirstRunID
	}
	rows, err := db.Query(ctx, `
SELECT s.n, coalesce(e.input::text, ''), coalesce((e.options->'args')::text, '')
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (id, first_run_id, n)
CROSS JOIN LATERAL (SELECT nullif(s.id, '')::uuid AS id UNION SELECT r.execution_id FROM workflow_worker.execution_runs r WHERE r.run_id = s.first_run_id) x
JOIN public.workflow_executions e ON e.id = x.id`, ids, firsts)
	if err != nil {
		return nil, fmt.Errorf("read what executions were asked to do: %w", err)
	}
	found := map[int][]string{}
	var n int64
	var input, args string
	if _, err := pgx.ForEachRow(rows, []any{&n, &input, &args}, func() error {
		found[list[n-1]] = append(found[list[n-1]], input, args)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read what executions were asked to do: %w", err)
	}
	return found, nil
}

// anyRecorded says that any project wants its executions recorded.
const anyRecorded = `EXISTS (SELECT FROM public.projects WHERE record_executions = 'all')`

// AnyRecorded says whether any project wants its executions recorded, whoever started them.
func AnyRecorded(ctx context.Context, db DB) (any bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	if err := db.QueryRow(ctx, `SELECT `+anyRecorded).Scan(&any); err != nil {
		return false, fmt.Errorf("read what is recorded: %w", err)
	}
	return any, nil
}

// OpenQueues gives the task queues of the projects of which a row waits for what becomes of an
// execution, or which want them recorded. Of open rows it looks at so many, and says if there are more.
func OpenQueues(ctx context.Context, db DB, most int) (queues []string, more bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	err = db.QueryRow(ctx, `
WITH open AS MATERIALIZED (
  SELECT workflow_id FROM public.workflow_executions WHERE completed_at IS NULL AND status IN ('pending', 'running', 'paused') LIMIT $1 + 1
)
SELECT (SELECT count(*) FROM open) > $1, ARRAY(
  SELECT p.task_queue_name::text FROM public.projects p WHERE p.record_executions = 'all'
  UNION
  SELECT p.task_queue_name::text FROM (SELECT DISTINCT workflow_id FROM open) o
  JOIN public.workflows w ON w.id = o.workflow_id JOIN public.projects p ON p.id = w.project_id)`, most).Scan(&more, &queues)
	if err != nil {
		return nil, false, fmt.Errorf("look for open executions: %w", err)
	}
	return queues, more, nil
}

// CancelWaiting cancels a row that nobody has set about starting.
func CancelWaiting(ctx context.Context, db DB, id, reason string) (done bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	tag, err := db.Exec(ctx, `UPDATE public.workflow_executions SET status = 'cancelled', completed_at = now(), error_message = nullif($2, '')
WHERE id = $1 AND status = 'pending' AND claimed_at IS NULL`, id, Bounded(reason))
	if err != nil {
		return false, fmt.Errorf("cancel an execution that waits: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// RemoveOldExecutions removes rows that are over for longer than their project, or else the
// service, keeps them, a few at a time; and their requests. Zero keeps them.
func RemoveOldExecutions(ctx context.Context, db DB, retention time.Duration, most int) (int64, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	tag, err := db.Exec(ctx, `
WITH kept AS (
  -- One project's "for ever", subtracted, would be no time at all and fail for all of them.
  SELECT w.id AS workflow_id, coalesce(CASE WHEN p.execution_retention IS NOT NULL THEN least(greatest(p.execution_retention, '0'), '1000 years') END,
    CASE WHEN $1::bigint > 0 THEN $1::bigint * interval '1 microsecond' END) AS long
  FROM public.workflows w JOIN public.projects p ON p.id = w.project_id
),
old AS (
  SELECT x.id FROM kept k CROSS JOIN LATERAL (SELECT e.id FROM public.workflow_executions e
    WHERE e.workflow_id = k.workflow_id AND e.completed_at < now() - k.long AND e.status IN ('completed', 'failed', 'cancelled')
    ORDER BY e.completed_at LIMIT $2 FOR UPDATE SKIP LOCKED) x
  WHERE k.long IS NOT NULL LIMIT $2
),
asked AS (
  DELETE FROM public.workflow_execution_requests q USING old WHERE q.execution_id = old.id AND q.status IN ('completed', 'failed')
)
DELETE FROM public.workflow_executions e USING old WHERE e.id = old.id`, retention.Microseconds(), most)
	if err != nil {
		return 0, fmt.Errorf("remove old executions: %w", err)
	}
	return tag.RowsAffected(), nil
}
