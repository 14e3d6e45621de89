package metrics

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// report calls every observer method, as the rooms do.
func report(m *Metrics) {
	m.StreamState(StreamStreaming, "")
	m.StreamReceived(time.Now())
	m.StreamLag(3 * time.Millisecond)
	m.HintDelivered(2)
	m.QueueDepth(4)
	m.Reconciled(5*time.Millisecond, nil)
	m.Reconciled(5*time.Millisecond, errors.New("no"))
	m.Reloaded("reload", 12*time.Millisecond)
	m.ProjectsByStatus(map[string]int{"running": 3, "failed": 1})
	m.CompileErrors(2)
	m.ExecutionsStayed(7)
	m.ExecutionsFailing(3)
	m.JSInterrupted("task")
	m.WorkflowTaskFailed("missing_code")
}

func TestObserversAreShown(t *testing.T) {
	t.Parallel()
	m := New(Options{Version: "1.2.3", Revision: "abc"})
	report(m)
	wantSeries(t, m, map[string]float64{
		`workflow_worker_stream_mode{mode="streaming"}`:                       1,
		`workflow_worker_stream_mode{mode="polling"}`:                         0,
		`workflow_worker_stream_mode{mode="connecting"}`:                      0,
		`workflow_worker_stream_lag_seconds_count`:                            1,
		`workflow_worker_hints_total`:                                         2,
		`workflow_worker_reconcile_queue_depth`:                               4,
		`workflow_worker_reconcile_duration_seconds_count`:                    2,
		`workflow_worker_reconcile_failures_total`:                            1,
		`workflow_worker_reloads_total{action="reload"}`:                      1,
		`workflow_worker_reload_duration_seconds_count{action="reload"}`:      1,
		`workflow_worker_projects{status="running"}`:                          3,
		`workflow_worker_projects{status="stopped"}`:                          0,
		`workflow_worker_compile_errors`:                                      2,
		`workflow_worker_executions_stayed_total`:                             7,
		`workflow_worker_executions_failing`:                                  3,
		`workflow_worker_js_interrupts_total{where="task"}`:                   1,
		`workflow_worker_workflow_task_failures_total{reason="missing_code"}`: 1,
		`workflow_worker_workflow_task_failures_total{reason="other"}`:        0,
		`workflow_worker_dependency_up{dependency="database"}`:                0,
	})
	got := gather(t, m)
	for _, family := range []string{"go_goroutines", "process_resident_memory_bytes", "workflow_worker_build_info{", "workflow_worker_stream_silence_seconds"} {
		found := false
		for name := range got {
			found = found || strings.HasPrefix(name, family)
		}
		if !found {
			t.Errorf("no %s", family)
		}
	}
}

func TestUnknownValuesAreCountedAsOther(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	before := len(gather(t, m))
	for i := range 500 {
		unknown := fmt.Sprintf("unknown %d", i)
		m.JSInterrupted(unknown)
		m.WorkflowTaskFailed(unknown)
		m.Reloaded(unknown, 0)
		m.ProjectsByStatus(map[string]int{unknown: 1, "running": 1, unknown + "!": 1})
	}
	wantSeries(t, m, map[string]float64{
		`workflow_worker_js_interrupts_total{where="other"}`:           500,
		`workflow_worker_workflow_task_failures_total{reason="other"}`: 500,
		`workflow_worker_reloads_total{action="other"}`:                500,
		`workflow_worker_projects{status="other"}`:                     2,
		`workflow_worker_projects{status="running"}`:                   1,
	})
	if after := len(gather(t, m)); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

func TestTheReasonForPollingIsALabel(t *testing.T) {
	t.Parallel()
	for reason, label := range map[string]string{
		"wal_level: wal_level is replica, logical is needed": "wal_level",
		"no_slot":                    "no_slot",
		"host 10.1.2.3 is not there": "other",
		"":                           "other",
	} {
		m := New(Options{})
		m.StreamState(StreamPolling, reason)
		wantSeries(t, m, map[string]float64{
			`workflow_worker_stream_mode{mode="polling"}`:            1,
			`workflow_worker_stream_polling{reason="` + label + `"}`: 1,
		})
		m.StreamState(StreamStreaming, "")
		for name := range gather(t, m) {
			if strings.HasPrefix(name, "workflow_worker_stream_polling") {
				t.Errorf("%s while streaming", name)
			}
		}
	}
}

func TestOddReportsDoNoHarm(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	m.HintDelivered(-5)
	m.StreamLag(-time.Second) // the database's clock is ahead
	m.Reloaded("start", -time.Second)
	m.StreamState("", "")
	m.ProjectsByStatus(nil)
	m.Reconciled(0, nil)
	wantSeries(t, m, map[string]float64{
		`workflow_worker_hints_total`:                   0,
		`workflow_worker_stream_lag_seconds_count`:      1,
		`workflow_worker_reloads_total{action="start"}`: 1,
		`workflow_worker_stream_mode{mode="streaming"}`: 0,
	})
}

func TestTheExpositionPassesPrometheussLinter(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	report(m)
	asWorker(clientTags(m.TemporalHandler()), "q")
	m.TemporalHandler().Counter("temporal_local_activity_total").Inc(1)
	m.TemporalHandler().Gauge("temporal_sticky_cache_size").Update(1)
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestObserversMayBeCalledFromManyGoroutines(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 200 {
				report(m)
				m.SetPhase(PhaseRunning)
				m.health(testGrace)
			}
		})
	}
	for range 20 {
		gather(t, m)
	}
	work.Wait()
	wantSeries(t, m, map[string]float64{`workflow_worker_hints_total`: 3200, `workflow_worker_reconcile_failures_total`: 1600})
}

func TestTwoServicesLiveInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := New(Options{}), New(Options{})
	a.HintDelivered(1)
	wantSeries(t, a, map[string]float64{`workflow_worker_hints_total`: 1})
	wantSeries(t, b, map[string]float64{`workflow_worker_hints_total`: 0})
}
