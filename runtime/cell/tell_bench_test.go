package cell

import (
	"context"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/grpc"

	"workflow-worker/runtime"
)

// BenchmarkTell is a message of what an execution with an activity brings.
func BenchmarkTell(b *testing.B) {
	ours, theirs, err := pair()
	if err != nil {
		b.Fatal(err)
	}
	a, err := connOf(ours)
	if err != nil {
		b.Fatal(err)
	}
	z, err := connOf(theirs)
	if err != nil {
		b.Fatal(err)
	}
	end, _ := serve(a, parentService, &b, []grpc.MethodDesc{served(methodTell, func(**testing.B, context.Context, news) (ok, error) { return ok{}, nil })}...)
	defer end()
	cc, err := dial(z)
	if err != nil {
		b.Fatal(err)
	}
	defer cc.Close()
	t := newTeller(cc)
	x := &commonpb.WorkflowExecution{WorkflowId: "order-intake-0b635ce3-4d45-41e2-9793-faff6718ac07", RunId: "01a22c40-7fce-7452-9d40-b7fd98f197c5"}
	events := []*historypb.HistoryEvent{{EventId: 1}, {EventId: 2}, {EventId: 3}, {EventId: 4}, {EventId: 5}}
	b.ReportAllocs()
	for b.Loop() {
		t.EventsReceived(x, events)
		t.EventsReceived(x, events)
		t.ExecutionAdvanced("p", runtime.Advance{Type: "order"})
		t.ExecutionAdvanced("p", runtime.Advance{Type: "order"})
		t.ProjectTaskEnded("p", false)
		t.ExecutionGotOn(x.RunId)
		t.flush(b.Context())
	}
}
