package workflow

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

const counter = `
const add = defineSignal<[number]>('add');
const total = defineQuery<number, [number?]>('total');
const grow = defineUpdate<string, [number]>('grow');
const done = defineSignal('done');
export async function run() {
  let n = 0, finished = false;
  setHandler(total, (plus = 0) => n + plus);
  setHandler(add, (x) => { n += x; });
  setHandler(done, () => { finished = true; });
  setHandler(grow, async (x) => {
    await sleep(5);
    n += x;
    return currentUpdateInfo()!.name + '=' + n;
  }, { validator: (x) => { if (x < 0) throw new Error('must not be negative'); if (x === 13) throw ApplicationFailure.nonRetryable('unlucky', 'Unlucky', 13); } });
  await condition(() => finished);
  await condition(allHandlersFinished);
  return n;
}`

func (p *project) update(run client.WorkflowRun, name string, args ...any) (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	h, err := p.c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return "", err
	}
	var out any
	if err := h.Get(ctx, &out); err != nil {
		return "", err
	}
	text, _ := out.(string)
	return text, nil
}

func TestSignalsQueriesAndUpdates(t *testing.T) {
	t.Parallel()
	p := newProject(t, counter)
	run := p.start("run")
	p.signal(run, "add", 2)
	p.signal(run, "add", 3)
	p.until("both signals are counted", func() bool { return p.query(run, "total") == "5" })
	if got := p.query(run, "total", 100); got != "105" {
		t.Errorf("query with an argument: %s", got)
	}
	if got, err := p.update(run, "grow", 10); err != nil || got != "grow=15" {
		t.Errorf("update: %q, %v", got, err)
	}
	before := len(p.history(run).Events)
	if _, err := p.update(run, "grow", -1); err == nil || !strings.Contains(err.Error(), "must not be negative") {
		t.Errorf("rejected update: %v", err)
	}
	var app *temporal.ApplicationError
	var details int
	if _, err := p.update(run, "grow", 13); !errors.As(err, &app) || app.Type() != "Unlucky" || app.Details(&details) != nil || details != 13 {
		t.Errorf("rejected with a failure: %v", err)
	}
	if _, err := p.update(run, "nothing", 1); err == nil || !strings.Contains(err.Error(), "No registered handler for update: nothing") {
		t.Errorf("unknown update: %v", err)
	}
	if after := len(p.history(run).Events); after != before {
		t.Errorf("rejections left %d events", after-before)
	}
	p.signal(run, "done", nil)
	if got := p.result(run); got != "15" {
		t.Errorf("result %s", got)
	}
	// A closed workflow answers too.
	if got := p.query(run, "total"); got != "15" {
		t.Errorf("query after the end: %s", got)
	}
}

func TestSignalsBeforeTheirHandlerAreKept(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  await sleep(300);
  const got: string[] = [];
  setHandler(defineSignal<[string]>('named'), (x) => { got.push('named ' + x); });
  const early = got.length;
  wf.setDefaultSignalHandler((name, ...args) => { got.push(name + ' ' + args.join()); });
  await condition(() => got.length === 4);
  return { early, got };
}`)
	run, err := p.c.SignalWithStartWorkflow(t.Context(), "signalled-"+p.queue, "named", "one",
		client.StartWorkflowOptions{TaskQueue: p.queue, WorkflowExecutionTimeout: time.Minute}, "run")
	if err != nil {
		t.Fatal(err)
	}
	p.runs = append(p.runs, run)
	p.signal(run, "named", "two")
	p.signal(run, "other", "three")
	p.signal(run, "else", "four")
	if got := p.result(run); got != `{"early":2,"got":["named one","named two","other three","else four"]}` {
		t.Errorf("got %s", got)
	}
}

// The handler runs before the main function goes on, though history has the signal behind what the
// function waits for.
func TestSignalIsHandledBeforeWhatWasResolvedInTheSameTask(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.deploy(`
export async function run() {
  const order: string[] = [];
  setHandler(defineSignal('s'), () => { order.push('signal'); });
  await sleep(50);
  order.push('main');
  return order;
}`)
	p.startWorker()
	run := p.start("run")
	p.until("it waits", func() bool { return strings.Contains(p.events(run), "TimerStarted") })
	// Make one task of the timer and the signal: history then has TimerFired before Signaled, or
	// the other way round.
	p.signal(run, "s", nil)
	if got := p.result(run); got != `["signal","main"]` {
		t.Errorf("order %s", got)
	}
}

func TestDefaultHandlers(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let end = false;
  wf.setDefaultQueryHandler((name, ...args) => name + '(' + args.join() + ')');
  wf.setDefaultUpdateHandler(async (name, ...args) => { await sleep(1); end = true; return name + ':' + args.join(); });
  await condition(() => end);
  await condition(allHandlersFinished);
}`)
	run := p.start("run")
	p.until("it answers", func() bool { _, err := p.tryQuery(run, "x"); return err == nil })
	if got := p.query(run, "anything", 1, 2); got != `"anything(1,2)"` {
		t.Errorf("query %s", got)
	}
	if got, err := p.update(run, "whatever", "a", "b"); err != nil || got != "whatever:a,b" {
		t.Errorf("update %q %v", got, err)
	}
	p.result(run)
}

func TestQueryFailuresFailOnlyTheQuery(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let end = false;
  setHandler(defineSignal('end'), () => { end = true; });
  setHandler(defineQuery('throws'), () => { throw new TypeError('not like this'); });
  setHandler(defineQuery('promises'), (async () => 1) as any);
  setHandler(defineQuery('big'), (() => 10n) as any);
  setHandler(defineQuery('schedules'), (() => { void sleep(1000); return 1; }) as any);
  setHandler(defineQuery('random'), () => Math.random() + uuid4().length);
  setHandler(defineQuery('spins'), () => { for (;;); });
  await condition(() => end);
  return Math.random() < 1;
}`)
	run := p.start("run")
	p.until("it answers", func() bool { _, err := p.tryQuery(run, "random"); return err == nil })
	for name, want := range map[string]string{
		"throws":   "not like this",
		"promises": "Query handlers should not return a Promise",
		"big":      "Unable to convert 10 to payload",
		"unknown":  "Workflow did not register a handler for unknown. Registered queries: [__stack_trace __enhanced_stack_trace __temporal_workflow_metadata throws",
	} {
		if _, err := p.tryQuery(run, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// These two leave the execution in a state that no replay would have; it is replayed, and goes
	// on.
	if _, err := p.tryQuery(run, "schedules"); err == nil || !strings.Contains(err.Error(), "a query may only read") {
		t.Errorf("schedules: %v", err)
	}
	if _, err := p.tryQuery(run, "spins"); err == nil {
		t.Error("the query that spins was answered")
	}
	p.signal(run, "end", nil)
	if got := p.result(run); got != "true" {
		t.Errorf("result %s", got)
	}
}

func TestBuiltInQueries(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  wf.setCurrentDetails('half way');
  setHandler(defineQuery('total'), () => 1, { description: 'the sum' });
  setHandler(defineSignal('go'), () => {});
  await helper();
}
async function helper() {
  await condition(() => false, '2s');
}`)
	run := p.start("run")
	p.until("it waits", func() bool { return strings.Contains(p.events(run), "TimerStarted") })
	got := p.query(run, "__temporal_workflow_metadata")
	for _, want := range []string{`"type":"run"`, `"name":"total","description":"the sum"`, `"signalDefinitions":[{"name":"go"`, `"currentDetails":"half way"`} {
		if !strings.Contains(got, want) {
			t.Errorf("metadata %s lacks %s", got, want)
		}
	}
	// Where it waits, in the author's own lines.
	if got, want := p.query(run, "__stack_trace"), `"    at helper (test.ts:14:19)\n    at run (test.ts:11:16)"`; got != want {
		t.Errorf("stack %s, want %s", got, want)
	}
	want := `{"sdk":{"name":"typescript","version":"1.24.0"},"stacks":[{"locations":[` +
		`{"file_path":"test.ts","line":14,"column":19,"internal_code":false,"function_name":"helper"},` +
		`{"file_path":"test.ts","line":11,"column":16,"internal_code":false,"function_name":"run"}]}],"sources":{}}`
	if got := p.query(run, "__enhanced_stack_trace"); !jsonEqual(t, got, want) {
		t.Errorf("enhanced stack %s", got)
	}
	p.result(run)
}

func TestUpdateWithStart(t *testing.T) {
	t.Parallel()
	p := newProject(t, counter)
	start := p.c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: "uws-" + p.queue, TaskQueue: p.queue, WorkflowIDConflictPolicy: 1, WorkflowExecutionTimeout: time.Minute,
	}, "run")
	h, err := p.c.UpdateWithStartWorkflow(t.Context(), client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "grow", Args: []any{4}, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := h.Get(t.Context(), &got); err != nil || got != "grow=4" {
		t.Errorf("update %q %v", got, err)
	}
	run, err := start.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.runs = append(p.runs, run)
	p.signal(run, "done", nil)
	if got := p.result(run); got != "4" {
		t.Errorf("result %s", got)
	}
}

func TestUpdateHandlerFailure(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  let end = false;
  setHandler(defineUpdate('u'), async () => { await sleep(1); end = true; throw ApplicationFailure.create({ message: 'sorry', type: 'Sorry', details: [1, 2] }); });
  await condition(() => end);
  await condition(allHandlersFinished);
  return 'fine';
}`)
	run := p.start("run")
	var app *temporal.ApplicationError
	if _, err := p.update(run, "u"); !errors.As(err, &app) || app.Type() != "Sorry" || app.Message() != "sorry" {
		t.Errorf("update: %v", err)
	}
	if got := p.result(run); got != `"fine"` {
		t.Errorf("result %s", got)
	}
}
