package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/docker/stack"
)

const (
	// cellProjects run in each of the two services that are compared.
	cellProjects = 20
	// cellRounds alternate between them, so that the machine's other work meets both.
	cellRounds  = 2
	cellReloads = 40 // in each round
	cellDeaths  = 5
)

// celled is one of the services that are compared.
type celled struct {
	name     string
	settings map[string]string
	service  *service
	rows     *rows
	projects []project            // the first has the workflows that are measured
	other    project              // has them, too
	cpu      map[string][]float64 // by kind of workflow, of each round
	live     []time.Duration
	memory   float64
	once     float64 // … with what processes share counted once
	beside   float64 // CPU, while the row of another project's execution is open
	followed float64 // … of one of the same project
}

// measureCells compares a service that runs JavaScript in a process of its own with one that runs
// it itself, both at once, and measures how long a project is away when that process dies.
func (b *bench) measureCells(ctx context.Context) (err error) {
	cases := slices.DeleteFunc(cpuCases(), func(c cpuCase) bool { return c.workflow == wfFanOut || c.workflow == wfSignal })
	both := []*celled{
		{name: "CELLS=0", settings: map[string]string{"CELLS": "0"}, cpu: map[string][]float64{}},
		{name: "CELLS=1", settings: map[string]string{"CELLS": "1"}, cpu: map[string][]float64{}},
	}
	for _, x := range both {
		end, beginErr := b.beginCelled(ctx, x)
		defer func() { err = errors.Join(err, end()) }()
		if beginErr != nil {
			return beginErr
		}
	}
	// A service that is new takes executions for followed for a while.
	const calm = 20 * time.Second
	if err := rest(ctx, calm); err != nil {
		return err
	}
	for round := range cellRounds {
		if err := b.compareCells(ctx, round, both, cases); err != nil {
			return err
		}
	}
	for _, x := range both {
		if err := b.weigh(ctx, x); err != nil {
			return err
		}
	}
	const followed = 1 // of cases: one activity
	for _, x := range both {
		if err := b.measureFollowed(ctx, x, cases[followed]); err != nil {
			return err
		}
	}
	b.reportCells(both[0], both[1], cases)
	return b.measureDeaths(ctx, both[1])
}

// compareCells measures both services once, one after the other in each step.
func (b *bench) compareCells(ctx context.Context, round int, both []*celled, cases []cpuCase) error {
	for _, x := range both {
		for _, c := range cases {
			each, err := b.cpuPerWorkflow(ctx, c, x.service.PID(), x.projects[0].taskQueue, x.name)
			if err != nil {
				return fmt.Errorf("%w; %s", err, x.rows.complaint(ctx))
			}
			x.cpu[c.workflow] = append(x.cpu[c.workflow], each)
		}
	}
	for i := range cellReloads {
		for _, x := range both {
			version := fmt.Sprintf("%d.%d", round, i+1)
			p := x.projects[1+i%(len(x.projects)-1)]
			committed, err := x.rows.change(ctx, p, version, versionCode(version))
			if err != nil {
				return err
			}
			since, err := x.rows.liveSince(ctx, p, version)
			if err != nil {
				return fmt.Errorf("%w; %s", err, x.rows.complaint(ctx))
			}
			x.live = append(x.live, since.Sub(committed))
		}
	}
	return nil
}

// weigh measures the memory of a service after its work, and that no task failed in it.
func (b *bench) weigh(ctx context.Context, x *celled) error {
	settled, err := settledMemory(ctx, x.service.PID(), settleFor)
	if err != nil {
		return err
	}
	x.memory = megabytes(settled)
	once, err := sharedOnce(x.service.PID())
	if err != nil {
		return err
	}
	x.once = megabytes(once)
	return b.failedTasks(ctx, x.service, "part cells")
}

// measureFollowed measures executions while a row is open: of another project, then of their own, of
// whose executions all is told.
func (b *bench) measureFollowed(ctx context.Context, x *celled, c cpuCase) error {
	for _, row := range []struct {
		of  project
		cpu *float64
	}{{x.other, &x.beside}, {x.projects[0], &x.followed}} {
		if _, err := x.rows.insertExecutions(ctx, row.of, wfSignal, 1); err != nil {
			return err
		}
		each, err := b.cpuPerWorkflow(ctx, c, x.service.PID(), x.projects[0].taskQueue, x.name+" with a row")
		if err != nil {
			return err
		}
		*row.cpu = each
	}
	return nil
}

// reportCells puts a service with a cell beside one without.
func (b *bench) reportCells(none, one *celled, cases []cpuCase) {
	const most = 1.03
	for _, c := range cases {
		was := slices.Min(none.cpu[c.workflow])
		b.report.add("in a cell: "+strings.TrimPrefix(c.what, "… "), "ms", yardstick{"–", "–", "CELLS=0 + 3 %", most * was}, was, slices.Min(one.cpu[c.workflow]))
	}
	b.report.add("… one activity, while a row of another project is open", "ms", yardstick{"–", "–", "CELLS=0 + 3 %", most * none.beside}, none.beside, one.beside)
	b.report.add("… one activity, while a row of the project is open", "ms", yardstick{"–", "–", "CELLS=0 + 40 %", 1.4 * none.followed}, none.followed, one.followed)
	was := milliseconds(quantile(none.live, 0.5))
	b.report.add("… commit → live, p50", "ms", yardstick{"–", "–", "CELLS=0 + 2 ms", was + 2}, was, milliseconds(quantile(one.live, 0.5)))
	const more = 60
	b.report.add(fmt.Sprintf("… memory, %d projects", cellProjects), "MB", yardstick{"–", "–", "CELLS=0 + 60 MB", none.once + more}, none.once, one.once)
	b.report.add("… so, with the program's pages counted in each process", "MB", yardstick{}, none.memory, one.memory)
}

// beginCelled starts one of the services with its projects.
func (b *bench) beginCelled(ctx context.Context, x *celled) (end func() error, err error) {
	url, err := b.newDatabase(ctx)
	if err != nil {
		return func() error { return nil }, err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return func() error { return nil }, err
	}
	end = func() error {
		pool.Close()
		return nil
	}
	if x.service, err = b.startService(ctx, url, x.settings); err != nil {
		return end, err
	}
	end = func() error {
		pool.Close()
		return x.service.End(ctx)
	}
	x.rows = &rows{pool: pool}
	first, _, err := x.rows.add(ctx, 2, cpuCode)
	if err != nil {
		return end, err
	}
	rest, _, err := x.rows.add(ctx, cellProjects-2, versionCode("0"))
	if err != nil {
		return end, err
	}
	x.other, x.projects = first[1], append(first[:1:1], rest...)
	_, err = x.rows.waitRunning(ctx, cellProjects)
	return end, err
}

// measureDeaths kills the cell and measures when a new execution has come to its end.
func (b *bench) measureDeaths(ctx context.Context, x *celled) error {
	var away []time.Duration
	for i := range cellDeaths {
		cell, err := cellOf(x.service.PID())
		if err != nil {
			return err
		}
		if err := syscall.Kill(cell, syscall.SIGKILL); err != nil {
			return fmt.Errorf("kill the cell: %w", err)
		}
		died := time.Now()
		// Temporal may give a task of this very moment to the dead one; it comes again after 10 s.
		if err := stack.WaitFor(ctx, 10*time.Millisecond, func() (bool, error) {
			next, err := cellOf(x.service.PID())
			return err == nil && next != cell, nil
		}); err != nil {
			return err
		}
		if _, err := b.execute(ctx, x.projects[1+i%(len(x.projects)-1)].taskQueue, wfVersion); err != nil {
			return err
		}
		away = append(away, time.Since(died))
		b.say("an execution that was started as its cell died took %s", away[i].Round(time.Millisecond))
		// One that dies soon again waits; here it is the first time.
		const calm = 11 * time.Second
		if err := rest(ctx, calm); err != nil {
			return err
		}
	}
	b.report.add("… a cell dies → a new execution ends, p50", "ms", yardstick{"–", "–", "1 s", 1000}, math.NaN(), milliseconds(quantile(away, 0.5)))
	return nil
}

// rest waits, unless ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cellOf finds the process of a service's only cell.
func cellOf(service int) (int, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	found := map[int]bool{}
	for _, entry := range entries {
		id, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		stat, err := readStat(id)
		if err != nil || stat.parent != service {
			continue
		}
		command, err := os.ReadFile(filepath.Join(entry, "cmdline"))
		if err == nil && strings.HasSuffix(string(command), "\x00cell\x00") {
			found[id] = true
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("the service has %d cells", len(found))
	}
	return slices.Collect(maps.Keys(found))[0], nil
}
