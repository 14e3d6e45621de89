package rows_test

import (
	"slices"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

func TestTheQueuesWhoseExecutionsSomebodyFollows(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	queueOf := map[string]string{}
	queue := func(project string) string {
		if queueOf[project] == "" {
			queueOf[project] = rowstest.One[string](h, `SELECT task_queue_name::text FROM projects WHERE id = $1`, project)
		}
		return queueOf[project]
	}
	row, over, recorded := h.Project(), h.Project(), h.Project()
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status) SELECT $1, 'pending' FROM generate_series(1, 3)`, h.Workflow(row, "one"))
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, completed_at) VALUES ($1, 'completed', now())`, h.Workflow(over, "two"))
	h.Exec(`UPDATE projects SET record_executions = 'all' WHERE id = $1`, recorded)
	want := []string{queue(row), queue(recorded)}
	slices.Sort(want)
	for most, wantMore := range map[int]bool{2: true, 3: false} {
		queues, more, err := rows.OpenQueues(t.Context(), rows.DB{Pool: h.DB, Timeout: time.Minute}, most)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(queues)
		if !slices.Equal(queues, want) || more != wantMore {
			t.Errorf("of at most %d rows: %q, more %v; want %q, %v", most, queues, more, want, wantMore)
		}
	}
}
