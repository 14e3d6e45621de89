package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"workflow-worker/migrations/database"
	"workflow-worker/runtime/memory"
)

// settings is what the environment says, beside Temporal's own variables, which the Temporal SDK
// reads.
type settings struct {
	environment environment // with the secrets that files hold
	// In a cell, what its parent handed over, and how it reads files; else nil.
	handed map[string]string
	files  func(path string) ([]byte, error)

	DatabaseURL            string        `env:"DATABASE_URL"`
	ReplicationDatabaseURL string        `env:"REPLICATION_DATABASE_URL"`
	ReplicaName            string        `env:"REPLICA_NAME"`
	ProjectReplicas        int           `env:"PROJECT_REPLICAS, default=0"`
	Capacity               float64       `env:"CAPACITY, default=1"`
	MigrateOnStart         bool          `env:"MIGRATE_ON_START, default=true"`
	Port                   int           `env:"WORKER_SERVICE_PORT, default=3011"`
	Host                   string        `env:"WORKER_SERVICE_HOST"`
	MaxActivities          int           `env:"MAX_CONCURRENT_ACTIVITY_EXECUTIONS, default=10"`
	MaxWorkflows           int           `env:"MAX_CONCURRENT_WORKFLOW_EXECUTIONS, default=10"`
	Cells                  int           `env:"CELLS, default=1"`
	WorkflowCacheSize      int           `env:"WORKFLOW_CACHE_SIZE"`
	WorkflowIsolation      string        `env:"WORKFLOW_ISOLATION, default=shared"`
	WorkflowMaxMemory      int64         `env:"WORKFLOW_MAX_MEMORY, default=134217728"`
	HeartbeatInterval      time.Duration `env:"HEARTBEAT_INTERVAL, default=30s"`
	ResyncInterval         time.Duration `env:"RESYNC_INTERVAL, default=30s"`
	RemovalGrace           time.Duration `env:"REMOVAL_GRACE, default=5s"`
	CodeRetention          time.Duration `env:"CODE_RETENTION, default=72h"`
	RecordExecutions       string        `env:"RECORD_EXECUTIONS, default=rows"`
	RecordValues           string        `env:"RECORD_VALUES"`
	ExecutionMaxValue      int           `env:"EXECUTION_MAX_VALUE_BYTES, default=262144"`
	RecordSteps            string        `env:"RECORD_STEPS, default=activities"`
	RecordPayloads         bool          `env:"RECORD_PAYLOADS, default=true"`
	StepMaxValue           int           `env:"STEP_MAX_VALUE_BYTES, default=65536"`
	ExecutionRetention     time.Duration `env:"EXECUTION_RETENTION, default=0s"`
	ShutdownTimeout        time.Duration `env:"SHUTDOWN_TIMEOUT, default=30s"`
	HTTPAllowPrivate       bool          `env:"HTTP_ALLOW_PRIVATE"`
	HTTPAllow              []string      `env:"HTTP_ALLOW"`
	ActivityEnvAllow       []string      `env:"ACTIVITY_ENV_ALLOW"`
	ActivityCPUTimeout     time.Duration `env:"ACTIVITY_CPU_TIMEOUT, default=5s"`
	ActivityMaxCPUTime     time.Duration `env:"ACTIVITY_MAX_CPU_TIME, default=5m"`
	ActivityMaxMemory      int64         `env:"ACTIVITY_MAX_MEMORY, default=134217728"`
	ActivityMaxResult      int           `env:"ACTIVITY_MAX_RESULT_BYTES, default=2097152"`
	ActivityMaxResponse    int64         `env:"ACTIVITY_MAX_RESPONSE_BYTES, default=16777216"`
	ActivityMaxRequests    int           `env:"ACTIVITY_MAX_REQUESTS, default=64"`
	UserMetricsMaxSeries   int           `env:"USER_METRICS_MAX_SERIES, default=1000"`
	TopProjects            int           `env:"METRICS_TOP_PROJECTS, default=20"`
	ModulesDir             string        `env:"MODULES_DIR"`
	PayloadKeys            string        `env:"PAYLOAD_ENCRYPTION_KEYS"`
	PayloadFailures        bool          `env:"PAYLOAD_ENCRYPT_FAILURES"`
	PayloadCodec           string        `env:"PAYLOAD_CODEC_ENDPOINT"`
	PayloadCodecAuth       string        `env:"PAYLOAD_CODEC_AUTH"`
	OTLPEndpoint           string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	OTLPTracesEndpoint     string        `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	OTLPHeaders            string        `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	OTLPTracesHeaders      string        `env:"OTEL_EXPORTER_OTLP_TRACES_HEADERS"`
	OTLPProtocol           string        `env:"OTEL_EXPORTER_OTLP_PROTOCOL, default=http/protobuf"`
	OTLPTracesProtocol     string        `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"`
	TracesSampler          string        `env:"OTEL_TRACES_SAMPLER, default=parentbased_always_on"`
	TracesSamplerArg       string        `env:"OTEL_TRACES_SAMPLER_ARG"`
	TracesExporter         string        `env:"OTEL_TRACES_EXPORTER, default=otlp"`
	TelemetryDisabled      bool          `env:"OTEL_SDK_DISABLED"`
	TelemetryService       string        `env:"OTEL_SERVICE_NAME"`
	TelemetryAttributes    string        `env:"OTEL_RESOURCE_ATTRIBUTES"`
	LogLevel               slog.Level    `env:"LOG_LEVEL, default=info"`
	LogFormat              string        `env:"LOG_FORMAT, default=text"`
	PprofAddress           string        `env:"PPROF_ADDRESS"`
}

// The values of WORKFLOW_ISOLATION.
const (
	isolationShared  = "shared"
	isolationProject = "project"
)

// The values of RECORD_VALUES; without one it depends on whether payloads are encrypted.
const (
	recordPlain = "plain"
	recordNone  = "none"
)

// wanted says which settings a command needs; the others aren't looked at.
type wanted func(name string) bool

// all is what the service itself needs.
func all(string) bool { return true }

// only are the settings that a command names, with what belongs to them: all of Temporal's, with
// those by which its payloads are decrypted, and PostgreSQL's password.
func only(names ...string) wanted {
	return func(name string) bool {
		switch {
		case slices.Contains(payloadSettings, name):
			return slices.Contains(names, name) || slices.Contains(names, temporalWanted)
		case strings.HasPrefix(name, "TEMPORAL_"):
			name = temporalWanted
		case name == passwordVariable:
			name = "DATABASE_URL"
		}
		return slices.Contains(names, name)
	}
}

// payloadSettings say how payloads are encrypted.
var payloadSettings = []string{"PAYLOAD_ENCRYPTION_KEYS", "PAYLOAD_CODEC_ENDPOINT", "PAYLOAD_CODEC_AUTH", "PAYLOAD_ENCRYPT_FAILURES"}

// temporalWanted stands for all of Temporal's own variables.
const temporalWanted = "TEMPORAL_ADDRESS"

// settingNames are the variables that settings are read from.
func settingNames() (names []string) {
	for f := range reflect.TypeFor[settings]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("env"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// readSettings reads and checks the environment, and names all mistakes at once, by the variables'
// names. It also leaves in them what Temporal's SDK is to read.
func (p process) readSettings(want wanted) (settings, error) {
	var errs []error
	mistake := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	s := settings{environment: p.environment.withSecrets(want, mistake)}
	s.read(want, mistake)
	s.DatabaseURL, s.ReplicationDatabaseURL = s.withPassword(s.DatabaseURL), s.withPassword(s.ReplicationDatabaseURL)
	s.validate(want, mistake)
	s.DatabaseURL, s.ReplicationDatabaseURL = database.Understood(s.DatabaseURL), database.Understood(s.ReplicationDatabaseURL)
	if want(temporalWanted) {
		for _, name := range []string{"TEMPORAL_TLS", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"} {
			// Temporal's SDK takes what it can't read for not set: a connection without TLS.
			if v, ok := s.environment.Lookup(name); ok && !slices.Contains([]string{"true", "false", "1", "0"}, strings.ToLower(v)) {
				mistake("%s is %q, must be true or false", name, v)
			}
		}
		o, err := s.temporalOptions()
		if err != nil {
			mistake("Temporal's settings (TEMPORAL_…): %v", err)
		}
		if strings.HasPrefix(o.HostPort, "http://") || strings.HasPrefix(o.HostPort, "https://") {
			mistake("TEMPORAL_ADDRESS is %q, must be host:port, without http://", o.HostPort)
		}
	}
	for _, x := range s.environment.slips(s.handedOn()) {
		if _, set := s.environment.Lookup(x.meant); !set && want(x.meant) {
			mistake("%s is no setting: %s is meant?", x.name, x.meant)
		}
	}
	if len(errs) > 0 {
		return s, exits(exitSettings, fmt.Errorf("the settings are wrong:\n%w", errors.Join(errs...)))
	}
	return s, nil
}

// read fills in the fields. The library stops at its first error, so each variable is tried alone
// before: all mistakes are told at once.
func (s *settings) read(want wanted, mistake mistaken) {
	readable := environment{}
	for f := range reflect.TypeFor[settings]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		value, set := s.environment.Lookup(name)
		if !set || !want(name) {
			continue
		}
		one := environment{name: strings.TrimSpace(value)}
		if err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: new(settings), Lookuper: one}); err != nil {
			mistake("%s is %q, must be %s", name, value, shouldBe(f.Type))
			continue
		}
		maps.Copy(readable, one)
	}
	if err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: s, Lookuper: readable}); err != nil {
		mistake("%w", err)
	}
}

// shouldBe says what a variable of a type takes.
func shouldBe(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 500ms, 30s or 5m"
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[float64]():
		return "a number"
	}
	return "a whole number"
}

// handedOn are the variables that activities see.
func (s settings) handedOn() (names []string) {
	for _, name := range s.ActivityEnvAllow {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// userSeries is the setting as metrics counts it, where zero means the default and less means none.
func (s settings) userSeries() int {
	if s.UserMetricsMaxSeries == 0 {
		return -1
	}
	return s.UserMetricsMaxSeries
}

// topProjects is so too.
func (s settings) topProjects() int {
	if s.TopProjects == 0 {
		return -1
	}
	return s.TopProjects
}

// workflowCacheSize is how many executions stay in memory between their tasks.
func (s settings) workflowCacheSize() int {
	if s.WorkflowCacheSize > 0 {
		return s.WorkflowCacheSize
	}
	return memory.WorkflowCacheSize()
}

// encrypts says whether payloads are encrypted.
func (s settings) encrypts() bool { return s.PayloadKeys != "" || s.PayloadCodec != "" }

// recordsValues says whether rows show what executions take and give. What is encrypted for
// Temporal is in plain text nowhere else, unless that is wished.
func (s settings) recordsValues() bool {
	if s.RecordValues == "" {
		return !s.encrypts()
	}
	return s.RecordValues == recordPlain
}

// unreadable says that a secret was to come from a file, of which has been told.
func (s settings) unreadable(name string) bool {
	_, file := s.environment.Lookup(name + fileSuffix)
	return file
}

// allowedAddresses reads HTTP_ALLOW: addresses or networks.
func (s settings) allowedAddresses() ([]netip.Prefix, error) {
	var out []netip.Prefix
	var errs []error
	for _, text := range s.HTTPAllow {
		text = strings.TrimSpace(text)
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("HTTP_ALLOW: %q is neither an address nor a network (10.0.0.0/8)", text))
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

// activityEnvironment is the part of the environment that activities may see.
func (p process) activityEnvironment(s settings) map[string]string {
	out := map[string]string{}
	for _, name := range s.handedOn() {
		if value, ok := p.environment.Lookup(name); ok {
			out[name] = value
		}
	}
	return out
}
