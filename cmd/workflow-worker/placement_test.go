package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// crew are processes of the service of which some run each project.
type crew struct {
	*builder
	url      string
	replicas int // that run a project
	services map[string]*service
	projects []*project
	codes    []*workflow
}

// greeting answers its version after an activity.
func greeting(version string) string {
	return fmt.Sprintf(`
		import { proxyActivities } from '@temporalio/workflow';
		const { waitFor } = proxyActivities<any>({ startToCloseTimeout: '5s' });
		export async function greeting() { await waitFor({ milliseconds: 20 }); return %q }`, version)
}

func newCrew(t *testing.T, names ...string) *crew {
	t.Helper()
	c := &crew{url: stacktest.MigratedDatabase(t), services: map[string]*service{}, replicas: 2}
	c.builder = newBuilder(t, c.url)
	c.fill(load(40, 12))
	for _, name := range names {
		c.join(name)
	}
	c.settles()
	return c
}

// fill makes projects.
func (c *crew) fill(n int) {
	c.t.Helper()
	for range n {
		p := c.project()
		c.projects, c.codes = append(c.projects, p), append(c.codes, p.workflow("greeting", greeting("1")))
	}
}

func (c *crew) join(name string) {
	c.t.Helper()
	c.services[name] = launchService(c.t, c.url, "REPLICA_NAME="+name, fmt.Sprintf("PROJECT_REPLICAS=%d", c.replicas), "SHUTDOWN_TIMEOUT=30s", "HEARTBEAT_INTERVAL=2s")
}

// running gives, for each project, the living replicas whose rows say that they run it.
func (c *crew) running() (map[string][]string, error) {
	rows, err := c.db.Query(context.WithoutCancel(c.t.Context()), `SELECT p.id::text, coalesce(array_agg(w.metadata->>'replica') FILTER (WHERE w.worker_id IS NOT NULL), '{}')
		FROM projects p LEFT JOIN workflow_workers w ON w.project_id = p.id AND w.status = 'running' AND w.last_heartbeat > now() - interval '6 seconds'
		GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	on := map[string][]string{}
	for rows.Next() {
		var id string
		var names []string
		if err := rows.Scan(&id, &names); err != nil {
			return nil, err
		}
		on[id] = names
	}
	return on, rows.Err()
}

// settles waits until each project runs on as many of the crew as it should and nowhere else, and says what runs where.
func (c *crew) settles() (on map[string][]string) {
	c.t.Helper()
	began := time.Now()
	eventually(c.t, "each project runs on its replicas", func() (err error) {
		if on, err = c.running(); err != nil {
			return err
		}
		for id, names := range on {
			if len(names) != c.replicas {
				return fmt.Errorf("%s runs on %v", id, names)
			}
			for _, n := range names {
				if c.services[n] == nil {
					return fmt.Errorf("%s runs on %v, and %s is gone", id, names, n)
				}
			}
		}
		ready := c.ids(`SELECT name FROM workflow_replicas WHERE status = 'running' AND last_heartbeat > now() - interval '6 seconds' AND projects_wanted = projects_running`)
		if len(ready) < len(c.services) {
			return fmt.Errorf("of %d replicas %v run what they should", len(c.services), ready)
		}
		return nil
	})
	c.t.Logf("settled after %v", time.Since(began).Round(time.Millisecond))
	return on
}

// covered waits until each project runs on somebody who is left.
func (c *crew) covered() {
	c.t.Helper()
	began := time.Now()
	eventually(c.t, "each project has a worker", func() error {
		on, err := c.running()
		for id, names := range on {
			if !slices.ContainsFunc(names, func(n string) bool { return c.services[n] != nil }) {
				return fmt.Errorf("%s runs on %v", id, names)
			}
		}
		return err
	})
	c.t.Logf("each project has a worker after %v", time.Since(began).Round(time.Millisecond))
}

// load starts executions of one project after the other until it is ended, of each at least one, and gives them.
func (c *crew) load() (end func() map[*project][]client.WorkflowRun) {
	ctx, cancel := context.WithCancel(c.t.Context())
	started := map[*project][]client.WorkflowRun{}
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ctx.Err() == nil || i < len(c.projects) && c.t.Context().Err() == nil; i++ {
			p := c.projects[i%len(c.projects)]
			started[p] = append(started[p], p.start("greeting"))
		}
	})
	end = sync.OnceValue(func() map[*project][]client.WorkflowRun {
		cancel()
		work.Wait()
		return started
	})
	c.t.Cleanup(func() { end() })
	return end
}

// completes waits for the results of all and gives their number.
func (c *crew) completes(started map[*project][]client.WorkflowRun, each func(p *project, r client.WorkflowRun, version string)) {
	c.t.Helper()
	n := 0
	for p, runs := range started {
		for _, r := range runs {
			version := result[string](p, r)
			each(p, r, version)
			n++
		}
	}
	c.t.Logf("%d executions completed", n)
}

// asks inserts restart requests of the first projects; met waits until each was answered, once. Heartbeats are as short as
// a start here, so that who waits for a dead replica may be told that it goes on for longer than a request is kept waiting.
func (c *crew) asks(n int) (met func()) {
	c.t.Helper()
	ids := c.ids(`INSERT INTO worker_requests (project_id, action) SELECT id, 'restart' FROM projects ORDER BY id LIMIT $1 RETURNING id::text`, n)
	return func() {
		c.t.Helper()
		eventually(c.t, "requests are met", func() error {
			if open := c.ids(`SELECT concat_ws(' ', project_id, status, error) FROM worker_requests
				WHERE status <> 'completed' AND NOT (status = 'failed' AND error LIKE '%the service keeps trying')`); len(open) > 0 {
				return errors.New(strings.Join(open, "; "))
			}
			return nil
		})
		if twice := c.ids(`SELECT details->>'request' FROM worker_events WHERE kind = 'request_done' GROUP BY 1 HAVING count(*) > 1`); len(twice) > 0 {
			c.t.Errorf("answered twice: %v", twice)
		}
		if n := c.ids(`SELECT details->>'request' FROM worker_events WHERE kind = 'request_done'`); len(n) != len(ids) {
			c.t.Errorf("%d requests, %d answers", len(ids), len(n))
		}
	}
}

// never watches, until it is ended, that no project has fewer workers than it should.
func (c *crew) never() (end func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	var work sync.WaitGroup
	looks := 0
	work.Go(func() {
		for ctx.Err() == nil {
			// Whatever the machine does meanwhile: heartbeats are not what is looked at here.
			few := c.ids(`SELECT p.id::text || ': ' || count(w.worker_id) FROM projects p
				LEFT JOIN workflow_workers w ON w.project_id = p.id AND w.status = 'running' GROUP BY p.id HAVING count(w.worker_id) < $1`, c.replicas)
			if len(few) > 0 {
				c.t.Errorf("workers at one moment: %v", few)
				return
			}
			looks++
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() {
		cancel()
		work.Wait()
		if looks < 3 {
			c.t.Errorf("only %d looks at the workers", looks)
		}
	}
}

// One comes and one goes in good order, under load: no project is without a worker for a moment, no task
// fails, and what is edited meanwhile is what runs.
func TestProjectsMoveToAReplicaThatComesAndFromOneThatDrains(t *testing.T) {
	t.Parallel()
	c := newCrew(t, "a", "b", "c")
	before, err := c.running()
	if err != nil {
		t.Fatal(err)
	}
	end, watched := c.load(), c.never()
	c.join("d")
	after := c.settles()
	for id, names := range after {
		if !slices.Contains(names, "d") && !sameNames(before[id], names) {
			t.Errorf("%s moved from %v to %v, and d has no part in it", id, before[id], names)
		}
	}

	drained := c.services["a"]
	delete(c.services, "a")
	drained.signal(syscall.SIGTERM)
	edited := c.codes[:8]
	for _, w := range edited {
		w.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, greeting("2"))
	}
	select {
	case <-drained.Done():
	case <-time.After(time.Minute):
		t.Fatal("it doesn't end")
	}
	if code := drained.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	watched()
	if log := drained.output(); !strings.Contains(log, "handing projects over") || strings.Contains(log, "not all projects were taken over") {
		t.Error("it didn't hand its projects over")
	}
	met := c.asks(5)
	c.settles()
	met()
	eventually(t, "the edits are live", func() error {
		if old := c.ids(`SELECT w.project_id || ' on ' || (w.metadata->>'replica') FROM workflow_workers w WHERE w.status = 'running'
			AND w.project_id = ANY($1::text[]::uuid[]) AND w.metadata->'workflows'->0->>'version' <> '2'`, idsOf(edited)); len(old) > 0 {
			return fmt.Errorf("old code: %v", old)
		}
		return nil
	})
	// A task that Temporal hands to a poll which ends at that moment hangs until its timeout, here as with any
	// worker that stops. None fails.
	hung := 0
	c.completes(end(), func(p *project, r client.WorkflowRun, _ string) {
		for _, e := range p.history(r) {
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED {
				t.Errorf("a task failed:\n%s", p.describe(r))
			}
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT || e.GetActivityTaskStartedEventAttributes().GetAttempt() > 1 {
				hung++
			}
		}
	})
	t.Logf("%d tasks hung", hung)
	for i, p := range c.projects[:10] {
		want := map[bool]string{true: "2", false: "1"}[i < len(edited)]
		if got := run[string](p, "greeting"); got != want {
			t.Errorf("project %d runs version %s, want %s", i, got, want)
		}
	}
	for _, name := range []string{"b", "c", "d"} {
		_, body, err := c.services[name].get("/metrics")
		if err != nil || !strings.Contains(body, "workflow_worker_replicas 3\n") || strings.Contains(body, "workflow_worker_projects_wanted 0\n") {
			t.Errorf("%s: %v, the metrics don't tell of the replicas and its projects", name, err)
		}
	}
}

// One is killed and one frozen, under load and while requests are made: others run their projects again,
// nothing is lost, and the one that comes back takes its part again.
func TestOthersRunTheProjectsOfAReplicaThatIsKilledOrFrozen(t *testing.T) {
	t.Parallel()
	c := newCrew(t, "a", "b", "c", "d")
	end := c.load()

	killed := c.services["a"]
	met := c.asks(8)
	killed.signal(syscall.SIGKILL)
	<-killed.Done()
	delete(c.services, "a")
	c.covered()
	c.settles()
	met()

	frozen := c.services["b"]
	delete(c.services, "b")
	frozen.signal(syscall.SIGSTOP)
	t.Cleanup(func() { frozen.signal(syscall.SIGCONT) })
	c.covered()
	c.settles()
	frozen.signal(syscall.SIGCONT)
	c.services["b"] = frozen
	eventually(t, "the one that comes back takes its part", func() error {
		on, err := c.running()
		if err == nil && !slices.ContainsFunc(c.projects, func(p *project) bool { return slices.Contains(on[p.id], "b") }) {
			err = fmt.Errorf("it runs nothing: %v", on)
		}
		return err
	})
	c.settles()
	eventually(t, "it is well", frozen.ready(http.StatusOK))
	c.completes(end(), func(_ *project, r client.WorkflowRun, version string) {
		if version != "1" {
			t.Errorf("execution %s ran version %s", r.GetID(), version)
		}
	})
}

// While the database is away everybody is silent. Nobody is taken for dead then, or when it is back: what
// runs where goes on, and nothing is started anew.
func TestNothingMovesWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	c := &crew{url: server.URL("postgres"), services: map[string]*service{}, replicas: 1}
	if err := migrations.Run(t.Context(), c.url, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	c.builder = newBuilder(t, c.url)
	c.fill(8)
	for _, name := range []string{"a", "b", "c"} {
		c.join(name)
	}
	before := c.settles()
	const starts = `SELECT count(*)::text FROM worker_events WHERE kind = 'started'`
	started := c.ids(starts)

	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.services {
		// Long enough for all to be silent: a dependency's failure is told after 15 s.
		eventually(t, name+" notices", s.health(http.StatusServiceUnavailable, "database"))
	}
	if got := run[string](c.projects[0], "greeting"); got != "1" {
		t.Errorf("meanwhile: %q", got)
	}
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.db.Reset()
	for id, names := range c.settles() {
		if !sameNames(before[id], names) {
			t.Errorf("%s moved from %v to %v", id, before[id], names)
		}
	}
	if now := c.ids(starts); now[0] != started[0] {
		t.Errorf("workers were started: %s, before the outage %s", now[0], started[0])
	}
}

func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func idsOf(list []*workflow) (ids []string) {
	for _, w := range list {
		ids = append(ids, w.project.id)
	}
	return ids
}
