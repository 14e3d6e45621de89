package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"workflow-worker/activities"
	"workflow-worker/metrics"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/encryption"
)

// mistaken takes a mistake in the settings, so that all are told at once.
type mistaken func(format string, args ...any)

// validate tells what no service can run with. What a command doesn't want has its default, which
// is right.
func (s settings) validate(want wanted, mistake mistaken) {
	s.validateDatabases(want, mistake)
	s.validateNumbers(mistake)
	s.validateDurations(mistake)
	s.validateWords(mistake)
	s.validatePlaces(mistake)
	s.validatePayloads(mistake)
	s.validateTraces(mistake)
}

func (s settings) validateDatabases(want wanted, mistake mistaken) {
	for _, u := range []struct {
		name, value string
		required    bool
	}{
		{"DATABASE_URL", s.DatabaseURL, want("DATABASE_URL")},
		{"REPLICATION_DATABASE_URL", s.ReplicationDatabaseURL, false},
	} {
		if u.value == "" {
			if u.required && !s.unreadable(u.name) {
				mistake("%s is not set: postgres://user:password@host:port/database", u.name)
			}
			continue
		}
		// The value may hold a password, so it isn't repeated.
		if err := database.CheckURL(u.value); err != nil {
			mistake("%s: %v", u.name, err)
			continue // what is what in it isn't sure
		}
		for _, x := range parameterSlips(u.value) {
			mistake("%s: %s is no parameter: %s is meant?", u.name, x.name, x.meant)
		}
	}
}

// bounded is a setting with the least and the most that it may be; most is 0 where nothing is too
// much.
type bounded[T cmp.Ordered] struct {
	name               string
	value, least, most T
}

func (b bounded[T]) check(mistake mistaken) {
	var zero T
	switch {
	case b.value >= b.least && (b.most == zero || b.value <= b.most): // NaN isn't
	case b.most != zero:
		mistake("%s is %v, must be %v to %v", b.name, b.value, b.least, b.most)
	case b.least == zero:
		mistake("%s is %v, must not be negative", b.name, b.value)
	default:
		mistake("%s is %v, must be at least %v", b.name, b.value, b.least)
	}
}

const (
	// leastMemory is what JavaScript is given at least: Temporal's SDK alone takes some megabytes,
	// and the figures are estimates.
	leastMemory = 16 << 20
	// mostAtOnce is what sandbox's time limit for a regular expression allows.
	mostAtOnce = 9 * time.Second
)

func (s settings) validateNumbers(mistake mistaken) {
	for _, b := range []bounded[int64]{
		{"WORKER_SERVICE_PORT", int64(s.Port), 0, 65535},
		{"MAX_CONCURRENT_ACTIVITY_EXECUTIONS", int64(s.MaxActivities), 1, 0},
		{"MAX_CONCURRENT_WORKFLOW_EXECUTIONS", int64(s.MaxWorkflows), 1, 0},
		{"CELLS", int64(s.Cells), 0, maxCells},
		{"WORKFLOW_CACHE_SIZE", int64(s.WorkflowCacheSize), 0, 0},
		{"PROJECT_REPLICAS", int64(s.ProjectReplicas), 0, 0},
		{runtime.MaxWorkflowMemorySetting, s.WorkflowMaxMemory, leastMemory, 0},
		{activities.MaxMemorySetting, s.ActivityMaxMemory, leastMemory, 0},
		{activities.MaxResultSetting, int64(s.ActivityMaxResult), 1, 0},
		{activities.MaxResponseSetting, s.ActivityMaxResponse, 1, 0},
		{activities.MaxRequestsSetting, int64(s.ActivityMaxRequests), 1, 0},
		{"EXECUTION_MAX_VALUE_BYTES", int64(s.ExecutionMaxValue), 1024, 0},
		{"STEP_MAX_VALUE_BYTES", int64(s.StepMaxValue), 1024, 0},
		{metrics.UserSeriesSetting, int64(s.UserMetricsMaxSeries), 0, 0},
		{metrics.TopProjectsSetting, int64(s.TopProjects), 0, 0},
	} {
		b.check(mistake)
	}
	bounded[float64]{"CAPACITY", s.Capacity, 0.01, 1000}.check(mistake)
}

func (s settings) validateDurations(mistake mistaken) {
	const often = 100 * time.Millisecond
	for _, b := range []bounded[time.Duration]{
		{"HEARTBEAT_INTERVAL", s.HeartbeatInterval, often, 0},
		{"RESYNC_INTERVAL", s.ResyncInterval, often, 0},
		{"SHUTDOWN_TIMEOUT", s.ShutdownTimeout, often, 0},
		{"REMOVAL_GRACE", s.RemovalGrace, 0, 0},
		{"EXECUTION_RETENTION", s.ExecutionRetention, 0, 0},
		{"CODE_RETENTION", s.CodeRetention, 0, 0},
		{activities.CPUTimeSetting, s.ActivityCPUTimeout, 10 * time.Millisecond, mostAtOnce},
	} {
		b.check(mistake)
	}
	if s.ActivityMaxCPUTime < s.ActivityCPUTimeout {
		mistake("%s is %v, must be at least %s, which is %v", activities.MaxCPUTimeSetting, s.ActivityMaxCPUTime, activities.CPUTimeSetting, s.ActivityCPUTimeout)
	}
}

func (s settings) validateWords(mistake mistaken) {
	for _, x := range []struct {
		name, value string
		words       []string
	}{
		{"WORKFLOW_ISOLATION", s.WorkflowIsolation, []string{isolationShared, isolationProject}},
		{"RECORD_EXECUTIONS", s.RecordExecutions, []string{"rows", "all"}},
		{"RECORD_STEPS", s.RecordSteps, rows.StepModeWords()},
		{"LOG_FORMAT", s.LogFormat, []string{logText, logJSON}},
	} {
		if !slices.Contains(x.words, x.value) {
			mistake("%s is %q, must be %s", x.name, x.value, oneOf(x.words))
		}
	}
}

// oneOf lists words as a sentence does.
func oneOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// validatePlaces looks at what names files, addresses and this replica.
func (s settings) validatePlaces(mistake mistaken) {
	if s.ModulesDir != "" {
		if info, err := os.Stat(s.ModulesDir); err != nil {
			mistake("MODULES_DIR can't be read: %v", err)
		} else if !info.IsDir() {
			mistake("MODULES_DIR is %s, which is not a directory", s.ModulesDir)
		} else if !filepath.IsAbs(s.ModulesDir) {
			mistake("MODULES_DIR is %s, must be an absolute path", s.ModulesDir)
		}
	}
	if s.PprofAddress != "" {
		if err := loopbackOnly(s.PprofAddress); err != nil {
			mistake("%w", err)
		}
	}
	if _, err := s.allowedAddresses(); err != nil {
		mistake("%w", err)
	}
	if strings.ContainsFunc(s.ReplicaName, unicode.IsControl) || len(s.ReplicaName) > 200 {
		mistake("REPLICA_NAME is %q, must be at most 200 characters without control characters", s.ReplicaName)
	}
}

// validatePayloads tells what is wrong with the settings of encryption. Values that may be secret
// aren't repeated.
func (s settings) validatePayloads(mistake mistaken) {
	if s.PayloadKeys != "" {
		if err := encryption.CheckKeys(s.PayloadKeys); err != nil {
			mistake("PAYLOAD_ENCRYPTION_KEYS: %v", err)
		}
	}
	if s.PayloadCodec != "" {
		if err := encryption.CheckEndpoint(s.PayloadCodec); err != nil {
			mistake("PAYLOAD_CODEC_ENDPOINT: %v", err)
		}
	}
	if s.PayloadKeys != "" && s.PayloadCodec != "" {
		mistake("PAYLOAD_ENCRYPTION_KEYS and PAYLOAD_CODEC_ENDPOINT are both set: one of them encrypts")
	}
	if s.PayloadCodecAuth != "" && s.PayloadCodec == "" {
		mistake("PAYLOAD_CODEC_AUTH takes PAYLOAD_CODEC_ENDPOINT")
	}
	if s.PayloadFailures && !s.encrypts() && !s.unreadable("PAYLOAD_ENCRYPTION_KEYS") {
		mistake("PAYLOAD_ENCRYPT_FAILURES takes PAYLOAD_ENCRYPTION_KEYS or PAYLOAD_CODEC_ENDPOINT")
	}
	if words := []string{recordPlain, recordNone}; s.RecordValues != "" && !slices.Contains(words, s.RecordValues) {
		mistake("RECORD_VALUES is %q, must be %s", s.RecordValues, oneOf(words))
	}
}
