package rows

import (
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// QueueLiveCode makes workflow_live_code say what a report says is live. What
// the project no longer has loses its last good version: code that was removed
// doesn't come back because its successor is broken.
//
// taskQueue is where executions may be pinned to it: the clean-up asks Temporal
// about that queue, whatever the project's is by then.
func QueueLiveCode(b *pgx.Batch, projectID, taskQueue string, rep runtime.Report, facts map[Ref]LiveFact) {
	var (
		kind, id          []string // all of the report
		lKind, lID, lHash []string // the live ones
		lVersion          []string
		lSince            []time.Time
		lCode             []*string
	)
	for _, s := range rep.Sources {
		kind, id = append(kind, s.Kind), append(id, s.ID)
		if s.Hash == "" {
			continue
		}
		lKind, lID, lHash = append(lKind, s.Kind), append(lID, s.ID), append(lHash, s.Hash)
		lVersion, lSince = append(lVersion, s.Version), append(lSince, s.Since)
		lCode = append(lCode, nullText(facts[Ref{s.Kind, s.ID}].CodeID))
	}
	b.Queue(`
DELETE FROM public.workflow_live_code
WHERE project_id = $1 AND (source_kind, source_id) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]::uuid[]))`,
		projectID, kind, id)
	b.Queue(`
INSERT INTO public.workflow_live_code AS l (project_id, source_kind, source_id, hash, version, since, code_id)
SELECT $1, * FROM unnest($2::text[], $3::text[]::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]::uuid[])
ON CONFLICT (project_id, source_kind, source_id) DO UPDATE
SET hash = excluded.hash, version = excluded.version, code_id = coalesce(excluded.code_id, CASE WHEN l.hash = excluded.hash THEN l.code_id END),
  since = CASE WHEN l.hash = excluded.hash THEN l.since ELSE excluded.since END
WHERE (l.hash, l.version, l.code_id) IS DISTINCT FROM (excluded.hash, excluded.version, coalesce(excluded.code_id, l.code_id))`,
		projectID, lKind, lID, lHash, lVersion, lSince, lCode)
	b.Queue(`
UPDATE public.workflow_code_store SET task_queues = array_append(task_queues, $3)
WHERE project_id = $1 AND hash = ANY($2::text[]) AND NOT task_queues @> ARRAY[$3]`, projectID, lHash, taskQueue)
}
