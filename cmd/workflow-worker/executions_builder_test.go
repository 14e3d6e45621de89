package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack/stacktest"
)

// Those of migrations/testdata/builder.sql.
const (
	annsAuth, annsProject, annsWorkflow = "a0000000-0000-4000-8000-0000000000ff", "a0000000-0000-4000-8000-000000000003", "a0000000-0000-4000-8000-000000000005"
	bensWorkflow                        = "b0000000-0000-4000-8000-000000000005"
)

// asAnn inserts a row that waits as her browser does.
func (b *builder) asAnn(columns, values string, args ...any) (id string) {
	b.t.Helper()
	tx, err := b.db.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, q := range []string{`SELECT set_config('request.jwt.claims', '{"sub": "` + annsAuth + `"}', true)`, `SET LOCAL ROLE authenticated`} {
		if _, err := tx.Exec(b.t.Context(), q); err != nil {
			b.t.Fatal(err)
		}
	}
	err = tx.QueryRow(b.t.Context(), `INSERT INTO workflow_executions (workflow_id, status, `+columns+`) VALUES ('`+annsWorkflow+`', 'pending', `+values+`) RETURNING id::text`, args...).Scan(&id)
	if err = errors.Join(err, tx.Commit(b.t.Context())); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// The Workflow Builder's own tables have defaults, checks, keys and lengths that ours haven't: executions
// begin, end and are refused in them all the same.
func TestExecutionsAreRowsOfTheWorkflowBuildersOwnTables(t *testing.T) {
	t.Parallel()
	url := stacktest.Database(t)
	b := newBuilder(t, url)
	for _, name := range []string{"supabase", "builder"} {
		text, err := os.ReadFile("../../migrations/testdata/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, name, func() error {
			_, err := b.db.Exec(t.Context(), string(text))
			// Roles are the server's: another test may make the same ones at this moment.
			if made := new(pgconn.PgError); err != nil && (!errors.As(err, &made) || made.Code != "42710" && made.Code != "23505") {
				t.Fatal(err)
			}
			return err
		})
	}
	b.exec(`UPDATE projects SET task_queue_name = left(task_queue_name, 3) || $1`, stacktest.TaskQueue(t))
	b.exec(`UPDATE workflow_compiled_code SET workflow_code = $1`, executedCode)
	startService(t, url)
	b.exec(`UPDATE components SET project_id = $1, implementation_code = 'export async function greet(name: string) { return "Hello " + name; }' WHERE name = 'greet'`, annsProject)
	eventually(t, "greet is live", func() error {
		var live bool
		err := b.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM workflow_workers w, jsonb_array_elements(w.metadata->'components') c WHERE w.project_id = $1 AND c->>'name' = 'greet' AND c ? 'since')`, annsProject).Scan(&live)
		if err == nil && !live {
			err = errors.New("not yet")
		}
		return err
	})

	if x := b.becomes(b.asAnn(`input`, `'{"name": "Ann"}'`), "completed"); x.Output != `"Hello Ann"` || x.Duration < 0 || !x.Started || !x.Ended {
		t.Errorf("an execution: %+v", x)
	}
	if x := b.becomes(b.asAnn(`input`, `'{"fail": true}'`), "failed"); x.Message != "no stock" {
		t.Errorf("one that fails: %+v", x)
	}
	// What never begins ends, too.
	if x := b.becomes(b.asAnn(`options`, `'{"nonsense": 1}'`), "failed"); !strings.Contains(x.Message, "nonsense") || x.RunID != "" {
		t.Errorf("one that is refused: %+v", x)
	}
	var bens string
	if err := b.db.QueryRow(t.Context(), `INSERT INTO workflow_executions (workflow_id, status, input) VALUES ($1, 'pending', '{"wait": true}') RETURNING id::text`, bensWorkflow).Scan(&bens); err != nil {
		t.Fatal(err)
	}
	taken := b.becomes(bens, "running").TemporalID
	for _, options := range []string{`{}`, `{"workflowIdConflictPolicy": "USE_EXISTING"}`, `{"workflowIdConflictPolicy": "TERMINATE_EXISTING"}`, `{"workflowIdReusePolicy": "TERMINATE_IF_RUNNING"}`} {
		if x := b.becomes(b.asAnn(`temporal_workflow_id, options`, `$1, $2`, taken, options), "failed"); x.RunID != "" || !strings.Contains(x.Message, "another") {
			t.Errorf("with the id of somebody else's and %s: %+v", options, x)
		}
	}
	if status, _, reason := b.asksOf(bens, "signal", "finish", nil); status != "completed" {
		t.Errorf("a signal: %s, %s", status, reason)
	}
	b.becomes(bens, "completed")
	eventually(t, "steps and statistics are there", func() error {
		var got string
		err := b.db.QueryRow(t.Context(), `SELECT concat_ws(' ', (SELECT string_agg(concat_ws(' ', c.node_id, c.component_name, c.status, c.output_data), ', ') FROM component_executions c
				JOIN workflow_executions e ON e.id = c.workflow_execution_id WHERE c.run_id IS NOT NULL AND e.workflow_id = $1),
			(SELECT concat_ws(' ', total_runs, successful_runs, failed_runs) FROM workflow_statistics WHERE workflow_id = $1))`, annsWorkflow).Scan(&got)
		if err == nil && got != `n1 greet completed "Hello Ann" 3 2 1` { // one was there before
			err = errors.New(got)
		}
		return err
	})
}
