package upkeep

import (
	"context"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/rows"
)

const (
	// looked is the time between two looks at the rows. The change stream tells earlier.
	looked = 2 * time.Second
	// lasting is how long interest outlasts the last open row: its end is told, too.
	lasting = 15 * time.Second
)

// Interest finds out whether any row waits for what becomes of an execution: what is told for nobody
// costs as much as what is told for somebody. It implements cdc.Messages.
type Interest struct {
	DB rows.DB
	// All says that every execution gets a row.
	All bool
	// Changed hears of each change. There is interest until it is told otherwise.
	Changed func(is bool)

	bell bell.Bell
}

// NewInterest returns one that does nothing until Run.
func NewInterest(db rows.DB, all bool, changed func(bool)) *Interest {
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
	is, last := true, time.Now()
	change := func(to bool) {
		if is != to {
			is = to
			i.Changed(is)
		}
	}
	next := time.NewTicker(looked)
	defer next.Stop()
	for {
		told := false
		select {
		case <-ctx.Done():
			return
		case <-i.bell:
			told = true
		case <-next.C:
		}
		if told {
			last = time.Now()
			change(true)
			continue
		}
		any, err := rows.AnyOpenExecution(ctx, i.DB)
		if ctx.Err() != nil {
			return
		}
		if any || err != nil { // a database that is away is told of elsewhere
			last = time.Now()
		}
		change(time.Since(last) < lasting)
	}
}
