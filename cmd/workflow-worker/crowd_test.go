package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// A crowd is many executions of all kinds in one project, whose code carries a stamp: a number that
// no other text has. What an execution reports says which texts it ran on, and history says whether
// it may have; see explain in explained_test.go.

// kind is a workflow of the crowd. Its name is the row's kebab name and the function's.
type kind struct {
	name string
	// body is the function's, with begin and step of crowdCode.
	body string
	// drive is what its client does between start and end; nil for nothing.
	drive func(ctx context.Context, c *crowd, run client.WorkflowRun, r *rand.Rand) error
	// moves says that executions go on with new texts at their next task. So the texts have the
	// same commands, and the last one explains the whole result: it was replayed from the
	// beginning.
	moves bool
	// unordered kinds have activities at once, so that an older text may answer later.
	unordered bool
	// waits says that an execution does nothing until it is driven.
	waits   bool
	options client.StartWorkflowOptions
}

var kinds = []kind{
	{name: "timers", body: `const r = begin(); for (let i = 0; i < 2; i++) { await wf.sleep(100); await step(r); } return r;`},
	{name: "working", body: `const r = begin(); for (let i = 0; i < 3; i++) { r.activities.push(await remote.stamp()); await step(r); } return r;`},
	{name: "locals", body: `const r = begin(); for (let i = 0; i < 3; i++) { r.activities.push(await local.stamp()); await step(r); } return r;`},
	{name: "signalled", drive: signalled, waits: true, body: `const r = begin(); let notes = 0, stop = false;
		wf.setHandler(wf.defineSignal('note'), () => { notes++; r.own.push(S); });
		wf.setHandler(wf.defineSignal('stop'), () => { stop = true; });
		while (!stop || notes > 0) { await wf.condition(() => stop || notes > 0); for (; notes > 0; notes--) await step(r); }
		return r;`},
	{name: "updated", drive: updated, waits: true, unordered: true, body: `const r = begin(); let stop = false;
		wf.setHandler(wf.defineUpdate('ask'), async () => { await step(r); return S; }, { validator: () => { r.own.push(S); } });
		wf.setHandler(wf.defineSignal('stop'), () => { stop = true; });
		await wf.condition(() => stop); await wf.condition(wf.allHandlersFinished); return r;`},
	{name: "parent", unordered: true, body: `const r = begin(); await Promise.all([wf.executeChild('timers', child), wf.executeChild('working', child)]); await step(r);
		r.own.push(S); return r;`},
	{name: "continued", body: `const r = begin(before); await step(r); if (r.left > 0) await wf.continueAsNew(r); return r;`},
	{name: "retried", body: `const r = begin(); await step(r);
		if (wf.workflowInfo().attempt < 3) throw wf.ApplicationFailure.create({ message: 'once more', details: [r] }); return r;`,
		options: client.StartWorkflowOptions{RetryPolicy: &temporal.RetryPolicy{InitialInterval: 300 * time.Millisecond, BackoffCoefficient: 1}}},
	{name: "cron", drive: terminated, body: `const r = begin(); await step(r); return r;`,
		options: client.StartWorkflowOptions{CronSchedule: "@every 1s"}},
	{name: "upgraded", moves: true, body: `const r = begin(); const next = async () => { r.activities.push(await remote.stamp()); r.own.push(S); };
		await next(); await wf.sleep(100); await next(); if (wf.patched('a third')) await next(); await wf.sleep(100); await next(); return r;`},
	{name: "cancelled", drive: cancelled, waits: true, body: `const r = begin();
		try { await wf.sleep('1h'); } catch { await wf.CancellationScope.nonCancellable(() => step(r)); } return r;`},
}

// upgrades is what the texts that move say after their function.
const upgrades = `wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, upgraded);`

// Timers are few: the development server takes a second for the shortest.

// differing are steps that differ in their commands, so that an execution that meets another text
// than its own can't go on.
var differing = []string{
	`await wf.sleep(5);`,
	`r.activities.push(await remote.stamp());`,
	`r.activities.push(await local.stamp());`,
	`await Promise.all([wf.sleep(3), wf.sleep(6)]);`,
	`await remote.sampleActivity({ message: 'x' });`,
	`await Promise.race([wf.sleep('1m'), remote.sampleActivity({ message: 'y' })]);`,
}

// crowdCode is the text of a kind with a stamp.
func crowdCode(k kind, stamp int, patience time.Duration) string {
	after := ""
	if k.moves {
		after = upgrades
	}
	return fmt.Sprintf(`
		import * as wf from '@temporalio/workflow';
		const S = %[1]d;
		const retry = { initialInterval: '200ms', backoffCoefficient: 1 };
		const remote = wf.proxyActivities<any>({ startToCloseTimeout: %[5]d, retry });
		const local = wf.proxyLocalActivities<any>({ startToCloseTimeout: %[5]d, retry });
		const child = { workflowTaskTimeout: %[5]d };
		interface Report { own: number[]; activities: number[]; left: number }
		const begin = (before?: Report): Report => ({ own: [%[1]d], activities: [], left: before ? before.left - 1 : 2 });
		async function step(r: Report) { %[3]s r.own.push(%[1]d); }
		export async function %[2]s(before?: Report): Promise<Report> { %[4]s }
%[6]s`, stamp, k.name, differing[stamp%len(differing)], k.body, patience.Milliseconds(), after)
}

func crowdComponent(stamp int) string {
	return fmt.Sprintf(`export async function stamp() { return %d; }`, stamp)
}

// report is what a run of a crowd's workflow returns, fails with, or hands to the run after it.
type report struct {
	Own        []int `json:"own"`        // the stamp of its own text, at several points
	Activities []int `json:"activities"` // those of the component
}

func pause(ctx context.Context, r *rand.Rand, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(most) + time.Duration(r.Int64N(1000))): // what drives the load, not a synchronisation
	}
}

func signalled(ctx context.Context, c *crowd, run client.WorkflowRun, r *rand.Rand) error {
	for range 4 {
		pause(ctx, r, 400*time.Millisecond)
		if err := c.temporal.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "note", nil); err != nil {
			return err
		}
	}
	return c.temporal.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "stop", nil)
}

func updated(ctx context.Context, c *crowd, run client.WorkflowRun, r *rand.Rand) error {
	var answers []int
	for range 3 {
		pause(ctx, r, 400*time.Millisecond)
		u, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: "ask", UpdateID: uuid.NewString(), WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		var answer int
		if err == nil {
			err = u.Get(ctx, &answer)
		}
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	if len(slices.Compact(answers)) != 1 {
		return fmt.Errorf("the updates answered %v", answers)
	}
	return c.temporal.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "stop", nil)
}

func cancelled(ctx context.Context, c *crowd, run client.WorkflowRun, r *rand.Rand) error {
	pause(ctx, r, 2*time.Second)
	return c.temporal.CancelWorkflow(ctx, run.GetID(), run.GetRunID())
}

func terminated(ctx context.Context, c *crowd, run client.WorkflowRun, r *rand.Rand) error {
	pause(ctx, r, 4*time.Second)
	return c.temporal.TerminateWorkflow(ctx, run.GetID(), "", "seen enough")
}

// crowd is one project with a workflow of each kind, and its executions.
type crowd struct {
	*project
	flows    map[string]*crowdFlow // by kind
	stamp    *timeline             // of the component
	compID   string
	patience time.Duration // what a task may take
	mu       sync.Mutex    // guards runs, open and most
	runs     []client.WorkflowRun
	open     int // executions
	most     int // of them at once
	moved    int // runs that ended on another text than they began on
	stamped  int // the last stamp that was given; the editor's
}

// crowdFlow is a workflow of a crowd, with its code rows and what they said.
type crowdFlow struct {
	*workflow
	crowd    *crowd
	kind     kind
	rows     []codeRow
	at       int // the active one of rows
	timeline *timeline
}

// codeRow is a version of a workflow as it stands.
type codeRow struct {
	id    string
	stamp int
	good  bool // it compiles
}

func newCrowd(b *builder, patience time.Duration) *crowd {
	b.t.Helper()
	c := &crowd{project: b.project(), flows: map[string]*crowdFlow{}, stamp: &timeline{}, patience: patience}
	s := c.nextStamp()
	c.stamp.activated(s)
	c.compID = c.component("stamp", crowdComponent(s))
	for _, k := range kinds {
		c.flows[k.name] = c.newFlow(k, &timeline{})
	}
	for _, f := range c.flows {
		c.running(func(w workerRow) error { _, err := source(w, f.name); return err })
	}
	return c
}

func (c *crowd) newFlow(k kind, tl *timeline) *crowdFlow {
	c.t.Helper()
	f := &crowdFlow{workflow: &workflow{project: c.project, name: k.name}, crowd: c, kind: k, timeline: tl}
	f.create()
	return f
}

// create inserts the workflow with its first version, named by its stamp.
func (f *crowdFlow) create() {
	f.t.Helper()
	row := codeRow{uuid.NewString(), f.crowd.nextStamp(), true}
	f.id, f.rows, f.at = uuid.NewString(), []codeRow{row}, 0
	f.timeline.activated(row.stamp)
	f.exec(`WITH w AS (INSERT INTO workflows (id, project_id, kebab_name, display_name) VALUES ($1, $2, $3, $3) RETURNING id)
		INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code) SELECT $4, id, $5, $6 FROM w`,
		f.id, f.project.id, f.name, row.id, fmt.Sprint(row.stamp), crowdCode(f.kind, row.stamp, f.crowd.patience))
}

func (c *crowd) nextStamp() int {
	c.stamped++
	return c.stamped
}

// next makes a new text for a row of this id; one that is good is current from now on.
func (f *crowdFlow) next(id string, good bool) (codeRow, string) {
	row := codeRow{id, f.crowd.nextStamp(), good}
	code := crowdCode(f.kind, row.stamp, f.crowd.patience)
	if !good {
		return row, code + breaks[row.stamp%len(breaks)]
	}
	f.timeline.activated(row.stamp)
	return row, code
}

// breaks are ways to spoil a text.
var breaks = []string{`function ( {`, `throw new Error('not today');`, `import 'somewhere';`}

// edit writes a new text into the row that is active.
func (f *crowdFlow) edit(good bool) {
	f.t.Helper()
	row, code := f.next(f.rows[f.at].id, good)
	f.rows[f.at] = row
	f.exec(`UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, row.id, fmt.Sprint(row.stamp), code)
}

// live waits until the newest text is live, and notes that whatever begins from then on runs it or
// a newer one.
func (f *crowdFlow) live() {
	f.t.Helper()
	f.running(liveVersion(f.name, fmt.Sprint(f.rows[f.at].stamp)))
	f.timeline.barrier()
}

// execution begins one, which is driven once the time has come, and waits for its end. The context
// is its time.
func (c *crowd) execution(ctx context.Context, k kind, r *rand.Rand, come <-chan struct{}) error {
	o := k.options
	o.WorkflowTaskTimeout = c.patience
	o.ID, o.TaskQueue = k.name+"-"+uuid.NewString(), c.taskQueue
	run, err := c.temporal.ExecuteWorkflow(ctx, o, k.name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.runs = append(c.runs, c.temporal.GetWorkflow(ctx, run.GetID(), run.GetRunID())) // not what follows the newest run
	c.open++
	c.most = max(c.most, c.open)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
	}()
	select {
	case <-come:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if k.drive != nil {
		err = k.drive(ctx, c, run, r)
	}
	var gone *temporal.TerminatedError
	if err == nil {
		if err = run.Get(ctx, nil); errors.As(err, &gone) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", run.GetID(), err, c.describe(run))
	}
	return nil
}

// atOnce is a time that has come.
var atOnce = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// linger has n executions wait until all has been done; it returns when they have ended. They cost
// little meanwhile, and each has to find the text that it began on after everything.
func (c *crowd) linger(n int, seed uint64, done <-chan struct{}) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 4*time.Minute)
	defer cancel()
	var waiting []kind
	for _, f := range c.flows {
		if f.kind.waits {
			waiting = append(waiting, f.kind)
		}
	}
	slices.SortFunc(waiting, func(a, b kind) int { return strings.Compare(a.name, b.name) })
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			pause(ctx, r, 4*time.Second) // so that they begin on several texts
			if err := c.execution(ctx, waiting[i%len(waiting)], r, done); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
				c.t.Error(err)
				cancel()
			}
		})
	}
	all.Wait()
}

// stream keeps n executions going until stop is closed or, if most isn't 0, most have begun; it
// returns when all have ended.
func (c *crowd) stream(n, most int, seed uint64, stop <-chan struct{}) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 4*time.Minute)
	defer cancel()
	names := make([]string, 0, len(c.flows))
	for name := range c.flows {
		names = append(names, name)
	}
	slices.Sort(names)
	tickets := make(chan int)
	go func() {
		defer close(tickets)
		for i := 0; most == 0 || i < most; i++ {
			select {
			case tickets <- i:
			case <-stop:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	chosen := make([]kind, len(names))
	for i, name := range names {
		chosen[i] = c.flows[name].kind
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for i := range tickets {
				if c.t.Failed() {
					return
				}
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				pause(ctx, r, 200*time.Millisecond)
				if err := c.execution(ctx, chosen[i%len(chosen)], r, atOnce); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
					c.t.Error(err)
					cancel() // the others would wait for long
				}
			}
		})
	}
	all.Wait()
}
