package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// againType is the type of ErrAgain: nobody else's failure has it.
var againType = "begin again " + rand.Text()

// ErrAgain is what an execution ends with to the SDK whose open task is to be begun again. It never
// leaves the process. Being benign, it is in no metric of the SDK's failures.
var ErrAgain = temporal.NewApplicationErrorWithOptions("the task begins again", againType,
	temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign})

// Again prepares that an execution's open task is begun again: the next answer to it is not sent,
// and the SDK gets the same task once more, with the history from its beginning, of which it makes
// a new state. It reports whether the history could be had.
func (t *Tasks) Again(ctx context.Context, runID string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	r, api := t.runs[runID], t.api
	if r == nil || api == nil || r.given == nil || r.tasks == 0 {
		t.mu.Unlock()
		return false
	}
	given, namespace, id := r.given, r.namespace, r.id
	t.mu.Unlock()
	page, err := firstPage(ctx, api, namespace, id, given)
	if err != nil {
		return false
	}
	again := proto.CloneOf(given)
	again.History, again.NextPageToken = page.GetHistory(), page.GetNextPageToken()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.runs[runID] != r || r.given != given {
		return false
	}
	r.again = again
	return true
}

// firstPage reads a task's history from its beginning, to the last event of the task if there is no
// other page. The error is errOver if the task is over meanwhile.
func firstPage(ctx context.Context, api workflowservice.WorkflowServiceClient, namespace string, id *commonpb.WorkflowExecution, task *workflowservice.PollWorkflowTaskQueueResponse) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	page, err := api.GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: namespace, Execution: id})
	if err != nil {
		return nil, err
	}
	events := page.GetHistory().GetEvents()
	if beginning(events) == nil {
		return nil, errors.New("the history has no beginning")
	}
	if len(page.GetNextPageToken()) == 0 {
		// What the task came with may end with events that only it has.
		if events = withTail(events, task.GetHistory().GetEvents(), task.GetStartedEventId()); events == nil {
			return nil, errOver
		}
		page.History = &historypb.History{Events: events}
	}
	return page, nil
}

var errOver = errors.New("the task is over")

// withTail completes a history by the events of a task that only the server has so far; nil if the
// history isn't one of that task.
func withTail(events, tail []*historypb.HistoryEvent, started int64) []*historypb.HistoryEvent {
	last := events[len(events)-1].GetEventId()
	for _, e := range tail {
		if e.GetEventId() == last+1 {
			events = append(events, e)
			last++
		}
	}
	if last != started {
		return nil
	}
	return events
}

// takeAgain gives what a task is to be begun again with; nil if its answer is one. The error is for
// an answer that must not be sent: the server gives the task out again, or has. The SDK tries no
// answer again that is to nothing the server knows.
func (t *Tasks) takeAgain(answer *workflowservice.RespondWorkflowTaskCompletedRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	if !endsAgain(answer) {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token := string(answer.GetTaskToken())
	o, ok := t.open[token]
	r := t.runs[o.runID]
	if ok && r != nil && r.again != nil && string(r.again.GetTaskToken()) == token {
		return t.reopen(token, r), nil
	}
	if ok {
		t.forget(token, o)
	}
	return nil, status.Error(codes.NotFound, "the task should have begun again and is over")
}

// reopen has an open task begin again. It keeps the events that only the task has, which the SDK
// may read behind the history's last page. Called with mu held.
func (t *Tasks) reopen(token string, r *run) *workflowservice.PollWorkflowTaskQueueResponse {
	again := r.again
	events := again.GetHistory().GetEvents()
	t.open[token] = openTask{runID: r.id.GetRunId(), received: time.Now()}
	r.given, r.again, r.markers, r.dropped = again, nil, nil, false
	r.read(events, beginning(events), len(again.GetNextPageToken()) == 0)
	return again
}

// endsAgain tells whether an answer is the end that a definition gave with ErrAgain.
func endsAgain(answer *workflowservice.RespondWorkflowTaskCompletedRequest) bool {
	commands := answer.GetCommands()
	if len(commands) == 0 {
		return false
	}
	end := commands[len(commands)-1].GetFailWorkflowExecutionCommandAttributes()
	return end.GetFailure().GetApplicationFailureInfo().GetType() == againType
}
