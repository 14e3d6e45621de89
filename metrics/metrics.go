package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
)

// Service is the name under which /health answers.
const Service = "temporal-worker-service"

const namespace = "workflow_worker"

// Options configures [New]. The zero value is ready to use.
type Options struct {
	// Version is shown by /health and as a label of build_info; "" = "dev".
	Version string
	// Revision is the commit the binary was built from; "" = "unknown".
	Revision string
	// UserSeries is how many series the code of one project may make with
	// metricMeter, as Prometheus counts them; 0 = 1000, less = none.
	UserSeries int
	// TopProjects is how many projects are shown by each of tasks, failures and
	// CPU time; 0 = 20, less = none.
	TopProjects int
	// MemoryLimit is how much the process may use, in bytes; 0 = unknown.
	MemoryLimit int64
	// Now is the clock; nil = time.Now. Tests set it.
	Now func() time.Time
}

// The defaults of Options.UserSeries and Options.TopProjects.
const (
	DefaultUserSeries  = 1000
	DefaultTopProjects = 20
)

func (o Options) withDefaults() Options {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Revision == "" {
		o.Revision = "unknown"
	}
	if o.UserSeries == 0 {
		o.UserSeries = DefaultUserSeries
	}
	if o.TopProjects == 0 {
		o.TopProjects = DefaultTopProjects
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Metrics collects what the rooms report. Its methods are the rooms' observer
// interfaces and safe for concurrent use.
type Metrics struct {
	options  Options
	started  time.Time
	registry *prometheus.Registry
	temporal *temporalMetrics
	users    *userMetrics
	usage    *usage
	beside   beside

	processes *processes

	stream       streamState
	dependencies dependencies
	troubles     troubles
	phase        phase

	projects        gaugeSet
	wanted          prometheus.Gauge
	replicas        prometheus.Gauge
	compileErrors   prometheus.Gauge
	gateRefusals    counterSet
	workflows       *prometheus.GaugeVec
	stayed          prometheus.Counter
	failing         prometheus.Gauge
	startWait       prometheus.Histogram
	backlog         prometheus.Gauge
	storedCode      prometheus.Gauge
	storedBytes     prometheus.Gauge
	queueDepth      prometheus.Gauge
	reconciles      prometheus.Histogram
	reconcileErrors prometheus.Counter
	reloads         counterSet
	reloadDuration  *prometheus.HistogramVec
	streamLag       prometheus.Histogram
	hints           prometheus.Counter
	interrupts      counterSet
	taskFailures    counterSet
}

// New makes the registry with every collector in it, those of the Go runtime
// and the process included.
func New(o Options) *Metrics {
	o = o.withDefaults()
	m := &Metrics{
		options:  o,
		started:  o.Now(),
		registry: prometheus.NewRegistry(),
		temporal: newTemporalMetrics(),
		users:    &userMetrics{limit: o.UserSeries, projects: map[string]*userProject{}},
		usage:    newUsage(o.TopProjects, o.Now),
	}
	m.stream.now = o.Now
	m.processes = newProcesses(o.Now)
	m.stream.set(StreamConnecting, "not connected yet")
	m.makeCollectors()
	buildInfo := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info",
		Help:        "Always 1; its labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision, "go_version": runtime.Version()},
	})
	buildInfo.Set(1)
	memoryLimit := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "memory_limit_bytes",
		Help: "Memory that the process may use: the least of GOMEMLIMIT, the control group's limit and the machine's. 0 if unknown.",
	})
	memoryLimit.Set(float64(o.MemoryLimit))
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo, memoryLimit,
		m.projects.vec, m.wanted, m.replicas, m.compileErrors, m.gateRefusals.vec, m.stayed, m.failing, m.startWait, m.backlog, m.workflows, m.storedCode, m.storedBytes, m.queueDepth,
		m.reconciles, m.reconcileErrors, m.reloads.vec, m.reloadDuration,
		m.streamLag, m.hints, m.interrupts.vec, m.taskFailures.vec,
		m.processes.deaths, m.processes.memory, m.processes.held, m.processes.wait,
		newStateCollector(m),
		m.temporal,
		m.users,
		m.usage,
	)
	return m
}

// Registry is where everything is registered; the caller may add collectors.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// TemporalHandler is to be given to the Temporal client
// (client.Options.MetricsHandler): it puts the SDK's own metrics into the
// registry, with label values that do not grow with the number of projects.
func (m *Metrics) TemporalHandler() client.MetricsHandler { return m.temporal.root() }
