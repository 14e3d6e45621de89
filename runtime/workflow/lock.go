package workflow

import (
	"sync/atomic"
	"time"
)

// patience is how long one entry may hold a shared runtime on the clock before those who wait go
// elsewhere: they begin their task again there, which costs a replay. Entries take some
// milliseconds, even where many want the processor.
const patience = 500 * time.Millisecond

// lock is a mutex that can be waited for with patience.
type lock struct {
	held  chan struct{}
	since atomic.Int64 // when it was locked last, in nanoseconds
}

func newLock() lock { return lock{held: make(chan struct{}, 1)} }

func (l *lock) Lock() {
	l.held <- struct{}{}
	l.since.Store(time.Now().UnixNano())
}

func (l *lock) Unlock() { <-l.held }

// lockPatiently locks, unless somebody holds the lock for longer than patience.
func (l *lock) lockPatiently() bool {
	select {
	case l.held <- struct{}{}:
		l.since.Store(time.Now().UnixNano())
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case l.held <- struct{}{}:
			l.since.Store(time.Now().UnixNano())
			return true
		case <-timer.C:
			left := patience - time.Duration(time.Now().UnixNano()-l.since.Load())
			if left <= 0 {
				return false
			}
			timer.Reset(left) // others held it meanwhile
		}
	}
}
