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

// Stays is told of executions that keep their code although they were to go on
// with other code. It implements runtime.StayObserver; the Reconciler writes what
// it was told into workflow_execution_stays.
type Stays struct {
	wake chan struct{}

	mu      sync.Mutex // guards what follows
	pending map[stayed][]runtime.Stay
	waiting int // in pending
	told    int // since take
}

// stayed is code that executions didn't go on with.
type stayed struct{ projectID, codeOf, to string }

// NewStays returns one that waits for a Reconciler.
func NewStays() *Stays {
	return &Stays{wake: make(chan struct{}, 1), pending: map[stayed][]runtime.Stay{}}
}

const (
	// maxStays is how many executions are kept of a workflow, and wait to be written.
	maxStays = 1000
	// gatherStays is how long what else comes is waited for: who wakes a crowd
	// wakes it at once.
	gatherStays = 300 * time.Millisecond
	// maxStayed is how many texts are shown that executions of a workflow don't
	// go on with; besides the live one only those of migrate requests.
	maxStayed = 5
)

// ExecutionStayed implements runtime.StayObserver.
func (s *Stays) ExecutionStayed(projectID string, x runtime.Stay) {
	s.mu.Lock()
	s.told++
	if s.waiting < maxStays {
		k := stayed{projectID, x.CodeOf, x.To}
		s.pending[k] = append(s.pending[k], x)
		s.waiting++
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Stays) take() (all map[stayed][]runtime.Stay, told int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, told = s.pending, s.told
	s.pending, s.waiting, s.told = map[stayed][]runtime.Stay{}, 0, 0
	return all, told
}

// giveBack keeps what couldn't be written for the next time.
func (s *Stays) giveBack(k stayed, list []runtime.Stay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = list[:min(len(list), max(maxStays-s.waiting, 0))]
	s.pending[k] = append(list, s.pending[k]...)
	s.waiting += len(list)
}

// Stayed is code that open executions were to go on with, and keep theirs,
// because their history doesn't fit it.
type Stayed struct {
	Version string `json:"version,omitempty"`
	Hash    string `json:"hash"`
	// Executions are those that were found, at most 1,000.
	Executions int64           `json:"executions"`
	Since      time.Time       `json:"since"`
	Example    BrokenExecution `json:"example"` // the first of them

	moved bool // a request told them to; the live code doesn't matter
}

// stays is what executions of a project's workflows stay off, by workflows.id.
type stays map[string][]Stayed

// of lists those of a workflow with this live code. What isn't live any more
// nobody goes on with, unless a request says so.
func (s stays) of(workflowID, liveHash string) []Stayed {
	list := slices.DeleteFunc(slices.Clone(s[workflowID]), func(x Stayed) bool { return !x.moved && x.Hash != liveHash })
	return list[:min(len(list), maxStayed)]
}

// watchStays writes down, until ctx ends, which executions keep their code, and
// forgets those that are over.
func (r *Reconciler) watchStays(ctx context.Context) {
	for {
		next := r.cfg.CensusInterval
		err := errors.Join(r.writeStays(ctx), r.publishStays(ctx))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.quiet.Fail(ctx, "stays", "which executions keep their code can't be written down", err)
			next = min(r.cfg.CensusInterval, r.cfg.BackoffLimit)
		default:
			r.quiet.Recover(ctx, "stays", "which executions keep their code is written down again")
		}
		due := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-r.cfg.Stays.wake:
			trouble.Sleep(ctx, gatherStays)
		case <-due.C:
			if err := r.forgetStays(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "stays: look", "whether executions that keep their code are over can't be asked", err)
			}
		}
		due.Stop()
	}
}

func (r *Reconciler) writeStays(ctx context.Context) error {
	all, told := r.cfg.Stays.take()
	if told > 0 {
		r.cfg.Observer.ExecutionsStayed(told)
	}
	var errs []error
	for k, list := range all {
		if err := r.writeStayed(ctx, k, list); err != nil {
			r.cfg.Stays.giveBack(k, list)
			errs = append(errs, fmt.Errorf("write which executions of project %s keep their code: %w", k.projectID, err))
		}
	}
	return errors.Join(errs...)
}

// insertStaysSQL keeps the table bounded: $1 project, $2 workflow, $3 hash, $4 how
// many of a workflow. One that is there already is only said anew.
const insertStaysSQL = `
INSERT INTO public.workflow_execution_stays (project_id, workflow_id, hash, execution_id, run_id, from_hash, event_id, reason)
SELECT $1, $2, $3, u.execution, u.run, u.from_hash, nullif(u.event, 0), u.reason
FROM (SELECT DISTINCT ON (run) * FROM unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
        AS u (execution, run, from_hash, event, reason)) u
LEFT JOIN public.workflow_execution_stays s ON s.project_id = $1 AND s.run_id = u.run
ORDER BY s.run_id IS NULL
LIMIT greatest(0, $4 - (SELECT count(*) FROM public.workflow_execution_stays WHERE project_id = $1 AND workflow_id = $2
  AND run_id <> ALL ($6::text[])))
ON CONFLICT (project_id, run_id) DO UPDATE SET
  workflow_id = excluded.workflow_id, hash = excluded.hash, execution_id = excluded.execution_id, from_hash = excluded.from_hash,
  event_id = excluded.event_id, reason = excluded.reason,
  noted_at = CASE WHEN workflow_execution_stays.hash = excluded.hash THEN workflow_execution_stays.noted_at ELSE excluded.noted_at END`

// toldOfStaysSQL says how many executions keep their code, and how many the
// latest event about this code says.
const toldOfStaysSQL = `
SELECT coalesce(w.kebab_name, ''), coalesce(c.version, ''),
  (SELECT count(*) FROM public.workflow_execution_stays s WHERE s.project_id = $1 AND s.workflow_id = $2 AND s.hash = $3),
  coalesce((SELECT max((e.details->>'executions')::bigint) FROM public.worker_events e
    WHERE e.project_id = $1 AND e.kind = 'stayed' AND e.details->'target'->>'hash' = $3), 0)
FROM (SELECT) AS always
LEFT JOIN public.workflows w ON w.id = $2
LEFT JOIN public.workflow_code_store c ON c.project_id = $1 AND c.hash = $3`

// stayedDetails are the details of stayed.
type stayedDetails struct {
	Workflow   string          `json:"workflow"` // workflows.id
	Target     CodeRef         `json:"target"`
	Executions int64           `json:"executions"`
	Example    BrokenExecution `json:"example"`
}

// tellAgain is by how much the executions that keep their code must have grown
// in number to be an event again: a crowd is a few lines, however it comes.
const tellAgain = 10

// writeStayed writes executions that stay off one text.
func (r *Reconciler) writeStayed(ctx context.Context, k stayed, list []runtime.Stay) error {
	n := len(list)
	ids, runs, from, events, reasons := make([]string, n), make([]string, n), make([]string, n), make([]int64, n), make([]string, n)
	for i, x := range list {
		ids[i], runs[i], from[i], events[i], reasons[i] = x.WorkflowID, x.RunID, x.From, x.EventID, strings.ReplaceAll(bounded(x.Reason), "\x00", "")
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	if _, err := r.cfg.Pool.Exec(ctx, insertStaysSQL, k.projectID, k.codeOf, k.to, maxStays, ids, runs, from, events, reasons); err != nil {
		return err
	}
	d := stayedDetails{Workflow: k.codeOf, Target: CodeRef{Hash: k.to}, Example: brokenExecutions([]runtime.BrokenExecution{list[0].BrokenExecution}, 1)[0]}
	var name string
	var before int64
	if err := r.cfg.Pool.QueryRow(ctx, toldOfStaysSQL, k.projectID, k.codeOf, k.to).Scan(&name, &d.Target.Version, &d.Executions, &before); err != nil {
		return err
	}
	if before > 0 && d.Executions < before*tellAgain {
		return nil
	}
	return r.writeEvents(ctx, k.projectID, event{
		kind: eventStayed,
		message: bounded(fmt.Sprintf("%d executions of workflow %s keep their code: %s doesn't fit them; %s: %s",
			d.Executions, name, d.Target, list[0].WorkflowID, list[0].Problem())),
		details: d,
	})
}

// staysSQL counts, by workflow and text, the executions that stay off what they
// are still to go on with.
const staysSQL = `
SELECT DISTINCT ON (g.project_id, g.workflow_id, g.hash) g.project_id::text, g.workflow_id::text, g.hash, coalesce(c.version, ''), g.moved,
  count(*) OVER w, min(g.noted_at) OVER w, g.execution_id, g.run_id, coalesce(g.event_id, 0), g.reason
FROM (SELECT s.*, m.run_id IS NOT NULL AS moved
      FROM public.workflow_execution_stays s
      LEFT JOIN public.workflow_execution_moves m ON m.project_id = s.project_id AND m.run_id = s.run_id
      LEFT JOIN public.workflows f ON f.id = s.workflow_id
      WHERE CASE WHEN m.run_id IS NOT NULL THEN m.hash = s.hash ELSE f.versioning_behavior IS DISTINCT FROM 'pinned' END) g
LEFT JOIN public.workflow_code_store c ON c.project_id = g.project_id AND c.hash = g.hash
WINDOW w AS (PARTITION BY g.project_id, g.workflow_id, g.hash)
ORDER BY g.project_id, g.workflow_id, g.hash, g.noted_at, g.run_id`

// publishStays tells the passes over the projects here who keeps its code.
func (r *Reconciler) publishStays(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, staysSQL)
	if err != nil {
		return fmt.Errorf("read which executions keep their code: %w", err)
	}
	found := map[string]stays{}
	var project, workflow string
	var s Stayed
	x := &s.Example
	if _, err := pgx.ForEachRow(rows, []any{&project, &workflow, &s.Hash, &s.Version, &s.moved, &s.Executions, &s.Since,
		&x.WorkflowID, &x.RunID, &x.Event, &x.Reason}, func() error {
		if found[project] == nil {
			found[project] = stays{}
		}
		s.Since = s.Since.UTC()
		found[project][workflow] = append(found[project][workflow], s)
		return nil
	}); err != nil {
		return fmt.Errorf("read which executions keep their code: %w", err)
	}
	for _, of := range found {
		for _, list := range of {
			slices.SortFunc(list, func(a, b Stayed) int { return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Hash, b.Hash)) })
		}
	}
	r.mu.Lock()
	before := r.stays
	r.stays = found
	var here []string
	for id := range r.records { // not cards: a first pass may be under way
		if !maps.EqualFunc(before[id], found[id], slices.Equal[[]Stayed]) {
			here = append(here, id)
		}
	}
	r.mu.Unlock()
	for _, id := range here {
		r.queue.resync(id) // the pass writes the row anew
	}
	return nil
}

// maxStaysChecked is how many executions that keep their code one look asks
// Temporal about.
const maxStaysChecked = 100

// forgetStays asks of those that were not looked at for longest whether they are
// over. When in doubt they stay.
func (r *Reconciler) forgetStays(ctx context.Context) error {
	claim, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(claim, `
UPDATE public.workflow_execution_stays s SET checked_at = now()
FROM (SELECT project_id, run_id FROM public.workflow_execution_stays
      WHERE checked_at IS NULL OR checked_at < now() - $1 * interval '1 microsecond'
      ORDER BY checked_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED) c
WHERE s.project_id = c.project_id AND s.run_id = c.run_id
RETURNING s.execution_id, s.run_id`, (r.cfg.CensusInterval / 2).Microseconds(), maxStaysChecked)
	if err != nil {
		return fmt.Errorf("claim executions that keep their code: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[runtime.Execution])
	if err != nil {
		return fmt.Errorf("claim executions that keep their code: %w", err)
	}
	var over []string
	var errs []error
	for _, x := range list {
		asked, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
		closed, known, err := r.cfg.Executions.Closed(asked, x)
		cancel()
		if err != nil {
			if errs = append(errs, err); len(errs) == maxCleanUpErrors {
				break
			}
			continue
		}
		if !known || !closed.IsZero() {
			over = append(over, x.RunID)
		}
	}
	if len(over) > 0 {
		err := r.timed(ctx, func(ctx context.Context) error {
			_, err := r.cfg.Pool.Exec(ctx, `DELETE FROM public.workflow_execution_stays WHERE run_id = ANY ($1::text[])`, over)
			return err
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
