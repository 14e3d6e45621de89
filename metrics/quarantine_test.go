package metrics

import (
	"testing"
	"time"
)

func TestProcessesBesideAreShown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	m := New(Options{Now: func() time.Time { return now }})
	wantSeries(t, m, map[string]float64{
		`workflow_worker_cell_deaths_total`: 0, `workflow_worker_cells_memory_bytes`: 0, `workflow_worker_projects_quarantined`: 0, `workflow_worker_executions_quarantined`: 0,
	})
	m.CellDied()
	m.CellsUse(func() int64 { return 5 << 20 })
	m.ExecutionsWait(func() int { return 3 })
	m.ProjectQuarantined("a", now.Add(time.Minute))
	m.ProjectQuarantined("a", now.Add(2*time.Minute))
	m.ProjectQuarantined("b", now.Add(time.Minute))
	m.ProjectQuarantined("c", now.Add(30*time.Minute))
	m.ProjectLetGo("c")
	wantSeries(t, m, map[string]float64{
		`workflow_worker_cell_deaths_total`: 1, `workflow_worker_cells_memory_bytes`: 5 << 20, `workflow_worker_projects_quarantined`: 2, `workflow_worker_executions_quarantined`: 3,
	})
	now = now.Add(3*time.Minute + time.Second) // nobody has tried b again
	wantSeries(t, m, map[string]float64{`workflow_worker_projects_quarantined`: 1})
}
