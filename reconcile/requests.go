package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// worker_requests.action and .status.
const (
	actionStart   = "start"
	actionStop    = "stop"
	actionRestart = "restart"
	actionMigrate = "migrate"
	actionCheck   = "check"

	// runActions, in SQL, are those that say whether to run.
	runActions = "('start', 'stop', 'restart')"

	requestPending    = "pending"
	requestProcessing = "processing"
	requestCompleted  = "completed"
	requestFailed     = "failed"
)

// request is a row of worker_requests.
type request struct {
	mark
	action    string
	status    string
	startedAt *time.Time // when it was first claimed
	// checked says that a check or migrate request has its result: what is left
	// of it is that everybody hears of the moves.
	checked bool
	ask     ask // of a claimed check or migrate request
}

// known says whether the action is one of ours.
func (q request) known() bool {
	return q.action == actionStart || q.action == actionStop || q.action == actionRestart || q.aboutCode()
}

// aboutCode says whether the request is about the code of executions, and not
// about whether the project runs.
func (q request) aboutCode() bool { return q.action == actionMigrate || q.action == actionCheck }

// open says whether the request isn't finished.
func (q request) open() bool { return q.status == requestPending || q.status == requestProcessing }

// wantsStop is what a request says about whether to run.
func (q request) wantsStop() bool { return q.action == actionStop }

// mark is a request's place in the order of requests.
type mark struct {
	at time.Time
	id string
}

// after says whether m is newer than o; the zero mark is older than any other.
func (m mark) after(o mark) bool {
	if m.id == "" || o.id == "" {
		return m.id != "" && o.id == ""
	}
	if !m.at.Equal(o.at) {
		return m.at.After(o.at)
	}
	return m.id > o.id
}

// requestColumns are what scanRequest reads.
const requestColumns = "id::text, action::text, status::text, requested_at, started_at, result IS NOT NULL"

func scanRequest(row pgx.CollectableRow) (q request, err error) {
	err = row.Scan(&q.id, &q.action, &q.status, &q.at, &q.startedAt, &q.checked)
	return q, err
}

// claimable picks from a snapshot's open requests those that this replica may
// take on: new ones, those it has claimed before, and those whose claimer
// isn't heard of any more. A replica that took over a request from a living
// one does no harm: both judge by what they observe, and the first to finish
// it does so.
func claimable(open []request, mine map[string]bool, now time.Time, lease time.Duration, alone bool) (list []request) {
	for _, q := range open {
		stale := q.startedAt == nil || now.Sub(*q.startedAt) > lease
		if q.status == requestPending || mine[q.id] || alone || stale {
			list = append(list, q)
		}
	}
	return list
}

// claimRequests marks requests as processing and returns them. Those that
// another replica claims at this moment, or has finished, are left out.
// started_at keeps the first claim's time: the deadline runs from there,
// however often a request changes hands.
func (r *Reconciler) claimRequests(ctx context.Context, ids []string) ([]request, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	rows, err := r.cfg.Pool.Query(ctx, `
UPDATE public.worker_requests q SET status = 'processing', started_at = coalesce(q.started_at, clock_timestamp())
FROM (SELECT id FROM public.worker_requests
      WHERE id = ANY($1::text[]::uuid[]) AND status IN ('pending', 'processing')
      ORDER BY requested_at, id FOR UPDATE SKIP LOCKED) c
WHERE q.id = c.id
RETURNING q.id::text, q.action::text, q.status::text, q.requested_at, q.started_at, q.result IS NOT NULL,
  coalesce(q.workflow_id::text, ''), coalesce(q.execution_workflow_id, ''), coalesce(q.execution_run_id, ''), coalesce(q.target_version, ''),
  coalesce((SELECT max(m.seq) FROM public.workflow_execution_moves m WHERE m.request_id = q.id), 0)`, ids)
	if err != nil {
		return nil, fmt.Errorf("claim requests: %w", err)
	}
	claimed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q request, err error) {
		a := &q.ask
		err = row.Scan(&q.id, &q.action, &q.status, &q.at, &q.startedAt, &q.checked,
			&a.workflowID, &a.execution.WorkflowID, &a.execution.RunID, &a.target, &a.lastMove)
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim requests: %w", err)
	}
	slices.SortFunc(claimed, func(a, b request) int {
		if b.after(a.mark) {
			return -1
		}
		return 1
	})
	return claimed, nil
}

// verdict is how a request ends.
type verdict struct {
	id     string
	status string // "" if it has to wait
	reason string
}

// finishRequests writes verdicts. One that another replica reached first stands.
func (r *Reconciler) finishRequests(ctx context.Context, verdicts []verdict) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	b := &pgx.Batch{}
	for _, v := range verdicts {
		b.Queue(`
WITH done AS (
  UPDATE public.worker_requests
  SET status = $2, error = coalesce(nullif($3, ''), error), started_at = coalesce(started_at, now()), completed_at = clock_timestamp()
  WHERE id = $1 AND status IN ('pending', 'processing')
  RETURNING id, project_id, action, status, error)
INSERT INTO public.worker_events (project_id, replica, kind, message, details)
SELECT d.project_id, $4, $5, concat(d.action, ' request ', d.status, ': ' || d.error),
  jsonb_build_object('request', d.id, 'action', d.action, 'status', d.status)
FROM done d JOIN public.projects p ON p.id = d.project_id`, v.id, v.status, strings.ReplaceAll(v.reason, "\x00", ""), r.cfg.Replica, eventRequestDone)
	}
	if err := r.cfg.Pool.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("finish requests: %w", err)
	}
	return nil
}

// standing is what a request is judged by: the state after the pass has acted.
type standing struct {
	desired
	window   []request // newest first
	phase    phase
	restart  mark // as in observed
	lastMove int64
	failure  *failure
	others   []otherWorker // of living replicas
	deadline time.Duration
	now      time.Time // the database's clock
}

// otherWorker is another living replica's row of the project.
type otherWorker struct {
	replica string
	status  string
	restart string // id of the newest restart request that it started after
	// lastMove is how far it knows the moves.
	lastMove int64
}

// judge says how a claimed request ends, if it does. With several replicas a
// stop or restart is complete once every living one's row says so; a start
// once this one runs the project.
func judge(q request, s standing) verdict {
	fail := func(format string, args ...any) verdict {
		return verdict{q.id, requestFailed, fmt.Sprintf(format, args...)}
	}
	switch {
	case !s.exists:
		return fail("there is no such project")
	case !q.known():
		return fail("unknown action %q: start, stop, restart, check and migrate are known", q.action)
	case q.aboutCode():
		return judgeAsk(q, s)
	case s.newest.after(q.mark) && s.newest.wantsStop() != q.wantsStop():
		return fail("superseded by the newer %s request %s", s.newest.action, s.newest.id)
	}
	waitingFor := s.awaited(q)
	switch {
	case waitingFor == "":
		return verdict{q.id, requestCompleted, ""}
	case q.wantsStop():
	case !s.active:
		return fail("the project is switched off (projects.is_active is false)")
	case !hasWorkflow(s.sources) && s.phase == absent:
		return fail("the project has %s: no active workflow has an active row in workflow_compiled_code", noCode)
	case s.failure != nil && s.failure.permanent && s.phase == absent:
		return fail("%s", s.failure.text)
	}
	if q.startedAt != nil && s.now.Sub(*q.startedAt) > s.deadline {
		return fail("not done within %s: %s; the service keeps trying", s.deadline, waitingFor)
	}
	return verdict{id: q.id}
}

// awaited says what is missing for a request to be complete, "" if nothing.
func (s standing) awaited(q request) string {
	if q.wantsStop() {
		if s.phase != absent {
			return "the worker is still draining"
		}
		for _, o := range s.others {
			return fmt.Sprintf("replica %s is still %s", o.replica, o.status)
		}
		return ""
	}
	if s.phase != running {
		if s.failure != nil {
			return s.failure.text
		}
		return "the worker is not running yet"
	}
	if q.action == actionStart {
		return ""
	}
	if q.after(s.restart) {
		return "the worker has not restarted yet"
	}
	for _, o := range s.others {
		if !s.restartedSince(o, q) {
			return fmt.Sprintf("replica %s has not restarted yet", o.replica)
		}
	}
	return ""
}

// restartedSince says whether another replica's worker started after q.
func (s standing) restartedSince(o otherWorker, q request) bool {
	for _, w := range s.window {
		if w.id == o.restart {
			return !q.after(w.mark)
		}
	}
	return false
}
