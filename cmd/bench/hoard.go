package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"workflow-worker/runtime"
)

const (
	// hoardNeighbours are projects that behave well beside one that hoards.
	hoardNeighbours = 100
	// neighboursEvery is how often one of their workflows is started.
	neighboursEvery = 40 * time.Millisecond
	// aloneFor is how long they are measured alone, hoardFor beside each way to hoard: until it was
	// cut off, and tried again.
	aloneFor, hoardFor = 15 * time.Second, 4 * time.Second
)

// hoardSmall is what the neighbours run.
var hoardSmall = small{wfVersion, "1"}

// hoardWays are the ways to fill memory, in the body of a function.
var hoardWays = map[string]string{
	"texts":    `let s = 'x'; for (;;) s += s;`,
	"arrays":   `let a = [1]; for (;;) a = [...a, ...a];`,
	"objects":  `const a = []; for (let i = 0; ; i++) a.push({ i, name: 'n' + i });`,
	"closures": `const a = []; for (let i = 0; ; i++) a.push(() => i);`,
	"maps":     `const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]);`,
	"promises": `const f = (): void => { Promise.resolve().then(f); Promise.resolve().then(f); }; f(); await sleep(1);`,
	"buffers":  `const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));`,
	"commands": `const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m' }); for (;;) echo('x'.repeat(1 << 20));`,
}

func hoardCode() string {
	var b strings.Builder
	b.WriteString("import { proxyActivities, sleep } from '@temporalio/workflow';\nexport default async function versionOf() { return 'hoards'; }\n")
	for way, body := range hoardWays {
		fmt.Fprintf(&b, "export async function %s() { %s }\n", way, body)
	}
	return b.String()
}

// measureHoard measures what a project that fills memory, in each way, costs the process and its
// neighbours.
func (b *bench) measureHoard(ctx context.Context) error {
	return b.withService(ctx, func(s *service, r *rows) error {
		neighbours, _, err := r.add(ctx, hoardNeighbours, versionCode("1"))
		if err != nil {
			return err
		}
		hoarder, _, err := r.add(ctx, 1, hoardCode())
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, hoardNeighbours+1); err != nil {
			return err
		}
		if _, err := b.neighboursFor(ctx, neighbours, aloneFor/3, hoardSmall); err != nil { // warms up
			return err
		}
		alone, err := b.neighboursFor(ctx, neighbours, aloneFor, hoardSmall)
		if err != nil {
			return err
		}
		var beside []time.Duration
		var most int64
		for _, way := range slices.Sorted(maps.Keys(hoardWays)) {
			took, grown, err := b.hoard(ctx, s, hoarder[0], way, neighbours)
			if err != nil {
				return fmt.Errorf("hoarding %s: %w", way, err)
			}
			b.say("hoarding %s: %.0f MB more, the neighbours' p99 %s", way, megabytes(grown), quantile(took, 0.99).Round(time.Millisecond))
			beside, most = append(beside, took...), max(most, grown)
		}
		const budget = runtime.DefaultMaxWorkflowMemory
		b.report.add(fmt.Sprintf("memory above the start while one project of %d hoards, most", hoardNeighbours+1), "MB",
			yardstick{goal: "2 × its budget", limit: megabytes(2 * budget)}, math.NaN(), megabytes(most))
		p99 := milliseconds(quantile(alone, 0.99))
		b.report.add("… its neighbours' p99 alone", "ms", yardstick{}, math.NaN(), p99)
		b.report.add("… and beside it", "ms", yardstick{goal: "3 × + 300 ms", limit: 3*p99 + 300}, math.NaN(), milliseconds(quantile(beside, 0.99)))
		return s.failedByOthers(ctx)
	})
}

// hoard measures the neighbours beside an execution that hoards, and how much larger the process
// becomes.
func (b *bench) hoard(ctx context.Context, s *service, p project, way string, neighbours []project) (took []time.Duration, grown int64, err error) {
	before, err := usageOf(s.PID())
	if err != nil {
		return nil, 0, err
	}
	run, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: p.taskQueue, WorkflowExecutionTimeout: workflowTimeout}, way)
	if err != nil {
		return nil, 0, err
	}
	watched, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error {
		ticks := time.NewTicker(50 * time.Millisecond)
		defer ticks.Stop()
		for {
			now, err := usageOf(s.PID())
			if err != nil {
				return err
			}
			grown = max(grown, now.rss-before.rss)
			select {
			case <-watched.Done():
				return nil
			case <-ticks.C:
			}
		}
	})
	took, err = b.neighboursFor(ctx, neighbours, hoardFor, hoardSmall)
	stop()
	err = errors.Join(err, group.Wait(), b.client.TerminateWorkflow(ctx, run.GetID(), run.GetRunID(), "measured"))
	return took, grown, err
}

// small is a workflow of neighbours, and what it comes to.
type small struct{ workflow, result string }

// neighboursFor starts workflows of each kind on the projects in turn, for so long, and gives how long
// each took.
func (b *bench) neighboursFor(ctx context.Context, projects []project, most time.Duration, kinds ...small) (took []time.Duration, err error) {
	var mu sync.Mutex // guards took
	var group errgroup.Group
	ticks := time.NewTicker(neighboursEvery)
	defer ticks.Stop()
	for i, began := 0, time.Now(); time.Since(began) < most && ctx.Err() == nil; i++ {
		kind, of := kinds[i%len(kinds)], projects[i/len(kinds)%len(projects)]
		group.Go(func() error {
			began := time.Now()
			result, err := b.execute(ctx, of.taskQueue, kind.workflow)
			if err != nil {
				return err
			}
			if result != kind.result {
				return fmt.Errorf("a neighbour's workflow returned %q", result)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
			return nil
		})
		<-ticks.C
	}
	return took, errors.Join(group.Wait(), ctx.Err())
}

// failedByOthers is an error if a workflow task failed for anything but what ends those who hoard.
func (s *service) failedByOthers(ctx context.Context) error {
	series, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	for name, n := range series {
		if !strings.Contains(name, "workflow_task_failures_total") || n == 0 {
			continue
		}
		if !slices.ContainsFunc([]string{"memory", "interrupted", "not_awaited", "no_turn", "exception"}, func(reason string) bool { return strings.Contains(name, `"`+reason+`"`) }) {
			return fmt.Errorf("%s is %.0f: a neighbour's task failed", name, n)
		}
	}
	return nil
}
