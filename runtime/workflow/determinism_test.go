package workflow

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
)

// The ids of activities come from random numbers, and the SDK compares them with history's at
// replay.
func TestRandomnessIsTheSameOnReplay(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const stream = wf.getRandomStream('mine');
  const out: any[] = [];
  for (let i = 0; i < 3; i++) {
    const id = Math.random() + '-' + uuid4() + '-' + stream.uuid4();
    out.push(id);
    await proxyActivities<any>({ startToCloseTimeout: '10s', activityId: id }).echo(i);
  }
  return out;
}`)
	a, b := p.run("run"), p.run("run")
	if a == b {
		t.Error("two executions drew the same numbers")
	}
	uuid := regexp.MustCompile(`0\.\d+(e-\d+)?-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-`)
	if n := len(uuid.FindAllString(a, -1)); n != 3 {
		t.Errorf("ids %s", a)
	}
	p.restartWorker()
}

func TestRandomnessDiffersAfterAReset(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const { echo } = proxyActivities<any>({ startToCloseTimeout: '10s' });
  const before = Math.random();
  await echo(1);
  return [before, Math.random()];
}`)
	run := p.start("run")
	first := p.result(run)
	var completed int64 // the task that got the activity's result, where the reset takes up
	for _, e := range p.history(run).Events {
		if e.GetWorkflowTaskCompletedEventAttributes() != nil {
			completed = e.GetEventId()
		}
	}
	r, err := p.c.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:         "default",
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
		Reason:            "a test", RequestId: run.GetRunID(), WorkflowTaskFinishEventId: completed,
	})
	if err != nil {
		t.Fatal(err)
	}
	again := p.c.GetWorkflow(t.Context(), run.GetID(), r.GetRunId())
	p.runs = append(p.runs, again)
	second := p.result(again)
	a, b := strings.Split(first, ","), strings.Split(second, ",")
	if a[0] != b[0] || a[1] == b[1] {
		t.Errorf("before the reset %s, after it %s: only the second number may differ", first, second)
	}
}

func TestTimeIsTheTasks(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const a = Date.now(), also = new Date().getTime(), again = new (new Date(0).constructor as any)().getTime();
  for (let i = 0; i < 1e5; i++);
  const b = Date.now();
  await sleep(50);
  return { a, still: a === b && a === also && a === again, later: Date.now() - a, parsed: new Date('2024-01-02').getTime(), zone: new Date(0).getTimezoneOffset(),
    info: [workflowInfo().startTime instanceof Date, workflowInfo().runStartTime.getTime() === a, workflowInfo().unsafe.now() > 0] };
}`)
	run := p.start("run")
	var started time.Time
	got := p.result(run)
	for _, e := range p.history(run).Events {
		if e.GetWorkflowTaskStartedEventAttributes() != nil {
			started = e.GetEventTime().AsTime()
			break
		}
	}
	if !strings.Contains(got, `"still":true`) || !strings.Contains(got, `"parsed":1704153600000`) || !strings.Contains(got, `"info":[true,true,true]`) {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(got, `"a":`+ms(started)) {
		t.Errorf("got %s, the task started at %s", got, ms(started))
	}
}

func ms(t time.Time) string {
	s := t.UnixMilli()
	var b []byte
	for ; s > 0; s /= 10 {
		b = append([]byte{byte('0' + s%10)}, b...)
	}
	return string(b)
}

func TestNondeterministicGlobalsAreRefused(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const g: any = globalThis, out: any = {};
  for (const name of ['WeakRef', 'FinalizationRegistry']) { try { new g[name]({}); out[name] = 'works'; } catch (e: any) { out[name] = e.name; } }
  for (const name of ['setInterval', 'setImmediate', 'fetch', 'process', 'require', 'Buffer']) out[name] = typeof g[name];
  return out;
}`)
	want := `{"WeakRef":"DeterminismViolationError","FinalizationRegistry":"DeterminismViolationError","setInterval":"undefined","setImmediate":"undefined",` +
		`"fetch":"undefined","process":"undefined","require":"undefined","Buffer":"undefined"}`
	if got := p.run("run"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What comes in one task settles in history's order.
func TestRacesAreWonInHistorysOrder(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const acts = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run() {
  let signalled = 0;
  const order: string[] = [];
  setHandler(defineSignal('s'), () => { signalled++; });
  await Promise.all([
    sleep(30).then(() => order.push('timer')),
    acts.echo(1).then(() => order.push('activity')),
    executeChild('kid').then(() => order.push('child')),
    condition(() => signalled > 0).then(() => order.push('signal')),
    condition(() => signalled > 0, '1 hour').then((x) => order.push('timed ' + x)),
    Promise.race([sleep(31).then(() => 't'), sleep(30).then(() => 'u')]).then((x) => order.push('race ' + x)),
  ]);
  return order;
}
export async function kid() { await sleep(30); }`)
	for range 4 {
		run := p.start("run")
		p.signal(run, "s", nil)
		live := p.result(run)
		// The order decides about commands, which replay compares; the result itself is compared
		// here.
		if got := replayedResult(t, p, run); got != live {
			t.Errorf("live %s, replayed %s", live, got)
		}
	}
}

func TestWorkflowInfo(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const i = workflowInfo();
  const before = i.historyLength;
  await sleep(1);
  return { id: i.workflowId, type: i.workflowType, queue: i.taskQueue, ns: i.namespace, first: i.firstExecutionRunId === i.runId, attempt: i.attempt, cron: i.cronSchedule,
    run: i.runTimeoutMs, execution: i.executionTimeoutMs, task: i.taskTimeoutMs, retry: i.retryPolicy?.maximumAttempts, memo: i.memo, sa: Object.keys(i.searchAttributes),
    snapshot: i.historyLength === before, grew: workflowInfo().historyLength > before, size: workflowInfo().historySize > 0, suggested: i.continueAsNewSuggested,
    replaying: typeof i.unsafe.isReplaying, lastResult: i.lastResult, inContext: wf.inWorkflowContext() };
}`)
	run := p.startWith(client.StartWorkflowOptions{
		ID: "info-" + p.queue, WorkflowRunTimeout: 20 * time.Second, WorkflowExecutionTimeout: 40 * time.Second, Memo: map[string]any{"m": "x"},
	}, "run")
	want := `{"id":"info-` + p.queue + `","type":"run","queue":"` + p.queue + `","ns":"default","first":true,"attempt":1,"run":20000,"execution":40000,"task":10000,` +
		`"memo":{"m":"x"},"sa":[],"snapshot":true,"grew":true,"size":true,"suggested":false,"replaying":"boolean","inContext":true}`
	if got := p.result(run); !jsonEqual(t, got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The bindings tell none of this: it is read on the wire.
func TestWorkflowInfoOfTheFirstEvent(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const i = workflowInfo();
  if (i.attempt === 1) throw new ApplicationFailure('the first try', 'First', false, [1], new Error('its cause'));
  const f = i.lastFailure as any, within = i.executionExpirationTime!.getTime() - i.startTime.getTime();
  await sleep(1);
  return [f.name, f.message, f.type, f.details, f.cause.message, i.cronScheduleToScheduleInterval, within > 35e3 && within <= 40e3,
    Object.keys(i).filter((k) => (i as any)[k] === undefined).sort()];
}`)
	run := p.startWith(client.StartWorkflowOptions{
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 1100 * time.Millisecond}, WorkflowExecutionTimeout: 40 * time.Second,
	}, "run")
	want := `["ApplicationFailure","the first try","First",[1],"its cause",1100,true,` +
		`["cronSchedule","currentDeploymentVersion","lastResult","parent","root","suggestedContinueAsNewReasons"]]`
	if got := p.result(run); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Go's maps have no order; what code sees of them must have one.
func TestOrderOfPropertiesIsTheSame(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() { return await executeChild('kid', { memo: { d: 1, b: 2, a: 3, c: 4, f: 5, e: 6 }, retry: { maximumAttempts: 2 } }); }
export async function kid() {
  const i = workflowInfo();
  return [i.memo, i.parent, i.root, i.retryPolicy, i.priority].map((x) => Object.keys(x as any).join()).join(' ') + Object.getOwnPropertyNames(globalThis).join();
}`)
	want := `"a,b,c,d,e,f workflowId,runId,namespace workflowId,runId backoffCoefficient,maximumAttempts,maximumInterval,initialInterval,nonRetryableErrorTypes ` +
		`globalThis,console,__TEMPORAL_ACTIVATOR__"`
	for range 5 {
		if got := p.run("run"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Everything above once more with each task replayed from the beginning. The cache is the
// process's.
func TestAllAgainWithoutTheCache(t *testing.T) {
	if os.Getenv(withoutCache) != "" || testing.Short() {
		t.Skip("it is what runs, or the tests are to be short")
	}
	race.AtSpeed(t)
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=.", "-test.skip=Endless|Discard|TestRuntimesAreShared|TestCheck|TestAllAgain|LetGoOf|WhoeverHoards|NothingAWorkflowDoes|RanForTooLong", "-test.parallel=4")
	cmd.Env = append(os.Environ(), withoutCache+"=1", stacktest.EnvTemporalAddress+"="+stacktest.TemporalAddress(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
