package workflow

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"workflow-worker/runtime/workflow/wire"
)

const (
	// maxSuspects is how many executions are remembered that were cut off.
	maxSuspects = 1024
	// memoryRetry is how long an execution isn't tried again that was cut off for its memory; it
	// doubles each time, up to mostMemoryRetry. One that ran for too long costs a second of one
	// core, this one what all others need: the server's ten seconds are too soon.
	memoryRetry     = 20 * time.Second
	mostMemoryRetry = 10 * time.Minute
	// turnPatience is how long such an execution waits for another of them before it gives its
	// place in the worker back.
	turnPatience = time.Second
	// behavesAfter is after how many tasks an execution that was cut off is taken for one like others:
	// the runtime of its own that it has till then takes as much as a hundred executions.
	behavesAfter = 20
)

// suspects are executions that were cut off, or may be next. The server gives them out again and
// again, whatever code they are on then. Each has a runtime of its own; those that were cut off for
// their memory run one at a time, of all projects, and not at every attempt.
type suspects struct {
	turn chan struct{} // has a place for the one that runs; nil before there is any
	// retry is memoryRetry, but for tests.
	retry time.Duration

	mu     sync.Mutex // guards the rest, and the suspects
	byRun  map[string]*suspect
	runIDs []string // oldest first
}

type suspect struct {
	// doubtful is one that wasn't cut off: what it keeps is estimated anew, by a replay.
	doubtful bool
	// hoards is what it was cut off with for its memory, on some code; nil if it wasn't.
	hoards *wire.TaskFailure
	code   string // its hash
	times  int
	until  time.Time // it isn't tried before
	passed int       // tasks since it was cut off
}

// note gives an execution's entry, made if there is none. Called with mu held.
func (s *suspects) note(runID string) *suspect {
	x := s.byRun[runID]
	if x == nil {
		if s.byRun == nil {
			s.byRun = make(map[string]*suspect)
		}
		x = &suspect{doubtful: true}
		s.byRun[runID] = x
		if s.runIDs = append(s.runIDs, runID); len(s.runIDs) > maxSuspects {
			delete(s.byRun, s.runIDs[0])
			s.runIDs = slices.Delete(s.runIDs, 0, 1)
		}
	}
	return x
}

// add notes one that was cut off.
func (s *suspects) add(runID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.note(runID)
	x.doubtful, x.passed = false, 0
}

// doubt notes one of which it isn't clear what it keeps.
func (s *suspects) doubt(runID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(runID)
}

// hoarded notes one that was cut off for its memory, and what with.
func (s *suspects) hoarded(runID, code string, f wire.TaskFailure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.note(runID)
	after := s.retry
	if after == 0 {
		after = memoryRetry
	}
	after = min(after<<min(x.times, 10), mostMemoryRetry)
	x.doubtful, x.hoards, x.code = false, &f, code
	x.times, x.passed, x.until = x.times+1, 0, time.Now().Add(after)
	if s.turn == nil {
		s.turn = make(chan struct{}, 1)
	}
}

// has tells whether an execution is to have a runtime of its own, and strictly whether what it
// keeps is to be looked at as if it took it all at once.
func (s *suspects) has(runID string) (has, strictly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byRun[runID]
	return x != nil, x != nil && (x.doubtful || x.hoards != nil)
}

// passed notes that an execution got on. It tells whether that was often enough for it to be one like
// others from now on.
func (s *suspects) passed(runID string) (behaves bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byRun[runID]
	if x == nil {
		return false
	}
	x.hoards, x.times = nil, 0
	x.passed++
	if behaves = x.passed >= behavesAfter; behaves || x.doubtful {
		delete(s.byRun, runID)
		s.runIDs = slices.DeleteFunc(s.runIDs, func(id string) bool { return id == runID })
	}
	return behaves
}

// hoarder gives what one was cut off with for its memory, and until when it waits; nil of any other.
// Code that it wasn't cut off on may be better.
func (s *suspects) hoarder(runID, code string) (f *wire.TaskFailure, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byRun[runID]
	if x == nil || x.hoards == nil {
		return nil, time.Time{}
	}
	waits := *x.hoards
	if x.code == code {
		until = x.until
	}
	return &waits, until
}

// early is the failure of one that isn't to be tried yet; nil if it is.
func (s *suspects) early(runID, code string) error {
	waits, until := s.hoarder(runID, code)
	if waits == nil || !time.Now().Before(until) {
		return nil
	}
	waits.Hint = fmt.Sprintf("%s It is tried again at %s, not before.", waits.Hint, until.UTC().Format(time.TimeOnly+" MST"))
	return waits
}

// takeTurn lets one of those go on that were cut off for their memory: alone, until done is called.
// The error is for one that has to wait.
func (s *suspects) takeTurn(runID, code string) (done func(), err error) {
	waits, _ := s.hoarder(runID, code)
	if waits == nil {
		return func() {}, nil
	}
	if err := s.early(runID, code); err != nil {
		return nil, err
	}
	s.mu.Lock()
	turn := s.turn
	s.mu.Unlock()
	timer := time.NewTimer(turnPatience)
	defer timer.Stop()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-timer.C:
		waits.Hint += " It is tried again when no other execution is that was cut off for its memory."
		return nil, waits
	}
}

// held is the failure of an execution whose code may end the process, and that waits; nil if it
// doesn't.
func (in *instance) held() error {
	why, until := in.code.opts.Held(in.runID, in.code.Hash())
	if why == "" {
		return nil
	}
	return &wire.TaskFailure{Reason: wire.ReasonQuarantined, Message: why, Hint: fmt.Sprintf(
		"It is tried again at %s, not before, or on other code: move it there (migrate), or reset or terminate it.", until.UTC().Format(time.DateTime+" MST"))}
}

// takeTurn is suspects.takeTurn; for a replay that only tries code, it is nothing.
func (in *instance) takeTurn() (done func(), err error) {
	if in.unproven {
		return func() {}, nil
	}
	return in.code.suspects.takeTurn(in.runID, in.code.Hash())
}

// early is suspects.early, likewise.
func (in *instance) early() error {
	if in.unproven {
		return nil
	}
	return in.code.suspects.early(in.runID, in.code.Hash())
}
