package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Ran says which code completed an execution's last workflow task. The zero value is one that never completed a task, or whose task was
// completed by a worker that didn't say.
type Ran struct {
	// Hash is the code's.
	Hash string
	// Since is when the code went live where it ran: what went live later is newer. Zero if it wasn't live.
	Since time.Time
	// AutoUpgrade says that the code asked for it: setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, …).
	AutoUpgrade bool
}

// The label ends the identity of completed tasks in the history, for people and for readLabel:
//
//	<worker> order-intake.ts 1.0.4 code=<64 digits> since=2026-11-23T00:12:15.123456Z auto-upgrade
const (
	codeMark    = " code="
	sinceMark   = "since="
	upgradeMark = "auto-upgrade"
)

// label says what a run is on.
func (r Ran) label(name string) string {
	var b strings.Builder
	b.WriteString(" " + name + codeMark + r.Hash)
	if !r.Since.IsZero() {
		b.WriteString(" " + sinceMark + r.Since.UTC().Format(time.RFC3339Nano))
	}
	if r.AutoUpgrade {
		b.WriteString(" " + upgradeMark)
	}
	return b.String()
}

// readLabel finds the label at an identity's end; the zero Ran if there is none.
func readLabel(identity string) Ran {
	at := strings.LastIndex(identity, codeMark)
	if at < 0 {
		return Ran{}
	}
	fields := strings.Fields(identity[at+len(codeMark):])
	if len(fields) == 0 {
		return Ran{}
	}
	r := Ran{Hash: fields[0]}
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

// noteUpgrades keeps whether the code wants its executions to take newer code; called inside enter, once the function has begun.
func (d *definition) noteUpgrades() error {
	wants, err := d.in.vm.sdk.autoUpgrades(goja.Undefined())
	if err != nil {
		return d.in.thrown(err)
	}
	on := *d.on.Load()
	on.AutoUpgrade = wants.ToBoolean()
	d.on.Store(&on)
	return nil
}

// label names the code of a definition in the identity of its tasks' answers.
func (d *definition) label() string {
	on := d.on.Load()
	if on == nil || d.in == nil {
		return ""
	}
	return on.label(d.in.code.title())
}

// askLastRan reads a history of several pages from its end.
func askLastRan(ctx context.Context, api workflowservice.WorkflowServiceClient, namespace string, x *commonpb.WorkflowExecution) (*Ran, error) {
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
				ran := readLabel(a.GetIdentity())
				return &ran, nil
			}
		}
		if len(resp.GetNextPageToken()) == 0 {
			return &Ran{}, nil
		}
		req.NextPageToken = resp.GetNextPageToken()
	}
}

// MaxTrialEvents is the length of history up to which an execution is tried on other code before it goes on with it; a longer one keeps its
// code. The server itself asks for continue-as-new at 4,096 events, and ends executions at 51,200.
const MaxTrialEvents = 20_000

var errTooLong = fmt.Errorf("the history is longer than %d events, too long to be tried on other code", MaxTrialEvents)

// LastRan reads from the events of a history, from its first on, which code completed the last workflow task. begun is false if none has.
func LastRan(events []*historypb.HistoryEvent) (ran Ran, begun bool) {
	ran = lastRan(events)
	begun = slices.ContainsFunc(events, func(e *historypb.HistoryEvent) bool { return e.GetWorkflowTaskCompletedEventAttributes() != nil })
	for _, e := range events {
		if ran.Hash != "" {
			break
		}
		if m := e.GetMarkerRecordedEventAttributes(); m != nil { // the worker didn't say: the execution is where it began
			ran.Hash = pinOf(e)
			break
		}
	}
	return ran, begun
}

// readHistory reads a history to its end, but at most limit events.
func readHistory(ctx context.Context, api workflowservice.WorkflowServiceClient, namespace string, x *commonpb.WorkflowExecution, limit int) (*historypb.History, error) {
	const page = 1000 // the server's own limit; naming one shows that it isn't the SDK who asks
	h := &historypb.History{}
	req := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: namespace, Execution: x, MaximumPageSize: page}
	for {
		resp, err := api.GetWorkflowExecutionHistory(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", x.GetWorkflowId(), err)
		}
		if !plain(resp) {
			return nil, fmt.Errorf("read the history of %s: the server sent it in an unknown form", x.GetWorkflowId())
		}
		h.Events = append(h.Events, resp.GetHistory().GetEvents()...)
		if len(h.Events) > limit {
			return nil, errTooLong
		}
		if len(resp.GetNextPageToken()) == 0 {
			return h, nil
		}
		req.NextPageToken = resp.GetNextPageToken()
	}
}
