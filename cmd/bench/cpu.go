package main

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"
)

// cpuCase is one kind of workflow whose cost is measured.
type cpuCase struct {
	what, workflow, result string
	runs                   int
	node, native           string  // of the design's table
	times                  float64 // the goal: so many times what native Go takes in the same run
}

// yardstick is the case's where native Go took so many milliseconds in this run.
func (c cpuCase) yardstick(native float64) yardstick {
	y := yardstick{node: c.node, native: c.native, goal: fmt.Sprintf("%g × native", c.times)}
	if !math.IsNaN(native) {
		y.limit = c.times * native
	}
	return y
}

func cpuCases() []cpuCase {
	return []cpuCase{
		{"worker CPU per workflow: no-op", wfNoop, "ok", 300, "6.3 ms", "1.7 ms", 1.3},
		{"… one activity", wfOne, "1", 300, "10.1 ms", "3.8 ms", 1.1},
		{"… five activities in a row", wfFive, "15", 120, "26 ms", "11.2 ms", 1.15},
		{"… fan-out of 50 activities", wfFanOut, "1225", 40, "80 ms", "63 ms", 1.05},
		{"… signal, condition, timer", wfSignal, "now", 200, "10.9 ms", "3.3 ms", 1.3},
	}
}

// measureCPU measures the CPU time of the worker's process, its children
// included, per workflow; what starts the workflows is another process.
func (b *bench) measureCPU(ctx context.Context) error {
	cases := cpuCases()
	natives := make([]float64, len(cases))
	for i := range natives {
		natives[i] = math.NaN()
	}
	if b.options.native {
		n, err := b.startNative(ctx)
		if err != nil {
			return err
		}
		queue := newProject().taskQueue
		if err := n.add(ctx, queue); err != nil {
			return err
		}
		for i, c := range cases {
			if natives[i], err = b.cpuPerWorkflow(ctx, c, n.PID(), queue, "native Go"); err != nil {
				return err
			}
		}
		if err := n.stop(ctx); err != nil {
			return err
		}
	}
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, 1, cpuCode)
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, 1); err != nil {
			return err
		}
		for i, c := range cases {
			ours, err := b.cpuPerWorkflow(ctx, c, s.PID(), added[0].taskQueue, "the service")
			if err != nil {
				return fmt.Errorf("%w; %s", err, r.complaint(ctx))
			}
			b.report.add(c.what, "ms", c.yardstick(natives[i]), natives[i], ours)
		}
		return b.failedTasks(ctx, s, "part cpu")
	})
}

// cpuPerWorkflow returns the milliseconds of CPU time that process pid needs for
// one workflow, over many run four at a time after some that warm up.
func (b *bench) cpuPerWorkflow(ctx context.Context, c cpuCase, pid int, taskQueue, who string) (float64, error) {
	const warmUp = 20
	runs := max(1, int(float64(c.runs)*b.options.scale))
	if err := b.runMany(ctx, c, taskQueue, min(warmUp, runs)); err != nil {
		return 0, err
	}
	before, err := usageOf(pid)
	if err != nil {
		return 0, err
	}
	if err := b.runMany(ctx, c, taskQueue, runs); err != nil {
		return 0, err
	}
	after, err := usageOf(pid)
	if err != nil {
		return 0, err
	}
	each := milliseconds(after.cpu-before.cpu) / float64(runs)
	b.say("CPU of %s on %s: %s each, over %d", c.workflow, who, figure(each, "ms"), runs)
	return each, nil
}

func (b *bench) runMany(ctx context.Context, c cpuCase, taskQueue string, runs int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*workflowTimeout, fmt.Errorf("%s: still running after %s", c.workflow, 2*workflowTimeout))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for range runs {
		group.Go(func() error {
			run, err := b.begin(ctx, taskQueue, c.workflow)
			if err != nil {
				return err
			}
			if c.workflow == wfSignal {
				if err := b.client.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), sigGo, c.result); err != nil {
					return fmt.Errorf("signal %s: %w", c.workflow, err)
				}
			}
			result, err := b.finish(ctx, run)
			if err == nil && result != c.result {
				err = fmt.Errorf("%s returned %q, not %q", c.workflow, result, c.result)
			}
			return err
		})
	}
	return group.Wait()
}

// failedTasks fails if the service's metrics know of a failed workflow task or activity.
func (b *bench) failedTasks(ctx context.Context, s *service, when string) error {
	series, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	for _, metric := range []string{
		"temporal_workflow_task_execution_failed_total", "temporal_activity_execution_failed_total",
		"temporal_workflow_failed_total", "workflow_worker_workflow_task_failures_total", "workflow_worker_js_interrupts_total",
	} {
		if n := sumOf(series, metric); n > 0 {
			return fmt.Errorf("%s: %s is %v", when, metric, n)
		}
	}
	return nil
}
