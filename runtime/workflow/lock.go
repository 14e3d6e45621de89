package workflow

import (
	"sync/atomic"
	"time"
)

// patience is how long one entry may hold a shared runtime on the clock before those who wait go
// elsewhere: they begin their task again there, which costs a replay. Most entries take some
// milliseconds of the processor, those that share 50 at most, and many may want it at once; a
// workflow task has ten seconds.
const patience = 1500 * time.Millisecond

// lock is a mutex that can be waited for with patience.
type lock struct {
	held  chan struct{}
	made  time.Time
	since atomic.Int64 // when it was locked last, or begin was called, in nanoseconds after made
}

func newLock() lock { return lock{held: make(chan struct{}, 1), made: time.Now()} }

func (l *lock) Lock() {
	l.held <- struct{}{}
	l.begin(0)
}

func (l *lock) tryLock() bool {
	select {
	case l.held <- struct{}{}:
		l.begin(0)
		return true
	default:
		return false
	}
}

func (l *lock) Unlock() { <-l.held }

// begin has the time for which the lock is held count from now on, but for what comes first: what
// those who wait would have to do as well.
func (l *lock) begin(first time.Duration) { l.since.Store(int64(time.Since(l.made) + first)) }

// lockPatiently locks, unless somebody holds the lock for longer than patience.
func (l *lock) lockPatiently() bool {
	if l.tryLock() {
		return true
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case l.held <- struct{}{}:
			l.begin(0)
			return true
		case <-timer.C:
			left := patience - (time.Since(l.made) - time.Duration(l.since.Load()))
			if left <= 0 {
				return false
			}
			timer.Reset(min(left, patience)) // others held it meanwhile
		}
	}
}
