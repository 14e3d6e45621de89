package reconcile

import (
	"context"
	"errors"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

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

// countPeriods asks Temporal about the periods that were not counted for longest.
// What is claimed is this replica's to count; the others read what it finds.
func (r *Reconciler) countPeriods(ctx context.Context) error {
	periods, err := rows.ClaimPeriods(ctx, r.db, r.cfg.CensusInterval/2, maxCounts, visibilityLag)
	if err != nil {
		return err
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

func (r *Reconciler) countPeriod(ctx context.Context, p rows.Period) error {
	asked, cancel := r.db.Within(ctx)
	n, err := r.cfg.Executions.CountBegun(asked, p.TaskQueue, p.Types, p.Began, p.Ended)
	cancel()
	if err != nil {
		return err
	}
	return rows.WriteCount(ctx, r.db, p, n)
}

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
	found, err := rows.ReadCensus(ctx, r.db, here)
	if err != nil {
		return err
	}
	versions := map[int]int{}
	var changed []string
	r.mu.Lock()
	for _, id := range here {
		for _, list := range found[id] {
			versions[1+len(list)]++
			live--
		}
		if _, still := r.cards[id]; still && !found[id].Equal(r.censuses[id]) {
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

// rows.MeasureStore tells how large the store is.
func (r *Reconciler) measureStore(ctx context.Context) error {
	n, bytes, err := rows.MeasureStore(ctx, r.db)
	if err == nil {
		r.cfg.Observer.StoredCode(n, bytes)
	}
	return err
}
