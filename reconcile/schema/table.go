package schema

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tables are those that others than the service write or read, as JSON (PostgREST, Realtime).
var tables = []string{
	"projects", "workflows", "workflow_compiled_code", "components", "worker_requests", "workflow_workers",
	"workflow_executions", "component_executions", "workflow_execution_requests", "worker_events", "activity_statistics",
	"workflow_statistics", "project_statistics", "activities_needing_attention", "project_status",
}

const columnsSQL = `
SELECT c.relname, coalesce(obj_description(c.oid), ''), a.attname, format_type(a.atttypid, NULL), NOT a.attnotnull, coalesce(col_description(c.oid, a.attnum), ''),
  coalesce((SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
    AND pg_get_constraintdef(k.oid) LIKE '%ANY (ARRAY[%' LIMIT 1), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)
ORDER BY array_position($1, c.relname::text), a.attnum`

var listed = regexp.MustCompile(`'([^']*)'::`)

// rowsOf gives the shape of each table's row. jsons are the shapes of JSON columns.
func rowsOf(ctx context.Context, db *pgx.Conn, jsons map[string]*shape) (list []*named, err error) {
	found, err := db.Query(ctx, columnsSQL, tables)
	if err != nil {
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	defer found.Close()
	for found.Next() {
		var table, about, column, kind, doc, check string
		var null bool
		if err := found.Scan(&table, &about, &column, &kind, &null, &doc, &check); err != nil {
			return nil, err
		}
		name := goName(table) + "Row"
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, &named{name: name, doc: line(about), shape: &shape{kind: "object"}})
		}
		s, err := columnShape(kind)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", table, column, err)
		}
		if known := jsons[table+"."+column]; known != nil {
			copied := *known
			s = &copied
		}
		for _, m := range listed.FindAllStringSubmatch(check, -1) {
			s.values = append(s.values, m[1])
		}
		s.null = null && s.kind != "any"
		row := list[len(list)-1].shape
		row.fields = append(row.fields, field{name: column, doc: line(doc), shape: s})
	}
	return list, found.Err()
}

func columnShape(kind string) (*shape, error) {
	switch kind {
	case "uuid":
		return &shape{kind: "string", format: "uuid"}, nil
	case "text", "character varying", "interval":
		return &shape{kind: "string"}, nil
	case "timestamp with time zone":
		return &shape{kind: "string", format: "date-time"}, nil
	case "boolean":
		return &shape{kind: "boolean"}, nil
	case "integer", "bigint", "smallint":
		return &shape{kind: "integer"}, nil
	case "double precision", "numeric", "real":
		return &shape{kind: "number"}, nil
	case "jsonb":
		return &shape{kind: "any"}, nil
	case "text[]":
		return &shape{kind: "array", of: &shape{kind: "string"}}, nil
	}
	return nil, fmt.Errorf("%s has no shape in JSON", kind)
}

func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// goName makes WorkflowWorkers of workflow_workers.
func goName(table string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(table, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
