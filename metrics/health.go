package metrics

import (
	"strings"
	"sync/atomic"
	"time"
)

// Phase is where the process is in its life; it decides readiness.
type Phase string

// The phases. A new [Metrics] is in PhaseStarting.
const (
	PhaseStarting Phase = "starting" // not every project was looked at yet
	PhaseRunning  Phase = "running"
	PhaseStopping Phase = "stopping" // drains, takes no new work
)

type phase struct{ v atomic.Pointer[Phase] }

func (p *phase) get() Phase {
	if v := p.v.Load(); v != nil {
		return *v
	}
	return PhaseStarting
}

// SetPhase says where the process is: running once the first look at all
// projects is done, stopping once it has begun to shut down.
func (m *Metrics) SetPhase(p Phase) { m.phase.v.Store(&p) }

// The states of the service in /health.
const (
	// StatusOK: everything works.
	StatusOK = "ok"
	// StatusDegraded: the job is done, but slower or at risk: changes are found by
	// polling, or a dependency has failed for less than the grace. Answered with 200.
	StatusDegraded = "degraded"
	// StatusUnavailable: the service can't do its job. The database or Temporal has
	// been out of reach, or of no use, for longer than the grace, or was never reached;
	// or what it can't do without has failed for as long. Answered with 503.
	StatusUnavailable = "unavailable"
)

// Health is the document that /health answers with.
type Health struct {
	Status  string   `json:"status"`
	Service string   `json:"service"`
	Phase   Phase    `json:"phase"`
	Reasons []string `json:"reasons,omitempty"` // why Status is not ok
	// ReasonIDs name the reasons, in their order; docker/RUNBOOK.md has a heading for each.
	ReasonIDs     []string         `json:"reason_ids,omitempty"`
	Version       string           `json:"version"`
	Revision      string           `json:"revision"`
	StartedAt     time.Time        `json:"started_at"`
	UptimeSeconds float64          `json:"uptime_seconds"`
	Database      DependencyHealth `json:"database"`
	Stream        StreamHealth     `json:"stream"`
	Temporal      DependencyHealth `json:"temporal"`
	Workers       int              `json:"workers"`  // running now, in this process
	Projects      map[string]int   `json:"projects"` // by status, those with none left out
}

// DependencyHealth is what the last background probe of a dependency saw.
type DependencyHealth struct {
	Status            string  `json:"status"` // unknown, ok, failing, unreachable, unusable
	Error             string  `json:"error,omitempty"`
	FailingSeconds    float64 `json:"failing_seconds,omitempty"`
	LatencySeconds    float64 `json:"latency_seconds"`     // of the last probe
	CheckedSecondsAgo float64 `json:"checked_seconds_ago"` // the last probe
}

// StreamHealth is how changes of rows are found.
type StreamHealth struct {
	Mode   string `json:"mode"`             // connecting, streaming, polling
	Reason string `json:"reason,omitempty"` // why it is not streaming
	// SinceSeconds is how long the mode has lasted.
	SinceSeconds float64 `json:"since_seconds"`
	// SecondsSinceLastByte is absent while nothing was ever received.
	SecondsSinceLastByte *float64 `json:"seconds_since_last_byte,omitempty"`
}

// health judges the service at this moment, from what was reported: it asks nobody.
func (m *Metrics) health(grace time.Duration) Health {
	now := m.options.Now()
	h := Health{
		Status: StatusOK, Service: Service, Phase: m.phase.get(),
		Version: m.options.Version, Revision: m.options.Revision,
		StartedAt: m.started.UTC(), UptimeSeconds: seconds(now.Sub(m.started)),
		Projects: map[string]int{},
	}
	h.Database = h.judge("database", m.dependencies.database.view(now, grace))
	h.Temporal = h.judge("temporal", m.dependencies.temporal.view(now, grace))
	h.Stream = h.judgeStream(m.stream.view(), now, grace)
	h.judgeTroubles(m.troubles.view(now), grace)
	for status, n := range m.projects.get() {
		if n > 0 {
			h.Projects[status] = n
		}
	}
	h.Workers = h.Projects[statusRunning]
	return h
}

func (h *Health) judge(name string, v dependencyView) DependencyHealth {
	switch v.state {
	case dependencyFailing:
		h.worsen(StatusDegraded, name+outOfReach, name+" fails: "+v.reason)
	case dependencyUnreachable:
		h.worsen(StatusUnavailable, name+outOfReach, name+" is out of reach: "+v.reason)
	case dependencyUnusable:
		h.worsen(StatusUnavailable, name+ofNoUse, name+" answers, but can't be used: "+v.reason)
	case dependencyUnknown:
		h.worsen(StatusUnavailable, name+outOfReach, name+" has not answered yet")
	}
	return DependencyHealth{
		Status: v.state, Error: v.reason, FailingSeconds: seconds(v.failing),
		LatencySeconds: v.took.Seconds(), CheckedSecondsAgo: seconds(v.age),
	}
}

// judgeStream never makes the service unavailable: the timer alone is enough to
// be correct. Connecting is normal for a moment, at the start and after a cut.
func (h *Health) judgeStream(v streamView, now time.Time, grace time.Duration) StreamHealth {
	s := StreamHealth{Mode: v.mode, Reason: shorten(hideCredentials(v.reason)), SinceSeconds: seconds(now.Sub(v.since))}
	if v.heard {
		silence := seconds(v.silence)
		s.SecondsSinceLastByte = &silence
	}
	switch {
	case v.mode == StreamPolling:
		h.worsen(StatusDegraded, streamID(v.reason), "changes are found by polling: "+s.Reason)
	case v.mode != StreamStreaming && now.Sub(v.since) >= grace:
		h.worsen(StatusDegraded, idConnecting, strings.TrimSuffix("the change stream is still "+v.mode+": "+s.Reason, ": "))
	}
	return s
}

func (h *Health) worsen(status, id, reason string) {
	if h.Status != StatusUnavailable {
		h.Status = status
	}
	h.Reasons, h.ReasonIDs = append(h.Reasons, reason), append(h.ReasonIDs, id)
}

// unready says why the process should not be counted on; none = ready.
func (h *Health) unready() []string {
	var reasons []string
	if h.Phase != PhaseRunning {
		reasons = append(reasons, "the service is "+string(h.Phase))
	}
	if h.Status == StatusUnavailable {
		reasons = append(reasons, h.Reasons...)
	}
	return reasons
}

// seconds rounds to milliseconds, which is what a reader can use.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
