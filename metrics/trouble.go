package metrics

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Unusable marks a dependency's error that says: it answers, and the service can't
// do its work with it. It is judged as one that is out of reach, in other words.
func Unusable(err error) error {
	if err == nil {
		return nil
	}
	return unusableError{err}
}

type unusableError struct{ err error }

func (e unusableError) Error() string { return e.err.Error() }
func (e unusableError) Unwrap() error { return e.err }

func isUnusable(err error) bool {
	var e unusableError
	return errors.As(err, &e)
}

// troubleFresh is how long something counts as failing after it failed last: what
// fails is tried again within half a minute, or the heartbeat's interval.
const troubleFresh = 3 * time.Minute

// troubles are the things that the rooms say fail.
type troubles struct {
	mu     sync.Mutex // guards byWhat
	byWhat map[string]trouble
}

type trouble struct {
	vital       bool
	since, last time.Time
	err         error
}

// Trouble implements reconcile.Observer: what the service does in words ("heartbeats
// can't be written"), whether it can't do its job without, and how it failed; nil
// once it works again.
func (m *Metrics) Trouble(what string, vital bool, err error) {
	t := &m.troubles
	now := m.options.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.byWhat, what)
		return
	}
	if t.byWhat == nil {
		t.byWhat = map[string]trouble{}
	}
	x, known := t.byWhat[what]
	if !known || now.Sub(x.last) > troubleFresh {
		x = trouble{since: now}
	}
	x.vital, x.last, x.err = vital, now, err
	t.byWhat[what] = x
}

// view lists what fails, and forgets what hasn't failed again.
func (t *troubles) view(now time.Time) (list []troubleView) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for what, x := range t.byWhat {
		if now.Sub(x.last) > troubleFresh {
			delete(t.byWhat, what)
			continue
		}
		list = append(list, troubleView{TroubleID(what), what + ": " + publicReason(x.err), x.vital, now.Sub(x.since)})
	}
	slices.SortFunc(list, func(a, b troubleView) int { return strings.Compare(a.reason, b.reason) })
	return list
}

type troubleView struct {
	id      string
	reason  string
	vital   bool
	failing time.Duration
}

// judgeTroubles: what the service can't do without for as long as the grace makes
// it unavailable; the rest, and what fails for a moment, degrades it.
func (h *Health) judgeTroubles(list []troubleView, grace time.Duration) {
	for _, t := range list {
		if t.vital && t.failing >= grace {
			h.worsen(StatusUnavailable, t.id, t.reason)
		} else {
			h.worsen(StatusDegraded, t.id, t.reason)
		}
	}
}
