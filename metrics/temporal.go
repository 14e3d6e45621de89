package metrics

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// keptTags are the SDK's tags that become labels. Everything else is dropped:
// task_queue, workflow_type and activity_type have a value per project or per
// row, and tags of a later SDK are unknown.
var keptTags = [...]string{
	"cause", "failure_reason", "namespace", "operation", "poller_type", "status_code", "worker_type",
}

const (
	taskQueueTag = "task_queue"
	// valuesPerLabel bounds each label on its own. The largest honest set is the
	// operations of Temporal's workflow service, about a hundred of which a
	// worker's client calls a dozen.
	valuesPerLabel = 150
	otherValue     = "other"
)

// labelValues holds a value per kept tag; "" = the tag is absent.
type labelValues [len(keptTags)]string

// temporalMetrics holds every series the SDK has made. It is an unchecked
// collector: the SDK uses one name with different tags (status_code on failures
// with a code, none on others), which vectors with fixed label names cannot take.
type temporalMetrics struct {
	mu      sync.RWMutex
	series  map[labelValues]*series
	values  [len(keptTags)]map[string]struct{}
	names   map[string]metricName // exposed name → what is shown under it
	workers map[*workerGauges]struct{}
	sums    map[gaugeKey]*prometheus.Desc // every gauge that was ever summed
	pruneAt int                           // size of workers at which stopped ones are looked for
}

// metricName is a metric as the SDK calls it.
type metricName struct{ name, kind string }

func newTemporalMetrics() *temporalMetrics {
	t := &temporalMetrics{
		series:  map[labelValues]*series{},
		names:   map[string]metricName{},
		workers: map[*workerGauges]struct{}{},
		sums:    map[gaugeKey]*prometheus.Desc{},
	}
	for i := range t.values {
		t.values[i] = map[string]struct{}{}
	}
	return t
}

func (t *temporalMetrics) root() *temporalHandler {
	return &temporalHandler{metrics: t, series: t.seriesOf(labelValues{}), worker: &workerGauges{}}
}

// series is what shares one set of labels.
type series struct {
	metrics *temporalMetrics
	values  labelValues
	labels  prometheus.Labels

	mu       sync.RWMutex
	counters map[string]temporalCounter
	timers   map[string]temporalTimer
	gauges   map[string]temporalGauge
}

// seriesOf finds or makes the series for v. This is on the path of every
// request and task, so the usual case takes a read lock and allocates nothing.
func (t *temporalMetrics) seriesOf(v labelValues) *series {
	t.mu.RLock()
	s := t.series[v]
	t.mu.RUnlock()
	if s != nil {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, value := range v {
		v[i] = t.bounded(i, value)
	}
	if s := t.series[v]; s != nil {
		return s
	}
	s = &series{
		metrics: t, values: v, labels: prometheus.Labels{},
		counters: map[string]temporalCounter{},
		timers:   map[string]temporalTimer{},
		gauges:   map[string]temporalGauge{},
	}
	for i, value := range v {
		if value != "" {
			s.labels[keptTags[i]] = value
		}
	}
	t.series[v] = s
	return s
}

// bounded returns the value to use for a label; t.mu is held.
func (t *temporalMetrics) bounded(label int, value string) string {
	if value == "" {
		return ""
	}
	value = validLabelValue(value)
	seen := t.values[label]
	if _, ok := seen[value]; ok {
		return value
	}
	if len(seen) >= valuesPerLabel {
		return otherValue
	}
	seen[value] = struct{}{}
	return value
}

// exposedName returns the name under which a metric of the SDK is shown. It is
// the SDK's metric's own: two metrics under one name would spoil the scrape.
func (t *temporalMetrics) exposedName(sdkName, kind string) string {
	metric := metricName{sdkName, kind}
	name := prometheusName(sdkName, kind)
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		owner, taken := t.names[name]
		if !taken {
			t.names[name] = metric
			return name
		}
		if owner == metric {
			return name
		}
		name = prometheusName(name+"_as_"+kind, kind)
	}
}

// temporalHandler is the SDK's view: a set of labels, and the worker whose
// gauges are set through it.
type temporalHandler struct {
	metrics   *temporalMetrics
	series    *series
	taskQueue string
	worker    *workerGauges
}

// WithTags returns a handler with the tags added; those that are not shown only
// matter when they name another task queue.
func (h *temporalHandler) WithTags(tags map[string]string) client.MetricsHandler {
	values := h.series.values
	for i, name := range keptTags {
		if v, ok := tags[name]; ok {
			values[i] = v
		}
	}
	q, named := tags[taskQueueTag]
	otherQueue := named && q != h.taskQueue
	if values == h.series.values && !otherQueue {
		return h
	}
	next := *h
	if values != h.series.values {
		next.series = h.metrics.seriesOf(values)
	}
	// The SDK names the task queue first of all when it makes a worker, so a new
	// name begins a new worker's gauges; they are kept only once one is set.
	if otherQueue {
		next.taskQueue, next.worker = q, &workerGauges{}
	}
	return &next
}

// Counter implements client.MetricsHandler.
func (h *temporalHandler) Counter(name string) client.MetricsCounter {
	return lookUp(h.series, &h.series.counters, name, func() temporalCounter {
		exposed := h.metrics.exposedName(name, kindCounter)
		return temporalCounter{prometheus.NewCounter(prometheus.CounterOpts{
			Name: exposed, Help: helpFor(exposed), ConstLabels: maps.Clone(h.series.labels),
		})}
	})
}

// Timer implements client.MetricsHandler; durations are shown in seconds.
func (h *temporalHandler) Timer(name string) client.MetricsTimer {
	return lookUp(h.series, &h.series.timers, name, func() temporalTimer {
		exposed := h.metrics.exposedName(name, kindTimer)
		return temporalTimer{prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: exposed, Help: helpFor(exposed), ConstLabels: maps.Clone(h.series.labels),
			Buckets: bucketsFor(name),
		})}
	})
}

// Gauge implements client.MetricsHandler. A gauge that counts something of one
// worker is shown as the sum over the process's workers; any other as last set.
func (h *temporalHandler) Gauge(name string) client.MetricsGauge {
	if countsPerWorker(name) {
		return h.metrics.workerGauge(h, name)
	}
	return lookUp(h.series, &h.series.gauges, name, func() temporalGauge {
		exposed := h.metrics.exposedName(name, kindGauge)
		return temporalGauge{prometheus.NewGauge(prometheus.GaugeOpts{
			Name: exposed, Help: helpFor(exposed), ConstLabels: maps.Clone(h.series.labels),
		})}
	})
}

// lookUp finds or makes one metric of a series. metrics points to a map in s.
func lookUp[T any](s *series, metrics *map[string]T, name string, newMetric func() T) T {
	s.mu.RLock()
	metric, ok := (*metrics)[name]
	s.mu.RUnlock()
	if ok {
		return metric
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if metric, ok := (*metrics)[name]; ok {
		return metric
	}
	metric = newMetric()
	(*metrics)[name] = metric
	return metric
}

type temporalCounter struct{ prometheus.Counter }

// Inc ignores what would make a counter fall: Prometheus panics on it.
func (c temporalCounter) Inc(d int64) {
	if d > 0 {
		c.Add(float64(d))
	}
}

type temporalGauge struct{ prometheus.Gauge }

func (g temporalGauge) Update(v float64) { g.Set(v) }

type temporalTimer struct{ prometheus.Histogram }

func (t temporalTimer) Record(d time.Duration) { t.Observe(d.Seconds()) }

// Describe sends nothing, which makes this an unchecked collector.
func (t *temporalMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (t *temporalMetrics) Collect(out chan<- prometheus.Metric) {
	t.mu.RLock()
	all := make([]*series, 0, len(t.series))
	for _, s := range t.series {
		all = append(all, s)
	}
	t.mu.RUnlock()
	for _, s := range all {
		for _, metric := range s.snapshot() {
			out <- metric
		}
	}
	t.collectWorkerGauges(out)
}

// snapshot copies, so that a slow scrape never holds a lock that the SDK waits for.
func (s *series) snapshot() []prometheus.Metric {
	s.mu.RLock()
	defer s.mu.RUnlock()
	metrics := make([]prometheus.Metric, 0, len(s.counters)+len(s.timers)+len(s.gauges))
	for _, c := range s.counters {
		metrics = append(metrics, c.Counter)
	}
	for _, t := range s.timers {
		metrics = append(metrics, t.Histogram)
	}
	for _, g := range s.gauges {
		metrics = append(metrics, g.Gauge)
	}
	return metrics
}
