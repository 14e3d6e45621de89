package wire

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// wire is a server of which the answers are given.
type wire struct {
	t     *testing.T
	tasks *Tasks
}

func (w wire) call(req, reply, answer proto.Message) {
	w.t.Helper()
	err := w.tasks.intercept(w.t.Context(), "", req, reply, nil, func(_ context.Context, _ string, _, reply any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		proto.Merge(reply.(proto.Message), answer)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w wire) poll(task *workflowservice.PollWorkflowTaskQueueResponse) {
	w.t.Helper()
	task.WorkflowExecution = &commonpb.WorkflowExecution{WorkflowId: "w", RunId: "r"}
	w.call(&workflowservice.PollWorkflowTaskQueueRequest{}, &workflowservice.PollWorkflowTaskQueueResponse{}, task)
}

func (w wire) page(req *workflowservice.GetWorkflowExecutionHistoryRequest, answer *workflowservice.GetWorkflowExecutionHistoryResponse) []int64 {
	w.t.Helper()
	var resp workflowservice.GetWorkflowExecutionHistoryResponse
	req.Execution = &commonpb.WorkflowExecution{WorkflowId: "w", RunId: "r"}
	w.call(req, &resp, answer)
	var ids []int64
	for _, e := range resp.GetHistory().GetEvents() {
		ids = append(ids, e.GetEventId())
	}
	return ids
}

// events makes some with the ids; 1 is the beginning of an attempt, 4 a completed task.
func events(ids ...int64) *historypb.History {
	h := &historypb.History{}
	for _, id := range ids {
		e := &historypb.HistoryEvent{EventId: id}
		switch id {
		case 1:
			e.Attributes = &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
				WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Attempt: 7},
			}
		case 4:
			e.Attributes = &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{
				WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{Identity: "worker code=four"},
			}
		}
		h.Events = append(h.Events, e)
	}
	return h
}

func (w wire) begins(attempt int32, hash string, query bool) {
	w.t.Helper()
	began, ran, forQuery, err := w.tasks.Begin(w.t.Context(), "r")
	if err != nil || began.GetAttempt() != attempt || ran.Hash != hash || forQuery != query {
		w.t.Errorf("begins with attempt %d, ran %q, query %v, error %v; want %d, %q, %v", began.GetAttempt(), ran.Hash, forQuery, err, attempt, hash, query)
	}
}

func (w wire) answer(token string) {
	w.t.Helper()
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte(token)},
		&workflowservice.RespondWorkflowTaskCompletedResponse{}, &workflowservice.RespondWorkflowTaskCompletedResponse{})
}

func (w wire) empty() {
	w.t.Helper()
	if n := len(w.tasks.open) + len(w.tasks.runs); n > 0 {
		w.t.Errorf("%d entries are left", n)
	}
}

func TestTasksReadWhatATaskBrings(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{})
	w.empty()
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: events(1, 2, 3, 4, 5)})
	w.begins(7, "four", false)
	w.answer("t")
	w.empty()
	w.answer("t") // sent again
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("q"), History: events(1, 2, 3), Query: &querypb.WorkflowQuery{}})
	w.begins(7, "", true)
	w.call(&workflowservice.RespondQueryTaskCompletedRequest{TaskToken: []byte("q")},
		&workflowservice.RespondQueryTaskCompletedResponse{}, &workflowservice.RespondQueryTaskCompletedResponse{})
	w.empty()
}

// The SDK has lost an execution that the server believes to be in its cache: it reads the history,
// which lacks the events of a task that the server made for an update.
func TestTasksCompleteTheHistoryThatTheSDKReads(t *testing.T) {
	t.Parallel()
	raw := func(ids ...int64) []*commonpb.DataBlob {
		data, err := proto.Marshal(events(ids...))
		if err != nil {
			t.Fatal(err)
		}
		return []*commonpb.DataBlob{{EncodingType: enumspb.ENCODING_TYPE_PROTO3, Data: data}}
	}
	type page = workflowservice.GetWorkflowExecutionHistoryResponse
	for name, c := range map[string]struct {
		tail  *historypb.History
		pages []*page
		want  [][]int64
	}{
		"one page":         {events(5, 6, 7), []*page{{History: events(1, 2, 3, 4, 5)}}, [][]int64{{1, 2, 3, 4, 5, 6, 7}}},
		"nothing is new":   {events(5), []*page{{History: events(1, 2, 3, 4, 5)}}, [][]int64{{1, 2, 3, 4, 5}}},
		"two pages":        {events(5, 6), []*page{{History: events(1, 2), NextPageToken: []byte("n")}, {History: events(3, 4, 5)}}, [][]int64{{1, 2}, {3, 4, 5, 6}}},
		"as it is stored":  {events(5, 6), []*page{{RawHistory: raw(1, 2, 3, 4, 5)}}, [][]int64{{1, 2, 3, 4, 5, 6}}},
		"with a gap":       {events(7), []*page{{History: events(1, 2, 3, 4)}}, [][]int64{{1, 2, 3, 4}}},
		"without anything": {nil, []*page{{}}, [][]int64{nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := wire{t, NewTasks()}
			w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: c.tail})
			var got [][]int64
			for _, p := range c.pages {
				got = append(got, w.page(&workflowservice.GetWorkflowExecutionHistoryRequest{}, proto.Clone(p).(*page)))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			// Somebody else asks.
			for _, other := range []*workflowservice.GetWorkflowExecutionHistoryRequest{
				{MaximumPageSize: 10}, {WaitNewEvent: true}, {HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT},
			} {
				if got := w.page(other, &page{History: events(3, 4)}); len(got) != 2 {
					t.Errorf("somebody else gets %v", got)
				}
			}
		})
	}
}

func TestTasksThatTheSDKNeverAnswersAreForgotten(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: events(1)})
	w.tasks.sweep(time.Now().Add(maxTaskAge + time.Minute))
	w.empty()
}

// An answer that doesn't arrive is sent again by the SDK: it is told of when it does, and is the same.
func TestAnAnswerThatIsSentAgainIsToldOfOnce(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	told := &completions{}
	k := kept{title: "a.ts", last: LastCode{Hash: strings.Repeat("0", 64), Since: time.Now()}}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: events(1)})
	w.tasks.Keep(k, RunInfo{RunID: "r"}, Project{Ends: told})
	var answers []error
	w.tasks.OnAnswer("r", func(err error) { answers = append(answers, err) })
	req := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t"), Identity: "worker"}
	send := func(answer error) error {
		return w.tasks.intercept(t.Context(), "", req, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return answer })
	}
	if err := send(status.Error(codes.Unavailable, "away")); status.Code(err) != codes.Unavailable {
		t.Fatal(err)
	}
	identity := req.GetIdentity()
	if identity == "worker" || len(told.all)+len(answers) > 0 {
		t.Errorf("identity %q, told %d and %v before the server had it", identity, len(told.all), answers)
	}
	if err := send(nil); err != nil {
		t.Fatal(err)
	}
	if req.GetIdentity() != identity || len(told.all) != 1 || len(answers) != 1 || answers[0] != nil {
		t.Errorf("identity %q after %q, told %d and %v", req.GetIdentity(), identity, len(told.all), answers)
	}
	w.tasks.Drop(k, "r")
	w.empty()
}

// Where the SDK gives an answer up, the server gives out another task.
func TestAnAnswerThatIsGivenUpIsForgottenWithTheNextTask(t *testing.T) {
	t.Parallel()
	w := wire{t, NewTasks()}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("t"), History: events(1)})
	req := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t")}
	err := w.tasks.intercept(t.Context(), "", req, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
			return status.Error(codes.Unavailable, "away")
		})
	if status.Code(err) != codes.Unavailable || !w.tasks.Working("r") {
		t.Fatal(err)
	}
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{TaskToken: []byte("u"), History: events(1)})
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("u")}, &workflowservice.RespondWorkflowTaskCompletedResponse{},
		&workflowservice.RespondWorkflowTaskCompletedResponse{})
	w.empty()
}

type completions struct {
	nobody
	all []Progress
}

func (c *completions) TaskCompleted(_ RunInfo, p Progress) { c.all = append(c.all, p) }

// BenchmarkTasks is what each workflow task costs beside the SDK's own work.
func BenchmarkTasks(b *testing.B) {
	tasks := NewTasks()
	task := &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte("token"), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "w", RunId: "r"}, History: events(5, 6, 7),
	}
	k := kept{title: "a.ts", last: LastCode{Hash: strings.Repeat("0", 64), Since: time.Now()}}
	answer := func(ctx context.Context, _ string, _, reply any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		return nil
	}
	for b.Loop() {
		if err := tasks.intercept(b.Context(), "", &workflowservice.PollWorkflowTaskQueueRequest{}, task, nil, answer); err != nil {
			b.Fatal(err)
		}
		tasks.Keep(k, RunInfo{RunID: "r"}, Project{Ends: nobody{}})
		req := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: task.TaskToken}
		if err := tasks.intercept(b.Context(), "", req, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// kept is a run that stays where it is.
type kept struct {
	title string
	last  LastCode
}

func (k kept) Code() (string, LastCode, bool) { return k.title, k.last, true }
func (k kept) Moves() (string, bool)          { return k.last.Hash, false }
func (k kept) Failed() *TaskFailure           { return nil }
func (k kept) Report(*TaskFailure)            {}

type nobody struct{}

func (nobody) TaskFailed(RunInfo, *TaskFailure) {}
func (nobody) TaskCompleted(RunInfo, Progress)  {}
