package cell

import (
	"context"
	"sync"
	"testing"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime"
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
