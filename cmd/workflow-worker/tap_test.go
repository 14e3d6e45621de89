package main

import (
	"fmt"
	"net"
	"sync"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"workflow-worker/docker/stack/stacktest"
)

// tap stands between a service and Temporal and notes which tasks reached the service. Temporal
// itself loses tasks: those that it gives to a poll that is being given up, and, when it is short
// of processors, some that no poll ever answers with. Such a task times out too, and only here it
// can be seen whose fault that is.
type tap struct {
	address string
	server  *grpc.ClientConn

	mu      sync.Mutex // guards reached
	reached map[string]bool
}

func newTap(t testing.TB, options ...grpc.ServerOption) *tap {
	t.Helper()
	server, err := grpc.NewClient(stacktest.TemporalAddress(t), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(128<<20)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{address: listener.Addr().String(), server: server, reached: map[string]bool{}}
	proxy := grpc.NewServer(append(options, grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(p.forward), grpc.MaxRecvMsgSize(128<<20))...)
	go func() { _ = proxy.Serve(listener) }() // ends with Stop
	t.Cleanup(func() {
		proxy.Stop()
		_ = server.Close()
	})
	return p
}

// raw passes messages on as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// forward answers one call; none that the service makes is a stream.
func (p *tap) forward(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	var request, answer []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	ctx := stream.Context()
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, md)
	}
	if err := p.server.Invoke(ctx, method, &request, &answer); err != nil {
		return err
	}
	task := taskIn(method, answer)
	if err := stream.SendMsg(&answer); err != nil || task == "" || ctx.Err() != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached[task] = true
	return nil
}

// taskIn names the task in the answer to a poll, "" if there is none.
func taskIn(method string, answer []byte) string {
	switch method {
	case workflowservice.WorkflowService_PollWorkflowTaskQueue_FullMethodName:
		var task workflowservice.PollWorkflowTaskQueueResponse
		if proto.Unmarshal(answer, &task) == nil && len(task.GetTaskToken()) > 0 {
			return workflowTask(task.GetWorkflowExecution().GetRunId(), task.GetStartedEventId())
		}
	case workflowservice.WorkflowService_PollActivityTaskQueue_FullMethodName:
		var task workflowservice.PollActivityTaskQueueResponse
		if proto.Unmarshal(answer, &task) == nil && len(task.GetTaskToken()) > 0 {
			return activityTask(task.GetWorkflowExecution().GetRunId(), task.GetActivityId(), task.GetAttempt())
		}
	}
	return ""
}

func workflowTask(runID string, started int64) string { return fmt.Sprintf("%s/%d", runID, started) }

func activityTask(runID, activityID string, attempt int32) string {
	return fmt.Sprintf("%s/%s/%d", runID, activityID, attempt)
}

// lost says whether a task never reached the service.
func (p *tap) lost(task string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.reached[task]
}
