package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack"
)

const (
	// placedProjects run on placedOn of four replicas each; with -scale 5 they are 2,000.
	placedProjects, placedOn = 400, 2
	placedHeartbeat          = 5 * time.Second
	placedRate               = 10 // executions started per second meanwhile
)

// crew are replicas of one service of which some run each project.
type crew struct {
	*rows
	b        *bench
	url      string
	projects []project
	services map[string]*service
}

// measurePlacement has replicas come, die, freeze and drain under load, and measures how soon each
// project has all of its workers again, and how equal the replicas' shares are.
func (b *bench) measurePlacement(ctx context.Context) error {
	return b.withDatabase(ctx, func(url string, r *rows) error {
		c := &crew{rows: r, b: b, url: url, services: map[string]*service{}}
		defer func() {
			for _, s := range c.services {
				s.Signal(syscall.SIGKILL)
				<-s.Done()
			}
		}()
		return c.measure(ctx)
	})
}

// measure has them come and go.
func (c *crew) measure(ctx context.Context) error {
	b := c.b
	n := max(8, int(placedProjects*b.options.scale))
	for _, name := range []string{"a", "b", "c"} {
		if err := c.join(ctx, name); err != nil {
			return err
		}
	}
	b.say("%d projects on %d of three replicas", n, placedOn)
	added, committed, err := c.add(ctx, n, versionCode("1"))
	if err != nil {
		return err
	}
	c.projects = added
	settled := func(what string, since time.Time) error {
		if err := c.settle(ctx); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		b.report.add("… "+what+": each has all of its workers", "s", yardstick{}, math.NaN(), time.Since(since).Seconds())
		return nil
	}
	b.report.add(fmt.Sprintf("%d projects on %d of 4 replicas, heartbeats of %s", n, placedOn, placedHeartbeat), "", yardstick{}, math.NaN(), math.NaN())
	if err := settled("inserted at once with three replicas", committed); err != nil {
		return err
	}
	end := c.load(ctx)
	defer func() { _, _ = end() }() // its error is told before, if it comes to that

	began := time.Now()
	if err := c.join(ctx, "d"); err != nil {
		return err
	}
	if err := settled("a fourth replica comes", began); err != nil {
		return err
	}
	if err := c.shares(ctx, n); err != nil {
		return err
	}

	began = time.Now()
	killed := c.services["a"]
	delete(c.services, "a")
	killed.Signal(syscall.SIGKILL)
	<-killed.Done()
	if err := settled("one is killed", began); err != nil {
		return err
	}

	began = time.Now()
	frozen := c.services["b"]
	delete(c.services, "b")
	frozen.Signal(syscall.SIGSTOP)
	err = settled("one is frozen", began)
	frozen.Signal(syscall.SIGCONT)
	c.services["b"] = frozen
	if err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return fmt.Errorf("it goes on: %w", err)
	}

	began = time.Now()
	least := c.least(ctx)
	drained := c.services["c"]
	delete(c.services, "c")
	drained.Signal(syscall.SIGTERM)
	err = settled("one drains", began)
	few, looks := least()
	if err != nil {
		return err
	}
	select {
	case <-drained.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	b.report.note("While it drained no project had fewer than %d workers, in %d looks.", few, looks)
	completed, err := end()
	b.report.note("%d executions were started meanwhile, and completed.", completed)
	return err
}

func (c *crew) join(ctx context.Context, name string) (err error) {
	c.services[name], err = c.b.startService(ctx, c.url, map[string]string{
		"REPLICA_NAME": name, "PROJECT_REPLICAS": fmt.Sprint(placedOn), "HEARTBEAT_INTERVAL": placedHeartbeat.String(),
	})
	if err != nil {
		delete(c.services, name)
	}
	return err
}

// settle waits until each project runs on as many of the crew as it should, and they have let go of
// the rest.
func (c *crew) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errors.New("projects don't have their workers after three minutes"))
	defer cancel()
	names := slices.Collect(maps.Keys(c.services))
	return stack.WaitFor(ctx, 200*time.Millisecond, func() (bool, error) {
		var wrong, ready int
		err := c.pool.QueryRow(ctx, `SELECT
			(SELECT count(*) FROM projects p WHERE $2 <> (SELECT count(*) FROM workflow_workers w
				WHERE w.project_id = p.id AND w.status = 'running' AND w.metadata->>'replica' = ANY($1))),
			(SELECT count(*) FROM workflow_replicas WHERE name = ANY($1) AND status = 'running' AND projects_wanted = projects_running)`,
			names, placedOn).Scan(&wrong, &ready)
		return wrong == 0 && ready == len(names), err
	})
}

// shares compares how many projects the replicas have.
func (c *crew) shares(ctx context.Context, n int) error {
	var least, most int
	if err := c.pool.QueryRow(ctx, `SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM workflow_workers WHERE status = 'running' GROUP BY metadata->>'replica') AS x`).Scan(&least, &most); err != nil {
		return fmt.Errorf("read the shares: %w", err)
	}
	// Of few projects chance has the larger part.
	goal := yardstick{}
	const tenth, enough = 10, 2000
	if n >= enough {
		goal = yardstick{goal: "10 %", limit: tenth}
	}
	c.b.report.add("… then the largest share above the smallest", "%", goal, math.NaN(), 100*float64(most-least)/float64(least))
	var memory []string
	for name, s := range c.services {
		used, err := settledMemory(ctx, s.PID(), time.Second)
		if err != nil {
			return err
		}
		memory = append(memory, fmt.Sprintf("%s %.0f MB", name, megabytes(used)))
	}
	slices.Sort(memory)
	c.b.report.note("Each of the four replicas then ran %d to %d of %d projects; their memory: %v.", least, most, n, memory)
	return nil
}

// least watches how few workers any project has.
func (c *crew) least(ctx context.Context) (end func() (few, looks int)) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	few, looks := math.MaxInt, 0
	work.Go(func() {
		for rest(ctx, 100*time.Millisecond) == nil {
			var now int
			if c.pool.QueryRow(ctx, `SELECT min(n) FROM (SELECT count(w.worker_id) AS n FROM projects p
				LEFT JOIN workflow_workers w ON w.project_id = p.id AND w.status = 'running' GROUP BY p.id) AS x`).Scan(&now) == nil {
				few, looks = min(few, now), looks+1
			}
		}
	})
	return func() (int, int) {
		cancel()
		work.Wait()
		return few, looks
	}
}

// load starts executions until it is ended, and then waits for all of them.
func (c *crew) load(ctx context.Context) (end func() (completed int, err error)) {
	starting, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	var runs []client.WorkflowRun
	var failed error
	work.Go(func() {
		for i := 0; rest(starting, time.Second/placedRate) == nil; i++ {
			run, err := c.b.begin(ctx, c.projects[i%len(c.projects)].taskQueue, wfVersion)
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			runs = append(runs, run)
		}
	})
	return sync.OnceValues(func() (int, error) {
		cancel()
		work.Wait()
		completed := 0
		for _, run := range runs {
			// One whose worker was killed or frozen is tried again after its task's timeout.
			if err := run.Get(ctx, nil); err != nil {
				failed = errors.Join(failed, fmt.Errorf("workflow %s: %w", run.GetID(), err))
				continue
			}
			completed++
		}
		return completed, failed
	})
}
