package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

// executionRow is what a client reads of an execution.
type executionRow struct {
	Status, TemporalID, RunID, Output, Message, Error, Version, Hash string
	Activities, Duration                                             int
	Started, Ended                                                   bool
}

func (b *builder) execution(id string) (x executionRow, err error) {
	err = b.db.QueryRow(b.t.Context(), `SELECT status, coalesce(temporal_workflow_id, ''), coalesce(temporal_run_id, ''), coalesce(output::text, ''),
		coalesce(error_message, ''), coalesce(error::text, ''), coalesce(code_version, ''), coalesce(code_hash, ''), coalesce(activities_executed, -1),
		coalesce(duration_ms, -1), started_at IS NOT NULL, completed_at IS NOT NULL FROM workflow_executions WHERE id = $1`, id).
		Scan(&x.Status, &x.TemporalID, &x.RunID, &x.Output, &x.Message, &x.Error, &x.Version, &x.Hash, &x.Activities, &x.Duration, &x.Started, &x.Ended)
	return x, err
}

// starts inserts a row that waits.
func (w *workflow) starts(input, options any) (id string) {
	w.t.Helper()
	err := w.db.QueryRow(w.t.Context(), `INSERT INTO workflow_executions (workflow_id, status, input, options) VALUES ($1, 'pending', $2, $3) RETURNING id::text`,
		w.id, input, options).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// becomes waits until an execution's row has a status.
func (b *builder) becomes(id, status string) (x executionRow) {
	b.t.Helper()
	eventually(b.t, "the execution is "+status, func() (err error) {
		if x, err = b.execution(id); err == nil && x.Status != status {
			err = fmt.Errorf("%+v", x)
		}
		return err
	})
	return x
}

// asksOf inserts a request about an execution, and gives its answer.
func (b *builder) asksOf(id, action, name string, args any) (status, result, reason string) {
	b.t.Helper()
	var request string
	err := b.db.QueryRow(b.t.Context(), `INSERT INTO workflow_execution_requests (execution_id, action, name, args, reason)
		VALUES ($1, $2, nullif($3, ''), $4, 'by a test') RETURNING id::text`, id, action, name, args).Scan(&request)
	if err != nil {
		b.t.Fatal(err)
	}
	eventually(b.t, action+" is answered", func() error {
		err := b.db.QueryRow(b.t.Context(), `SELECT status, coalesce(result::text, ''), coalesce(error, '') FROM workflow_execution_requests WHERE id = $1`, request).
			Scan(&status, &result, &reason)
		if err == nil && status != "completed" && status != "failed" {
			err = errors.New(status)
		}
		return err
	})
	return status, result, reason
}

const executedCode = `
import { proxyActivities, condition, defineSignal, defineQuery, defineUpdate, setHandler, continueAsNew, sleep, ApplicationFailure } from '@temporalio/workflow';
const { greet } = proxyActivities<{ greet(name: string): Promise<string> }>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
interface Input { name?: string; wait?: boolean; fail?: boolean; again?: number; echo?: unknown; large?: number }
export async function orderIntake(input: Input, ...more: unknown[]): Promise<unknown> {
  if (input.fail) throw ApplicationFailure.create({ message: 'no stock', type: 'OutOfStock', details: [{ sku: 7 }], nonRetryable: true });
  if (input.again) { await sleep(1); return continueAsNew<typeof orderIntake>({ ...input, again: input.again - 1 }); }
  if (input.large) return 'x'.repeat(input.large);
  if (input.wait) {
    const seen: unknown[] = [];
    let done = false, go = false;
    setHandler(defineSignal<[unknown]>('tell'), (v) => { seen.push(v); });
    setHandler(defineSignal('finish'), () => { done = true; });
    setHandler(defineSignal('go'), () => { go = true; });
    setHandler(defineUpdate('until'), async () => { await condition(() => go); return 'gone'; });
    setHandler(defineQuery<number>('count'), () => seen.length);
    setHandler(defineUpdate<string, [string]>('ask'), async (v) => { await sleep(50); return 'heard ' + v; });
    await condition(() => done);
    return seen;
  }
  if (input.name) return greet(input.name);
  return { input, more };
}
`

func executedWorkflow(t *testing.T) (*service, *workflow) {
	t.Helper()
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url)
	p := newBuilder(t, url).project()
	p.component("greet", `export async function greet(name: string) { if (name === 'nobody') throw new Error('whom?'); return 'Hello ' + name; }`)
	return s, p.workflow("order-intake", executedCode)
}

func TestARowStartsAnExecutionAndTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	for name, c := range map[string]struct {
		input, options any
		want           executionRow
	}{
		"no input":           {nil, nil, executionRow{Status: "completed", Output: `{"more": [], "input": {}}`}},
		"an activity":        {`{"name": "Ann"}`, nil, executionRow{Status: "completed", Output: `"Hello Ann"`, Activities: 1}},
		"no object":          {`[1, "two"]`, nil, executionRow{Status: "completed", Output: `{"more": [], "input": [1, "two"]}`}},
		"arguments":          {nil, `{"args": [{"echo": 1}, 2, null]}`, executionRow{Status: "completed", Output: `{"more": [2, null], "input": {"echo": 1}}`}},
		"by its function":    {nil, `{"type": "orderIntake"}`, executionRow{Status: "completed", Output: `{"more": [], "input": {}}`}},
		"continued":          {`{"again": 3}`, nil, executionRow{Status: "completed", Output: `{"more": [], "input": {"again": 0}}`}},
		"too large":          {`{"large": 300000}`, nil, executionRow{Status: "completed", Output: `{"bytes": 300002, "omitted": "larger than a row takes"}`}},
		"it fails":           {`{"fail": true}`, nil, executionRow{Status: "failed", Message: "no stock"}},
		"its activity fails": {`{"name": "nobody"}`, nil, executionRow{Status: "failed", Message: "greet: whom?", Activities: 1}},
		"it times out":       {`{"wait": true}`, `{"workflowRunTimeout": "1s"}`, executionRow{Status: "failed", Message: "it took longer than its timeout"}},
		"too much to send":   {strconv.Quote(strings.Repeat("x", 2_000_000)), nil, executionRow{Status: "failed", Message: "input is 2000002 bytes, Temporal takes no more than 2000000: large data belongs in a store, hand on where it is"}},
		"no JSON object":     {`"text"`, nil, executionRow{Status: "completed", Output: `{"more": [], "input": "text"}`}},
		"unknown option":     {nil, `{"retries": 3}`, executionRow{Status: "failed", Message: `options: there is no "retries"`}},
		"its own id":         {nil, `{"workflowId": "mine-` + w.id + `", "memo": {"a": 1}, "priority": {"priorityKey": 2}}`, executionRow{Status: "completed", TemporalID: "mine-" + w.id, Output: `{"more": [], "input": {}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.starts(c.input, c.options)
			got := w.becomes(id, c.want.Status)
			if c.want.TemporalID == "" {
				c.want.TemporalID = "order-intake-" + id
			}
			if got.TemporalID != c.want.TemporalID || got.Output != c.want.Output || got.Message != c.want.Message || got.Activities != max(c.want.Activities, 0) && got.RunID != "" {
				t.Errorf("the row says %+v\nwant %+v", got, c.want)
			}
			if !got.Ended || got.RunID != "" && (!got.Started || got.Duration < 0 || got.Version != "1" || len(got.Hash) != 64) {
				t.Errorf("the row says %+v", got)
			}
			if (got.Error == "") == (got.Status == "failed") {
				t.Errorf("status %s and error %s", got.Status, got.Error)
			}
		})
	}
	t.Run("the error has all of it", func(t *testing.T) {
		var e struct {
			Type, Message, File string
			Line                int
			Details             struct{ Sku int }
		}
		id := w.starts(`{"fail": true}`, nil)
		if err := json.Unmarshal([]byte(w.becomes(id, "failed").Error), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type != "OutOfStock" || e.Message != "no stock" || e.File == "" || e.Line != 6 || e.Details.Sku != 7 {
			t.Errorf("error %+v", e)
		}
	})
}

// A row is one execution: whoever makes it pending again gets what became of that one.
func TestARowThatIsMadePendingAgainSaysWhatItSaid(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	over, open := w.starts(`{}`, nil), w.starts(`{"wait": true}`, nil)
	ended, running := w.becomes(over, "completed"), w.becomes(open, "running")
	w.exec(`UPDATE workflow_executions SET status = 'pending' WHERE workflow_id = $1`, w.id)
	if got := w.becomes(over, "completed"); got.RunID != ended.RunID || got.Output != ended.Output {
		t.Errorf("%+v, was %+v", got, ended)
	}
	if got := w.becomes(open, "running"); got.RunID != running.RunID {
		t.Errorf("%+v, was %+v", got, running)
	}
	w.asksOf(open, "signal", "finish", nil)
	w.becomes(open, "completed")
}

func TestRequestsReachTheExecution(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	id := w.starts(`{"wait": true}`, nil)
	const signals = 20
	w.exec(`INSERT INTO workflow_execution_requests (execution_id, action, name, args) SELECT $1, 'signal', 'tell', jsonb_build_array(i) FROM generate_series(1, $2::int) i ORDER BY i`, id, signals)
	for _, c := range []struct{ action, name, args, status, result, reason string }{
		{"query", "count", "", "completed", "20", ""},
		{"update", "ask", `["me"]`, "completed", `"heard me"`, ""},
		{"query", "nonsense", "", "failed", "", "Workflow did not register a handler for nonsense"},
		{"signal", "", "", "failed", "", "a signal needs a name"},
		{"reset", "frist", "", "failed", "", "a reset goes to the first or the last"},
		{"reset", "last", "", "completed", "", ""},
		{"query", "count", "", "completed", "20", ""},
	} {
		var args any
		if c.args != "" {
			args = c.args
		}
		status, result, reason := w.asksOf(id, c.action, c.name, args)
		if status != c.status || c.result != "" && result != c.result || len(reason) < len(c.reason) || reason[:len(c.reason)] != c.reason {
			t.Errorf("%s %s: %s, %s, %s; want %+v", c.action, c.name, status, result, reason, c)
		}
	}
	w.asksOf(id, "signal", "finish", nil)
	got := w.becomes(id, "completed")
	var seen []int
	if err := json.Unmarshal([]byte(got.Output), &seen); err != nil || len(seen) != signals {
		t.Fatalf("output %s, %v", got.Output, err)
	}
	for i, n := range seen {
		if n != i+1 {
			t.Errorf("signals arrived as %v", seen)
			break
		}
	}
	if status, _, reason := w.asksOf(id, "signal", "tell", nil); status != "failed" || reason == "" {
		t.Errorf("a signal to one that is over: %s %s", status, reason)
	}
	for action, end := range map[string]string{"cancel": "cancelled", "terminate": "failed"} {
		id := w.starts(`{"wait": true}`, nil)
		w.becomes(id, "running")
		if status, _, reason := w.asksOf(id, action, "", nil); status != "completed" {
			t.Errorf("%s: %s", action, reason)
		}
		if got := w.becomes(id, end); action == "terminate" && got.Message != "terminated: by a test" {
			t.Errorf("%+v", got)
		}
	}
}

func TestAnExecutionOfSomebodyElsesIsNeverTaken(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	other := w.builder.project().workflow("victim", executedCode)
	theirs := other.starts(`{"wait": true}`, nil)
	victim := other.becomes(theirs, "running")
	for _, options := range []string{
		`{}`, `{"workflowIdConflictPolicy": "USE_EXISTING"}`, `{"workflowIdConflictPolicy": "TERMINATE_EXISTING", "workflowIdReusePolicy": "ALLOW_DUPLICATE"}`,
		`{"workflowIdReusePolicy": "TERMINATE_IF_RUNNING"}`,
	} {
		var id string
		err := w.db.QueryRow(t.Context(), `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, options) VALUES ($1, 'pending', $2, $3) RETURNING id::text`,
			w.id, victim.TemporalID, options).Scan(&id)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.becomes(id, "failed"); got.RunID != "" {
			t.Errorf("%s: %+v", options, got)
		}
		if status, _, _ := w.asksOf(id, "terminate", "", nil); status != "failed" {
			t.Errorf("%s: terminated", options)
		}
	}
	// Written as running by somebody who may.
	var id string
	if err := w.db.QueryRow(t.Context(), `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', $2, $3) RETURNING id::text`,
		w.id, victim.TemporalID, victim.RunID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	w.becomes(id, "failed")
	if got, err := other.execution(theirs); err != nil || got.Status != victim.Status || got.RunID != victim.RunID {
		t.Errorf("the other's row says %+v, %v", got, err)
	}
	other.asksOf(theirs, "signal", "finish", nil)
	other.becomes(theirs, "completed")
}

// An execution that somebody else started is followed where a row names it, and recorded where all
// are to be.
func TestExecutionsOfOthersAreFollowedAndRecorded(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	w.running(nil)
	run := w.start("order-intake", map[string]any{"wait": true})
	var id string
	if err := w.db.QueryRow(t.Context(), `INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id) VALUES ($1, 'running', $2, $3) RETURNING id::text`,
		w.id, run.GetID(), run.GetRunID()).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if status, _, reason := w.asksOf(id, "signal", "finish", nil); status != "completed" {
		t.Errorf("a signal: %s", reason)
	}
	if got := w.becomes(id, "completed"); got.Output != "[]" {
		t.Errorf("%+v", got)
	}
	w.exec(`UPDATE projects SET record_executions = 'all' WHERE id = $1`, w.project.id)
	recorded := w.start("order-intake", map[string]any{"name": "Ann"})
	eventually(t, "it has a row", func() error {
		ids := w.ids(`SELECT id::text FROM workflow_executions WHERE temporal_workflow_id = $1 AND status = 'completed' AND output = '"Hello Ann"' AND input = '{"name": "Ann"}'`, recorded.GetID())
		if len(ids) != 1 {
			return fmt.Errorf("%d rows", len(ids))
		}
		return nil
	})
}

// Children have rows of their own, which name their parent's: one that a row started, one that
// went on as another run, and none of another project's.
func TestRecordedExecutionsKnowTheirInputAndParent(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url, "RECORD_EXECUTIONS=all", "EXECUTION_MAX_VALUE_BYTES=1024")
	b := newBuilder(t, url)
	p, other := b.project(), b.project()
	const code = `
import { executeChild, continueAsNew, sleep } from '@temporalio/workflow';
interface Input { queue?: string; then?: boolean; large?: string }
export async function small(..._: unknown[]): Promise<string> { await sleep(1); return 'small'; }
export async function family(input: Input): Promise<unknown> {
  if (input.then) return continueAsNew<typeof family>({ ...input, then: false });
  return executeChild('small', { args: [1, 'two'], ...(input.queue ? { taskQueue: input.queue } : {}) });
}
`
	w, foreign := p.workflow("family", code), other.workflow("family", code)
	p.running(nil)
	other.running(nil)
	child := func(project *project, parent string) {
		t.Helper()
		eventually(t, "the child's row", func() error {
			got := b.ids(`SELECT concat_ws(' ', c.status, c.output::text, c.input::text, p.temporal_workflow_id) FROM workflow_executions c JOIN workflows w ON w.id = c.workflow_id
				LEFT JOIN workflow_executions p ON p.id = c.parent_id WHERE w.project_id = $1 AND c.output = '"small"' AND c.input = '[1, "two"]'`, project.id)
			if len(got) != 1 || got[0] != strings.TrimSpace(`completed "small" [1, "two"] `+parent) {
				return fmt.Errorf("%q", got)
			}
			return nil
		})
		b.exec(`DELETE FROM workflow_executions WHERE input = '[1, "two"]'`)
	}
	row := w.starts(`{}`, nil)
	child(p, w.becomes(row, "completed").TemporalID)
	continued := w.starts(`{"then": true}`, nil)
	child(p, w.becomes(continued, "completed").TemporalID)
	recorded := w.start("family", map[string]any{"large": strings.Repeat("x", 2000)})
	child(p, recorded.GetID())
	eventually(t, "the parent's row says how large its input is", func() error {
		if got := b.ids(`SELECT input::text FROM workflow_executions WHERE temporal_workflow_id = $1`, recorded.GetID()); len(got) != 1 || !strings.Contains(got[0], `"bytes": 2012`) {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	abroad := w.start("family", map[string]any{"queue": foreign.taskQueue})
	if got := result[string](p, abroad); got != "small" {
		t.Error(got)
	}
	child(other, "")
}
