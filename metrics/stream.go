package metrics

import (
	"sync"
	"sync/atomic"
	"time"
)

// The modes of the change stream.
const (
	StreamConnecting = "connecting"
	StreamStreaming  = "streaming"
	StreamPolling    = "polling"
)

// streamState is the last word of cdc about its stream.
type streamState struct {
	now          func() time.Time
	lastReceived atomic.Int64 // Unix nanoseconds; 0 = never. Written for every message.

	mu     sync.Mutex
	mode   string
	reason string
	since  time.Time // when the mode began
}

func (s *streamState) set(mode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mode != s.mode {
		s.since = s.now()
	}
	s.mode, s.reason = mode, reason
}

func (s *streamState) received(at time.Time) {
	ns := at.UnixNano()
	for {
		last := s.lastReceived.Load()
		if ns <= last || s.lastReceived.CompareAndSwap(last, ns) {
			return
		}
	}
}

// streamView is a consistent copy.
type streamView struct {
	mode, reason string
	since        time.Time
	silence      time.Duration // since the last byte
	heard        bool          // whether there ever was one
}

func (s *streamState) view() streamView {
	s.mu.Lock()
	v := streamView{mode: s.mode, reason: s.reason, since: s.since}
	s.mu.Unlock()
	if last := s.lastReceived.Load(); last != 0 {
		v.heard = true
		v.silence = max(0, s.now().Sub(time.Unix(0, last)))
	}
	return v
}

// StreamState implements cdc.Observer.
func (m *Metrics) StreamState(mode, reason string) { m.stream.set(mode, reason) }

// StreamReceived implements cdc.Observer.
func (m *Metrics) StreamReceived(at time.Time) { m.stream.received(at) }

// StreamLag implements cdc.Observer.
func (m *Metrics) StreamLag(d time.Duration) { m.streamLag.Observe(max(0, d.Seconds())) }

// HintDelivered implements cdc.Observer.
func (m *Metrics) HintDelivered(n int) {
	if n > 0 {
		m.hints.Add(float64(n))
	}
}
