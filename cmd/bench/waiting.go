package main

import (
	"context"
	"fmt"
	"math"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
)

const (
	// waitingMore is how many waiting executions the first project has beside its one.
	waitingMore = 2000
	// startsAtOnce is how many of them are started at once: the server takes its time.
	startsAtOnce = 8
)

var (
	waitingYardstick = yardstick{node: "> 33 MB", native: "0.2 MB", goal: "0.7 MB", limit: 0.7}
	cachedYardstick  = yardstick{native: "3.4 KB", goal: "30 KB", limit: 30}
)

// measureWaiting measures what projects cost that are not idle: each has an execution that waits, in
// memory; and what a waiting execution costs.
func (b *bench) measureWaiting(ctx context.Context) error {
	waitingProjects := b.options.waiting
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, waitingProjects, cpuCode)
		if err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, waitingProjects); err != nil {
			return err
		}
		idle, err := settledMemory(ctx, s.PID(), settleFor)
		if err != nil {
			return err
		}
		if err := b.startWaiting(ctx, added, waitingProjects); err != nil {
			return err
		}
		one, err := settledMemory(ctx, s.PID(), settleFor)
		if err != nil {
			return err
		}
		b.say("%d projects with a waiting execution: %.0f MB, %.0f MB before", waitingProjects, megabytes(one), megabytes(idle))
		b.report.add(fmt.Sprintf("memory per project for one waiting execution, at %d", waitingProjects), "MB", waitingYardstick, math.NaN(),
			megabytes(one-idle)/float64(waitingProjects))
		if err := b.startWaiting(ctx, added[:1], waitingMore); err != nil {
			return err
		}
		more, err := settledMemory(ctx, s.PID(), settleFor)
		if err != nil {
			return err
		}
		b.report.add("… per waiting, cached execution more", "KB", cachedYardstick, math.NaN(), 1024*megabytes(more-one)/waitingMore)
		return b.failedTasks(ctx, s, "part waiting")
	})
}

// startWaiting starts executions that wait for a signal, in turn on the projects, and returns once
// their first tasks are done.
func (b *bench) startWaiting(ctx context.Context, projects []project, executions int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	for i := range executions {
		p := projects[i%len(projects)]
		group.Go(func() error {
			run, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: p.taskQueue}, wfSignal)
			if err != nil {
				return fmt.Errorf("start workflow %s on %s: %w", wfSignal, p.taskQueue, err)
			}
			return b.waits(ctx, run)
		})
	}
	return group.Wait()
}

// waits returns once a run's first task is done.
func (b *bench) waits(ctx context.Context, run client.WorkflowRun) error {
	events := b.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return fmt.Errorf("read the history of workflow %s: %w", run.GetID(), err)
		}
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return nil
		}
	}
	return fmt.Errorf("workflow %s is over", run.GetID())
}
