package cell

import (
	"context"
	"maps"
	"sync"
	"testing"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow/wire"
)

// hearer is a parent that is told.
type hearer struct {
	mu   sync.Mutex // guards all
	all  []event
	size int
}

func (h *hearer) tell(_ context.Context, n news) (ok, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, n.Events...)
	for _, b := range n.Bytes {
		h.size += len(b)
	}
	return ok{}, nil
}

func closingWith(size int) *commandpb.Command {
	return &commandpb.Command{Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{
		Result: &commonpb.Payloads{Payloads: []*commonpb.Payload{{Data: make([]byte, size)}}},
	}}}
}

// A parent that is stopped, or that the machine has no time for, costs its cells so much memory and no
// more.
func TestWhatWaitsForAParentThatDoesNotListenIsBounded(t *testing.T) {
	t.Parallel()
	h := &hearer{}
	teller := newTeller(linked(t, parentService, h, served(methodTell, (*hearer).tell)))
	const each, times = 2 << 20, 100
	for range times {
		teller.ExecutionAdvanced("p", runtime.Advance{Type: "order", Progress: wire.Progress{Closing: closingWith(each)}})
	}
	teller.ended("p") // no history says this
	teller.flush(t.Context())
	if h.size > maxHeld+2*each {
		t.Errorf("%d MB waited for the parent", h.size>>20)
	}
	if n := len(h.all); n < 2 || h.all[n-1].Ended != "p" {
		t.Errorf("of %d events the last isn't the end of the project", n)
	}
}

func begins(queue string) []*historypb.HistoryEvent {
	return []*historypb.HistoryEvent{{EventId: 1, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{TaskQueue: &taskqueuepb.TaskQueue{Name: queue}},
	}}}
}

// told gives whose steps were told since the last time, by run, and how many others.
func (h *hearer) told(t *testing.T, teller *teller) map[string]int {
	t.Helper()
	teller.flush(t.Context())
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string]int{}
	for _, e := range h.all {
		if e.Step != nil {
			out[e.Step.Kind+" "+e.Step.RunID]++
		} else if e.Advanced != nil {
			out["advanced "+e.Advanced.Execution.RunID]++
		}
	}
	h.all = nil
	return out
}

func TestOnlyWhatSomebodyFollowsIsTold(t *testing.T) {
	t.Parallel()
	h := &hearer{}
	teller := newTeller(linked(t, parentService, h, served(methodTell, (*hearer).tell)))
	teller.follow(following{Number: 1, Queues: []string{"a", "c"}})
	task := func(run string) {
		x := &commonpb.WorkflowExecution{WorkflowId: "w", RunId: run}
		teller.CommandsTaken(x, []*commandpb.Command{{}})
		teller.ExecutionAdvanced("p", runtime.Advance{Execution: replay.Execution{WorkflowID: "w", RunID: run}})
		token := []byte("token of " + run)
		teller.AttemptBegan(&workflowservice.PollActivityTaskQueueResponse{TaskToken: token, WorkflowExecution: x})
		teller.AttemptEnded(token, &workflowservice.RespondActivityTaskCompletedRequest{TaskToken: token})
	}
	for run, queue := range map[string]string{"1": "a", "2": "b"} {
		teller.EventsReceived(&commonpb.WorkflowExecution{WorkflowId: "w", RunId: run}, begins(queue))
		task(run)
	}
	task("unknown") // began before this process
	of := func(runs ...string) map[string]int {
		out := map[string]int{}
		for _, run := range runs {
			out["commands "+run]++
			out["advanced "+run]++
			out["began "]++
			out["ended "]++
		}
		return out
	}
	want := of("1", "unknown")
	want["events 1"]++
	if got := h.told(t, teller); !maps.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	teller.follow(following{Number: 3, Queues: []string{"b"}})
	teller.follow(following{Number: 2, All: true}) // which comes late
	want = of("2")
	want["events 2"]++
	if got := h.told(t, teller); !maps.Equal(got, want) {
		t.Errorf("to who came a moment later was told %v, want %v", got, want)
	}
	task("1")
	if got := h.told(t, teller); len(got) > 0 {
		t.Errorf("told of what nobody follows any more: %v", got)
	}
	teller.follow(following{Number: 4, All: true})
	if got, want := h.told(t, teller), of("1"); !maps.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if len(teller.kept) != 0 || teller.keptBytes != 0 || len(teller.attempts) != 0 {
		t.Errorf("%d bytes and %d attempts are kept for nobody", teller.keptBytes, len(teller.attempts))
	}
}
