package wire

import (
	"testing"

	commandpb "go.temporal.io/api/command/v1"
)

func TestARequestToCancelSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	request := func(child bool) *commandpb.Command {
		return &commandpb.Command{Attributes: &commandpb.Command_RequestCancelExternalWorkflowExecutionCommandAttributes{
			RequestCancelExternalWorkflowExecutionCommandAttributes: &commandpb.RequestCancelExternalWorkflowExecutionCommandAttributes{ChildWorkflowOnly: child},
		}}
	}
	commands := []*commandpb.Command{request(false), request(true), {}}
	nameCanceller(commands, "run-1")
	for i, want := range []string{"Cancel requested by workflow with run id run-1 with reason: ", "", ""} {
		if got := commands[i].GetRequestCancelExternalWorkflowExecutionCommandAttributes().GetReason(); got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}
