package wire

import (
	"context"
	"reflect"
	"testing"

	commandpb "go.temporal.io/api/command/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pages is a server that gives the first page of a history.
type pages struct {
	workflowservice.WorkflowServiceClient

	first *workflowservice.GetWorkflowExecutionHistoryResponse
}

func (p pages) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest, ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	return p.first, nil
}

// endAgain answers a task as a definition that begins again has the SDK do it.
func (w wire) endAgain(token string) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	w.t.Helper()
	req := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte(token), Commands: []*commandpb.Command{{
		Attributes: &commandpb.Command_FailWorkflowExecutionCommandAttributes{
			FailWorkflowExecutionCommandAttributes: &commandpb.FailWorkflowExecutionCommandAttributes{Failure: &failurepb.Failure{
				FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: againType}},
			}},
		},
	}}}
	var resp workflowservice.RespondWorkflowTaskCompletedResponse
	err := w.tasks.intercept(w.t.Context(), "", req, &resp, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		w.t.Error("the server gets an answer that it must never see")
		return nil
	})
	return resp.GetWorkflowTask(), err
}

// A task that begins again, even twice, is the same one: its history ends with the events that only
// it has, and nothing is left once it is answered.
func TestATaskThatBeginsAgainIsTheSame(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	w.tasks.api = pages{first: &workflowservice.GetWorkflowExecutionHistoryResponse{History: events(1, 2), NextPageToken: []byte("n")}}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: events(5, 6), StartedEventId: 6})
	for range 2 {
		if !w.tasks.Again(t.Context(), "r") {
			t.Fatal("it can't begin again")
		}
		again, err := w.endAgain("t")
		if err != nil || string(again.GetTaskToken()) != "t" || string(again.GetNextPageToken()) != "n" {
			t.Fatalf("it begins again with %v, error %v", again, err)
		}
		got := w.page(&workflowservice.GetWorkflowExecutionHistoryRequest{}, &workflowservice.GetWorkflowExecutionHistoryResponse{History: events(3, 4, 5)})
		if !reflect.DeepEqual(got, []int64{3, 4, 5, 6}) {
			t.Errorf("the last page has %v", got)
		}
	}
	w.answer("t")
	w.empty()
}

// The server gave the task out anew while the first attempt was under way: that one is over, and the
// SDK must not try to answer it for long, nor get the new attempt twice.
func TestATaskThatIsOverDoesNotBeginAgain(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	w.tasks.api = pages{first: &workflowservice.GetWorkflowExecutionHistoryResponse{History: events(1, 2, 3, 4, 5, 6)}}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("first"), History: events(5, 6), StartedEventId: 6})
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("second"), History: events(5, 6), StartedEventId: 6})
	w.tasks.Again(t.Context(), "r")
	for range 2 { // the second is another attempt to send it
		if again, err := w.endAgain("first"); again != nil || status.Code(err) != codes.NotFound {
			t.Errorf("it begins again with %v, error %v", again, err)
		}
	}
	w.answer("second")
	w.empty()
}
