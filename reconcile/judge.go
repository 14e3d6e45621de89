package reconcile

import (
	"fmt"
	"time"

	"workflow-worker/reconcile/rows"
)

// claimable picks from a snapshot's open requests those that this replica may
// take on: new ones, those it has claimed before, and those whose claimer
// isn't heard of any more. A replica that took over a request from a living
// one does no harm: both judge by what they observe, and the first to finish
// it does so.
func claimable(open []rows.Request, mine map[string]bool, now time.Time, lease time.Duration, alone bool) (list []rows.Request) {
	for _, q := range open {
		stale := q.StartedAt == nil || now.Sub(*q.StartedAt) > lease
		if q.Status == rows.RequestPending || mine[q.ID] || alone || stale {
			list = append(list, q)
		}
	}
	return list
}

// standing is what a request is judged by: the state after the pass has acted.
type standing struct {
	rows.Desired
	window   []rows.Request // newest first
	phase    phase
	restart  rows.Mark // as in observed
	lastMove int64
	failure  *failure
	others   []rows.OtherWorker // of living replicas
	deadline time.Duration
	now      time.Time // the database's clock
}

// judge says how a claimed request ends, if it does. With several replicas a
// stop or restart is complete once every living one's row says so; a start
// once this one runs the project.
func judge(q rows.Request, s standing) rows.Verdict {
	fail := func(format string, args ...any) rows.Verdict {
		return rows.Verdict{ID: q.ID, Status: rows.RequestFailed, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case !s.Exists:
		return fail("there is no such project")
	case !q.Known():
		return fail("unknown action %q: start, stop, restart, check and migrate are known", q.Action)
	case q.AboutCode():
		return judgeAsk(q, s)
	case s.Newest.After(q.Mark) && s.Newest.WantsStop() != q.WantsStop():
		return fail("superseded by the newer %s request %s", s.Newest.Action, s.Newest.ID)
	}
	waitingFor := s.awaited(q)
	switch {
	case waitingFor == "":
		return rows.Verdict{ID: q.ID, Status: rows.RequestCompleted, Reason: ""}
	case q.WantsStop():
	case !s.Active:
		return fail("the project is switched off (projects.is_active is false)")
	case !hasWorkflow(s.Sources) && s.phase == absent:
		return fail("the project has %s: no active workflow has an active row in workflow_compiled_code", noCode)
	case s.failure != nil && s.failure.permanent && s.phase == absent:
		return fail("%s", s.failure.text)
	}
	if q.StartedAt != nil && s.now.Sub(*q.StartedAt) > s.deadline {
		return fail("not done within %s: %s; the service keeps trying", s.deadline, waitingFor)
	}
	return rows.Verdict{ID: q.ID}
}

// awaited says what is missing for a request to be complete, "" if nothing.
func (s standing) awaited(q rows.Request) string {
	if q.WantsStop() {
		if s.phase != absent {
			return "the worker is still draining"
		}
		for _, o := range s.others {
			return fmt.Sprintf("replica %s is still %s", o.Replica, o.Status)
		}
		return ""
	}
	if s.phase != running {
		if s.failure != nil {
			return s.failure.text
		}
		return "the worker is not running yet"
	}
	if q.Action == rows.ActionStart {
		return ""
	}
	if q.After(s.restart) {
		return "the worker has not restarted yet"
	}
	for _, o := range s.others {
		if !s.restartedSince(o, q) {
			return fmt.Sprintf("replica %s has not restarted yet", o.Replica)
		}
	}
	return ""
}

// restartedSince says whether another replica's worker started after q.
func (s standing) restartedSince(o rows.OtherWorker, q rows.Request) bool {
	for _, w := range s.window {
		if w.ID == o.Restart {
			return !q.After(w.Mark)
		}
	}
	return false
}
