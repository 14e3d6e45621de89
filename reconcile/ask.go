package reconcile

import (
	"fmt"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// turn picks from the requests that this replica may take on those whose turn it
// is: of those that ask for a check one at a time, in their order, because the
// later ones may be about what the earlier ones move.
func (rec *record) turn(may []rows.Request) (ids []string) {
	taken := rec.check != nil
	for _, q := range may {
		if q.AboutCode() && !q.Checked {
			if taken {
				continue
			}
			taken = true
		}
		ids = append(ids, q.ID)
	}
	return ids
}

// listenForMoves is how often a replica looks whether another one's migrate
// request has moved executions. The stream doesn't carry moves.
const listenForMoves = time.Second

func movesComing(open []rows.Request) bool {
	for _, q := range open {
		if q.Action == rows.ActionMigrate {
			return true
		}
	}
	return false
}

// judgeAsk says how a claimed check or migrate request ends, if it does before
// or without being checked: what comes of the check, answer says.
func judgeAsk(q rows.Request, s standing) rows.Verdict {
	fail := func(format string, args ...any) rows.Verdict {
		return rows.Verdict{ID: q.ID, Status: rows.RequestFailed, Reason: fmt.Sprintf(format, args...)}
	}
	waitingFor := "the worker is not running yet"
	switch why := s.Forbidden(); {
	case q.Checked:
		if waitingFor = s.awaitedMoves(q); waitingFor == "" {
			return rows.Verdict{ID: q.ID, Status: rows.RequestCompleted, Reason: ""}
		}
	case q.Ask.WorkflowID == "":
		return fail("workflow_id is NULL: a %s request is about one workflow", q.Action)
	case q.Ask.Execution.RunID != "" && q.Ask.Execution.WorkflowID == "":
		return fail("execution_run_id without execution_workflow_id: a run is named by both")
	case why != "":
		return fail("the project doesn't run: %s", why)
	case !hasWorkflow(s.Sources) && s.phase == absent:
		return fail("the project doesn't run: it has %s", noCode)
	case s.failure != nil && s.failure.permanent && s.phase == absent:
		return fail("the project doesn't run: %s", s.failure.text)
	case s.phase == running:
		return rows.Verdict{ID: q.ID}
	}
	if q.StartedAt != nil && s.now.Sub(*q.StartedAt) > s.deadline {
		return fail("not done within %s: %s; the service keeps trying", s.deadline, waitingFor)
	}
	return rows.Verdict{ID: q.ID}
}

// awaitedMoves says who hasn't heard yet of the executions that a request moved,
// "" if nobody: from then on each goes on with its new code at its next task.
func (s standing) awaitedMoves(q rows.Request) string {
	if s.phase == running && s.lastMove < q.Ask.LastMove {
		if s.failure != nil {
			return s.failure.text
		}
		return "the worker has not heard of the moves yet"
	}
	for _, o := range s.others {
		if o.Status == rows.StatusRunning && o.LastMove < q.Ask.LastMove {
			return fmt.Sprintf("replica %s has not heard of the moves yet", o.Replica)
		}
	}
	return ""
}

// outcome is how a check ends: what it found, and what becomes of the request.
type outcome struct {
	status, reason string
	result         *rows.Result // nil if nothing was checked
	moves          []replay.Fitting
}

// weigh says what becomes of a request, given what its check found. A request
// for one execution that doesn't fit fails; one for all moves those that fit,
// says which don't, and fails if it is all of them.
func weigh(q rows.Request, target rows.CodeRef, found runtime.CheckResult) outcome {
	res := &rows.Result{
		Target: target, Checked: found.Checked, Fits: len(found.Fit), Breaks: len(found.Broken),
		Broken: rows.BrokenExecutions(found.Broken, rows.MaxResultExecutions), Truncated: found.Truncated,
	}
	for _, e := range found.Fit[:min(len(found.Fit), rows.MaxResultExecutions)] {
		res.Executions = append(res.Executions, e.Execution)
	}
	out := outcome{status: rows.RequestCompleted, result: res}
	if q.Action == rows.ActionCheck {
		return out
	}
	res.Moved, out.moves = len(found.Fit), found.Fit
	if len(found.Broken) == 0 {
		return out
	}
	first := found.Broken[0]
	why := fmt.Sprintf("execution %s: %s", first.WorkflowID, first.Reason)
	if first.EventID > 0 {
		why = fmt.Sprintf("execution %s, event %d: %s", first.WorkflowID, first.EventID, first.Reason)
	}
	if q.Ask.Execution.WorkflowID == "" {
		why = fmt.Sprintf("%d of %d executions don't fit %s and stay as they are; %s", len(found.Broken), found.Checked, target, why)
	} else {
		why = fmt.Sprintf("it doesn't fit %s and stays as it is; %s", target, why)
	}
	out.reason = rows.Bounded(why)
	if len(found.Fit) == 0 {
		out.status = rows.RequestFailed
	}
	return out
}
