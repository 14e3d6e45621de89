package metrics_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/metrics"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func doubled(ctx workflow.Context, n int) (result int, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	err = workflow.ExecuteActivity(ctx, double, n).Get(ctx, &result)
	return result, err
}

// TestTheSDKsOwnMetricsAreShown runs a workflow through a real client, worker and
// server: it fails when the SDK changes its names, tags or habits.
func TestTheSDKsOwnMetricsAreShown(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Options{})
	c, err := client.Dial(client.Options{
		HostPort:       stacktest.TemporalAddress(t),
		MetricsHandler: m.TemporalHandler(),
		Logger:         sdklog.NewStructuredLogger(stacktest.Logger(t)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	queues := []string{stacktest.TaskQueue(t), stacktest.TaskQueue(t)}
	workers := make([]worker.Worker, 0, len(queues))
	for _, queue := range queues {
		w := worker.New(c, queue, worker.Options{
			MaxConcurrentWorkflowTaskPollers: 2, MaxConcurrentActivityTaskPollers: 1,
			MaxConcurrentActivityExecutionSize: 5,
		})
		w.RegisterWorkflow(doubled)
		w.RegisterActivity(double)
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		workers = append(workers, w)
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, doubled, 21)
		if err != nil {
			t.Fatal(err)
		}
		var result int
		if err := run.Get(t.Context(), &result); err != nil || result != 42 {
			t.Fatalf("result %d, %v", result, err)
		}
	}

	want := []struct {
		family string
		labels map[string]string
		least  float64
	}{
		{"temporal_request_total", map[string]string{"operation": "StartWorkflowExecution", "namespace": "default"}, 2},
		{"temporal_request_latency_seconds", map[string]string{"operation": "RespondWorkflowTaskCompleted"}, 2},
		{"temporal_long_request_total", map[string]string{"operation": "PollWorkflowTaskQueue"}, 2},
		{"temporal_workflow_completed_total", nil, 2},
		{"temporal_workflow_endtoend_latency_seconds", nil, 2},
		{"temporal_workflow_task_execution_latency_seconds", nil, 4},
		{"temporal_activity_execution_latency_seconds", nil, 2},
		{"temporal_worker_start_total", map[string]string{"worker_type": "ActivityWorker"}, 2},
		{"temporal_num_pollers", map[string]string{"poller_type": "activity_task"}, 2},
		{"temporal_worker_task_slots_available", map[string]string{"worker_type": "ActivityWorker"}, 10},
		{"temporal_sticky_cache_size", nil, 0},
	}
	var families map[string]*dto.MetricFamily
	for _, w := range want {
		// Some are written only after the answer that ended the workflow.
		stacktest.Eventually(t, "the SDK has told", func() error {
			families = gathered(t, m)
			if got, ok := sum(families[w.family], w.labels); !ok || got < w.least {
				return fmt.Errorf("%s%v = %v (present: %v), want at least %v", w.family, w.labels, got, ok, w.least)
			}
			return nil
		})
	}
	all := make([]*dto.MetricFamily, 0, len(families))
	for name, family := range families {
		all = append(all, family)
		for _, metric := range family.GetMetric() {
			for _, l := range metric.GetLabel() {
				if strings.HasPrefix(name, "temporal_") && (l.GetValue() == queues[0] || l.GetValue() == "doubled") {
					t.Errorf("%s has the label %s", name, l)
				}
			}
		}
	}
	problems, err := promlint.NewWithMetricFamilies(all).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}

	for _, w := range workers {
		w.Stop()
	}
	// Stop doesn't wait for the polls that it cancels.
	for _, family := range []string{"temporal_num_pollers", "temporal_worker_task_slots_available", "temporal_worker_task_slots_used"} {
		stacktest.Eventually(t, "the SDK has told", func() error {
			shown := gathered(t, m)[family]
			if left, found := sum(shown, nil); !found || left != 0 {
				return fmt.Errorf("%s is %v when all workers have stopped: %s", family, left, shown)
			}
			return nil
		})
	}
}

func gathered(t *testing.T, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

// sum adds up the series of a family that have the labels; histograms their counts.
func sum(family *dto.MetricFamily, labels map[string]string) (total float64, found bool) {
	for _, metric := range family.GetMetric() {
		matching := 0
		for _, l := range metric.GetLabel() {
			if v, ok := labels[l.GetName()]; ok && v == l.GetValue() {
				matching++
			}
		}
		if matching == len(labels) {
			found = true
			total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return total, found
}
