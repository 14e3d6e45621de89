package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
)

const (
	// probeEvery is the pause between two starts of the workflow that shows which code is live.
	// Shorter would be more exact and load the machine that is measured.
	probeEvery = 8 * time.Millisecond
	// mostProbes is how many of them may be under way: on a busy machine they would queue up behind
	// each other, and the first on new code behind all the others.
	mostProbes = 3
)

// reloads is what part reload found at one number of projects.
type reloads struct {
	live     []time.Duration // commit → the service says the code is live
	finished []time.Duration // commit → a workflow has returned the new code's result
	probes   int
	lost     []error
	slowest  time.Duration
	native   []time.Duration // start → result of the same workflow on a native worker that runs, at the same time
	own      []time.Duration // start → result of the same workflow here, started as often, while no code changes
}

// measureReload changes the code of one of many running projects, again and again, while its
// workflow is started every few milliseconds, and others at the rate that was asked for.
func (b *bench) measureReload(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		var projects []project
		for _, n := range b.options.projects {
			b.say("%d reloads with %d projects running and %d workflows per second", b.options.reloads, n, b.options.load)
			added, _, err := r.add(ctx, n-len(projects), versionCode("0"))
			if err != nil {
				return err
			}
			projects = append(projects, added...)
			if _, err := r.waitRunning(ctx, n); err != nil {
				return err
			}
			if err := b.reloadsAmong(ctx, s, r, projects); err != nil {
				return err
			}
		}
		if err := b.addHistogram(ctx, s); err != nil {
			return err
		}
		return b.failedTasks(ctx, s, "part reload")
	})
}

// reloadsAmong does all reloads with these projects running.
func (b *bench) reloadsAmong(ctx context.Context, s *service, r *rows, projects []project) (err error) {
	loaded, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	var load errgroup.Group
	load.Go(func() error { return b.loadProjects(loaded, projects) })

	var found reloads
	if found.native, err = b.nativeResults(ctx); err != nil {
		return err
	}
	for i := range b.options.reloads {
		own, err := b.firstResult(ctx, projects[i%len(projects)], "", time.Now(), &reloads{})
		if err != nil {
			return err
		}
		found.own = append(found.own, own)
	}
	for i := range b.options.reloads {
		// A version of its own for each change, at all numbers of projects.
		version := fmt.Sprintf("1.%d.%d", len(projects), i+1)
		if err := b.reloadOnce(ctx, r, projects[i%len(projects)], version, &found); err != nil {
			return fmt.Errorf("reload %d: %w; %s", i+1, err, r.complaint(ctx))
		}
	}
	stopLoad()
	if err := load.Wait(); errors.Is(err, errHung) {
		found.lost = append(found.lost, err)
	} else if err != nil {
		return err
	}
	full, err := settledMemory(ctx, s.PID(), settleFor)
	if err != nil {
		return err
	}
	b.report.note("The service after %d reloads and %d workflows on %d projects: %.0f MB.",
		b.options.reloads, found.probes, len(projects), megabytes(full))
	b.addReloads(len(projects), found)
	if len(found.lost) > 0 {
		return fmt.Errorf("of %d workflows around the reloads: %w", found.probes, errors.Join(found.lost...))
	}
	return nil
}

// nativeResults measures the least that a workflow takes on this machine now: what a reload adds to
// it is the service's.
func (b *bench) nativeResults(ctx context.Context) (took []time.Duration, err error) {
	if !b.options.native {
		return nil, nil
	}
	n, err := b.startNative(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.stop(ctx)) }()
	queue := newProject().taskQueue
	if err := n.add(ctx, queue); err != nil {
		return nil, err
	}
	for range b.options.reloads {
		began := time.Now()
		if _, err := b.execute(ctx, queue, wfVersion); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// loadProjects starts workflows with an activity on any of the projects, at the rate that was asked
// for, until ctx ends.
func (b *bench) loadProjects(ctx context.Context, projects []project) error {
	if b.options.load == 0 {
		return nil
	}
	ticks := time.NewTicker(time.Second / time.Duration(b.options.load))
	defer ticks.Stop()
	var group errgroup.Group
	group.SetLimit(20) // more don't make a busy machine busier
	order := map[string]any{"id": "load", "lines": []map[string]any{{"sku": "a", "quantity": 1}}}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticks.C:
			p := projects[rand.IntN(len(projects))]
			group.TryGo(func() error {
				_, err := b.execute(context.WithoutCancel(ctx), p.taskQueue, wfVersion, order)
				return err
			})
		}
	}
	return group.Wait()
}

func (b *bench) addReloads(projects int, found reloads) {
	among := fmt.Sprintf("%d projects", projects)
	if b.options.load > 0 {
		among += fmt.Sprintf(", %d workflows/s", b.options.load)
	}
	b.report.add("commit → first workflow completed on new code, p50, "+among, "ms",
		yardstick{node: "2,048 ms", native: "22 ms", goal: "40 ms", limit: 40}, nativeQuantile(found.native, 0.50), milliseconds(quantile(found.finished, 0.50)))
	b.report.add("… p99", "ms", yardstick{}, nativeQuantile(found.native, 0.99), milliseconds(quantile(found.finished, 0.99)))
	b.report.add("… less an execution's own time, p50", "ms", yardstick{goal: "10 ms", limit: 10}, math.NaN(),
		milliseconds(quantile(found.finished, 0.50)-quantile(found.own, 0.50)))
	b.report.note("A workflow alone takes %.1f ms among %s (p50).", milliseconds(quantile(found.own, 0.50)), among)
	b.report.add("commit → new code live, as the worker's row says, p50", "ms", yardstick{}, math.NaN(), milliseconds(quantile(found.live, 0.50)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(found.live, 0.99)))
	b.report.add(fmt.Sprintf("tasks lost at a reload, of %d workflows", found.probes), "",
		yardstick{node: "4 of 8 reloads", native: "1 of 6", goal: "none", limit: 0.5}, math.NaN(), float64(len(found.lost)))
	b.report.note("Slowest of the %d workflows started around the reloads among %s: %.0f ms.", found.probes, among, milliseconds(found.slowest))
}

// nativeQuantile is of workflows on a native worker, whose code stays as it is: without the reload.
func nativeQuantile(took []time.Duration, q float64) float64 {
	if len(took) == 0 {
		return math.NaN()
	}
	return milliseconds(quantile(took, q))
}

// addHistogram shows the service's own idea of the same thing.
func (b *bench) addHistogram(ctx context.Context, s *service) error {
	series, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	for _, m := range []struct{ metric, what string }{
		{`workflow_worker_stream_lag_seconds`, "commit → project named"},
		{`workflow_worker_reload_duration_seconds`, "commit → live"},
	} {
		sum, count := 0.0, 0.0
		for _, labels := range []string{"", `{action="reload"}`} {
			sum += series[m.metric+"_sum"+labels]
			count += series[m.metric+"_count"+labels]
		}
		if count > 0 {
			b.report.note("By /metrics, %s: %.1f ms on average over %.0f.", m.what, 1000*sum/count, count)
		}
	}
	return nil
}

// reloadOnce changes a project's code and waits until a workflow has returned the new version.
func (b *bench) reloadOnce(ctx context.Context, r *rows, p project, version string, found *reloads) error {
	ctx, cancel := context.WithTimeoutCause(ctx, workflowTimeout, errors.New("no workflow ran on the new code within a minute"))
	defer cancel()
	committed, err := r.change(ctx, p, version, versionCode(version))
	if err != nil {
		return err
	}
	finished, err := b.firstResult(ctx, p, version, committed, found)
	if err != nil {
		return err
	}
	since, err := r.liveSince(ctx, p, version)
	if err != nil {
		return err
	}
	found.finished = append(found.finished, finished)
	found.live = append(found.live, since.Sub(committed))
	return nil
}

// firstResult starts workflows every few milliseconds and tells when one has returned a version; any,
// if it is "". A server that is asked so often answers sooner than one that is asked once, so a reload
// is compared with the same without one.
func (b *bench) firstResult(ctx context.Context, p project, version string, since time.Time, found *reloads) (time.Duration, error) {
	var (
		mu       sync.Mutex // guards what follows
		finished time.Duration
		running  int
		failed   error
		work     sync.WaitGroup
	)
	probe := func() {
		began := time.Now()
		result, err := b.execute(ctx, p.taskQueue, wfVersion)
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		running--
		found.probes++
		found.slowest = max(found.slowest, now.Sub(began))
		if errors.Is(err, errHung) {
			found.lost = append(found.lost, err)
		} else {
			failed = errors.Join(failed, err)
		}
		if took := now.Sub(since); err == nil && (version == "" || result == version) && (finished == 0 || took < finished) {
			finished = took
		}
	}
	err := stack.WaitFor(ctx, probeEvery, func() (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if finished == 0 && failed == nil && running < mostProbes {
			running++
			work.Go(probe)
		}
		return finished != 0, failed
	})
	// Those still on their way must come to an end, too.
	work.Wait()
	return finished, errors.Join(failed, err)
}
