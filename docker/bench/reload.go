package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// probeEvery is the pause between two starts of the workflow that shows which
// code is live. Shorter would be more exact and load the machine that is measured.
const probeEvery = 8 * time.Millisecond

// reloads is what part reload found.
type reloads struct {
	live     []time.Duration // commit → the service says the code is live
	finished []time.Duration // commit → a workflow has returned the new code's result
	probes   int
	hung     int
	slowest  time.Duration
}

// measureReload changes the code of one of many running projects, again and
// again, while its workflow is started every few milliseconds.
func (b *bench) measureReload(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		b.say("%d reloads with %d projects running", b.options.reloads, b.options.projects)
		projects, _, err := r.add(ctx, b.options.projects, versionCode("0"))
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, len(projects)); err != nil {
			return err
		}
		var found reloads
		for i := range b.options.reloads {
			version := fmt.Sprintf("1.0.%d", i+1)
			if err := b.reloadOnce(ctx, r, projects[i%len(projects)], version, &found); err != nil {
				return fmt.Errorf("reload %d: %w; %s", i+1, err, r.complaint(ctx))
			}
		}
		full, err := settledMemory(ctx, s.PID(), settleFor)
		if err != nil {
			return err
		}
		b.report.note("The service after %d reloads and %d workflows on %d projects: %.0f MB.",
			b.options.reloads, found.probes, len(projects), megabytes(full))
		b.addReloads(found)
		if err := b.addHistogram(ctx, s); err != nil {
			return err
		}
		if found.hung > 0 {
			return fmt.Errorf("%d of %d workflows hung during the reloads, the longest for %s", found.hung, found.probes, found.slowest)
		}
		return b.failedTasks(ctx, s, "part reload")
	})
}

func (b *bench) addReloads(found reloads) {
	b.report.add("commit → first workflow completed on new code, p50", "ms",
		yardstick{node: "2,048 ms", native: "22 ms", goal: "40 ms", limit: 40}, math.NaN(), milliseconds(quantile(found.finished, 0.50)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(found.finished, 0.99)))
	b.report.add("commit → new code live, as the worker's row says, p50", "ms", yardstick{}, math.NaN(), milliseconds(quantile(found.live, 0.50)))
	b.report.add("… p99", "ms", yardstick{}, math.NaN(), milliseconds(quantile(found.live, 0.99)))
	b.report.add(fmt.Sprintf("tasks hung at a reload, of %d workflows", found.probes), "",
		yardstick{node: "4 of 8 reloads", native: "1 of 6", goal: "none", limit: 0.5}, math.NaN(), float64(found.hung))
	b.report.note("Slowest of the %d workflows started around the reloads: %.0f ms.", found.probes, milliseconds(found.slowest))
}

// addHistogram shows the service's own idea of the same thing.
func (b *bench) addHistogram(ctx context.Context, s *service) error {
	series, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	for _, m := range []struct{ metric, what string }{
		{`workflow_worker_stream_lag_seconds`, "commit → project named"},
		{`workflow_worker_reload_duration_seconds`, "change noticed → live"},
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

// reloadOnce commits a new text and starts workflows until one returns it.
func (b *bench) reloadOnce(ctx context.Context, r *rows, p project, version string, found *reloads) error {
	ctx, cancel := context.WithTimeoutCause(ctx, workflowTimeout, errors.New("no workflow ran on the new code within a minute"))
	defer cancel()
	committed, err := r.change(ctx, p, version, versionCode(version))
	if err != nil {
		return err
	}
	var (
		mu       sync.Mutex // guards what follows
		finished time.Duration
		failed   error
		work     sync.WaitGroup
	)
	probe := func() {
		began := time.Now()
		result, err := b.execute(ctx, p.taskQueue, wfVersion)
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, err)
		found.probes++
		found.slowest = max(found.slowest, now.Sub(began))
		if now.Sub(began) > hungAfter {
			found.hung++
		}
		if took := now.Sub(committed); result == version && (finished == 0 || took < finished) {
			finished = took
		}
	}
	err = waitFor(ctx, probeEvery, func() (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if finished == 0 && failed == nil {
			work.Go(probe)
		}
		return finished != 0, failed
	})
	// Those still on their way must come to an end, too.
	work.Wait()
	if failed != nil {
		return failed
	}
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
