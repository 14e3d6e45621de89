package migrations_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// counted adds up what is noted, until nothing is left.
func (d *database) counted() {
	d.Helper()
	d.exec(`SELECT workflow_worker.count_up(1000)`)
	if n := d.string(`SELECT count(*)::text FROM workflow_worker.uncounted`); n != "0" {
		d.Errorf("%s notes are left", n)
	}
}

const (
	workflowRuns = `SELECT concat_ws(' ', total_runs, successful_runs, failed_runs, total_errors, avg_duration_ms, min_duration_ms, max_duration_ms, total_duration_ms)
		FROM workflow_statistics WHERE workflow_id = $1`
	projectRuns = `SELECT concat_ws(' ', total_executions, total_failures, longest_run_duration_ms, longest_run_workflow_id, most_used_workflow_id, most_used_workflow_count,
		most_used_task_queue_id, most_used_task_queue_count) FROM project_statistics WHERE project_id = $1`
	projectTotals = `SELECT concat_ws(' ', total_workflow_executions, avg_execution_duration_ms, last_execution_at IS NOT NULL) FROM projects WHERE id = $1`
	codeTotals    = `SELECT concat_ws(' ', execution_count, error_count, avg_execution_duration_ms, last_executed_at IS NOT NULL) FROM workflow_compiled_code WHERE id = $1`
)

func (d *database) says(what, want, sql string, args ...any) {
	d.Helper()
	if got := d.string(sql, args...); got != want {
		d.Errorf("%s: %s, want %s", what, got, want)
	}
}

// ends has an execution of a workflow run and end, as the service writes it.
func (d *database) ends(workflow, status string, took time.Duration) (id string) {
	d.Helper()
	id = uuid.NewString()
	d.exec(`INSERT INTO workflow_executions (id, workflow_id, status) VALUES ($1, $2, 'pending')`, id, workflow)
	d.exec(`UPDATE workflow_executions SET status = 'running', started_at = now(), temporal_workflow_id = 'w', temporal_run_id = 'r', first_run_id = 'r', code_version = '1.0.0' WHERE id = $1`, id)
	d.exec(`UPDATE workflow_executions SET status = $2, completed_at = now(), duration_ms = $3 WHERE id = $1`, id, status, took.Milliseconds())
	return id
}

// What ran and ended counts, once, in all places, with the mean of all that ended; what is deleted
// stays counted, and what goes on after its end counts when it ends again.
func TestExecutionsAreCountedOnce(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	// The row that was there before counts in the statistics that nobody wrote.
	d.says("what was there", "1 1 0 0 0", workflowRuns, annWorkflow)
	d.says("what was there", "1 0 "+annWorkflow+" 1 0", projectRuns, annProject)
	d.exec(`DELETE FROM workflow_statistics; DELETE FROM project_statistics`)

	d.ends(annWorkflow, "completed", 100*time.Millisecond)
	failed := d.ends(annWorkflow, "failed", 201*time.Millisecond)
	d.ends(annWorkflow, "cancelled", 50*time.Millisecond)
	for _, building := range []string{"failed", "cancelled", "completed"} { // none of these ran
		d.exec(`INSERT INTO workflow_executions (workflow_id, status) VALUES ($1, 'building')`, annWorkflow)
		d.exec(`UPDATE workflow_executions SET status = $1, completed_at = now(), started_at = now() WHERE status = 'building'`, building)
	}
	d.exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_run_id, first_run_id, started_at, completed_at) VALUES ($1, 'completed', 'x', 'x', now() - interval '53 ms', now())`, annWorkflow)
	all := func(runs, project, totals, code string) {
		t.Helper()
		d.counted()
		d.says("workflow", runs, workflowRuns, annWorkflow)
		d.says("project", project, projectRuns, annProject)
		d.says("totals", totals, projectTotals, annProject)
		d.says("code", code, codeTotals, annCode)
	}
	all("4 2 1 1 101 50 201 404", "4 1 201 "+annWorkflow+" "+annWorkflow+" 4 "+annQueue+" 4", "4 101 t", "4 1 101 t")
	d.says("Ben's", "0 0 f", projectTotals, benProject)

	d.exec(`DELETE FROM workflow_executions WHERE id <> $1`, failed)
	d.exec(`UPDATE workflow_executions SET output = '1' WHERE id = $1`, failed)
	all("4 2 1 1 101 50 201 404", "4 1 201 "+annWorkflow+" "+annWorkflow+" 4 "+annQueue+" 4", "4 101 t", "4 1 101 t")

	d.exec(`UPDATE workflow_executions SET status = 'running', temporal_run_id = 'r2', completed_at = NULL, duration_ms = NULL WHERE id = $1`, failed)
	all("3 2 0 0 68 50 201 203", "3 0 201 "+annWorkflow+" "+annWorkflow+" 3 "+annQueue+" 3", "3 68 t", "3 0 68 t")
	d.exec(`UPDATE workflow_executions SET status = 'completed', completed_at = now(), duration_ms = 301 WHERE id = $1`, failed)
	all("4 3 0 0 126 50 301 504", "4 0 301 "+annWorkflow+" "+annWorkflow+" 4 "+annQueue+" 4", "4 126 t", "4 0 126 t")
	// What was thought to be lost, and how it ended after all.
	d.exec(`UPDATE workflow_executions SET status = 'failed', error = '{"lost": true}' WHERE id = $1`, failed)
	d.exec(`UPDATE workflow_executions SET status = 'completed', error = NULL, duration_ms = 401 WHERE id = $1`, failed)
	all("4 3 0 0 151 50 401 604", "4 0 401 "+annWorkflow+" "+annWorkflow+" 4 "+annQueue+" 4", "4 151 t", "4 0 151 t")
}

// The Workflow Builder's server counts the executions that it started itself, after the service
// has counted them, or before: with its functions, or without a call of them, each counts once.
func TestTheBuildersOwnFunctionsDontCountTwice(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	const call = `SELECT increment_project_stats($1, 5000), increment_code_stats($2, 5000, false)`
	d.exec(call, annProject, annWorkflow)
	d.ends(annWorkflow, "completed", 100*time.Millisecond)
	d.counted()
	d.exec(call, annProject, annWorkflow)
	d.ends(annWorkflow, "completed", 200*time.Millisecond)
	d.counted()
	d.says("totals", "2 150 t", projectTotals, annProject)
	d.says("code", "2 0 150 t", codeTotals, annCode)
	// Its server's own words for an end count, too, of a row that the service never saw.
	d.exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, started_at) VALUES ($1, 'running', 'o', 'o', now())`, annWorkflow)
	d.exec(`UPDATE workflow_executions SET status = 'completed', completed_at = started_at + interval '300 ms' WHERE temporal_workflow_id = 'o'`)
	d.exec(call, annProject, annWorkflow)
	d.counted()
	d.says("totals", "3 200 t", projectTotals, annProject)
	// Who sets a total sets it.
	d.exec(`UPDATE projects SET total_workflow_executions = 40, avg_execution_duration_ms = 10, total_execution_duration_ms = NULL WHERE id = $1`, annProject)
	d.ends(annWorkflow, "completed", 420*time.Millisecond)
	d.counted()
	d.says("totals", "41 20 t", projectTotals, annProject)
}

// Code counts for what ran on it: by its version, else what is active.
func TestExecutionsCountForTheirVersion(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	newer := uuid.NewString()
	d.exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, annCode)
	d.exec(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code, worker_code, package_json, tsconfig_json) VALUES ($1, $2, '1.0.1', '', '', '', '', '')`, newer, annWorkflow)
	edited := d.string(`SELECT updated_at::text FROM workflow_compiled_code WHERE id = $1`, newer)
	d.ends(annWorkflow, "completed", 10*time.Millisecond)
	d.exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_run_id, first_run_id, duration_ms, code_version) VALUES
		($1, 'failed', 'a', 'a', 20, '1.0.1'), ($1, 'completed', 'b', 'b', 30, NULL), ($1, 'completed', 'c', 'c', 40, '0.9')`, annWorkflow)
	d.counted()
	d.says("the old one", "1 0 10 t", codeTotals, annCode)
	d.says("the new one", "3 1 30 f", codeTotals, newer) // these ended at no known time
	if got := d.string(`SELECT updated_at::text FROM workflow_compiled_code WHERE id = $1`, newer); got != edited {
		t.Errorf("the code was edited at %s, not at %s", edited, got)
	}
}

// The steps of each run count once for their components, whatever becomes of the run after.
func TestComponentsAreCountedByTheirSteps(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	const used = `SELECT concat_ws(' ', most_used_component_id, most_used_component_count) FROM workflow_statistics WHERE workflow_id = $1`
	id := d.ends(annWorkflow, "completed", time.Millisecond)
	d.exec(`INSERT INTO component_executions (workflow_execution_id, run_id, component_id, status) VALUES ($1, 'r', $2, 'completed'), ($1, 'r', $2, 'failed'), ($1, 'r', NULL, 'completed')`, id, annComponent)
	d.counted()
	d.says("before they are settled", "0", used, annWorkflow)
	d.exec(`DELETE FROM workflow_worker.steps_due`)
	d.counted()
	d.says("settled", annComponent+" 2", used, annWorkflow)
	// A reset has the same run looked at once more.
	d.exec(`UPDATE workflow_executions SET status = 'running', temporal_run_id = 'r2' WHERE id = $1`, id)
	d.exec(`DELETE FROM workflow_worker.steps_due`)
	d.exec(`INSERT INTO component_executions (workflow_execution_id, run_id, component_id, status) VALUES ($1, 'r2', $2, 'completed')`, id, annComponent)
	d.exec(`UPDATE workflow_executions SET status = 'completed' WHERE id = $1`, id)
	d.exec(`DELETE FROM workflow_worker.steps_due`)
	d.counted()
	d.says("after a reset", annComponent+" 3", used, annWorkflow)
	d.says("the project's", annComponent+" 3", `SELECT concat_ws(' ', most_used_component_id, most_used_component_count) FROM project_statistics WHERE project_id = $1`, annProject)

	// What the statistics name can be deleted still, and it is gone from them.
	d.exec(`UPDATE component_executions SET component_id = NULL`)
	d.exec(`DELETE FROM workflow_nodes WHERE component_id = $1`, annComponent)
	d.exec(`DELETE FROM components WHERE id = $1`, annComponent)
	d.says("the component is gone", "3", used, annWorkflow)
	d.exec(`DELETE FROM workflows WHERE id = $1`, annWorkflow)
	if got := d.strings(`SELECT concat_ws(' ', most_used_workflow_id, longest_run_workflow_id, total_executions) FROM project_statistics WHERE project_id = $1`, annProject); !slices.Equal(got, []string{"2"}) {
		t.Errorf("after the workflow is gone: %v", got)
	}
	d.ends(benWorkflow, "completed", time.Millisecond)
	d.exec(`DELETE FROM projects WHERE id = $1`, benProject)
	d.counted() // nothing to count for
}

// Where a table is gone the others are counted on.
func TestMissingStatisticsDontKeepOthersFromBeingCounted(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	d.exec(`DROP TABLE workflow_statistics, task_queues CASCADE`)
	d.ends(annWorkflow, "completed", 100*time.Millisecond)
	d.counted()
	d.says("totals", "1 100 t", projectTotals, annProject)
	d.exec(`DROP TABLE project_statistics`)
	d.ends(annWorkflow, "completed", 100*time.Millisecond)
	d.counted()
	d.says("totals", "2 100 t", projectTotals, annProject)
	// They are made anew, with what the rows say that are there; what isn't counted yet follows.
	d.ends(annWorkflow, "completed", 400*time.Millisecond)
	migrated(d)
	d.counted()
	d.says("workflow", "4 4 0 0 150 100 400 600", workflowRuns, annWorkflow)
	d.says("totals", "3 200 t", projectTotals, annProject)
}

// Statistics are read by whom the Workflow Builder's policies let, or ours, and written by nobody.
func TestUsersReadStatisticsOfTheirOwn(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		d.exec(`UPDATE activity_statistics SET execution_count = 1001, avg_duration_ms = 3, failure_count = 100`)
		for _, workflow := range []string{annWorkflow, benWorkflow} {
			d.ends(workflow, "completed", time.Second)
		}
		d.counted()
		ann := d.session(t, "authenticated", annAuth)
		for query, want := range map[string]string{
			`SELECT workflow_id::text FROM workflow_statistics`:                               annWorkflow,
			`SELECT project_id::text FROM project_statistics`:                                 annProject,
			`SELECT project_id || ' ' || reasons::text FROM activities_needing_attention`:     annProject + " {often,failing}",
			`SELECT count(*)::text FROM workflow_statistics WHERE total_runs > 0`:             "1",
			`SELECT (max(last_run_at) IS NOT NULL)::text FROM workflow_statistics WHERE true`: "true",
		} {
			if got := ann.strings(query); !slices.Equal(got, []string{want}) {
				t.Errorf("Ann, %s: %v, want %s", query, got, want)
			}
		}
		for _, table := range []string{"workflow_statistics", "project_statistics"} {
			ann.refused(`UPDATE ` + table + ` SET updated_at = now()`)
			ann.refused(`DELETE FROM ` + table)
		}
		ann.refused(`INSERT INTO workflow_statistics (workflow_id, total_runs) VALUES ($1, 7)`, annWorkflow)
		ann.forbidden(`SELECT workflow_worker.count_up(1)`)
		visitor := d.session(t, "anon", "")
		visitor.forbidden(`SELECT * FROM activities_needing_attention`)
	})
}

func TestActivitiesThatNeedAttention(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	d.exec(`DELETE FROM activity_statistics`)
	d.exec(`INSERT INTO activity_statistics (project_id, activity_name, execution_count, failure_count, avg_duration_ms) VALUES
		($1, 'fine', 1000, 50, 5000), ($1, 'often', 1001, 50, 5000), ($1, 'slow', 1, 0, 5001), ($1, 'failing', 100, 6, 10), ($1, 'all', 2000, 2000, 9000), ($1, 'new', 0, 0, 0)`, annProject)
	if got, want := d.strings(`SELECT concat_ws(' ', activity_name, reasons, failure_rate) FROM activities_needing_attention ORDER BY activity_name`),
		[]string{"all {often,slow,failing} 1.0000", "failing {failing} 0.0600", "often {often} 0.0500", "slow {slow} 0.0000"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
