package executions

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

const (
	// maxStepBatch steps, and so many bytes, go into one statement.
	maxStepBatch, maxStepBytes = 500, 4 << 20
	// A write waits so long for others to go with it; for longer while there is much to write.
	stepLinger, stepLingerBusy = 20 * time.Millisecond, 200 * time.Millisecond
	busyFor                    = 2 * time.Second
	// stepPause is how soon steps are tried again that belong to no row yet, at first.
	stepPause = 100 * time.Millisecond
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

// StepSettings say what is recorded of steps, where a project doesn't.
type StepSettings struct {
	Record   string // one of rows.StepsNone, StepsActivities, StepsAll
	Payloads bool   // inputs and outputs, too; else their sizes
	MaxValue int    // bytes of each
}

// Steps writes what steps executions take. What this process's tasks tell makes it fast; histories,
// at an execution's end and where a row hasn't changed for long, make it right.
type Steps struct {
	Base
	Settings StepSettings
	Temporal Looks
	Interval time.Duration // of looks at what hasn't changed

	bell bell
	off  atomic.Bool // nobody wants steps
	all  atomic.Bool // somebody wants all of them

	mu       sync.Mutex // guards what follows
	folds    map[string]*fold
	order    []string // of folds, oldest first
	attempts map[string]attempt
	pending  map[string]*pendingRun
	held     int // bytes
	settled  map[string]time.Time

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
	steps                       map[string]*step
	bases                       []string
	since, due                  time.Time
	settles                     bool // with this all that there is to say of the run is said
	lost                        bool // something found no place
}

// NewSteps returns one that does nothing until Run.
func NewSteps(b Base, t Looks, o StepSettings, interval time.Duration) *Steps {
	s := &Steps{
		Base: b, Settings: o, Temporal: t, Interval: interval, bell: newBell(),
		folds: map[string]*fold{}, attempts: map[string]attempt{}, pending: map[string]*pendingRun{}, settled: map[string]time.Time{},
		targets: map[string][]rows.StepTarget{}, nobodys: map[string]time.Time{}, definitions: map[string]*definition{},
	}
	s.all.Store(o.Record == rows.StepsAll)
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
		p.settles = true
		return
	}
	if len(f.counts) > 0 {
		s.run(f.workflowID, f.runID).settles = true
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
		p = &pendingRun{workflowID: workflowID, runID: runID, steps: map[string]*step{}, since: time.Now()}
		s.pending[runID] = p
	}
	if f := s.folds[runID]; f != nil && f.firstRun != "" {
		p.firstRun = f.firstRun
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
	s.bell.Ring()
}

// Run writes until ctx ends, and once more then.
func (s *Steps) Run(ctx context.Context) {
	failures := 0
	for next := orphanPause; s.bell.wait(ctx, next); {
		err := s.flush(ctx)
		next = s.turn()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.Trouble.Fail(ctx, "steps", "steps of executions can't be written; they are kept", err)
			if !pause(ctx, backoff(failures)) {
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
			pause(ctx, stepLingerBusy)
		default:
			pause(ctx, stepLinger)
		}
		batch := s.take()
		if len(batch) == 0 {
			return nil
		}
		s.busy = time.Now()
		orphans, err := s.write(ctx, batch)
		if err != nil {
			s.giveBack(batch, 0)
			return err
		}
		s.giveBack(orphans, stepPause)
		s.mu.Lock()
		for _, p := range batch {
			if p.settles && !p.lost && !slices.Contains(orphans, p) {
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
		if p.due.After(now) {
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
	for _, p := range batch {
		now := s.pending[p.runID]
		if now == nil {
			now = &pendingRun{workflowID: p.workflowID, runID: p.runID, firstRun: p.firstRun, steps: map[string]*step{}}
			s.pending[p.runID] = now
		}
		now.since, now.settles, now.lost = p.since, now.settles || p.settles, now.lost || p.lost
		if now.firstRun == "" {
			now.firstRun = p.firstRun
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

// write writes a batch; orphans are runs that have no row, yet or at all.
func (s *Steps) write(ctx context.Context, batch []*pendingRun) (orphans []*pendingRun, err error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if orphans, err = s.aim(ctx, batch); err != nil {
		return nil, err
	}
	var workflows []string
	for _, p := range batch {
		for _, t := range s.targets[p.runID] {
			workflows = append(workflows, t.WorkflowID)
		}
	}
	if err := s.define(ctx, workflows); err != nil {
		return nil, err
	}
	var list []rows.Step
	var executions, bases []string
	for _, p := range batch {
		for _, t := range s.targets[p.runID] {
			for _, base := range p.bases {
				executions, bases = append(executions, t.ExecutionID), append(bases, base)
			}
			for _, one := range p.steps {
				if row, ok := s.rowOf(t, p.runID, one); ok {
					list = append(list, row)
				}
			}
		}
	}
	if len(bases) > 0 {
		if err := rows.RemoveStepsOf(ctx, s.DB, executions, bases); err != nil {
			return nil, err
		}
	}
	return orphans, s.writeRows(ctx, list)
}

// aim finds the rows of a batch's runs.
func (s *Steps) aim(ctx context.Context, batch []*pendingRun) (orphans []*pendingRun, err error) {
	var ask []rows.StepRun
	for _, p := range batch {
		if s.targets[p.runID] == nil && time.Since(s.nobodys[p.runID]) > nobodysFor {
			ask = append(ask, rows.StepRun{RunID: p.runID, WorkflowID: p.workflowID, FirstRunID: p.firstRun})
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	found, err := rows.ReadStepTargets(ctx, s.DB, ask)
	if err != nil {
		return nil, err
	}
	if len(s.targets)+len(s.nobodys) > maxTargets {
		clear(s.targets)
		clear(s.nobodys)
		return s.aim(ctx, batch)
	}
	for _, t := range found {
		s.targets[t.RunID] = append(s.targets[t.RunID], t)
	}
	asked := map[string]bool{}
	for _, r := range ask {
		asked[r.RunID] = true
	}
	for _, p := range batch {
		switch {
		case s.targets[p.runID] != nil || !asked[p.runID]:
		case time.Since(p.since) < orphanAge:
			orphans = append(orphans, p)
		default:
			s.nobodys[p.runID] = time.Now()
		}
	}
	return orphans, nil
}

// define reads what the rows of workflows say, where that may be outdated.
func (s *Steps) define(ctx context.Context, workflows []string) error {
	var ask []string
	for _, id := range workflows {
		if d := s.definitions[id]; (d == nil || time.Since(d.read) > definitionsFor) && !slices.Contains(ask, id) {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	if len(s.definitions) > 1000 {
		clear(s.definitions)
		ask = nil
		for _, id := range workflows {
			if !slices.Contains(ask, id) {
				ask = append(ask, id)
			}
		}
	}
	found, err := rows.ReadStepDefinitions(ctx, s.DB, ask)
	if err != nil {
		return err
	}
	for _, id := range ask {
		delete(s.definitions, id)
	}
	for _, d := range found {
		s.definitions[d.WorkflowID] = newDefinition(d)
	}
	return nil
}

// wants says what is recorded of a workflow's executions.
func (s *Steps) wants(d *definition) (record string, payloads bool) {
	record, payloads = s.Settings.Record, s.Settings.Payloads
	if d.Steps != nil {
		record = *d.Steps
	}
	if d.Payloads != nil {
		payloads = *d.Payloads
	}
	return record, payloads && s.MaxValue != hideValues
}

// rowOf makes a row of a step; ok is false if none is wanted.
func (s *Steps) rowOf(t rows.StepTarget, runID string, one *step) (row rows.Step, ok bool) {
	d := s.definitions[t.WorkflowID]
	if d == nil {
		return row, false // it is gone
	}
	record, payloads := s.wants(d)
	if record == rows.StepsNone || record != rows.StepsAll && (one.kind == rows.StepTimer || one.kind == rows.StepChild) {
		return row, false
	}
	row = rows.Step{
		ExecutionID: t.ExecutionID, RunID: runID, Kind: one.kind, Key: one.key, Component: one.name, Status: one.status, Progress: one.progress,
		Attempt: one.attempt, ScheduledAt: one.scheduled, StartedAt: one.started, EndedAt: one.ended, NextAt: one.nextAt, ErrorType: one.errorType, Message: one.why,
	}
	var node *rows.StepNode
	if one.name != "" && one.kind != rows.StepTimer {
		node = d.node(one.name, one.ordinal)
		row.ComponentID = d.componentOf(one.name, node)
	}
	if node != nil {
		row.Node = node.ID
	}
	row.Expected = expected(node, one.attempt-1, one.maxAttempts)
	clean := cleaner{redaction: d.redactionOf(one.name, node)}
	output := one.output
	if one.failure != nil {
		row.Message, row.ErrorType = s.failureOf(one.failure).first(), errorTypeOf(one.failure)
	}
	if !clean.none() {
		clean.learn(one.given)
		clean.learn(output)
		row.Message = clean.text(row.Message)
		if !one.known { // secrets of the input may be in what came of it
			output = withheld(output)
			if row.Message != "" {
				row.Message = redacted
			}
		}
	}
	if !payloads {
		row.Input, row.Output = s.sizeOf(one.input), s.sizeOf(output)
		return row, true
	}
	row.Input, row.Output = s.value(one.input, &clean), s.value(output, &clean)
	return row, true
}

// value is what lands of values.
func (s *Steps) value(p *commonpb.Payloads, c *cleaner) *string {
	if payloadBytes(p) > s.Settings.MaxValue {
		return new(omitted(payloadBytes(p)))
	}
	return values(c.payloads(p), s.Settings.MaxValue)
}

func (s *Steps) sizeOf(p *commonpb.Payloads) *string {
	if len(p.GetPayloads()) == 0 {
		return nil
	}
	return new(noteOf("not recorded", payloadBytes(p)))
}

func withheld(p *commonpb.Payloads) *commonpb.Payloads {
	if len(p.GetPayloads()) == 0 {
		return p
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload([]byte(`"` + redacted + `"`))}}
}

// writeRows writes in parts, and what can't be written as it is without its values.
func (s *Steps) writeRows(ctx context.Context, list []rows.Step) error {
	for len(list) > 0 {
		n, bytes := 0, 0
		for n < len(list) && n < maxStepBatch && (n == 0 || bytes < maxStepBytes) {
			for _, v := range []*string{list[n].Input, list[n].Output} {
				if v != nil {
					bytes += len(*v)
				}
			}
			n++
		}
		if err := s.isolated(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (s *Steps) isolated(ctx context.Context, list []rows.Step) error {
	err := rows.WriteSteps(ctx, s.DB, list)
	if err == nil || !rows.Unwritable(err) {
		return err
	}
	if len(list) > 1 {
		for i := range list {
			if err := s.isolated(ctx, list[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	bare := list[0]
	bare.ComponentID = ""
	for _, v := range []**string{&bare.Input, &bare.Output} {
		if *v != nil {
			*v = new(`{"omitted": "the database doesn't take it"}`)
		}
	}
	if err := rows.WriteSteps(ctx, s.DB, []rows.Step{bare}); !rows.Unwritable(err) {
		return err
	}
	s.Log.WarnContext(ctx, "a step's row can't be written", logkey.Error, err)
	return nil
}
