package reconcile

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// workQueue is a queue of project ids with the guarantees of client-go's
// workqueue: an id is queued at most once, is handed to one worker at a time,
// and an id added while it is worked on is handed out once more afterwards.
// It adds two lanes, so that a look at everything doesn't delay a hint.
type workQueue struct {
	inner   workqueue.TypedDelayingInterface[string]
	lanes   *lanes
	backoff workqueue.TypedRateLimiter[string]
}

// item is one id to work on.
type item struct {
	id string
	// since is when the id was first asked for after it was last handed out.
	since time.Time
	// hinted says that somebody hinted at it meanwhile.
	hinted bool
	hints  hints
}

// newWorkQueue returns a queue whose retries wait base, twice that, and so on
// up to limit. Its goroutine ends with shutDown.
func newWorkQueue(base, limit time.Duration) *workQueue {
	l := &lanes{lane: map[string]int{}, urgent: map[string]bool{}, asked: map[string]occasion{}}
	return &workQueue{
		inner: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{
			Queue: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Queue: l}),
		}),
		lanes:   l,
		backoff: workqueue.NewTypedItemExponentialFailureRateLimiter[string](base, limit),
	}
}

// hint queues an id ahead of everything that wasn't hinted; since is when what
// the hint is about happened, zero for now.
func (q *workQueue) hint(id string, since time.Time) { q.hintOf(id, Change{Committed: since}) }

// hintOf is hint where it is known which commit it is about.
func (q *workQueue) hintOf(id string, c Change) {
	q.lanes.ask(id, true, c)
	q.inner.Add(id)
}

// resync queues an id behind hints.
func (q *workQueue) resync(id string) {
	q.lanes.ask(id, false, Change{})
	q.inner.Add(id)
}

// after queues an id behind hints once d has passed. Of several such calls
// the earliest counts.
func (q *workQueue) after(id string, d time.Duration) { q.inner.AddAfter(id, d) }

// retry queues an id after its back-off, which doubles with each call until
// forget, and returns the wait.
func (q *workQueue) retry(id string) time.Duration {
	d := q.backoff.When(id)
	q.inner.AddAfter(id, d)
	return d
}

// forget resets an id's back-off.
func (q *workQueue) forget(id string) { q.backoff.Forget(id) }

// get waits for an id; ok is false once the queue is shut down and empty.
// Each id must be given back with done.
func (q *workQueue) get() (it item, ok bool) {
	id, shutdown := q.inner.Get()
	if shutdown {
		return item{}, false
	}
	a := q.lanes.taken(id)
	return item{id: id, since: a.since, hinted: a.hinted, hints: a.hints}, true
}

func (q *workQueue) done(id string) {
	q.inner.Done(id)
	q.lanes.held.Add(-1) // after Done, which places the id anew if it was added meanwhile
}

// idle reports that no id waits without delay and none is worked on. Unlike len
// it doesn't miss the moment between an id's waiting and its being worked on.
func (q *workQueue) idle() bool { return q.lanes.held.Load() == 0 }

// len counts the ids that wait, without those worked on and those delayed.
func (q *workQueue) len() int { return q.inner.Len() }

// shutDown refuses new ids and ends the queue's goroutine. Waiting ids are
// still handed out.
func (q *workQueue) shutDown() { q.inner.ShutDown() }

// lanes is the storage behind client-go's queue: first in, first out, in two
// lanes. client-go calls Push, Touch, Pop and Len under its own lock, which is
// also why ask must not call the queue while it holds mu.
type lanes struct {
	fresh, later fifo
	lane         map[string]int // of each queued id
	held         atomic.Int64   // ids placed and not yet done

	mu     sync.Mutex          // guards what follows: it is also written outside of the queue's lock
	urgent map[string]bool     // hinted and not yet put into the fresh lane
	asked  map[string]occasion // since it was last handed out
}

// occasion is what an id was asked for with.
type occasion struct {
	since  time.Time // the first time
	hinted bool
	hints  hints
}

const (
	laneFresh = iota + 1
	laneLater
)

func (l *lanes) ask(id string, urgent bool, c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if urgent {
		l.urgent[id] = true
	}
	since := c.Committed
	if since.IsZero() {
		since = time.Now()
	}
	a, ok := l.asked[id]
	if !ok || since.Before(a.since) {
		a.since = since
	}
	a.hinted = a.hinted || urgent
	a.hints = a.hints.and(c)
	l.asked[id] = a
}

// takeUrgent consumes an id's urgency. Only placing an id does that, never
// handing it out: a hint between the two belongs to the next round.
func (l *lanes) takeUrgent(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.urgent[id]
	delete(l.urgent, id)
	return u
}

func (l *lanes) taken(id string) occasion {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.asked[id]
	delete(l.asked, id)
	if !ok { // a delayed add
		a.since = time.Now()
	}
	return a
}

// Push implements workqueue.Queue.
func (l *lanes) Push(id string) {
	l.held.Add(1)
	if l.takeUrgent(id) {
		l.lane[id] = laneFresh
		l.fresh.push(id)
		return
	}
	l.lane[id] = laneLater
	l.later.push(id)
}

// Touch implements workqueue.Queue: a waiting id was added again.
func (l *lanes) Touch(id string) {
	if l.takeUrgent(id) && l.lane[id] == laneLater {
		l.lane[id] = laneFresh
		l.fresh.push(id) // its place in the other lane is passed over by Pop
	}
}

// Len implements workqueue.Queue.
func (l *lanes) Len() int { return len(l.lane) }

// Pop implements workqueue.Queue. It is called only while Len isn't 0.
func (l *lanes) Pop() string {
	id, ok := l.fresh.pop()
	for !ok {
		var any bool
		if id, any = l.later.pop(); !any {
			return "" // not reached: each waiting id has a place in a lane
		}
		ok = l.lane[id] == laneLater // else it has gone by the fresh lane
	}
	delete(l.lane, id)
	return id
}

// fifo is a slice used from its front.
type fifo []string

func (f *fifo) push(id string) { *f = append(*f, id) }

func (f *fifo) pop() (string, bool) {
	if len(*f) == 0 {
		return "", false
	}
	id := (*f)[0]
	(*f)[0] = ""
	*f = (*f)[1:]
	return id, true
}
