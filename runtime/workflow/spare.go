package workflow

import (
	"sync"
	"time"

	"workflow-worker/runtime/sandbox"
)

// refillAfter is how long after a spare was taken the next is made: what took it goes first.
const refillAfter = 100 * time.Millisecond

// Spare keeps one goja runtime with Temporal's TypeScript SDK loaded, for whichever code needs one
// next: loading takes 10 ms, and the first task of new code would wait for it. A runtime that was
// taken is that code's alone. A nil *Spare keeps none. It is safe for concurrent use.
type Spare struct {
	// Probe is the sandbox's. It is set before the first use.
	Probe func(text string) error

	mu     sync.Mutex // guards what follows
	ready  *vm
	making bool
	refill *time.Timer
	closed bool
	wg     sync.WaitGroup // the maker
}

// Fill makes the spare runtime, if there is none, and waits for it. The error is what any code's
// first task would meet.
func (s *Spare) Fill() error {
	s.mu.Lock()
	if s.closed || s.making || s.ready != nil {
		s.mu.Unlock()
		return nil
	}
	s.making = true
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	v := &vm{}
	err := v.loadBundle(sandbox.Options{Probe: s.Probe})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.making = false
	if err == nil && !s.closed {
		s.ready = v
	}
	return err
}

// take gives the spare runtime; nil if there is none at the moment.
func (s *Spare) take() *vm {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.ready
	s.ready = nil
	if s.closed {
		return v
	}
	if s.refill != nil {
		s.refill.Stop()
	}
	// An error is met again, and reported, by the code that needs a runtime.
	s.refill = time.AfterFunc(refillAfter, func() { _ = s.Fill() })
	return v
}

// Close drops the spare runtime and makes no more.
func (s *Spare) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed, s.ready = true, nil
	if s.refill != nil {
		s.refill.Stop()
	}
	s.mu.Unlock()
	s.wg.Wait()
}
