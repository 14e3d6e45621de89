package cdc

import (
	"log/slog"
	"strings"
	"sync"
)

// Modes of [Observer.StreamState].
const (
	// ModeConnecting: the first attempt to stream isn't over.
	ModeConnecting = "connecting"
	// ModeStreaming: changes arrive as they are committed.
	ModeStreaming = "streaming"
	// ModePolling: there is no stream, or nothing to follow it with; everything is
	// looked at every few seconds meanwhile.
	ModePolling = "polling"
)

// Modes are all of them.
func Modes() []string { return []string{ModeConnecting, ModeStreaming, ModePolling} }

// status is how change capture is doing: the stream, and the reads that follow it.
type status struct {
	observer Observer
	log      *slog.Logger
	turned   chan struct{} // polling began

	mu            sync.Mutex // guards what follows, and the order of what the observer is told
	stream        state
	unreadableFor string // why visibility can't be read; "" while it can
	shown         state
}

type state struct{ mode, name, text string }

func (s state) reason() string {
	if s.name == "" {
		return ""
	}
	return s.name + ": " + s.text
}

func newStatus(c Config) *status {
	return &status{observer: c.Observer, log: c.Logger, turned: make(chan struct{}, 1)}
}

func (s *status) connecting() { s.set(state{mode: ModeConnecting}) }
func (s *status) streaming()  { s.set(state{mode: ModeStreaming}) }

func (s *status) polling(name, text string) {
	// A joined error has a line for each address that was tried.
	s.set(state{mode: ModePolling, name: name, text: strings.Join(strings.Fields(text), " ")})
}

func (s *status) set(stream state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = stream
	s.show()
}

// unreadable says that transactions can't be let through the gate.
func (s *status) unreadable(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreadableFor = strings.Join(strings.Fields(err.Error()), " ")
	s.show()
}

// readable says that they can again.
func (s *status) readable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreadableFor = ""
	s.show()
}

// isStreaming says whether hints come without polling.
func (s *status) isStreaming() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.mode == ModeStreaming
}

// show tells the observer and, once for each mode and reason, the log. s.mu is held.
func (s *status) show() {
	now := s.stream
	if now.mode == ModeStreaming && s.unreadableFor != "" {
		now = state{ModePolling, ReasonUnreadable, s.unreadableFor}
	}
	before := s.shown
	if now == before {
		return
	}
	s.shown = now
	s.observer.StreamState(now.mode, now.reason())
	if now.mode == before.mode && now.name == before.name {
		return // only the text differs: the same failure again
	}
	switch now.mode {
	case ModeStreaming:
		s.log.Info("streaming changes")
	case ModePolling:
		s.log.Warn("polling for changes", "id", "stream."+now.name, "reason", now.name, "detail", now.text)
	}
	if now.mode == ModePolling && before.mode != ModePolling {
		ring(s.turned)
	}
}
