package metrics

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const testGrace = 15 * time.Second

// fakeClock is a clock that a test moves.
type fakeClock struct{ at time.Time }

func newClock() *fakeClock { return &fakeClock{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *fakeClock) now() time.Time          { return c.at }
func (c *fakeClock) advance(d time.Duration) { c.at = c.at.Add(d) }

func TestHealthSaysWhetherTheServiceCanDoItsJob(t *testing.T) {
	t.Parallel()
	errDown := errors.New("connection refused")
	type world struct {
		*Metrics
		clock *fakeClock
	}
	database := func(w world, err error) { w.dependencies.database.record(w.clock.at, time.Millisecond, err) }
	temporal := func(w world, err error) { w.dependencies.temporal.record(w.clock.at, time.Millisecond, err) }
	healthy := func(w world) {
		database(w, nil)
		temporal(w, nil)
		w.StreamState(StreamStreaming, "")
		w.SetPhase(PhaseRunning)
	}
	tests := []struct {
		name   string
		given  func(w world)
		status string
		ready  bool
		reason string // part of one of the reasons
	}{
		{"nothing was asked yet", func(world) {}, StatusUnavailable, false, "database has not answered yet"},
		{"all is well", healthy, StatusOK, true, ""},
		{"all is well but the first look isn't done", func(w world) { healthy(w); w.SetPhase(PhaseStarting) }, StatusOK, false, ""},
		{"it stops", func(w world) { healthy(w); w.SetPhase(PhaseStopping) }, StatusOK, false, ""},
		{"it polls", func(w world) { healthy(w); w.StreamState(StreamPolling, "wal_level is replica") },
			StatusDegraded, true, "polling: wal_level is replica"},
		{"the stream connects again", func(w world) { healthy(w); w.StreamState(StreamConnecting, "cut") }, StatusOK, true, ""},
		{"the stream doesn't come back", func(w world) {
			healthy(w)
			w.StreamState(StreamConnecting, "cut")
			w.clock.advance(testGrace)
			w.StreamState(StreamConnecting, "cut again")
		}, StatusDegraded, true, "connecting: cut again"},
		{"the database failed just now", func(w world) { healthy(w); database(w, errDown) }, StatusDegraded, true, "connection refused"},
		{"the database failed up to the grace", func(w world) {
			healthy(w)
			database(w, errDown)
			w.clock.advance(testGrace - 1)
			database(w, errDown)
		}, StatusDegraded, true, "database fails"},
		{"the database failed for the grace", func(w world) {
			healthy(w)
			database(w, errDown)
			w.clock.advance(testGrace)
		}, StatusUnavailable, false, "database is out of reach"},
		{"temporal failed for the grace", func(w world) {
			healthy(w)
			temporal(w, errDown)
			w.clock.advance(testGrace)
		}, StatusUnavailable, false, "temporal is out of reach"},
		{"the database came back", func(w world) {
			healthy(w)
			database(w, errDown)
			w.clock.advance(testGrace)
			database(w, nil)
		}, StatusOK, true, ""},
		{"it failed again after it came back", func(w world) {
			healthy(w)
			database(w, errDown)
			w.clock.advance(testGrace)
			database(w, nil)
			database(w, errDown)
		}, StatusDegraded, true, ""},
		{"temporal was never reached", func(w world) { healthy(w); w.dependencies.temporal = dependency{}; temporal(w, errDown) },
			StatusUnavailable, false, "temporal is out of reach"},
		{"polling doesn't hide an outage", func(w world) {
			healthy(w)
			database(w, errDown)
			w.StreamState(StreamPolling, "no connection")
			w.clock.advance(testGrace)
		}, StatusUnavailable, false, "polling: no connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			w := world{New(Options{Now: clock.now}), clock}
			tt.given(w)
			h := w.health(testGrace)
			if h.Status != tt.status {
				t.Errorf("status %q, want %q (%q)", h.Status, tt.status, h.Reasons)
			}
			if ready := len(h.unready()) == 0; ready != tt.ready {
				t.Errorf("ready = %v, want %v (%q)", ready, tt.ready, h.unready())
			}
			if (h.Status == StatusOK) != (len(h.Reasons) == 0) {
				t.Errorf("status %q with reasons %q", h.Status, h.Reasons)
			}
			if !slices.ContainsFunc(append(h.Reasons, ""), func(r string) bool { return strings.Contains(r, tt.reason) }) {
				t.Errorf("no reason in %q says %q", h.Reasons, tt.reason)
			}
		})
	}
}

func TestHealthShowsWhatWasReported(t *testing.T) {
	t.Parallel()
	clock := newClock()
	m := New(Options{Version: "1.2.3", Revision: "abc", Now: clock.now})
	if h := m.health(testGrace); h.Stream.SecondsSinceLastByte != nil {
		t.Error("seconds since a last byte that never came")
	}
	m.StreamState(StreamStreaming, "")
	m.StreamReceived(clock.at)
	m.StreamReceived(clock.at.Add(-time.Minute)) // reported late, by another goroutine
	m.ProjectsByStatus(map[string]int{"running": 7, "failed": 1, "stopped": 0})
	clock.advance(90 * time.Second)
	m.dependencies.database.record(clock.at, 2*time.Millisecond, nil)
	clock.advance(1500 * time.Millisecond)

	h := m.health(testGrace)
	if h.Service != "temporal-worker-service" || h.Version != "1.2.3" || h.Revision != "abc" || h.UptimeSeconds != 91.5 {
		t.Errorf("who: %+v", h)
	}
	if h.Workers != 7 || len(h.Projects) != 2 || h.Projects["failed"] != 1 {
		t.Errorf("workers %d, projects %v", h.Workers, h.Projects)
	}
	if h.Stream.Mode != "streaming" || h.Stream.SinceSeconds != 91.5 || h.Stream.SecondsSinceLastByte == nil || *h.Stream.SecondsSinceLastByte != 91.5 {
		t.Errorf("stream: %+v", h.Stream)
	}
	if h.Database.Status != "ok" || h.Database.LatencySeconds != 0.002 || h.Database.CheckedSecondsAgo != 1.5 {
		t.Errorf("database: %+v", h.Database)
	}
}

func TestHealthTellsNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, text := range []string{
		"cannot parse `postgres://app:hunter2@db:5432/x`",
		"failed to connect to `user=hunter2 database=x`: refused",
		"dial: host=db password='hunter2' refused",
		"rpc error: Authorization: hunter2",
		"first line\nhunter2",
		strings.Repeat("long ", 100) + secret,
	} {
		m := New(Options{})
		m.dependencies.database.record(time.Now(), 0, errors.New(text))
		m.StreamState(StreamPolling, text)
		h := m.health(testGrace)
		for _, shown := range append(h.Reasons, h.Database.Error, h.Stream.Reason) {
			if strings.Contains(shown, secret) {
				t.Errorf("%q shows the secret in %q", text, shown)
			}
		}
		if h.Database.Error == "" || h.Stream.Reason == "" {
			t.Errorf("nothing is left of %q", text)
		}
	}
}
