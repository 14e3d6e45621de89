package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
)

const (
	// besideProjects are those that behave well beside one that does its worst.
	besideProjects = 10
	// besideFor is how long each way is measured, and they alone.
	besideFor = 15 * time.Second
	// besideRest is between two ways: what one left over is not the next one's.
	besideRest = 2 * time.Second
)

// besideSmall are what the neighbours run.
var besideSmall = []small{{wfNoop, "ok"}, {wfOne, "1"}}

// wayPrefix begins the names of what is done.
const wayPrefix = "way_"

// besideWay is a way to take from others what they need.
type besideWay struct {
	name string
	// executions of so many begin at once, all of the body of a function; or of an activity's.
	executions     int
	body, activity string
	signals        int    // each is sent so many at once
	query          string // is asked all the time by each of so many as there are executions
	// native is the same in Go, for what costs the server: what the neighbours notice of it is not the
	// service's making. Nil: there is none.
	native any
}

// besideWays are what any engine survives.
var besideWays = []besideWay{
	{name: "endless", executions: 6, body: `for (;;);`},
	{name: "endless20", executions: 20, body: `for (;;);`},
	{name: "endless_later", executions: 6, body: `await sleep(1); for (;;);`},
	{name: "endless_query", executions: 6, query: "spin", body: `setHandler(defineQuery('spin'), () => { for (;;); }); await condition(() => false);`},
	{name: "endless_signal", executions: 6, signals: 1, body: `setHandler(defineSignal('go'), () => { for (;;); }); await condition(() => false);`},
	{name: "endless_activity", executions: 6, body: `await acts.act_endless_activity();`, activity: `for (;;);`},
	{name: "endless_both", executions: 6, body: `acts.act_endless_both(); acts.act_endless_both(); await sleep(1); for (;;);`, activity: `for (;;);`},
	{name: "steps", executions: 10, body: `for (;;) { const end = Date.now(); for (let i = 0, s = 0; i < 400000; i++) s += i; await sleep(1); }`},
	{name: "promises", executions: 6, body: `for (;;) await null;`},
	{name: "allocates", executions: 6, body: `for (;;) [].concat([1, 2, 3].map(String), new Array(1000).fill('x'));`},
	{name: "failures", executions: 10, body: `await acts.act_failures();`, activity: `throw new Error('x'.repeat(5 << 20), { cause: new Error('y'.repeat(5 << 20)) });`},
	{name: "failed_tasks", executions: 10, body: `throw new Error('x'.repeat(5 << 20));`},
	{name: "results", executions: 10, body: `for (;;) await acts.act_results();`, activity: `return 'x'.repeat(1_900_000);`, native: nativeResults},
	{name: "memos", executions: 6, body: `for (let i = 0; ; i++) { upsertMemo({ a: 'x'.repeat(100_000) + i }); await sleep(1); }`},
	{name: "lines", executions: 10, body: `for (;;) { for (let i = 0; i < 1000; i++) log.info('x'.repeat(1000)); await sleep(1); }`},
	{name: "lines_of_activities", executions: 10, body: `for (;;) await acts.act_lines_of_activities();`, activity: `for (let i = 0; i < 1000; i++) console.log('x'.repeat(1000));`},
	{name: "heartbeats", executions: 10, body: `await acts.act_heartbeats();`, activity: `for (;;) { heartbeat('x'.repeat(1_000_000)); await new Promise((r) => setTimeout(r, 0)); }`},
	{name: "intervals", executions: 10, body: `await acts.act_intervals();`, activity: `for (let i = 0; i < 1000; i++) setInterval(() => {}, 0); await new Promise(() => {});`},
	{name: "evals", executions: 10, body: `for (let i = 0; ; i++) { (0, eval)('[' + '1,'.repeat(100_000) + i + ']'); await sleep(1); }`},
	{name: "children", executions: 1, body: `await Promise.all(Array.from({ length: 1500 }, () => executeChild('noop')));`, native: nativeChildren},
	{name: "activities", executions: 1, body: `await Promise.all(Array.from({ length: 1500 }, (_, n) => acts.echo({ n })));`, native: nativeActivities},
	{name: "timers", executions: 1, body: `await Promise.all(Array.from({ length: 1500 }, (_, n) => sleep(1000 + n % 10)));`, native: nativeTimers},
	{name: "signals", executions: 1, signals: manySignals, body: `let n = 0; setHandler(defineSignal('go'), () => { n++; }); await condition(() => n >= 2000);`, native: nativeSignals},
}

func besideCode(ways []besideWay) (workflow, component string) {
	var w, c strings.Builder
	w.WriteString(`import { proxyActivities, sleep, condition, setHandler, defineQuery, defineSignal, executeChild, log, upsertMemo } from '@temporalio/workflow';
const acts = proxyActivities<any>({ startToCloseTimeout: '1m' });
export default async function versionOf() { return 'beside'; }
export async function noop() { return 'ok'; }
`)
	c.WriteString("import { heartbeat } from '@temporalio/activity';\nexport async function act() { heartbeat(); }\n")
	for _, way := range ways {
		fmt.Fprintf(&w, "export async function way_%s(): Promise<any> { %s }\n", way.name, way.body)
		if way.activity != "" {
			fmt.Fprintf(&c, "export async function act_%s(): Promise<any> { %s }\n", way.name, way.activity)
		}
	}
	return w.String(), c.String()
}

// measureBeside measures what projects notice of one that does its worst, in each way.
func (b *bench) measureBeside(ctx context.Context) error {
	ways := slices.DeleteFunc(slices.Clone(besideWays), func(w besideWay) bool {
		return len(b.options.ways) > 0 && !slices.Contains(b.options.ways, w.name)
	})
	return b.withService(ctx, func(s *service, r *rows) (err error) {
		neighbours, _, err := r.add(ctx, besideProjects, cpuCode)
		if err != nil {
			return err
		}
		code, component := besideCode(ways)
		worst, _, err := r.add(ctx, 1, code)
		if err != nil {
			return err
		}
		if err := r.addComponent(ctx, worst[0], "worst", component); err != nil {
			return err
		}
		if _, err := r.waitRunning(ctx, besideProjects+1); err != nil {
			return err
		}
		if _, err := b.neighboursFor(ctx, neighbours, besideFor/3, besideSmall...); err != nil { // warms up
			return err
		}
		alone, err := b.neighboursFor(ctx, neighbours, besideFor, besideSmall...)
		if err != nil {
			return err
		}
		p99 := milliseconds(quantile(alone, 0.99))
		b.say("alone: p50 %s, p99 %s", quantile(alone, 0.5).Round(time.Millisecond), quantile(alone, 0.99).Round(time.Millisecond))
		b.report.add("small workflows alone, p99", "ms", yardstick{}, math.NaN(), p99)
		native, err := b.nativeBeside(ctx, worst[0].taskQueue)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, native.stop(ctx)) }()
		for _, way := range ways {
			ofNative := math.NaN()
			if b.options.native && way.native != nil {
				took, err := b.worst(ctx, nativeQueue(worst[0].taskQueue), way, neighbours)
				if err != nil {
					return fmt.Errorf("%s, natively: %w", way.name, err)
				}
				ofNative = milliseconds(quantile(took, 0.99))
			}
			took, err := b.worst(ctx, worst[0].taskQueue, way, neighbours)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			b.say("beside %s: p50 %s, p99 %s, most %s", way.name, quantile(took, 0.5).Round(time.Millisecond), quantile(took, 0.99).Round(time.Millisecond), quantile(took, 1).Round(time.Millisecond))
			b.report.add("… beside "+way.name, "ms", yardstick{goal: "3 × + 300 ms", limit: 3*p99 + 300}, ofNative, milliseconds(quantile(took, 0.99)))
		}
		return s.failedByOthers(ctx)
	})
}

// nativeQueue is where the native worker does its worst, for the service's task queue.
func nativeQueue(taskQueue string) string { return taskQueue + "-native" }

// nativeBeside starts a native worker that does the same.
func (b *bench) nativeBeside(ctx context.Context, taskQueue string) (*native, error) {
	n, err := b.startNative(ctx)
	if err != nil {
		return nil, err
	}
	return n, n.add(ctx, nativeQueue(taskQueue))
}

// atOnce is how many of each a workflow of these ways begins.
const atOnce = 1500

func allDone(ctx workflow.Context, begin func(n int) workflow.Future) error {
	var all []workflow.Future
	for n := range atOnce {
		all = append(all, begin(n))
	}
	for _, future := range all {
		if err := future.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func nativeChildren(ctx workflow.Context) error {
	return allDone(ctx, func(int) workflow.Future { return workflow.ExecuteChildWorkflow(ctx, wfNoop) })
}

func nativeActivities(ctx workflow.Context) error {
	ctx = withActivities(ctx)
	return allDone(ctx, func(n int) workflow.Future { return workflow.ExecuteActivity(ctx, "echo", echoInput{N: n}) })
}

func nativeTimers(ctx workflow.Context) error {
	return allDone(ctx, func(n int) workflow.Future {
		return workflow.NewTimer(ctx, time.Second+time.Duration(n%10)*time.Millisecond)
	})
}

func nativeSignals(ctx workflow.Context) error {
	for range manySignals {
		workflow.GetSignalChannel(ctx, sigGo).Receive(ctx, nil)
	}
	return nil
}

const manySignals = 2000

func nativeResults(ctx workflow.Context) error {
	for {
		if err := workflow.ExecuteActivity(withActivities(ctx), nativeLong).Get(ctx, nil); err != nil {
			return err
		}
	}
}

func nativeLong(context.Context) (string, error) { return strings.Repeat("x", 1_900_000), nil }

// worst measures the neighbours beside one way.
func (b *bench) worst(ctx context.Context, taskQueue string, way besideWay, neighbours []project) (took []time.Duration, err error) {
	var runs []client.WorkflowRun
	for range way.executions {
		run, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: taskQueue, WorkflowExecutionTimeout: workflowTimeout}, wayPrefix+way.name)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	goesOn, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	for _, run := range runs {
		for range way.signals {
			group.Go(func() error {
				_ = b.client.SignalWorkflow(goesOn, run.GetID(), run.GetRunID(), "go", nil) // it may be over
				return nil
			})
		}
		if way.query != "" {
			group.Go(func() error {
				for goesOn.Err() == nil {
					_, _ = b.client.QueryWorkflow(goesOn, run.GetID(), run.GetRunID(), way.query) // it can't be answered
				}
				return nil
			})
		}
	}
	took, err = b.neighboursFor(ctx, neighbours, besideFor, besideSmall...)
	stop()
	err = errors.Join(err, group.Wait())
	for _, run := range runs {
		_ = b.client.TerminateWorkflow(ctx, run.GetID(), run.GetRunID(), "measured") // it may be over
	}
	return took, errors.Join(err, rest(ctx, besideRest))
}
