package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"workflow-worker/activities"
	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
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
		{"workflow_worker_stream_mode", "mode", cdc.Modes(), func(m *metrics.Metrics, word string) {
			m.StreamState(word, "")
		}},
		{"workflow_worker_reloads_total", "action", reconcile.ReloadActions(), func(m *metrics.Metrics, word string) {
			m.Reloaded(word, 0)
		}},
		{"workflow_worker_js_interrupts_total", "where", runtime.Interrupts(), (*metrics.Metrics).JSInterrupted},
		{"workflow_worker_gate_refusals_total", "of", reconcile.Refusals(), (*metrics.Metrics).GateRefused},
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
	s.read(all, func(format string, args ...any) { t.Errorf(format, args...) })
	for name, c := range map[string]struct{ says, is any }{
		"MAX_CONCURRENT_ACTIVITY_EXECUTIONS": {s.MaxActivities, runtime.DefaultConcurrency},
		"MAX_CONCURRENT_WORKFLOW_EXECUTIONS": {s.MaxWorkflows, runtime.DefaultConcurrency},
		"HEARTBEAT_INTERVAL":                 {s.HeartbeatInterval, reconcile.DefaultHeartbeatInterval},
		"RESYNC_INTERVAL":                    {s.ResyncInterval, cdc.DefaultResyncInterval},
		"CAPACITY":                           {s.Capacity, reconcile.DefaultCapacity},
		"REMOVAL_GRACE":                      {s.RemovalGrace, reconcile.DefaultRemovalGrace},
		"CODE_RETENTION":                     {s.CodeRetention, reconcile.DefaultCodeRetention},
		"SHUTDOWN_TIMEOUT":                   {s.ShutdownTimeout, reconcile.DefaultShutdownTimeout},
		activities.CPUTimeSetting:            {s.ActivityCPUTimeout, activity.DefaultSliceBudget},
		activities.MaxCPUTimeSetting:         {s.ActivityMaxCPUTime, activity.DefaultCPUBudget},
		activities.MaxMemorySetting:          {s.ActivityMaxMemory, int64(runtime.DefaultMaxActivityMemory)},
		runtime.MaxWorkflowMemorySetting:     {s.WorkflowMaxMemory, int64(runtime.DefaultMaxWorkflowMemory)},
		activities.MaxResultSetting:          {s.ActivityMaxResult, activity.DefaultMaxResultBytes},
		activities.MaxResponseSetting:        {s.ActivityMaxResponse, int64(activity.DefaultMaxResponseBytes)},
		activities.MaxRequestsSetting:        {s.ActivityMaxRequests, activity.DefaultMaxRequests},
		metrics.UserSeriesSetting:            {s.UserMetricsMaxSeries, metrics.DefaultUserSeries},
		metrics.TopProjectsSetting:           {s.TopProjects, metrics.DefaultTopProjects},
	} {
		if c.says != c.is {
			t.Errorf("the default of %s is %v, and its owner's %v", name, c.says, c.is)
		}
	}
}

// The database and the page of the contract name the words that rows may have.
func TestTheDatabaseAndThePageKnowTheWordsOfRows(t *testing.T) {
	t.Parallel()
	db, err := pgx.Connect(t.Context(), stacktest.MigratedDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	contract := page(t, "reconcile/README.md")
	for _, c := range []struct {
		table, column string
		words         []string
	}{
		{"worker_events", "kind", rows.EventKinds()},
		{"worker_requests", "action", rows.RequestActions()},
		{"worker_requests", "status", rows.RequestStatuses()},
		{"workflow_workers", "status", rows.Statuses()},
		{"workflow_replicas", "status", rows.ReplicaStatuses()},
		{"workflow_executions", "status", rows.ExecutionStatuses()},
		{"component_executions", "status", rows.StepStatuses()},
		{"component_executions", "kind", rows.StepKinds()},
		{"projects", "record_steps", rows.StepModeWords()},
		{"workflow_execution_requests", "action", rows.ExecutionRequestActions()},
		{"workflow_execution_requests", "status", rows.RequestStatuses()},
	} {
		var comment, allowed string
		if err := db.QueryRow(t.Context(), `
SELECT coalesce(col_description(a.attrelid, a.attnum), ''),
  coalesce((SELECT string_agg(pg_get_constraintdef(c.oid), ' ') FROM pg_constraint c
            WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)), '')
FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attname = $2`, c.table, c.column).Scan(&comment, &allowed); err != nil {
			t.Fatal(err)
		}
		for _, word := range c.words {
			whole := regexp.MustCompile(`\b` + word + `\b`)
			if !whole.MatchString(contract) {
				t.Errorf("reconcile/README.md doesn't know %q of %s.%s", word, c.table, c.column)
			}
			if !whole.MatchString(comment) {
				t.Errorf("%q is not in the comment of %s.%s: %s", word, c.table, c.column, comment)
			}
			if strings.Contains(allowed, "ARRAY") && !strings.Contains(allowed, "'"+word+"'") {
				t.Errorf("%s.%s may not be %q: %s", c.table, c.column, word, allowed)
			}
		}
	}
}

func TestTheRoomsListsHaveAllTheirWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, prefix string
		words        []string
	}{
		{"cdc/reason.go", "Reason", cdc.Reasons()},
		{"cdc/status.go", "Mode", cdc.Modes()},
		{"reconcile/rows/events.go", "Event", rows.EventKinds()},
		{"reconcile/rows/requests.go", "Action", rows.RequestActions()},
		{"reconcile/rows/requests.go", "Request", rows.RequestStatuses()},
		{"reconcile/rows/workers.go", "Status", rows.Statuses()},
		{"reconcile/rows/replicas.go", "Replica", rows.ReplicaStatuses()},
		{"runtime/workflow/wire/task_failure.go", "Reason", wire.Reasons()},
	} {
		declared := regexp.MustCompile(`(?m)^\t`+c.prefix+`\w+ += "(.*?)"`).FindAllStringSubmatch(page(t, c.file), -1)
		if len(declared) != len(c.words) {
			t.Errorf("%s has %d constants %s…, and %d in its list", c.file, len(declared), c.prefix, len(c.words))
		}
		for _, d := range declared {
			if !slices.Contains(c.words, d[1]) {
				t.Errorf("%s: %q is not in the list of its like", c.file, d[1])
			}
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
