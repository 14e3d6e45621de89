package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"

	"workflow-worker/docker/stack"
)

const (
	executionProjects = 100
	executionRate     = 50 // started per second beside what is measured
	executionProbes   = 200
)

// measureExecutions measures executions that are started and followed by rows: how soon a row is
// worked on and told of, and what the rows cost beside an execution that a client starts.
func (b *bench) measureExecutions(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, executionProjects, cpuCode)
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, executionProjects); err != nil {
			return err
		}
		if err := b.rowLatencies(ctx, r, added); err != nil {
			return err
		}
		for _, c := range cpuCases() {
			if c.workflow == wfNoop || c.workflow == wfFive {
				if err := b.rowCosts(ctx, s, r, added[0], c); err != nil {
					return err
				}
			}
		}
		return b.failedTasks(ctx, s, "in part executions")
	})
}

// insertExecutions inserts rows that wait, in one statement.
func (r *rows) insertExecutions(ctx context.Context, p project, workflow string, n int) (ids []string, err error) {
	found, err := r.pool.Query(ctx, `INSERT INTO workflow_executions (workflow_id, status, input, options)
		SELECT $1, 'pending', NULL, jsonb_build_object('type', $2::text, 'args', '[]'::jsonb) FROM generate_series(1, $3::int) RETURNING id::text`, p.workflowID, workflow, n)
	if err != nil {
		return nil, fmt.Errorf("insert executions: %w", err)
	}
	return pgx.CollectRows(found, pgx.RowTo[string])
}

// waitOver waits until none of the rows is open, and counts how often it asked.
func (r *rows) waitOver(ctx context.Context, ids []string) (asked int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("%d executions aren't over after two minutes", len(ids)))
	defer cancel()
	err = stack.WaitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		asked++
		var open, failed int
		err := r.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status NOT IN ('completed', 'failed')), count(*) FILTER (WHERE status = 'failed')
			FROM workflow_executions WHERE id = ANY($1::text[]::uuid[])`, ids).Scan(&open, &failed)
		if err == nil && failed > 0 {
			err = fmt.Errorf("%d executions failed", failed)
		}
		return open == 0, err
	})
	return asked, err
}

// rowLatencies measures with a steady load beside: from a row's commit to its first workflow task,
// and from the execution's end to the row's.
func (b *bench) rowLatencies(ctx context.Context, r *rows, projects []project) error {
	b.say("%d executions by rows among %d projects, %d a second", executionProbes, len(projects), executionRate)
	ticks := time.NewTicker(time.Second / executionRate)
	defer ticks.Stop()
	committed := map[string]time.Time{}
	var all []string
	for i := range executionProbes {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticks.C:
		}
		ids, err := r.insertExecutions(ctx, projects[i%len(projects)], wfNoop, 1)
		if err != nil {
			return err
		}
		committed[ids[0]] = time.Now()
		all = append(all, ids[0])
	}
	if _, err := r.waitOver(ctx, all); err != nil {
		return err
	}
	var first, told []time.Duration
	for id, at := range committed {
		var workflowID, runID string
		var written time.Time
		if err := r.pool.QueryRow(ctx, `SELECT temporal_workflow_id, temporal_run_id, updated_at FROM workflow_executions WHERE id = $1`, id).
			Scan(&workflowID, &runID, &written); err != nil {
			return fmt.Errorf("read execution %s: %w", id, err)
		}
		events := b.client.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var last time.Time
		for events.HasNext() {
			e, err := events.Next()
			if err != nil {
				return fmt.Errorf("read the history of %s: %w", workflowID, err)
			}
			if last = e.GetEventTime().AsTime(); e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
				first = append(first, last.Sub(at))
			}
		}
		told = append(told, written.Sub(last))
	}
	b.report.add("row inserted → first workflow task, p50", "ms", yardstick{goal: "25 ms", limit: 25}, math.NaN(), milliseconds(quantile(first, 0.5)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(first, 0.99)))
	b.report.add("execution's end → the row is written, p50", "ms", yardstick{goal: "30 ms", limit: 30}, math.NaN(), milliseconds(quantile(told, 0.5)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(told, 0.99)))
	return nil
}

// books is what the database has done so far.
type books struct {
	log        int64 // bytes
	writes     int64 // of rows of workflow_executions
	hot        int64 // of those, which no index had to be told of
	statements int64 // of all sessions, this program's too
}

func (r *rows) books(ctx context.Context) (k books, err error) {
	// Sessions tell of what they wrote a second later.
	if err := sleep(ctx, 1500*time.Millisecond); err != nil {
		return k, err
	}
	err = r.pool.QueryRow(ctx, `SELECT (pg_current_wal_lsn() - '0/0')::bigint, n_tup_ins + n_tup_upd, n_tup_hot_upd,
		(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
		FROM pg_stat_user_tables WHERE relname = 'workflow_executions'`).Scan(&k.log, &k.writes, &k.hot, &k.statements)
	if err != nil {
		return k, fmt.Errorf("read the database's books: %w", err)
	}
	return k, nil
}

// rowCosts compares executions that rows start with those that a client does.
func (b *bench) rowCosts(ctx context.Context, s *service, r *rows, p project, c cpuCase) error {
	without, err := b.cpuPerWorkflow(ctx, c, s.PID(), p.taskQueue, "ours, without rows")
	if err != nil {
		return err
	}
	warm, err := r.insertExecutions(ctx, p, c.workflow, 20)
	if err != nil {
		return err
	}
	if _, err := r.waitOver(ctx, warm); err != nil {
		return err
	}
	runs := max(1, int(float64(c.runs)*b.options.scale))
	if _, err := r.pool.Exec(ctx, `CHECKPOINT`); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	opened, err := r.books(ctx)
	if err != nil {
		return err
	}
	before, err := usageOf(s.PID())
	if err != nil {
		return err
	}
	ids, err := r.insertExecutions(ctx, p, c.workflow, runs)
	if err != nil {
		return err
	}
	asked, err := r.waitOver(ctx, ids)
	if err != nil {
		return err
	}
	after, err := usageOf(s.PID())
	if err != nil {
		return err
	}
	closed, err := r.books(ctx)
	if err != nil {
		return err
	}
	with := milliseconds(after.cpu-before.cpu) / float64(runs)
	b.report.add("worker CPU with rows / without: "+c.workflow, "×", yardstick{goal: "1.25 ×", limit: 1.25}, math.NaN(), with/without)
	b.report.add("… WAL per execution", "KB", yardstick{goal: "12 KB", limit: 12}, math.NaN(), float64(closed.log-opened.log)/1024/float64(runs))
	b.report.add("… writes of its row", "", yardstick{goal: "4", limit: 4}, math.NaN(), float64(closed.writes-opened.writes)/float64(runs))
	b.report.add("… of them without a word to its indexes (HOT)", "%", yardstick{}, math.NaN(),
		100*float64(closed.hot-opened.hot)/float64(closed.writes-opened.writes))
	// Less this program's: the insert, the reading of the books and what waited.
	statements := float64(closed.statements - opened.statements - asked - 2)
	b.report.add("… statements for 20 executions", "", yardstick{goal: "2", limit: 2}, math.NaN(), 20*statements/float64(runs))
	return nil
}
