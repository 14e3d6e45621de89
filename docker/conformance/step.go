package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.yaml.in/yaml/v3"
)

const pollPause = 20 * time.Millisecond

func (p *play) step(ctx context.Context, s *step) error {
	w, err := p.execution(s)
	if err != nil && s.Start == "" {
		return err
	}
	switch {
	case s.Start != "":
		return p.begin(ctx, s.As, p.id+"-"+s.As, s.Start, s.Args, &yaml.Node{}, nil)
	case s.Until != nil:
		return p.until(ctx, w, s)
	case s.Signal != nil:
		return p.signal(ctx, w, s)
	case s.Query != nil:
		return p.check(s, p.query(ctx, w.execution(), s.Query))
	case s.Update != nil && s.Async != "":
		return p.updateAsync(ctx, w, s)
	case s.Update != nil:
		req, err := p.updateRequest(s, w.execution())
		if err != nil {
			return err
		}
		return p.check(s, p.update(ctx, req))
	case s.Answer != "":
		done, ok := p.updates[s.Answer]
		if !ok {
			return fmt.Errorf("no update is named %q", s.Answer)
		}
		select {
		case a := <-done:
			return p.check(s, a)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case s.Cancel:
		return p.stand.client.CancelWorkflow(ctx, w.id, "")
	case s.Terminate != "":
		return p.stand.client.TerminateWorkflow(ctx, w.id, "", s.Terminate)
	case s.Reset > 0:
		return p.reset(ctx, w, s)
	case s.Complete != "" || s.Fail != "" || s.Beat != "":
		return p.settle(ctx, w, s)
	case s.PauseActivity != "" || s.UnpauseActivity != "" || s.ResetActivity != "":
		return p.operate(ctx, w, s)
	case s.Pause != "":
		return p.pause(ctx, s.Pause)
	}
	return p.stepOnRows(ctx, s)
}

// stepOnRows is what is done to the worker and to its rows.
func (p *play) stepOnRows(ctx context.Context, s *step) error {
	kind, own := workflowRows, withImports(s.Reload, workflowNames)
	if p.isActivity() {
		kind, own = componentRows, withImports(s.Reload, activityNames)
	}
	switch {
	case s.Worker != "":
		return p.gate.pass(ctx, s.Worker)
	case s.Reload != "":
		return p.host.reload(ctx, p.group, kind, p.Name, own)
	case s.ReloadActivity != nil:
		for name, text := range s.ReloadActivity {
			if err := p.host.reload(ctx, p.group, componentRows, name, withImports(text, activityNames)); err != nil {
				return err
			}
		}
		return nil
	case s.Row != nil:
		for name, n := range s.Row {
			kind := kind
			if rest, ok := strings.CutPrefix(name, "component "); ok {
				kind, name = componentRows, rest
			}
			want, _, err := p.want(&n)
			if err != nil {
				return err
			}
			err = p.host.row(ctx, p.group, kind, name, func(got map[string]any) error {
				if d := differ(want, any(got), true); d != "" {
					return errors.New(d)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("it says nothing to do")
}

func (p *play) pause(ctx context.Context, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// check compares a call's answer with what the step expects, if it does.
func (p *play) check(s *step, a answer) error {
	if a.err != nil {
		return a.err
	}
	p.seen.Answers = append(p.seen.Answers, a.seen())
	if want, ok, err := p.want(&s.Failure); ok || err != nil {
		if err != nil {
			return err
		}
		if a.failure == nil {
			return fmt.Errorf("answered %s, want a failure", show(a.value))
		}
		return complain("failure: ", differ(want, any(a.failure), true))
	}
	if a.failure != nil {
		return fmt.Errorf("it failed: %s", show(withoutVolatile(a.failure)))
	}
	want, ok, err := p.want(&s.Result)
	if err != nil || !ok {
		return err
	}
	return complain("", differ(want, a.value, false))
}

func complain(prefix, difference string) error {
	if difference == "" {
		return nil
	}
	return errors.New(prefix + difference)
}

// until waits for events or for a query's answer.
func (p *play) until(ctx context.Context, w *watch, s *step) error {
	for name, n := range s.Until {
		if name == "query" {
			if err := p.untilQuery(ctx, w, s, n); err != nil {
				return err
			}
			continue
		}
		if name == "started" {
			if err := p.untilStarted(ctx, w, n.Value); err != nil {
				return fmt.Errorf("until %s activities have started: %w", n.Value, err)
			}
			continue
		}
		if name == "result" {
			continue
		}
		number, err := strconv.Atoi(n.Value)
		if err != nil {
			number = 1
		}
		err = w.until(ctx, func(runs []runHistory) (bool, error) {
			found := 0
			for _, r := range runs {
				for _, e := range r.events {
					if eventName(e) == name {
						found++
					}
				}
			}
			return found >= number, p.stuck(runs, name)
		})
		if err != nil {
			return fmt.Errorf("until %s: %w", name, err)
		}
	}
	return nil
}

// untilStarted waits until a worker has taken that many activities.
func (p *play) untilStarted(ctx context.Context, w *watch, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	return waitFor(ctx, pollPause, func() (bool, error) {
		d, err := p.stand.client.DescribeWorkflowExecution(ctx, w.id, "")
		started := 0
		for _, a := range d.GetPendingActivities() {
			if a.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED || a.GetState() == enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED {
				started++
			}
		}
		return started >= n, err
	})
}

func (p *play) untilQuery(ctx context.Context, w *watch, s *step, call yaml.Node) error {
	result := s.Until["result"]
	want, _, err := p.want(&result)
	if err != nil {
		return err
	}
	nodes := call.Content
	if call.Kind == yaml.ScalarNode {
		nodes = []*yaml.Node{&call}
	}
	list := make([]yaml.Node, len(nodes))
	for i, n := range nodes {
		list[i] = *n
	}
	last := ""
	err = waitFor(ctx, pollPause, func() (bool, error) {
		if err := p.stuck(w.snapshot(), ""); err != nil {
			return false, err
		}
		a := p.query(ctx, w.execution(), list)
		if a.err != nil {
			return false, a.err
		}
		if last = differ(want, a.value, false); a.failure != nil {
			last = show(a.failure) // its handler may not be there yet
		}
		return last == "", nil
	})
	if err != nil {
		err = fmt.Errorf("until its query answers: %w: %s", err, last)
	}
	return err
}

// stuck says that an execution's workflow task failed though nobody expects it: nothing will come of waiting.
func (p *play) stuck(runs []runHistory, waitingFor string) error {
	if !p.TaskFailure.IsZero() || strings.HasPrefix(waitingFor, "WorkflowTask") || p.mends() {
		return nil
	}
	f := taskFailure(runs)
	// A worker that has dropped an execution can't read its history for the task of an update, which is not written yet; the
	// server then writes one, and all goes on.
	if f == nil || p.stand.o.uncached && strings.Contains(f.GetMessage(), "premature end of stream") {
		return nil
	}
	return &taskFailed{f}
}

type taskFailed struct{ failure *failurepb.Failure }

func (t *taskFailed) Error() string {
	return "a workflow task failed: " + t.failure.GetMessage() + "\n" + t.failure.GetStackTrace()
}

// mends says that the case lets tasks fail and mends what was wrong.
func (p *play) mends() bool {
	return slices.ContainsFunc(p.Steps, func(s *step) bool { _, ok := s.Until["WorkflowTaskFailed"]; return ok })
}

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
		return p.checkEvents(w)
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
	return p.replay(ctx, w)
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

// replay asks a closed execution a query: its worker replays all of the history to answer.
func (p *play) replay(ctx context.Context, w *watch) error {
	if !p.host.replays() {
		return nil
	}
	name := yaml.Node{Kind: yaml.ScalarNode, Value: "__temporal_workflow_metadata"}
	a := p.query(ctx, w.execution(), []yaml.Node{name})
	if a.err == nil && a.failure != nil {
		return fmt.Errorf("its replay failed: %s", show(a.failure["message"]))
	}
	if a.err != nil {
		return fmt.Errorf("its replay: %w", a.err)
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
