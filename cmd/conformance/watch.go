package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"workflow-worker/runtime/workflow/wire"
)

// watch follows an execution's history as it grows, through the runs that follow one another.
type watch struct {
	client client.Client
	id     string
	first  string // run

	mu      sync.Mutex // guards all below
	changed chan struct{}
	runs    []runHistory
	err     error
}

// runHistory is one run's history.
type runHistory struct {
	id     string
	events []*historypb.HistoryEvent
}

// follow begins to watch; it ends with ctx or with the last run, and the play waits for it.
func (p *play) follow(ctx context.Context, id, runID string) *watch {
	w := &watch{client: p.stand.client, id: id, first: runID, changed: make(chan struct{})}
	p.work.Go(func() { w.follow(ctx) })
	return w
}

func (w *watch) follow(ctx context.Context) {
	for runID := w.first; runID != ""; {
		w.update(func() { w.runs = append(w.runs, runHistory{id: runID}) })
		var last *historypb.HistoryEvent
		events := w.client.GetWorkflowHistory(ctx, w.id, runID, true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			e, err := events.Next()
			if err != nil {
				w.update(func() { w.err = err })
				return
			}
			last = e
			w.update(func() { r := &w.runs[len(w.runs)-1]; r.events = append(r.events, e) })
		}
		runID = next(last)
	}
}

// next is the run that follows the one that the event closed; "" if none does.
func next(e *historypb.HistoryEvent) string {
	if a := e.GetWorkflowExecutionContinuedAsNewEventAttributes(); a != nil {
		return a.GetNewExecutionRunId()
	}
	if a := e.GetWorkflowExecutionFailedEventAttributes(); a != nil {
		return a.GetNewExecutionRunId()
	}
	if a := e.GetWorkflowExecutionTimedOutEventAttributes(); a != nil {
		return a.GetNewExecutionRunId()
	}
	return e.GetWorkflowExecutionCompletedEventAttributes().GetNewExecutionRunId()
}

func (w *watch) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// until waits until f accepts the runs so far.
func (w *watch) until(ctx context.Context, f func([]runHistory) (bool, error)) error {
	for {
		w.mu.Lock()
		runs, err, changed := w.runs, w.err, w.changed
		ok, refusal := f(runs)
		w.mu.Unlock()
		switch {
		case ok || refusal != nil:
			return refusal
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// snapshot gives the runs so far.
func (w *watch) snapshot() []runHistory {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]runHistory(nil), w.runs...)
}

// outcome is how an execution stands or ended.
type outcome struct {
	status  string
	result  any
	failure *failurepb.Failure
}

// ended says how the last run ended; ok is false while it goes on.
func ended(runs []runHistory) (o outcome, ok bool) {
	if len(runs) == 0 || len(runs[len(runs)-1].events) == 0 {
		return o, false
	}
	events := runs[len(runs)-1].events
	last := events[len(events)-1]
	if next(last) != "" {
		return o, false
	}
	switch last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		return outcome{status: "Completed", result: single(last.GetWorkflowExecutionCompletedEventAttributes().GetResult())}, true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		return outcome{status: "Failed", failure: last.GetWorkflowExecutionFailedEventAttributes().GetFailure()}, true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return outcome{status: "Canceled"}, true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return outcome{status: "TimedOut"}, true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return outcome{status: "Terminated"}, true
	}
	return o, false
}

// taskFailure finds the last failed workflow task. A task that failed because its worker went away
// says nothing of the code, and so does one that the server failed.
func taskFailure(runs []runHistory) *failurepb.Failure {
	for i := len(runs) - 1; i >= 0; i-- {
		for j := len(runs[i].events) - 1; j >= 0; j-- {
			e := runs[i].events[j]
			if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil && !wire.ServersOwn(e) {
				return a.GetFailure()
			}
		}
	}
	return nil
}

// eventName is an event's type as people write it: TimerStarted.
func eventName(e *historypb.HistoryEvent) string { return e.GetEventType().String() }

// marks are the events that each worker adds in its own way.
func ownMarker(e *historypb.HistoryEvent) bool {
	return e.GetMarkerRecordedEventAttributes().GetMarkerName() == "SideEffect"
}

// told are the events of a run that its code caused or met: all but the start, workflow tasks, and
// the service's own marker.
func told(r runHistory) []*historypb.HistoryEvent {
	var out []*historypb.HistoryEvent
	for _, e := range r.events {
		name := eventName(e)
		if strings.HasPrefix(name, "WorkflowTask") || name == "WorkflowExecutionStarted" || ownMarker(e) {
			continue
		}
		out = append(out, e)
	}
	return out
}

func eventNames(events []*historypb.HistoryEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = eventName(e)
	}
	return out
}

// attributes are an event's own fields as protobuf's JSON has them, payloads decoded.
func attributes(e *historypb.HistoryEvent) (map[string]any, error) {
	text, err := protojson.Marshal(e)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	for k, v := range all {
		if own, ok := v.(map[string]any); ok && strings.HasSuffix(k, "Attributes") {
			if m, ok := all["userMetadata"]; ok {
				own["userMetadata"] = m
			}
			decoded, _ := decodePayloads(own).(map[string]any)
			return decoded, nil
		}
	}
	return map[string]any{}, nil
}

// decodePayloads turns what looks like a payload's JSON into its value.
func decodePayloads(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["metadata"].(map[string]any); ok {
			text, err := json.Marshal(v)
			var p commonpb.Payload
			if err == nil && protojson.Unmarshal(text, &p) == nil {
				return valueOf(&p)
			}
		}
		if list, ok := v["payloads"].([]any); ok && len(v) == 1 {
			return decodePayloads(list)
		}
		for k := range v {
			v[k] = decodePayloads(v[k])
		}
	case []any:
		for i := range v {
			v[i] = decodePayloads(v[i])
		}
	}
	return v
}

// story tells an execution's events, for somebody who asks why a case failed.
func story(runs []runHistory) string {
	var out strings.Builder
	for i, r := range runs {
		if i > 0 {
			out.WriteString("\n    -- then")
		}
		for _, e := range r.events {
			fmt.Fprintf(&out, " %s", eventName(e))
			for _, f := range []*failurepb.Failure{e.GetWorkflowTaskFailedEventAttributes().GetFailure(),
				e.GetActivityTaskFailedEventAttributes().GetFailure(), e.GetWorkflowExecutionFailedEventAttributes().GetFailure()} {
				if f != nil {
					fmt.Fprintf(&out, "(%s)", firstLine(f.GetMessage()))
				}
			}
		}
	}
	return strings.TrimSpace(out.String())
}

func firstLine(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if more {
		line += " …"
	}
	return line
}

var errTimeout = errors.New("nothing came of it in time")
