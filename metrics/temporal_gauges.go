package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const slotsAvailable = "temporal_worker_task_slots_available"

// countsPerWorker says whether a gauge counts something of one worker. Without
// the task_queue label a thousand workers would overwrite each other's value.
func countsPerWorker(name string) bool {
	switch name {
	case "temporal_num_pollers", "temporal_worker_task_slots_used", slotsAvailable:
		return true
	}
	return false
}

// gaugeKey names one shown sum.
type gaugeKey struct {
	series *series
	name   string // the SDK's
}

// workerGauges are the gauges of one worker. Each one that the SDK asks for has
// a value of its own, since each counts something of its own: a project's next
// worker starts to poll while its last one still stops.
type workerGauges struct {
	mu     sync.Mutex
	gauges []*workerGauge
}

type workerGauge struct {
	metrics *temporalMetrics
	worker  *workerGauges
	key     gaugeKey
	value   float64 // guarded by worker.mu
}

func (t *temporalMetrics) workerGauge(h *temporalHandler, name string) *workerGauge {
	g := &workerGauge{metrics: t, worker: h.worker, key: gaugeKey{series: h.series, name: name}}
	t.mu.RLock()
	known := t.sums[g.key] != nil
	t.mu.RUnlock()
	if !known {
		exposed := t.exposedName(name, kindGauge)
		t.mu.Lock()
		t.sums[g.key] = prometheus.NewDesc(exposed, helpFor(exposed), nil, h.series.labels)
		t.mu.Unlock()
	}
	g.worker.mu.Lock()
	g.worker.gauges = append(g.worker.gauges, g)
	g.worker.mu.Unlock()
	return g
}

// Update implements client.MetricsGauge.
func (g *workerGauge) Update(v float64) {
	g.worker.mu.Lock()
	g.value = v
	g.worker.mu.Unlock()
	if v == 0 {
		return
	}
	t := g.metrics
	t.mu.RLock()
	_, listed := t.workers[g.worker]
	t.mu.RUnlock()
	if !listed {
		t.list(g.worker)
	}
}

// list adds a worker that has something to show. Where nobody scrapes, nothing
// else would ever forget the workers that have stopped.
func (t *temporalMetrics) list(w *workerGauges) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.workers) >= t.pruneAt {
		t.sumWorkers()
		t.pruneAt = 2*len(t.workers) + 64
	}
	t.workers[w] = struct{}{}
}

// addTo adds the worker's gauges to sums, unless the worker has stopped: then it
// polls nothing and runs nothing, yet the SDK leaves its available slots standing.
func (w *workerGauges) addTo(sums map[gaugeKey]float64) (running bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.gauges {
		running = running || g.value != 0 && g.key.name != slotsAvailable
	}
	if !running {
		return false
	}
	for _, g := range w.gauges {
		sums[g.key] += g.value
	}
	return true
}

// sumWorkers adds up all workers' gauges and forgets workers that have stopped;
// one that was only between two states comes back with its next update. t.mu is held.
func (t *temporalMetrics) sumWorkers() map[gaugeKey]float64 {
	sums := make(map[gaugeKey]float64, len(t.sums))
	for w := range t.workers {
		if !w.addTo(sums) {
			delete(t.workers, w)
		}
	}
	return sums
}

func (t *temporalMetrics) collectWorkerGauges(out chan<- prometheus.Metric) {
	t.mu.Lock()
	sums := t.sumWorkers()
	metrics := make([]prometheus.Metric, 0, len(t.sums))
	for key, desc := range t.sums {
		metrics = append(metrics, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, sums[key]))
	}
	t.mu.Unlock()
	for _, metric := range metrics {
		out <- metric
	}
}
