package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// projectLabel says whose a series is. Users' code can't set it.
const projectLabel = "project_id"

// userBuckets suit what isn't known: seconds, milliseconds, amounts, bytes. They
// are the same for all, so that a family's series can be added up.
var userBuckets = []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 50, 100, 500, 1e3, 5e3, 1e4, 5e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// userMetrics are what users' code measures with Temporal's metricMeter, by
// project. It is an unchecked collector: names and labels are the users'.
type userMetrics struct {
	limit int // of Prometheus' series, per project

	mu       sync.Mutex // guards projects, and users of each
	projects map[string]*userProject
}

// userProject holds the series of one project.
type userProject struct {
	id    string
	users int // UserMetrics that are open

	mu     sync.Mutex // guards the rest
	series map[string]*userSeries
	size   int // of Prometheus' series
}

// userSeries is one set of labels of one metric.
type userSeries struct {
	name, help string
	kind       string
	names      []string // of labels, sorted
	values     []string
	value      float64  // of a histogram its sum
	buckets    []uint64 // by userBuckets, one more for what is greater
}

// UserMetrics takes what the code of one project measures, until it is closed.
type UserMetrics struct {
	all     *userMetrics
	usage   *usage
	project *userProject
	closed  sync.Once
}

// UserMetrics begins to show a project's own metrics. What is opened twice, by
// a worker that starts while its predecessor still stops, goes on counting.
func (m *Metrics) UserMetrics(projectID string) *UserMetrics {
	u := m.users
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.projects[projectID]
	if p == nil {
		p = &userProject{id: projectID, series: map[string]*userSeries{}}
		u.projects[projectID] = p
	}
	p.users++
	m.usage.know(projectID)
	return &UserMetrics{all: u, usage: m.usage, project: p}
}

// Close ends it; with the last one the project's series go.
func (m *UserMetrics) Close() {
	m.closed.Do(func() {
		m.all.mu.Lock()
		defer m.all.mu.Unlock()
		m.project.users--
		if m.project.users == 0 {
			delete(m.all.projects, m.project.id)
			m.usage.forget(m.project.id)
		}
	})
}

// Measure takes a value of a metric: kind is counter, up-down-counter, gauge or
// histogram, tags become labels. The error says why it isn't kept; what could
// spoil a metric (a counter that falls, a value that isn't finite) is ignored.
func (m *UserMetrics) Measure(kind, name, description string, value float64, tags map[string]string) error {
	if value-value != 0 || kind == "counter" && value < 0 {
		return nil
	}
	s := newUserSeries(kind, name, description, tags)
	return m.project.measure(s, value, m.all.limit)
}

func newUserSeries(kind, name, description string, tags map[string]string) *userSeries {
	s := &userSeries{kind: kind, name: userMetricName(name, kind), help: bounded(description, longestText)}
	labels := userLabels(tags)
	s.names = slices.Sorted(maps.Keys(labels))
	s.values = make([]string, len(s.names))
	for i, n := range s.names {
		s.values[i] = labels[n]
	}
	return s
}

// key tells series apart; no name or value has a \xff, which UTF-8 hasn't.
func (s *userSeries) key() string {
	return s.name + "\xff" + strings.Join(s.names, "\xff") + "\xff" + strings.Join(s.values, "\xff")
}

// size is how many series Prometheus makes of it.
func (s *userSeries) size() int {
	if s.kind == kindHistogram {
		return len(userBuckets) + 3 // +Inf, sum, count
	}
	return 1
}

func (p *userProject) measure(s *userSeries, value float64, limit int) error {
	key := s.key()
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.series[key]
	if known == nil {
		if p.size+s.size() > limit {
			return fmt.Errorf("the project has as many series of its own metrics as it may, %d of %d (%s): "+
				"metrics and labels that are new are left out, here %s", p.size, limit, UserSeriesSetting, s.name)
		}
		p.size += s.size()
		p.series[key] = s
		known = s
	}
	switch s.kind {
	case kindGauge:
		known.value = value
	case kindHistogram:
		if known.buckets == nil {
			known.buckets = make([]uint64, len(userBuckets)+1)
		}
		i, _ := slices.BinarySearch(userBuckets, value) // bounds are inclusive
		known.buckets[i]++
		known.value += value
	default:
		known.value += value
	}
	return nil
}

// Describe sends nothing, which makes this an unchecked collector.
func (u *userMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (u *userMetrics) Collect(out chan<- prometheus.Metric) {
	u.mu.Lock()
	projects := slices.Collect(maps.Values(u.projects))
	u.mu.Unlock()
	copies := map[string][]userSeries{}
	helps := map[string]string{}
	for _, p := range projects {
		copies[p.id] = p.snapshot()
		for _, s := range copies[p.id] {
			if help, ok := helps[s.name]; ok && help != s.help {
				s.help = "" // Prometheus has one text for all
			}
			helps[s.name] = s.help
		}
	}
	for id, series := range copies {
		for i := range series {
			out <- series[i].metric(id, helps[series[i].name])
		}
	}
}

func (p *userProject) snapshot() []userSeries {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]userSeries, 0, len(p.series))
	for _, s := range p.series {
		c := *s
		c.buckets = slices.Clone(s.buckets)
		out = append(out, c)
	}
	return out
}

func (s *userSeries) metric(projectID, help string) prometheus.Metric {
	if help == "" {
		help = "Measured by users' code."
	}
	desc := prometheus.NewDesc(s.name, help, append([]string{projectLabel}, s.names...), nil)
	values := append([]string{projectID}, s.values...)
	var metric prometheus.Metric
	var err error
	switch s.kind {
	case kindHistogram:
		count, cumulative := uint64(0), make(map[float64]uint64, len(userBuckets))
		for i, n := range s.buckets {
			count += n
			if i < len(userBuckets) {
				cumulative[userBuckets[i]] = count
			}
		}
		metric, err = prometheus.NewConstHistogram(desc, count, s.value, cumulative, values...)
	case kindCounter:
		metric, err = prometheus.NewConstMetric(desc, prometheus.CounterValue, s.value, values...)
	default:
		metric, err = prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.value, values...)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return metric
}
