package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

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
// and from the execution's end to the row's. The limit of the former is what a client gets that
// starts the same executions on the same workers.
func (b *bench) rowLatencies(ctx context.Context, r *rows, projects []project) error {
	b.say("%d executions by a client among %d projects, %d a second", executionProbes, len(projects), executionRate)
	direct, _, err := b.probe(ctx, func(i int) (begun, error) {
		at := time.Now()
		run, err := b.begin(ctx, projects[i%len(projects)].taskQueue, wfNoop)
		if err != nil {
			return begun{}, err
		}
		return begun{at: at, workflowID: run.GetID(), runID: run.GetRunID()}, nil
	}, func(all []begun) error {
		for _, x := range all {
			if err := b.client.GetWorkflow(ctx, x.workflowID, x.runID).Get(ctx, nil); err != nil {
				return fmt.Errorf("workflow %s: %w", x.workflowID, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.say("%d executions by rows, likewise", executionProbes)
	first, told, err := b.probe(ctx, func(i int) (begun, error) {
		ids, err := r.insertExecutions(ctx, projects[i%len(projects)], wfNoop, 1)
		if err != nil {
			return begun{}, err
		}
		return begun{at: time.Now(), row: ids[0]}, nil
	}, func(all []begun) error {
		ids := make([]string, len(all))
		for i, x := range all {
			ids[i] = x.row
		}
		if _, err := r.waitOver(ctx, ids); err != nil {
			return err
		}
		for i := range all {
			x := &all[i]
			err := r.pool.QueryRow(ctx, `SELECT temporal_workflow_id, temporal_run_id, updated_at FROM workflow_executions WHERE id = $1`, x.row).
				Scan(&x.workflowID, &x.runID, &x.written)
			if err != nil {
				return fmt.Errorf("read execution %s: %w", x.row, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.report.add("row inserted → first workflow task, p50 (native: a client's start)", "ms", yardstick{goal: "25 ms", limit: 25},
		milliseconds(quantile(direct, 0.5)), milliseconds(quantile(first, 0.5)))
	b.report.add("… p99", "ms", yardstick{}, milliseconds(quantile(direct, 0.99)), milliseconds(quantile(first, 0.99)))
	b.report.add("execution's end → the row is written, p50", "ms", yardstick{goal: "30 ms", limit: 30}, math.NaN(), milliseconds(quantile(told, 0.5)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(told, 0.99)))
	return nil
}

// begun is an execution that was asked for at a time, and whose row was last written at another.
type begun struct {
	at, written            time.Time
	row, workflowID, runID string
}

// probe has executions begin, so many a second, waits for their ends, and gives how long after that
// each had its first workflow task, and how long after its end its row was written.
func (b *bench) probe(ctx context.Context, begin func(i int) (begun, error), end func([]begun) error) (first, told []time.Duration, err error) {
	var group errgroup.Group
	all := make([]begun, executionProbes)
	ticks := time.NewTicker(time.Second / executionRate)
	defer ticks.Stop()
	for i := range all {
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
		group.Go(func() (err error) {
			all[i], err = begin(i)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	if err := end(all); err != nil {
		return nil, nil, err
	}
	for _, x := range all {
		events := b.client.GetWorkflowHistory(ctx, x.workflowID, x.runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var last time.Time
		for events.HasNext() {
			e, err := events.Next()
			if err != nil {
				return nil, nil, fmt.Errorf("read the history of %s: %w", x.workflowID, err)
			}
			if last = e.GetEventTime().AsTime(); e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
				first = append(first, last.Sub(x.at))
			}
		}
		told = append(told, x.written.Sub(last))
	}
	return first, told, nil
}

// books is what the database has done so far.
type books struct {
	at         time.Time
	position   string // in the log
	log        int64  // bytes
	images     int64  // full-page images in it
	writes     int64  // of rows of workflow_executions
	updates    int64  // of those
	hot        int64  // of these, which no index had to be told of
	stepWrites int64  // the same of component_executions
	steps      int64
	hotSteps   int64
	statements int64 // of all sessions, this program's too
}

func (r *rows) books(ctx context.Context) (k books, err error) {
	// Sessions tell of what they wrote a second later.
	if err := sleep(ctx, 1500*time.Millisecond); err != nil {
		return k, err
	}
	k.at = time.Now()
	err = r.pool.QueryRow(ctx, `SELECT pg_current_wal_lsn()::text, (pg_current_wal_lsn() - '0/0')::bigint, (SELECT wal_fpi FROM pg_stat_wal),
		e.n_tup_ins + e.n_tup_upd, e.n_tup_upd, e.n_tup_hot_upd, c.n_tup_ins + c.n_tup_upd, c.n_tup_upd, c.n_tup_hot_upd,
		(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
		FROM pg_stat_user_tables e, pg_stat_user_tables c WHERE e.relname = 'workflow_executions' AND c.relname = 'component_executions'`).
		Scan(&k.position, &k.log, &k.images, &k.writes, &k.updates, &k.hot, &k.stepWrites, &k.steps, &k.hotSteps, &k.statements)
	if err != nil {
		return k, fmt.Errorf("read the database's books: %w", err)
	}
	return k, nil
}

// logOf is what was written into the log between two books about executions, their steps and what is
// noted of them, indexes included, without full-page images: each page's first change after a
// checkpoint brings one, so they are the checkpoints' price rather than the rows'. ok is false where
// the server can't tell.
func (r *rows) logOf(ctx context.Context, from, to books) (n int64, ok bool) {
	if _, err := r.pool.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_walinspect`); err != nil {
		return 0, false
	}
	err := r.pool.QueryRow(ctx, `
WITH tables AS (SELECT oid FROM pg_class WHERE relname IN ('workflow_executions', 'component_executions', 'steps_due', 'uncounted', 'executions_due', 'execution_runs') AND relkind = 'r'),
files AS (
  SELECT pg_relation_filenode(oid)::text AS file FROM (SELECT oid FROM tables UNION SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)) x
)
SELECT coalesce(sum(record_length - fpi_length), 0)::bigint FROM pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn)
WHERE split_part((regexp_match(block_ref, 'rel (\d+/\d+/\d+)'))[1], '/', 3) IN (SELECT file FROM files)`, from.position, to.position).Scan(&n)
	return n, err == nil
}

// idle is how many statements a second there are for the projects while nothing goes on.
func (r *rows) idle(ctx context.Context) (perSecond float64, err error) {
	if err := sleep(ctx, 5*time.Second); err != nil { // until all is added up that went before
		return 0, err
	}
	from, err := r.books(ctx)
	if err != nil {
		return 0, err
	}
	if err := sleep(ctx, 5*time.Second); err != nil {
		return 0, err
	}
	to, err := r.books(ctx)
	took := to.at.Sub(from.at).Seconds()
	return float64(to.statements-from.statements-1) / took, err
}

// share is in percent.
func share(part, of int64) float64 { return 100 * float64(part) / max(1, float64(of)) }

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
	idle, err := r.idle(ctx)
	if err != nil {
		return err
	}
	opened, err := r.books(ctx)
	if err != nil {
		return err
	}
	before, err := usageOf(s.PID())
	if err != nil {
		return err
	}
	began := time.Now()
	ids, err := r.insertExecutions(ctx, p, c.workflow, runs)
	if err != nil {
		return err
	}
	asked, err := r.waitOver(ctx, ids)
	if err != nil {
		return err
	}
	took := time.Since(began)
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
	seconds := closed.at.Sub(opened.at).Seconds()
	what, log := "… WAL per execution", closed.log-opened.log
	if n, ok := r.logOf(ctx, opened, closed); ok {
		what, log = "… WAL per execution, without full-page images", n
	}
	b.report.add(what, "KB", yardstick{goal: "12 KB", limit: 12}, math.NaN(), float64(log)/1024/float64(runs))
	b.report.add("… full-page images per execution", "", yardstick{}, math.NaN(), float64(closed.images-opened.images)/float64(runs))
	b.report.add("… writes of its row", "", yardstick{goal: "4", limit: 4}, math.NaN(), float64(closed.writes-opened.writes)/float64(runs))
	b.report.add("… of its updates without a word to its indexes (HOT)", "%", yardstick{}, math.NaN(), share(closed.hot-opened.hot, closed.updates-opened.updates))
	b.report.add("… of those before its end", "%", yardstick{goal: "60 %"}, math.NaN(), share(closed.hot-opened.hot, closed.updates-opened.updates-int64(runs)))
	if steps := closed.stepWrites - opened.stepWrites; steps > 0 {
		b.report.add("… writes of its steps' rows", "", yardstick{}, math.NaN(), float64(steps)/float64(runs))
		b.report.add("… of their updates without a word to their indexes (HOT)", "%", yardstick{goal: "60 %"}, math.NaN(), share(closed.hotSteps-opened.hotSteps, closed.steps-opened.steps))
	}
	// Less this program's: the insert, the reading of the books and what waited.
	statements := float64(closed.statements-opened.statements-asked-2) - seconds*idle
	b.report.add("… statements for 20 executions", "", yardstick{goal: "2", limit: 2}, math.NaN(), 20*statements/float64(runs))
	b.report.note("%s by rows: %d executions in %s; the idle projects' %.0f statements a second are taken off.", c.workflow, runs, took.Round(10*time.Millisecond), idle)
	return nil
}
