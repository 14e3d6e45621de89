package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// measureFirst measures, on a service that runs nothing yet, the time from the
// commit of a project's rows to the result of its first workflow.
func (b *bench) measureFirst(ctx context.Context) error {
	const projects = 11
	b.say("first project from nothing to its first workflow, %d times", projects)
	var ours, natives []time.Duration
	err := b.withService(ctx, func(_ *service, r *rows) error {
		for range projects {
			added, committed, err := r.add(ctx, 1, versionCode("1"))
			if err != nil {
				return err
			}
			result, err := b.execute(ctx, added[0].taskQueue, wfVersion)
			if err != nil {
				return fmt.Errorf("%w; %s", err, r.complaint(ctx))
			}
			if result != "1" {
				return fmt.Errorf("a new project's workflow returned %q", result)
			}
			ours = append(ours, time.Since(committed))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if b.options.native {
		n, err := b.startNative(ctx)
		if err != nil {
			return err
		}
		for range projects {
			began := time.Now()
			queue := newProject().taskQueue
			if err := n.add(ctx, queue); err != nil {
				return err
			}
			if _, err := b.execute(ctx, queue, wfVersion); err != nil {
				return err
			}
			natives = append(natives, time.Since(began))
		}
		if err := n.stop(ctx); err != nil {
			return err
		}
	}
	y := yardstick{node: "1,965 ms", native: "18 ms", goal: "60 ms", limit: 60}
	b.report.add("first project from nothing to first workflow", "ms", y, firstOf(natives), firstOf(ours))
	b.report.add(fmt.Sprintf("… the next %d projects, median", projects-1), "ms", yardstick{}, medianOfRest(natives), medianOfRest(ours))
	return nil
}

func firstOf(d []time.Duration) float64 {
	if len(d) == 0 {
		return math.NaN()
	}
	return milliseconds(d[0])
}

func medianOfRest(d []time.Duration) float64 {
	if len(d) < 2 {
		return math.NaN()
	}
	return milliseconds(quantile(d[1:], 0.5))
}
