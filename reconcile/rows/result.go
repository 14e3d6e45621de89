package rows

import "workflow-worker/runtime/replay"

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
	Executions []replay.Execution `json:"executions,omitempty"`
	// Breaks is how many could not go on; Broken are at most 100 of them.
	Breaks int               `json:"breaks"`
	Broken []BrokenExecution `json:"broken,omitempty"`
	// Truncated says that there are more open executions than were tried.
	Truncated bool `json:"truncated,omitempty"`
}

// BrokenExecution is an open execution whose history other code doesn't fit.
type BrokenExecution struct {
	replay.Execution
	Event  int64  `json:"event,omitempty"` // in its history; absent if unknown
	Reason string `json:"reason"`
}

// Of the executions that a check or the gate names, the rows show so many.
const (
	MaxResultExecutions = 100
	MaxBrokenExecutions = 20
)

func BrokenExecutions(list []replay.BrokenExecution, most int) []BrokenExecution {
	var out []BrokenExecution
	for _, b := range list[:min(len(list), most)] {
		out = append(out, BrokenExecution{b.Execution, b.EventID, Bounded(b.Reason)})
	}
	return out
}
