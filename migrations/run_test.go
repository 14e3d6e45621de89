package migrations_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

var contractTables = []string{
	"activity_statistics", "component_executions", "components", "project_statistics", "projects",
	"worker_events", "worker_requests", "workflow_code_store", "workflow_compiled_code",
	"workflow_execution_failures", "workflow_execution_moves", "workflow_execution_requests",
	"workflow_execution_stays", "workflow_executions", "workflow_live_code",
	"workflow_live_periods", "workflow_package_bundles", "workflow_quarantine", "workflow_quarantined_executions", "workflow_replicas",
	"workflow_statistics", "workflow_workers", "workflows",
}

func TestRunMakesAllTablesOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	d := migrated(emptyDatabase(t))
	got := d.strings(`SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	if !slices.Equal(got, contractTables) {
		t.Errorf("tables %v, want %v", got, contractTables)
	}
}

func TestStatusTellsWhatIsPendingAndChangesNothing(t *testing.T) {
	t.Parallel()
	d := emptyDatabase(t)
	before, err := migrations.Status(t.Context(), d.url)
	if err != nil {
		t.Fatal(err)
	}
	if len(before) < 7 || slices.ContainsFunc(before, migrations.Migration.Applied) {
		t.Errorf("before: %v, want all pending", before)
	}
	if n := d.string(`SELECT count(*)::text FROM pg_namespace WHERE nspname = 'workflow_worker'`); n != "0" {
		t.Error("Status made a schema")
	}
	migrated(d)
	after, err := migrations.Status(t.Context(), d.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range after {
		if !m.Applied() {
			t.Errorf("%s is pending after Run", m.Name)
		}
	}
}

// The files promise to run any number of times, by hand too, without goose.
func TestEachFileMayRunTwice(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(testing.TB) *database{
		"empty": migratedEmpty, "supabase": migratedSupabase, "builder": migratedBuilder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := make(t)
			once := d.catalog()
			names, err := fs.Glob(migrations.SQL(), "*.sql")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range names {
				d.exec("BEGIN")
				d.exec(script(t, file))
				d.exec("COMMIT")
				// A later file may say anew what an earlier one's comment says.
				diff := slices.DeleteFunc(difference(once, d.catalog()), func(line string) bool { return strings.Contains(line, " comment ") })
				if len(diff) > 0 {
					t.Errorf("%s changed something when run again: %q", file, diff)
				}
			}
			if diff := difference(once, d.catalog()); len(diff) > 0 {
				t.Errorf("all files together changed something when run again: %q", diff)
			}
			if err := migrations.Run(t.Context(), d.url, stacktest.Logger(t)); err != nil {
				t.Errorf("Run again: %v", err)
			}
		})
	}
}

func TestUpdatedAtMovesWithEachUpdate(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	for _, table := range []string{"projects", "workflows", "workflow_compiled_code", "components", "workflow_workers", "activity_statistics", "workflow_executions"} {
		// Whoever writes may not set it either.
		d.exec(`UPDATE ` + table + ` SET updated_at = '2001-01-01'`)
		if n := d.string(`SELECT count(*)::text FROM ` + table + ` WHERE updated_at < now() - interval '1 hour'`); n != "0" {
			t.Errorf("%s.updated_at did not move", table)
		}
	}
}

func TestEveryTableAndColumnHasAComment(t *testing.T) {
	t.Parallel()
	const uncommented = `
SELECT c.oid::regclass || coalesce('.' || a.name, '')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT attname, attnum::int FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                    UNION ALL SELECT NULL, 0) AS a (name, number)
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.number
WHERE c.relkind = 'r' AND (n.nspname = 'workflow_worker' OR n.nspname = 'public' AND c.relname = ANY ($1))
  AND coalesce(trim(d.description), '') = ''
ORDER BY 1`
	d := migratedEmpty(t)
	if got := d.strings(uncommented, contractTables); len(got) > 0 {
		t.Errorf("without a comment: %v", got)
	}
}

func TestCommentsOfOthersStay(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	got := d.string(`SELECT col_description('components'::regclass, attnum) FROM pg_attribute
		WHERE attrelid = 'components'::regclass AND attname = 'implementation_language'`)
	if got != "The Workflow Builder's own comment." {
		t.Errorf("comment is now %q", got)
	}
}
