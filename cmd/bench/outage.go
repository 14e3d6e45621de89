package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
)

// outages are the ways in which Temporal goes away: its process stands still, as behind a broken
// network, or ends and comes back.
var outages = []string{"frozen", "restarted"}

// outageLoad is how many executions are started a second on each worker while the server answers,
// and tried while it doesn't.
const outageLoad = 4

// afterOutage is how long executions may take to end when the server is back.
const afterOutage = 4 * time.Minute

// measureOutage takes Temporal away for a while under load, from the service and a native worker at
// the same time, and measures how long the executions of that time need once it is back.
func (b *bench) measureOutage(ctx context.Context) error {
	for _, kind := range outages {
		if err := b.outage(ctx, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func (b *bench) outage(ctx context.Context, kind string) (err error) {
	b.say("Temporal %s for %s under %d executions a second", kind, b.options.outage, outageLoad)
	dir, err := os.MkdirTemp("", "bench-outage-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	port, err := stack.FreePort()
	if err != nil {
		return err
	}
	// A server of its own, which keeps its state when it ends.
	own := stack.TemporalOptions{Headless: true, Port: port, DBFile: filepath.Join(dir, "temporal.db"), Progress: b.progress}
	shared, sharedClient := b.temporal, b.client
	defer func() { b.temporal, b.client = shared, sharedClient }()
	if b.temporal, err = stack.StartTemporal(ctx, own); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.temporal.Stop(context.WithoutCancel(ctx))) }()
	if b.client, err = dial(b.temporal); err != nil {
		return err
	}
	defer b.client.Close()
	n, err := b.startNative(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop(ctx)) }()
	nativeQueue := newProject().taskQueue
	if err := n.add(ctx, nativeQueue); err != nil {
		return err
	}
	return b.withService(ctx, func(_ *service, r *rows) error {
		added, _, err := r.add(ctx, 1, cpuCode)
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, 1); err != nil {
			return err
		}
		ours, natives := &outageRuns{taskQueue: added[0].taskQueue}, &outageRuns{taskQueue: nativeQueue}
		loaded, stopLoad := context.WithCancel(ctx)
		defer stopLoad()
		var load errgroup.Group
		for _, runs := range []*outageRuns{ours, natives} {
			load.Go(func() error { b.loadThrough(loaded, runs); return nil })
		}
		const settled = 5 * time.Second
		if err := sleep(ctx, settled); err != nil {
			return err
		}
		if err := b.takeAway(ctx, kind, own); err != nil {
			return err
		}
		back := time.Now()
		err = sleep(ctx, settled)
		stopLoad()
		if err := errors.Join(err, load.Wait()); err != nil {
			return err
		}
		if err := b.readOutage(ctx, ours, back); err != nil {
			return fmt.Errorf("the service: %w", err)
		}
		if err := b.readOutage(ctx, natives, back); err != nil {
			return fmt.Errorf("the native worker: %w", err)
		}
		b.addOutage(kind, ours, natives)
		return nil
	})
}

// takeAway lets the server not answer for as long as was asked for.
func (b *bench) takeAway(ctx context.Context, kind string, own stack.TemporalOptions) error {
	if kind == "frozen" {
		if err := syscall.Kill(b.temporal.PID(), syscall.SIGSTOP); err != nil {
			return err
		}
		err := sleep(ctx, b.options.outage)
		return errors.Join(err, syscall.Kill(b.temporal.PID(), syscall.SIGCONT))
	}
	began := time.Now()
	if err := b.temporal.Stop(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, b.options.outage-time.Since(began)); err != nil {
		return err
	}
	again, err := stack.StartTemporal(ctx, own)
	if err != nil {
		return err
	}
	b.temporal = again
	return nil
}

// outageRuns are the executions of one worker.
type outageRuns struct {
	taskQueue string
	mu        sync.Mutex // guards started
	started   []client.WorkflowRun

	after []time.Duration // of those that ended later: from the server's return, or the start if that was later, to the execution's end
	waits map[string]int  // what the longest wait of each was for
}

// loadThrough starts executions until ctx ends. Those that the server doesn't take are no subject
// here.
func (b *bench) loadThrough(ctx context.Context, runs *outageRuns) {
	ticks := time.NewTicker(time.Second / outageLoad)
	defer ticks.Stop()
	var group sync.WaitGroup
	defer group.Wait()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticks.C:
			group.Go(func() {
				start, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.options.outage+10*time.Second)
				defer cancel()
				run, err := b.client.ExecuteWorkflow(start, client.StartWorkflowOptions{TaskQueue: runs.taskQueue}, wfSlow)
				if err != nil {
					return
				}
				runs.mu.Lock()
				defer runs.mu.Unlock()
				runs.started = append(runs.started, run)
			})
		}
	}
}

// readOutage waits for the executions' ends and reads from their histories what they waited for.
func (b *bench) readOutage(ctx context.Context, runs *outageRuns, back time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, afterOutage, errors.New("executions did not end after the server was back"))
	defer cancel()
	runs.waits = map[string]int{}
	for _, run := range runs.started {
		var result string
		if err := run.Get(ctx, &result); err != nil {
			return fmt.Errorf("workflow %s: %w", run.GetID(), errors.Join(err, context.Cause(ctx)))
		}
		if result != "1" {
			return fmt.Errorf("workflow %s returned %q", run.GetID(), result)
		}
		if err := b.readRun(ctx, runs, run, back); err != nil {
			return fmt.Errorf("read the history of %s: %w", run.GetID(), err)
		}
	}
	return nil
}

// readRun reads one execution's history. One that was over before the server's return says nothing.
func (b *bench) readRun(ctx context.Context, runs *outageRuns, run client.WorkflowRun, back time.Time) error {
	var from, to time.Time // of the execution
	var longest time.Duration
	var last, wait string
	events := b.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return err
		}
		at, name := e.GetEventTime().AsTime(), e.GetEventType().String()
		if from.IsZero() {
			from, to = at, at
		}
		if since := later(to, back); at.Sub(since) > longest {
			longest, wait = at.Sub(since), last+" → "+name
		}
		to, last = at, name
	}
	if to.Before(back) {
		return nil
	}
	runs.after = append(runs.after, to.Sub(later(from, back)))
	if longest > time.Second {
		runs.waits[fmt.Sprintf("%s (%d s or more)", wait, 5*int(longest.Seconds()/5))]++
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (b *bench) addOutage(kind string, ours, natives *outageRuns) {
	what := fmt.Sprintf("Temporal %s for %s: its return → executions of that time ended, p50", kind, b.options.outage)
	for _, q := range []struct {
		what string
		q    float64
	}{{what, 0.5}, {"… p90", 0.9}, {"… last", 1}} {
		b.report.add(q.what, "ms", yardstick{}, milliseconds(quantile(natives.after, q.q)), milliseconds(quantile(ours.after, q.q)))
	}
	b.noteWaits(kind, "the service", ours)
	b.noteWaits(kind, "native Go", natives)
}

// noteWaits says for what the most executions waited longest after the server's return.
func (b *bench) noteWaits(kind, whose string, runs *outageRuns) {
	most := slices.SortedFunc(maps.Keys(runs.waits), func(x, y string) int {
		return cmp.Or(cmp.Compare(runs.waits[y], runs.waits[x]), cmp.Compare(x, y))
	})
	var said []string
	for _, what := range most[:min(len(most), 4)] {
		said = append(said, fmt.Sprintf("%d %s", runs.waits[what], what))
	}
	if len(said) > 0 {
		b.report.note("Temporal %s, %s: of %d executions waited longest for: %s.", kind, whose, len(runs.after), strings.Join(said, "; "))
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
