package executions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
)

const (
	sweepPage   = 100
	sweepAtOnce = 8
	// lag is how long visibility may not know of a start.
	lag = 5 * time.Second
	// lostAfter is how long Temporal must not know an execution until its row says so: a wrong
	// address mustn't end all rows.
	lostAfter = 5 * time.Minute
)

// Sweeper makes rows right that nobody told of: it asks Temporal about all that aren't over.
type Sweeper struct {
	Base
	Temporal temporal.Looks
	Follower *Follower
	Interval time.Duration
	Bell     bell.Bell

	mu     sync.Mutex // guards doubts and lost
	doubts map[string]time.Time
	// lost are rows whose execution Temporal doesn't know, since when.
	lost map[string]time.Time
	// asked is the last of the rows that were asked about again after they ended so; Run's own.
	asked string
}

// NewSweeper returns one that does nothing until Run.
func NewSweeper(b Base, t temporal.Looks, f *Follower, interval time.Duration) *Sweeper {
	s := &Sweeper{Base: b, Temporal: t, Follower: f, Interval: interval, Bell: bell.New(), doubts: map[string]time.Time{}, lost: map[string]time.Time{}, asked: rows.NoID}
	f.Doubt = s.doubt
	return s
}

// doubt has the execution of a first run looked at soon.
func (s *Sweeper) doubt(firstRun string) {
	s.mu.Lock()
	if len(s.doubts) < 10_000 {
		s.doubts[firstRun] = time.Now()
	}
	s.mu.Unlock()
	s.Bell.Ring()
}

// Run works until ctx ends: at once, then on the timer, and when it rings for what is new.
func (s *Sweeper) Run(ctx context.Context) {
	failures := 0
	var swept time.Time
	for next := time.Duration(0); s.Bell.Wait(ctx, next); {
		var err error
		if time.Since(swept) >= s.Interval {
			if err = errors.Join(rows.NoteWork(ctx, s.DB), s.sweep(ctx, false), s.sweepReopened(ctx), s.sweepLost(ctx), s.settle(ctx)); err == nil {
				swept = time.Now()
			}
		} else {
			err = errors.Join(s.sweep(ctx, true), s.settleDoubts(ctx))
		}
		next = max(0, s.Interval-time.Since(swept))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Trouble.Fail(ctx, "sweep", "Temporal can't be asked how executions are; rows may tell of what was", err)
			next = min(bell.Backoff(failures), max(s.Interval, time.Second))
			failures++
			if !bell.Pause(ctx, next) {
				return
			}
			next = 0
		default:
			failures = 0
			s.Trouble.Recover(ctx, "sweep", "Temporal is asked how executions are again")
		}
	}
}

// settle reads what projects want to have recorded, and finds children whose parent's row was there
// only after theirs.
func (s *Sweeper) settle(ctx context.Context) error {
	recorded, err := rows.AnyRecorded(ctx, s.DB)
	if err != nil {
		return err
	}
	s.Follower.records.Store(recorded)
	return rows.AdoptChildren(ctx, s.DB, nil)
}

// settleDoubts asks of the executions of which only Temporal knows how they go on.
func (s *Sweeper) settleDoubts(ctx context.Context) error {
	s.mu.Lock()
	var firsts []string
	for first := range s.doubts {
		firsts = append(firsts, first)
	}
	clear(s.doubts)
	s.mu.Unlock()
	for part := range slices.Chunk(firsts, sweepPage) {
		found, err := rows.ReadChains(ctx, s.DB, part)
		if err == nil {
			err = s.askAll(ctx, found)
		}
		if err != nil {
			for _, first := range part {
				s.doubt(first)
			}
			return err
		}
	}
	return nil
}

// sweep goes through the rows that aren't over; unknown: through those alone that somebody else
// wrote.
func (s *Sweeper) sweep(ctx context.Context, unknown bool) error {
	var failed error // the first: what can't be asked of one page is asked of the next
	for after := rows.NoID; ; {
		page, err := rows.ReadOpenExecutions(ctx, s.DB, after, unknown, sweepPage)
		if err != nil || len(page) == 0 || ctx.Err() != nil {
			return cmp.Or(failed, err)
		}
		after = page[len(page)-1].ID
		doubtful := page
		if !unknown {
			doubtful, err = s.doubtful(ctx, page)
		}
		if err == nil {
			err = s.askAll(ctx, doubtful)
		}
		failed = cmp.Or(failed, err)
	}
}

// sweepReopened has rows say again what they said before somebody made them pending.
func (s *Sweeper) sweepReopened(ctx context.Context) error {
	for after := rows.NoID; ; {
		page, err := rows.ReadReopenedExecutions(ctx, s.DB, after, sweepPage)
		if err == nil {
			err = s.askAll(ctx, page)
		}
		if err != nil || len(page) < sweepPage || ctx.Err() != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// sweepLost asks again about rows that ended because Temporal didn't know their execution: it may
// have been another Temporal, or another namespace. A page in each sweep, for they are never done.
func (s *Sweeper) sweepLost(ctx context.Context) error {
	page, err := rows.ReadLostExecutions(ctx, s.DB, s.asked, sweepPage)
	if err != nil {
		return err
	}
	if err := s.askAll(ctx, page); err != nil {
		return err
	}
	if s.asked = rows.NoID; len(page) == sweepPage {
		s.asked = page[len(page)-1].ID
	}
	return nil
}

// doubtful leaves out the rows whose run is open, as visibility says.
func (s *Sweeper) doubtful(ctx context.Context, page []rows.OpenExecution) ([]rows.OpenExecution, error) {
	var ids []string
	for _, x := range page {
		if askable(x.TemporalID) {
			ids = append(ids, quoted(x.TemporalID))
		}
	}
	open := map[string]bool{}
	if len(ids) > 0 {
		runs, err := list(ctx, s.Temporal, s.Namespace, "ExecutionStatus = 'Running' AND WorkflowId IN ("+strings.Join(ids, ", ")+")")
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			open[run.GetExecution().GetRunId()] = true
		}
	}
	return slices.DeleteFunc(page, func(x rows.OpenExecution) bool {
		return x.FirstRunID != "" && x.Status == rows.ExecutionRunning && (open[x.RunID] || time.Since(x.StartedAt) < min(lag, s.Interval))
	}), nil
}

// askAll asks of each how it is, a few at once.
func (s *Sweeper) askAll(ctx context.Context, list []rows.OpenExecution) error {
	var (
		work sync.WaitGroup
		mu   sync.Mutex // guards errs
		errs []error
	)
	free := make(chan struct{}, sweepAtOnce)
	for _, x := range list {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			state, err := s.ask(ctx, x)
			if err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
				return
			}
			if state != nil {
				state.ID, state.Was = x.ID, x.RunID
				s.Follower.put(*state)
			}
		})
	}
	work.Wait()
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// ask finds out how an execution is; nil if its row can stay as it is.
func (s *Sweeper) ask(ctx context.Context, x rows.OpenExecution) (*rows.ExecutionState, error) {
	first := x.FirstRunID
	if first == "" {
		found, err := s.describe(ctx, s.Temporal, x.TemporalID, x.RunID)
		switch {
		case errors.Is(err, temporal.ErrUnknown):
			return s.unknown(x), nil
		case temporal.CodeOf(err) == codes.InvalidArgument:
			return s.refused("InvalidArgument", err.Error()), nil // the row's ids are none
		case err != nil:
			return nil, err
		case rowOf(found) != x.ID && x.Status == rows.ExecutionFailed: // another execution has the id by now
			return nil, nil //nolint:nilnil // nothing to write, nothing wrong
		case rowOf(found) != x.ID && queueOf(found) != x.TaskQueue:
			return s.refused("PermissionDenied", "the execution "+x.TemporalID+" is on another task queue than this project's"), nil
		}
		first = firstRun(found)
	}
	state, err := s.state(ctx, s.Temporal, x.TemporalID, x.RunID, first)
	if err == nil {
		s.mu.Lock()
		delete(s.lost, x.ID)
		s.mu.Unlock()
	}
	switch {
	case errors.Is(err, temporal.ErrUnknown):
		return s.unknown(x), nil
	case temporal.CodeOf(err) == codes.InvalidArgument:
		return s.refused("InvalidArgument", err.Error()), nil
	case err != nil:
		return nil, err
	case state.Status == x.Status && state.RunID == x.RunID && x.FirstRunID != "" && x.Status != rows.ExecutionFailed:
		return nil, nil //nolint:nilnil // nothing to write, nothing wrong
	}
	return &state, nil
}

// unknown ends a row whose execution Temporal hasn't known for a while.
func (s *Sweeper) unknown(x rows.OpenExecution) *rows.ExecutionState {
	if x.Status == rows.ExecutionFailed {
		return nil // it has ended so
	}
	s.mu.Lock()
	since, known := s.lost[x.ID]
	if !known {
		since = time.Now()
		s.lost[x.ID] = since
	}
	s.mu.Unlock()
	if time.Since(since) < min(lostAfter, 10*s.Interval) {
		return nil
	}
	return s.refused(lostType, "Temporal doesn't know this execution, or not any more: how it ended can't be told")
}

func firstRun(found *workflowservice.DescribeWorkflowExecutionResponse) string {
	info := found.GetWorkflowExecutionInfo()
	if first := info.GetFirstRunId(); first != "" {
		return first
	}
	return info.GetExecution().GetRunId()
}

// list gives what visibility has for a query.
func list(ctx context.Context, t temporal.Looks, namespace, query string) (all []*workflowpb.WorkflowExecutionInfo, err error) {
	q := &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, PageSize: 500}
	for {
		ctx, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
		answer, err := t.ListWorkflowExecutions(ctx, q)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("list executions: %w", err)
		}
		all = append(all, answer.GetExecutions()...)
		if q.NextPageToken = answer.GetNextPageToken(); len(q.NextPageToken) == 0 {
			return all, nil
		}
	}
}

// askable says whether visibility can be asked about a name: it stores some characters in a form
// that no literal matches.
func askable(name string) bool { return !strings.ContainsAny(name, `"\`) }

// quoted makes a literal of Temporal's query language.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
