package executions

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

const (
	maxBatch = 200
	// maxHeld bounds what waits to be written, in bytes. What finds no place the sweeper finds out.
	maxHeld = 64 << 20
	// What belongs to no row yet is tried again so long: the start may be on its way, from here or
	// from another replica. Soon at first, then each time after four times as long: most belong to
	// none at all.
	orphanAge   = 6 * time.Second
	orphanPause = 80 * time.Millisecond
	// quiet is how long nothing is looked for without being told.
	quiet = time.Second
)

// Follower writes what becomes of executions into their rows, many in one statement.
type Follower struct {
	Base
	// All records executions that have no row, where their project doesn't say.
	All bool
	// Doubt is told of first runs of which only Temporal knows how they go on.
	Doubt func(firstRun string)
	// Record is given what belongs to no row, where some project wants all recorded.
	Record func(rows.ExecutionState)
	// Observer is told how many states wait to be written.
	Observer FollowObserver

	bell bell.Bell
	// records says that some project wants all its executions recorded; the sweeper knows.
	records atomic.Bool

	mu      sync.Mutex // guards what follows
	held    int        // bytes
	pending map[string]*entry
	crowd   bell.Crowd
	starts  starts
	ending  bool // all is due, once
}

// FollowObserver counts. Its method is cheap and doesn't block.
type FollowObserver interface {
	// ExecutionBacklog is how many executions' states wait to be written.
	ExecutionBacklog(n int)
}

// entry is what is to be written of one execution.
type entry struct {
	rows.ExecutionState
	since time.Time // when it came
	due   time.Time // not before
	// starts says that it is what the starter knows: that there is a first run.
	starts bool
	// told says that Record has it.
	told bool
}

// NewFollower returns one that does nothing until Run.
func NewFollower(b Base, all bool, o FollowObserver) *Follower {
	return &Follower{Base: b, All: all, Doubt: func(string) {}, Record: func(rows.ExecutionState) {}, Observer: o, bell: bell.New(), pending: map[string]*entry{}, starts: starts{}}
}

// ExecutionAdvanced implements runtime.ProgressObserver.
func (f *Follower) ExecutionAdvanced(_ string, a runtime.Advance) {
	first := ""
	if a.Origin != nil {
		first = a.Origin.FirstRunID
	}
	if first == "" {
		return // the sweeper finds out
	}
	s := rows.ExecutionState{
		TemporalID: a.WorkflowID, RunID: a.RunID, FirstRunID: first, Status: rows.ExecutionRunning, Activities: a.Activities,
		Version: a.Version, Hash: a.Hash, Attempt: int(a.Origin.Attempt), CodeOf: a.CodeOf, ParentRunID: a.Origin.Parent.GetRunId(), Row: a.Origin.Row, TaskQueue: a.Origin.TaskQueue,
	}
	if a.RunID == first {
		s.StartedAt = a.Origin.Began
	}
	if a.Closing != nil {
		e, final := f.ByCommand(a.Closing, a.Origin)
		if !final {
			f.Doubt(first)
			if !a.First {
				return
			}
		} else {
			e.Into(&s)
			s.EndedAt = time.Now()
		}
	}
	f.put(s)
}

// began notes that a row's execution has started, by its first run.
func (f *Follower) began(id, temporalID, firstRun string) {
	f.add(&entry{starts: true, ExecutionState: rows.ExecutionState{
		ID: id, TemporalID: temporalID, RunID: firstRun, FirstRunID: firstRun, Status: rows.ExecutionRunning, StartedAt: time.Now(), Activities: -1,
	}})
}

// put has a state written soon. Of one execution the later state counts, but for that it began.
func (f *Follower) put(s rows.ExecutionState) { f.add(&entry{ExecutionState: s}) }

func (f *Follower) add(e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := f.key(e)
	now := time.Now()
	e.since = now
	f.crowd.Add(now)
	was := f.pending[key]
	onlyCode := !e.starts && e.ID == "" && f.starts.seen(e.FirstRunID) && was == nil && e.RunID == e.FirstRunID
	if was != nil {
		f.held -= was.Size()
		e.merge(was)
	} else if f.held > maxHeld {
		return
	}
	if !e.Over() {
		pace := paceOf(&f.crowd)
		wait := pace.begins // its end, if that comes before, is written with it
		switch {
		case e.starts && e.Hash == "":
			f.starts.began(e.FirstRunID, now)
			wait = max(wait, pace.first)
		case onlyCode:
			wait = max(wait, pace.code)
		}
		e.due = now.Add(wait)
	}
	f.held += e.Size()
	f.pending[key] = e
	f.bell.Ring()
}

// key is the execution's; another row that follows the same execution has one of its own. Called
// with mu held.
func (f *Follower) key(e *entry) string {
	key := cmp.Or(e.FirstRunID, e.ID)
	if was := f.pending[key]; was != nil && was.ID != "" && e.ID != "" && was.ID != e.ID {
		key += "/" + e.ID
	}
	return key
}

// merge takes over from an earlier state what this one doesn't say.
func (e *entry) merge(was *entry) {
	if was.Over() && !e.Over() && was.RunID == e.RunID && was.RunID != "" {
		// Two tasks of a run were answered at once, and told of the other way round.
		id, started := cmp.Or(was.ID, e.ID), was.StartedAt
		if started.IsZero() {
			started = e.StartedAt
		}
		e.ExecutionState = was.ExecutionState
		e.ID, e.StartedAt, e.since = id, started, was.since
		return
	}
	// What a worker saw is news to what the starter knows, whichever comes first.
	if e.starts && was.ID == "" {
		id, started := e.ID, e.StartedAt
		e.ExecutionState = was.ExecutionState
		e.ID, e.StartedAt = id, started
	}
	if e.ID == "" {
		e.ID, e.Was = was.ID, was.Was
	}
	if e.StartedAt.IsZero() {
		e.StartedAt = was.StartedAt
	}
	if e.Hash == "" {
		e.Hash, e.Version = was.Hash, was.Version
	}
	if e.Row == "" {
		e.Row, e.TaskQueue = was.Row, was.TaskQueue
	}
	e.since = was.since
}

// Run writes until ctx ends, and once more then.
func (f *Follower) Run(ctx context.Context) {
	failures := 0
	for next := quiet; f.bell.Wait(ctx, next); {
		err := f.flush(ctx)
		next = f.untilDue()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			f.Trouble.Fail(ctx, "executions", "what becomes of executions can't be written; it is kept", err)
			if !bell.Pause(ctx, bell.Backoff(failures)) {
				break
			}
			failures++
			f.bell.Ring()
		default:
			failures = 0
			f.Trouble.Recover(ctx, "executions", "what becomes of executions is written again")
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	f.mu.Lock()
	f.ending = true
	f.mu.Unlock()
	if err := f.flush(last); err != nil {
		f.Log.WarnContext(last, "what became of executions in the end could not be written; the next start finds it out", logkey.Error, err)
	}
}

// untilDue is how long nothing has to be written, if nothing comes.
func (f *Follower) untilDue() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	next, now := quiet, time.Now()
	for _, e := range f.pending {
		next = min(next, max(0, e.due.Sub(now)))
	}
	return next
}

// flush writes all that is due.
func (f *Follower) flush(ctx context.Context) error {
	for {
		f.gather(ctx)
		batch, left := f.take()
		f.Observer.ExecutionBacklog(left + len(batch))
		if len(batch) == 0 {
			return nil
		}
		if err := f.write(ctx, batch); err != nil {
			f.giveBack(batch, 0)
			return err
		}
	}
}

// gather waits for what can go with what is there.
func (f *Follower) gather(ctx context.Context) {
	f.mu.Lock()
	n, wait := f.due(time.Now()), paceOf(&f.crowd).ends
	f.mu.Unlock()
	if n > 0 && n < maxBatch {
		bell.Pause(ctx, wait)
	}
}

// due is how many have to be written. Called with mu held.
func (f *Follower) due(now time.Time) (n int) {
	for _, e := range f.pending {
		if !e.due.After(now) {
			n++
		}
	}
	return n
}

func (f *Follower) take() (batch []*entry, left int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for key, e := range f.pending {
		if e.due.After(now) && !f.ending {
			continue
		}
		batch = append(batch, e)
		delete(f.pending, key)
		f.held -= e.Size()
		if len(batch) == maxBatch {
			break
		}
	}
	return batch, len(f.pending)
}

// giveBack keeps what is to be tried again, unless there is newer.
func (f *Follower) giveBack(batch []*entry, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending && after > 0 {
		return
	}
	for _, e := range batch {
		key := f.key(e)
		if after > 0 {
			e.due = time.Now().Add(max(after, 3*time.Since(e.since)))
		}
		if newer := f.pending[key]; newer != nil {
			f.held -= newer.Size()
			newer.merge(e)
			f.held += newer.Size()
			continue
		}
		f.pending[key] = e
		f.held += e.Size()
	}
}

// write writes a batch: rows by their ids, and by their first runs.
func (f *Follower) write(ctx context.Context, batch []*entry) error {
	var named, chains []rows.ExecutionState
	of := map[string]*entry{}
	for _, e := range batch {
		if e.ID != "" {
			named = append(named, e.ExecutionState)
		} else {
			chains = append(chains, e.ExecutionState)
			of[e.FirstRunID] = e
		}
	}
	if err := errors.Join(f.withhold(ctx, named), f.withhold(ctx, chains)); err != nil {
		return err
	}
	if len(named) > 0 {
		if err := f.isolated(ctx, named, func(ctx context.Context, s []rows.ExecutionState) error { return rows.WriteExecutions(ctx, f.DB, s) }); err != nil {
			return err
		}
	}
	if len(chains) == 0 {
		return nil
	}
	var without []rows.ExecutionState
	err := f.isolated(ctx, chains, func(ctx context.Context, s []rows.ExecutionState) error {
		w, err := rows.WriteChains(ctx, f.DB, s)
		without = append(without, w...)
		return err
	})
	if err != nil || len(without) == 0 {
		return err
	}
	if f.All || f.records.Load() {
		for _, s := range without {
			if e := of[s.FirstRunID]; !e.told {
				e.told = true
				f.Record(s)
			}
		}
	}
	f.tryAgain(of, without)
	return nil
}

// tryAgain keeps for a while what belonged to no row.
func (f *Follower) tryAgain(of map[string]*entry, without []rows.ExecutionState) {
	var again []*entry
	for _, s := range without {
		// Of one that was started for a row the row is found, if there is one.
		if e := of[s.FirstRunID]; s.Row == "" && time.Since(e.since) < orphanAge {
			again = append(again, e)
		}
	}
	f.giveBack(again, orphanPause)
}

// isolated writes states; where one of them can't be written as it is, that one without what the
// database doesn't take.
func (b *Base) isolated(ctx context.Context, states []rows.ExecutionState, write func(context.Context, []rows.ExecutionState) error) error {
	err := write(ctx, states)
	if err == nil || !rows.Unwritable(err) {
		return err
	}
	if len(states) > 1 {
		for _, s := range states {
			if err := b.isolated(ctx, []rows.ExecutionState{s}, write); err != nil {
				return err
			}
		}
		return nil
	}
	bare := states[0]
	note := `{"omitted": "the database doesn't take it"}`
	for _, v := range []**string{&bare.Output, &bare.Error, &bare.Input} {
		if *v != nil {
			*v = &note
		}
	}
	if err := write(ctx, []rows.ExecutionState{bare}); !rows.Unwritable(err) {
		return err
	}
	b.Log.WarnContext(ctx, "an execution's row can't be written", logkey.WorkflowID, bare.TemporalID, logkey.Error, err)
	return nil
}
