package wire

import commandpb "go.temporal.io/api/command/v1"

// nameCanceller says in requests to cancel other executions whose they are, in the words of
// Temporal's own worker: Go's SDK leaves them empty, and nothing compares them with a replay. Code
// gives no reason of its own.
func nameCanceller(commands []*commandpb.Command, runID string) {
	for _, c := range commands {
		a := c.GetRequestCancelExternalWorkflowExecutionCommandAttributes()
		if a != nil && !a.GetChildWorkflowOnly() && a.GetReason() == "" {
			a.Reason = "Cancel requested by workflow with run id " + runID + " with reason: "
		}
	}
}
