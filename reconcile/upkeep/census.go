package upkeep

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

// CensusConfig is what NewCensus needs. All of it is required.
type CensusConfig struct {
	Base
	Executions    Executions
	Interval      time.Duration // between two censuses
	StoreInterval time.Duration // between two looks at how much code is stored
	// Projects gives the projects that are worked on here, and how many workflows have live code.
	Projects func() (ids []string, workflows int)
	// Found is given what was counted of them.
	Found    func(map[string]rows.Census)
	Observer CensusObserver
}

// CensusObserver is told of what is counted. Its methods are cheap and don't block.
type CensusObserver interface {
	// VersionsInUse counts this replica's workflows by how many versions of their
	// code open executions and new ones run on.
	VersionsInUse(workflows map[int]int)
	// StoredCode is how much workflow_code_store holds, on disk, for all projects.
	StoredCode(rows, bytes int64)
}

// Census counts the executions on superseded code, and how much code is stored.
type Census struct{ CensusConfig }

// NewCensus returns one that does nothing until Run.
func NewCensus(cfg CensusConfig) *Census { return &Census{cfg} }

// Run counts until ctx ends.
func (s *Census) Run(ctx context.Context) {
	var measured time.Time
	for trouble.Sleep(ctx, s.Interval) {
		err := s.Take(ctx)
		if time.Since(measured) >= s.StoreInterval {
			measured = time.Now()
			err = errors.Join(err, s.MeasureStore(ctx))
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.Trouble.Fail(ctx, "census", "the executions on superseded code can't be counted", err)
		default:
			s.Trouble.Recover(ctx, "census", "the executions on superseded code are counted again")
		}
	}
}

// Take takes a census.
func (s *Census) Take(ctx context.Context) error {
	counted := s.countPeriods(ctx)
	return errors.Join(counted, s.publish(ctx))
}

// countPeriods asks Temporal about the periods that were not counted for longest.
// What is claimed is this replica's to count; the others read what it finds.
func (s *Census) countPeriods(ctx context.Context) error {
	periods, err := rows.ClaimPeriods(ctx, s.DB, s.Interval/2, maxCounts, visibilityLag)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range periods {
		if err := s.countPeriod(ctx, p); err != nil {
			if errs = append(errs, err); len(errs) == maxErrors {
				break
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Census) countPeriod(ctx context.Context, p rows.Period) error {
	asked, cancel := s.DB.Within(ctx)
	n, err := s.Executions.CountBegun(asked, p.TaskQueue, p.Types, p.Began, p.Ended)
	cancel()
	if err != nil {
		return err
	}
	return rows.WriteCount(ctx, s.DB, p, n)
}

// publish tells what was counted of the projects here.
func (s *Census) publish(ctx context.Context) error {
	here, live := s.Projects()
	found, err := rows.ReadCensus(ctx, s.DB, here)
	if err != nil {
		return err
	}
	versions := map[int]int{}
	for _, id := range here {
		for _, list := range found[id] {
			versions[1+len(list)]++
			live--
		}
	}
	if live > 0 {
		versions[1] += live
	}
	s.Observer.VersionsInUse(versions)
	s.Found(found)
	return nil
}

// MeasureStore tells how large the store is.
func (s *Census) MeasureStore(ctx context.Context) error {
	n, bytes, err := rows.MeasureStore(ctx, s.DB)
	if err == nil {
		s.Observer.StoredCode(n, bytes)
	}
	return err
}
