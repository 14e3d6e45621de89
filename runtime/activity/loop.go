package activity

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// job is one turn of the event loop. It runs inside the VM; its error is what escaped from the author's callback.
type job func() error

// loop is an event loop: jobs in the order in which they were posted, timers in the order in which they are due. The
// goroutine that runs JavaScript calls next and sets timers; post may be called from anywhere.
type loop struct {
	mu     sync.Mutex // guards posted and closed
	posted []job
	closed bool
	wake   chan struct{} // holds a token when there may be something new in posted

	timers   timerHeap
	byID     map[int]*timer
	lastID   int
	requests int  // under way: they will post
	favour   bool // jobs before timers, every other turn, so that neither starves the other
}

type timer struct {
	id    int
	due   time.Time
	run   job
	index int // in the heap
}

func newLoop() *loop {
	return &loop{wake: make(chan struct{}, 1), byID: map[int]*timer{}}
}

// post adds a job. After close it does nothing and says so.
func (l *loop) post(j job) bool {
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

// close drops all that waits.
func (l *loop) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.posted = nil
	l.timers, l.byID = nil, nil
}

// start sets a timer and returns its number.
func (l *loop) start(after time.Duration, run job) int {
	l.lastID++
	t := &timer{id: l.lastID, due: time.Now().Add(after), run: run}
	l.byID[t.id] = t
	heap.Push(&l.timers, t)
	return t.id
}

// stop takes back a timer, if it is still set.
func (l *loop) stop(id int) {
	if t, ok := l.byID[id]; ok {
		heap.Remove(&l.timers, t.index)
		delete(l.byID, id)
	}
}

// idle reports that nothing is under way: no job, timer or request.
func (l *loop) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.posted) == 0 && len(l.timers) == 0 && l.requests == 0
}

// next waits for the next job; nil when ctx has ended.
func (l *loop) next(ctx context.Context) job {
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
				l.stop(first.id)
				return first.run
			}
		}
		if j := l.take(); j != nil {
			return j
		}
		l.sleep(ctx, wait)
	}
}

func (l *loop) take() job {
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
func (l *loop) sleep(ctx context.Context, wait time.Duration) {
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
