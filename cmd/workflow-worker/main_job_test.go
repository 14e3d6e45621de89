package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

const everyActivity = `
import { proxyActivities, ApplicationFailure } from '@temporalio/workflow';
import type * as activities from './activities';
const a = proxyActivities<any>({ startToCloseTimeout: '1 minute', retry: { maximumAttempts: 3 } });

export async function orderIntake(input: { url: string; name: string }): Promise<any> {
  const out: any = {};
  out.sample = await a.sampleActivity({ message: input.name });
  const built = await a.buildPackage({ packageName: 'pkg', version: '2.0.0' });
  out.built = { success: built.success, name: built.packageName, artifacts: built.artifacts };
  const answer = await a.httpRequest({ url: input.url, method: 'POST', body: { q: 1 } });
  out.http = { status: answer.status, data: answer.data };
  out.upper = await a.transformData({ data: 'abc', transformation: 'uppercase' });
  out.reversed = await a.transformData({ data: 'añ😀', transformation: 'reverse' });
  out.waited = await a.waitFor({ milliseconds: 5, reason: 'test' });
  out.logged = (await a.logMessage({ level: 'info', message: 'hello from the workflow' })) ?? null;
  out.valid = await a.validateData({ data: 'abc', rules: { type: 'string', minLength: 5 } });
  out.score = await a.scoreCustomer({ name: input.name });
  try {
    await a.validateData({ data: 1 });
  } catch (e: any) {
    out.bad = [e.cause?.type, e.cause?.nonRetryable, e.cause instanceof ApplicationFailure];
  }
  return out;
}
`

const greeter = `
import { executeChild } from '@temporalio/workflow';
export default async function greet(name: string): Promise<string> {
  return 'hello ' + name;
}
`

// Under either name a row's code calls every built-in activity and its project's own, and a child that
// is the function of another row; the statistics count them.
func TestRowsRunAsWorkflowsOfTheirTypeAndKebabName(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"method":%q,"type":%q}`, r.Method, r.Header.Get("Content-Type"))
	}))
	defer web.Close()

	p.component("scoreCustomer", `
		export async function scoreCustomer(input: { name: string }): Promise<{ score: number }> {
		  await new Promise((resolve) => setTimeout(resolve, 1));
		  return { score: input.name.length * 10 };
		}`)
	p.workflow("order-intake", everyActivity)
	p.workflow("greeter", greeter)
	p.workflow("parent", `
		import { executeChild } from '@temporalio/workflow';
		export async function parent(): Promise<string[]> {
		  return [await executeChild('greeter', { args: ['a'] }), await executeChild(orderless, { args: ['b'] })];
		}`)
	p.workflow("orderless-flow", `export async function orderless(x: string) { return 'less ' + x }`)
	p.running(func(w workerRow) error { _, err := source(w, "orderless-flow"); return err })

	input := map[string]string{"url": web.URL, "name": "Ada"}
	want := map[string]any{
		"sample": "Processed: Ada",
		"built":  map[string]any{"success": true, "name": "pkg", "artifacts": []any{"pkg-2.0.0.tar.gz", "pkg-2.0.0.zip"}},
		"http":   map[string]any{"status": 200.0, "data": map[string]any{"method": "POST", "type": "application/json"}},
		"upper":  "ABC", "reversed": "😀ña",
		"waited": map[string]any{"waited": 5.0, "reason": "test"}, "logged": nil,
		"valid": map[string]any{"valid": false}, "score": map[string]any{"score": 30.0},
		"bad": []any{"ValidationError", true, true},
	}
	for _, name := range []string{"orderIntake", "order-intake"} {
		r := p.start(name, input)
		got := result[map[string]any](p, r)
		if v, ok := got["valid"].(map[string]any); ok {
			if errs, ok := v["errors"].([]any); !ok || len(errs) != 1 {
				t.Errorf("%s: errors = %v", name, v["errors"])
			}
			delete(v, "errors")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v\nwant %v", name, got, want)
		}
		p.noFailedTasks(r)
	}
	eventually(t, "the statistics tell", func() error {
		var ok, failed int
		err := p.db.QueryRow(t.Context(), `SELECT sum(success_count) FILTER (WHERE activity_name = 'scoreCustomer'), sum(failure_count) FILTER (WHERE activity_name = 'validateData')
			FROM activity_statistics WHERE project_id = $1`, p.id).Scan(&ok, &failed)
		if err == nil && (ok != 2 || failed != 2) {
			err = fmt.Errorf("%d scoreCustomer succeeded, %d validateData failed", ok, failed)
		}
		return err
	})
	if got := run[string](p, "greeter", "you"); got != "hello you" {
		t.Errorf("greeter = %q", got)
	}
	if got := run[[]string](p, "parent"); !reflect.DeepEqual(got, []string{"hello a", "less b"}) {
		t.Errorf("parent = %q", got)
	}
}

// versioned answers its version, at once or when it is told to go on.
func versioned(version string) string {
	return fmt.Sprintf(`
		import { condition, defineQuery, defineSignal, setHandler, proxyActivities } from '@temporalio/workflow';
		export const goOn = defineSignal('goOn');
		const { sampleActivity } = proxyActivities<any>({ startToCloseTimeout: '1m' });
		export async function versionedFlow(wait: boolean): Promise<string> {
		  let done = !wait;
		  setHandler(goOn, () => { done = true; });
		  setHandler(defineQuery('version'), () => %[1]q);
		  await condition(() => done);
		  return %[1]q + ' ' + (await sampleActivity({ message: %[1]q }));
		}`, version)
}

// An edit in the row is live within the running worker; what had begun ends on the code it began on.
func TestNewCodeGoesLiveWithoutARestartAndOldExecutionsKeepTheirs(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	// Nothing is kept between tasks: each of the old execution's tasks replays from its history.
	s := startService(t, db, "WORKFLOW_CACHE_SIZE=1")
	p := newBuilder(t, db).project()
	w := p.workflow("versioned-flow", versioned("v1"))
	first := p.running(liveVersion("versioned-flow", "1"))

	old := p.start("versioned-flow", true)
	answers := func(version string) func() error {
		return func() error {
			v, err := p.temporal.QueryWorkflow(t.Context(), old.GetID(), old.GetRunID(), "version")
			var got string
			if err == nil {
				err = v.Get(&got)
			}
			if err == nil && got != version {
				err = fmt.Errorf("the old execution runs %q", got)
			}
			return err
		}
	}
	eventually(t, "the old execution has begun", answers("v1"))

	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() { p.keepBusy(stop) })

	runsVersion := func(version string) {
		t.Helper()
		eventually(t, version+" is live", func() error {
			r := p.start("versionedFlow", false)
			got := result[string](p, r)
			p.noFailedTasks(r)
			if want := version + " Processed: " + version; got != want {
				return fmt.Errorf("got %q", got)
			}
			return nil
		})
	}
	runsVersion("v1")
	t.Log("in-place UPDATE")
	p.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, versioned("v2"))
	runsVersion("v2")
	t.Log("a new row, the old one deactivated in an earlier transaction")
	p.exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, w.codeID)
	p.exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) VALUES ($1, '3', $2)`, w.id, versioned("v3"))
	runsVersion("v3")
	t.Log("rollback to the old row")
	p.exec(`UPDATE workflow_compiled_code SET is_active = (id = $2) WHERE workflow_id = $1`, w.id, w.codeID)
	runsVersion("v2")
	close(stop)
	load.Wait()

	eventually(t, "the old execution still runs its own code", answers("v1"))
	if err := p.temporal.SignalWorkflow(t.Context(), old.GetID(), old.GetRunID(), "goOn", nil); err != nil {
		t.Fatal(err)
	}
	if got := result[string](p, old); got != "v1 Processed: v1" {
		t.Errorf("the old execution ended with %q", got)
	}
	p.noFailedTasks(old)
	last := p.running(liveVersion("versioned-flow", "1"))
	if last.WorkerID != first.WorkerID || !last.StartedAt.Equal(*first.StartedAt) {
		t.Errorf("the worker was restarted: %+v, then %+v", first, last)
	}
	if strings.Contains(s.output(), "Stopped Worker") {
		t.Error("a worker stopped polling")
	}
}

// keepBusy starts executions until stop is closed, so that reloads happen under load, and checks
// that none has a failed task.
func (p *project) keepBusy(stop <-chan struct{}) {
	var runs []client.WorkflowRun
	for {
		select {
		case <-stop:
			for _, r := range runs {
				result[string](p, r)
				p.noFailedTasks(r)
			}
			return
		default:
			runs = append(runs, p.start("versionedFlow", false))
			time.Sleep(10 * time.Millisecond) // a rate, not a synchronisation
		}
	}
}

// The row says file, line and column, its last good version runs on, also in the next process, and
// its neighbours never notice.
func TestASyntaxErrorIsItsRowsAlone(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.workflow("two", `export async function two() { return 2 }`)
	broken := p.workflow("three", `export async function three() { return 3 }`)
	p.running(liveVersion("three", "1"))

	p.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, broken.codeID,
		"export async function three() {\n  return { t: Date.now(),, };\n}")
	complains := func(w workerRow) error {
		source, err := source(w, "three")
		if err != nil {
			return err
		}
		e := source.Error
		if e == nil || e.Line != 2 || e.Column != 26 || e.File != "three.ts" || e.Version != "2" || source.Version != "1" {
			return fmt.Errorf("three is %+v, its error %+v", source, e)
		}
		return nil
	}
	p.running(complains)
	for name, want := range map[string]int{"one": 1, "two": 2, "three": 3} {
		if got := run[int](p, name); got != want {
			t.Errorf("%s = %d", name, got)
		}
	}

	t.Log("the last good version survives the process")
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	startService(t, db)
	p.running(complains)
	if got := run[int](p, "three"); got != 3 {
		t.Errorf("three = %d after a restart", got)
	}
	p.exec(`UPDATE workflow_compiled_code SET version = '3', workflow_code = 'export async function three() { return 33 }' WHERE id = $1`, broken.codeID)
	w := p.running(liveVersion("three", "3"))
	if source, _ := source(w, "three"); source.Error != nil {
		t.Errorf("the error stays: %+v", source.Error)
	}
	if got := run[int](p, "three"); got != 33 {
		t.Errorf("three = %d when mended", got)
	}
}

// Each request ends with an answer, whether it could be done or not.
func TestRequestsStopStartAndRestart(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	b := newBuilder(t, db)
	p := b.project()
	p.workflow("one", `export async function one() { return 1 }`)
	before := p.running(nil)
	answer := func(action, want string) {
		t.Helper()
		if status, reason := p.request(action); status != want || (want == "failed") == (reason == "") {
			t.Errorf("%s: %s, %q", action, status, reason)
		}
	}
	status := func(want string) {
		t.Helper()
		if w, err := p.worker(); err != nil || w.Status != want {
			t.Errorf("status %q, %v; want %s", w.Status, err, want)
		}
	}
	answer("stop", "completed")
	status("stopped")
	waiting := p.start("one")
	answer("start", "completed")
	status("running")
	if got := result[int](p, waiting); got != 1 {
		t.Errorf("one = %d", got)
	}
	answer("restart", "completed")
	after := p.running(nil)
	if !after.StartedAt.After(*before.StartedAt) {
		t.Errorf("started at %v, then %v", before.StartedAt, after.StartedAt)
	}
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("one = %d", got)
	}

	empty := b.project()
	if status, reason := empty.request("start"); status != "failed" || reason == "" {
		t.Errorf("a project without code: %s, %q", status, reason)
	}
	nobody := &project{builder: b, id: "00000000-0000-4000-8000-000000000000"}
	if status, reason := nobody.request("start"); status != "failed" || reason == "" {
		t.Errorf("an unknown project: %s, %q", status, reason)
	}
}

// A process that is killed in the middle loses nothing: the next one goes on from the history.
func TestAnExecutionOutlivesTheProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("long", `
		import { proxyActivities, sleep, defineQuery, setHandler } from '@temporalio/workflow';
		const { sampleActivity } = proxyActivities<any>({ startToCloseTimeout: '1m' });
		export async function long() {
		  let step = 0;
		  setHandler(defineQuery('step'), () => step);
		  const out = [];
		  for (; step < 4; step++) {
		    out.push(await sampleActivity({ message: 's' + step }), Math.random() < 2);
		    await sleep(300);
		  }
		  return out.length;
		}`)
	p.running(nil)
	r := p.start("long")
	eventually(t, "the execution is in its middle", func() error {
		v, err := p.temporal.QueryWorkflow(t.Context(), r.GetID(), "", "step")
		var step int
		if err == nil {
			err = v.Get(&step)
		}
		if err == nil && step < 2 {
			err = errors.New("not yet")
		}
		return err
	})
	s.stop(syscall.SIGKILL)
	startService(t, db)
	if got := result[int](p, r); got != 8 {
		t.Errorf("long = %d", got)
	}
	w := p.running(nil)
	if w.Status != "running" {
		t.Errorf("status %s", w.Status)
	}
}

// Many projects that appear at once, with executions that already wait for them.
func TestFiftyProjectsOfOneTransactionAllRun(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	b := newBuilder(t, db)
	prefix := stacktest.TaskQueue(t)
	b.exec(`
		WITH p AS (INSERT INTO projects (name, task_queue_name) SELECT 'p' || i, $1 || i FROM generate_series(1, 50) i RETURNING id, name),
		     w AS (INSERT INTO workflows (project_id, kebab_name) SELECT id, 'answer' FROM p RETURNING id, project_id)
		INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code)
		SELECT w.id, '1', 'export async function answer() { return "' || p.name || '" }' FROM w JOIN p ON p.id = w.project_id`, prefix)
	var runs []client.WorkflowRun
	var projects []*project
	for i := range 50 {
		p := &project{builder: b, taskQueue: fmt.Sprintf("%s%d", prefix, i+1), temporal: stacktest.TemporalClient(t)}
		projects = append(projects, p)
		runs = append(runs, p.start("answer"))
	}
	for i, r := range runs {
		if got, want := result[string](projects[i], r), fmt.Sprintf("p%d", i+1); got != want {
			t.Errorf("project %s answered %q", want, got)
		}
	}
}

func TestRunawayCodeFailsItsTaskAndNobodyElse(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	w := p.workflow("mixed", `
		export async function spin() { while (true) {} }
		export async function mixed() { return 'fine' }
		export async function thrower() { throw new Error('not yet') }`)
	p.running(nil)
	spinning := p.start("spin")
	failed := func(r client.WorkflowRun, reason string) {
		t.Helper()
		eventually(t, "the task fails: "+reason, func() error {
			for _, e := range p.history(r) {
				if f := e.GetWorkflowTaskFailedEventAttributes(); f != nil && strings.Contains(f.GetFailure().GetMessage(), reason) {
					return nil
				}
			}
			return errors.New(p.describe(r))
		})
	}
	failed(spinning, "longer than 1s")
	if got := run[string](p, "mixed"); got != "fine" {
		t.Errorf("mixed = %q", got)
	}
	throwing := p.start("thrower")
	failed(throwing, "not yet")
	d, err := p.temporal.DescribeWorkflowExecution(t.Context(), throwing.GetID(), "")
	if err != nil || d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("a plain throw ended the execution: %v, %v", d.GetWorkflowExecutionInfo().GetStatus(), err)
	}
	p.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, w.codeID, `
		export async function spin() { return 'stopped' }
		export async function mixed() { return 'fine' }
		export async function thrower() { return 'mended' }`)
	if got := result[string](p, throwing); got != "mended" {
		t.Errorf("thrower = %q", got)
	}
	if got := result[string](p, spinning); got != "stopped" {
		t.Errorf("spin = %q", got)
	}
}

func TestShutdownFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("slow", `
		import { proxyActivities } from '@temporalio/workflow';
		const { waitFor } = proxyActivities<any>({ startToCloseTimeout: '1m', heartbeatTimeout: '5s' });
		export async function slow() { return waitFor({ milliseconds: 2000 }) }`)
	p.running(nil)
	r := p.start("slow")
	eventually(t, "the activity runs", func() error {
		d, err := p.temporal.DescribeWorkflowExecution(t.Context(), r.GetID(), "")
		if err == nil && (len(d.GetPendingActivities()) == 0 || d.GetPendingActivities()[0].GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED) {
			err = errors.New("not yet")
		}
		return err
	})
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if w, err := p.worker(); err != nil || w.Status != "stopped" {
		t.Errorf("after the shutdown the row says %q, %v", w.Status, err)
	}
	startService(t, db)
	if got := result[map[string]any](p, r); got["waited"] != 2000.0 {
		t.Errorf("slow = %v", got)
	}
	for _, e := range p.history(r) {
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil && a.GetAttempt() != 1 {
			t.Errorf("the activity needed attempt %d", a.GetAttempt())
		}
	}
}

func TestHealthAndMetricsAreServed(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	run[int](p, "one")
	eventually(t, "health is ok", func() error {
		status, body, err := s.get("/health")
		if err == nil && (status != 200 || !strings.Contains(body, `"status":"ok"`) || !strings.Contains(body, `"service":"temporal-worker-service"`) || !strings.Contains(body, "streaming")) {
			err = errors.New(body)
		}
		return err
	})
	eventually(t, "metrics tell", func() error {
		_, body, err := s.get("/metrics")
		for _, want := range []string{`workflow_worker_projects{status="running"} 1`, "temporal_workflow_completed", "workflow_worker_reloads_total"} {
			if err == nil && !strings.Contains(body, want) {
				err = fmt.Errorf("no %s in\n%s", want, body)
			}
		}
		return err
	})
	if status, _, err := s.get("/workflows"); err != nil || status != http.StatusNotFound {
		t.Errorf("another path: %d, %v", status, err)
	}
}
