package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// toldSteps is an observer that keeps what it is told.
type toldSteps []string

func (s *toldSteps) tell(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

func (s *toldSteps) EventsReceived(x *commonpb.WorkflowExecution, events []*historypb.HistoryEvent) {
	s.tell("%s: %d events from %d", x.GetRunId(), len(events), events[0].GetEventId())
}

func (s *toldSteps) CommandsTaken(x *commonpb.WorkflowExecution, commands []*commandpb.Command) {
	s.tell("%s: %d commands", x.GetRunId(), len(commands))
}

func (s *toldSteps) AttemptBegan(task *workflowservice.PollActivityTaskQueueResponse) {
	s.tell("attempt %s", task.GetTaskToken())
}

func (s *toldSteps) AttemptEnded(token []byte, answer any) { s.tell("%T of %s", answer, token) }

// What an observer of steps is told is what the server has said, and has taken.
func TestStepsAreToldAsTheServerHasThem(t *testing.T) {
	w := wire{t, NewTasks()}
	var told toldSteps
	w.tasks.ObserveSteps(&told)
	hears := func(want ...string) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		told = nil
	}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{})
	hears() // nothing to do
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("q"), Query: &querypb.WorkflowQuery{}, History: events(1, 2)})
	hears() // nobody's work
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("1"), History: events(1, 2, 3), NextPageToken: []byte("more")})
	hears("r: 3 events from 1")
	w.page(&workflowservice.GetWorkflowExecutionHistoryRequest{}, &workflowservice.GetWorkflowExecutionHistoryResponse{History: events(4, 5)})
	hears("r: 2 events from 4")
	w.page(&workflowservice.GetWorkflowExecutionHistoryRequest{MaximumPageSize: 10}, &workflowservice.GetWorkflowExecutionHistoryResponse{History: events(1)})
	hears() // somebody else reads
	answer := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("1"), Commands: []*commandpb.Command{{}, {}}}
	refuse := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		return errors.New("no")
	}
	if err := w.tasks.intercept(t.Context(), "", answer, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil, refuse); err == nil {
		t.Error("it was taken")
	}
	hears()
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("2"), History: events(6, 7)})
	answer.TaskToken = []byte("2")
	w.call(answer, &workflowservice.RespondWorkflowTaskCompletedResponse{}, &workflowservice.RespondWorkflowTaskCompletedResponse{
		ActivityTasks: []*workflowservice.PollActivityTaskQueueResponse{{TaskToken: []byte("eager")}},
	})
	hears("r: 2 events from 6", "r: 2 commands", "attempt eager")
	w.call(&workflowservice.PollActivityTaskQueueRequest{}, &workflowservice.PollActivityTaskQueueResponse{}, &workflowservice.PollActivityTaskQueueResponse{TaskToken: []byte("a")})
	w.call(&workflowservice.RespondActivityTaskCompletedRequest{TaskToken: []byte("a")}, &workflowservice.RespondActivityTaskCompletedResponse{}, &workflowservice.RespondActivityTaskCompletedResponse{})
	failed := &workflowservice.RespondActivityTaskFailedRequest{TaskToken: []byte("b")}
	if err := w.tasks.intercept(t.Context(), "", failed, &workflowservice.RespondActivityTaskFailedResponse{}, nil, refuse); err == nil {
		t.Error("it was taken")
	}
	w.call(failed, &workflowservice.RespondActivityTaskFailedResponse{}, &workflowservice.RespondActivityTaskFailedResponse{})
	hears("attempt a", "*workflowservice.RespondActivityTaskCompletedRequest of a", "*workflowservice.RespondActivityTaskFailedRequest of b")
}
