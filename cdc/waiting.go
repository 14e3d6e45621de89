package cdc

import "time"

// transaction is one that the stream delivered and no hint was given for yet.
type transaction struct {
	xid     uint32
	changes changes
	commit  Commit
}

func (t *transaction) size() int { return 1 + t.changes.size() }

// crowd stands for transactions not known one by one: those up to an id. Everything
// is looked at for them, at once and again whenever more of them can be seen.
//
// It serves where a list can't: beyond the bound on memory, and at connect, for
// transactions that were committed before the slot's consistent point, so that the
// stream has nothing of them, but that readers don't see yet.
type crowd struct {
	reason string
	last   uint32 // the highest id
	// unseen is how many were invisible when all was last looked at.
	unseen uint64
	// looked: all was looked at for this crowd. due is when to look again: other
	// sessions' open transactions count too, and on a busy server one ends all the
	// time.
	looked bool
	due    time.Time
	delay  time.Duration
}

const (
	crowdDelayMin = 20 * time.Millisecond
	crowdDelayMax = time.Second
)

// settle says whether all is to be looked at now, and whether the crowd is done.
func (c *crowd) settle(s snapshot, now time.Time) (lookAtAll, done bool) {
	if c.looked && now.Before(c.due) {
		return false, false
	}
	unseen := s.invisible(c.last)
	lookAtAll = !c.looked || unseen < c.unseen
	c.looked, c.unseen = true, unseen
	c.delay = min(max(2*c.delay, crowdDelayMin), crowdDelayMax)
	c.due = now.Add(c.delay)
	return lookAtAll, unseen == 0
}

// waiting holds what wasn't seen yet, in memory of bounded size. It is not safe for
// concurrent use.
type waiting struct {
	transactions []transaction
	size         int
	crowd        *crowd
}

// add takes a transaction in. Beyond the limit it and all others join the crowd.
func (w *waiting) add(t transaction, limit int) {
	if w.size += t.size(); w.size <= limit {
		w.transactions = append(w.transactions, t)
		return
	}
	last := t.xid
	for _, other := range w.transactions {
		last = later(last, other.xid)
	}
	w.transactions, w.size = nil, 0
	w.join(crowd{reason: "too many transactions waiting", last: last})
}

// join adds a crowd to the one that may be there.
func (w *waiting) join(c crowd) {
	if w.crowd != nil {
		c.last = later(c.last, w.crowd.last)
	}
	w.crowd = &c
}

// later compares ids as PostgreSQL does: in a circle.
func later(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}

// take moves everything from another set to this one.
func (w *waiting) take(other *waiting, limit int) {
	if other.crowd != nil {
		w.join(*other.crowd)
	}
	for _, t := range other.transactions {
		w.add(t, limit)
	}
	*other = waiting{}
}

func (w *waiting) empty() bool { return len(w.transactions) == 0 && w.crowd == nil }

// settle lets out what a reader with this snapshot sees. One that it doesn't see
// never holds back another.
func (w *waiting) settle(s snapshot, now time.Time) (seen []transaction, all string) {
	unseen := w.transactions[:0]
	w.size = 0
	for _, t := range w.transactions {
		if s.visible(t.xid) {
			seen = append(seen, t)
		} else {
			unseen = append(unseen, t)
			w.size += t.size()
		}
	}
	clear(w.transactions[len(unseen):]) // let go of their keys
	w.transactions = unseen
	if w.crowd != nil {
		lookAtAll, done := w.crowd.settle(s, now)
		if lookAtAll {
			all = w.crowd.reason
		}
		if done {
			w.crowd = nil
		}
	}
	return seen, all
}

// keys are those whose projects have to be looked up once they are seen.
func (w *waiting) keys() (workflows, components keys) {
	for _, t := range w.transactions {
		for id := range t.changes.workflows {
			workflows.add(id)
		}
		for id := range t.changes.components {
			components.add(id)
		}
	}
	return workflows, components
}
