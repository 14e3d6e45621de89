package main

import (
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
)

// failing waits until the row says that so many executions of a workflow get no further.
func (p *project) failing(name string, executions int64) rows.Failing {
	p.t.Helper()
	var f rows.Failing
	p.running(func(row workerRow) error {
		s, err := source(row, name)
		if err != nil {
			return err
		}
		if f = (rows.Failing{}); s.Failing != nil {
			f = *s.Failing
		}
		if f.Executions != executions {
			return fmt.Errorf("%+v, want %d executions of %s", f, executions, name)
		}
		return nil
	})
	return f
}

func TestStuckExecutionsAreSeenUntilTheyAreNot(t *testing.T) {
	t.Parallel()
	const crowd = 10
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "HEARTBEAT_INTERVAL=1s")
	p := newBuilder(t, db).project()
	w := p.workflow("flow", `import { condition } from '@temporalio/workflow';
export async function flow() {
  const order = undefined as any;
  return order.lines;
}`)
	p.workflow("waits", `import { condition, setHandler, defineSignal, upsertSearchAttributes } from '@temporalio/workflow';
export async function waits() {
  let done = '';
  setHandler(defineSignal<[string]>('go'), (how) => { done = how; });
  await condition(() => done !== '');
  if (done === 'attribute') upsertSearchAttributes({ NobodyKnowsThis: ['x'] });
  if (done === 'throw') throw new TypeError('late');
  return done;
}`)
	p.workflow("rejects", `export async function rejects() {
  Promise.reject(new RangeError('nobody waits'));
  await new Promise(() => {});
}`)
	p.running(liveVersion("waits", "1"))
	before := p.running(liveVersion("flow", "1"))
	if before.Metadata.Error != "" {
		t.Fatalf("the row says %q", before.Metadata.Error)
	}

	t.Log("the row says how many, since when, and an example with the author's line")
	var runs []client.WorkflowRun
	for range crowd {
		runs = append(runs, p.start("flow"))
	}
	f := p.failing("flow", crowd)
	code, err := source(p.running(nil), "flow")
	if err != nil {
		t.Fatal(err)
	}
	x := f.Example
	if f.Since.IsZero() || x.Type != "flow" || x.Version != "1" || x.Hash != code.Hash || x.Reason != "exception" || x.File != "flow.ts" || x.Line != 4 ||
		x.Column == 0 || !strings.Contains(x.Message, "Cannot read propert") {
		t.Errorf("%+v", f)
	}
	if !isOneOf(runs, x.WorkflowID, x.RunID) {
		t.Errorf("the example is %+v", x)
	}
	p.running(func(row workerRow) error {
		if !strings.Contains(row.Metadata.Error, fmt.Sprintf("%d executions of workflow flow get no further", crowd)) || !strings.Contains(row.Metadata.Error, "flow.ts:4:") {
			return fmt.Errorf("the row says %q", row.Metadata.Error)
		}
		return nil
	})
	eventually(t, "there is an event", func() error {
		var n int
		var message string
		err := p.db.QueryRow(t.Context(), `SELECT count(*), coalesce(max(message), '') FROM worker_events WHERE project_id = $1 AND kind = 'failing'`, p.id).Scan(&n, &message)
		if err == nil && (n < 1 || n > 2 || !strings.Contains(message, "flow.ts:4:")) {
			err = fmt.Errorf("%d events, the last says %q", n, message)
		}
		return err
	})
	if _, body, err := s.get("/metrics"); err != nil || !strings.Contains(body, fmt.Sprintf("workflow_worker_executions_failing %d\n", crowd)) {
		t.Errorf("the metric doesn't say it: %v", err)
	}

	t.Log("other ways to be stuck: refused by the server, after a first task, a rejection, a type that nobody serves")
	attribute, late, rejects, nobody := p.start("waits"), p.start("waits"), p.start("rejects"), p.start("nobody")
	for how, run := range map[string]client.WorkflowRun{"attribute": attribute, "throw": late} {
		if err := p.temporal.SignalWorkflow(t.Context(), run.GetID(), "", "go", how); err != nil {
			t.Fatal(err)
		}
	}
	p.failing("waits", 2)
	var refused string
	if err := p.db.QueryRow(t.Context(), `SELECT reason || ': ' || message FROM workflow_execution_failures WHERE run_id = $1`, attribute.GetRunID()).Scan(&refused); err != nil ||
		!strings.Contains(refused, "refused: BadSearchAttributes") || !strings.Contains(refused, "NobodyKnowsThis") {
		t.Errorf("%q, %v", refused, err)
	}
	if f := p.failing("rejects", 1); f.Example.Reason != "unhandled_rejection" || !strings.Contains(f.Example.Message, "nobody waits") {
		t.Errorf("%+v", f)
	}
	p.running(func(row workerRow) error {
		if f := row.Metadata.Failing; f == nil || f.Executions != 1 || f.Example.Type != "nobody" || f.Example.Reason != "unknown_type" {
			return fmt.Errorf("%+v", f)
		}
		return nil
	})

	t.Log("a query that fails makes nobody stuck")
	well := p.start("waits")
	if _, err := p.temporal.QueryWorkflow(t.Context(), well.GetID(), "", "unknown"); err == nil {
		t.Error("it was answered")
	}
	p.failing("waits", 2)

	t.Log("terminated, cleared; corrected, they go on")
	for _, run := range []client.WorkflowRun{attribute, late, rejects, nobody} {
		if err := p.temporal.TerminateWorkflow(t.Context(), run.GetID(), "", "test"); err != nil {
			t.Fatal(err)
		}
	}
	p.failing("waits", 0)
	p.failing("rejects", 0)
	w.edit("2", `export async function flow() { return 'corrected'; }`)
	for _, run := range runs {
		if got := result[string](p, run); got != "corrected" {
			t.Errorf("%q", got)
		}
	}
	p.failing("flow", 0)
	p.running(func(row workerRow) error {
		if row.Metadata.Error != "" || row.Metadata.Failing != nil {
			return fmt.Errorf("the row says %+v", row.Metadata)
		}
		return nil
	})
}
