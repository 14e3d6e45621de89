package runtime

import "sync"

// meters are the open meters of the projects that run. Code is made before its project runs, and
// may run on after it: it finds its meter by the project's id.
type meters struct {
	mu   sync.RWMutex // guards open
	open map[string]Meter
}

func (m *meters) put(projectID string, meter Meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		m.open = map[string]Meter{}
	}
	m.open[projectID] = meter
}

// close closes a meter; a newer one of the project stays.
func (m *meters) close(projectID string, meter Meter) {
	m.mu.Lock()
	if m.open[projectID] == meter {
		delete(m.open, projectID)
	}
	m.mu.Unlock()
	meter.Close()
}

// of gives what takes the measurements of a project's code.
func (m *meters) of(projectID string) projectMeter { return projectMeter{m, projectID} }

type projectMeter struct {
	meters    *meters
	projectID string
}

// Measure implements workflow.Meter and activity.Meter.
func (p projectMeter) Measure(kind, name, description string, value float64, tags map[string]string) error {
	p.meters.mu.RLock()
	meter := p.meters.open[p.projectID]
	p.meters.mu.RUnlock()
	if meter == nil {
		return nil
	}
	return meter.Measure(kind, name, description, value, tags)
}
