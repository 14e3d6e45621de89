package main

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/sethvargo/go-envconfig"

	"workflow-worker/activities"
	"workflow-worker/cdc"
	"workflow-worker/metrics"
	"workflow-worker/reconcile"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/workflow/wire"
)

// The rooms own their words and metrics has a list of them, for it imports no room: what it doesn't
// know it would count as "other".
func TestMetricsKnowTheRoomsWords(t *testing.T) {
	for _, c := range []struct {
		metric, label string
		words         []string
		tell          func(m *metrics.Metrics, word string)
	}{
		{"workflow_worker_workflow_task_failures_total", "reason", wire.Reasons(), (*metrics.Metrics).WorkflowTaskFailed},
		{"workflow_worker_projects", "status", rows.Statuses(), func(m *metrics.Metrics, word string) {
			m.ProjectsByStatus(map[string]int{word: 1})
		}},
		{"workflow_worker_stream_polling", "reason", cdc.Reasons(), func(m *metrics.Metrics, word string) {
			m.StreamState(cdc.ModePolling, word+": for people")
		}},
	} {
		for _, word := range c.words {
			m := metrics.New(metrics.Options{Version: "1.0.0"})
			c.tell(m, word)
			if got := labelsOf(t, m.Registry(), c.metric, c.label); !slices.Equal(got, []string{word}) {
				t.Errorf("%s: %q is counted as %q", c.metric, word, got)
			}
		}
	}
}

// The rooms own the defaults, and the settings repeat them in tags, where they are read and printed.
func TestTheSettingsDefaultsAreTheRooms(t *testing.T) {
	var s settings
	if err := envconfig.ProcessWith(t.Context(), &envconfig.Config{Target: &s, Lookuper: envconfig.MapLookuper(nil)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ says, is any }{
		"MAX_CONCURRENT_ACTIVITY_EXECUTIONS": {s.MaxActivities, runtime.DefaultConcurrency},
		"MAX_CONCURRENT_WORKFLOW_EXECUTIONS": {s.MaxWorkflows, runtime.DefaultConcurrency},
		"HEARTBEAT_INTERVAL":                 {s.HeartbeatInterval, reconcile.DefaultHeartbeatInterval},
		"RESYNC_INTERVAL":                    {s.ResyncInterval, cdc.DefaultResyncInterval},
		"REMOVAL_GRACE":                      {s.RemovalGrace, reconcile.DefaultRemovalGrace},
		"CODE_RETENTION":                     {s.CodeRetention, reconcile.DefaultCodeRetention},
		"SHUTDOWN_TIMEOUT":                   {s.ShutdownTimeout, reconcile.DefaultShutdownTimeout},
		activities.CPUTimeSetting:            {s.ActivityCPUTimeout, activity.DefaultSliceBudget},
		activities.MaxCPUTimeSetting:         {s.ActivityMaxCPUTime, activity.DefaultCPUBudget},
		activities.MaxMemorySetting:          {s.ActivityMaxMemory, int64(runtime.DefaultMaxActivityMemory)},
		activities.MaxResultSetting:          {s.ActivityMaxResult, activity.DefaultMaxResultBytes},
		activities.MaxResponseSetting:        {s.ActivityMaxResponse, int64(activity.DefaultMaxResponseBytes)},
		activities.MaxRequestsSetting:        {s.ActivityMaxRequests, activity.DefaultMaxRequests},
		metrics.UserSeriesSetting:            {s.UserMetricsMaxSeries, metrics.DefaultUserSeries},
	} {
		if c.says != c.is {
			t.Errorf("the default of %s is %v, and its owner's %v", name, c.says, c.is)
		}
	}
}

// labelsOf gives the label's values of the series that aren't 0.
func labelsOf(t *testing.T, g prometheus.Gatherer, metric, label string) (values []string) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetCounter().GetValue()+m.GetGauge().GetValue() > 0 {
				values = append(values, valueOf(m, label))
			}
		}
	}
	return values
}

func valueOf(m *dto.Metric, label string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == label {
			return l.GetValue()
		}
	}
	return ""
}
