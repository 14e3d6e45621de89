#!/usr/bin/env bash
# Temporal's Go SDK 1.50.0, against a gRPC server that answers everything as one that is just restarting does (Unavailable, which the
# SDK tries again): for how long it tries.
#
# The behaviour: a call of the client is tried for half of the time that its context has left, and never for more than ten seconds. A
# signal with a deadline in a minute fails after ten seconds, one with a deadline in eight after four. All tries
# share that time; none begins a new one. The worker hands in an activity's result in
# the same way: ten seconds, then it is dropped. The policy beside it, which would go on for sixty, never gets there.
#
# Guessed: until the context's deadline, and for sixty seconds where there is none, as the retry policy of the calls has it; the
# result of an activity at least as long, as it can't be had again.
# Surprising: a longer deadline buys nothing, and a caller who waits for its end on his own account has another half to go. A server
# that is away for a quarter of a minute costs the result of each activity that ends in its first seconds, though
# worker and server are both well again: the server can learn of it only from StartToCloseTimeout (or a heartbeat's), and has
# the work done a second time. Activities that take long have a long one.
#
# Seen on 2026-11-30:
#   result of an activity: tried again true, tries after 13 s 0
#   signal, deadline 0s: given up by 13 s
#   signal, deadline 1m0s: given up by 13 s
#   signal, deadline 8s: given up by 6 s
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module run

go 1.25.0

require (
	go.temporal.io/api v1.63.5
	go.temporal.io/sdk v1.50.0
	google.golang.org/grpc v1.84.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// away is a Temporal service that hands out one activity and then answers as while it restarts: everything is Unavailable,
// which the SDK tries again.
type away struct {
	workflowservice.UnimplementedWorkflowServiceServer
	handedOut atomic.Bool

	mu      sync.Mutex
	reports []time.Time
}

func (*away) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (*away) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (a *away) PollActivityTaskQueue(ctx context.Context, _ *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	if a.handedOut.Swap(true) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	hour, now := durationpb.New(time.Hour), timestamppb.Now()
	return &workflowservice.PollActivityTaskQueueResponse{
		TaskToken: []byte("t"), ActivityId: "1", ActivityType: &commonpb.ActivityType{Name: "work"}, Attempt: 1,
		WorkflowNamespace: "default", WorkflowType: &commonpb.WorkflowType{Name: "flow"},
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "w", RunId: "r"},
		ScheduledTime:     now, StartedTime: now, CurrentAttemptScheduledTime: now,
		StartToCloseTimeout: hour, ScheduleToCloseTimeout: hour, HeartbeatTimeout: hour,
	}, nil
}

func (a *away) RespondActivityTaskCompleted(context.Context, *workflowservice.RespondActivityTaskCompletedRequest) (*workflowservice.RespondActivityTaskCompletedResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reports = append(a.reports, time.Now())
	return nil, status.Error(codes.Unavailable, "restarting")
}

func (*away) SignalWorkflowExecution(context.Context, *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	return nil, status.Error(codes.Unavailable, "restarting")
}

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func main() {
	service, server := &away{}, grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, service)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go server.Serve(l)
	c, err := client.Dial(client.Options{HostPort: l.Addr().String(), Logger: silent{}})
	must(err)

	w := worker.New(c, "q", worker.Options{DisableWorkflowWorker: true})
	w.RegisterActivity(work)
	must(w.Start())

	deadlines := []time.Duration{0, 60 * time.Second, 8 * time.Second}
	tried := make([]time.Duration, len(deadlines))
	var signals sync.WaitGroup
	for i, deadline := range deadlines {
		signals.Go(func() {
			ctx := context.Background()
			if deadline != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, deadline)
				defer cancel()
			}
			begun := time.Now()
			if c.SignalWorkflow(ctx, "w", "", "s", nil) == nil {
				panic("a signal arrived")
			}
			tried[i] = time.Since(begun)
		})
	}
	signals.Wait()
	time.Sleep(15 * time.Second) // with pauses of at most 6 s, the result would be handed in again meanwhile

	service.mu.Lock()
	defer service.mu.Unlock()
	late := 0
	for _, at := range service.reports {
		if at.Sub(service.reports[0]) > 13*time.Second {
			late++
		}
	}
	fmt.Printf("result of an activity: tried again %t, tries after 13 s %d\n", len(service.reports) > 1, late)
	for i, deadline := range deadlines {
		fmt.Printf("signal, deadline %s: given up %s\n", deadline, about(tried[i]))
	}
}

func work() (string, error) { return "done", nil }

// about tells 4 s, 8 s, 10 s and 60 s apart.
func about(d time.Duration) string {
	switch {
	case d < 6*time.Second:
		return "by 6 s"
	case d < 9*time.Second:
		return "by 9 s"
	case d < 13*time.Second:
		return "by 13 s"
	}
	return "later"
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1
go build -o run .
cat >expected <<'TXT'
result of an activity: tried again true, tries after 13 s 0
signal, deadline 0s: given up by 13 s
signal, deadline 1m0s: given up by 13 s
signal, deadline 8s: given up by 6 s
TXT
./run | tee seen
diff expected seen
