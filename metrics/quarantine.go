package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// processes is what /metrics tells of the processes that JavaScript runs in beside this one.
type processes struct {
	now    func() time.Time
	deaths prometheus.Counter
	memory prometheus.GaugeFunc
	held   prometheus.GaugeFunc
	wait   prometheus.GaugeFunc

	mu    sync.Mutex // guards the rest
	used  func() int64
	waits func() int
	until map[string]time.Time // by project: when it is tried again
}

// heldFor is how long a project counts as held after it could have been started again: a project
// that nobody tries any more is none.
const heldFor = 2 * time.Minute

func newProcesses(now func() time.Time) *processes {
	p := &processes{now: now, until: map[string]time.Time{}}
	p.deaths = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "cell_deaths_total",
		Help: "Processes that JavaScript ran in (CELLS) that died.",
	})
	p.memory = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "cells_memory_bytes",
		Help: "Memory of the processes that JavaScript runs in (CELLS), beside this one's; else 0.",
	}, func() float64 {
		p.mu.Lock()
		used := p.used
		p.mu.Unlock()
		if used == nil {
			return 0
		}
		return float64(used())
	})
	p.held = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "projects_quarantined",
		Help: "Projects that aren't started because their code ended the processes that it ran in.",
	}, p.countHeld)
	p.wait = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "executions_quarantined",
		Help: "Executions that aren't tried because their code ended their project's own processes.",
	}, func() float64 {
		p.mu.Lock()
		waits := p.waits
		p.mu.Unlock()
		if waits == nil {
			return 0
		}
		return float64(waits())
	})
	return p
}

func (p *processes) countHeld() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for project, until := range p.until {
		if p.now().Sub(until) > heldFor {
			delete(p.until, project)
		}
	}
	return float64(len(p.until))
}

// CellDied counts a process that JavaScript ran in and that died.
func (m *Metrics) CellDied() { m.processes.deaths.Inc() }

// CellsUse has /metrics show how much memory the processes need that JavaScript runs in.
func (m *Metrics) CellsUse(used func() int64) {
	m.processes.mu.Lock()
	defer m.processes.mu.Unlock()
	m.processes.used = used
}

// ExecutionsWait has /metrics show how many executions aren't tried because of how their code ended
// processes.
func (m *Metrics) ExecutionsWait(count func() int) {
	m.processes.mu.Lock()
	defer m.processes.mu.Unlock()
	m.processes.waits = count
}

// ProjectQuarantined notes that a project isn't started before a moment.
func (m *Metrics) ProjectQuarantined(projectID string, until time.Time) {
	m.processes.mu.Lock()
	defer m.processes.mu.Unlock()
	m.processes.until[projectID] = until
}

// ProjectLetGo notes that it is started.
func (m *Metrics) ProjectLetGo(projectID string) {
	m.processes.mu.Lock()
	defer m.processes.mu.Unlock()
	delete(m.processes.until, projectID)
}
