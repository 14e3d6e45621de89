package executions

import (
	"time"

	"workflow-worker/reconcile/executions/bell"
)

// pace is how long a write waits for others to go with it, by how many states come.
type pace struct {
	ends   time.Duration // what is due, too
	begins time.Duration // of executions that aren't over: many soon are
}

// An execution has three states or so: that it was started, that it runs, that it is over.
func paceOf(c *bell.Crowd) pace {
	switch n := c.Size(); {
	case n < 20:
		return pace{ends: 4 * time.Millisecond}
	case n < 80:
		return pace{ends: 10 * time.Millisecond, begins: 150 * time.Millisecond}
	case n < 200:
		return pace{ends: 20 * time.Millisecond, begins: 300 * time.Millisecond}
	default:
		return pace{ends: 100 * time.Millisecond, begins: 400 * time.Millisecond}
	}
}

// firstTasks says how long a start waits for what a worker sees of its first task: both are one
// write of the row then instead of two. It is about twice as long as that takes; the less the more
// of them other replicas' workers see, which find the row by what is written of its start.
type firstTasks struct {
	wait time.Duration
	sent map[string]time.Time // starts whose first task isn't seen yet, by first run
}

const (
	// maxFirstWait bounds the wait, and firstsFor is how long after its start a first task is
	// waited for, to learn from it.
	maxFirstWait = 500 * time.Millisecond
	firstsFor    = 2 * time.Second
	// maxFirsts are learned from at once; those that nobody saw once there are someFirsts.
	maxFirsts, someFirsts = 500, 20
)

// began notes a start, and gives how long it waits.
func (t *firstTasks) began(run string, now time.Time) time.Duration {
	if t.sent == nil {
		t.sent, t.wait = map[string]time.Time{}, 40*time.Millisecond
	}
	if len(t.sent) >= someFirsts {
		for run, at := range t.sent {
			if now.Sub(at) > firstsFor {
				t.learn(0)
				delete(t.sent, run)
			}
		}
	}
	if len(t.sent) < maxFirsts {
		t.sent[run] = now
	}
	return t.wait
}

// seen notes that a worker here has seen a task.
func (t *firstTasks) seen(run string, now time.Time) {
	if at, ok := t.sent[run]; ok {
		t.learn(2 * now.Sub(at))
		delete(t.sent, run)
	}
}

// learn is quick where more is needed, for what is slow comes in crowds.
func (t *firstTasks) learn(wait time.Duration) {
	change := min(wait, maxFirstWait) - t.wait
	if change > 0 {
		t.wait += change / 2
	} else {
		t.wait += change / 16
	}
}
