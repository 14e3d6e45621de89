package schema

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/executions"
	"workflow-worker/reconcile/rows"
)

// The files, beside this one.
const (
	jsonFile = "rows.schema.json"
	tsFile   = "rows.ts"
)

// generate makes the files' contents: of the types in the folders of the rows' packages, and of a
// database that is migrated.
func generate(ctx context.Context, db *pgx.Conn) (map[string][]byte, error) {
	shapes := executions.Shapes()
	b := &book{docs: map[string]string{}, names: map[reflect.Type]string{
		reflect.TypeFor[rows.Metadata](): "WorkflowWorkersMetadata", reflect.TypeFor[rows.Result](): "WorkerRequestResult",
		shapes["workflow_executions.error"]: "WorkflowExecutionError", shapes["workflow_executions.options"]: "WorkflowExecutionOptions",
	}}
	for _, dir := range []string{"../rows", "../executions", "../executions/shown"} {
		if err := b.readDocs(dir); err != nil {
			return nil, err
		}
	}
	jsons := map[string]*shape{}
	for _, x := range []struct {
		column string
		of     reflect.Type
		input  bool
	}{
		{"workflow_workers.metadata", reflect.TypeFor[rows.Metadata](), false},
		{"worker_requests.result", reflect.TypeFor[rows.Result](), false},
		{"workflow_executions.error", shapes["workflow_executions.error"], false},
		{"workflow_executions.options", shapes["workflow_executions.options"], true},
	} {
		var err error
		b.input = x.input
		if jsons[x.column], err = b.add(x.of); err != nil {
			return nil, err
		}
	}
	b.input = false
	details := &shape{}
	for _, t := range []reflect.Type{
		reflect.TypeFor[rows.LiveDetails](), reflect.TypeFor[rows.BrokenDetails](), reflect.TypeFor[rows.MigratedDetails](), reflect.TypeFor[rows.RequestDetails](),
		reflect.TypeFor[rows.KeptCodeDetails](), reflect.TypeFor[rows.FailingDetails](),
	} {
		one, err := b.add(t)
		if err != nil {
			return nil, err
		}
		details.oneOf = append(details.oneOf, one)
	}
	text := &shape{kind: "string"}
	b.entries = append(b.entries, &named{"CodeRemovedDetails", "CodeRemovedDetails are the details of code_removed.", &shape{kind: "object", fields: []field{
		{name: "kind", shape: text}, {name: "name", shape: text}, {name: "version", shape: text, optional: true}, {name: "hash", shape: text}}}})
	details.oneOf = append(details.oneOf, &shape{kind: "ref", ref: "CodeRemovedDetails"}, &shape{kind: "map", of: &shape{kind: "any"}}) // none
	jsons["worker_events.details"] = details
	jsons["worker_events.kind"] = &shape{kind: "string", values: rows.EventKinds()}
	b.entries = append(b.entries,
		&named{"WorkflowExecutionResetResult", "What workflow_execution_requests.result is for a reset: the new run.",
			&shape{kind: "object", fields: []field{{name: "runId", shape: &shape{kind: "string"}}}}},
		&named{"WorkflowExecutionRequestResult", "What workflow_execution_requests.result is: what the handler of an update or query returned, or WorkflowExecutionResetResult.",
			&shape{kind: "any"}},
	)
	tables, err := rowsOf(ctx, db, jsons)
	if err != nil {
		return nil, err
	}
	all := append(b.entries, tables...)
	schema, err := jsonSchema(all)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{jsonFile: schema, tsFile: typeScript(all)}, nil
}
