package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// settleFor bounds the wait for a process's memory to come to rest.
const settleFor = 12 * time.Second

// measureMemory measures what idle projects cost: memory, and the time until
// they run.
func (b *bench) measureMemory(ctx context.Context) error {
	natives, err := b.nativeMemory(ctx)
	if err != nil {
		return err
	}
	return b.withService(ctx, func(s *service, r *rows) error {
		empty, err := settledMemory(ctx, s.PID(), settleFor)
		if err != nil {
			return err
		}
		b.report.note("The service without projects: %.0f MB.", megabytes(empty))
		sofar := 0
		for i, n := range b.options.memory {
			_, committed, err := r.add(ctx, n-sofar, versionCode("1"))
			if err != nil {
				return err
			}
			running, err := r.waitRunning(ctx, n)
			if err != nil {
				return err
			}
			full, err := settledMemory(ctx, s.PID(), settleFor)
			if err != nil {
				return err
			}
			b.say("%d idle projects: %.0f MB; %d more ran after %s", n, megabytes(full), n-sofar, running.Sub(committed).Round(time.Millisecond))
			b.report.add(fmt.Sprintf("memory per idle project, at %d", n), "MB", memoryYardstick(n),
				natives[i].perProject, megabytes(full-empty)/float64(n))
			b.report.add(fmt.Sprintf("… until %d more run, from their commit", n-sofar), "s", startYardstick(n-sofar),
				natives[i].started.Seconds(), running.Sub(committed).Seconds())
			sofar = n
		}
		idle, err := idleCPU(ctx, s.PID())
		if err != nil {
			return err
		}
		b.report.note("CPU of the service at rest with %d projects: %.1f %% of a core.", sofar, 100*idle)
		if err := b.failedTasks(ctx, s, "part memory"); err != nil {
			return err
		}
		return b.measureRestart(ctx, s, r, sofar)
	})
}

// measureRestart stops the service and measures how long another one needs until
// all projects run.
func (b *bench) measureRestart(ctx context.Context, s *service, r *rows, projects int) (err error) {
	b.say("stop, and start with %d projects", projects)
	began := time.Now()
	if err := s.End(ctx); err != nil {
		return err
	}
	b.report.note("Stopping with %d projects took %.1f s.", projects, time.Since(began).Seconds())
	began = time.Now()
	again, err := b.startService(ctx, r.pool.Config().ConnString(), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.End(ctx)) }()
	running, err := r.waitRunning(ctx, projects)
	if err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("start of the process until all %d run", projects), "s", startYardstick(projects), math.NaN(), running.Sub(began).Seconds())
	return nil
}

type nativeFigures struct {
	perProject float64 // MB
	started    time.Duration
}

func (b *bench) nativeMemory(ctx context.Context) (figures []nativeFigures, err error) {
	for range b.options.memory {
		figures = append(figures, nativeFigures{perProject: math.NaN()})
	}
	if !b.options.native {
		return figures, nil
	}
	p, err := b.startNative(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop(ctx)) }()
	empty, err := settledMemory(ctx, p.PID(), settleFor)
	if err != nil {
		return nil, err
	}
	sofar := 0
	for i, n := range b.options.memory {
		var queues []string
		for range n - sofar {
			queues = append(queues, newProject().taskQueue)
		}
		began := time.Now()
		if err := p.add(ctx, queues...); err != nil {
			return nil, err
		}
		figures[i].started = time.Since(began)
		full, err := settledMemory(ctx, p.PID(), settleFor)
		if err != nil {
			return nil, err
		}
		figures[i].perProject = megabytes(full-empty) / float64(n)
		b.say("%d idle native workers: %s each; %d more started in %s", n, figure(figures[i].perProject, "MB"), n-sofar, figures[i].started.Round(time.Millisecond))
		sofar = n
	}
	return figures, nil
}

// idleCPU is the share of a core that a process uses while nothing is asked of it.
func idleCPU(ctx context.Context, pid int) (float64, error) {
	before, err := usageOf(pid)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	select {
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	after, err := usageOf(pid)
	return float64(after.cpu-before.cpu) / float64(time.Since(began)), err
}

func memoryYardstick(projects int) yardstick {
	y := yardstick{goal: "0.5 MB", limit: 0.5}
	switch projects {
	case 100:
		y.node, y.native = "33 MB", "0.22 MB"
	case 1000:
		y.native = "0.17 MB"
	}
	return y
}

// startYardstick scales the goal, a thousand projects in five seconds.
func startYardstick(projects int) yardstick {
	limit := float64(projects) * 5 / 1000
	y := yardstick{goal: figure(limit, "s"), limit: limit}
	switch projects {
	case 100:
		y.node, y.native = "88 s", "0.1 s"
	case 1000:
		y.native = "1.5 s"
	}
	return y
}
