package metrics

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.temporal.io/sdk/client"
)

type tags = map[string]string

// gather returns every series of m as name{label="value",…} → value; histograms
// as their count under name_count.
func gather(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	series := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			name := f.GetName()
			var value float64
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				value = metric.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				value = metric.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				name, value = name+"_count", float64(metric.GetHistogram().GetSampleCount())
			default:
				continue
			}
			series[name+labelText(metric.GetLabel())] = value
		}
	}
	return series
}

func labelText(labels []*dto.LabelPair) string {
	if len(labels) == 0 {
		return ""
	}
	parts := make([]string, 0, len(labels))
	for _, l := range labels {
		parts = append(parts, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func wantSeries(t *testing.T, m *Metrics, want map[string]float64) {
	t.Helper()
	got := gather(t, m)
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s = %v (present: %v), want %v", name, v, ok, value)
		}
	}
	if t.Failed() {
		for name, value := range got {
			if strings.HasPrefix(name, "temporal_") {
				t.Logf("%s %v", name, value)
			}
		}
	}
}

// asWorker does to h what a worker of the SDK does while it starts and works.
func asWorker(h client.MetricsHandler, taskQueue string) (pollers, used, available client.MetricsGauge) {
	worker := h.WithTags(tags{"task_queue": taskQueue})
	slots := worker.WithTags(tags{"worker_type": "WorkflowWorker"})
	available = slots.Gauge("temporal_worker_task_slots_available")
	used = slots.Gauge("temporal_worker_task_slots_used")
	pollers = worker.WithTags(tags{"poller_type": "workflow_task"}).Gauge("temporal_num_pollers")
	available.Update(10)
	used.Update(0)
	pollers.Update(2)
	worker.Counter("temporal_worker_start").Inc(1)
	task := worker.WithTags(tags{"workflow_type": "order-" + taskQueue})
	task.Timer("temporal_workflow_task_execution_latency").Record(3 * time.Millisecond)
	worker.WithTags(tags{"workflow_type": "w", "activity_type": "a-" + taskQueue, "task_queue": taskQueue}).
		Timer("temporal_activity_execution_latency").Record(time.Second)
	h.WithTags(tags{"workflow_type": "none", "activity_type": "none", "task_queue": taskQueue}).
		WithTags(tags{"operation": "RespondWorkflowTaskCompleted", "namespace": "default"}).
		Counter("temporal_request").Inc(1)
	return pollers, used, available
}

func clientTags(h client.MetricsHandler) client.MetricsHandler {
	return h.WithTags(tags{
		"namespace": "default", "client_name": "temporal_go", "worker_type": "none",
		"workflow_type": "none", "activity_type": "none", "task_queue": "none",
	})
}

func TestAThousandProjectsMakeNoMoreSeriesThanOne(t *testing.T) {
	t.Parallel()
	count := func(projects int) int {
		m := New(Options{})
		h := clientTags(m.TemporalHandler())
		for i := range projects {
			asWorker(h, fmt.Sprintf("project-%d", i))
		}
		n := 0
		for name := range gather(t, m) {
			if strings.HasPrefix(name, "temporal_") {
				n++
			}
			if strings.Contains(name, "project-") {
				t.Fatalf("a project's name became a label: %s", name)
			}
		}
		return n
	}
	one, thousand := count(1), count(1000)
	if one == 0 || one != thousand {
		t.Errorf("one project makes %d series, a thousand make %d", one, thousand)
	}
}

func TestGaugesOfWorkersAreAddedUp(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	h := clientTags(m.TemporalHandler())
	pollers, used, available := asWorker(h, "a")
	asWorker(h, "b")
	used.Update(3)
	available.Update(7)
	const (
		numPollers = `temporal_num_pollers{namespace="default",poller_type="workflow_task",worker_type="none"}`
		slotsUsed  = `temporal_worker_task_slots_used{namespace="default",worker_type="WorkflowWorker"}`
		slotsFree  = `temporal_worker_task_slots_available{namespace="default",worker_type="WorkflowWorker"}`
	)
	wantSeries(t, m, map[string]float64{numPollers: 4, slotsUsed: 3, slotsFree: 17})

	// The worker of "a" is replaced: the next one polls while it still drains.
	asWorker(h, "a")
	pollers.Update(0)
	wantSeries(t, m, map[string]float64{numPollers: 4, slotsUsed: 3, slotsFree: 27})

	// Now it has stopped, and the SDK leaves its available slots standing.
	used.Update(0)
	available.Update(10)
	wantSeries(t, m, map[string]float64{numPollers: 4, slotsUsed: 0, slotsFree: 20})

	// A worker that only looked stopped comes back whole.
	pollers.Update(1)
	wantSeries(t, m, map[string]float64{numPollers: 5, slotsFree: 30})
}

func TestStoppedWorkersAreForgottenWithoutAScrape(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	h := m.TemporalHandler()
	for i := range 1000 {
		pollers, _, _ := asWorker(h, fmt.Sprintf("project-%d", i))
		pollers.Update(0)
	}
	if n := len(m.temporal.workers); n > 200 {
		t.Errorf("%d stopped workers are still held", n)
	}
}

func TestProcessWideGaugesShowTheLastValue(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	for i, q := range []string{"a", "b", "c"} {
		m.TemporalHandler().WithTags(tags{"task_queue": q, "workflow_type": q}).
			Gauge("temporal_sticky_cache_size").Update(float64(i))
	}
	wantSeries(t, m, map[string]float64{"temporal_sticky_cache_size": 2})
}

func TestOneNameWithDifferentLabelsLosesNothing(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	h := m.TemporalHandler()
	h.Counter("temporal_request_failure").Inc(1)
	h.WithTags(tags{"status_code": "NOT_FOUND"}).Counter("temporal_request_failure").Inc(2)
	h.WithTags(tags{"operation": "Poll", "status_code": "NOT_FOUND"}).Counter("temporal_request_failure").Inc(3)
	// One name for two kinds, and two names that are shown as one.
	h.Gauge("temporal_thing_total").Update(4)
	h.Counter("temporal_thing").Inc(5)
	h.Counter("temporal_thing_total").Inc(6)
	h.Counter("oddly named.metric").Inc(7)
	h.Counter("temporal_request_failure").Inc(-100)
	wantSeries(t, m, map[string]float64{
		`temporal_request_failure_total`:                                           1,
		`temporal_request_failure_total{status_code="NOT_FOUND"}`:                  2,
		`temporal_request_failure_total{operation="Poll",status_code="NOT_FOUND"}`: 3,
		`temporal_thing_total`:                                                     4,
		`temporal_thing_total_as_counter_total`:                                    5,
		`temporal_thing_total_as_counter_total_as_counter_total`:                   6,
		`temporal_oddly_named_metric_total`:                                        7,
	})
}

func TestALabelHasABoundedNumberOfValues(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	h := m.TemporalHandler()
	for i := range 10 * valuesPerLabel {
		h.WithTags(tags{"failure_reason": fmt.Sprintf("reason %d", i)}).Counter("temporal_failed").Inc(1)
	}
	h.WithTags(tags{"failure_reason": "bad \xff text"}).Counter("temporal_failed").Inc(1)
	series, sum := 0, 0.0
	for name, value := range gather(t, m) {
		if strings.HasPrefix(name, "temporal_failed_total") {
			series++
			sum += value
		}
	}
	if series != valuesPerLabel+1 || sum != 10*valuesPerLabel+1 {
		t.Errorf("%d series with a sum of %v, want %d and %d", series, sum, valuesPerLabel+1, 10*valuesPerLabel+1)
	}
}

func TestWithTagsIsCheap(t *testing.T) {
	h := clientTags(New(Options{}).TemporalHandler()).WithTags(tags{"task_queue": "q"})
	same := tags{"workflow_type": "a", "activity_type": "b", "task_queue": "q"}
	if n := testing.AllocsPerRun(100, func() { h = h.WithTags(same) }); n != 0 {
		t.Errorf("tags that change nothing shown cost %v allocations", n)
	}
	request := tags{"operation": "Poll", "namespace": "default"}
	if n := testing.AllocsPerRun(100, func() { h.WithTags(request).Counter("temporal_request").Inc(1) }); n > 2 {
		t.Errorf("tags of a request cost %v allocations", n)
	}
}

func TestTimersAreHistogramsInSeconds(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	m.TemporalHandler().Timer("temporal_workflow_endtoend_latency").Record(2 * time.Hour)
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "temporal_workflow_endtoend_latency_seconds" {
			if sum := f.GetMetric()[0].GetHistogram().GetSampleSum(); sum != 7200 {
				t.Errorf("sum = %v, want 7200", sum)
			}
			return
		}
	}
	t.Error("no such histogram")
}

func TestTheSDKsMetricsMayComeFromManyGoroutines(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	h := clientTags(m.TemporalHandler())
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 200 {
				pollers, used, _ := asWorker(h, fmt.Sprintf("project-%d", i%20))
				used.Update(1)
				used.Update(0)
				pollers.Update(0)
			}
		})
	}
	scrape := make(chan prometheus.Metric)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range scrape {
		}
	}()
	for range 50 {
		m.temporal.Collect(scrape)
	}
	work.Wait()
	close(scrape)
	<-done
	wantSeries(t, m, map[string]float64{
		`temporal_worker_start_total{namespace="default",worker_type="none"}`:                                     1600,
		`temporal_request_total{namespace="default",operation="RespondWorkflowTaskCompleted",worker_type="none"}`: 1600,
		`temporal_num_pollers{namespace="default",poller_type="workflow_task",worker_type="none"}`:                0,
		`temporal_worker_task_slots_available{namespace="default",worker_type="WorkflowWorker"}`:                  0,
		`temporal_activity_execution_latency_seconds_count{namespace="default",worker_type="none"}`:               1600,
	})
}
