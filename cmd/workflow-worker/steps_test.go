package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

// stepRow is a row of component_executions.
type stepRow struct {
	Node, Component, ComponentID, Kind, Status, Input, Output, Message, ErrorType, Activity string
	Retries, Attempt, Duration                                                              int
	Expected, Scheduled, Started, Ended, Next                                               bool
}

// steps are those of an execution, in the order of scheduling.
func (b *builder) steps(id string) ([]stepRow, error) {
	found, err := b.db.Query(b.t.Context(), `SELECT coalesce(node_id, ''), coalesce(component_name, ''), coalesce(component_id::text, ''), coalesce(kind, ''), status,
		coalesce(input_data::text, ''), coalesce(output_data::text, ''), coalesce(error_message, ''), coalesce(error_type, ''), coalesce(temporal_activity_id, ''),
		retry_count, temporal_attempt, coalesce(duration_ms, -1), is_expected_retry, scheduled_at IS NOT NULL, started_at IS NOT NULL, completed_at IS NOT NULL, next_attempt_at IS NOT NULL
		FROM component_executions WHERE workflow_execution_id = $1 ORDER BY scheduled_at, temporal_activity_id`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByPos[stepRow])
}

// untilSteps waits until an execution's steps are as they should.
func (b *builder) untilSteps(id, what string, right func([]stepRow) error) (steps []stepRow) {
	b.t.Helper()
	eventually(b.t, what, func() (err error) {
		if steps, err = b.steps(id); err == nil {
			err = right(steps)
		}
		if err != nil {
			err = fmt.Errorf("%w: %+v", err, steps)
		}
		return err
	})
	return steps
}

// stepStatuses waits until the steps have statuses.
func (b *builder) stepStatuses(id string, want ...string) []stepRow {
	b.t.Helper()
	return b.untilSteps(id, "steps are "+strings.Join(want, ", "), func(steps []stepRow) error {
		var got []string
		for _, s := range steps {
			got = append(got, s.Status)
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			return errors.New(strings.Join(got, ", "))
		}
		return nil
	})
}

// settled waits until nothing is left to be looked at of an execution that is over.
func (b *builder) settled(id string) {
	b.t.Helper()
	eventually(b.t, "the steps are settled", func() error {
		var n int
		if err := b.db.QueryRow(b.t.Context(), `SELECT count(*) FROM workflow_worker.steps_due WHERE execution_id = $1`, id).Scan(&n); err != nil || n > 0 {
			return fmt.Errorf("%d due, %w", n, err)
		}
		return nil
	})
}

const steppedCode = `
import { proxyActivities, proxyLocalActivities, sleep, startChild, executeChild, condition, setHandler, defineSignal, ApplicationFailure } from '@temporalio/workflow';
const a = proxyActivities<any>({ startToCloseTimeout: '20s', retry: { initialInterval: '100ms', backoffCoefficient: 1, maximumAttempts: 5 } });
const slow = proxyActivities<any>({ startToCloseTimeout: '1m', heartbeatTimeout: '2s', retry: { initialInterval: '1s', maximumAttempts: 5 } });
const once = proxyActivities<any>({ startToCloseTimeout: '20s', retry: { maximumAttempts: 1 } });
const patient = proxyActivities<any>({ startToCloseTimeout: '20s', retry: { initialInterval: '1h' } });
const local = proxyLocalActivities<any>({ startToCloseTimeout: '5s' });
export async function stepped(input: any): Promise<unknown> {
  switch (input.do) {
    case 'chain': return a.add(await a.add(1, 2), await a.add({ n: 1 }));
    case 'flaky': return a.flaky(input.key);
    case 'fails': return once.fails(input);
    case 'patient': return patient.fails(input);
    case 'large': return a.add('x'.repeat(input.n));
    case 'login': await a.login({ user: 'ann', password: input.password, nested: [{ Token: 12345678 }] }); return 'ok';
    case 'badLogin': return once.login({ user: 'ann', password: input.password, fail: true });
    case 'all': await sleep(10); return executeChild('child', { args: [input.n], workflowId: input.id });
    case 'local': return local.add(3, 4);
    case 'abandons': a.add('never awaited'); return 'done';
    case 'waits': { await a.add(1); let go = false; setHandler(defineSignal('go'), () => { go = true; }); await condition(() => go); return a.add(2); }
    case 'slow': return slow.waits(input.url);
  }
  return null;
}
export async function child(n: number): Promise<number> { return n * 2; }
`

// steppedWorkflow is a project whose definition has two nodes of one activity.
func steppedWorkflow(t *testing.T, environment ...string) (*service, *workflow) {
	t.Helper()
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url, environment...)
	p := newBuilder(t, url).project()
	p.component("add", `export async function add(a: any, b = 0) { return typeof a === 'number' ? a + b : a; }`)
	p.component("fails", `import { ApplicationFailure } from '@temporalio/activity';
export async function fails(input: any) { throw ApplicationFailure.create({ message: 'no stock', type: 'OutOfStock' }); }`)
	p.component("flaky", `const seen = new Map<string, number>();
import { activityInfo } from '@temporalio/activity';
export async function flaky(key: string) { if (activityInfo().attempt < 3) throw new Error('not yet'); return key; }`)
	// It takes so long that its end is written after its beginning, in a statement of its own.
	p.component("login", `export async function login(x: any) { await new Promise((go) => setTimeout(go, 700)); if (x.fail) throw new Error('wrong password: ' + x.password); return { session: 'for ' + x.password, user: x.user }; }`)
	p.exec(`UPDATE components SET config_schema = '{"redact": ["password", "token"]}' WHERE name = 'login' AND project_id = $1`, p.id)
	w := p.workflow("stepped", steppedCode)
	w.exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', jsonb_build_array(
		jsonb_build_object('id', 'first', 'data', jsonb_build_object('label', 'Sum', 'componentId', c.id)),
		jsonb_build_object('id', 'second', 'data', jsonb_build_object('label', 'Sum again', 'componentId', c.id)),
		jsonb_build_object('id', 'third', 'data', jsonb_build_object('componentName', 'flaky', 'retryPolicy', '{"strategy": "fail-after-x", "maxAttempts": 5}'::jsonb))))
		FROM components c WHERE c.name = 'add' AND c.project_id = $2 AND workflows.id = $1`, w.id, p.id)
	w.running(nil)
	return s, w
}

func TestEachStepHasARow(t *testing.T) {
	t.Parallel()
	_, w := steppedWorkflow(t)
	var add string
	if err := w.db.QueryRow(t.Context(), `SELECT id::text FROM components WHERE name = 'add' AND project_id = $1`, w.project.id).Scan(&add); err != nil {
		t.Fatal(err)
	}
	t.Run("its values, times and nodes", func(t *testing.T) {
		id := w.starts(`{"do": "chain"}`, nil)
		w.becomes(id, "completed")
		got := w.stepStatuses(id, "completed", "completed", "completed")
		// Three of two nodes, by order of scheduling.
		for i, want := range []stepRow{
			{Node: "first", Input: "[1, 2]", Output: "3"}, {Node: "second", Input: `{"n": 1}`, Output: `{"n": 1}`}, {Node: "first", Input: `[3, {"n": 1}]`, Output: ""},
		} {
			g := got[i]
			if g.Node != want.Node || g.Input != want.Input || want.Output != "" && g.Output != want.Output || g.Component != "add" || g.ComponentID != add || g.Kind != "activity" ||
				g.Activity == "" || g.Attempt != 1 || g.Retries != 0 || g.Expected || g.Duration < 0 || !g.Scheduled || !g.Started || !g.Ended || g.Next || g.Message != "" {
				t.Errorf("step %d: %+v, want %+v", i, g, want)
			}
		}
		w.settled(id)
	})
	t.Run("retries", func(t *testing.T) {
		id := w.starts(`{"do": "flaky", "key": "k"}`, nil)
		w.becomes(id, "completed")
		if g := w.stepStatuses(id, "completed")[0]; g.Attempt != 3 || g.Retries != 2 || !g.Expected || g.Node != "third" || g.Output != `"k"` || g.Message != "" || g.Next {
			t.Errorf("%+v", g)
		}
	})
	t.Run("one that is tried again shows why and when", func(t *testing.T) {
		id := w.starts(`{"do": "patient"}`, nil)
		if g := w.stepStatuses(id, "retrying")[0]; g.Message != "no stock" || g.ErrorType != "OutOfStock" || !g.Next || g.Ended || g.Attempt != 1 || g.Node != "" {
			t.Errorf("%+v", g)
		}
		w.asksOf(id, "terminate", "", nil)
		if g := w.stepStatuses(id, "cancelled")[0]; g.ErrorType != "execution_ended" || !g.Ended || g.Next {
			t.Errorf("%+v", g)
		}
		w.settled(id)
	})
	t.Run("a failure", func(t *testing.T) {
		id := w.starts(`{"do": "fails"}`, nil)
		w.becomes(id, "failed")
		if g := w.stepStatuses(id, "failed")[0]; g.Message != "no stock" || g.ErrorType != "OutOfStock" || g.Output != "" || !g.Ended {
			t.Errorf("%+v", g)
		}
	})
	t.Run("a large value", func(t *testing.T) {
		id := w.starts(`{"do": "large", "n": 70000}`, nil)
		w.becomes(id, "completed")
		const note = `{"bytes": 70002, "omitted": "larger than a row takes"}`
		if g := w.stepStatuses(id, "completed")[0]; g.Input != note || g.Output != note {
			t.Errorf("%+v", g)
		}
	})
	t.Run("secrets", func(t *testing.T) {
		id := w.starts(`{"do": "login", "password": "hunter2 \"quoted\""}`, nil)
		w.becomes(id, "completed")
		g := w.stepStatuses(id, "completed")[0]
		if g.Input != `{"user": "ann", "nested": [{"Token": "[redacted]"}], "password": "[redacted]"}` || g.Output != `{"user": "ann", "session": "for [redacted]"}` {
			t.Errorf("%+v", g)
		}
		id = w.starts(`{"do": "badLogin", "password": "hunter2"}`, nil)
		// What a step mustn't tell its execution doesn't tell either, where it fails by it.
		if x := w.becomes(id, "failed"); x.Message != "login: [redacted]" || strings.Contains(x.Error, "hunter2") || !strings.Contains(x.Error, `"activity": "login"`) {
			t.Errorf("%+v", x)
		}
		if g := w.stepStatuses(id, "failed")[0]; g.Message != "wrong password: [redacted]" {
			t.Errorf("%+v", g)
		}
	})
	t.Run("a local activity", func(t *testing.T) {
		id := w.starts(`{"do": "local"}`, nil)
		w.becomes(id, "completed")
		if g := w.stepStatuses(id, "completed")[0]; g.Kind != "local_activity" || g.Component != "add" || g.Output != "7" {
			t.Errorf("%+v", g)
		}
	})
	t.Run("one that nobody waits for", func(t *testing.T) {
		id := w.starts(`{"do": "abandons"}`, nil)
		w.becomes(id, "completed")
		if g := w.stepStatuses(id, "cancelled")[0]; g.ErrorType != "execution_ended" {
			t.Errorf("%+v", g)
		}
		w.settled(id)
	})
}
