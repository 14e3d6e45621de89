// Package eventloop is the turn-taking of one execution's JavaScript: jobs in the order in which
// they were posted, timers in the order in which they are due.
//
// It promises: JavaScript runs on one goroutine, which takes jobs with Next. Everybody else has one
// way back onto it, Post, and where something is under way that will end there, Expect. After Close
// nothing runs any more.
//
// It knows nothing of goja, of activities or of the platform, and imports nothing of ours.
package eventloop

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Job is one turn of the event loop. It runs inside the VM; its error is what escaped from the
// author's callback.
type Job func() error

// Loop is an event loop. The goroutine that runs JavaScript calls Next and sets timers; Post may be
// called from anywhere.
type Loop struct {
	mu     sync.Mutex // guards posted and closed
	posted []Job
	closed bool
	wake   chan struct{} // holds a token when there may be something new in posted

	timers   timerHeap
	byID     map[int]*timer
	lastID   int
	expected int  // under way: they will post
	favour   bool // jobs before timers, every other turn, so that neither starves the other
}

type timer struct {
	id    int
	due   time.Time
	run   Job
	index int // in the heap
}

// New makes a loop.
func New() *Loop {
	return &Loop{wake: make(chan struct{}, 1), byID: map[int]*timer{}}
}

// Post adds a job. After Close it does nothing and says so.
func (l *Loop) Post(j Job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.posted = append(l.posted, j)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// Expect notes that something is under way and gives the function that ends it with a job, which is
// called once, from anywhere. Until that job has its turn the loop isn't idle. Called by the
// goroutine that runs JavaScript.
func (l *Loop) Expect() (end func(Job) (posted bool)) {
	l.expected++
	return func(j Job) bool {
		return l.Post(func() error {
			l.expected--
			return j()
		})
	}
}

// Close drops all that waits.
func (l *Loop) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.posted = nil
	l.timers, l.byID = nil, nil
}

// Start sets a timer and returns its number, which is above 0.
func (l *Loop) Start(after time.Duration, run Job) int {
	l.lastID++
	t := &timer{id: l.lastID, due: time.Now().Add(after), run: run}
	l.byID[t.id] = t
	heap.Push(&l.timers, t)
	return t.id
}

// Stop takes back a timer, if it is still set.
func (l *Loop) Stop(id int) {
	if t, ok := l.byID[id]; ok {
		heap.Remove(&l.timers, t.index)
		delete(l.byID, id)
	}
}

// Timers is how many are set.
func (l *Loop) Timers() int { return len(l.byID) }

// Idle reports that nothing is under way: no job, no timer, nothing that is expected.
func (l *Loop) Idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.posted) == 0 && len(l.timers) == 0 && l.expected == 0
}

// Next waits for the next job; nil when ctx has ended.
func (l *Loop) Next(ctx context.Context) Job {
	l.favour = !l.favour
	for {
		if ctx.Err() != nil {
			return nil
		}
		if l.favour {
			if j := l.take(); j != nil {
				return j
			}
		}
		wait := time.Duration(-1)
		if len(l.timers) > 0 {
			first := l.timers[0]
			if wait = time.Until(first.due); wait <= 0 {
				l.Stop(first.id)
				return first.run
			}
		}
		if j := l.take(); j != nil {
			return j
		}
		l.sleep(ctx, wait)
	}
}

func (l *Loop) take() Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.posted) == 0 {
		return nil
	}
	j := l.posted[0]
	l.posted = l.posted[1:]
	return j
}

// sleep waits until something may be due; below 0 there is no timer.
func (l *Loop) sleep(ctx context.Context, wait time.Duration) {
	if wait < 0 {
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.wake:
	case <-ctx.Done():
	}
}

// timerHeap orders by time, and by age what is due at the same time.
type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].id < h[j].id
	}
	return h[i].due.Before(h[j].due)
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t, _ := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}
