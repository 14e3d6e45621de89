package rows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// KeptCode is code that open executions were to go on with, and keep theirs,
// because their history doesn't fit it.
type KeptCode struct {
	Version string `json:"version,omitempty"`
	Hash    string `json:"hash"`
	// Executions are those that were found, at most 1,000.
	Executions int64           `json:"executions"`
	Since      time.Time       `json:"since"`
	Example    BrokenExecution `json:"example"` // the first of them

	moved bool // a request told them to; the live code doesn't matter
}

// KeptCodes is what executions of a project's workflows stay off, by workflows.id.
type KeptCodes map[string][]KeptCode

// Of lists those of a workflow with this live code. What isn't live any more
// nobody goes on with, unless a request says so.
func (s KeptCodes) Of(workflowID, liveHash string) []KeptCode {
	list := slices.DeleteFunc(slices.Clone(s[workflowID]), func(x KeptCode) bool { return !x.moved && x.Hash != liveHash })
	return list[:min(len(list), maxKeptCode)]
}

// maxKeptCode is how many texts are shown that executions of a workflow don't go on with; besides
// the live one only those of migrate requests.
const maxKeptCode = 5

// insertKeptCodeSQL keeps the table bounded: $1 project, $2 workflow, $3 hash, $4 how
// many of a workflow. One that is there already is only said anew.
const insertKeptCodeSQL = `
INSERT INTO public.workflow_execution_stays (project_id, workflow_id, hash, execution_id, run_id, from_hash, event_id, reason)
SELECT $1, $2, $3, u.execution, u.run, u.from_hash, nullif(u.event, 0), u.reason
FROM (SELECT DISTINCT ON (run) * FROM unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
        AS u (execution, run, from_hash, event, reason)) u
LEFT JOIN public.workflow_execution_stays s ON s.project_id = $1 AND s.run_id = u.run
ORDER BY s.run_id IS NULL
LIMIT greatest(0, $4 - (SELECT count(*) FROM public.workflow_execution_stays WHERE project_id = $1 AND workflow_id = $2
  AND run_id <> ALL ($6::text[])))
ON CONFLICT (project_id, run_id) DO UPDATE SET
  workflow_id = excluded.workflow_id, hash = excluded.hash, execution_id = excluded.execution_id, from_hash = excluded.from_hash,
  event_id = excluded.event_id, reason = excluded.reason,
  noted_at = CASE WHEN workflow_execution_stays.hash = excluded.hash THEN workflow_execution_stays.noted_at ELSE excluded.noted_at END`

// notifiedOfKeptCodeSQL says how many executions keep their code, and how many the
// latest event about this code says.
const notifiedOfKeptCodeSQL = `
SELECT coalesce(w.kebab_name, ''), coalesce(c.version, ''),
  (SELECT count(*) FROM public.workflow_execution_stays s WHERE s.project_id = $1 AND s.workflow_id = $2 AND s.hash = $3),
  coalesce((SELECT max((e.details->>'executions')::bigint) FROM public.worker_events e
    WHERE e.project_id = $1 AND e.kind = 'stayed' AND e.details->'target'->>'hash' = $3), 0)
FROM (SELECT) AS always
LEFT JOIN public.workflows w ON w.id = $2
LEFT JOIN public.workflow_code_store c ON c.project_id = $1 AND c.hash = $3`

// KeptReport says what is known of the executions that keep their code, once some are written.
type KeptReport struct {
	Workflow   string // kebab name
	Version    string // of the code that they don't go on with
	Executions int64
	Notified   int64 // how many the latest event says
}

// WriteKeptCode writes that executions of a workflow don't go on with a text; at most so many of a
// workflow are kept.
func WriteKeptCode(ctx context.Context, db DB, projectID, workflowID, hash string, list []runtime.KeptCode, most int) (r KeptReport, err error) {
	n := len(list)
	ids, runs, from, events, reasons := make([]string, n), make([]string, n), make([]string, n), make([]int64, n), make([]string, n)
	for i, x := range list {
		ids[i], runs[i], from[i], events[i], reasons[i] = x.WorkflowID, x.RunID, x.From, x.EventID, plain(x.Reason)
	}
	ctx, cancel := db.Within(ctx)
	defer cancel()
	if _, err := db.Exec(ctx, insertKeptCodeSQL, projectID, workflowID, hash, most, ids, runs, from, events, reasons); err != nil {
		return r, err
	}
	err = db.QueryRow(ctx, notifiedOfKeptCodeSQL, projectID, workflowID, hash).Scan(&r.Workflow, &r.Version, &r.Executions, &r.Notified)
	return r, err
}

// WriteKeptCodeEvent writes the event that executions keep their code, unless the latest about the
// text that doesn't fit them says more than a so-manieth of them.
func WriteKeptCodeEvent(ctx context.Context, db DB, replica, projectID, message string, d KeptCodeDetails, times int64) error {
	_, err := matter{
		kind: EventStayed, projectID: projectID, key: d.Target.Hash,
		same: `e.details->'target'->>'hash' = $8`, args: []any{d.Target.Hash},
	}.tell(ctx, db, replica, message, d, d.Executions, times)
	return err
}

// keptCodeByWorkflowSQL counts, by workflow and text, the executions that stay off what they
// are still to go on with.
const keptCodeByWorkflowSQL = `
SELECT DISTINCT ON (g.project_id, g.workflow_id, g.hash) g.project_id::text, g.workflow_id::text, g.hash, coalesce(c.version, ''), g.moved,
  count(*) OVER w, min(g.noted_at) OVER w, g.execution_id, g.run_id, coalesce(g.event_id, 0), g.reason
FROM (SELECT s.*, m.run_id IS NOT NULL AS moved
      FROM public.workflow_execution_stays s
      LEFT JOIN public.workflow_execution_moves m ON m.project_id = s.project_id AND m.run_id = s.run_id
      LEFT JOIN public.workflows f ON f.id = s.workflow_id
      WHERE CASE WHEN m.run_id IS NOT NULL THEN m.hash = s.hash ELSE f.versioning_behavior IS DISTINCT FROM 'pinned' END) g
LEFT JOIN public.workflow_code_store c ON c.project_id = g.project_id AND c.hash = g.hash
WINDOW w AS (PARTITION BY g.project_id, g.workflow_id, g.hash)
ORDER BY g.project_id, g.workflow_id, g.hash, g.noted_at, g.run_id`

// ReadKeptCode reads who keeps its code, by project.
func ReadKeptCode(ctx context.Context, db DB) (map[string]KeptCodes, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, keptCodeByWorkflowSQL)
	if err != nil {
		return nil, fmt.Errorf("read which executions keep their code: %w", err)
	}
	found := map[string]KeptCodes{}
	var project, workflow string
	var s KeptCode
	x := &s.Example
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &s.Hash, &s.Version, &s.moved, &s.Executions, &s.Since,
		&x.WorkflowID, &x.RunID, &x.Event, &x.Reason}, func() error {
		if found[project] == nil {
			found[project] = KeptCodes{}
		}
		s.Since = s.Since.UTC()
		found[project][workflow] = append(found[project][workflow], s)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read which executions keep their code: %w", err)
	}
	for _, of := range found {
		for _, list := range of {
			slices.SortFunc(list, func(a, b KeptCode) int { return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Hash, b.Hash)) })
		}
	}
	return found, nil
}

// ClaimKeptCode claims executions that keep their code, to ask whether they are over.
func ClaimKeptCode(ctx context.Context, db DB, age time.Duration, most int) ([]replay.Execution, error) {
	return claim[replay.Execution](ctx, db, turns{
		what: "executions that keep their code", table: "workflow_execution_stays", key: []string{"project_id", "run_id"},
		looked: "checked_at", returning: "s.execution_id, s.run_id",
	}, age, most)
}

// RemoveKeptCode forgets executions that are over.
func RemoveKeptCode(ctx context.Context, db DB, runs []string) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	_, err := db.Exec(ctx, `DELETE FROM public.workflow_execution_stays WHERE run_id = ANY ($1::text[])`, runs)
	return err
}
