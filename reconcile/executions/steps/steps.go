package steps

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime/logkey"
)

const (
	// maxStepBatch steps, and so many bytes, go into one statement.
	maxStepBatch, maxStepBytes = 500, 4 << 20
	// A write waits so long for others to go with it; for longer while there is much to write.
	stepLinger, stepLingerBusy = 20 * time.Millisecond, 200 * time.Millisecond
	busyFor                    = 2 * time.Second
	// Steps that belong to no row yet are tried again so long: the start may be on its way, from here
	// or from another replica. stepPause is how soon, at first.
	orphanAge = 6 * time.Second
	stepPause = 100 * time.Millisecond
	// maxHeld bounds what waits to be written, in bytes. What finds no place histories tell.
	maxHeld = 64 << 20
	// maxFolds are runs of which the steps that are under way are kept in memory.
	maxFolds = 20_000
	// definitionsFor is how long what a workflow's row says counts.
	definitionsFor = 3 * time.Second
	maxTargets     = 20_000
	// nobodysFor is how long a run counts as nobody's that belongs to no row.
	nobodysFor = 30 * time.Second
	// settledFor is how long a run is remembered whose steps are as they should be: its row may
	// come later to say that it is over.
	settledFor = time.Minute
)

// Settings say what is recorded of steps, where a project doesn't.
type Settings struct {
	Record   string // one of rows.StepsNone, StepsActivities, StepsAll
	Payloads bool   // inputs and outputs, too; else their sizes
	MaxValue int    // bytes of each
}

// Config is what New needs; all of it.
type Config struct {
	DB        rows.DB
	Temporal  temporal.Looks
	Namespace string
	// Failures and values are shown within these; Settings.MaxValue is the smaller limit of values.
	shown.Limits
	Settings Settings
	Interval time.Duration // of looks at what hasn't changed
	Log      *slog.Logger
	Trouble  *trouble.Log
}

// Steps writes what steps executions take. What this process's tasks tell makes it fast; histories,
// at an execution's end and where a row hasn't changed for long, make it right.
type Steps struct {
	Config

	bell bell.Bell
	off  atomic.Bool // nobody wants steps
	all  atomic.Bool // somebody wants all of them

	mu       sync.Mutex // guards what follows
	folds    map[string]*fold
	order    []string // of folds, oldest first
	attempts map[string]attempt
	pending  map[string]*pendingRun
	held     int // bytes
	settled  map[string]time.Time
	crowd    bell.Crowd
	ending   bool // all is due, once

	// Of the one who writes:
	busy        time.Time
	wmu         sync.Mutex // guards the rest: the history's reader writes, too
	targets     map[string][]rows.StepTarget
	nobodys     map[string]time.Time // runs that belong to no row, since when
	definitions map[string]*definition
}

// pendingRun is what is to be written of one run.
type pendingRun struct {
	workflowID, runID, firstRun string
	row, queue                  string
	steps                       map[string]*step
	bases                       []string
	since, due                  time.Time
	settles                     bool // with this all that there is to say of the run is said
	lost                        bool // something found no place
}

// New returns one that does nothing until Run.
func New(c Config) *Steps {
	s := &Steps{
		Config: c, bell: bell.New(),
		folds: map[string]*fold{}, attempts: map[string]attempt{}, pending: map[string]*pendingRun{}, settled: map[string]time.Time{},
		targets: map[string][]rows.StepTarget{}, nobodys: map[string]time.Time{}, definitions: map[string]*definition{},
	}
	s.all.Store(c.Settings.Record == rows.StepsAll)
	return s
}

// EventsReceived implements wire.StepObserver.
func (s *Steps) EventsReceived(x *commonpb.WorkflowExecution, events []*historypb.HistoryEvent) {
	if s.off.Load() || len(events) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fold(x)
	bases := len(f.bases)
	for _, e := range events {
		f.event(e, func(one step) { s.add(x.GetWorkflowId(), x.GetRunId(), one) })
	}
	if len(f.bases) > bases {
		s.run(x.GetWorkflowId(), x.GetRunId()).bases = slices.Collect(maps.Keys(f.bases))
		s.bell.Ring()
	}
}

// CommandsTaken implements wire.StepObserver.
func (s *Steps) CommandsTaken(x *commonpb.WorkflowExecution, commands []*commandpb.Command) {
	if s.off.Load() || len(commands) == 0 {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fold(x)
	for _, c := range commands {
		f.command(c, now, func(one step) { s.add(x.GetWorkflowId(), x.GetRunId(), one) })
	}
	if f.over {
		s.ended(f)
	}
}

// ended is called with mu held.
func (s *Steps) ended(f *fold) {
	delete(s.folds, f.runID)
	if !f.begun || f.lost || s.all.Load() && !f.all {
		return // its history tells
	}
	if p := s.pending[f.runID]; p != nil {
		p.settles, p.due = true, time.Now()
		s.bell.Ring()
		return
	}
	if len(f.counts) > 0 {
		p := s.run(f.workflowID, f.runID)
		p.settles, p.due = true, p.since
		s.bell.Ring()
		return
	}
	s.settled[f.runID] = time.Now() // it took no steps
}

// fold gives what is known of a run. Called with mu held.
func (s *Steps) fold(x *commonpb.WorkflowExecution) *fold {
	f := s.folds[x.GetRunId()]
	if f == nil {
		f = newFold(x.GetWorkflowId(), x.GetRunId(), s.all.Load())
		s.folds[f.runID] = f
		s.order = append(s.order, f.runID)
		for len(s.folds) > maxFolds || len(s.order) > 4*maxFolds {
			delete(s.folds, s.order[0])
			s.order = s.order[1:]
		}
	}
	return f
}

// run gives what is pending of a run. Called with mu held.
func (s *Steps) run(workflowID, runID string) *pendingRun {
	p := s.pending[runID]
	if p == nil {
		now := time.Now()
		p = &pendingRun{workflowID: workflowID, runID: runID, steps: map[string]*step{}, since: now, due: now.Add(holdOf(&s.crowd))}
		s.pending[runID] = p
	}
	if f := s.folds[runID]; f != nil && f.firstRun != "" {
		p.firstRun, p.row, p.queue = f.firstRun, f.row, f.queue
	}
	return p
}

// add has a step written soon. Called with mu held.
func (s *Steps) add(workflowID, runID string, one step) {
	p := s.run(workflowID, runID)
	id := one.kind + "/" + one.key
	if was := p.steps[id]; was != nil {
		s.held -= was.size()
		one.merge(was)
	} else if s.held > maxHeld {
		p.lost = true // what a history says is found out when the run is over
		if f := s.folds[runID]; f != nil {
			f.lost = true
		}
		return
	}
	s.held += one.size()
	p.steps[id] = &one
	s.crowd.Add(time.Now())
	s.bell.Ring()
}

// holdOf is how long a run's steps wait for what becomes of them, by how much is told of steps: in a
// crowd most end before anybody would have seen them begin, and are one write instead of two or
// three. The run's end ends it.
func holdOf(c *bell.Crowd) time.Duration {
	switch n := c.Size(); {
	case n < 30:
		return 0
	case n < 150:
		return 300 * time.Millisecond
	default:
		return 700 * time.Millisecond
	}
}

// Run writes until ctx ends, and once more then.
func (s *Steps) Run(ctx context.Context) {
	failures := 0
	for next := time.Minute; s.bell.Wait(ctx, next); {
		err := s.flush(ctx)
		next = s.turn()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.Trouble.Fail(ctx, "steps", "steps of executions can't be written; they are kept", err)
			if !bell.Pause(ctx, bell.Backoff(failures)) {
				break
			}
			failures++
			s.bell.Ring()
		default:
			failures = 0
			s.Trouble.Recover(ctx, "steps", "steps of executions are written again")
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	if err := s.flush(last); err != nil {
		s.Log.WarnContext(last, "steps of executions could not be written in the end; their histories have them", logkey.Error, err)
	}
}

// turn is when to look again without being told.
func (s *Steps) turn() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) > 0 {
		return stepPause
	}
	return time.Minute
}

// flush writes all that is due.
func (s *Steps) flush(ctx context.Context) error {
	for {
		s.mu.Lock()
		n := len(s.pending)
		s.mu.Unlock()
		switch {
		case n == 0 || n > maxStepBatch:
		case time.Since(s.busy) < busyFor:
			bell.Pause(ctx, stepLingerBusy)
		default:
			bell.Pause(ctx, stepLinger)
		}
		batch := s.take()
		if len(batch) == 0 {
			return nil
		}
		s.busy = time.Now()
		written, orphans, err := s.write(ctx, batch)
		if err != nil {
			s.giveBack(batch, 0)
			return err
		}
		s.giveBack(orphans, stepPause)
		s.mu.Lock()
		for _, p := range written {
			if p.settles && !p.lost {
				s.settled[p.runID] = time.Now()
			}
		}
		s.mu.Unlock()
	}
}

func (s *Steps) take() (batch []*pendingRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, n := time.Now(), 0
	for id, p := range s.pending {
		if p.due.After(now) && !s.ending {
			continue
		}
		delete(s.pending, id)
		for _, one := range p.steps {
			s.held -= one.size()
		}
		batch = append(batch, p)
		if n += len(p.steps); n >= maxStepBatch {
			break
		}
	}
	return batch
}

// giveBack keeps what is to be tried again, beneath what is newer.
func (s *Steps) giveBack(batch []*pendingRun, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending && after > 0 {
		return // their histories have them
	}
	for _, p := range batch {
		now := s.pending[p.runID]
		if now == nil {
			now = &pendingRun{workflowID: p.workflowID, runID: p.runID, firstRun: p.firstRun, row: p.row, queue: p.queue, steps: map[string]*step{}}
			s.pending[p.runID] = now
		}
		now.since, now.settles, now.lost = p.since, now.settles || p.settles, now.lost || p.lost
		if now.firstRun == "" {
			now.firstRun, now.row, now.queue = p.firstRun, p.row, p.queue
		}
		if len(now.bases) == 0 {
			now.bases = p.bases
		}
		if after > 0 {
			now.due = time.Now().Add(max(after, time.Since(p.since)))
		}
		for id, one := range p.steps {
			newer := now.steps[id]
			if newer == nil {
				newer = one
			} else {
				s.held -= newer.size()
				newer.merge(one)
			}
			now.steps[id] = newer
			s.held += newer.size()
		}
	}
}
