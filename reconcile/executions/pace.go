package executions

import (
	"maps"
	"time"

	"workflow-worker/reconcile/bell"
)

// pace is how long a write waits for others to go with it, by how many states come.
type pace struct {
	ends   time.Duration // what is due, too
	begins time.Duration // of executions that aren't over: many soon are
	// first is how long a start waits for what a worker sees of its first task: both are one write
	// of the row then instead of two. Whoever sees it finds the row without that.
	first time.Duration
	// code is how long an execution's end is waited for where all that is new is its code.
	code time.Duration
}

// An execution has three states or so: that it was started, that it runs, that it is over.
func paceOf(c *bell.Crowd) pace {
	switch n := c.Size(); {
	case n < 20:
		return pace{ends: 4 * time.Millisecond, first: 500 * time.Millisecond, code: time.Second}
	case n < 80:
		return pace{ends: 10 * time.Millisecond, begins: 150 * time.Millisecond, first: time.Second, code: time.Second}
	case n < 200:
		return pace{ends: 20 * time.Millisecond, begins: 300 * time.Millisecond, first: 2 * time.Second, code: 5 * time.Second}
	default:
		return pace{ends: 100 * time.Millisecond, begins: 400 * time.Millisecond, first: 2 * time.Second, code: 5 * time.Second}
	}
}

// starts are those from here that are written, or soon are, and whose first task isn't seen yet.
type starts map[string]time.Time // by first run

const (
	// firstsFor is how long a first task is waited for; of maxStarts at most.
	firstsFor = 30 * time.Second
	maxStarts = 5000
)

func (t starts) began(run string, now time.Time) {
	if len(t) >= maxStarts {
		maps.DeleteFunc(t, func(_ string, at time.Time) bool { return now.Sub(at) > firstsFor })
	}
	if len(t) < maxStarts {
		t[run] = now
	}
}

// seen says whether a task is the first that is seen of a start from here.
func (t starts) seen(run string) bool {
	_, ours := t[run]
	delete(t, run)
	return ours
}
