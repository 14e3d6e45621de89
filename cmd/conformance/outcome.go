package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.yaml.in/yaml/v3"
)

// conclude waits for the case's outcome and compares it.
func (p *play) conclude(ctx context.Context) error {
	if !p.TaskFailure.IsZero() {
		return p.concludeFailedTask(ctx)
	}
	w := p.main()
	if p.Status == "Running" {
		p.seen.Status = "Running"
		if _, ok := ended(w.snapshot()); ok {
			return errors.New("it ended, and should still run")
		}
		if err := p.checkEvents(w); err != nil {
			return err
		}
		return p.host.replay(ctx, p.group, w)
	}
	var o outcome
	err := w.until(ctx, func(runs []runHistory) (ok bool, _ error) {
		if o, ok = ended(runs); ok {
			return true, nil
		}
		return false, p.stuck(runs, "")
	})
	if err != nil {
		return err
	}
	p.seen.Status, p.seen.Result, p.seen.Failure = o.status, o.result, failureTree(o.failure)
	if p.isActivity() && o.failure != nil {
		p.seen.Failure = failureTree(activityCause(o.failure))
	}
	if err := p.checkOutcome(); err != nil {
		return err
	}
	if err := p.checkEvents(w); err != nil {
		return err
	}
	return p.host.replay(ctx, p.group, w)
}

// activityCause is what an activity ended with: the cause of the first ActivityFailure.
func activityCause(f *failurepb.Failure) *failurepb.Failure {
	for c := f; c != nil; c = c.GetCause() {
		if c.GetActivityFailureInfo() != nil && c.GetCause() != nil {
			return c.GetCause()
		}
	}
	return f
}

func (p *play) concludeFailedTask(ctx context.Context) error {
	var f *failurepb.Failure
	err := p.main().until(ctx, func(runs []runHistory) (bool, error) {
		f = taskFailure(runs)
		if _, ok := ended(runs); ok && f == nil {
			return false, errors.New("it ended, and a workflow task should have failed")
		}
		return f != nil, nil
	})
	if err != nil {
		return err
	}
	p.seen.Status, p.seen.TaskFailure = "Running", failureTree(f)
	want, _, err := p.want(&p.TaskFailure)
	if err != nil {
		return err
	}
	return complain("task failure: ", differ(want, any(p.seen.TaskFailure), true))
}

func (p *play) checkOutcome() error {
	want, hasFailure, err := p.want(&p.Failure)
	if err != nil {
		return err
	}
	status := p.Status
	switch {
	case status != "":
	case hasFailure:
		status = "Failed"
	default:
		status = "Completed"
	}
	if p.seen.Status != status {
		return fmt.Errorf("status %s, want %s; result %s, failure %s", p.seen.Status, status, show(p.seen.Result), show(withoutVolatile(p.seen.Failure)))
	}
	if hasFailure {
		if d := differ(want, any(p.seen.Failure), true); d != "" {
			return fmt.Errorf("failure: %s\n    all of it: %s", d, show(p.seen.Failure))
		}
	}
	want, ok, err := p.want(&p.Result)
	if err != nil || !ok {
		return err
	}
	if d := differ(want, p.seen.Result, false); d != "" {
		return fmt.Errorf("result: %s\n    all of it: %s", d, show(p.seen.Result))
	}
	return nil
}

// checkEvents compares the first run's events.
func (p *play) checkEvents(w *watch) error {
	runs := w.snapshot()
	if len(runs) == 0 {
		return nil
	}
	events := told(runs[0])
	p.seen.Events = eventNames(events)
	for _, e := range events {
		if slices.Contains(p.HasNot, eventName(e)) {
			return fmt.Errorf("there is a %s", eventName(e))
		}
	}
	if !p.Events.IsZero() {
		if len(p.Events.Content) != len(events) {
			return fmt.Errorf("events: %d, want %d: %s", len(events), len(p.Events.Content), strings.Join(p.seen.Events, " "))
		}
		for i, n := range p.Events.Content {
			if d := p.matchEvent(n, events[i]); d != "" {
				return fmt.Errorf("event %d of %s: %s", i+1, strings.Join(p.seen.Events, " "), d)
			}
		}
	}
	for i := 0; i < len(p.Has.Content); i++ {
		n, last := p.Has.Content[i], "no event of the type is left"
		for last != "" {
			if len(events) == 0 {
				return fmt.Errorf("has: %d: %s; events: %s", i+1, last, strings.Join(p.seen.Events, " "))
			}
			d := p.matchEvent(n, events[0])
			if !strings.HasPrefix(d, "is a ") {
				last = d
			}
			events = events[1:]
		}
	}
	return nil
}

// matchEvent says how an event differs from a type, or from a type with attributes.
func (p *play) matchEvent(n *yaml.Node, e *historypb.HistoryEvent) string {
	name := n.Value
	if n.Kind == yaml.MappingNode {
		name = n.Content[0].Value
	}
	if eventName(e) != name {
		return "is a " + eventName(e) + ", want " + name
	}
	if n.Kind != yaml.MappingNode {
		return ""
	}
	want, err := readValue(n.Content[1], p.replace)
	if err != nil {
		return err.Error()
	}
	got, err := attributes(e)
	if err != nil {
		return err.Error()
	}
	return differ(want, any(got), true)
}
