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
	"go.yaml.in/yaml/v3"

	"workflow-worker/docker/stack"
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
	return stack.WaitFor(ctx, pollPause, func() (bool, error) {
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
	err = stack.WaitFor(ctx, pollPause, func() (bool, error) {
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

// stuck says that an execution's workflow task failed though nobody expects it: nothing will come
// of waiting.
func (p *play) stuck(runs []runHistory, waitingFor string) error {
	if !p.TaskFailure.IsZero() || strings.HasPrefix(waitingFor, "WorkflowTask") || p.mends() {
		return nil
	}
	f := taskFailure(runs)
	if f == nil {
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
