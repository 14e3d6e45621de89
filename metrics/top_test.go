package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// projectSeries are the lines about single projects.
func projectSeries(t *testing.T, m *Metrics) string {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range families {
		name, ok := strings.CutPrefix(f.GetName(), "workflow_worker_project_")
		for _, x := range f.GetMetric() {
			if ok {
				fmt.Fprintf(&out, "%s %s %v\n", name, x.GetLabel()[0].GetValue(), x.GetCounter().GetValue())
			}
		}
	}
	return out.String()
}

func TestTheBusiestProjectsAreShownByEachMeasure(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	m := New(Options{TopProjects: 2, Now: func() time.Time { return now }})
	shows := func(when, want string) {
		t.Helper()
		if got := projectSeries(t, m); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", when, got, want)
		}
	}
	shows("before anything", "")
	var open []*UserMetrics
	for i := range 5 {
		open = append(open, m.UserMetrics(fmt.Sprint("p", i)))
	}
	for i := range 5 {
		for range i {
			m.ProjectTaskEnded(fmt.Sprint("p", i), i == 1 || i == 2)
		}
	}
	m.ProjectUsedCPU("p0", 1500*time.Millisecond)
	m.ProjectUsedCPU("strange", time.Hour) // its worker doesn't run
	const head = "cpu_seconds_total p0 1.5\ntask_failures_total p1 1\ntask_failures_total p2 2\n"
	shows("at first", head+"tasks_total p3 3\ntasks_total p4 4\n")
	// What was long ago makes room, and comes back with all that it did.
	now = now.Add(time.Hour)
	for range 2 {
		m.ProjectTaskEnded("p1", false)
	}
	m.ProjectTaskEnded("p0", false)
	shows("an hour later", head+"tasks_total p0 1\ntasks_total p1 3\n")
	for range 3 {
		m.ProjectTaskEnded("p4", false)
	}
	shows("one is back", head+"tasks_total p1 3\ntasks_total p4 7\n")
	open[4].Close()
	m.ProjectTaskEnded("p4", false)
	shows("a worker stopped", head+"tasks_total p0 1\ntasks_total p1 3\n")
	none := New(Options{TopProjects: -1})
	defer none.UserMetrics("p").Close()
	none.ProjectTaskEnded("p", true)
	if got := projectSeries(t, none); got != "" {
		t.Error(got)
	}
}
