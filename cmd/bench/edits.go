package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
)

const (
	// edits are made of one project's workflow in editsFor, and an execution that waits is begun on
	// the code of every editsPerRun of them.
	edits       = 800
	editsFor    = 20 * time.Second
	editsPerRun = 20
	// editsRest is how long after them the memory is to be as it was.
	editsRest = 2 * time.Minute
	// editedAtOnce are workflows of one project that one statement changes.
	editedAtOnce = 200
)

// measureEdits measures many edits of one project: one after the other while executions wait on
// older code, and of many workflows at once.
func (b *bench) measureEdits(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, 1, cpuCode)
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, 1); err != nil {
			return err
		}
		if err := b.editOften(ctx, s, r, added[0]); err != nil {
			return err
		}
		if err := b.editAtOnce(ctx, r, added[0]); err != nil {
			return err
		}
		return b.failedTasks(ctx, s, "part edits")
	})
}

func (b *bench) editOften(ctx context.Context, s *service, r *rows, p project) error {
	if err := b.startWaiting(ctx, []project{p}, 1); err != nil {
		return err
	}
	before, err := settledMemory(ctx, s.PID(), settleFor)
	if err != nil {
		return err
	}
	ticks := time.NewTicker(editsFor / edits)
	defer ticks.Stop()
	began := time.Now()
	for i := range edits {
		version := fmt.Sprintf("2.0.%d", i)
		if _, err := r.change(ctx, p, version, cpuCode+"// "+version+p.remark()); err != nil {
			return err
		}
		if i%editsPerRun == 0 {
			if err := b.startWaiting(ctx, []project{p}, 1); err != nil {
				return err
			}
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	took := time.Since(began)
	if _, err := r.liveSince(ctx, p, fmt.Sprintf("2.0.%d", edits-1)); err != nil {
		return err
	}
	end, err := usageOf(s.PID())
	if err != nil {
		return err
	}
	select {
	case <-time.After(editsRest):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	rested, err := usageOf(s.PID())
	if err != nil {
		return err
	}
	b.say("%d edits in %s: %.0f MB, %.0f MB before, %.0f MB after %s", edits, took.Round(time.Second), megabytes(end.rss), megabytes(before), megabytes(rested.rss), editsRest)
	b.report.add(fmt.Sprintf("memory after %d edits of one project, executions waiting", edits), "MB", yardstick{goal: "300 MB", limit: 300}, math.NaN(), megabytes(end.rss))
	b.report.add(fmt.Sprintf("… and %s later, above the start", editsRest), "MB", yardstick{goal: "0 MB"}, math.NaN(), megabytes(rested.rss-before))
	return nil
}

// editAtOnce changes many workflows of a project in one statement.
func (b *bench) editAtOnce(ctx context.Context, r *rows, p project) error {
	var batch pgx.Batch
	for i := range editedAtOnce {
		id := uuid.NewString()
		batch.Queue(`INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, $3, 'One of many')`, id, p.id, fmt.Sprintf("one-of-many-%d", i))
		batch.Queue(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) VALUES ($1, 'before', $2)`, id,
			fmt.Sprintf("export default async function one(): Promise<number> { return %d; }\n", i))
	}
	if err := r.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("insert workflows: %w", err)
	}
	if _, err := r.allLive(ctx, p, "before", editedAtOnce); err != nil {
		return err
	}
	began := time.Now()
	if _, err := r.pool.Exec(ctx, `UPDATE workflow_compiled_code SET version = 'after', workflow_code = workflow_code || '// edited' WHERE version = 'before'`); err != nil {
		return fmt.Errorf("edit workflows: %w", err)
	}
	live, err := r.allLive(ctx, p, "after", editedAtOnce)
	if err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("%d workflows of a project edited at once, all live", editedAtOnce), "s", yardstick{goal: "1 s", limit: 1}, math.NaN(), live.Sub(began).Seconds())
	return nil
}

// allLive waits until so many workflows of a project are live in a version, and tells when that was
// seen.
func (r *rows) allLive(ctx context.Context, p project, version string, workflows int) (time.Time, error) {
	const query = `SELECT count(*) FROM workflow_workers, jsonb_array_elements(metadata->'workflows') AS source
		WHERE project_id = $1 AND status = 'running' AND source->>'version' = $2`
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("not all workflows are live after a minute"))
	defer cancel()
	err := stack.WaitFor(ctx, 10*time.Millisecond, func() (bool, error) {
		var live int
		err := r.pool.QueryRow(ctx, query, p.id, version).Scan(&live)
		return live >= workflows, err
	})
	return time.Now(), err
}
