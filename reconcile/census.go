package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/trouble"
)

// census is the superseded code of a project's workflows that open executions
// are on, newest first, by workflows.id.
type census map[string][]Superseded

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

// maxSuperseded is how many of a workflow are shown, maxSupersededOfAll how many
// of a project: the row is written anew whenever one of the numbers changes.
const (
	maxSuperseded      = 20
	maxSupersededOfAll = 500
)

// of lists those of a workflow, but for what is live.
func (c census) of(workflowID, liveHash string) []Superseded {
	list := slices.DeleteFunc(slices.Clone(c[workflowID]), func(s Superseded) bool { return s.Hash == liveHash })
	return list[:min(len(list), maxSuperseded)]
}

func (c census) equal(o census) bool {
	return maps.EqualFunc(c, o, func(a, b []Superseded) bool {
		return slices.EqualFunc(a, b, func(x, y Superseded) bool {
			same := x.SupersededAt == nil && y.SupersededAt == nil ||
				x.SupersededAt != nil && y.SupersededAt != nil && x.SupersededAt.Equal(*y.SupersededAt)
			return same && x.Version == y.Version && x.Hash == y.Hash && x.Executions == y.Executions
		})
	})
}

const (
	maxCounts = 100 // questions to Temporal in one census
	// visibilityLag is how long after the end of a period executions that began in
	// it may still turn up in Temporal's visibility.
	visibilityLag = time.Minute
)

// takeCensuses counts, until ctx ends, the executions on superseded code, and
// how much code is stored. Nothing waits for it.
func (r *Reconciler) takeCensuses(ctx context.Context) {
	var measured time.Time
	for trouble.Sleep(ctx, r.cfg.CensusInterval) {
		err := r.takeCensus(ctx)
		if time.Since(measured) >= r.cfg.CodeInterval {
			measured = time.Now()
			err = errors.Join(err, r.measureStore(ctx))
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.quiet.Fail(ctx, "census", "the executions on superseded code can't be counted", err)
		default:
			r.quiet.Recover(ctx, "census", "the executions on superseded code are counted again")
		}
	}
}

func (r *Reconciler) takeCensus(ctx context.Context) error {
	counted := r.countPeriods(ctx)
	return errors.Join(counted, r.publishCensus(ctx))
}

// period is a time in which code was live that isn't any more.
type period struct {
	ID, TaskQueue string
	Types         []string
	Began, Ended  time.Time
	Final         bool // visibility has caught up: nobody will turn up
}

// countPeriods asks Temporal about the periods that were not counted for longest.
// What is claimed is this replica's to count; the others read what it finds.
func (r *Reconciler) countPeriods(ctx context.Context) error {
	claim, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(claim, `
UPDATE public.workflow_live_periods p SET counted_at = now()
FROM (SELECT id FROM public.workflow_live_periods
      WHERE ended_at IS NOT NULL AND (counted_at IS NULL OR counted_at < now() - $1 * interval '1 microsecond')
      ORDER BY counted_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED) c
WHERE p.id = c.id
RETURNING p.id::text, p.task_queue, p.workflow_types, p.began_at, p.ended_at, p.ended_at < now() - $3 * interval '1 microsecond'`,
		(r.cfg.CensusInterval / 2).Microseconds(), maxCounts, visibilityLag.Microseconds())
	if err != nil {
		return fmt.Errorf("claim periods to count: %w", err)
	}
	periods, err := pgx.CollectRows(rows, pgx.RowToStructByPos[period])
	if err != nil {
		return fmt.Errorf("claim periods to count: %w", err)
	}
	var errs []error
	for _, p := range periods {
		if err := r.countPeriod(ctx, p); err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// countPeriod counts one. A period in which nobody began who is still there is
// forgotten once it can't change any more.
func (r *Reconciler) countPeriod(ctx context.Context, p period) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	n, err := r.cfg.Executions.CountBegun(ctx, p.TaskQueue, p.Types, p.Began, p.Ended)
	if err != nil {
		return err
	}
	if n == 0 && p.Final {
		_, err = r.cfg.Pool.Exec(ctx, `DELETE FROM public.workflow_live_periods WHERE id = $1`, p.ID)
	} else {
		_, err = r.cfg.Pool.Exec(ctx, `UPDATE public.workflow_live_periods SET executions = $2 WHERE id = $1`, p.ID, n)
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

// publishCensus tells the passes over the projects here what was counted.
func (r *Reconciler) publishCensus(ctx context.Context) error {
	var here []string
	live := 0
	r.mu.Lock()
	for id, c := range r.cards {
		here = append(here, id)
		live += c.workflows
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, censusSQL, here)
	if err != nil {
		return fmt.Errorf("read what was counted: %w", err)
	}
	found := map[string]census{}
	var project, workflow string
	var s Superseded
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &s.Hash, &s.SupersededAt, &s.Executions, &s.Version}, func() error {
		if found[project] == nil {
			found[project] = census{}
		}
		if s.SupersededAt != nil {
			at := s.SupersededAt.UTC()
			s.SupersededAt = &at
		}
		found[project][workflow] = append(found[project][workflow], s)
		return nil
	}); err != nil {
		return fmt.Errorf("read what was counted: %w", err)
	}
	versions := map[int]int{}
	var changed []string
	r.mu.Lock()
	for _, id := range here {
		for _, list := range found[id] {
			versions[1+len(list)]++
			live--
		}
		if _, still := r.cards[id]; still && !found[id].equal(r.censuses[id]) {
			r.censuses[id] = found[id]
			changed = append(changed, id)
		}
	}
	r.mu.Unlock()
	if live > 0 {
		versions[1] += live
	}
	r.cfg.Observer.VersionsInUse(versions)
	for _, id := range changed {
		r.queue.resync(id) // the pass writes the row anew
	}
	return nil
}

// measureStore tells how large the store is: on disk, with its indexes.
func (r *Reconciler) measureStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	var n, bytes int64
	err := r.cfg.Pool.QueryRow(ctx, `
SELECT count(*), pg_total_relation_size('public.workflow_code_store') FROM public.workflow_code_store`).Scan(&n, &bytes)
	if err != nil {
		return fmt.Errorf("measure the code store: %w", err)
	}
	r.cfg.Observer.StoredCode(n, bytes)
	return nil
}
