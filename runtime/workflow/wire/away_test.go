package wire

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"workflow-worker/docker/stack"
)

// frontend is a server that answers polls and activities' answers; it may be away.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	refuse chan error // what it says instead, one each
}

func (f *frontend) PollWorkflowTaskQueue(context.Context, *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	return &workflowservice.PollWorkflowTaskQueueResponse{}, f.next()
}

func (f *frontend) RespondActivityTaskCompleted(context.Context, *workflowservice.RespondActivityTaskCompletedRequest) (*workflowservice.RespondActivityTaskCompletedResponse, error) {
	return &workflowservice.RespondActivityTaskCompletedResponse{}, f.next()
}

func (f *frontend) next() error {
	select {
	case err := <-f.refuse:
		return err
	default:
		return nil
	}
}

// away gives a client of a server that isn't there, and what lets it come.
func away(t *testing.T) (tasks *Tasks, api workflowservice.WorkflowServiceClient, f *frontend, back func()) {
	t.Helper()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	tasks, f = NewTasks(), &frontend{refuse: make(chan error, 10)}
	cc, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), tasks.DialOption(), Reconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	s := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(s, f)
	t.Cleanup(s.Stop)
	return tasks, workflowservice.NewWorkflowServiceClient(cc), f, func() {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Serve(l) }() // ends with Stop
	}
}

func pollOf(queue string) *workflowservice.PollWorkflowTaskQueueRequest {
	return &workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueuepb.TaskQueue{Name: queue}}
}

// inTime bounds what must end by itself long before.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func isAway(t *testing.T, err error) {
	t.Helper()
	if status.Code(err) != codes.Unavailable {
		t.Fatalf("a server that isn't there says %v", err)
	}
}

func TestPollsWaitForTheServersReturn(t *testing.T) {
	t.Parallel()
	tasks, api, f, back := away(t)
	ctx := inTime(t)
	_, err := api.PollWorkflowTaskQueue(ctx, pollOf("q"))
	isAway(t, err) // the SDK hears of the first
	polled := make(chan error, 1)
	go func() {
		_, err := api.PollWorkflowTaskQueue(ctx, pollOf("q"))
		polled <- err
	}()
	select {
	case err := <-polled:
		t.Fatalf("the second poll does not wait: %v", err)
	case <-time.After(time.Second):
	}
	// A proxy answers before the server does.
	f.refuse <- status.Error(codes.Unavailable, "no upstream")
	f.refuse <- status.Error(codes.Unavailable, "no upstream")
	back()
	if err := <-polled; err != nil || len(f.refuse) != 0 {
		t.Errorf("%v, %d refusals are left", err, len(f.refuse))
	}
	if failing := tasks.FailingPolls(); len(failing) != 0 {
		t.Errorf("%v fail still", failing)
	}
}

func TestPollsDoNotWaitThroughWhatTheServerRefuses(t *testing.T) {
	t.Parallel()
	_, api, f, back := away(t)
	back()
	ctx := inTime(t)
	for _, code := range []codes.Code{codes.Unavailable, codes.NotFound, codes.PermissionDenied, codes.ResourceExhausted, codes.InvalidArgument} {
		f.refuse <- status.Error(code, "refused")
		if _, err := api.PollWorkflowTaskQueue(ctx, pollOf("q")); status.Code(err) != code {
			t.Errorf("%v, want %v", err, code)
		}
	}
}

func TestPollsOfAStoppingWorkerDoNotWait(t *testing.T) {
	t.Parallel()
	tasks, api, _, _ := away(t)
	ctx := inTime(t)
	_, err := api.PollWorkflowTaskQueue(ctx, pollOf("q"))
	isAway(t, err)
	polled := make(chan error, 2)
	poll := func() {
		_, err := api.PollWorkflowTaskQueue(ctx, pollOf("q"))
		polled <- err
	}
	go poll()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		tasks.polls.mu.Lock()
		waiting := tasks.polls.waiting
		tasks.polls.mu.Unlock()
		if waiting == 1 {
			break
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatal("the poll does not wait")
		}
	}
	tasks.StopPolls("another")
	tasks.StopPolls("q")
	tasks.StopPolls("q") // of two workers
	go poll()            // the SDK's last, before it knows
	for range 2 {
		isAway(t, <-polled)
	}
	tasks.Forget("q")
	if len(tasks.polls.ends) != 1 {
		t.Errorf("%d queues are kept", len(tasks.polls.ends))
	}
}

func TestActivitiesAnswersOutliveTheSDKsDeadline(t *testing.T) {
	t.Parallel()
	_, api, f, back := away(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, err := api.RespondActivityTaskCompleted(ctx, &workflowservice.RespondActivityTaskCompletedRequest{})
		answered <- err
	}()
	<-ctx.Done()
	f.refuse <- status.Error(codes.Unavailable, "no upstream")
	select {
	case err := <-answered:
		t.Fatalf("given up: %v", err)
	case <-time.After(time.Second):
	}
	back()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it isn't delivered")
	}
	// What the server refuses is refused: the attempt is over.
	f.refuse <- status.Error(codes.NotFound, "no such attempt")
	if _, err := api.RespondActivityTaskCompleted(t.Context(), &workflowservice.RespondActivityTaskCompletedRequest{}); status.Code(err) != codes.NotFound {
		t.Error(err)
	}
}

func TestWhoGivesAnAnswerUpIsNotKeptWaiting(t *testing.T) {
	t.Parallel()
	_, api, _, _ := away(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := api.RespondActivityTaskCompleted(ctx, &workflowservice.RespondActivityTaskCompletedRequest{})
		answered <- err
	}()
	cancel()
	select {
	case err := <-answered:
		if err == nil {
			t.Error("a server that isn't there took it")
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}
