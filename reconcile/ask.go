package reconcile

import (
	"fmt"
	"time"

	"workflow-worker/runtime"
)

// ask is what a check or migrate request asks.
type ask struct {
	workflowID string            // workflows.id
	execution  runtime.Execution // zero: all open ones; without a run id: the newest run
	target     string            // version or hash, "" for what is live
	// lastMove is the newest move that the request made, by seq; 0 if none.
	lastMove int64
}

// turn picks from the requests that this replica may take on those whose turn it
// is: of those that ask for a check one at a time, in their order, because the
// later ones may be about what the earlier ones move.
func (rec *record) turn(may []request) (ids []string) {
	taken := rec.check != nil
	for _, q := range may {
		if q.aboutCode() && !q.checked {
			if taken {
				continue
			}
			taken = true
		}
		ids = append(ids, q.id)
	}
	return ids
}

// listenForMoves is how often a replica looks whether another one's migrate
// request has moved executions. The stream doesn't carry moves.
const listenForMoves = time.Second

func movesComing(open []request) bool {
	for _, q := range open {
		if q.action == actionMigrate {
			return true
		}
	}
	return false
}

// judgeAsk says how a claimed check or migrate request ends, if it does before
// or without being checked: what comes of the check, answer says.
func judgeAsk(q request, s standing) verdict {
	fail := func(format string, args ...any) verdict {
		return verdict{q.id, requestFailed, fmt.Sprintf(format, args...)}
	}
	waitingFor := "the worker is not running yet"
	switch why := s.forbidden(); {
	case q.checked:
		if waitingFor = s.awaitedMoves(q); waitingFor == "" {
			return verdict{q.id, requestCompleted, ""}
		}
	case q.ask.workflowID == "":
		return fail("workflow_id is NULL: a %s request is about one workflow", q.action)
	case q.ask.execution.RunID != "" && q.ask.execution.WorkflowID == "":
		return fail("execution_run_id without execution_workflow_id: a run is named by both")
	case why != "":
		return fail("the project doesn't run: %s", why)
	case !hasWorkflow(s.sources) && s.phase == absent:
		return fail("the project doesn't run: it has %s", noCode)
	case s.failure != nil && s.failure.permanent && s.phase == absent:
		return fail("the project doesn't run: %s", s.failure.text)
	case s.phase == running:
		return verdict{id: q.id}
	}
	if q.startedAt != nil && s.now.Sub(*q.startedAt) > s.deadline {
		return fail("not done within %s: %s; the service keeps trying", s.deadline, waitingFor)
	}
	return verdict{id: q.id}
}

// awaitedMoves says who hasn't heard yet of the executions that a request moved,
// "" if nobody: from then on each goes on with its new code at its next task.
func (s standing) awaitedMoves(q request) string {
	if s.phase == running && s.lastMove < q.ask.lastMove {
		if s.failure != nil {
			return s.failure.text
		}
		return "the worker has not heard of the moves yet"
	}
	for _, o := range s.others {
		if o.status == statusRunning && o.lastMove < q.ask.lastMove {
			return fmt.Sprintf("replica %s has not heard of the moves yet", o.replica)
		}
	}
	return ""
}

// Result is the JSON in worker_requests.result of a check or migrate request. An
// example:
//
//	{
//	  "target": {"version": "1.0.5", "hash": "9b1d…"},
//	  "checked": 3, "fits": 2, "moved": 2,
//	  "executions": [{"workflowId": "order-1", "runId": "0d1c…"}, {"workflowId": "order-2", "runId": "77aa…"}],
//	  "broken": [{"workflowId": "order-3", "runId": "3b0f…", "event": 11, "reason": "…"}]
//	}
type Result struct {
	// Target is the code that was checked against.
	Target CodeRef `json:"target"`
	// Checked is how many executions were tried; Fits, how many of them could go
	// on with the target. Those that run it already are not tried.
	Checked int `json:"checked"`
	Fits    int `json:"fits"`
	// Moved is how many were told to; only of a migrate request.
	Moved int `json:"moved,omitempty"`
	// Executions are those that fit, at most 100 of them.
	Executions []Execution `json:"executions,omitempty"`
	// Breaks is how many could not go on; Broken are at most 100 of them.
	Breaks int               `json:"breaks"`
	Broken []BrokenExecution `json:"broken,omitempty"`
	// Truncated says that there are more open executions than were tried.
	Truncated bool `json:"truncated,omitempty"`
}

// Execution names one run in Temporal.
type Execution struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"`
}

// BrokenExecution is an open execution whose history other code doesn't fit.
type BrokenExecution struct {
	Execution
	Event  int64  `json:"event,omitempty"` // in its history; absent if unknown
	Reason string `json:"reason"`
}

// Of the executions that a check or the gate names, the rows show so many.
const (
	maxResultExecutions = 100
	maxBrokenExecutions = 20
)

func brokenExecutions(list []runtime.BrokenExecution, most int) []BrokenExecution {
	var out []BrokenExecution
	for _, b := range list[:min(len(list), most)] {
		out = append(out, BrokenExecution{Execution{b.WorkflowID, b.RunID}, b.EventID, bounded(b.Reason)})
	}
	return out
}

// outcome is how a check ends: what it found, and what becomes of the request.
type outcome struct {
	status, reason string
	result         *Result // nil if nothing was checked
	moves          []runtime.Fitting
}

// weigh says what becomes of a request, given what its check found. A request
// for one execution that doesn't fit fails; one for all moves those that fit,
// says which don't, and fails if it is all of them.
func weigh(q request, target CodeRef, found runtime.CheckResult) outcome {
	res := &Result{
		Target: target, Checked: found.Checked, Fits: len(found.Fit), Breaks: len(found.Broken),
		Broken: brokenExecutions(found.Broken, maxResultExecutions), Truncated: found.Truncated,
	}
	for _, e := range found.Fit[:min(len(found.Fit), maxResultExecutions)] {
		res.Executions = append(res.Executions, Execution{e.WorkflowID, e.RunID})
	}
	out := outcome{status: requestCompleted, result: res}
	if q.action == actionCheck {
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
	if q.ask.execution.WorkflowID == "" {
		why = fmt.Sprintf("%d of %d executions don't fit %s and stay as they are; %s", len(found.Broken), found.Checked, target, why)
	} else {
		why = fmt.Sprintf("it doesn't fit %s and stays as it is; %s", target, why)
	}
	out.reason = bounded(why)
	if len(found.Fit) == 0 {
		out.status = requestFailed
	}
	return out
}
