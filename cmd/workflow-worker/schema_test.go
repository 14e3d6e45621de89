package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// strict has a schema refuse what it doesn't list.
func strict(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if s["properties"] != nil {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			strict(v)
		}
	case []any:
		for _, v := range s {
			strict(v)
		}
	}
}

// What the service writes is what reconcile/schema tells those who read it.
func TestRowsAreAsTheirSchemaSays(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	p := w.project
	p.running(liveVersion("order-intake", "1"))

	p.becomes(w.starts(`{"name":"Ann"}`, `{"workflowId":"`+p.taskQueue+`-ann","memo":{"a":1},"workflowExecutionTimeout":"1 hour","retry":{"maximumAttempts":2},"priority":{"priorityKey":2}}`), "completed")
	p.becomes(w.starts(`{"name":"nobody"}`, nil), "failed")
	p.becomes(w.starts(`{"fail":true}`, nil), "failed")
	waiting := w.starts(`{"wait":true}`, nil)
	p.becomes(waiting, "running")
	for _, ask := range []struct{ action, name, args, want string }{
		{"update", "ask", `["it"]`, `"heard it"`}, {"query", "count", `[]`, "0"}, {"reset", "first", "", "runId"}, {"query", "none", `[]`, ""},
	} {
		var args any
		if ask.args != "" {
			args = ask.args
		}
		if _, result, reason := p.asksOf(waiting, ask.action, ask.name, args); !strings.Contains(result, ask.want) {
			t.Errorf("%s: %s %s", ask.action, result, reason)
		}
	}
	w.edit("2", strings.Replace(executedCode, "if (input.wait) {", "if (input.wait) { await sleep(1);", 1))
	p.running(liveVersion("order-intake", "2"))
	w.superseded("1: 1")
	for _, action := range []string{"check", "migrate"} {
		if _, reason, result := w.asks(action, "", ""); result.Breaks != 1 {
			t.Errorf("%s: %s, %+v", action, reason, result)
		}
	}
	p.workflow("broken", "export async function broken( {")
	p.component("warns", "export async function warns() { return oops; }")
	p.workflow("fails", `export async function fails() { throw new Error('on purpose'); }`)
	p.running(liveVersion("fails", "1"))
	p.start("fails")
	p.failing("fails", 1)
	p.request("restart")

	text, err := os.ReadFile(filepath.Join(root, "reconcile/schema/rows.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	strict(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("rows.json", document); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for table, name := range map[string]string{
		"projects": "ProjectsRow", "workflows": "WorkflowsRow", "workflow_compiled_code": "WorkflowCompiledCodeRow", "components": "ComponentsRow",
		"worker_requests": "WorkerRequestsRow", "workflow_workers": "WorkflowWorkersRow", "workflow_executions": "WorkflowExecutionsRow",
		"workflow_execution_requests": "WorkflowExecutionRequestsRow", "worker_events": "WorkerEventsRow", "project_status": "ProjectStatusRow",
		"activity_statistics": "ActivityStatisticsRow", "component_executions": "ComponentExecutionsRow",
		"workflow_statistics": "WorkflowStatisticsRow", "project_statistics": "ProjectStatisticsRow",
	} {
		schema, err := c.Compile("rows.json#/$defs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, table+" has rows", func() error {
			seen[table] = 0
			found, err := p.db.Query(t.Context(), "SELECT to_jsonb(r)::text FROM public."+table+" r")
			if err != nil {
				return err
			}
			list, err := pgx.CollectRows(found, pgx.RowTo[string])
			for _, row := range list {
				seen[table]++
				value, err := jsonschema.UnmarshalJSON(strings.NewReader(row))
				if err != nil {
					return err
				}
				if err := schema.Validate(value); err != nil {
					t.Errorf("%s: %v\n%s", table, err, row)
				}
			}
			if len(list) == 0 {
				return errors.New("none")
			}
			return err
		})
	}
	// It isn't all null: what the schemas are about was there.
	for _, sql := range []string{
		`SELECT count(*) FROM workflow_workers WHERE metadata::text LIKE '%superseded%' AND metadata::text LIKE '%"line"%' AND metadata::text LIKE '%warning%' AND metadata ? 'lastReload'`,
		`SELECT count(*) FROM workflow_executions WHERE error ? 'cause' AND error->'cause' ? 'line'`,
		`SELECT count(*) FROM worker_requests WHERE result ? 'broken'`,
		`SELECT count(*) FROM workflow_execution_requests WHERE result ? 'runId'`,
		`SELECT count(*) FROM worker_events WHERE kind = 'compile_failed' AND details ? 'line'`,
	} {
		eventually(t, sql, func() error {
			var n int
			err := p.db.QueryRow(t.Context(), sql).Scan(&n)
			if err == nil && n == 0 {
				err = errors.New("no such row")
			}
			return err
		})
	}
	// The schema isn't one that takes anything.
	workers, err := c.Compile("rows.json#/$defs/WorkflowWorkersMetadata")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{}`, `{"schema":1,"replica":"r","workflows":[{"id":1,"name":"x"}],"components":[]}`, `{"schema":1,"replica":"r","workflows":[],"components":[],"more":1}`} {
		var value any
		if err := json.Unmarshal([]byte(bad), &value); err != nil {
			t.Fatal(err)
		}
		if workers.Validate(value) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
	if !slices.ContainsFunc(pages, func(name string) bool { return strings.Contains(page(t, name), "rows.schema.json") }) {
		t.Error("no page tells of rows.schema.json")
	}
}
