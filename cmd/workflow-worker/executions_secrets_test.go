package main

import (
	"fmt"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

const secretiveCode = `
import { condition, defineQuery, defineSignal, defineUpdate, executeChild, setHandler, proxyActivities, ApplicationFailure } from '@temporalio/workflow';
const { echo } = proxyActivities<any>({ startToCloseTimeout: '20s', retry: { maximumAttempts: 1 } });
export async function secretive(input: any, ...more: any[]): Promise<unknown> {
  setHandler(defineQuery('look'), () => ({ apiKey: input.apiKey, seen: [input.apiKey, 'nothing'] }));
  setHandler(defineUpdate('ask'), (fail: boolean) => {
    if (fail) throw ApplicationFailure.nonRetryable('not with ' + input.apiKey);
    return { APIKEY: 'another', url: 'https://x/?k=' + input.apiKey };
  });
  if (input.do === 'waits') { let go = false; setHandler(defineSignal('go'), () => { go = true; }); await condition(() => go); }
  if (input.do === 'fails') throw ApplicationFailure.create({ message: 'refused: ' + input.apiKey, type: 'Refused', details: [{ apiKey: 'of the details', text: 'it was of the details' }], nonRetryable: true });
  if (input.do === 'child') return executeChild('secretive', { args: [{ do: 'returns', apiKey: 'of-the-child' }] });
  if (input.do === 'step') return echo({ apiKey: input.apiKey });
  return { do: input.do, apiKey: input.apiKey, n: 9007199254740993, text: 'with ' + input.apiKey, more };
}
`

// What a workflow's definition, or a component that it uses, names as secret the service writes into
// no row: not as what an execution gives, throws or answers.
func TestAnExecutionTellsNoSecrets(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url, "RECORD_EXECUTIONS=all", "RECORD_STEPS=all")
	p := newBuilder(t, url).project()
	p.component("echo", `export async function echo(x: any) { return { token: 'tokens-value', key: x.apiKey }; }`)
	p.exec(`UPDATE components SET config_schema = '{"redact": "token"}' WHERE name = 'echo' AND project_id = $1`, p.id)
	w := p.workflow("secretive", secretiveCode)
	w.exec(`UPDATE workflows SET definition = jsonb_build_object('redact', '["apiKey"]'::jsonb, 'nodes', jsonb_build_array(
		jsonb_build_object('id', 'n', 'data', jsonb_build_object('componentId', c.id)))) FROM components c WHERE c.name = 'echo' AND c.project_id = $2 AND workflows.id = $1`, w.id, p.id)
	w.running(nil)

	id := w.starts(`{"do": "returns", "apiKey": "k-12345"}`, nil)
	if x := w.becomes(id, "completed"); x.Output != `{"n": 9007199254740992, "do": "returns", "more": [], "text": "with [redacted]", "apiKey": "[redacted]"}` {
		t.Errorf("gave %s", x.Output)
	}
	id = w.starts(nil, `{"args": [{"do": "returns", "apiKey": "k-12345"}, "and k-12345"]}`)
	if x := w.becomes(id, "completed"); strings.Contains(x.Output, "12345") || !strings.Contains(x.Output, `["and [redacted]"]`) {
		t.Errorf("gave %s", x.Output)
	}
	id = w.starts(`{"do": "fails", "apiKey": "k-12345"}`, nil)
	if x := w.becomes(id, "failed"); x.Message != "refused: [redacted]" || strings.Contains(x.Error, "12345") ||
		!strings.Contains(x.Error, `"details": {"text": "it was [redacted]", "apiKey": "[redacted]"}`) || !strings.Contains(x.Error, `"type": "Refused"`) {
		t.Errorf("%s: %s", x.Message, x.Error)
	}
	id = w.starts(`{"do": "step", "apiKey": "k-12345"}`, nil)
	if x := w.becomes(id, "completed"); x.Output != `{"key": "[redacted]", "token": "[redacted]"}` {
		t.Errorf("gave %s", x.Output)
	}
	w.settled(id)
	if g := w.stepStatuses(id, "completed")[0]; g.Input != `{"apiKey": "[redacted]"}` || g.Output != `{"key": "[redacted]", "token": "[redacted]"}` {
		t.Errorf("%+v", g)
	}
	id = w.starts(`{"do": "waits", "apiKey": "k-12345"}`, nil)
	if _, result, why := w.asksOf(id, "query", "look", nil); result != `{"seen": ["[redacted]", "nothing"], "apiKey": "[redacted]"}` {
		t.Errorf("answered %s %s", result, why)
	}
	if _, result, why := w.asksOf(id, "update", "ask", `[false]`); result != `{"url": "https://x/?k=[redacted]", "APIKEY": "[redacted]"}` {
		t.Errorf("answered %s %s", result, why)
	}
	if status, _, why := w.asksOf(id, "update", "ask", `[true]`); status != "failed" || why != "not with [redacted]" {
		t.Errorf("refused with %s %s", status, why)
	}
	w.asksOf(id, "signal", "go", nil)
	w.becomes(id, "completed")
	// What is recorded has its input from the service.
	id = w.starts(`{"do": "child", "apiKey": "k-12345"}`, nil)
	w.becomes(id, "completed")
	eventually(t, "the child has a row without its secrets", func() error {
		var child string
		if err := w.db.QueryRow(t.Context(), `SELECT id::text FROM workflow_executions WHERE parent_id = $1 AND status = 'completed'
			AND input = '{"do": "returns", "apiKey": "[redacted]"}'::jsonb AND output->>'text' = 'with [redacted]'`, id).Scan(&child); err != nil {
			return err
		}
		return nil
	})
	var told int
	if err := w.db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM component_executions c WHERE c::text ~ '12345|of-the-child|tokens-value')
		+ (SELECT count(*) FROM workflow_executions e WHERE concat(output, error, error_message) ~ '12345|of-the-child|tokens-value' OR parent_id IS NOT NULL AND input::text ~ 'of-the-child')
		+ (SELECT count(*) FROM workflow_execution_requests q WHERE q::text ~ '12345')`).Scan(&told); err != nil || told != 0 {
		t.Errorf("%d rows tell, %v", told, err)
	}
	w.exec(`UPDATE workflows SET definition = '{"metadata": {"redact": true}}' WHERE id = $1`, w.id)
	eventually(t, "all is withheld", func() error {
		id := w.starts(`{"do": "fails", "apiKey": "k-12345"}`, nil)
		if x := w.becomes(id, "failed"); x.Message != "[redacted]" || strings.Contains(x.Error, "details\": {") || strings.Contains(x.Error, "refused") {
			return errRow(x)
		}
		if x := w.becomes(w.starts(`{"do": "returns"}`, nil), "completed"); x.Output != `"[redacted]"` {
			return errRow(x)
		}
		return nil
	})
}

func errRow(x executionRow) error { return fmt.Errorf("%+v", x) }
