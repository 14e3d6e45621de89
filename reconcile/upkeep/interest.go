package upkeep

import (
	"context"
	"slices"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/rows"
)

const (
	// looked is the time between two looks at the rows. The change stream tells earlier: of a commit
	// that others may not see yet, so it is looked again soon after that.
	looked, lookedAgain = 2 * time.Second, 200 * time.Millisecond
	// lasting is how long interest outlasts the last open row: its end is told, too.
	lasting = 15 * time.Second
	// mostOpen rows are looked at; where there are more, all executions are of interest.
	mostOpen = 1000
	// Between two looks is so much, and so many times what a look took.
	lookPause, lookShare = 50 * time.Millisecond, 20
)

// Interest finds out whose executions some row waits for: what is told for nobody costs as much as
// what is told for somebody. It implements cdc.Messages.
type Interest struct {
	DB rows.DB
	// All says that every execution gets a row.
	All bool
	// Changed hears of each change: that all executions are of interest, or else on which task queues.
	// All are until it is told otherwise.
	Changed func(all bool, queues []string)

	bell bell.Bell
}

// NewInterest returns one that does nothing until Run.
func NewInterest(db rows.DB, all bool, changed func(all bool, queues []string)) *Interest {
	return &Interest{DB: db, All: all, Changed: changed, bell: bell.New()}
}

// Told implements cdc.Messages: whatever it is, rows of executions may be new.
func (i *Interest) Told(string, time.Time) {
	i.bell.Ring()
}

// Run looks until ctx ends.
func (i *Interest) Run(ctx context.Context) {
	if i.All {
		return
	}
	all, queues := true, []string(nil)
	known := interests{all: time.Now(), of: map[string]time.Time{}}
	next := time.NewTimer(looked)
	defer next.Stop()
	for {
		wait := looked
		select {
		case <-ctx.Done():
			return
		case <-i.bell:
			wait = lookedAgain
		case <-next.C:
		}
		began := time.Now()
		open, more, err := rows.OpenQueues(ctx, i.DB, mostOpen)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		if err == nil { // a database that is away is told of elsewhere
			known.see(open, more, now)
			if nowAll, nowQueues := known.at(now); nowAll != all || !slices.Equal(nowQueues, queues) {
				all, queues = nowAll, nowQueues
				i.Changed(all, queues)
			}
		}
		if !bell.Pause(ctx, max(lookPause, lookShare*now.Sub(began))) {
			return
		}
		next.Reset(wait)
	}
}

// interests are when there was interest last.
type interests struct {
	all time.Time
	of  map[string]time.Time // by task queue
}

func (s *interests) see(open []string, more bool, now time.Time) {
	if more {
		s.all = now
	}
	for _, queue := range open {
		s.of[queue] = now
	}
}

// at gives what is of interest at a moment, sorted.
func (s *interests) at(now time.Time) (all bool, queues []string) {
	for queue, last := range s.of {
		if now.Sub(last) >= lasting {
			delete(s.of, queue)
			continue
		}
		queues = append(queues, queue)
	}
	if now.Sub(s.all) < lasting {
		return true, nil
	}
	slices.Sort(queues)
	return false, queues
}
