package metrics

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const statusRunning = "running"

// makeCollectors makes the metrics that observers write. Series that exist from
// the beginning are 0 from the beginning, so that rate() sees the first event.
func (m *Metrics) makeCollectors() {
	m.projects.vec = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "projects",
		Help: "Projects of this process by the status of their worker.",
	}, []string{"status"})
	m.projects.known = []string{"starting", statusRunning, "stopping", "stopped", "failed"}
	m.projects.set(nil)
	m.wanted = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "projects_wanted",
		Help: "Projects that this process should run; those that it runs are projects{status=\"running\"}.",
	})
	m.replicas = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "replicas",
		Help: "Replicas that this process counts on, itself included, where projects don't run on all (PROJECT_REPLICAS); else 0.",
	})
	m.compileErrors = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "compile_errors",
		Help: "Workflow rows and components whose newest text is not live because of an error in it, now.",
	})
	m.gateRefusals = newCounterSet(prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "gate_refusals_total",
		Help: "Code that running executions' histories didn't fit: an edit that didn't go live, or the target of a check or migrate request.",
	}, []string{"of"}), "edit", "request")
	m.stayed = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "executions_stayed_total",
		Help: "Executions that were to go on with other code and keep theirs, because their history doesn't fit: once for each code and process.",
	})
	m.workflows = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "workflows",
		Help: "Workflows with live code, by how many versions of it are in use: the live one and those that open executions are on.",
	}, []string{"versions"})
	m.VersionsInUse(nil)
	m.failing = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "executions_failing",
		Help: "Open executions of all projects that get no further, because their workflow tasks fail, at most 1,000 of a workflow. Every replica shows the same number.",
	})
	m.startWait = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "execution_start_seconds",
		Help:    "Time from when a pending row of workflow_executions was claimed until Temporal had started it.",
		Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	m.backlog = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "execution_backlog",
		Help: "Executions whose newest state waits to be written into workflow_executions.",
	})
	m.storedCode = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "code_store_texts",
		Help: "Texts in workflow_code_store, of all projects.",
	})
	m.storedBytes = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "code_store_bytes",
		Help: "Size of workflow_code_store on disk, with its indexes.",
	})
	m.queueDepth = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "reconcile_queue_depth",
		Help: "Projects waiting to be reconciled.",
	})
	m.reconciles = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "reconcile_duration_seconds",
		Help:    "Time to reconcile one project, failures included.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	})
	m.reconcileErrors = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "reconcile_failures_total",
		Help: "Reconciles that failed and are tried again.",
	})
	m.reloads = newCounterSet(prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "reloads_total",
		Help: "Times that code went live: in a new worker (start) or under a running one (reload).",
	}, []string{"action"}), "start", "reload")
	m.reloadDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "reload_duration_seconds",
		Help:    "Time from the commit to its code being live, failed attempts included, by action; from when the change was noticed, where the stream did not tell of the commit.",
		Buckets: []float64{.001, .0025, .005, .01, .02, .03, .04, .06, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"action"})
	m.streamLag = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "stream_lag_seconds",
		Help:    "Time from a commit to its project being named for a look.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60},
	})
	m.hints = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "hints_total",
		Help: "Projects named for a look by the change stream.",
	})
	m.interrupts = newCounterSet(prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "js_interrupts_total",
		Help: "JavaScript stopped by the watchdog or a limit, by what it was running; load is a row's text at its first evaluation.",
	}, []string{"where"}), "task", "query", "activity", "load")
	m.taskFailures = newCounterSet(prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "workflow_task_failures_total",
		Help: "Workflow tasks answered with a failure, by reason; the execution stays open.",
	}, []string{"reason"}), "exception", "unhandled_rejection", "interrupted", "memory", "call_depth", "unknown_type",
		"missing_code", "unsupported", "payload", "discarded", "nondeterminism", "too_large", "duplicate_id",
		"foreign", "not_awaited", "refused", "quarantined", "no_turn", "internal")
}

// gaugeSet is a gauge per known value of one label.
type gaugeSet struct {
	vec   *prometheus.GaugeVec
	known []string

	mu     sync.Mutex
	counts map[string]int // the last ones set
}

// set shows counts; a known value that is absent is 0, unknown ones are added up.
func (s *gaugeSet) set(counts map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = map[string]int{}
	for value, n := range counts {
		s.counts[oneOf(s.known, value)] += n
	}
	for _, value := range append(s.known, otherValue) {
		s.vec.WithLabelValues(value).Set(float64(s.counts[value]))
	}
}

func (s *gaugeSet) get() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts // replaced by set, never changed
}

// counterSet is a counter per known value of one label.
type counterSet struct {
	vec   *prometheus.CounterVec
	known []string
}

func newCounterSet(vec *prometheus.CounterVec, known ...string) counterSet {
	s := counterSet{vec: vec, known: known}
	for _, value := range append(s.known, otherValue) {
		s.vec.WithLabelValues(value)
	}
	return s
}

func (s counterSet) inc(value string) { s.vec.WithLabelValues(oneOf(s.known, value)).Inc() }

func oneOf(known []string, value string) string {
	if slices.Contains(known, value) {
		return value
	}
	return otherValue
}

// QueueDepth implements reconcile.Observer: projects waiting for a pass.
func (m *Metrics) QueueDepth(n int) { m.queueDepth.Set(float64(n)) }

// Reconciled implements reconcile.Observer: one pass over one project.
func (m *Metrics) Reconciled(d time.Duration, err error) {
	m.reconciles.Observe(d.Seconds())
	if err != nil {
		m.reconcileErrors.Inc()
	}
}

// Reloaded implements reconcile.Observer: code went live.
func (m *Metrics) Reloaded(action string, commitToLive time.Duration) {
	m.reloads.inc(action)
	if commitToLive > 0 {
		m.reloadDuration.WithLabelValues(oneOf(m.reloads.known, action)).Observe(commitToLive.Seconds())
	}
}

// ProjectsByStatus implements reconcile.Observer: this process's projects.
func (m *Metrics) ProjectsByStatus(counts map[string]int) { m.projects.set(counts) }

// Placed implements reconcile.Observer: what this process should run, and who else there is.
func (m *Metrics) Placed(wanted, replicas int) {
	m.wanted.Set(float64(wanted))
	m.replicas.Set(float64(replicas))
}

// CompileErrors implements reconcile.Observer: rows whose newest text isn't live.
func (m *Metrics) CompileErrors(n int) { m.compileErrors.Set(float64(n)) }

// GateRefused implements reconcile.Observer: code didn't fit running executions.
func (m *Metrics) GateRefused(what string) { m.gateRefusals.inc(what) }

// VersionsInUse implements reconcile.Observer: workflows by how many versions of
// their code are in use. The label's values are few, however many versions.
func (m *Metrics) VersionsInUse(workflows map[int]int) {
	counts := map[string]int{"1": 0, "2": 0, "3-5": 0, "6-10": 0, "more": 0}
	for versions, n := range workflows {
		switch {
		case versions <= 2:
			counts[strconv.Itoa(max(versions, 1))] += n
		case versions <= 5:
			counts["3-5"] += n
		case versions <= 10:
			counts["6-10"] += n
		default:
			counts["more"] += n
		}
	}
	for label, n := range counts {
		m.workflows.WithLabelValues(label).Set(float64(n))
	}
}

// ExecutionsStayed implements reconcile.Observer: they keep their code.
func (m *Metrics) ExecutionsStayed(n int) { m.stayed.Add(float64(n)) }

// ExecutionStarted implements executions.Observer: how long its row took to be started once it was
// claimed.
func (m *Metrics) ExecutionStarted(took time.Duration) { m.startWait.Observe(took.Seconds()) }

// ExecutionBacklog implements executions.Observer: states that wait to be written into rows.
func (m *Metrics) ExecutionBacklog(n int) { m.backlog.Set(float64(n)) }

// ExecutionsFailing implements reconcile.Observer: they get no further.
func (m *Metrics) ExecutionsFailing(n int) { m.failing.Set(float64(n)) }

// StoredCode implements reconcile.Observer: what the code store holds.
func (m *Metrics) StoredCode(rows, bytes int64) {
	m.storedCode.Set(float64(rows))
	m.storedBytes.Set(float64(bytes))
}

// JSInterrupted implements the observers of runtime: the watchdog or a limit
// stopped JavaScript, in where.
func (m *Metrics) JSInterrupted(where string) { m.interrupts.inc(where) }

// WorkflowTaskFailed implements the observer of runtime/workflow.
func (m *Metrics) WorkflowTaskFailed(reason string) { m.taskFailures.inc(reason) }
