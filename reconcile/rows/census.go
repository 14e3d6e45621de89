package rows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Census is the superseded code of a project's workflows that open executions
// are on, newest first, by workflows.id.
type Census map[string][]Superseded

// Superseded is older code of a workflow that open executions are on. Executions
// counts those that began while it was live, without those that were moved away
// since, and with those that were moved to it.
//
// The number is Temporal's visibility's, a minute old or so. One that waited for
// its first task while the code changed counts with the older code; a reset one
// counts with the code that was live at the reset; one of an auto_upgrade
// workflow counts with the code that it began on, though it goes on with newer.
type Superseded struct {
	Version      string     `json:"version,omitempty"`
	Hash         string     `json:"hash"`
	SupersededAt *time.Time `json:"supersededAt,omitempty"` // absent if it was never live
	Executions   int64      `json:"executions"`
}

// maxSuperseded is how many of a workflow are shown, MaxSupersededOfAll how many
// of a project: the row is written anew whenever one of the numbers changes.
const (
	maxSuperseded      = 20
	MaxSupersededOfAll = 500
)

// Of lists those of a workflow, but for what is live.
func (c Census) Of(workflowID, liveHash string) []Superseded {
	list := slices.DeleteFunc(slices.Clone(c[workflowID]), func(s Superseded) bool { return s.Hash == liveHash })
	return list[:min(len(list), maxSuperseded)]
}

func (c Census) Equal(o Census) bool {
	return maps.EqualFunc(c, o, func(a, b []Superseded) bool {
		return slices.EqualFunc(a, b, func(x, y Superseded) bool {
			same := x.SupersededAt == nil && y.SupersededAt == nil ||
				x.SupersededAt != nil && y.SupersededAt != nil && x.SupersededAt.Equal(*y.SupersededAt)
			return same && x.Version == y.Version && x.Hash == y.Hash && x.Executions == y.Executions
		})
	})
}

// Period is a time in which code was live that isn't any more.
type Period struct {
	ID, TaskQueue string
	Types         []string
	Began, Ended  time.Time
	Final         bool // visibility has caught up: nobody will turn up
}

// ClaimPeriods claims periods to count. lag is how long after the end of one somebody may still
// turn up.
func ClaimPeriods(ctx context.Context, db DB, age time.Duration, most int, lag time.Duration) ([]Period, error) {
	return claim[Period](ctx, db, turns{
		what: "periods to count", table: "workflow_live_periods", key: []string{"id"}, looked: "counted_at", among: "ended_at IS NOT NULL",
		returning: "s.id::text, s.task_queue, s.workflow_types, s.began_at, s.ended_at, s.ended_at < now() - $3 * interval '1 microsecond'",
	}, age, most, lag.Microseconds())
}

// WriteCount writes how many executions a period has. One in which nobody began who is still
// there is forgotten once it can't change any more.
func WriteCount(ctx context.Context, db DB, p Period, n int64) (err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	if n == 0 && p.Final {
		_, err = db.Exec(ctx, `DELETE FROM public.workflow_live_periods WHERE id = $1`, p.ID)
	} else {
		_, err = db.Exec(ctx, `UPDATE public.workflow_live_periods SET executions = $2 WHERE id = $1`, p.ID, n)
	}
	if err != nil {
		return fmt.Errorf("write the count of a period: %w", err)
	}
	return nil
}

const censusSQL = `
WITH counts AS (
  SELECT project_id, workflow_id, hash, executions AS n, version, ended_at FROM public.workflow_live_periods
  WHERE ended_at IS NOT NULL AND project_id = ANY($1::text[]::uuid[])
  UNION ALL
  SELECT project_id, workflow_id, hash, 1, NULL, NULL FROM public.workflow_execution_moves
  WHERE closed_at IS NULL AND project_id = ANY($1::text[]::uuid[])
  UNION ALL
  SELECT project_id, workflow_id, from_hash, -1, NULL, NULL FROM public.workflow_execution_moves
  WHERE closed_at IS NULL AND project_id = ANY($1::text[]::uuid[]))
SELECT c.project_id::text, c.workflow_id::text, c.hash, max(c.ended_at), sum(c.n)::bigint,
  coalesce((array_agg(c.version ORDER BY c.ended_at DESC NULLS LAST))[1], max(s.version), '')
FROM counts c LEFT JOIN public.workflow_code_store s ON s.project_id = c.project_id AND s.hash = c.hash
WHERE NOT EXISTS (SELECT FROM public.workflow_live_code l WHERE l.project_id = c.project_id AND l.source_id = c.workflow_id AND l.hash = c.hash)
GROUP BY 1, 2, 3 HAVING sum(c.n) > 0
ORDER BY max(c.ended_at) DESC NULLS LAST, c.hash`

// ReadCensus reads what was counted, by project.
func ReadCensus(ctx context.Context, db DB, projects []string) (map[string]Census, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, censusSQL, projects)
	if err != nil {
		return nil, fmt.Errorf("read what was counted: %w", err)
	}
	found := map[string]Census{}
	var project, workflow string
	var s Superseded
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &s.Hash, &s.SupersededAt, &s.Executions, &s.Version}, func() error {
		if found[project] == nil {
			found[project] = Census{}
		}
		if s.SupersededAt != nil {
			at := s.SupersededAt.UTC()
			s.SupersededAt = &at
		}
		found[project][workflow] = append(found[project][workflow], s)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read what was counted: %w", err)
	}
	return found, nil
}

// MeasureStore tells how large the code store is: on disk, with its indexes.
func MeasureStore(ctx context.Context, db DB) (n, bytes int64, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	err = db.QueryRow(ctx, `
SELECT count(*), pg_total_relation_size('public.workflow_code_store') FROM public.workflow_code_store`).Scan(&n, &bytes)
	if err != nil {
		return 0, 0, fmt.Errorf("measure the code store: %w", err)
	}
	return n, bytes, nil
}
