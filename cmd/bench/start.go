package main

import (
	"context"
	"fmt"
	"math"
)

// startedAtOnce are projects that are inserted in one transaction.
const startedAtOnce = 1000

// measureStart measures how long a fleet takes to start, and what of the processors' time: of the
// service with its children, and of the servers, which a small machine shares among them.
func (b *bench) measureStart(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		n := max(1, int(startedAtOnce*b.options.scale))
		b.say("%d projects inserted in one transaction", n)
		pids := []int{s.PID(), b.temporal.PID(), b.postgres.PID()}
		var before, after [3]usage
		transactions, err := r.transactions(ctx)
		if err != nil {
			return err
		}
		_, committed, err := r.add(ctx, n, versionCode("1"))
		if err != nil {
			return err
		}
		for i, pid := range pids {
			if before[i], err = usageOf(pid); err != nil {
				return err
			}
		}
		running, err := r.waitRunning(ctx, n)
		if err != nil {
			return err
		}
		for i, pid := range pids {
			if after[i], err = usageOf(pid); err != nil {
				return err
			}
		}
		more, err := r.transactions(ctx)
		if err != nil {
			return err
		}
		used := func(i int) float64 { return (after[i].cpu - before[i].cpu).Seconds() }
		share := float64(n) / startedAtOnce
		goal := yardstick{goal: figure(3*share, "s"), limit: 3 * share}
		b.report.add(fmt.Sprintf("%d projects inserted in one transaction, all running", n), "s", goal, math.NaN(), running.Sub(committed).Seconds())
		b.report.add("… CPU of the service", "s", goal, math.NaN(), used(0))
		b.report.note("Beside it Temporal used %.1f s of CPU and PostgreSQL %.1f s, with %.1f transactions per project.", used(1), used(2), float64(more-transactions)/float64(n))
		if _, err := settledMemory(ctx, s.PID(), settleFor); err != nil {
			return err
		}
		idle, err := idleCPU(ctx, s.PID())
		if err != nil {
			return err
		}
		b.report.note("CPU of the service at rest with %d projects: %.1f %% of a core.", n, 100*idle)
		return b.failedTasks(ctx, s, "part start")
	})
}

// transactions counts those of the database so far, this process's few among them.
func (r *rows) transactions(ctx context.Context) (n int64, err error) {
	err = r.pool.QueryRow(ctx, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&n)
	return n, err
}
