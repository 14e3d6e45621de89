package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
)

// Failures is told of executions whose workflow tasks fail, and of those that get
// on. It implements runtime.FailureObserver; the Reconciler writes what it was told
// into workflow_execution_failures, which all replicas show.
type Failures struct {
	wake chan struct{}

	mu sync.Mutex // guards what follows
	// known are the executions in the table, and what was told of them last; "" where
	// another replica, or an earlier process, was told.
	known map[string]string
	// pending are those to write, gone those to remove, by run id.
	pending map[string]failingRow
	gone    map[string]bool
}

// failingRow is an execution to be written.
type failingRow struct {
	projectID string
	runtime.Failing
}

// told is what makes the same failure at the next attempt no news.
func (f failingRow) told() string {
	return digestOf(f.CodeOf, f.Hash, f.Version, f.Reason, f.Message, fmt.Sprint(f.Line, ":", f.Column))
}

// NewFailures returns one that waits for a Reconciler.
func NewFailures() *Failures {
	return &Failures{
		wake: make(chan struct{}, 1), known: map[string]string{}, pending: map[string]failingRow{}, gone: map[string]bool{},
	}
}

const (
	// maxFailing is how many executions are kept of a workflow.
	maxFailing = 1000
	// maxFailingPending is how many wait to be written: the next attempt tells again
	// of what found no place.
	maxFailingPending = 5 * maxFailing
)

// ExecutionFailing implements runtime.FailureObserver.
func (s *Failures) ExecutionFailing(projectID string, f runtime.Failing) {
	f.Message = strings.ReplaceAll(bounded(f.Message), "\x00", "\ufffd")
	row := failingRow{projectID, f}
	s.mu.Lock()
	told, known := s.known[f.RunID]
	news := !known || told != row.told()
	if news && len(s.pending) < maxFailingPending {
		s.pending[f.RunID], s.known[f.RunID] = row, row.told()
	}
	delete(s.gone, f.RunID)
	s.mu.Unlock()
	if news {
		s.awake()
	}
}

// ExecutionGotOn implements runtime.FailureObserver.
func (s *Failures) ExecutionGotOn(runID string) {
	s.mu.Lock()
	_, known := s.known[runID]
	if known {
		delete(s.known, runID)
		delete(s.pending, runID)
		s.gone[runID] = true
	}
	s.mu.Unlock()
	if known {
		s.awake()
	}
}

func (s *Failures) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Failures) take() (pending []failingRow, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.pending {
		pending = append(pending, f)
	}
	for id := range s.gone {
		gone = append(gone, id)
	}
	s.pending, s.gone = map[string]failingRow{}, map[string]bool{}
	return pending, gone
}

// giveBack keeps what couldn't be written, unless there is newer.
func (s *Failures) giveBack(pending []failingRow, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range pending {
		if _, newer := s.pending[f.RunID]; !newer && !s.gone[f.RunID] && len(s.pending) < maxFailingPending {
			s.pending[f.RunID] = f
		}
	}
	for _, id := range gone {
		if _, newer := s.pending[id]; !newer {
			s.gone[id] = true
		}
	}
}

// inTable takes over which executions the table has.
func (s *Failures) inTable(runs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.known
	s.known = make(map[string]string, len(runs))
	for _, id := range runs {
		if !s.gone[id] {
			s.known[id] = before[id]
		}
	}
	for id, f := range s.pending {
		s.known[id] = f.told()
	}
}

// Failing are executions that are open and get no further, because their workflow
// tasks fail.
type Failing struct {
	// Executions are those that were found, at most 1,000.
	Executions int64            `json:"executions"`
	Since      time.Time        `json:"since"`
	Example    FailingExecution `json:"example"` // that has failed for longest
}

// FailingExecution is one of them. Version and Hash are of the code that it runs,
// absent if it got none; File, Line and Column of the author's line.
type FailingExecution struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"`
	Type       string `json:"type"`
	Version    string `json:"version,omitempty"`
	Hash       string `json:"hash,omitempty"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
}

// Problem says where and what.
func (x FailingExecution) Problem() string {
	message, _, _ := strings.Cut(x.Message, "\n")
	if x.Line == 0 {
		return message
	}
	return fmt.Sprintf("%s:%d:%d: %s", x.File, x.Line, x.Column, message)
}

func (f Failing) problem(name string) string {
	return fmt.Sprintf("%d executions of workflow %s get no further, their tasks fail; %s: %s", f.Executions, name, f.Example.WorkflowID, f.Example.Problem())
}

// failing are the executions of a project that get no further, by workflows.id; ""
// are those of types that no row serves.
type failing map[string]Failing

// of gives those of a workflow; nil if there are none.
func (f failing) of(workflowID string) *Failing {
	if x, ok := f[workflowID]; ok {
		return &x
	}
	return nil
}

// others gives those of no workflow in the list.
func (f failing) others(list []SourceState) *Failing {
	var out *Failing
	for id, x := range f {
		if slices.ContainsFunc(list, func(s SourceState) bool { return s.ID == id }) {
			continue
		}
		switch {
		case out == nil:
			out = &x
		case x.Since.Before(out.Since):
			x.Executions += out.Executions
			out = &x
		default:
			out.Executions += x.Executions
		}
	}
	return out
}

// watchFailures writes down, until ctx ends, which executions get no further, and
// forgets those that do again, or are over.
func (r *Reconciler) watchFailures(ctx context.Context) {
	for {
		next := r.cfg.CensusInterval
		err := errors.Join(r.writeFailures(ctx), r.publishFailures(ctx))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.quiet.Fail(ctx, "failures", "which executions get no further can't be written down", err)
			next = min(r.cfg.CensusInterval, r.cfg.BackoffLimit)
		default:
			r.quiet.Recover(ctx, "failures", "which executions get no further is written down again")
		}
		due := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-r.cfg.Failures.wake:
			trouble.Sleep(ctx, gatherStays)
		case <-due.C:
			if err := r.forgetFailures(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "failures: look", "whether executions that got no further do again can't be asked", err)
			}
		}
		due.Stop()
	}
}

// insertFailureSQL keeps the table bounded. One that is there already is only said
// anew.
const insertFailureSQL = `
INSERT INTO public.workflow_execution_failures AS f (project_id, run_id, execution_id, workflow_type, workflow_id, hash, version, reason, message,
  file, line, column_number)
SELECT $1::uuid, $2, $3, $4, nullif($5, '')::uuid, $6, $7, $8, $9, $10, $11, $12
WHERE $13 > (SELECT count(*) FROM public.workflow_execution_failures
  WHERE project_id = $1::uuid AND workflow_id IS NOT DISTINCT FROM nullif($5, '')::uuid AND run_id <> $2)
ON CONFLICT (project_id, run_id) DO UPDATE SET
  workflow_id = excluded.workflow_id, hash = excluded.hash, version = excluded.version, reason = excluded.reason, message = excluded.message,
  file = excluded.file, line = excluded.line, column_number = excluded.column_number`

func (r *Reconciler) writeFailures(ctx context.Context) error {
	pending, gone := r.cfg.Failures.take()
	if len(pending)+len(gone) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	b := &pgx.Batch{}
	for _, f := range pending {
		b.Queue(insertFailureSQL, f.projectID, f.RunID, f.WorkflowID, f.Type, f.CodeOf, f.Hash, f.Version, f.Reason, f.Message,
			f.File, f.Line, f.Column, maxFailing)
	}
	if len(gone) > 0 {
		b.Queue(deleteFailuresSQL, gone)
	}
	if err := r.cfg.Pool.SendBatch(ctx, b); err != nil {
		r.cfg.Failures.giveBack(pending, gone)
		return fmt.Errorf("write which executions get no further: %w", err)
	}
	return nil
}

const deleteFailuresSQL = `DELETE FROM public.workflow_execution_failures WHERE run_id = ANY ($1::text[])`

const failuresSQL = `
SELECT project_id::text, coalesce(workflow_id::text, ''), noted_at, execution_id, run_id, workflow_type, version, hash, reason, message,
  file, line, column_number
FROM public.workflow_execution_failures ORDER BY noted_at, run_id`

// publishFailures tells the passes over the projects here who gets no further, and
// writes an event where they have become many more.
func (r *Reconciler) publishFailures(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, failuresSQL)
	if err != nil {
		return fmt.Errorf("read which executions get no further: %w", err)
	}
	found := map[string]failing{}
	var runs []string
	var project, workflow string
	var since time.Time
	var x FailingExecution
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &since, &x.WorkflowID, &x.RunID, &x.Type, &x.Version, &x.Hash,
		&x.Reason, &x.Message, &x.File, &x.Line, &x.Column}, func() error {
		if found[project] == nil {
			found[project] = failing{}
		}
		f, more := found[project][workflow]
		if !more {
			f = Failing{Since: since.UTC(), Example: x}
		}
		f.Executions++
		found[project][workflow] = f
		runs = append(runs, x.RunID)
		return nil
	}); err != nil {
		return fmt.Errorf("read which executions get no further: %w", err)
	}
	r.cfg.Failures.inTable(runs)
	var errs []error
	for project, all := range found {
		for workflow, f := range all {
			errs = append(errs, r.tellFailing(ctx, project, workflow, f))
		}
	}
	r.mu.Lock()
	before := r.failing
	r.failing = found
	var here []string
	for id := range r.records { // not cards: a first pass may be under way
		if !maps.Equal(before[id], found[id]) {
			here = append(here, id)
		}
	}
	r.mu.Unlock()
	for _, id := range here {
		r.queue.resync(id) // the pass writes the row anew
	}
	r.cfg.Observer.ExecutionsFailing(len(runs))
	return errors.Join(errs...)
}

// failingDetails are the details of failing.
type failingDetails struct {
	Workflow string `json:"workflow,omitempty"` // workflows.id
	Failing
}

// toldOfFailingSQL gives a workflow's name, and how many executions the latest
// event since they began to fail says.
const toldOfFailingSQL = `
SELECT coalesce((SELECT kebab_name FROM public.workflows WHERE id = nullif($2, '')::uuid), ''),
  coalesce((SELECT max((e.details->>'executions')::bigint) FROM public.worker_events e
    WHERE e.project_id = $1::uuid AND e.kind = 'failing' AND coalesce(e.details->>'workflow', '') = $2 AND e.occurred_at >= $3), 0)`

// tellFailing writes an event about the first execution of a workflow that gets no
// further, and at each tenfold.
func (r *Reconciler) tellFailing(ctx context.Context, projectID, workflowID string, f Failing) error {
	key := projectID + "/" + workflowID
	if t := r.toldFailing[key]; t.Since.Equal(f.Since) && f.Executions < t.Executions*tellAgain {
		return nil // without asking
	}
	var name string
	var before int64
	if err := r.cfg.Pool.QueryRow(ctx, toldOfFailingSQL, projectID, workflowID, f.Since).Scan(&name, &before); err != nil {
		return fmt.Errorf("read which events there are about executions that get no further: %w", err)
	}
	if before == 0 || f.Executions >= before*tellAgain {
		if err := r.writeEvents(ctx, projectID, event{
			kind: eventFailing, message: bounded(f.problem(cmp.Or(name, f.Example.Type))), details: failingDetails{workflowID, f},
		}); err != nil {
			return err
		}
		before = f.Executions
	}
	if len(r.toldFailing) > maxFailingPending {
		clear(r.toldFailing)
	}
	r.toldFailing[key] = Failing{Executions: before, Since: f.Since}
	return nil
}

// forgetFailures asks of those that were not looked at for longest whether their
// tasks still fail. When in doubt they do.
func (r *Reconciler) forgetFailures(ctx context.Context) error {
	claim, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(claim, `
UPDATE public.workflow_execution_failures s SET checked_at = now()
FROM (SELECT project_id, run_id FROM public.workflow_execution_failures
      WHERE checked_at IS NULL OR checked_at < now() - $1 * interval '1 microsecond'
      ORDER BY checked_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED) c
WHERE s.project_id = c.project_id AND s.run_id = c.run_id
RETURNING s.execution_id, s.run_id`, (r.cfg.CensusInterval / 2).Microseconds(), maxStaysChecked)
	if err != nil {
		return fmt.Errorf("claim executions that get no further: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[runtime.Execution])
	if err != nil {
		return fmt.Errorf("claim executions that get no further: %w", err)
	}
	var errs []error
	for _, x := range list {
		asked, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
		fails, err := r.cfg.Executions.Failing(asked, x)
		cancel()
		if err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
			continue
		}
		if !fails {
			r.cfg.Failures.ExecutionGotOn(x.RunID)
		}
	}
	return errors.Join(errs...)
}

// stuck is the one line on executions that get no further, "" if there are none.
func (rec *record) stuck() string {
	if len(rec.failing) == 0 || rec.status() != statusRunning {
		return ""
	}
	var first Failing
	name := ""
	for id, f := range rec.failing {
		if name != "" && !f.Since.Before(first.Since) {
			continue
		}
		first, name = f, f.Example.Type
		for _, s := range rec.report.Sources {
			if s.Kind == runtime.KindWorkflow && s.ID == id {
				name = s.Name
			}
		}
	}
	return first.problem(name)
}
