package workflow

import (
	"runtime"
	"sync"
	"time"

	"workflow-worker/runtime/sandbox"
)

const (
	// refillAfter is how long after a spare was taken the next is made: what took it goes first.
	refillAfter = 100 * time.Millisecond
	// defaultIdle is how long what nobody uses is kept.
	defaultIdle = time.Minute
)

// RuntimesOptions of Runtimes.
type RuntimesOptions struct {
	// Shared is the most runtimes that executions share; each runs one execution at a time, and
	// another is made when all are running something. Default GOMAXPROCS.
	Shared int
	// Idle is how long a runtime without executions is kept, and a code's module without some.
	// Default 1 min.
	Idle time.Duration
	// Probe is the sandbox's.
	Probe func(text string) error
}

// Runtimes are goja runtimes with Temporal's TypeScript SDK loaded, 3 MB each, that the executions
// of many codes share: of all projects of a process. What may not share them gets runtimes of its
// code's own, of which one is kept ready: loading takes 10 ms, and the first task of code that
// needs one would wait for it. It is safe for concurrent use.
type Runtimes struct {
	o    RuntimesOptions
	pool *pool

	mu     sync.Mutex // guards what follows
	ready  *machine   // the spare
	making bool
	refill *time.Timer
	closed bool
	wg     sync.WaitGroup // the spare's maker

	suspects  suspects
	residents residents
}

// NewRuntimes is cheap: a runtime is made when it is first needed.
func NewRuntimes(o RuntimesOptions) *Runtimes {
	if o.Shared <= 0 {
		o.Shared = runtime.GOMAXPROCS(0)
	}
	if o.Idle <= 0 {
		o.Idle = defaultIdle
	}
	s := &Runtimes{o: o}
	s.pool = &pool{most: o.Shared, idle: o.Idle}
	s.pool.make = func() *machine {
		v := s.take()
		v.pool, v.shared = s.pool, true
		return v
	}
	return s
}

// Fill makes the spare runtime, if there is none, and waits for it. The error is what any code's
// first task would meet.
func (s *Runtimes) Fill() error {
	s.mu.Lock()
	if s.closed || s.making || s.ready != nil {
		s.mu.Unlock()
		return nil
	}
	s.making = true
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	v := newMachine()
	err := v.loadBundle(sandbox.Options{Probe: s.o.Probe})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.making = false
	if err == nil && !s.closed {
		s.ready = v
	}
	return err
}

// take gives the spare runtime, or one that isn't loaded yet.
func (s *Runtimes) take() *machine {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.ready
	s.ready = nil
	if v == nil {
		v = newMachine()
	}
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

// Close drops the spare runtime and makes no more, and the others when their last execution leaves.
func (s *Runtimes) Close() {
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
	s.pool.close()
}
