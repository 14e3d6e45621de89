package metrics

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The measures of a project. The order is that of usage.descs.
const (
	measureTasks = iota
	measureFailures
	measureCPU
	measures
)

// topMemory is the half-life of what counts for being shown: a project that did
// much an hour ago doesn't take the place of one that does now.
const topMemory = 10 * time.Minute

// usage is what projects do and take. It shows the busiest ones alone: a series
// per project would be thousands. What it shows is the sum since the project's
// worker started, so that a series that was away for a while comes back with
// what happened meanwhile, and none is ever less than before.
type usage struct {
	top   int // of projects, by each measure
	now   func() time.Time
	descs [measures]*prometheus.Desc

	mu       sync.Mutex // guards the rest
	projects map[string]*projectUsage
}

type projectUsage struct {
	id  string
	sum [measures]float64
	// recent is the sum with what is older counting less, as of at.
	recent [measures]float64
	at     time.Time
}

func newUsage(top int, now func() time.Time) *usage {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "project", name), help, []string{projectLabel}, nil)
	}
	return &usage{top: top, now: now, projects: map[string]*projectUsage{}, descs: [measures]*prometheus.Desc{
		measureTasks:    desc("tasks_total", "Workflow tasks and attempts of activities of a project, of the busiest by tasks alone."),
		measureFailures: desc("task_failures_total", "Workflow tasks and attempts of activities of a project that failed, of those with the most alone."),
		measureCPU:      desc("cpu_seconds_total", "CPU time that a project's JavaScript took, of those with the most alone."),
	}}
}

// ProjectTaskEnded implements runtime.UsageObserver: a workflow task, or an
// attempt of an activity.
func (m *Metrics) ProjectTaskEnded(projectID string, failed bool) {
	m.usage.add(projectID, measureTasks, 1)
	if failed {
		m.usage.add(projectID, measureFailures, 1)
	}
}

// ProjectUsedCPU implements runtime.UsageObserver.
func (m *Metrics) ProjectUsedCPU(projectID string, d time.Duration) {
	m.usage.add(projectID, measureCPU, d.Seconds())
}

// add counts for a project whose worker runs.
func (u *usage) add(projectID string, measure int, n float64) {
	if u.top <= 0 || n <= 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := u.projects[projectID]; p != nil {
		p.age(u.now())
		p.sum[measure] += n
		p.recent[measure] += n
	}
}

// know begins to count for a project, forget ends it.
func (u *usage) know(projectID string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.projects[projectID] == nil {
		u.projects[projectID] = &projectUsage{id: projectID, at: u.now()}
	}
}

func (u *usage) forget(projectID string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.projects, projectID)
}

// age lets what was recent count less. It goes in steps, so that it costs
// nothing at most tasks.
func (p *projectUsage) age(now time.Time) {
	const step = time.Second
	passed := now.Sub(p.at)
	if passed < step {
		return
	}
	less := math.Exp2(-float64(passed) / float64(topMemory))
	for i := range p.recent {
		p.recent[i] *= less
	}
	p.at = now
}

// Describe implements prometheus.Collector.
func (u *usage) Describe(out chan<- *prometheus.Desc) {
	for _, d := range u.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (u *usage) Collect(out chan<- prometheus.Metric) {
	for measure, list := range u.busiest() {
		for _, p := range list {
			out <- prometheus.MustNewConstMetric(u.descs[measure], prometheus.CounterValue, p.sum[measure], validLabelValue(p.id))
		}
	}
}

// busiest gives the projects to show, by measure.
func (u *usage) busiest() (out [measures][]projectUsage) {
	u.mu.Lock()
	now := u.now()
	all := make([]projectUsage, 0, len(u.projects))
	for _, p := range u.projects {
		p.age(now)
		all = append(all, *p)
	}
	u.mu.Unlock()
	for measure := range out {
		slices.SortFunc(all, func(a, b projectUsage) int {
			return cmp.Or(cmp.Compare(b.recent[measure], a.recent[measure]), cmp.Compare(b.sum[measure], a.sum[measure]), cmp.Compare(a.id, b.id))
		})
		for _, p := range all[:min(len(all), max(u.top, 0))] {
			if p.sum[measure] > 0 {
				out[measure] = append(out[measure], p)
			}
		}
	}
	return out
}
