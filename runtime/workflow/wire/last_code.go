package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// LastCode says which code completed an execution's last workflow task. The zero value is one that
// never completed a task, or whose task was completed by a worker that didn't say.
type LastCode struct {
	// Hash is the code's.
	Hash string
	// Since is when the code went live where it ran: what went live later is newer. Zero if it
	// wasn't live.
	Since time.Time
	// AutoUpgrade says that the code asked for it: setWorkflowOptions({ versioningBehavior:
	// 'AUTO_UPGRADE' }, …).
	AutoUpgrade bool
}

// The label ends the identity of completed tasks in the history, for people and for ReadLabel:
//
//	<worker> order-intake.ts 1.0.4 code=<64 digits> since=2026-11-23T00:12:15.123456Z auto-upgrade
const (
	codeMark    = " code="
	sinceMark   = "since="
	upgradeMark = "auto-upgrade"
)

// label says what a run is on.
func (l LastCode) label(name string) string {
	var b strings.Builder
	b.WriteString(" " + name + codeMark + l.Hash)
	if !l.Since.IsZero() {
		b.WriteString(" " + sinceMark + l.Since.UTC().Format(time.RFC3339Nano))
	}
	if l.AutoUpgrade {
		b.WriteString(" " + upgradeMark)
	}
	return b.String()
}

// ReadLabel finds the label at an identity's end; the zero LastCode if there is none.
func ReadLabel(identity string) LastCode {
	at := strings.LastIndex(identity, codeMark)
	if at < 0 {
		return LastCode{}
	}
	fields := strings.Fields(identity[at+len(codeMark):])
	if len(fields) == 0 {
		return LastCode{}
	}
	r := LastCode{Hash: fields[0]}
	for _, f := range fields[1:] {
		if text, ok := strings.CutPrefix(f, sinceMark); ok {
			if since, err := time.Parse(time.RFC3339Nano, text); err == nil {
				r.Since = since
			}
		}
		r.AutoUpgrade = r.AutoUpgrade || f == upgradeMark
	}
	return r
}

// askLastCode reads a history of several pages from its end.
func askLastCode(ctx context.Context, api workflowservice.WorkflowServiceClient, namespace string, x *commonpb.WorkflowExecution) (*LastCode, error) {
	const (
		page  = 32
		pause = 100 * time.Millisecond
	)
	req := &workflowservice.GetWorkflowExecutionHistoryReverseRequest{Namespace: namespace, Execution: x, MaximumPageSize: page}
	for {
		resp, err := api.GetWorkflowExecutionHistoryReverse(ctx, req)
		if err != nil {
			// A failed task is for ever in the history: it is worth another try.
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("read from the end of the history which code ran last: %w", err)
			case <-time.After(pause):
			}
			continue
		}
		for _, e := range resp.GetHistory().GetEvents() {
			if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
				last := ReadLabel(a.GetIdentity())
				return &last, nil
			}
		}
		if len(resp.GetNextPageToken()) == 0 {
			return &LastCode{}, nil
		}
		req.NextPageToken = resp.GetNextPageToken()
	}
}

// LastCodeOf reads from the events of a history, from its first on, which code completed the last
// workflow task. begun is false if none has.
func LastCodeOf(events []*historypb.HistoryEvent) (last LastCode, begun bool) {
	last = lastCode(events)
	begun = slices.ContainsFunc(events, func(e *historypb.HistoryEvent) bool { return e.GetWorkflowTaskCompletedEventAttributes() != nil })
	for _, e := range events {
		if last.Hash != "" {
			break
		}
		if m := e.GetMarkerRecordedEventAttributes(); m != nil { // the worker didn't say: the execution is where it began
			last.Hash = PinOf(e).Hash
			break
		}
	}
	return last, begun
}

// lastCode reads from events in ascending order which code completed the last task.
func lastCode(events []*historypb.HistoryEvent) LastCode {
	for _, e := range slices.Backward(events) {
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
			return ReadLabel(a.GetIdentity())
		}
	}
	return LastCode{}
}
